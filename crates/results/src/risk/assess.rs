//! Joins findings with feeds, targets and policies, a page in one query each, and assesses them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use audit::Change;
use backends::Zone;
use base::{Actor, Result, Scope, Source, Time, Unit};
use importers::Location;
use risk::cvss::{Score, Vector};
use risk::{Assessment, Criticality, Detection, Exploitation, Exposure, Inputs, Likelihood, Severity, assess, sla};
use serde_json::json;
use targets::{Target, TargetId};

use crate::link::{Groups, names};
use crate::model::{DueDate, FeedKind, Finding, FindingId, ImportId, Listing, RiskFactor, RiskView, SlaPolicy};
use crate::service::Results;
use crate::store::feeds::Exploited;
use crate::store::risk::{Subject, Which};
use crate::{actions, errors, store};

/// Findings joined and written at a time.
const PAGE: usize = 1000;
/// A target's label that says who can reach it.
const EXPOSURE: &str = "exposure:";

/// All that a page of findings is joined with.
struct Surroundings {
    now: Time,
    /// Feeds that were ever loaded.
    loaded: HashSet<FeedKind>,
    likelihoods: HashMap<String, (f64, Option<f64>)>,
    exploited: HashMap<String, Exploited>,
    targets: HashMap<TargetId, Target>,
    policies: HashMap<String, SlaPolicy>,
}

/// What came out for one finding.
struct Outcome {
    assessment: Assessment,
    likelihood: Likelihood,
    exploitation: Exploitation,
    due: Option<sla::Due>,
    policy: sla::Policy,
    unit: String,
}

impl Results {
    /// The risk of a finding as of now.
    pub(crate) async fn risk_of(&self, actor: &Actor, scope: &Scope, finding: &Finding) -> Result<RiskView> {
        let mut subjects = store::risk::page(&self.backends.db, scope, Which::Findings(&[finding.id]), None, 1).await?;
        self.name(scope, &mut subjects).await?;
        let subject = subjects.pop().ok_or_else(|| errors::finding_not_found(finding.id))?;
        let (fixed, changing) = (self.fixed(scope).await?, std::slice::from_ref(&subject));
        let surroundings = self.surroundings(actor, scope, fixed, changing).await?;
        let outcome = surroundings.outcome(&subject);
        let is_open = finding.is_open();
        Ok(view(&outcome, surroundings.now, is_open))
    }

    /// Assesses the findings of an import, or all of a tenant; tells how many changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn assess(&self, actor: &Actor, import: Option<ImportId>) -> Result<usize> {
        self.assess_those(actor, import.map_or(Which::All, Which::Import)).await
    }

    /// Assesses some findings again, because something else than an import changed them; tells how many changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn assess_findings(&self, actor: &Actor, ids: &[FindingId]) -> Result<usize> {
        let mut changed = 0;
        for some in ids.chunks(PAGE) {
            changed += self.assess_those(actor, Which::Findings(some)).await?;
        }
        Ok(changed)
    }

    async fn assess_those(&self, actor: &Actor, which: Which<'_>) -> Result<usize> {
        // Whoever caused it was allowed to; the job needs targets that they may not read.
        let system = Actor { tenant: actor.tenant, origin: actor.origin.clone(), ..Actor::system(actor.tenant, Source::Job) };
        let scope = system.scope(actions::ASSESS)?;
        let (mut after, mut changed) = (None, 0);
        let mut fixed = self.fixed(&scope).await?;
        loop {
            let mut page = store::risk::page(&self.backends.db, &scope, which, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            self.name(&scope, &mut page).await?;
            let surroundings = self.surroundings(&system, &scope, fixed, &page).await?;
            let rows: Vec<_> = page.iter().filter_map(|subject| surroundings.row(subject)).collect();
            if !rows.is_empty() {
                let mut change = Change::begin(&self.backends, &system, actions::ASSESS).await?;
                store::risk::keep(&mut change, &rows).await?;
                match which {
                    Which::Import(import) => change.subject("import", import),
                    Which::All | Which::Findings(_) => change.subject("organisation", system.tenant),
                }
                change.detail(json!({ "assessed": rows.len() }));
                change.commit().await?;
                changed += rows.len();
            }
            if page.len() < PAGE {
                break;
            }
            fixed = (surroundings.loaded, surroundings.policies);
        }
        Ok(changed)
    }

    /// Assesses the findings of every tenant, because days went by.
    ///
    /// # Errors
    /// The database's.
    pub async fn assess_everyone(&self) -> Result<usize> {
        let (mut tenant, mut changed) = (None, 0);
        while let Some(next) = store::risk::next_tenant(&self.backends.db, tenant).await? {
            changed += self.assess(&Actor::system(next, Source::Job), None).await?;
            tenant = Some(next);
        }
        Ok(changed)
    }

    /// Names the vulnerability of findings whose tools know it by other names, as feeds name it.
    async fn name(&self, scope: &Scope, subjects: &mut [Subject]) -> Result<()> {
        let nameless = || subjects.iter().filter(|subject| subject.cves.is_empty());
        let wanted: BTreeSet<&str> = nameless().flat_map(|subject| names(&subject.labels)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let wanted: Vec<&str> = wanted.into_iter().collect();
        let groups = Groups::known(store::links::groups(&self.backends.db, scope, &wanted).await?);
        for subject in subjects.iter_mut().filter(|subject| subject.cves.is_empty()) {
            subject.cves = groups.cves(&names(&subject.labels));
        }
        Ok(())
    }

    /// What is the same for all findings of a tenant.
    async fn fixed(&self, scope: &Scope) -> Result<(HashSet<FeedKind>, HashMap<String, SlaPolicy>)> {
        let db = &self.backends.db;
        let loaded = store::feeds::all(db, scope).await?.into_iter().map(|feed| feed.kind).collect();
        let policies = store::risk::policies(db, scope).await?.into_iter().map(|set| (set.unit, set.policy)).collect();
        Ok((loaded, policies))
    }

    async fn surroundings(
        &self,
        actor: &Actor,
        scope: &Scope,
        (loaded, policies): (HashSet<FeedKind>, HashMap<String, SlaPolicy>),
        subjects: &[Subject],
    ) -> Result<Surroundings> {
        let db = &self.backends.db;
        let cves: HashSet<String> = subjects.iter().flat_map(|subject| subject.cves.iter().map(|cve| cve.to_uppercase())).collect();
        let cves: Vec<String> = cves.into_iter().collect();
        let ids: HashSet<TargetId> = subjects.iter().filter_map(|subject| subject.target).collect();
        let ids: Vec<TargetId> = ids.into_iter().collect();
        // Who may see findings sees what their targets do to them, whether or not they may list targets.
        let reader = Actor { tenant: actor.tenant, origin: actor.origin.clone(), ..Actor::system(actor.tenant, Source::Job) };
        let targets = if ids.is_empty() { Vec::new() } else { self.targets.of_ids(&reader, &ids).await? };
        Ok(Surroundings {
            now: self.backends.clock.now(),
            likelihoods: store::feeds::likelihoods(db, scope, &cves).await?,
            exploited: store::feeds::exploited(db, scope, &cves).await?,
            targets: targets.into_iter().map(|target| (target.id, target)).collect(),
            loaded,
            policies,
        })
    }
}

impl Surroundings {
    fn outcome(&self, subject: &Subject) -> Outcome {
        let target = subject.target.and_then(|id| self.targets.get(&id));
        let likelihood = self.likelihood(&subject.cves);
        let exploitation = self.exploitation(&subject.cves);
        let criticality = target.map_or(Criticality::Medium, |target| criticality(target.criticality));
        let severity = severity(subject.severity);
        let assessment = assess(&Inputs {
            severity,
            cvss: score(subject.cvss.as_deref(), subject.cvss_score),
            confidence: subject.confidence,
            likelihood,
            exploitation,
            exposure: exposure(target, &subject.location),
            criticality,
            detection: Detection::Untested,
            age: u32::try_from(self.now.since(subject.open_since).as_secs() / 86_400).unwrap_or(u32::MAX),
            today: self.now.to_chrono().date_naive(),
        });
        // The nearest unit with a policy of its own, else the organisation's.
        let units = target.and_then(|target| target.unit.as_ref()).into_iter().flat_map(Unit::upwards);
        let (unit, policy) = units
            .chain([""])
            .find_map(|unit| self.policies.get(unit).map(|policy| (unit.to_owned(), sla::Policy::from(policy))))
            .unwrap_or_default();
        let due = policy.due(subject.open_since.to_chrono(), severity, criticality, exploitation);
        Outcome { assessment, likelihood, exploitation, due, policy, unit }
    }

    /// What is to be written, when it differs from what is there.
    fn row(&self, subject: &Subject) -> Option<(FindingId, i64, Option<Time>)> {
        let outcome = self.outcome(subject);
        let due = outcome.due.map(|due| Time::from(due.at));
        (outcome.assessment.fine != subject.risk || due != subject.due_at).then_some((subject.id, outcome.assessment.fine, due))
    }

    fn likelihood(&self, cves: &[String]) -> Likelihood {
        if cves.is_empty() {
            return Likelihood::NoVulnerability;
        }
        if !self.loaded.contains(&FeedKind::Epss) {
            return Likelihood::NeverChecked;
        }
        let known = cves.iter().filter_map(|cve| self.likelihoods.get(&cve.to_uppercase()));
        known.max_by(|one, other| one.0.total_cmp(&other.0)).map_or(Likelihood::NotListed, |(probability, percentile)| Likelihood::Listed {
            probability: *probability,
            percentile: *percentile,
        })
    }

    fn exploitation(&self, cves: &[String]) -> Exploitation {
        if cves.is_empty() {
            return Exploitation::NoVulnerability;
        }
        if !self.loaded.contains(&FeedKind::Kev) {
            return Exploitation::NeverChecked;
        }
        let known: Vec<&Exploited> = cves.iter().filter_map(|cve| self.exploited.get(&cve.to_uppercase())).collect();
        if known.is_empty() {
            return Exploitation::NotListed;
        }
        let due = known.iter().filter_map(|listed| listed.due).min();
        Exploitation::Listed { due, ransomware: known.iter().any(|listed| listed.ransomware) }
    }
}

fn view(outcome: &Outcome, now: Time, is_open: bool) -> RiskView {
    let (probability, percentile) = match outcome.likelihood {
        Likelihood::Listed { probability, percentile } => (Some(probability), percentile),
        _ => (None, None),
    };
    let kev_due = match outcome.exploitation {
        Exploitation::Listed { due, .. } => due,
        _ => None,
    };
    let standing = |due: &sla::Due| outcome.policy.standing(due.at, now.to_chrono()).into();
    RiskView {
        score: outcome.assessment.score().value(),
        sentence: outcome.assessment.sentence(),
        factors: outcome
            .assessment
            .factors
            .iter()
            .map(|factor| RiskFactor {
                key: factor.key.to_owned(),
                arguments: factor.arguments.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
                points: factor.points(),
                message: factor.message(),
            })
            .collect(),
        kev: Listing::from(outcome.exploitation),
        kev_due: kev_due.map(|day| day.to_string()),
        epss: Listing::from(outcome.likelihood),
        epss_probability: probability,
        epss_percentile: percentile,
        due: outcome.due.map(|due| DueDate {
            at: Time::from(due.at),
            ground: due.ground.into(),
            standing: is_open.then(|| standing(&due)),
            unit: outcome.unit.clone(),
        }),
    }
}

/// The score of all that the vector says; without a vector the score that the tool gave.
fn score(vector: Option<&str>, given: Option<f64>) -> Option<Score> {
    let own = vector.and_then(|vector| Vector::parse(vector).ok()).map(|vector| vector.score());
    #[expect(clippy::cast_possible_truncation, reason = "a score is at most ten")]
    own.or_else(|| given.map(|score| Score::from_tenths((score * 10.0).round() as i64)))
}

fn severity(severity: importers::Severity) -> Severity {
    match severity {
        importers::Severity::Info => Severity::Info,
        importers::Severity::Low => Severity::Low,
        importers::Severity::Medium => Severity::Medium,
        importers::Severity::High => Severity::High,
        importers::Severity::Critical => Severity::Critical,
    }
}

pub(crate) fn criticality(criticality: targets::Criticality) -> Criticality {
    match criticality {
        targets::Criticality::Low => Criticality::Low,
        targets::Criticality::Medium => Criticality::Medium,
        targets::Criticality::High => Criticality::High,
        targets::Criticality::Critical => Criticality::Critical,
    }
}

/// What the target's label says; else what the address shows. A name alone shows nothing.
pub(crate) fn exposure(target: Option<&Target>, place: &Location) -> Exposure {
    let label = target.and_then(|target| target.tags.iter().find_map(|tag| tag.strip_prefix(EXPOSURE)));
    match label.map(str::trim) {
        Some("internet") => return Exposure::Internet,
        Some("internal") => return Exposure::Internal,
        Some("isolated") => return Exposure::Isolated,
        _ => {}
    }
    let address = place.ip.as_deref().or(target.and_then(|target| target.address.as_deref()));
    match address.and_then(|text| text.parse::<IpAddr>().ok()) {
        Some(ip) if is_internal(ip) => Exposure::Internal,
        Some(_) => Exposure::Internet,
        None => Exposure::Unknown,
    }
}

fn is_internal(ip: IpAddr) -> bool {
    matches!(Zone::of(ip), Zone::Private | Zone::Link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_who_can_reach_it_and_a_name_does_not() {
        let at = |ip: &str| exposure(None, &Location { ip: Some(ip.to_owned()), ..Location::default() });
        for inside in [
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "100.64.0.9",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(at(inside), Exposure::Internal, "{inside}");
        }
        for outside in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:db8::1"] {
            assert_eq!(at(outside), Exposure::Internet, "{outside}");
        }
        assert_eq!(at("shop.example"), Exposure::Unknown);
    }
}

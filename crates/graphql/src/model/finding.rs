//! Findings.

use std::collections::BTreeSet;

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Result, SimpleObject};
use results::{Clues, Filter, Finding, FindingId};
use scans::ScanId;
use targets::TargetId;

use super::{MembershipNode, Moment, NoteNode, PageEnd, ScanNode, SeverityWord, TargetNode, cost, wanted};
use crate::errors;
use crate::query::{asking, services};

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "FindingStatus", remote = "results::Status")]
pub(crate) enum StatusWord {
    /// There.
    Open,
    /// Was there; no later test looked again.
    NotRetested,
    /// There, and somebody accepted the risk.
    Accepted,
    /// There, but nothing we answer for.
    OutOfScope,
    /// There, and something else keeps it from being used.
    Mitigated,
    /// Not a weakness after all.
    FalsePositive,
    /// Looked for again and gone, or declared fixed and not seen since.
    Fixed,
}

/// The order of a list of findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(name = "FindingSort", remote = "results::Sort")]
pub(crate) enum FindingSort {
    /// Gravest first.
    #[default]
    Severity,
    /// First seen last, first.
    Newest,
    /// Last seen last, first.
    LastSeen,
    /// By title.
    Title,
    /// Highest risk first.
    Risk,
    /// Due soonest first.
    Due,
}

/// Which findings; of each list, any.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "FindingFilter")]
pub(crate) struct FindingFilter {
    /// Of these severities.
    severity: Option<Vec<SeverityWord>>,
    /// Of these statuses.
    status: Option<Vec<StatusWord>>,
    /// Of this target.
    target: Option<ID>,
    /// Of targets of this business unit and those within it, such as `retail/payments`.
    unit: Option<String>,
    /// Seen by this scan.
    scan: Option<ID>,
    /// Of this tool.
    source: Option<String>,
    /// Title, place or check contains this.
    q: Option<String>,
    /// With this CVE.
    cve: Option<String>,
    /// Of this weakness class.
    cwe: Option<i32>,
    /// Of this check.
    check: Option<String>,
    /// Of this service of a target.
    service: Option<String>,
    /// Of this cluster.
    cluster: Option<String>,
    /// First brought by this import.
    import: Option<ID>,
}

impl FindingFilter {
    /// The filter; none when it names something that cannot exist.
    pub(crate) fn build(self) -> Option<Filter> {
        let severity = |word: SeverityWord| importers::Severity::from(word).as_str().to_owned();
        let status = |word: StatusWord| results::Status::from(word).as_str().to_owned();
        Some(Filter {
            severity: self.severity.into_iter().flatten().map(severity).collect::<BTreeSet<_>>().into_iter().collect(),
            status: self.status.into_iter().flatten().map(status).collect::<BTreeSet<_>>().into_iter().collect(),
            target: wanted(self.target)?,
            unit: self.unit.map(|path| path.parse()).transpose().ok()?,
            scan: wanted(self.scan)?,
            source: self.source,
            q: self.q,
            cve: self.cve,
            cwe: self.cwe.map(u32::try_from).transpose().ok()?,
            check: self.check,
            service: self.service,
            cluster: self.cluster,
            import: wanted(self.import)?,
        })
        .filter(Filter::is_possible)
    }
}

/// A package or product.
#[derive(SimpleObject)]
#[graphql(name = "Component")]
pub(crate) struct ComponentNode {
    name: String,
    version: Option<String>,
    /// Package URL.
    purl: Option<String>,
}

/// Where something is; as many parts as the tool gave.
#[derive(SimpleObject)]
#[graphql(name = "Location")]
pub(crate) struct LocationNode {
    host: Option<String>,
    ip: Option<String>,
    port: Option<u16>,
    protocol: Option<String>,
    service: Option<String>,
    url: Option<String>,
    method: Option<String>,
    parameter: Option<String>,
    component: Option<ComponentNode>,
    file: Option<String>,
    line: Option<u32>,
    snippet: Option<String>,
    logical: Option<String>,
    artifact: Option<String>,
}

impl From<importers::Location> for LocationNode {
    fn from(place: importers::Location) -> Self {
        Self {
            host: place.host,
            ip: place.ip,
            port: place.port,
            protocol: place.protocol,
            service: place.service,
            url: place.url,
            method: place.method,
            parameter: place.parameter,
            component: place.component.map(|part| ComponentNode { name: part.name, version: part.version, purl: part.purl }),
            file: place.file,
            line: place.line,
            snippet: place.snippet,
            logical: place.logical,
            artifact: place.artifact,
        }
    }
}

/// One thing that moved an estimate.
#[derive(SimpleObject)]
#[graphql(name = "FalsePositiveReason")]
pub(crate) struct ReasonNode {
    /// What of the finding: its rule, its asset…
    feature: String,
    /// Its value here.
    value: String,
    /// Log-odds by which it moves the estimate, up or down.
    weight: f64,
    /// Decisions about findings with this value.
    decisions: u32,
    /// Of those, how many said "false positive".
    false_positives: u32,
    /// In words.
    message: String,
}

/// How likely people are to call a finding a false positive, by what they decided before.
#[derive(SimpleObject)]
#[graphql(name = "FalsePositiveEstimate")]
pub(crate) struct EstimateNode {
    /// Probability, 0.01 to 0.99.
    probability: f64,
    /// What moved it most, strongest first.
    reasons: Vec<ReasonNode>,
    /// Decisions it was learned from.
    decisions: u32,
}

impl From<results::FalsePositiveEstimate> for EstimateNode {
    fn from(estimate: results::FalsePositiveEstimate) -> Self {
        let reasons = estimate.reasons.into_iter().map(|reason| ReasonNode {
            feature: reason.feature,
            value: reason.value,
            weight: reason.weight,
            decisions: reason.decisions,
            false_positives: reason.false_positives,
            message: reason.message,
        });
        Self { probability: estimate.probability, reasons: reasons.collect(), decisions: estimate.decisions }
    }
}

/// Our belief about one weakness.
#[derive(SimpleObject)]
#[graphql(name = "Finding", complex)]
pub(crate) struct FindingNode {
    /// Its id.
    id: ID,
    /// One line.
    title: String,
    /// What it is, in the words of the tool.
    description: String,
    /// What to do about it.
    remediation: Option<String>,
    /// How grave.
    severity: SeverityWord,
    /// CVSS vector.
    cvss: Option<String>,
    /// Base score of the vector.
    cvss_score: Option<f64>,
    /// Weakness classes (CWE numbers).
    cwes: Vec<u32>,
    /// Vulnerability names (CVE).
    cves: Vec<String>,
    /// Where to read more.
    references: Vec<String>,
    /// Labels of the tool.
    tags: Vec<String>,
    /// The tool.
    source: String,
    /// Id of the check inside the source.
    check: String,
    /// Where.
    location: LocationNode,
    /// Where it stands.
    status: StatusWord,
    /// Whether it might be one of several older findings.
    ambiguous: bool,
    /// First time it was seen.
    first_seen: Moment,
    /// Last time it was seen.
    last_seen: Moment,
    /// Imports and scans that saw it.
    times_seen: i64,
    /// How sure the detection is, 0 to 100.
    confidence: u8,
    /// The service of the target it belongs to.
    service: Option<String>,
    /// What it shares with findings of other tools.
    cluster: Option<MembershipNode>,
    /// Risk, 0 to 10, as last assessed.
    risk: Option<f64>,
    /// Until when it must be gone.
    due_at: Option<Moment>,
    /// Whether it is open past that.
    overdue: bool,
    #[graphql(skip)]
    own: FindingId,
    #[graphql(skip)]
    target_id: Option<TargetId>,
    #[graphql(skip)]
    last_scan: Option<ScanId>,
    #[graphql(skip)]
    clues: Clues,
}

impl From<Finding> for FindingNode {
    fn from(finding: Finding) -> Self {
        Self {
            clues: Clues::from(&finding),
            own: finding.id,
            id: finding.id.to_string().into(),
            title: finding.title,
            description: finding.description,
            remediation: finding.remediation,
            severity: finding.severity.into(),
            cvss: finding.cvss,
            cvss_score: finding.cvss_score,
            cwes: finding.cwes,
            cves: finding.cves,
            references: finding.references,
            tags: finding.tags,
            source: finding.source,
            check: finding.check,
            location: finding.location.into(),
            status: finding.status.into(),
            ambiguous: finding.ambiguous,
            first_seen: Moment(finding.first_seen),
            last_seen: Moment(finding.last_seen),
            times_seen: finding.times_seen,
            confidence: finding.confidence,
            service: finding.service,
            cluster: finding.cluster.map(Into::into),
            risk: finding.risk,
            due_at: finding.due_at.map(Moment),
            overdue: finding.overdue,
            target_id: finding.target_id,
            last_scan: finding.last_scan,
        }
    }
}

#[ComplexObject]
impl FindingNode {
    /// The target it belongs to.
    async fn target(&self, context: &Context<'_>) -> Result<Option<TargetNode>> {
        let Some(id) = self.target_id else { return Ok(None) };
        let found = asking(context)?.targets.load_one(id).await.map_err(|error| errors::field(&error))?;
        Ok(found.map(Into::into))
    }

    /// How likely people are to call it a false positive, by what they decided before; nothing until they decided enough.
    async fn false_positive(&self, context: &Context<'_>) -> Result<Option<EstimateNode>> {
        let estimates = asking(context)?.estimates(services(context)?).await.map_err(|error| errors::field(&error))?;
        Ok(estimates.of(&self.clues).map(Into::into))
    }

    /// What people wrote down about it, newest first; at most fifty.
    #[graphql(complexity = "cost(1, Some(first.unwrap_or(50).min(50)), child_complexity)")]
    async fn notes(&self, context: &Context<'_>, first: Option<i32>) -> Result<Vec<NoteNode>> {
        let found = asking(context)?.notes.load_one(self.own).await.map_err(|error| errors::field(&error))?;
        let most = usize::try_from(first.unwrap_or(50)).unwrap_or(1).max(1);
        Ok(found.unwrap_or_default().into_iter().take(most).map(Into::into).collect())
    }

    /// The last scan that saw it.
    async fn scan(&self, context: &Context<'_>) -> Result<Option<ScanNode>> {
        let Some(id) = self.last_scan else { return Ok(None) };
        let found = asking(context)?.scans.load_one(id).await.map_err(|error| errors::field(&error))?;
        Ok(found.map(Into::into))
    }
}

/// One page of findings.
#[derive(SimpleObject)]
pub(crate) struct FindingPage {
    /// The rows.
    nodes: Vec<FindingNode>,
    /// Where the page ends.
    page_info: PageEnd,
}

impl From<base::Page<Finding>> for FindingPage {
    fn from(found: base::Page<Finding>) -> Self {
        Self { nodes: found.items.into_iter().map(Into::into).collect(), page_info: PageEnd::of(found.next_cursor) }
    }
}

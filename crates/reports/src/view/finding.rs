//! One finding in words, and the table of human decisions.

use std::borrow::Cow;

use base::fill;
use results::Voice;
use serde::Serialize;

use super::{Badge, Maker, Pair, pair};
use crate::printable::Cut;
use crate::snapshot::{Decision, Finding, Reference};

/// Most places, pieces of evidence and references shown per finding.
const PLACES: usize = 25;
const PIECES: usize = 8;
const REFERENCES: usize = 20;

/// A finding as laid out.
#[derive(Serialize)]
pub(crate) struct FindingView {
    pub(crate) number: String,
    pub(crate) anchor: String,
    pub(crate) title: String,
    pub(crate) badge: Badge,
    pub(crate) score: String,
    pub(crate) status: String,
    pub(crate) status_class: &'static str,
    pub(crate) target: String,
    pub(crate) facts: Vec<Pair>,
    pub(crate) places: Vec<String>,
    pub(crate) more_places: Option<String>,
    pub(crate) description: Prose,
    pub(crate) remediation: Option<Prose>,
    pub(crate) evidence: Vec<EvidenceView>,
    pub(crate) references: Vec<Link>,
    pub(crate) decision: Vec<Pair>,
}

/// Running text in lines; an empty line parts paragraphs.
#[derive(Serialize)]
pub(crate) struct Prose {
    pub(crate) paragraphs: Vec<Vec<String>>,
    pub(crate) note: Option<String>,
}

/// A piece of evidence.
#[derive(Serialize)]
pub(crate) struct EvidenceView {
    pub(crate) label: String,
    pub(crate) text: String,
    pub(crate) note: Option<String>,
}

/// A reference; only web addresses become links.
#[derive(Serialize)]
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) href: Option<String>,
}

/// A row of the table of decisions.
#[derive(Serialize)]
pub(crate) struct DecisionRow {
    pub(crate) number: String,
    pub(crate) anchor: String,
    pub(crate) kind: String,
    pub(crate) by: String,
    pub(crate) reason: String,
    pub(crate) until: String,
}

/// The number findings are known by in this report: their place in it.
pub(super) fn number(index: usize) -> String {
    format!("F-{:03}", index + 1)
}

/// The number as an anchor.
pub(super) fn anchor(index: usize) -> String {
    format!("f-{:03}", index + 1)
}

/// Whose words the texts of a finding are; nobody's that is known, when several tools found it.
fn voice(finding: &Finding) -> Voice {
    match (finding.sources.as_slice(), finding.check.as_deref()) {
        ([source], Some(check)) => {
            let place = finding.locations.first();
            Voice::at(source, check, place.and_then(|place| place.port), place.and_then(|place| place.service.as_deref()))
        }
        _ => Voice::default(),
    }
}

impl Maker<'_> {
    pub(super) fn findings(&self) -> Vec<FindingView> {
        let findings = self.snapshot.findings.iter().take(self.medium.findings).enumerate();
        findings.map(|(index, finding)| self.finding(index, finding)).collect()
    }

    /// Says so when not all findings are shown.
    pub(super) fn findings_note(&self) -> Option<String> {
        let number = |n: usize| self.words.number(u64::try_from(n).unwrap_or(u64::MAX));
        let total = self.snapshot.findings.len();
        (total > self.medium.findings).then(|| {
            let (shown, total) = (number(self.medium.findings), number(total));
            fill(&self.words.sentences.shown, &[("shown", &shown), ("total", &total)])
        })
    }

    /// The target a finding is counted under: its first place.
    pub(super) fn home(&self, finding: &Finding) -> String {
        finding.locations.first().map_or_else(
            || self.words.labels.unknown.clone(),
            |location| match (&location.target, &location.host) {
                (Some(target), _) => self.target_name(target),
                (None, Some(host)) => self.line(host),
                (None, None) => self.line(&location.place()),
            },
        )
    }

    /// The title, in the language of the report where it is in words of ours.
    pub(super) fn title(&self, finding: &Finding) -> String {
        self.line(&voice(finding).title(&finding.title, self.words.tag))
    }

    /// What to do, the same way.
    pub(super) fn remediation<'f>(&self, finding: &'f Finding) -> Option<Cow<'f, str>> {
        finding.remediation.as_deref().map(|text| voice(finding).remediation(text, self.words.tag))
    }

    fn finding(&self, index: usize, finding: &Finding) -> FindingView {
        let places = finding.locations.len();
        let hidden = u64::try_from(places.saturating_sub(PLACES)).unwrap_or(u64::MAX);
        let cvss = finding.cvss.as_ref();
        let voice = voice(finding);
        FindingView {
            number: number(index),
            anchor: anchor(index),
            title: self.title(finding),
            badge: self.badge(finding.severity),
            score: cvss.map_or_else(String::new, |cvss| self.words.tenths(cvss.score_tenths)),
            status: self.words.status(finding.status).to_owned(),
            status_class: finding.status.as_str(),
            target: self.home(finding),
            facts: self.facts(finding),
            places: finding.locations.iter().take(PLACES).map(|l| self.place(l)).collect(),
            more_places: (hidden > 0).then(|| self.words.counted(&self.words.counts.locations, hidden)),
            description: self.prose(&voice.description(&finding.description, self.words.tag)),
            remediation: self.remediation(finding).filter(|text| !text.trim().is_empty()).map(|text| self.prose(&text)),
            evidence: finding
                .evidence
                .iter()
                .filter(|evidence| !evidence.body.trim().is_empty())
                .take(PIECES)
                .map(|evidence| {
                    let cut = self.medium.evidence(&evidence.body);
                    let before = evidence.truncated.then(|| self.words.sentences.cut_before.clone());
                    EvidenceView {
                        label: self.line(&voice.label(&evidence.label, self.words.tag)),
                        note: self.cut_note(&cut).or(before),
                        text: cut.lines.join("\n"),
                    }
                })
                .collect(),
            references: finding.references.iter().take(REFERENCES).map(|r| self.link(r)).collect(),
            decision: finding.decision.as_ref().map_or_else(Vec::new, |d| self.decision(d)),
        }
    }

    fn place(&self, location: &crate::snapshot::Location) -> String {
        let place = self.line(&location.place());
        match &location.target {
            Some(target) => {
                let name = self.target_name(target);
                if place.is_empty() || place == name { name } else { format!("{name} · {place}") }
            }
            None => place,
        }
    }

    fn facts(&self, finding: &Finding) -> Vec<Pair> {
        let (words, labels) = (self.words, &self.words.labels);
        let mut facts = Vec::new();
        if let Some(vector) = finding.cvss.as_ref().and_then(|cvss| cvss.vector.as_ref()) {
            facts.push(pair(&labels.vector, self.line(vector)));
        }
        if !finding.cwes.is_empty() {
            let names: Vec<String> = finding.cwes.iter().map(|cwe| format!("CWE-{cwe}")).collect();
            facts.push(pair(&labels.weaknesses, names.join(", ")));
        }
        if !finding.cves.is_empty() {
            facts.push(pair(&labels.vulnerabilities, self.line(&finding.cves.join(", "))));
        }
        if let Some(exploited) = finding.known_exploited {
            facts.push(pair(&labels.exploited, if exploited { &*labels.yes } else { &*labels.no }));
        }
        facts.push(pair(&labels.confidence, words.confidence(finding.confidence)));
        if !finding.sources.is_empty() {
            facts.push(pair(&labels.sources, self.line(&finding.sources.join(", "))));
        }
        facts.push(pair(&labels.first_seen, words.date(finding.first_seen)));
        facts.push(pair(&labels.last_seen, words.date(finding.last_seen)));
        facts
    }

    fn prose(&self, text: &str) -> Prose {
        let cut = self.medium.prose(text);
        let note = self.cut_note(&cut);
        let paragraphs = cut.lines.split(String::is_empty).filter(|lines| !lines.is_empty()).map(<[String]>::to_vec).collect();
        Prose { paragraphs, note }
    }

    fn cut_note(&self, cut: &Cut) -> Option<String> {
        let number = |n: usize| self.words.number(u64::try_from(n).unwrap_or(u64::MAX));
        (cut.shown < cut.total).then(|| {
            let (shown, total) = (number(cut.shown), number(cut.total));
            fill(&self.words.sentences.cut, &[("shown", &shown), ("total", &total)])
        })
    }

    fn link(&self, reference: &Reference) -> Link {
        let shown = reference.title.as_ref().unwrap_or(&reference.url);
        let is_web = reference.url.starts_with("https://") || reference.url.starts_with("http://");
        let is_plain = reference.url.len() <= 2_000 && reference.url.bytes().all(|byte| byte.is_ascii_graphic());
        Link { text: self.line(shown), href: (is_web && is_plain).then(|| reference.url.clone()) }
    }

    fn decision(&self, decision: &Decision) -> Vec<Pair> {
        let labels = &self.words.labels;
        vec![
            pair(&labels.decided, self.words.decision(decision.kind)),
            pair(&labels.decided_by, self.by(decision)),
            pair(&labels.reason, self.line(&decision.reason)),
            pair(&labels.valid_until, self.until(decision)),
        ]
    }

    pub(super) fn decisions(&self) -> Vec<DecisionRow> {
        let decided = self.snapshot.findings.iter().take(self.medium.findings).enumerate();
        decided
            .filter_map(|(index, finding)| {
                let decision = finding.decision.as_ref()?;
                Some(DecisionRow {
                    number: number(index),
                    anchor: anchor(index),
                    kind: self.words.decision(decision.kind).to_owned(),
                    by: self.by(decision),
                    reason: self.line(&decision.reason),
                    until: self.until(decision),
                })
            })
            .collect()
    }

    fn by(&self, decision: &Decision) -> String {
        format!("{}, {}", self.line(&decision.by), self.words.date(decision.at))
    }

    fn until(&self, decision: &Decision) -> String {
        match decision.until {
            None => self.words.labels.without_end.clone(),
            Some(until) if until <= self.snapshot.generated_at => fill(&self.words.labels.expired, &[("date", &self.words.date(until))]),
            Some(until) => self.words.date(until),
        }
    }
}

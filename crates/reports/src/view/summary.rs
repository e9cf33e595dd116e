//! The executive summary: sentences computed from the numbers, nothing that is not in them.

use std::collections::{BTreeMap, BTreeSet};

use base::fill;

use super::finding::{anchor, number};
use super::{Figure, FirstStep, Maker};
use crate::snapshot::{BySeverity, Finding, Severity};

/// Findings named as the first to deal with.
const FIRST: usize = 5;

impl Maker<'_> {
    /// The summary in paragraphs: what was done, what was found, what it means, what is missing.
    pub(super) fn summary(&self) -> Vec<String> {
        let found = [self.left_open(), self.settled()];
        let meant = [self.worst(), self.concentration(), self.exploited(), self.classes(), self.oldest()];
        let missing = [Some(self.coverage_sentence()), self.gaps_sentence()];
        let paragraphs =
            [self.tested(), join(found.into_iter().flatten()), join(meant.into_iter().flatten()), join(missing.into_iter().flatten())];
        paragraphs.into_iter().filter(|paragraph| !paragraph.is_empty()).collect()
    }

    /// The parts of a total by severity: “2 critical and 5 low”.
    pub(super) fn breakdown(&self, counts: &BySeverity) -> String {
        let parts: Vec<String> = Severity::ALL
            .into_iter()
            .filter(|severity| counts.of(*severity) > 0)
            .map(|severity| self.words.counted_severity(severity, counts.of(severity)))
            .collect();
        self.words.list(&parts)
    }

    pub(super) fn figures(&self) -> Vec<Figure> {
        let (words, labels) = (self.words, &self.words.labels);
        let open = &self.snapshot.counts.open;
        let (done, total) = self.steps();
        let targets = u64::try_from(self.snapshot.scope.targets.len()).unwrap_or(0);
        let figure = |value: String, label: &str| Figure { value, label: label.to_owned() };
        vec![
            figure(words.number(open.total()), &labels.open_findings),
            figure(words.number(open.critical + open.high), &labels.grave_findings),
            figure(words.number(targets), &labels.targets_in_scope),
            figure(format!("{}/{}", words.number(done), words.number(total)), &labels.steps_done),
        ]
    }

    pub(super) fn first_steps(&self) -> Vec<FirstStep> {
        let grave = |finding: &Finding| finding.severity >= Severity::Medium;
        let mut open: Vec<(usize, &Finding)> = self.open().filter(|(_, finding)| grave(finding)).collect();
        // Known exploitation outranks the score inside one severity; the sort keeps the rest.
        open.sort_by_key(|(_, finding)| std::cmp::Reverse((finding.severity, finding.known_exploited == Some(true))));
        // The same weakness at many places is one thing to do.
        let mut named = BTreeSet::new();
        open.into_iter()
            .filter(|(_, finding)| named.insert(&finding.title))
            .take(FIRST)
            .map(|(index, finding)| FirstStep {
                number: number(index),
                anchor: anchor(index),
                badge: self.badge(finding.severity),
                title: self.title(finding),
                action: self.remediation(finding).map_or_else(String::new, |text| self.line(first_sentence(&text))),
            })
            .collect()
    }

    fn open(&self) -> impl Iterator<Item = (usize, &Finding)> {
        self.snapshot.findings.iter().enumerate().filter(|(_, finding)| finding.status.is_open())
    }

    fn tested(&self) -> String {
        let (words, counts) = (self.words, &self.words.counts);
        let scope = &self.snapshot.scope;
        let count = |length: usize| u64::try_from(length).unwrap_or(0);
        let pattern = if scope.authorizations.is_empty() { &words.sentences.tested_unauthorized } else { &words.sentences.tested };
        let values = [
            ("targets", &*words.counted(&counts.targets, count(scope.targets.len()))),
            ("tenant", &*self.line(&self.snapshot.tenant)),
            ("from", &*words.date(self.snapshot.period.from)),
            ("to", &*words.date(self.snapshot.period.to)),
            ("tools", &*self.counted_tools()),
            ("authorizations", &*words.counted(&counts.authorizations, count(scope.authorizations.len()))),
        ];
        fill(pattern, &values)
    }

    fn left_open(&self) -> Option<String> {
        let (words, open) = (self.words, &self.snapshot.counts.open);
        if open.total() == 0 {
            return Some(words.sentences.open_none.clone());
        }
        let findings = words.counted(&words.counts.findings, open.total());
        let values = [("findings", &*findings), ("breakdown", &*self.breakdown(open))];
        Some(fill(&words.sentences.open, &values))
    }

    fn settled(&self) -> Option<String> {
        let (words, status) = (self.words, &self.snapshot.counts.status);
        let parts: Vec<String> = [
            (&words.counts.fixed, status.fixed),
            (&words.counts.accepted, status.accepted),
            (&words.counts.false_positive, status.false_positive),
            (&words.counts.not_retested, status.not_retested),
        ]
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(noun, n)| words.counted(noun, n))
        .collect();
        if parts.is_empty() {
            return None;
        }
        let all = u64::try_from(self.snapshot.findings.len()).unwrap_or(0);
        let findings = words.counted(&words.counts.findings, all);
        let values = [("findings", &*findings), ("parts", &*words.list(&parts))];
        Some(fill(&words.sentences.settled, &values))
    }

    fn worst(&self) -> Option<String> {
        let (index, finding) = self.open().next()?;
        let words = self.words;
        let score = finding.cvss.as_ref().map(|cvss| words.tenths(cvss.score_tenths));
        let pattern = match score {
            Some(_) => &words.sentences.worst_score,
            None => &words.sentences.worst,
        };
        let values = [
            ("number", &*number(index)),
            ("title", &*self.title(finding)),
            ("severity", &*words.severity(finding.severity).to_lowercase()),
            ("score", score.as_deref().unwrap_or_default()),
        ];
        Some(fill(pattern, &values))
    }

    fn concentration(&self) -> Option<String> {
        let mut by_target: BTreeMap<String, u64> = BTreeMap::new();
        for (_, finding) in self.open() {
            *by_target.entry(self.home(finding)).or_default() += 1;
        }
        let total: u64 = by_target.values().sum();
        let (target, n) = by_target.iter().max_by_key(|(_, n)| **n)?;
        // One target, or none that stands out: nothing to say.
        if by_target.len() < 2 || n * 3 < total {
            return None;
        }
        let words = self.words;
        let values = [
            ("target", target.as_str()),
            ("share", &*(n * 100 / total).to_string()),
            ("n", &*words.number(*n)),
            ("total", &*words.number(total)),
        ];
        Some(fill(&words.sentences.concentration, &values))
    }

    fn exploited(&self) -> Option<String> {
        let n = self.open().filter(|(_, finding)| finding.known_exploited == Some(true)).count();
        let findings = self.findings_counted(n)?;
        Some(fill(&self.words.sentences.exploited, &[("findings", &findings)]))
    }

    fn classes(&self) -> Option<String> {
        let mut by_class: BTreeMap<u32, usize> = BTreeMap::new();
        for (_, finding) in self.open() {
            for cwe in &finding.cwes {
                *by_class.entry(*cwe).or_default() += 1;
            }
        }
        let (cwe, n) = by_class.into_iter().max_by_key(|(cwe, n)| (*n, std::cmp::Reverse(*cwe)))?;
        if n < 2 {
            return None;
        }
        let findings = self.findings_counted(n)?;
        let values = [("cwe", &*cwe.to_string()), ("findings", &*findings)];
        Some(fill(&self.words.sentences.classes, &values))
    }

    fn oldest(&self) -> Option<String> {
        let grave = |finding: &&Finding| finding.severity >= Severity::High;
        let first = self.open().map(|(_, f)| f).filter(grave).map(|f| f.first_seen).min()?;
        let days = self.snapshot.generated_at.since(first).as_secs() / 86_400;
        if days == 0 {
            return None;
        }
        let words = self.words;
        let values = [("date", &*words.date(first)), ("days", &*words.counted(&words.counts.days, days))];
        Some(fill(&words.sentences.oldest, &values))
    }

    fn gaps_sentence(&self) -> Option<String> {
        let n = u64::try_from(self.snapshot.not_tested.len()).ok().filter(|n| *n > 0)?;
        let gaps = self.words.counted(&self.words.counts.gaps, n);
        Some(fill(&self.words.sentences.gaps, &[("gaps", &gaps)]))
    }

    fn findings_counted(&self, n: usize) -> Option<String> {
        let n = u64::try_from(n).ok().filter(|n| *n > 0)?;
        Some(self.words.counted(&self.words.counts.findings, n))
    }
}

fn join(sentences: impl Iterator<Item = String>) -> String {
    sentences.collect::<Vec<_>>().join(" ")
}

fn first_sentence(text: &str) -> &str {
    let line = text.trim().lines().next().unwrap_or_default();
    line.find(". ").map_or(line, |end| &line[..=end])
}

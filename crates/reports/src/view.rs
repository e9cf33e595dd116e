//! A snapshot in words: every text localised, cut to the medium and ready to be laid out.
//!
//! Invariant: templates make no decisions about content; what a page says was decided here.

mod finding;
mod scope;
mod summary;

use std::collections::BTreeMap;

use base::{Time, fill};
use serde::Serialize;

use crate::charts::{self, Bar};
use crate::language::{Catalogue, Labels};
use crate::printable::Medium;
use crate::snapshot::{BySeverity, Frozen, Part, Severity, Snapshot, Status};

pub(crate) use finding::{DecisionRow, FindingView};
pub(crate) use scope::{AuthorizationView, CoverageView, RunView, TargetView};

/// Everything a template needs.
#[derive(Serialize)]
pub(crate) struct View {
    pub(crate) language: String,
    pub(crate) title: String,
    pub(crate) tenant: String,
    pub(crate) marking: &'static str,
    pub(crate) marking_class: &'static str,
    pub(crate) marking_meaning: String,
    pub(crate) generated: String,
    pub(crate) period: String,
    pub(crate) digest: String,
    pub(crate) labels: Labels,
    pub(crate) colon: String,
    pub(crate) control: Vec<Pair>,
    pub(crate) rating: Badge,
    pub(crate) strip: Vec<Strip>,
    pub(crate) summary: Vec<String>,
    pub(crate) first_steps: Vec<FirstStep>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) matrix: Matrix,
    pub(crate) bars: Vec<BarRow>,
    pub(crate) charts: Charts,
    pub(crate) findings: Vec<FindingView>,
    pub(crate) findings_note: Option<String>,
    pub(crate) decisions: Vec<DecisionRow>,
    pub(crate) targets: Vec<TargetView>,
    pub(crate) authorizations: Vec<AuthorizationView>,
    pub(crate) coverage: Vec<CoverageView>,
    pub(crate) coverage_sentence: String,
    pub(crate) gaps: Vec<Pair>,
    pub(crate) method: Vec<String>,
    pub(crate) tools: Vec<Pair>,
    pub(crate) runs: Vec<RunView>,
    pub(crate) severities: Vec<Meaning>,
    pub(crate) statuses: Vec<Pair>,
    pub(crate) integrity: String,
    pub(crate) evidence_note: String,
}

/// A label and what it labels.
#[derive(Serialize)]
pub(crate) struct Pair {
    pub(crate) label: String,
    pub(crate) value: String,
}

/// A word with the colour of a severity.
#[derive(Clone, Serialize)]
pub(crate) struct Badge {
    pub(crate) class: &'static str,
    pub(crate) colour: &'static str,
    pub(crate) label: String,
}

/// The part of one severity among the open findings.
#[derive(Serialize)]
pub(crate) struct Strip {
    pub(crate) colour: &'static str,
    pub(crate) count: u64,
}

/// A severity and what it means.
#[derive(Serialize)]
pub(crate) struct Meaning {
    pub(crate) badge: Badge,
    pub(crate) text: String,
}

/// A number worth a tile.
#[derive(Serialize)]
pub(crate) struct Figure {
    pub(crate) value: String,
    pub(crate) label: String,
}

/// A finding to begin with.
#[derive(Serialize)]
pub(crate) struct FirstStep {
    pub(crate) number: String,
    pub(crate) anchor: String,
    pub(crate) badge: Badge,
    pub(crate) title: String,
    pub(crate) action: String,
}

/// Findings by severity (rows) and status (columns).
#[derive(Serialize)]
pub(crate) struct Matrix {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<MatrixRow>,
    pub(crate) totals: Vec<String>,
}

/// One severity of the matrix; the last number is the row's total.
#[derive(Serialize)]
pub(crate) struct MatrixRow {
    pub(crate) badge: Badge,
    pub(crate) numbers: Vec<String>,
}

/// The table behind the bar chart.
#[derive(Serialize)]
pub(crate) struct BarRow {
    pub(crate) label: String,
    pub(crate) numbers: Vec<String>,
}

/// The drawings and what they say to who cannot see them.
#[derive(Serialize)]
pub(crate) struct Charts {
    #[serde(skip)]
    pub(crate) donut: String,
    pub(crate) donut_text: String,
    #[serde(skip)]
    pub(crate) bars: String,
    pub(crate) bars_text: String,
}

/// What the parts of a view are made with.
pub(crate) struct Maker<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) words: &'a Catalogue,
    pub(crate) medium: Medium,
    targets: BTreeMap<&'a str, &'a str>,
}

impl View {
    pub(crate) fn new(frozen: &Frozen, words: &Catalogue, medium: Medium) -> Result<Self, askama::Error> {
        let snapshot = frozen.snapshot();
        let targets = snapshot.scope.targets.iter().map(|t| (t.id.as_str(), t.name.as_str())).collect();
        let maker = Maker { snapshot, words, medium, targets };
        let bars = maker.bars();
        let labels = words.labels.clone();
        Ok(Self {
            language: words.tag.as_str().to_owned(),
            title: maker.line(&snapshot.title),
            tenant: maker.line(&snapshot.tenant),
            marking: snapshot.marking.as_str(),
            marking_class: match snapshot.marking.as_str() {
                "TLP:RED" => "red",
                "TLP:GREEN" => "green",
                "TLP:CLEAR" => "clear",
                _ => "amber",
            },
            marking_meaning: words.marking(snapshot.marking).to_owned(),
            generated: words.date_time(snapshot.generated_at),
            period: maker.span(&words.sentences.period, snapshot.period.from, snapshot.period.to),
            digest: frozen.digest().to_owned(),
            colon: words.colon.clone(),
            control: maker.control(),
            rating: maker.rating(),
            strip: maker.strip(),
            summary: maker.summary(),
            first_steps: maker.first_steps(),
            figures: maker.figures(),
            matrix: maker.matrix(),
            charts: maker.charts(&bars)?,
            bars: bars.iter().map(|bar| maker.bar_row(bar)).collect(),
            findings: maker.findings(),
            findings_note: maker.findings_note(),
            decisions: maker.decisions(),
            targets: maker.targets(),
            authorizations: maker.authorizations(),
            coverage: maker.coverage(),
            coverage_sentence: maker.coverage_sentence(),
            gaps: maker.gaps(),
            method: maker.method(),
            tools: maker.tools(),
            runs: maker.runs(),
            severities: Severity::ALL
                .into_iter()
                .map(|severity| Meaning { badge: maker.badge(severity), text: words.severity_meaning(severity).to_owned() })
                .collect(),
            statuses: Status::ALL.into_iter().map(|status| pair(words.status(status), words.status_meaning(status))).collect(),
            integrity: words.sentences.integrity.clone(),
            evidence_note: words.sentences.evidence_note.clone(),
            labels,
        })
    }
}

impl Maker<'_> {
    /// Outside text as one line of this medium.
    pub(crate) fn line(&self, text: &str) -> String {
        self.medium.line(text)
    }

    /// The name of a target in scope, or the text itself.
    pub(crate) fn target_name(&self, id: &str) -> String {
        self.line(self.targets.get(id).copied().unwrap_or(id))
    }

    pub(crate) fn badge(&self, severity: Severity) -> Badge {
        Badge { class: severity.as_str(), colour: charts::colour(severity), label: self.words.severity(severity).to_owned() }
    }

    pub(crate) fn span(&self, pattern: &str, from: Time, to: Time) -> String {
        let (from, to) = (self.words.date(from), self.words.date(to));
        fill(pattern, &[("from", &from), ("to", &to)])
    }

    fn control(&self) -> Vec<Pair> {
        let (snapshot, labels) = (self.snapshot, &self.words.labels);
        let period = &self.words.sentences.period;
        let mut control = vec![pair(&labels.title, self.line(&snapshot.title)), pair(&labels.prepared_for, self.line(&snapshot.tenant))];
        for person in &snapshot.people {
            let label = match person.part {
                Part::Author => &labels.author,
                Part::Reviewer => &labels.reviewer,
                Part::Recipient => &labels.recipient,
            };
            control.push(pair(label, self.line(&person.name)));
        }
        control.push(pair(&labels.period, self.span(period, snapshot.period.from, snapshot.period.to)));
        control.push(pair(&labels.generated, self.words.date_time(snapshot.generated_at)));
        control
    }

    fn rating(&self) -> Badge {
        let open = &self.snapshot.counts.open;
        Severity::ALL.into_iter().find(|severity| open.of(*severity) > 0).map_or_else(
            || Badge { class: "none", colour: "#1f6f43", label: self.words.labels.nothing_open.clone() },
            |severity| self.badge(severity),
        )
    }

    fn strip(&self) -> Vec<Strip> {
        let open = &self.snapshot.counts.open;
        Severity::ALL
            .into_iter()
            .map(|severity| Strip { colour: charts::colour(severity), count: open.of(severity) })
            .filter(|strip| strip.count > 0)
            .collect()
    }

    fn matrix(&self) -> Matrix {
        let number = |n: u64| self.words.number(n);
        let mut totals = [0_u64; Status::ALL.len() + 1];
        let mut rows = Vec::new();
        for severity in Severity::ALL {
            let of_severity = self.snapshot.findings.iter().filter(|f| f.severity == severity);
            let mut counts = [0_u64; Status::ALL.len() + 1];
            for finding in of_severity {
                for (column, status) in Status::ALL.iter().enumerate() {
                    counts[column] += u64::from(finding.status == *status);
                }
            }
            counts[Status::ALL.len()] = counts.iter().sum();
            for (total, count) in totals.iter_mut().zip(counts) {
                *total += count;
            }
            rows.push(MatrixRow { badge: self.badge(severity), numbers: counts.into_iter().map(number).collect() });
        }
        let mut columns: Vec<String> = Status::ALL.into_iter().map(|status| self.words.status(status).to_owned()).collect();
        columns.push(self.words.labels.total.clone());
        Matrix { columns, rows, totals: totals.into_iter().map(number).collect() }
    }

    /// Open findings per target, most and gravest first; the tail shares one bar.
    fn bars(&self) -> Vec<Bar> {
        let mut by_target: BTreeMap<String, BySeverity> = BTreeMap::new();
        for finding in self.snapshot.findings.iter().filter(|f| f.status.is_open()) {
            by_target.entry(self.home(finding)).or_default().add(finding.severity);
        }
        let mut bars: Vec<Bar> = by_target.into_iter().map(|(label, counts)| Bar { label, counts }).collect();
        bars.sort_by_key(|bar| {
            let Bar { counts, .. } = bar;
            std::cmp::Reverse((counts.critical, counts.high, counts.total()))
        });
        if bars.len() > charts::BARS {
            let mut rest = Bar { label: self.words.labels.other_targets.clone(), counts: BySeverity::default() };
            for bar in bars.drain(charts::BARS - 1..) {
                rest.counts.critical += bar.counts.critical;
                rest.counts.high += bar.counts.high;
                rest.counts.medium += bar.counts.medium;
                rest.counts.low += bar.counts.low;
                rest.counts.info += bar.counts.info;
            }
            bars.push(rest);
        }
        bars
    }

    fn bar_row(&self, bar: &Bar) -> BarRow {
        let mut numbers: Vec<String> = Severity::ALL.into_iter().map(|severity| self.words.number(bar.counts.of(severity))).collect();
        numbers.push(self.words.number(bar.counts.total()));
        BarRow { label: bar.label.clone(), numbers }
    }

    fn charts(&self, bars: &[Bar]) -> Result<Charts, askama::Error> {
        let open = &self.snapshot.counts.open;
        let sentences = &self.words.sentences;
        let donut_text = if open.total() == 0 {
            sentences.donut_none.clone()
        } else {
            let findings = self.words.counted(&self.words.counts.findings, open.total());
            let breakdown = self.breakdown(open);
            fill(&sentences.donut, &[("findings", &findings), ("breakdown", &breakdown)])
        };
        let parts: Vec<String> = bars.iter().map(|bar| format!("{} {}", bar.label, self.words.number(bar.counts.total()))).collect();
        let bars_text = fill(&sentences.bars, &[("parts", &self.words.list(&parts))]);
        Ok(Charts {
            donut: charts::donut(open, self.words, &donut_text)?,
            donut_text,
            bars: charts::bars(bars, self.words, &bars_text)?,
            bars_text,
        })
    }
}

/// Builds a [`Pair`].
pub(crate) fn pair(label: &str, value: impl Into<String>) -> Pair {
    Pair { label: label.to_owned(), value: value.into() }
}

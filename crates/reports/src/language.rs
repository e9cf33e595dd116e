//! The words of a report, one file per language, and how numbers and dates are written in it.
//!
//! Invariant: all languages have the same keys; a missing or unknown key fails when the file is read.

use std::collections::BTreeMap;

use base::{Language, Time, fill};
use chrono::{Datelike, Timelike};
use serde::{Deserialize, Serialize};

use crate::snapshot::{Cause, Confidence, DecisionKind, Marking, Outcome, Severity, Status};

const fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../locales/en.toml"),
        Language::Portuguese => include_str!("../locales/pt-BR.toml"),
        Language::Spanish => include_str!("../locales/es.toml"),
    }
}

/// A struct of words: one `String` per key.
macro_rules! words {
    ($name:ident: $($key:ident)+) => {
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $(pub(crate) $key: String,)+ }
    };
}

words! { Labels:
    report contents skip page document_control prepared_for title marking period generated author
    reviewer recipient identifier summary rating nothing_open first_steps figures open_findings
    grave_findings targets_in_scope steps_done by_severity by_target other_targets overview details
    scope coverage method appendix number finding severity score status target kind address
    environment criticality total count targets authorizations granted_by covers excludes
    intrusiveness validity proof revoked no_authorization no_targets no_findings locations
    description remediation evidence references decision decisions decided decided_by reason
    valid_until without_end expired vector weaknesses vulnerabilities exploited yes no confidence
    sources first_seen last_seen stage tool outcome steps not_tested nothing_untested no_coverage
    what tools version unknown runs run started finished severities statuses meaning integrity
}

words! { Sentences:
    tested tested_unauthorized open open_none settled worst worst_score concentration exploited
    classes oldest coverage_full coverage_part coverage_none gaps cut cut_before shown donut donut_none
    bars period validity method_authorized method_first method_second method_third integrity
    evidence_note
}

words! { SeverityWords: critical high medium low info }
words! { StatusWords: open not_retested accepted false_positive fixed }
words! { ConfidenceWords: certain firm tentative }
words! { DecisionWords: accepted false_positive fixed reopened }
words! { OutcomeWords: done partial skipped error timeout cancelled }
words! { CauseWords: untested excluded no_account other }
words! { MarkingWords: red amber_strict amber green clear }

/// A noun with its number: singular, then plural.
type Counted = [String; 2];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(crate) findings: Counted,
    pub(crate) targets: Counted,
    pub(crate) tools: Counted,
    pub(crate) authorizations: Counted,
    pub(crate) steps: Counted,
    pub(crate) days: Counted,
    pub(crate) locations: Counted,
    pub(crate) gaps: Counted,
    critical: Counted,
    high: Counted,
    medium: Counted,
    low: Counted,
    info: Counted,
    pub(crate) fixed: Counted,
    pub(crate) accepted: Counted,
    pub(crate) false_positive: Counted,
    pub(crate) not_retested: Counted,
}

/// All words of one language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    pub(crate) tag: Language,
    months: [String; 12],
    date: String,
    date_time: String,
    thousands: String,
    decimal: String,
    zero_is_singular: bool,
    and: String,
    pub(crate) colon: String,
    pub(crate) labels: Labels,
    pub(crate) counts: Counts,
    pub(crate) sentences: Sentences,
    severity: SeverityWords,
    severity_meaning: SeverityWords,
    status: StatusWords,
    status_meaning: StatusWords,
    confidence: ConfidenceWords,
    decision: DecisionWords,
    outcome: OutcomeWords,
    cause: CauseWords,
    marking: MarkingWords,
    pub(crate) kinds: Terms,
    pub(crate) criticalities: Terms,
    pub(crate) intrusiveness: Terms,
}

/// Words for words of the data model.
pub(crate) type Terms = BTreeMap<String, String>;

impl Catalogue {
    pub(crate) fn load(language: Language) -> Result<Self, toml::de::Error> {
        toml::from_str(source(language))
    }

    pub(crate) fn severity(&self, severity: Severity) -> &str {
        self.severity.of(severity)
    }

    pub(crate) fn severity_meaning(&self, severity: Severity) -> &str {
        self.severity_meaning.of(severity)
    }

    pub(crate) fn status(&self, status: Status) -> &str {
        self.status.of(status)
    }

    pub(crate) fn status_meaning(&self, status: Status) -> &str {
        self.status_meaning.of(status)
    }

    pub(crate) fn confidence(&self, confidence: Confidence) -> &str {
        match confidence {
            Confidence::Certain => &self.confidence.certain,
            Confidence::Firm => &self.confidence.firm,
            Confidence::Tentative => &self.confidence.tentative,
        }
    }

    pub(crate) fn decision(&self, kind: DecisionKind) -> &str {
        match kind {
            DecisionKind::Accepted => &self.decision.accepted,
            DecisionKind::FalsePositive => &self.decision.false_positive,
            DecisionKind::Fixed => &self.decision.fixed,
            DecisionKind::Reopened => &self.decision.reopened,
        }
    }

    pub(crate) fn outcome(&self, outcome: Outcome) -> &str {
        match outcome {
            Outcome::Done => &self.outcome.done,
            Outcome::Partial => &self.outcome.partial,
            Outcome::Skipped => &self.outcome.skipped,
            Outcome::Error => &self.outcome.error,
            Outcome::Timeout => &self.outcome.timeout,
            Outcome::Cancelled => &self.outcome.cancelled,
        }
    }

    pub(crate) fn cause(&self, cause: Cause) -> &str {
        match cause {
            Cause::Untested => &self.cause.untested,
            Cause::Excluded => &self.cause.excluded,
            Cause::NoAccount => &self.cause.no_account,
            Cause::Other => &self.cause.other,
        }
    }

    pub(crate) fn marking(&self, marking: Marking) -> &str {
        match marking {
            Marking::Red => &self.marking.red,
            Marking::AmberStrict => &self.marking.amber_strict,
            Marking::Amber => &self.marking.amber,
            Marking::Green => &self.marking.green,
            Marking::Clear => &self.marking.clear,
        }
    }

    /// `n` findings of one severity: “3 critical”.
    pub(crate) fn counted_severity(&self, severity: Severity, n: u64) -> String {
        let noun = match severity {
            Severity::Critical => &self.counts.critical,
            Severity::High => &self.counts.high,
            Severity::Medium => &self.counts.medium,
            Severity::Low => &self.counts.low,
            Severity::Info => &self.counts.info,
        };
        self.counted(noun, n)
    }

    /// `n` of `noun`, in the right number.
    pub(crate) fn counted(&self, noun: &Counted, n: u64) -> String {
        let singular = n == 1 || (n == 0 && self.zero_is_singular);
        let [one, many] = noun;
        fill(if singular { one } else { many }, &[("n", &self.number(n))])
    }

    /// A whole number with its thousands apart.
    pub(crate) fn number(&self, n: u64) -> String {
        let digits = n.to_string();
        let mut text = String::with_capacity(digits.len() + 4);
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                text.push_str(&self.thousands);
            }
            text.push(digit);
        }
        text
    }

    /// A number given in tenths: `98` is “9.8”.
    pub(crate) fn tenths(&self, tenths: u16) -> String {
        format!("{}{}{}", tenths / 10, self.decimal, tenths % 10)
    }

    /// A calendar day, in UTC.
    pub(crate) fn date(&self, time: Time) -> String {
        let day = time.to_chrono().date_naive();
        let month = usize::try_from(day.month0()).ok().and_then(|index| self.months.get(index));
        fill(&self.date, &[("day", &day.day().to_string()), ("month", month.map_or("", String::as_str)), ("year", &day.year().to_string())])
    }

    /// A calendar day and minute, in UTC.
    pub(crate) fn date_time(&self, time: Time) -> String {
        let moment = time.to_chrono();
        let clock = format!("{:02}:{:02}", moment.hour(), moment.minute());
        fill(&self.date_time, &[("date", &self.date(time)), ("time", &clock)])
    }

    /// “a, b and c”.
    pub(crate) fn list(&self, items: &[String]) -> String {
        match items {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., last] => format!("{}{}{last}", first.join(", "), self.and),
        }
    }
}

impl SeverityWords {
    fn of(&self, severity: Severity) -> &str {
        match severity {
            Severity::Critical => &self.critical,
            Severity::High => &self.high,
            Severity::Medium => &self.medium,
            Severity::Low => &self.low,
            Severity::Info => &self.info,
        }
    }
}

impl StatusWords {
    fn of(&self, status: Status) -> &str {
        match status {
            Status::Open => &self.open,
            Status::NotRetested => &self.not_retested,
            Status::Accepted => &self.accepted,
            Status::FalsePositive => &self.false_positive,
            Status::Fixed => &self.fixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_word_and_the_same_placeholders() {
        let reference: toml::Table = toml::from_str(source(Language::English)).unwrap();
        for language in Language::ALL {
            let catalogue = Catalogue::load(language).unwrap();
            assert_eq!(catalogue.tag, language);
            let table: toml::Table = toml::from_str(source(language)).unwrap();
            for section in ["kinds", "criticalities", "intrusiveness"] {
                let keys = |table: &toml::Table| table[section].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
                assert_eq!(keys(&reference), keys(&table), "{language:?} {section}");
            }
            for section in ["labels", "counts", "sentences"] {
                for (key, english) in reference[section].as_table().unwrap() {
                    let other = placeholders(&table[section][key].to_string());
                    assert_eq!(placeholders(&english.to_string()), other, "{language:?} {key}");
                }
            }
        }
    }

    fn placeholders(text: &str) -> std::collections::BTreeSet<String> {
        let open = text.split('{').skip(1);
        open.filter_map(|part| part.split_once('}')).map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn numbers_and_dates_follow_the_language() {
        let time: Time = "2026-11-02T07:05:59Z".parse().unwrap();
        let english = Catalogue::load(Language::English).unwrap();
        let portuguese = Catalogue::load(Language::Portuguese).unwrap();
        assert_eq!(english.number(1_234_567), "1,234,567");
        assert_eq!(portuguese.number(1_234_567), "1.234.567");
        assert_eq!(english.date_time(time), "2 November 2026, 07:05 UTC");
        assert_eq!(portuguese.date(time), "2 de novembro de 2026");
        assert_eq!(english.counted(&english.counts.findings, 0), "0 findings");
        assert_eq!(portuguese.counted(&portuguese.counts.findings, 0), "0 achado");
        assert_eq!(portuguese.tenths(98), "9,8");
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_text() {
        let values = [("title", "{n} {{ 7*7 }}"), ("n", "3")];
        assert_eq!(fill("{title}: {n} {x", &values), "{n} {{ 7*7 }}: 3 {x");
    }
}

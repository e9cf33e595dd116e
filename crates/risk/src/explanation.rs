//! Why the number is what it is: factors with points and a message that a catalogue can put into any language.

use chrono::NaiveDate;

use crate::assessment::{POINT, Severity};
use crate::cvss::Score;

/// Every message key a factor can have, for catalogues: each needs a text in every language.
pub const MESSAGE_KEYS: &[&str] = &[
    "start_cvss",
    "start_severity",
    "kev_never_checked",
    "kev_not_listed",
    "kev_listed",
    "kev_ransomware",
    "kev_overdue",
    "epss_never_checked",
    "epss_not_listed",
    "epss_listed",
    "exposure_unknown",
    "exposure_internet",
    "exposure_isolated",
    "criticality_critical",
    "criticality_high",
    "criticality_low",
    "detection_missed",
    "detection_alerted",
    "detection_prevented",
    "age",
    "confidence",
];

/// One thing that moved the number, or that could have and is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Which message of [`MESSAGE_KEYS`] says it.
    pub key: &'static str,
    /// What the message is filled with, by name.
    pub arguments: Vec<(&'static str, String)>,
    /// Ten-thousandths of a point: up, down, or zero when it says only what is unknown.
    pub fine: i64,
}

impl Factor {
    /// Points on the scale of the number, to two decimals.
    pub fn points(&self) -> f64 {
        let hundredths = self.fine.signum() * ((self.fine.abs() + POINT / 200) * 100 / POINT);
        i32::try_from(hundredths).map_or(0.0, |hundredths| f64::from(hundredths) / 100.0)
    }

    pub(crate) fn plain(key: &'static str) -> Self {
        Self { key, arguments: Vec::new(), fine: 0 }
    }

    fn with(key: &'static str, arguments: Vec<(&'static str, String)>) -> Self {
        Self { key, arguments, fine: 0 }
    }

    pub(crate) fn start(severity: Severity, cvss: Option<Score>) -> Self {
        let severity = ("severity", severity_word(severity).to_owned());
        match cvss {
            Some(score) => Self::with("start_cvss", vec![severity, ("score", score.to_string())]),
            None => Self::with("start_severity", vec![severity]),
        }
    }

    pub(crate) fn kev(due: Option<NaiveDate>, ransomware: bool) -> Self {
        let due = due.map(|due| ("due", due.to_string()));
        Self::with(if ransomware { "kev_ransomware" } else { "kev_listed" }, due.into_iter().collect())
    }

    pub(crate) fn overdue(due: NaiveDate) -> Self {
        Self::with("kev_overdue", vec![("due", due.to_string())])
    }

    pub(crate) fn epss(probability: f64, percentile: Option<f64>) -> Self {
        let mut arguments = vec![("percent", percent(probability))];
        arguments.extend(percentile.map(|percentile| ("percentile", percent(percentile))));
        Self::with("epss_listed", arguments)
    }

    pub(crate) fn age(days: u32) -> Self {
        Self::with("age", vec![("days", days.to_string())])
    }

    pub(crate) fn confidence(percent: u8) -> Self {
        Self::with("confidence", vec![("percent", percent.to_string())])
    }

    fn argument(&self, name: &str) -> &str {
        self.arguments.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
    }

    /// The message in English.
    pub fn message(&self) -> String {
        let text = |name| self.argument(name);
        match self.key {
            "start_cvss" => format!("CVSS {} and severity {}", text("score"), text("severity")),
            "start_severity" => format!("severity {}", text("severity")),
            "kev_never_checked" => "known exploitation never checked".to_owned(),
            "kev_not_listed" => "not listed as exploited".to_owned(),
            "kev_listed" => "known to be exploited".to_owned(),
            "kev_ransomware" => "known to be exploited by ransomware".to_owned(),
            "kev_overdue" => format!("due since {}", text("due")),
            "epss_never_checked" => "likelihood of exploitation never checked".to_owned(),
            "epss_not_listed" => "without a score for likelihood of exploitation".to_owned(),
            "epss_listed" => format!("exploitation within 30 days {} % likely", text("percent")),
            "exposure_unknown" => "exposure unknown".to_owned(),
            "exposure_internet" => "reachable from the internet".to_owned(),
            "exposure_isolated" => "isolated".to_owned(),
            "criticality_critical" => "on a critical asset".to_owned(),
            "criticality_high" => "on an important asset".to_owned(),
            "criticality_low" => "on an unimportant asset".to_owned(),
            "detection_missed" => "use of it went unnoticed".to_owned(),
            "detection_alerted" => "use of it raised an alert".to_owned(),
            "detection_prevented" => "use of it was stopped".to_owned(),
            "age" => format!("open for {} days", text("days")),
            "confidence" => format!("{} % sure", text("percent")),
            other => other.to_owned(),
        }
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// A share in percent with as many decimals as it takes to tell it from nothing.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 {
        format!("{percent:.0}")
    } else if percent >= 0.1 {
        format!("{percent:.1}")
    } else {
        format!("{percent:.2}")
    }
}

/// `9.1 because …`: where it starts, then what moved it, strongest first, then what is unknown.
pub(crate) fn explain(score: Score, factors: &[Factor]) -> String {
    let mut ordered: Vec<&Factor> = factors.iter().skip(1).collect();
    ordered.sort_by_key(|factor| std::cmp::Reverse(factor.fine.abs()));
    let parts: Vec<String> = factors
        .iter()
        .take(1)
        .map(Factor::message)
        .chain(ordered.into_iter().map(|factor| match factor.fine {
            0 => factor.message(),
            _ => format!("{} ({:+.2})", factor.message(), factor.points()),
        }))
        .collect();
    format!("{score} because {}", parts.join(", "))
}

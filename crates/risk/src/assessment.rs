//! The one number, 0.0 to 10.0, and what it is made of.
//!
//! A finding starts with its CVSS score, brought into the band of its severity (which a person or
//! the tool may have set with knowledge the vector has not); without a vector with the middle of
//! the band. Then, in this order, each factor moves the number a share of the way:
//!
//! | factor | share |
//! |---|---|
//! | KEV: listed | 0.50 up, 0.60 when ransomware uses it |
//! | KEV: due date passed | 0.20 up |
//! | EPSS: listed with probability *p* | 0.40 · √*p* up, then 0.20 · (1 − *p* / 0.1) down when *p* is under 0.1 and KEV does not list it |
//! | exposure: internet, isolated | 0.25 · *x*/10 up, 0.25 down |
//! | criticality: critical, high, low | 0.30 · *x*/10 up, 0.15 · *x*/10 up, 0.20 down |
//! | detection: missed, alerted, prevented | 0.15 · *x*/10 up, 0.10 down, 0.25 down |
//! | open for *m* whole months of thirty days | 0.10 · min(*m*, 6) / 6 · *x*/10 up |
//! | confidence *c* percent | 0.60 · (1 − *c* / 100) down |
//!
//! *Up* by a share takes that share of what is missing to ten, *down* that share of the number *x*
//! itself; `x/10` keeps a trifle a trifle wherever it is. What is unknown moves nothing, and the
//! explanation says so: a CVE that a feed was never checked for is not a CVE that it does not list.
//!
//! Every step grows with its input and with the number it starts from, so the whole does: raising
//! any input never lowers the risk. Steps are whole ten-thousandths; their sum is the number.

use chrono::NaiveDate;

use crate::cvss::Score;
use crate::explanation::{Factor, explain};

/// One point of the scale from zero to ten.
pub(crate) const POINT: i64 = 10_000;
const TEN: i64 = 10 * POINT;
/// One as a share.
const WHOLE: i64 = 1_000_000;
/// Months of thirty days after which age counts no more; whole ones, so that a day that goes by changes few findings.
const OLD: i64 = 6;

/// How grave the tool, or a person after it, says the finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// Whether the vulnerability is in the catalogue of known exploited ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exploitation {
    /// The finding names no CVE: the catalogue has nothing to say.
    #[default]
    NoVulnerability,
    /// No catalogue was ever loaded.
    NeverChecked,
    /// The catalogue does not list it.
    NotListed,
    /// It is listed.
    Listed {
        /// The day by which it must be gone, where one is set.
        due: Option<NaiveDate>,
        /// Whether ransomware campaigns use it.
        ransomware: bool,
    },
}

/// How likely the vulnerability is to be exploited.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Likelihood {
    /// The finding names no CVE: there is no score to be had.
    #[default]
    NoVulnerability,
    /// No scores were ever loaded.
    NeverChecked,
    /// The scores do not have it.
    NotListed,
    /// It has a score.
    Listed {
        /// Probability of exploitation within thirty days, 0 to 1.
        probability: f64,
        /// Share of vulnerabilities with no higher probability, 0 to 1.
        percentile: Option<f64>,
    },
}

/// Who can reach the place of the finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Exposure {
    /// Reachable from a closed network alone.
    Isolated,
    /// Nobody said.
    #[default]
    Unknown,
    /// Reachable from inside the organisation.
    Internal,
    /// Reachable from the internet.
    Internet,
}

/// How much the organisation would lose with the asset; medium when nobody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Criticality {
    Low,
    #[default]
    Medium,
    High,
    Critical,
}

/// What the defence did when the weakness was used in an exercise; gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Detection {
    /// It was stopped.
    Prevented,
    /// It raised an alert.
    Alerted,
    /// It left a trace that nobody was told of.
    Logged,
    /// Nobody tried.
    #[default]
    Untested,
    /// It went unnoticed.
    Missed,
}

/// All that is known about a finding and its surroundings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inputs {
    /// The effective severity.
    pub severity: Severity,
    /// The score of the vector, when there is one.
    pub cvss: Option<Score>,
    /// How sure the detection is, in percent.
    pub confidence: u8,
    /// EPSS; of several CVEs the likeliest.
    pub likelihood: Likelihood,
    /// KEV; of several CVEs the one that is due first.
    pub exploitation: Exploitation,
    /// Who can reach it.
    pub exposure: Exposure,
    /// What depends on it.
    pub criticality: Criticality,
    /// Whether using it would be noticed.
    pub detection: Detection,
    /// Days since it was first seen.
    pub age: u32,
    /// The day of the assessment.
    pub today: NaiveDate,
}

/// The number and its factors.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Ten-thousandths of a point, 0 to 100,000: what findings are sorted by.
    pub fine: i64,
    /// What moved the number, in the order of the formula; their points sum up to it. Those with no points say what is unknown.
    pub factors: Vec<Factor>,
}

impl Assessment {
    /// The number, to one decimal.
    pub fn score(&self) -> Score {
        Score::from_tenths((self.fine + POINT / 20) * 10 / POINT)
    }

    /// One English sentence: `9.1 because …`.
    pub fn sentence(&self) -> String {
        explain(self.score(), &self.factors)
    }
}

/// Assesses a finding by the formula of this module.
pub fn assess(inputs: &Inputs) -> Assessment {
    let mut number = Number { fine: 0, factors: Vec::new() };
    let start = start(inputs.severity, inputs.cvss);
    number.step(Factor::start(inputs.severity, inputs.cvss), start);
    exploitation(&mut number, inputs);
    likelihood(&mut number, inputs);
    surroundings(&mut number, inputs);
    let months = (i64::from(inputs.age) / 30).min(OLD);
    number.step_if_any(Factor::age(inputs.age), number.up_in_proportion(WHOLE / 10 * months / OLD));
    let doubt = 100 - i64::from(inputs.confidence.min(100));
    number.step_if_any(Factor::confidence(inputs.confidence), number.down(WHOLE * 6 / 10 * doubt / 100));
    Assessment { fine: number.fine, factors: number.factors }
}

/// The score brought into the band of the severity, or the middle of the band.
fn start(severity: Severity, cvss: Option<Score>) -> i64 {
    let (least, middle, most) = match severity {
        Severity::Info => (0, 5, 10),
        Severity::Low => (10, 25, 39),
        Severity::Medium => (40, 55, 69),
        Severity::High => (70, 80, 89),
        Severity::Critical => (90, 95, 100),
    };
    cvss.map_or(middle, |score| i64::from(score.tenths()).clamp(least, most)) * POINT / 10
}

fn exploitation(number: &mut Number, inputs: &Inputs) {
    match inputs.exploitation {
        Exploitation::NoVulnerability => {}
        Exploitation::NeverChecked => number.note(Factor::plain("kev_never_checked")),
        Exploitation::NotListed => number.note(Factor::plain("kev_not_listed")),
        Exploitation::Listed { due, ransomware } => {
            let share = if ransomware { WHOLE * 6 / 10 } else { WHOLE / 2 };
            number.step(Factor::kev(due, ransomware), number.up(share));
            if let Some(due) = due.filter(|due| *due < inputs.today) {
                number.step(Factor::overdue(due), number.up(WHOLE / 5));
            }
        }
    }
}

fn likelihood(number: &mut Number, inputs: &Inputs) {
    // What is exploited is not made harmless by a low forecast.
    let is_exploited = matches!(inputs.exploitation, Exploitation::Listed { .. });
    match inputs.likelihood {
        Likelihood::NoVulnerability => {}
        Likelihood::NeverChecked => number.note(Factor::plain("epss_never_checked")),
        Likelihood::NotListed => number.note(Factor::plain("epss_not_listed")),
        Likelihood::Listed { probability, percentile } => {
            let probability_share = millionths(probability);
            let before = number.fine;
            let up = number.up(WHOLE * 4 / 10 * (probability_share * WHOLE).isqrt() / WHOLE);
            let raised = Number { fine: before + up, factors: Vec::new() };
            let rarity = if is_exploited { 0 } else { (WHOLE - probability_share * 10).max(0) };
            number.step(Factor::epss(probability, percentile), up + raised.down(rarity / 5));
        }
    }
}

fn surroundings(number: &mut Number, inputs: &Inputs) {
    match inputs.exposure {
        Exposure::Unknown => number.note(Factor::plain("exposure_unknown")),
        Exposure::Internal => {}
        Exposure::Internet => number.step(Factor::plain("exposure_internet"), number.up_in_proportion(WHOLE / 4)),
        Exposure::Isolated => number.step(Factor::plain("exposure_isolated"), number.down(WHOLE / 4)),
    }
    match inputs.criticality {
        Criticality::Critical => number.step(Factor::plain("criticality_critical"), number.up_in_proportion(WHOLE * 3 / 10)),
        Criticality::High => number.step(Factor::plain("criticality_high"), number.up_in_proportion(WHOLE * 15 / 100)),
        Criticality::Medium => {}
        Criticality::Low => number.step(Factor::plain("criticality_low"), number.down(WHOLE / 5)),
    }
    match inputs.detection {
        Detection::Untested | Detection::Logged => {}
        Detection::Missed => number.step(Factor::plain("detection_missed"), number.up_in_proportion(WHOLE * 15 / 100)),
        Detection::Alerted => number.step(Factor::plain("detection_alerted"), number.down(WHOLE / 10)),
        Detection::Prevented => number.step(Factor::plain("detection_prevented"), number.down(WHOLE / 4)),
    }
}

/// The number on its way.
struct Number {
    fine: i64,
    factors: Vec<Factor>,
}

impl Number {
    fn step(&mut self, factor: Factor, points: i64) {
        self.fine += points;
        self.factors.push(Factor { fine: points, ..factor });
    }

    fn step_if_any(&mut self, factor: Factor, points: i64) {
        if points != 0 {
            self.step(factor, points);
        }
    }

    fn note(&mut self, factor: Factor) {
        self.step(factor, 0);
    }

    fn up(&self, share: i64) -> i64 {
        (TEN - self.fine) * share / WHOLE
    }

    fn up_in_proportion(&self, share: i64) -> i64 {
        (TEN - self.fine) * self.fine / TEN * share / WHOLE
    }

    fn down(&self, share: i64) -> i64 {
        -(self.fine * share / WHOLE)
    }
}

fn millionths(share: f64) -> i64 {
    // A share has no more than nine decimals in any feed; NaN becomes zero.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to a million")]
    let millionths = (share.clamp(0.0, 1.0) * 1e6).round() as i64;
    millionths
}

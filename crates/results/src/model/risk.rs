//! Risk, feeds and due dates as callers see them; the formulas are the crate `risk`'s.

use std::collections::BTreeMap;

use base::{Result, Time, Unit, words};
use risk::{Exploitation, Likelihood, sla};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::errors;

/// Most days a policy may allow: ten years.
const MOST_DAYS: u16 = 3650;

words! {
    errors::word;
    /// A file that an operator brings in.
    FeedKind, "feed" {
        /// Likelihood of exploitation (EPSS of first.org).
        Epss = "epss",
        /// Known exploited vulnerabilities (KEV of cisa.gov).
        Kev = "kev",
    }
}

impl From<FeedKind> for risk::feeds::Kind {
    fn from(kind: FeedKind) -> Self {
        match kind {
            FeedKind::Epss => Self::Epss,
            FeedKind::Kev => Self::Kev,
        }
    }
}

/// How a feed stands; without `updated_at` it was never loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feed {
    /// Which.
    pub kind: FeedKind,
    /// How many files were taken in.
    #[schema(minimum = 0, format = "int64")]
    pub revision: i64,
    /// Version of its model or catalogue.
    #[schema(max_length = 64)]
    pub version: Option<String>,
    /// The day its entries are of.
    #[schema(max_length = 10)]
    pub released: Option<String>,
    /// How many entries it has.
    #[schema(minimum = 0, format = "int64")]
    pub entries: u64,
    /// Digest of the file.
    #[schema(max_length = 64)]
    pub sha256: Option<String>,
    /// Name of the file.
    #[schema(max_length = 512)]
    pub filename: Option<String>,
    /// Who brought it.
    #[schema(max_length = 256)]
    pub updated_by: Option<String>,
    /// When.
    pub updated_at: Option<Time>,
}

impl Feed {
    /// A feed nobody has brought yet.
    pub(crate) fn never(kind: FeedKind) -> Self {
        Self {
            kind,
            revision: 0,
            version: None,
            released: None,
            entries: 0,
            sha256: None,
            filename: None,
            updated_by: None,
            updated_at: None,
        }
    }
}

/// What bringing a file changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FeedUpdate {
    /// The feed as it stands now.
    pub feed: Feed,
    /// Entries that are new or different.
    #[schema(minimum = 0, format = "int64")]
    pub changed: u64,
    /// Entries that are gone.
    #[schema(minimum = 0, format = "int64")]
    pub removed: u64,
}

/// Whether a feed knows the vulnerabilities of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// The finding names no vulnerability.
    NoVulnerability,
    /// The feed was never loaded.
    NeverChecked,
    /// It does not have it.
    NotListed,
    /// It has it.
    Listed,
}

/// One thing that moved the risk, or could have and is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RiskFactor {
    /// Which message says it; catalogues have a text for each.
    #[schema(max_length = 64)]
    pub key: String,
    /// What the message is filled with.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    pub arguments: BTreeMap<String, String>,
    /// Points up or down on the scale of ten.
    #[schema(minimum = -10, maximum = 10)]
    pub points: f64,
    /// The message in English.
    #[schema(max_length = 256)]
    pub message: String,
}

/// Where a finding stands against its due moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Time is left.
    Within,
    /// Little time is left.
    DueSoon,
    /// It is past.
    Breached,
}

impl From<sla::Standing> for Standing {
    fn from(standing: sla::Standing) -> Self {
        match standing {
            sla::Standing::Within => Self::Within,
            sla::Standing::DueSoon => Self::DueSoon,
            sla::Standing::Breached => Self::Breached,
        }
    }
}

/// What set a due moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueGround {
    /// The days of the severity.
    Severity,
    /// The fewer days of an important asset.
    Criticality,
    /// The catalogue of exploited vulnerabilities.
    Kev,
}

impl From<sla::Ground> for DueGround {
    fn from(ground: sla::Ground) -> Self {
        match ground {
            sla::Ground::Severity => Self::Severity,
            sla::Ground::Criticality => Self::Criticality,
            sla::Ground::Kev => Self::Kev,
        }
    }
}

/// Until when a finding must be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DueDate {
    /// The last moment.
    pub at: Time,
    /// What set it.
    pub ground: DueGround,
    /// Where the finding stands; absent when it is no longer open.
    pub standing: Option<Standing>,
    /// The business unit whose policy it is; empty for the organisation's.
    #[schema(max_length = 200)]
    pub unit: String,
}

/// The risk of a finding as of now, with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RiskView {
    /// 0 to 10, to one decimal.
    #[schema(minimum = 0, maximum = 10)]
    pub score: f64,
    /// One English sentence.
    #[schema(max_length = 4096)]
    pub sentence: String,
    /// What moved it, in the order of the formula; the points sum up to the score.
    #[schema(max_items = 32)]
    pub factors: Vec<RiskFactor>,
    /// Whether exploitation is known of.
    pub kev: Listing,
    /// The day the catalogue sets.
    #[schema(max_length = 10)]
    pub kev_due: Option<String>,
    /// Whether its likelihood is known.
    pub epss: Listing,
    /// Probability of exploitation within thirty days.
    #[schema(minimum = 0, maximum = 1)]
    pub epss_probability: Option<f64>,
    /// Share of vulnerabilities with no higher probability.
    #[schema(minimum = 0, maximum = 1)]
    pub epss_percentile: Option<f64>,
    /// Until when it must be gone.
    pub due: Option<DueDate>,
}

impl From<Exploitation> for Listing {
    fn from(known: Exploitation) -> Self {
        match known {
            Exploitation::NoVulnerability => Self::NoVulnerability,
            Exploitation::NeverChecked => Self::NeverChecked,
            Exploitation::NotListed => Self::NotListed,
            Exploitation::Listed { .. } => Self::Listed,
        }
    }
}

impl From<Likelihood> for Listing {
    fn from(known: Likelihood) -> Self {
        match known {
            Likelihood::NoVulnerability => Self::NoVulnerability,
            Likelihood::NeverChecked => Self::NeverChecked,
            Likelihood::NotListed => Self::NotListed,
            Likelihood::Listed { .. } => Self::Listed,
        }
    }
}

/// Days allowed per severity; none means no due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words of severities")]
pub struct SlaDays {
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3650, format = "int32")]
    pub critical: Option<u16>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3650, format = "int32")]
    pub high: Option<u16>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3650, format = "int32")]
    pub medium: Option<u16>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3650, format = "int32")]
    pub low: Option<u16>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3650, format = "int32")]
    pub info: Option<u16>,
}

impl SlaDays {
    fn too_many(&self) -> bool {
        [self.critical, self.high, self.medium, self.low, self.info].into_iter().flatten().any(|days| days > MOST_DAYS)
    }
}

impl From<SlaDays> for sla::Allowance {
    fn from(days: SlaDays) -> Self {
        Self { critical: days.critical, high: days.high, medium: days.medium, low: days.low, info: days.info }
    }
}

impl From<sla::Allowance> for SlaDays {
    fn from(days: sla::Allowance) -> Self {
        Self { critical: days.critical, high: days.high, medium: days.medium, low: days.low, info: days.info }
    }
}

/// How many days an organisation, or a unit of it, allows for fixing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlaPolicy {
    /// Days by severity.
    #[serde(deserialize_with = "named")]
    pub days: SlaDays,
    /// Days by severity on targets of high criticality.
    #[serde(default, deserialize_with = "perhaps_named")]
    pub on_high: Option<SlaDays>,
    /// Days by severity on critical targets.
    #[serde(default, deserialize_with = "perhaps_named")]
    pub on_critical: Option<SlaDays>,
    /// Whether a finding listed as exploited is due on the day of the catalogue at the latest.
    pub kev_caps: bool,
    /// Days there always are after first sight, whatever the catalogue says.
    #[schema(minimum = 0, maximum = 3650, format = "int32")]
    pub kev_least_days: u16,
    /// Days before the due moment from which it is due soon.
    #[schema(minimum = 0, maximum = 3650, format = "int32")]
    pub soon_days: u16,
}

/// Days have names: a list of them, which the derived reader would take as well, is a mistake.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SlaDays, D::Error> {
    let members = serde_json::Map::deserialize(deserializer)?;
    SlaDays::deserialize(serde_json::Value::Object(members)).map_err(D::Error::custom)
}

fn perhaps_named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SlaDays>, D::Error> {
    let members: Option<serde_json::Map<String, serde_json::Value>> = Option::deserialize(deserializer)?;
    members.map(|members| SlaDays::deserialize(serde_json::Value::Object(members)).map_err(D::Error::custom)).transpose()
}

impl SlaPolicy {
    /// Checks that every number of days makes sense.
    ///
    /// # Errors
    /// `Invalid` naming the limit.
    pub(crate) fn check(&self) -> Result<()> {
        let days = [Some(self.days), self.on_high, self.on_critical];
        let is_wrong =
            days.into_iter().flatten().any(|days| days.too_many()) || self.kev_least_days > MOST_DAYS || self.soon_days > MOST_DAYS;
        if is_wrong { Err(errors::sla_days(MOST_DAYS)) } else { Ok(()) }
    }
}

impl From<&SlaPolicy> for sla::Policy {
    fn from(policy: &SlaPolicy) -> Self {
        Self {
            days: policy.days.into(),
            on_high: policy.on_high.map(Into::into),
            on_critical: policy.on_critical.map(Into::into),
            kev_caps: policy.kev_caps,
            kev_least_days: policy.kev_least_days,
            soon_days: policy.soon_days,
        }
    }
}

impl Default for SlaPolicy {
    fn default() -> Self {
        let policy = sla::Policy::default();
        Self {
            days: policy.days.into(),
            on_high: policy.on_high.map(Into::into),
            on_critical: policy.on_critical.map(Into::into),
            kev_caps: policy.kev_caps,
            kev_least_days: policy.kev_least_days,
            soon_days: policy.soon_days,
        }
    }
}

/// A policy and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitPolicy {
    /// The business unit, and those within it that have no policy of their own; empty for the organisation.
    #[schema(max_length = 200)]
    pub unit: String,
    /// The days.
    pub policy: SlaPolicy,
    /// Who set it.
    #[schema(max_length = 256)]
    pub updated_by: Option<String>,
    /// When; absent for what holds until somebody sets something.
    pub updated_at: Option<Time>,
}

/// The path of a unit as the tables hold it: `organisation` in addresses is the empty one.
pub(crate) fn unit(text: &str) -> Result<String> {
    if text.trim().eq_ignore_ascii_case("organisation") {
        return Ok(String::new());
    }
    Ok(text.parse::<Unit>().map_err(|error| error.at("unit"))?.to_string())
}

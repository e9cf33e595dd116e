//! Until when a finding must go: days by severity, shorter ones where the asset is critical, and no
//! later than the day the KEV catalogue sets. Dates are UTC; a due day counts to its last moment.

use chrono::{DateTime, Days, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Criticality, Exploitation, Severity};

/// Days allowed per severity; none means no due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the words say it")]
pub struct Allowance {
    pub critical: Option<u16>,
    pub high: Option<u16>,
    pub medium: Option<u16>,
    pub low: Option<u16>,
    pub info: Option<u16>,
}

impl Allowance {
    /// Days allowed for this severity.
    pub fn days(&self, severity: Severity) -> Option<u16> {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }
}

/// What an organisation, or a unit of it, has promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Days by severity.
    pub days: Allowance,
    /// Days by severity on assets of high criticality, where they are fewer.
    #[serde(default)]
    pub on_high: Option<Allowance>,
    /// Days by severity on critical assets, where they are fewer.
    #[serde(default)]
    pub on_critical: Option<Allowance>,
    /// Whether a finding listed as exploited is due on the day of the catalogue at the latest.
    pub kev_caps: bool,
    /// Days there always are after first sight, whatever the catalogue says.
    pub kev_least_days: u16,
    /// Days before the due moment from which it is due soon.
    pub soon_days: u16,
}

impl Default for Policy {
    /// 7, 30, 90 and 180 days; half on critical assets for the two gravest; the catalogue caps.
    fn default() -> Self {
        Self {
            days: Allowance { critical: Some(7), high: Some(30), medium: Some(90), low: Some(180), info: None },
            on_high: None,
            on_critical: Some(Allowance { critical: Some(3), high: Some(15), medium: None, low: None, info: None }),
            kev_caps: true,
            kev_least_days: 3,
            soon_days: 5,
        }
    }
}

/// What set a due moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    /// The days of the severity.
    Severity,
    /// The fewer days of an important asset.
    Criticality,
    /// The day of the catalogue of exploited vulnerabilities.
    Kev,
}

/// The moment by which a finding must be gone, and what set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The last moment of the due day.
    pub at: DateTime<Utc>,
    /// What set it.
    pub ground: Ground,
}

/// Where a finding stands against its due moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Time is left.
    Within,
    /// Little time is left.
    DueSoon,
    /// It is past.
    Breached,
}

impl Policy {
    /// When a finding first seen at `start` is due; `None` when nothing sets a day.
    pub fn due(&self, start: DateTime<Utc>, severity: Severity, criticality: Criticality, exploitation: Exploitation) -> Option<Due> {
        let by_severity = self.days.days(severity).map(|days| Due { at: end_of_day(start, days), ground: Ground::Severity });
        let of_asset = match criticality {
            Criticality::Critical => {
                self.on_critical.and_then(|days| days.days(severity)).or(self.on_high.and_then(|days| days.days(severity)))
            }
            Criticality::High => self.on_high.and_then(|days| days.days(severity)),
            Criticality::Low | Criticality::Medium => None,
        };
        let by_criticality = of_asset.map(|days| Due { at: end_of_day(start, days), ground: Ground::Criticality });
        let by_catalogue = match exploitation {
            Exploitation::Listed { due: Some(due), .. } if self.kev_caps => {
                let day = due.and_time(NaiveTime::MIN).and_utc();
                Some(Due { at: end_of_day(day, 0).max(end_of_day(start, self.kev_least_days)), ground: Ground::Kev })
            }
            _ => None,
        };
        // The first of several equal ones wins, so the plainest ground is named.
        [by_severity, by_criticality, by_catalogue].into_iter().flatten().min_by_key(|due| due.at)
    }

    /// Where a finding that is due then stands now.
    pub fn standing(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> Standing {
        let soon = due.checked_sub_days(Days::new(u64::from(self.soon_days))).unwrap_or(DateTime::<Utc>::MIN_UTC);
        match now {
            now if now > due => Standing::Breached,
            now if now > soon => Standing::DueSoon,
            _ => Standing::Within,
        }
    }
}

/// The last moment of the day that many days after `start`.
fn end_of_day(start: DateTime<Utc>, days: u16) -> DateTime<Utc> {
    let next = start.date_naive().checked_add_days(Days::new(u64::from(days) + 1));
    next.map_or(DateTime::<Utc>::MAX_UTC, |day| day.and_time(NaiveTime::MIN).and_utc() - chrono::Duration::microseconds(1))
}

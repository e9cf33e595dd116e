//! A score in tenths and its qualitative severity.

use std::fmt;

/// A CVSS score, 0.0 to 10.0 in steps of a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(u8);

impl Score {
    /// The score of this many tenths; out of range is brought to the nearest end.
    pub fn from_tenths(tenths: i64) -> Self {
        Self(u8::try_from(tenths.clamp(0, 100)).unwrap_or(0))
    }

    /// Tenths, 0 to 100.
    pub fn tenths(self) -> u8 {
        self.0
    }

    /// The score as a number with one decimal.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// Qualitative severity rating (v3.1 section 5, v4.0 section 6; v2.0 as the NVD rates it: no
/// `None` and no `Critical`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// 0.0; v3 and v4 only.
    None,
    /// 0.1 to 3.9; in v2 0.0 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9; in v2 7.0 to 10.0.
    High,
    /// 9.0 to 10.0; v3 and v4 only.
    Critical,
}

impl Severity {
    /// The rating in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Severity of a score of v3 or v4.
    pub fn of(score: Score) -> Self {
        match score.tenths() {
            0 => Self::None,
            1..40 => Self::Low,
            40..70 => Self::Medium,
            70..90 => Self::High,
            _ => Self::Critical,
        }
    }

    /// Severity of a score of v2.
    pub fn of_version_2(score: Score) -> Self {
        match score.tenths() {
            0..40 => Self::Low,
            40..70 => Self::Medium,
            _ => Self::High,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

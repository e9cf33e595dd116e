//! A vector of any version: its metrics, its scores, its canonical text.

use std::fmt;
use std::str::FromStr;

use super::definition::{self, Group, Metric};
use super::{Score, Severity, VectorError, read, v2, v3, v4};

/// Places for the metrics of the largest version.
const PLACES: usize = 32;
/// Marks a metric that is not given.
const UNSET: u8 = u8::MAX;

/// A published version of CVSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// CVSS v2.0 (2007).
    V2,
    /// CVSS v3.0 (2015).
    V30,
    /// CVSS v3.1 (2019).
    V31,
    /// CVSS v4.0 (2023).
    V4,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 4] = [Self::V2, Self::V30, Self::V31, Self::V4];

    /// The version as its prefix says it: `2.0`, `3.0`, `3.1`, `4.0`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V30 => "3.0",
            Self::V31 => "3.1",
            Self::V4 => "4.0",
        }
    }

    pub(super) fn metrics(self) -> &'static [Metric] {
        match self {
            Self::V2 => definition::V2,
            Self::V30 | Self::V31 => definition::V3,
            Self::V4 => definition::V4,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A valid CVSS vector: every base metric given, no metric twice. `Display` writes it canonically:
/// the order of the specification, metrics that say "not defined" left out.
#[derive(Debug, Clone, Copy)]
pub struct Vector {
    version: Version,
    values: [u8; PLACES],
}

impl Vector {
    /// Reads a vector as scanners and advisories write it.
    ///
    /// # Errors
    /// What is wrong, naming the metric.
    pub fn parse(text: &str) -> Result<Self, VectorError> {
        read::vector(text)
    }

    /// Its version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Score of the base metrics alone.
    pub fn base(&self) -> Score {
        match self.version {
            Version::V2 => v2::base(self),
            Version::V30 | Version::V31 => v3::base(self),
            Version::V4 => v4::score(self, &[Group::Base]),
        }
    }

    /// Temporal score (v2 and v3) or score with the threat metric (v4). v3 always has one, as its
    /// equations treat "not defined" as neutral; v2 and v4 only when a metric of the group is defined.
    pub fn temporal(&self) -> Option<Score> {
        match self.version {
            Version::V30 | Version::V31 => Some(v3::temporal(self)),
            _ if !self.defines(Group::Temporal) => None,
            Version::V2 => Some(v2::temporal(self)),
            Version::V4 => Some(v4::score(self, &[Group::Base, Group::Temporal])),
        }
    }

    /// Environmental score, which takes in the temporal metrics too; present as [`Self::temporal`] is.
    pub fn environmental(&self) -> Option<Score> {
        match self.version {
            Version::V30 | Version::V31 => Some(v3::environmental(self)),
            _ if !self.defines(Group::Environmental) => None,
            Version::V2 => Some(v2::environmental(self)),
            Version::V4 => Some(v4::score(self, &[Group::Base, Group::Temporal, Group::Environmental])),
        }
    }

    /// The score of everything the vector says: environmental, else temporal, else base.
    pub fn score(&self) -> Score {
        if self.defines(Group::Environmental) {
            self.environmental()
        } else if self.defines(Group::Temporal) {
            self.temporal()
        } else {
            None
        }
        .unwrap_or_else(|| self.base())
    }

    /// Severity of [`Self::score`].
    pub fn severity(&self) -> Severity {
        self.rate(self.score())
    }

    /// Severity that this version gives a score.
    pub fn rate(&self, score: Score) -> Severity {
        match self.version {
            Version::V2 => Severity::of_version_2(score),
            Version::V30 | Version::V31 | Version::V4 => Severity::of(score),
        }
    }

    /// Which groups the score takes in, in the words of v4.0 section 1.3; v4 only.
    pub fn nomenclature(&self) -> Option<&'static str> {
        (self.version == Version::V4).then(|| match (self.defines(Group::Temporal), self.defines(Group::Environmental)) {
            (false, false) => "CVSS-B",
            (true, false) => "CVSS-BT",
            (false, true) => "CVSS-BE",
            (true, true) => "CVSS-BTE",
        })
    }

    /// Every metric that is given and defined, with its value, in the order of the specification.
    pub fn metrics(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.version.metrics().iter().zip(self.values).filter_map(|(metric, value)| {
            let defined = metric.group == Group::Base || value != 0;
            metric.values.get(usize::from(value)).filter(|_| defined).map(|value| (metric.name, *value))
        })
    }

    pub(super) fn unset(version: Version) -> Self {
        Self { version, values: [UNSET; PLACES] }
    }

    /// Sets a metric; false when it was set before.
    pub(super) fn set(&mut self, place: usize, value: usize) -> bool {
        match (self.values.get_mut(place), u8::try_from(value)) {
            (Some(slot), Ok(value)) if *slot == UNSET => {
                *slot = value;
                true
            }
            _ => false,
        }
    }

    /// Position of the value of a metric among its values, when given.
    pub(super) fn at(&self, place: usize) -> Option<usize> {
        self.values.get(place).copied().filter(|value| *value != UNSET).map(usize::from)
    }

    /// Position of the value of an optional metric, zero (not defined) when not given.
    pub(super) fn value(&self, place: usize) -> usize {
        self.at(place).unwrap_or(0)
    }

    fn defines(&self, group: Group) -> bool {
        self.version.metrics().iter().zip(self.values).any(|(metric, value)| metric.group == group && value != UNSET && value != 0)
    }
}

/// Vectors are equal when their canonical texts are.
impl PartialEq for Vector {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && self.metrics().eq(other.metrics())
    }
}

impl Eq for Vector {}

impl FromStr for Vector {
    type Err = VectorError;

    fn from_str(text: &str) -> Result<Self, VectorError> {
        Self::parse(text)
    }
}

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if self.version != Version::V2 {
            write!(f, "CVSS:{}", self.version)?;
            separator = "/";
        }
        for (name, value) in self.metrics() {
            write!(f, "{separator}{name}:{value}")?;
            separator = "/";
        }
        Ok(())
    }
}

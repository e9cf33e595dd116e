//! Text to vector. Metrics come in any order and letter case, as scanners write them; what cannot
//! be meant is refused with the name of the metric.

use super::definition::{Group, Metric};
use super::{Vector, VectorError, Version};

/// No vector of any version is longer; v4.0 with every metric has about 230 bytes.
const LONGEST: usize = 512;
/// How much of a wrong part an error repeats.
const SHOWN: usize = 40;

/// Reads a vector: `CVSS:3.1/…`, `CVSS:4.0/…`, and v2.0 bare, in parentheses, after `CVSS:2.0/` or after `CVSS2#`.
pub(super) fn vector(text: &str) -> Result<Vector, VectorError> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(VectorError::TooLong { limit: LONGEST });
    }
    let bare = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text).trim();
    if bare.is_empty() {
        return Err(VectorError::Empty);
    }
    let (version, metrics) = version(bare)?;
    let mut vector = Vector::unset(version);
    let mut after = "the start";
    for component in metrics.split('/') {
        let (name, value) = pair(component, after)?;
        let Some((place, metric)) = find(version.metrics(), name) else {
            return Err(unknown(version, bare, name));
        };
        let Some(value) = metric.values.iter().position(|known| known.eq_ignore_ascii_case(value)) else {
            return Err(VectorError::UnknownValue { version, metric: metric.name, value: shown(value) });
        };
        if !vector.set(place, value) {
            return Err(VectorError::Duplicate { metric: metric.name });
        }
        after = metric.name;
    }
    let missing = version.metrics().iter().enumerate().find(|(place, metric)| metric.group == Group::Base && vector.at(*place).is_none());
    missing.map_or(Ok(vector), |(_, metric)| Err(VectorError::Missing { metric: metric.name }))
}

/// The version a text declares, and what follows its prefix.
fn version(text: &str) -> Result<(Version, &str), VectorError> {
    let Some(rest) = text.get(..4).filter(|head| head.eq_ignore_ascii_case("CVSS")).and_then(|_| text.get(4..)) else {
        return Ok((Version::V2, text));
    };
    // Nessus writes `CVSS2#AV:N/…`.
    if let Some(metrics) = rest.strip_prefix("2#") {
        return Ok((Version::V2, metrics));
    }
    let (declared, metrics) = rest.split_once('/').unwrap_or((rest, ""));
    let declared = declared.strip_prefix(':').unwrap_or(declared);
    let known = Version::ALL.into_iter().find(|version| version.as_str() == declared);
    known.map(|version| (version, metrics)).ok_or_else(|| VectorError::UnknownVersion { version: shown(declared) })
}

fn pair<'a>(component: &'a str, after: &str) -> Result<(&'a str, &'a str), VectorError> {
    component
        .split_once(':')
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(|(name, value)| !name.is_empty() && !value.is_empty() && !value.contains(':'))
        .ok_or_else(|| VectorError::Malformed { component: shown(component), after: after.to_owned() })
}

fn find(metrics: &'static [Metric], name: &str) -> Option<(usize, &'static Metric)> {
    metrics.iter().enumerate().find(|(_, metric)| metric.name.eq_ignore_ascii_case(name))
}

/// A metric of a later version in a text without a prefix says what is wrong better than "unknown" does.
fn unknown(version: Version, text: &str, name: &str) -> VectorError {
    let later = [Version::V31, Version::V4].into_iter().any(|version| find(version.metrics(), name).is_some());
    if later && version == Version::V2 && !text.to_ascii_uppercase().starts_with("CVSS") {
        return VectorError::NoPrefix { metric: shown(name) };
    }
    VectorError::UnknownMetric { version, metric: shown(name) }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

//! The equations of CVSS v3.0 (section 8) and v3.1 (section 7), in whole numbers.
//!
//! v3.1 rounds to five decimals before it rounds up, to hide what floats do. On exact numbers both
//! roundings agree for every combination of metrics, so one serves both versions.

use super::{Score, Vector, Version};

// Places in `definition::V3`; the modified metric of a base metric stands `MODIFIED` further on.
const AV: usize = 0;
const AC: usize = 1;
const PR: usize = 2;
const UI: usize = 3;
const SCOPE: usize = 4;
const C: usize = 5;
const E: usize = 8;
const RL: usize = 9;
const RC: usize = 10;
const CR: usize = 11;
const MODIFIED: usize = 14;

/// Hundredths (v3.1 section 7.4), in the order of the values.
const ATTACK_VECTOR: [i128; 4] = [85, 62, 55, 20];
const ATTACK_COMPLEXITY: [i128; 2] = [77, 44];
const PRIVILEGES_UNCHANGED: [i128; 3] = [85, 62, 27];
const PRIVILEGES_CHANGED: [i128; 3] = [85, 68, 50];
const USER_INTERACTION: [i128; 2] = [85, 62];
const IMPACT: [i128; 3] = [56, 22, 0];
/// Hundredths, "not defined" first.
const MATURITY: [i128; 5] = [100, 100, 97, 94, 91];
const REMEDIATION: [i128; 5] = [100, 100, 97, 96, 95];
const CONFIDENCE: [i128; 4] = [100, 100, 96, 92];
/// Tenths, "not defined" first.
const REQUIREMENT: [i128; 4] = [10, 15, 10, 5];

/// One, in the unit of all intermediate results.
const ONE: i128 = 10_i128.pow(18);
const CHANGED: usize = 1;

/// BaseScore.
pub(super) fn base(vector: &Vector) -> Score {
    let part = |place: usize| vector.value(place);
    let unharmed: i128 = (0..3).map(|offset| 1000 - 10 * weight(&IMPACT, part(C + offset))).product();
    let harm = ONE - unharmed * 10_i128.pow(9);
    Score::from_tenths(combine(harm, part, power_15(harm)))
}

/// TemporalScore.
pub(super) fn temporal(vector: &Vector) -> Score {
    Score::from_tenths(temper(vector, i64::from(base(vector).tenths())))
}

/// EnvironmentalScore: the modified metrics, weighed by the requirements, then tempered.
pub(super) fn environmental(vector: &Vector) -> Score {
    let part = |place: usize| match vector.value(place + MODIFIED) {
        0 => vector.value(place),
        modified => modified - 1,
    };
    let unharmed: i128 =
        (0..3).map(|offset| 1000 - weight(&IMPACT, part(C + offset)) * weight(&REQUIREMENT, vector.value(CR + offset))).product();
    let harm = (ONE - unharmed * 10_i128.pow(9)).min(ONE * 915 / 1000);
    let power = if vector.version() == Version::V30 { power_15(harm) } else { power(harm / 10_000 * 9731 - ONE / 50, 13) };
    Score::from_tenths(temper(vector, combine(harm, part, power)))
}

/// Impact and exploitability to a score in tenths; `power` is what the changed scope takes off the impact, before its factor.
fn combine(harm: i128, part: impl Fn(usize) -> usize, power: i128) -> i64 {
    let changed = part(SCOPE) == CHANGED;
    let impact = if changed { (752 * (harm - ONE * 29 / 1000) - 325 * power) / 100 } else { 642 * harm / 100 };
    if impact <= 0 {
        return 0;
    }
    let privileges = if changed { &PRIVILEGES_CHANGED } else { &PRIVILEGES_UNCHANGED };
    let exploitability = 822
        * weight(&ATTACK_VECTOR, part(AV))
        * weight(&ATTACK_COMPLEXITY, part(AC))
        * weight(privileges, part(PR))
        * weight(&USER_INTERACTION, part(UI))
        * 10_i128.pow(8);
    let sum = impact + exploitability;
    let sum = if changed { sum * 108 / 100 } else { sum };
    up(sum.min(10 * ONE), ONE / 10)
}

fn temper(vector: &Vector, tenths: i64) -> i64 {
    let factors = weight(&MATURITY, vector.value(E)) * weight(&REMEDIATION, vector.value(RL)) * weight(&CONFIDENCE, vector.value(RC));
    up(i128::from(tenths) * factors, 1_000_000)
}

fn power_15(harm: i128) -> i128 {
    power(harm - ONE / 50, 15)
}

fn power(value: i128, exponent: u32) -> i128 {
    (0..exponent).fold(ONE, |product, _| product * value / ONE)
}

/// Roundup: the smallest whole number of `unit` that is not below.
fn up(value: i128, unit: i128) -> i64 {
    i64::try_from((value + unit - 1) / unit).unwrap_or(0)
}

fn weight(weights: &[i128], value: usize) -> i128 {
    weights.get(value).copied().unwrap_or_default()
}

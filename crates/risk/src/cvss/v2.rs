//! The equations of CVSS v2.0, section 3.2 of its guide, in whole numbers.

use super::{Score, Vector};

// Places in `definition::V2`.
const AV: usize = 0;
const AC: usize = 1;
const AU: usize = 2;
const C: usize = 3;
const E: usize = 6;
const RL: usize = 7;
const RC: usize = 8;
const CDP: usize = 9;
const TD: usize = 10;
const CR: usize = 11;

/// Thousandths (3.2.1); the values of the access vector are 0.395, 0.646 and 1.
const ACCESS_VECTOR: [i128; 3] = [395, 646, 1000];
const ACCESS_COMPLEXITY: [i128; 3] = [350, 610, 710];
const AUTHENTICATION: [i128; 3] = [450, 560, 704];
const IMPACT: [i128; 3] = [0, 275, 660];
/// Hundredths (3.2.2), "not defined" first.
const EXPLOITABILITY: [i128; 5] = [100, 85, 90, 95, 100];
const REMEDIATION: [i128; 5] = [100, 87, 90, 95, 100];
const CONFIDENCE: [i128; 4] = [100, 90, 95, 100];
/// Hundredths (3.2.3), "not defined" first.
const COLLATERAL: [i128; 6] = [0, 0, 10, 30, 40, 50];
const DISTRIBUTION: [i128; 5] = [100, 0, 25, 75, 100];
const REQUIREMENT: [i128; 4] = [100, 50, 100, 151];
/// A requirement that changes nothing.
const NEUTRAL: [i128; 4] = [100; 4];

const TENTHS_OF_10_21: i128 = 10_i128.pow(20);

/// BaseScore (3.2.1).
pub(super) fn base(vector: &Vector) -> Score {
    score(base_tenths(vector, NEUTRAL, i128::MAX))
}

/// TemporalScore (3.2.2).
pub(super) fn temporal(vector: &Vector) -> Score {
    score(temporal_tenths(vector, base_tenths(vector, NEUTRAL, i128::MAX)))
}

/// EnvironmentalScore (3.2.3): the temporal score of the adjusted impact, collateral damage, distribution.
pub(super) fn environmental(vector: &Vector) -> Score {
    let adjusted = temporal_tenths(vector, base_tenths(vector, REQUIREMENT, 10 * 10_i128.pow(17)));
    let damaged = adjusted * 100 + (100 - adjusted) * weight(vector, CDP, &COLLATERAL);
    score(nearest(damaged * weight(vector, TD, &DISTRIBUTION), 10_000))
}

/// The base score in tenths for these requirements and this limit on the impact, which only the adjusted one has.
/// It may be slightly negative: the guide limits the end alone.
fn base_tenths(vector: &Vector, requirement: [i128; 4], most: i128) -> i128 {
    // Impact in 10^-17: three factors of five decimals, times 10.41.
    let unharmed: i128 = (0..3).map(|part| 100_000 - weight(vector, C + part, &IMPACT) * weight(vector, CR + part, &requirement)).product();
    let impact = (1041 * (10_i128.pow(15) - unharmed)).min(most);
    if impact == 0 {
        return 0;
    }
    // 20 · AV · AC · Au has nine decimals here; eight more make it 10^-17.
    let exploitability = 20
        * weight(vector, AV, &ACCESS_VECTOR)
        * weight(vector, AC, &ACCESS_COMPLEXITY)
        * weight(vector, AU, &AUTHENTICATION)
        * 10_i128.pow(8);
    let sum = 6 * impact + 4 * exploitability - 15 * 10_i128.pow(17);
    nearest(sum * 1176, TENTHS_OF_10_21)
}

fn temporal_tenths(vector: &Vector, base: i128) -> i128 {
    let factors = weight(vector, E, &EXPLOITABILITY) * weight(vector, RL, &REMEDIATION) * weight(vector, RC, &CONFIDENCE);
    nearest(base * factors, 1_000_000)
}

fn weight(vector: &Vector, place: usize, weights: &[i128]) -> i128 {
    weights.get(vector.value(place)).copied().unwrap_or_default()
}

/// `round_to_1_decimal`: to the nearest whole number of `unit`, halves away from zero.
fn nearest(value: i128, unit: i128) -> i128 {
    value.signum() * ((value.abs() * 2 + unit) / (unit * 2))
}

fn score(tenths: i128) -> Score {
    Score::from_tenths(i64::try_from(tenths).unwrap_or(0))
}

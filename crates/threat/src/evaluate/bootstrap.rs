//! How often honest devices would be locked: whole sessions drawn again and again until they fill device-days.

use serde::Serialize;

use super::dice::Dice;
use crate::Judgement;
use crate::accumulate::{Accumulator, Limits};
use crate::checks::Check;

/// A judged honest window, and the threshold it was measured with.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) judgement: Judgement,
    pub(crate) threshold: f64,
}

/// Seconds of use in a device-day.
const DAY_SECONDS: f64 = 4.0 * 3_600.0;

/// False locks, by block bootstrap over whole sessions; upper ends are 95 % Poisson bounds.
#[derive(Clone, Debug, Serialize)]
pub struct FalseLocks {
    /// Device-days drawn, four hours of use each.
    pub device_days: u32,
    /// Different honest windows they were drawn from: the true uncertainty is that of so few.
    pub distinct_windows: usize,
    /// Locks with honest, fresh attestation.
    pub locks: u64,
    /// Locks in 10,000 device-days.
    pub locks_per_10000_days: f64,
    /// Upper end.
    pub locks_per_10000_days_upper: f64,
    /// Times that behaviour alone reached the lock limit, in one device-day: locks, if attestation were stale as well.
    pub candidates_per_day: f64,
    /// Times that the device was restricted until a step-up, in one device-day.
    pub restrictions_per_day: f64,
    /// Share of windows over the threshold.
    pub windows_over_threshold: f64,
}

pub(crate) fn false_locks(devices: &[Vec<Vec<Window>>], days: u32, windows_per_second: f64, dice: &mut Dice) -> FalseLocks {
    let day = (DAY_SECONDS * windows_per_second) as usize;
    let devices: Vec<Vec<&Vec<Window>>> =
        devices.iter().map(|sessions| sessions.iter().filter(|session| !session.is_empty()).collect()).collect();
    let devices: Vec<Vec<&Vec<Window>>> = devices.into_iter().filter(|sessions: &Vec<_>| !sessions.is_empty()).collect();
    let distinct: Vec<&Window> = devices.iter().flatten().copied().flatten().collect();
    let over = distinct.iter().filter(|window| window.judgement.global.is_some_and(|score| score > window.threshold)).count();
    let limits = Limits::default();
    let (mut locks, mut candidates, mut restrictions) = (0_u64, 0_u64, 0_u64);
    for _ in 0..if devices.is_empty() { 0 } else { days } {
        let sessions = &devices[dice.below(devices.len())];
        let mut accumulator = Accumulator::default();
        let (mut taken, mut restricted) = (0, false);
        while taken < day {
            for window in sessions[dice.below(sessions.len())] {
                taken += 1;
                let judgement = &window.judgement;
                accumulator.add(&judgement.parts, judgement.global, judgement.checks, !restricted);
                // The only lock that an honest attestation does not prevent.
                locks += u64::from(judgement.checks.contains(Check::Replayed));
                if !restricted && (accumulator.sum > limits.restrict || accumulator.breakages() >= 3) {
                    restrictions += 1;
                    restricted = true;
                }
                if accumulator.candidate(limits, judgement.coverage, judgement.mode).is_some() {
                    candidates += 1;
                    // The challenge is answered rightly: evidence is forgotten.
                    accumulator.clear();
                    restricted = false;
                } else if restricted && accumulator.sum <= 0.0 {
                    restricted = false;
                }
            }
        }
    }
    let per_day = |count: u64| if days == 0 { 0.0 } else { count as f64 / f64::from(days) };
    FalseLocks {
        device_days: days,
        distinct_windows: distinct.len(),
        locks,
        locks_per_10000_days: per_day(locks) * 1e4,
        locks_per_10000_days_upper: poisson_upper(locks) / f64::from(days.max(1)) * 1e4,
        candidates_per_day: per_day(candidates),
        restrictions_per_day: per_day(restrictions),
        windows_over_threshold: over as f64 / distinct.len().max(1) as f64,
    }
}

/// The mean at which so few events or fewer have a chance of one in twenty.
fn poisson_upper(events: u64) -> f64 {
    let at_most = |mean: f64| {
        let log = |k: u64| k as f64 * mean.ln() - mean - libm::lgamma(k as f64 + 1.0);
        (0..=events.min(100_000)).map(|k| log(k).exp()).sum::<f64>()
    };
    let (mut low, mut high) = (1e-9, 10.0 + 3.0 * events as f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_most(middle) > 0.05 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_event_in_n_days_bounds_the_rate_by_three_in_n() {
        assert!((super::poisson_upper(0) - 2.9957).abs() < 1e-3);
        assert!((super::poisson_upper(3) - 7.7537).abs() < 1e-3);
    }
}

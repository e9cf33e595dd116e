//! Network use: minutes against what is usual for the device at this hour of the week, and the names it asked for.

use crate::chance::{LARGEST, chi_squared, exponent, negative_binomial};
use crate::rank::Ranks;
use crate::reading::{Faults, Traffic, count};

/// Hours of a week.
pub(crate) const HOURS: usize = 168;
/// What is counted each minute: kibibytes, connections, domains.
pub(crate) const QUANTITIES: usize = 3;
/// Minutes that make a baseline before anything is scored.
const ENROLMENT: u16 = 60;
const MINUTE: i64 = 60_000_000;

/// State between minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Network {
    /// Factor of each hour of the week, in sixteenths of an octave around one; Monday first.
    pub(crate) season: [u8; HOURS],
    /// Mean of each quantity, season taken out, and its squared relative deviation.
    pub(crate) means: [f32; QUANTITIES],
    pub(crate) spreads: [f32; QUANTITIES],
    pub(crate) last: i64,
    pub(crate) minutes: u16,
    pub(crate) ranks: Ranks,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            season: [128; HOURS],
            means: [0.0; QUANTITIES],
            spreads: [1.0; QUANTITIES],
            last: i64::MIN,
            minutes: 0,
            ranks: Ranks::default(),
        }
    }
}

/// Hour of the week of a server time; 1970 began on a Thursday.
fn hour(t: i64) -> usize {
    (t.div_euclid(60 * MINUTE) + 3 * 24).rem_euclid(HOURS as i64) as usize
}

impl Network {
    /// Takes one minute; its score when enough is known.
    pub(crate) fn take(&mut self, minute: &Traffic, learns: bool, faults: &mut Faults) -> Option<f32> {
        let values = [minute.bytes / 1_024.0, minute.connections, minute.domains];
        if values.iter().any(|value| value.is_nan()) || minute.names.is_some_and(f32::is_nan) {
            count(&mut faults.not_a_number);
            return None;
        }
        if values.iter().any(|value| !(0.0..1e12).contains(value)) {
            count(&mut faults.out_of_range);
            return None;
        }
        if minute.t <= self.last {
            count(if minute.t == self.last { &mut faults.duplicate } else { &mut faults.out_of_order });
            return None;
        }
        self.last = minute.t;
        let hour = hour(minute.t);
        let factor = ((f32::from(self.season[hour]) - 128.0) / 16.0).exp2();
        let mut surprise = None;
        if self.minutes >= ENROLMENT {
            let rate = values.iter().zip(self.means.iter().zip(&self.spreads)).map(|(value, (mean, spread))| {
                // Variance is mean + mean²/size, so the size is one over the squared relative deviation.
                let size = 1.0 / f64::from(spread.clamp(0.02, 4.0));
                negative_binomial(f64::from((mean * factor).max(0.1)), size, f64::from(*value))
            });
            let rate = (rate.fold(0.0, f64::max) - 3.0_f64.ln()).clamp(0.0, LARGEST);
            let both = match minute.names {
                Some(names) => chi_squared(4, 2.0 * (rate + exponent(1.0 - f64::from(names.clamp(0.0, 1.0))))),
                None => rate,
            };
            surprise = Some(both as f32);
        }
        let score = surprise.map(|surprise| self.ranks.score(surprise));
        if learns && surprise.is_none_or(|surprise| surprise < 6.0) {
            if let Some(surprise) = surprise {
                self.ranks.learn(surprise);
            }
            self.learn(values, hour, factor);
        }
        score
    }

    fn learn(&mut self, values: [f32; QUANTITIES], hour: usize, factor: f32) {
        let rate = (1.0 / (f32::from(self.minutes) + 1.0)).max(0.002);
        let mut busier = 0_i32;
        for ((value, mean), spread) in values.into_iter().zip(&mut self.means).zip(&mut self.spreads) {
            let expected = (*mean * factor).max(0.1);
            busier += if value > expected { 1 } else { -1 };
            if self.minutes > 10 {
                let relative = (value / expected - 1.0).min(5.0);
                *spread += rate * (relative * relative - *spread);
            }
            *mean += rate * (value / factor - *mean);
        }
        if self.minutes >= ENROLMENT {
            // The median is followed by single steps: one odd hour cannot move it far.
            let code = &mut self.season[hour];
            *code = if busier > 0 { code.saturating_add(1).min(208) } else { code.saturating_sub(1).max(48) };
        }
        self.minutes = self.minutes.saturating_add(1);
    }
}

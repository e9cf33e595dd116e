//! Touch: how varied a person's touches are, and how far from their own. Both extremes are odd: a script is too regular, a fuzzer too random.

use crate::WINDOW;
use crate::chance::{LARGEST, exponent, normal_two_sided};
use crate::entropy::{jensen_shannon, miller_madow};
use crate::rank::Ranks;
use crate::reading::{Faults, Touch, count};

/// What is counted of each touch: time since the one before, pressure, size, speed.
pub(crate) const QUANTITIES: usize = 4;
/// Fine bins that the device's quantiles are found in.
pub(crate) const FINE: usize = 24;
/// Bins of the entropy, each with the same share of the device's past.
const BINS: usize = 16;
/// Windows that make a baseline before anything is scored.
const ENROLMENT: u16 = 5;

/// State between touches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Touches {
    /// Counts of the window under way and of the past.
    pub(crate) window: [[u8; FINE]; QUANTITIES],
    pub(crate) past: [[u8; FINE]; QUANTITIES],
    /// Mean and variance of each quantity's entropy, then of its divergence.
    pub(crate) usual: [[f32; 4]; QUANTITIES],
    pub(crate) last: i64,
    pub(crate) windows: u16,
    pub(crate) taken: u8,
    pub(crate) ranks: Ranks,
}

impl Default for Touches {
    fn default() -> Self {
        Self {
            window: [[0; FINE]; QUANTITIES],
            past: [[0; FINE]; QUANTITIES],
            usual: [[0.0; 4]; QUANTITIES],
            last: i64::MIN,
            windows: 0,
            taken: 0,
            ranks: Ranks::default(),
        }
    }
}

fn logarithmic(value: f32, from: f32) -> usize {
    if value < from { 0 } else { 1 + (1.5 * (value / from).log2()) as usize }.min(FINE - 1)
}

fn linear(value: f32) -> usize {
    ((value.max(0.0) * 20.0) as usize).min(FINE - 1)
}

impl Touches {
    /// Takes one touch; the score of the window when it was the hundredth and enough is known.
    pub(crate) fn take(&mut self, touch: &Touch, learns: bool, faults: &mut Faults) -> Option<f32> {
        let values = [touch.pressure, touch.size, touch.speed];
        if values.iter().any(|value| value.is_nan()) {
            count(&mut faults.not_a_number);
            return None;
        }
        if values.iter().any(|value| value.is_infinite()) {
            count(&mut faults.infinite);
            return None;
        }
        if touch.t <= self.last {
            count(if touch.t == self.last { &mut faults.duplicate } else { &mut faults.out_of_order });
            return None;
        }
        let interval = touch.t.saturating_sub(self.last) as f32 / 1_000.0;
        self.last = touch.t;
        let places = [logarithmic(interval, 8.0), linear(touch.pressure), linear(touch.size), logarithmic(touch.speed, 0.01)];
        for (counts, place) in self.window.iter_mut().zip(places) {
            counts[place] += 1;
        }
        self.taken += 1;
        if usize::from(self.taken) < WINDOW {
            return None;
        }
        let score = self.close(learns);
        self.window = [[0; FINE]; QUANTITIES];
        self.taken = 0;
        score
    }

    fn close(&mut self, learns: bool) -> Option<f32> {
        let mut surprise = None;
        if self.windows > 0 {
            let measured: [[f32; 2]; QUANTITIES] = std::array::from_fn(|quantity| self.measure(quantity));
            if self.windows >= ENROLMENT {
                let worst = measured.iter().zip(&self.usual).map(|([entropy, divergence], [mean, variance, usual, spread])| {
                    let deviation = |value: f32, mean: f32, variance: f32| f64::from((value - mean) / variance.sqrt().max(0.05));
                    let regular = normal_two_sided(deviation(*entropy, *mean, *variance));
                    let strange = deviation(*divergence, *usual, *spread).max(0.0);
                    regular.max(exponent((-normal_two_sided(strange)).exp() / 2.0))
                });
                // Eight looks at once: the largest of them is only as odd as that.
                surprise = Some((worst.fold(0.0, f64::max) - 8.0_f64.ln()).clamp(0.0, LARGEST) as f32);
            }
            if learns && surprise.is_none_or(|surprise| surprise < 6.0) {
                let rate = (1.0 / f32::from(self.windows)).max(0.01);
                for (usual, measured) in self.usual.iter_mut().zip(measured) {
                    for (place, value) in measured.into_iter().enumerate() {
                        let difference = value - usual[2 * place];
                        usual[2 * place] += rate * difference;
                        usual[2 * place + 1] = (1.0 - rate) * (usual[2 * place + 1] + rate * difference * difference);
                    }
                }
            }
        }
        let score = surprise.map(|surprise| self.ranks.score(surprise));
        if learns && surprise.is_none_or(|surprise| surprise < 6.0) {
            if let Some(surprise) = surprise {
                self.ranks.learn(surprise);
            }
            for (past, window) in self.past.iter_mut().zip(&self.window) {
                if past.iter().zip(window).any(|(past, new)| past.checked_add(*new).is_none()) {
                    *past = past.map(|count| count / 2);
                }
                past.iter_mut().zip(window).for_each(|(past, new)| *past = past.saturating_add(*new));
            }
            self.windows = self.windows.saturating_add(1);
        }
        score
    }

    /// Entropy and divergence of one quantity in the window, over bins that each hold the same share of the device's past.
    fn measure(&self, quantity: usize) -> [f32; 2] {
        let (past, window) = (&self.past[quantity], &self.window[quantity]);
        let total: u32 = past.iter().map(|count| u32::from(*count)).sum();
        let (mut usual, mut now) = ([0_u32; BINS], [0_u32; BINS]);
        let mut before = 0_u32;
        for (old, new) in past.iter().zip(window) {
            let middle = 2 * before + u32::from(*old);
            let bin = ((middle as usize * BINS) / (2 * total.max(1)) as usize).min(BINS - 1);
            usual[bin] += u32::from(*old);
            now[bin] += u32::from(*new);
            before += u32::from(*old);
        }
        [miller_madow(&now) as f32, jensen_shannon(&now, &usual) as f32]
    }
}

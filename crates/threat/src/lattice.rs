//! The grid of a sensor: hardware counts in whole steps, so differences of its readings are multiples of one small number.
//! Invented values, and recorded ones with noise added, fall between the steps.

/// Differences of more steps than this are not looked at: the step is not known that exactly, before it is confirmed and after.
const REACH: [f32; 2] = [48.0, 1_000.0];
/// Differences of at least so many steps refine the step, each by a small share of what it disagrees.
const REFINES: f32 = 12.0;
const GAIN: f32 = 1.0 / 2_048.0;
/// How far from a whole number of steps still counts as on it; chance gives a quarter.
const TOLERANCE: f32 = 0.12;
/// Windows in a row on the grid that confirm it.
const CONFIRMED: u8 = 8;
/// Differences that a window needs to say anything.
const ENOUGH: u8 = 20;

/// What is known of a sensor's grid, and what the window under way showed of it. Only the first axis is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Lattice {
    /// The step; zero while unknown.
    pub(crate) step: f32,
    /// Smallest difference of the window; zero while there is none.
    pub(crate) smallest: f32,
    /// Differences of the window that were looked at, and those on the grid.
    pub(crate) seen: u8,
    pub(crate) on: u8,
    /// Windows that confirmed the step.
    pub(crate) confirmed: u8,
}

/// A step ready for measuring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ruler {
    inverse: f32,
    reach: f32,
    refines: bool,
}

impl Lattice {
    /// Takes one difference, with the step and the reach as they were when the batch began.
    #[inline]
    pub(crate) fn take(&mut self, difference: f32, Ruler { inverse, reach, refines }: Ruler) {
        let size = difference.abs();
        if size > 0.0 && (size < self.smallest || self.smallest == 0.0) {
            self.smallest = size;
        }
        let steps = size * inverse;
        let looked_at = steps > 0.0 && steps < reach;
        // Adding and taking away 3·2^22 rounds to a whole number.
        let whole = (steps + 12_582_912.0) - 12_582_912.0;
        self.seen += u8::from(looked_at);
        let on = looked_at && (steps - whole).abs() < TOLERANCE;
        self.on += u8::from(on);
        if refines && on && whole >= REFINES {
            self.step += GAIN * (size - whole * self.step);
        }
    }

    /// What differences are measured with.
    pub(crate) fn ruler(&self) -> Ruler {
        let is_confirmed = self.confirmed >= CONFIRMED;
        Ruler {
            inverse: if self.step > 0.0 { 1.0 / self.step } else { 0.0 },
            reach: REACH[usize::from(is_confirmed)],
            refines: !is_confirmed,
        }
    }

    /// Ends the window: whether its values were between the steps of a grid that had been confirmed.
    pub(crate) fn close(&mut self, learns: bool) -> bool {
        let (seen, on, smallest) = (self.seen, self.on, self.smallest);
        (self.seen, self.on, self.smallest) = (0, 0, 0.0);
        if self.confirmed >= CONFIRMED {
            return seen >= ENOUGH && u16::from(on) * 2 < u16::from(seen);
        }
        if learns && smallest > 0.0 {
            if seen >= ENOUGH && u16::from(on) * 20 >= u16::from(seen) * 19 {
                self.confirmed += 1;
            } else if seen >= ENOUGH || self.step == 0.0 {
                (self.step, self.confirmed) = (smallest, 0);
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(lattice: &mut Lattice, step: f32, noise: f32, seed: u32) -> bool {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        };
        let values: Vec<f32> = (0..101).map(|_| (next() * 40.0).round() * step + next() * noise + 0.31).collect();
        let ruler = lattice.ruler();
        values.windows(2).for_each(|pair| lattice.take(pair[1] - pair[0], ruler));
        lattice.close(true)
    }

    #[test]
    fn a_confirmed_grid_tells_invented_values() {
        let mut lattice = Lattice::default();
        assert!(!(0..20).any(|seed| window(&mut lattice, 0.012, 0.0, seed)));
        assert!((lattice.step - 0.012).abs() < 1e-4 && lattice.confirmed == CONFIRMED);
        assert!((20..40).all(|seed| window(&mut lattice, 0.012, 0.02, seed)));
        assert!(!(40..60).any(|seed| window(&mut lattice, 0.012, 0.0, seed)));
    }

    #[test]
    fn a_sensor_without_a_grid_is_never_accused() {
        let mut lattice = Lattice::default();
        assert!(!(0..500).any(|seed| window(&mut lattice, 0.012, 0.05, seed)));
        assert!(lattice.confirmed < CONFIRMED);
    }
}

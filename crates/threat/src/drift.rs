//! Change of the score over time: sudden (CUSUM) and slow (ADWIN). Both see window scores, never raw readings:
//! readings lean on each other so much that either would alarm all day.

/// Two-sided cumulative sum of standardised scores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cusum {
    pub(crate) up: f32,
    pub(crate) down: f32,
}

/// Slack and limit in standard deviations.
const SLACK: f32 = 0.5;
const LIMIT: f32 = 12.0;

impl Cusum {
    /// Takes one standardised score; whether the mean moved.
    pub(crate) fn take(&mut self, z: f32) -> bool {
        self.up = (self.up + z - SLACK).max(0.0);
        self.down = (self.down - z - SLACK).max(0.0);
        let moved = self.up > LIMIT || self.down > LIMIT;
        if moved {
            *self = Self::default();
        }
        moved
    }
}

/// Sizes of buckets, doubling.
pub(crate) const LEVELS: usize = 7;
/// Buckets of one size before the two oldest are put together.
pub(crate) const SLOTS: usize = 3;
/// Chance of a false cut, before the correction for many places.
const CONFIDENCE: f64 = 1e-4;
/// Fewest scores on each side of a cut.
const SIDE: u32 = 8;

/// Adaptive window over scores in [0, 1] (Bifet and Gavaldà, 2007): drops its past when that has another mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Adwin {
    /// Mean and mean square of each bucket in 65,535ths, oldest of a level first.
    pub(crate) buckets: [[[u16; 2]; SLOTS]; LEVELS],
    pub(crate) used: [u8; LEVELS],
    pub(crate) ticks: u8,
}

impl Adwin {
    /// Takes one score; whether the past was dropped.
    pub(crate) fn take(&mut self, score: f32) -> bool {
        let score = score.clamp(0.0, 1.0);
        let mut bucket = [score, score * score].map(|value| (value * 65_535.0).round() as u16);
        for level in 0..LEVELS {
            let used = usize::from(self.used[level]);
            if used < SLOTS {
                self.buckets[level][used] = bucket;
                self.used[level] += 1;
                break;
            }
            // Full: the two oldest become one of the next size; of the largest size, the oldest is forgotten.
            let [one, two, three] = self.buckets[level];
            let merged = std::array::from_fn(|part| ((u32::from(one[part]) + u32::from(two[part])) / 2) as u16);
            self.buckets[level] = [three, bucket, [0; 2]];
            self.used[level] = 2;
            bucket = merged;
        }
        self.ticks = self.ticks.wrapping_add(1);
        self.ticks.is_multiple_of(8) && self.cut()
    }

    /// Scores in the window.
    pub(crate) fn len(&self) -> u32 {
        self.used.iter().enumerate().map(|(level, used)| u32::from(*used) << level).sum()
    }

    fn cut(&mut self) -> bool {
        let mut dropped = false;
        while self.has_two_means() {
            dropped = true;
            let Some(oldest) = (0..LEVELS).rev().find(|level| self.used[*level] > 0) else { break };
            self.buckets[oldest].rotate_left(1);
            self.used[oldest] -= 1;
        }
        dropped
    }

    fn has_two_means(&self) -> bool {
        let total = self.len();
        if total < 2 * SIDE {
            return false;
        }
        let oldest_first = || {
            (0..LEVELS)
                .rev()
                .flat_map(|level| self.buckets[level][..usize::from(self.used[level])].iter().map(move |bucket| (1_u32 << level, bucket)))
        };
        let (mut sum, mut squares) = (0.0, 0.0);
        for (size, [mean, square]) in oldest_first() {
            sum += f64::from(size) * f64::from(*mean) / 65_535.0;
            squares += f64::from(size) * f64::from(*square) / 65_535.0;
        }
        let whole = f64::from(total);
        let variance = (squares / whole - (sum / whole) * (sum / whole)).max(1e-6);
        let confidence = (2.0 * whole.ln() / CONFIDENCE).ln();
        let (mut before, mut sum_before) = (0_u32, 0.0);
        for (size, [mean, _]) in oldest_first() {
            before += size;
            sum_before += f64::from(size) * f64::from(*mean) / 65_535.0;
            let after = total - before;
            if before < SIDE || after < SIDE {
                continue;
            }
            let harmonic = 1.0 / (1.0 / f64::from(before) + 1.0 / f64::from(after));
            let bound = (2.0 / harmonic * variance * confidence).sqrt() + 2.0 / (3.0 * harmonic) * confidence;
            if (sum_before / f64::from(before) - (sum - sum_before) / f64::from(after)).abs() > bound {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(seed: u64, from: f32, to: f32) -> impl Iterator<Item = f32> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            from + (to - from) * (state >> 40) as f32 / 16_777_216.0
        })
    }

    #[test]
    fn adwin_drops_its_past_after_a_change_and_not_before() {
        let mut adwin = Adwin::default();
        let alarms = scores(1, 0.2, 0.8).take(5_000).filter(|score| adwin.take(*score)).count();
        assert_eq!(alarms, 0);
        assert!(adwin.len() > 250, "{}", adwin.len());
        let delay = scores(2, 0.4, 1.0).take(400).position(|score| adwin.take(score)).unwrap();
        assert!(delay < 250, "{delay}");
    }

    #[test]
    fn cusum_finds_two_deviations_within_ten_windows() {
        let mut cusum = Cusum::default();
        assert!(!scores(3, -1.7, 1.7).take(2_000).any(|z| cusum.take(z)));
        assert!(scores(4, 0.3, 3.7).take(12).any(|z| cusum.take(z)));
        assert!(scores(5, -3.7, -0.3).take(14).any(|z| cusum.take(z)));
    }
}

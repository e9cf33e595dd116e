//! Where a value stands among the device's own past: a conformal rank, from counts in bins instead of the values themselves.

/// Bins of the tail exponent: fine where decisions are made, coarse where a value is extreme anyway.
pub(crate) const BINS: usize = 20;

/// Upper ends of the bins; the last one is open.
const EDGES: [f32; BINS - 1] = [0.1, 0.25, 0.45, 0.7, 1.0, 1.35, 1.75, 2.2, 2.7, 3.3, 4.0, 4.8, 5.8, 7.0, 8.5, 10.5, 14.0, 20.0, 32.0];

/// Counts of a device's past values; halved together when one is full, so that the old fades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranks(pub(crate) [u8; BINS]);

impl Ranks {
    /// How many values are remembered.
    pub(crate) fn len(&self) -> u32 {
        self.0.iter().map(|count| u32::from(*count)).sum()
    }

    /// Remembers a value.
    pub(crate) fn learn(&mut self, exponent: f32) {
        let bin = bin(exponent);
        if let Some(count) = self.0.get_mut(bin) {
            *count += 1;
            if *count == u8::MAX {
                self.0 = self.0.map(|count| count / 2);
            }
        }
    }

    /// `(1 + values below) / (values + 2)`: uniform in [0, 1] when the value is like the past ones. Inside a bin by proportion.
    pub(crate) fn rank(&self, exponent: f32) -> f32 {
        let bin = bin(exponent);
        let below: u32 = self.0[..bin].iter().map(|count| u32::from(*count)).sum();
        let lower = if bin == 0 { 0.0 } else { EDGES[bin - 1] };
        let upper = EDGES.get(bin).copied().unwrap_or(crate::chance::LARGEST as f32);
        let inside = ((exponent - lower) / (upper - lower)).clamp(0.0, 1.0) * f32::from(self.0[bin]);
        (1.0 + below as f32 + inside) / (self.len() as f32 + 2.0)
    }

    /// The value that a share `quantile` of the past stays below.
    pub(crate) fn quantile(&self, quantile: f32) -> f32 {
        let wanted = quantile * self.len() as f32;
        let mut below = 0.0;
        for (bin, count) in self.0.iter().enumerate() {
            let count = f32::from(*count);
            if below + count >= wanted && count > 0.0 {
                let lower = if bin == 0 { 0.0 } else { EDGES[bin - 1] };
                let upper = EDGES.get(bin).copied().unwrap_or(crate::chance::LARGEST as f32);
                return lower + (upper - lower) * ((wanted - below) / count).clamp(0.0, 1.0);
            }
            below += count;
        }
        crate::chance::LARGEST as f32
    }

    /// The probability of a value at most this surprising: the reference distribution at first, the device's own past with time.
    pub(crate) fn score(&self, exponent: f32) -> f32 {
        let seen = self.len() as f32;
        let own = seen / (seen + 200.0);
        own * self.rank(exponent) + (1.0 - own) * (1.0 - (-exponent).exp())
    }
}

fn bin(exponent: f32) -> usize {
    EDGES.partition_point(|edge| *edge < exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_values_like_the_past_are_uniform() {
        let mut state = 1_u64;
        let mut exponential = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Twice the usual size: the device is noisier than the reference says.
            -2.0 * (1.0 - (state >> 11) as f64 / (1_u64 << 53) as f64).ln() as f32
        };
        let mut ranks = Ranks::default();
        (0..5_000).for_each(|_| ranks.learn(exponential()));
        let scores: Vec<f32> = (0..20_000).map(|_| ranks.rank(exponential())).collect();
        for threshold in [0.5, 0.9, 0.95, 0.99] {
            let above = scores.iter().filter(|score| **score > threshold).count() as f32 / 20_000.0;
            assert!((above - (1.0 - threshold)).abs() < 0.02, "{threshold}: {above}");
        }
    }

    #[test]
    fn a_rank_grows_with_the_value() {
        let mut ranks = Ranks::default();
        (0..300).for_each(|index| ranks.learn(index as f32 / 60.0));
        let scores: Vec<f32> = (0..600).map(|index| ranks.score(index as f32 / 10.0)).collect();
        assert!(scores.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!((ranks.quantile(0.5) - 2.5).abs() < 0.3);
    }
}

//! Cross-correlation of accelerometer and gyroscope: one hand moves both, an injected stream moves one.

use crate::WINDOW;

/// Largest shift between the two sensors that is looked at, in readings.
pub(crate) const LAGS: usize = 10;
const SHIFTS: usize = 2 * LAGS + 1;
/// Sums side by side: the shifts, rounded up to whole vectors.
const LANES: usize = 24;

/// How strongly two windows move together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coupling {
    /// Largest correlation over all shifts, by amount.
    pub(crate) rho: f32,
    /// Independent readings that the windows are worth, after their own inertia.
    pub(crate) effective: f32,
}

/// Correlation of `left[t]` with `right[t + shift]`, the largest over shifts of ±10; `None` when one of them does not move.
pub(crate) fn coupling(left: &[f32; WINDOW], right: &[f32; WINDOW]) -> Option<Coupling> {
    let (left, left_energy, left_inertia) = centred(left)?;
    let (right, right_energy, right_inertia) = centred(right)?;
    let mut padded = [0.0_f32; WINDOW + LANES];
    padded[LAGS..LAGS + WINDOW].copy_from_slice(&right);
    let mut sums = [0.0_f32; LANES];
    for (index, value) in left.iter().enumerate() {
        let shifted: &[f32; LANES] = padded[index..].first_chunk()?;
        for lane in 0..LANES {
            sums[lane] += value * shifted[lane];
        }
    }
    let scale = 1.0 / (left_energy * right_energy).sqrt();
    let rho = sums[..SHIFTS].iter().fold(0.0_f32, |best, sum| best.max((sum * scale).abs())).min(0.999);
    let inertia = (left_inertia * right_inertia).clamp(-0.98, 0.98);
    let effective = (WINDOW as f32 * (1.0 - inertia) / (1.0 + inertia)).clamp(4.0, WINDOW as f32);
    Some(Coupling { rho, effective })
}

/// The values without their mean, their energy, and their correlation with the reading before.
fn centred(values: &[f32; WINDOW]) -> Option<([f32; WINDOW], f32, f32)> {
    let mean = values.iter().sum::<f32>() / WINDOW as f32;
    let centred = values.map(|value| value - mean);
    let energy: f32 = centred.iter().map(|value| value * value).sum();
    if energy <= 1e-6 * (1.0 + mean * mean) {
        return None;
    }
    let next: f32 = centred.windows(2).map(|pair| pair[0] * pair[1]).sum();
    Some((centred, energy, next / energy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u32) -> [f32; WINDOW] {
        let mut state = seed;
        std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        })
    }

    #[test]
    fn a_shifted_copy_is_found_and_strangers_are_not() {
        let one = noise(1);
        let mut later = noise(3);
        later[7..].copy_from_slice(&one[..WINDOW - 7]);
        assert!(coupling(&one, &later).unwrap().rho > 0.85);
        assert!(coupling(&one, &noise(2)).unwrap().rho < 0.45);
        assert!(coupling(&one, &[9.8; WINDOW]).is_none());
    }
}

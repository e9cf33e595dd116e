//! Band energies of one window by a discrete Fourier transform over its lowest bins.
//! All bins are summed side by side, so that the loop is plain multiply-and-add.

use std::sync::LazyLock;

use crate::WINDOW;

/// Bins that are looked at: at 100 readings a second, 1 Hz to 20 Hz.
const BINS: usize = 20;
/// Half a window: the transform works on sums and differences of mirrored readings.
const HALF: usize = WINDOW / 2;

/// Upper ends of the three bands in hertz; steps, then swings and tremor, then shocks.
const EDGES: [f32; 2] = [3.2, 8.2];

/// Cosine and sine of every bin at one place of the window.
type Wave = ([f32; BINS], [f32; BINS]);

static WAVES: LazyLock<Box<[Wave]>> = LazyLock::new(|| {
    (0..HALF)
        .map(|index| {
            let wave = |function: fn(f64) -> f64| {
                std::array::from_fn(|bin| {
                    let turns = (bin + 1) as f64 * (index as f64 + 0.5) / WINDOW as f64;
                    function(std::f64::consts::TAU * turns) as f32
                })
            };
            (wave(f64::cos), wave(f64::sin))
        })
        .collect()
});

/// Shares of the energy in the low, middle and high band at `rate` readings a second; each in [0, 1], all zero for a constant.
pub(crate) fn bands(values: &[f32; WINDOW], mean: f32, rate: f32) -> [f32; 3] {
    let mut even = [0.0_f32; BINS];
    let mut odd = [0.0_f32; BINS];
    for (index, (cosines, sines)) in WAVES.iter().enumerate() {
        // Positions are counted from half a step outside, which makes the window symmetrical.
        let (first, last) = (values[index] - mean, values[WINDOW - 1 - index] - mean);
        let (sum, difference) = (first + last, first - last);
        for bin in 0..BINS {
            even[bin] += sum * cosines[bin];
            odd[bin] += difference * sines[bin];
        }
    }
    let hertz = rate / WINDOW as f32;
    let mut energy = [0.0_f32; 3];
    for bin in 0..BINS {
        let frequency = (bin + 1) as f32 * hertz;
        let band = usize::from(frequency > EDGES[0]) + usize::from(frequency > EDGES[1]);
        energy[band] += even[bin] * even[bin] + odd[bin] * odd[bin];
    }
    // Parseval: the energy of all bins is known from the variance, so that shares need no further bins.
    let total: f32 = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() * HALF as f32;
    if total <= f32::MIN_POSITIVE { [0.0; 3] } else { energy.map(|part| (part / total).clamp(0.0, 1.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pure_tone_falls_into_its_band() {
        for (hertz, band) in [(2.0, 0), (6.0, 1), (15.0, 2)] {
            let values: [f32; WINDOW] = std::array::from_fn(|index| (std::f32::consts::TAU * hertz * index as f32 / 100.0 + 0.3).sin());
            let shares = bands(&values, values.iter().sum::<f32>() / WINDOW as f32, 100.0);
            assert!(shares[band] > 0.99, "{hertz} Hz: {shares:?}");
        }
        assert_eq!(bands(&[1.0; WINDOW], 1.0, 100.0), [0.0; 3]);
    }
}

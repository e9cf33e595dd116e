//! How good told probabilities are, against what turned out.

const BINS: usize = 10;

/// Mean squared difference of probabilities and outcomes (Brier 1950); nothing told is no error.
#[must_use]
pub fn brier(told: &[f64], truths: &[bool]) -> f64 {
    let errors = told.iter().zip(truths).map(|(told, truth)| (told - f64::from(u8::from(*truth))).powi(2));
    errors.sum::<f64>() / told.len().max(1) as f64
}

/// Expected calibration error over ten bins of equal width: the mean distance of what was told and how often it was so.
#[must_use]
pub fn calibration_error(told: &[f64], truths: &[bool]) -> f64 {
    let mut bins = [(0.0_f64, 0.0_f64); BINS];
    for (told, truth) in told.iter().zip(truths) {
        let bin = ((told * BINS as f64) as usize).min(BINS - 1);
        bins[bin].0 += told;
        bins[bin].1 += f64::from(u8::from(*truth));
    }
    bins.iter().map(|(told, true_ones)| (told - true_ones).abs()).sum::<f64>() / told.len().max(1) as f64
}

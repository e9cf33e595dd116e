//! Figures of merit: area under the curve, equal error rate, intervals.

use serde::Serialize;

/// How well scores tell impostors from owners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Separation {
    /// Chance that an impostor scores higher than an owner; one half is guessing.
    pub auc: f64,
    /// Error rate at the threshold where as many owners are refused as impostors accepted.
    pub eer: f64,
}

/// A share with its exact 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Interval {
    /// How often.
    pub count: u64,
    /// Out of how many.
    pub of: u64,
    /// The share.
    pub rate: f64,
    /// Lower end (Clopper–Pearson).
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

impl Interval {
    /// `count` out of `of`.
    pub fn of(count: u64, of: u64) -> Self {
        let rate = if of == 0 { 0.0 } else { count as f64 / of as f64 };
        let (lower, upper) = if of == 0 { (0.0, 1.0) } else { clopper_pearson(count, of) };
        Self { count, of, rate, lower, upper }
    }
}

/// P(at most `count` of `of`) for a share `p`.
fn at_most(count: u64, of: u64, p: f64) -> f64 {
    let mut sum = 0.0;
    for k in 0..=count {
        let (k, n) = (k as f64, of as f64);
        let choose = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
        sum += (choose + k * p.ln() + (n - k) * (-p).ln_1p()).exp();
    }
    sum
}

fn clopper_pearson(count: u64, of: u64) -> (f64, f64) {
    let bisect = |is_below: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if is_below(middle) { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    };
    let lower = if count == 0 { 0.0 } else { bisect(&|p| 1.0 - at_most(count - 1, of, p) < 0.025) };
    let upper = if count == of { 1.0 } else { bisect(&|p| at_most(count, of, p) > 0.025) };
    (lower, upper)
}

/// Separation of two sets of scores, ties counted half; `None` when one of them is empty.
pub(crate) fn separation(owners: &[f64], impostors: &[f64]) -> Option<Separation> {
    if owners.is_empty() || impostors.is_empty() {
        return None;
    }
    let mut all: Vec<(f64, bool)> =
        owners.iter().map(|score| (*score, false)).chain(impostors.iter().map(|score| (*score, true))).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (genuine, strange) = (owners.len() as f64, impostors.len() as f64);
    // Going up: below the threshold, owners are accepted and impostors missed.
    let (mut accepted, mut missed, mut area) = (0.0, 0.0, 0.0);
    let mut eer = (f64::INFINITY, 0.5);
    let mut start = 0;
    while start < all.len() {
        let end = start + all[start..].iter().take_while(|(score, _)| *score == all[start].0).count();
        let impostors_here = all[start..end].iter().filter(|(_, is_impostor)| *is_impostor).count() as f64;
        let owners_here = (end - start) as f64 - impostors_here;
        area += impostors_here * (accepted + owners_here / 2.0);
        accepted += owners_here;
        missed += impostors_here;
        let (refused, missed_share) = (1.0 - accepted / genuine, missed / strange);
        let gap = (refused - missed_share).abs();
        if gap < eer.0 {
            eer = (gap, f64::midpoint(refused, missed_share));
        }
        start = end;
    }
    Some(Separation { auc: area / (genuine * strange), eer: eer.1 })
}

/// Mean of some numbers; zero of none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Mean of the worst tenth, at least one.
pub(crate) fn worst_tenth(values: &[f64], lower_is_worse: bool) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|one, other| if lower_is_worse { one.total_cmp(other) } else { other.total_cmp(one) });
    sorted.truncate(values.len().div_ceil(10));
    mean(&sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separation_of_known_sets() {
        let apart = separation(&[0.1, 0.2], &[0.8, 0.9]).unwrap();
        assert!((apart.auc - 1.0).abs() < 1e-12 && apart.eer.abs() < 1e-12);
        let same = separation(&[0.5; 10], &[0.5; 10]).unwrap();
        assert!((same.auc - 0.5).abs() < 1e-12 && (same.eer - 0.5).abs() < 1e-12);
        let mixed = separation(&[0.1, 0.4, 0.6, 0.9], &[0.3, 0.5, 0.8, 1.0]).unwrap();
        assert!((mixed.auc - 10.0 / 16.0).abs() < 1e-12, "{}", mixed.auc);
    }

    #[test]
    fn the_interval_of_nothing_in_three_hundred_is_the_rule_of_three() {
        let none = Interval::of(0, 300);
        assert!(none.lower.abs() < 1e-12 && (none.upper - 0.0122).abs() < 2e-4, "{}", none.upper);
    }
}

//! Entropy of counts, corrected for few samples, and the divergence of two distributions.

/// Shannon entropy in bits with the Miller–Madow correction `(K-1)/(2 N ln 2)` for `K` occupied bins and `N` counts.
pub fn miller_madow(counts: &[u32]) -> f64 {
    let total: u32 = counts.iter().sum();
    if total == 0 {
        return 0.0;
    }
    let total = f64::from(total);
    let (mut plain, mut occupied) = (0.0, 0.0);
    for count in counts.iter().filter(|count| **count > 0) {
        let share = f64::from(*count) / total;
        plain -= share * share.log2();
        occupied += 1.0;
    }
    plain + (occupied - 1.0) / (2.0 * total * std::f64::consts::LN_2)
}

/// Jensen–Shannon divergence of two sets of counts over the same bins, in [0, 1] (logarithm to base two).
pub fn jensen_shannon(one: &[u32], other: &[u32]) -> f64 {
    let (first, second) = (f64::from(one.iter().sum::<u32>()), f64::from(other.iter().sum::<u32>()));
    if first == 0.0 || second == 0.0 {
        return 0.0;
    }
    let part = |share: f64, middle: f64| if share > 0.0 { share * (share / middle).log2() } else { 0.0 };
    let divergence: f64 = one
        .iter()
        .zip(other)
        .map(|(left, right)| {
            let (p, q) = (f64::from(*left) / first, f64::from(*right) / second);
            let middle = f64::midpoint(p, q);
            f64::midpoint(part(p, middle), part(q, middle))
        })
        .sum();
    divergence.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_correction_is_the_documented_one() {
        // Sixteen bins at a hundred readings: 0.108 bit.
        let mut counts = [6_u32; 16];
        counts[0] = 10;
        let plain = -(15.0 * 0.06 * 0.06_f64.log2() + 0.1 * 0.1_f64.log2());
        assert!((miller_madow(&counts) - plain - 0.108).abs() < 1e-3);
        assert!(miller_madow(&[]).abs() < 1e-12 && miller_madow(&[9]).abs() < 1e-12);
    }

    #[test]
    fn divergence_is_zero_for_the_same_and_one_for_strangers() {
        assert!(jensen_shannon(&[3, 5, 2], &[6, 10, 4]).abs() < 1e-12);
        assert!((jensen_shannon(&[1, 0], &[0, 7]) - 1.0).abs() < 1e-12);
    }
}

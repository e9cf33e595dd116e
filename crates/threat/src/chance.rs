//! Probabilities of the reference distributions, as tail exponents `-ln P(X > x)`: those stay exact where a probability rounds to one.

/// Largest exponent that is told apart; beyond it a value is as surprising as values get (about 1e-26).
pub(crate) const LARGEST: f64 = 60.0;

/// `-ln P(X > x)` of the chi-squared distribution with `freedom` degrees, in closed form for whole degrees.
pub(crate) fn chi_squared(freedom: u32, x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 || freedom == 0 {
        return 0.0;
    }
    let half = x / 2.0;
    if half > LARGEST + 3.0 * f64::from(freedom) {
        return LARGEST;
    }
    // P(X > x) is e^{-x/2} times a finite sum, plus an error function when the degrees are odd.
    let (mut term, mut sum, mut tail, first) = if freedom.is_multiple_of(2) {
        (1.0, 1.0, 0.0, 1.0)
    } else {
        let term = (half / std::f64::consts::PI).sqrt() * 2.0;
        (term, term, libm::erfc(half.sqrt()), 1.5)
    };
    let terms = freedom / 2;
    if freedom == 1 {
        sum = 0.0;
    }
    for index in 1..terms {
        term *= half / (first + f64::from(index) - 1.0);
        sum += term;
    }
    tail += sum * (-half).exp();
    exponent(tail)
}

/// `-ln P(|Z| > |z|)` of the standard normal distribution.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    if z.is_nan() {
        return 0.0;
    }
    exponent(libm::erfc(z.abs() / std::f64::consts::SQRT_2))
}

/// `-ln P(Y >= y)` of the negative binomial with the given mean and size `r` (variance `mean + mean²/r`); `y` may be fractional.
pub(crate) fn negative_binomial(mean: f64, size: f64, y: f64) -> f64 {
    if !(mean > 0.0 && size > 0.0) || y.is_nan() || y <= 0.0 {
        return 0.0;
    }
    // P(Y >= y) = I_{mean/(mean+r)}(y, r), the regularised incomplete beta function.
    exponent(incomplete_beta(y, size, mean / (mean + size)))
}

/// `-ln` of a probability, kept between 0 and [`LARGEST`].
pub(crate) fn exponent(probability: f64) -> f64 {
    if probability <= 0.0 { LARGEST } else { (-probability.ln()).clamp(0.0, LARGEST) }
}

/// The regularised incomplete beta function `I_x(a, b)` by its continued fraction, evaluated on the side where it converges.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) { front * fraction(a, b, x) / a } else { 1.0 - front * fraction(b, a, 1.0 - x) / b }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..=400_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        result *= c * d;
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let change = c * d;
        result *= change;
        if (change - 1.0).abs() < 1e-12 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(exponent: f64) -> f64 {
        (-exponent).exp()
    }

    #[test]
    fn chi_squared_matches_the_tables() {
        for (freedom, x, expected) in [(1, 3.841_458_8, 0.05), (2, 5.991_464_5, 0.05), (3, 7.814_727_9, 0.05), (7, 18.475_306_9, 0.01)] {
            assert!((tail(chi_squared(freedom, x)) - expected).abs() < 1e-6, "{freedom} degrees: {}", tail(chi_squared(freedom, x)));
        }
        assert!((tail(chi_squared(6, 22.457_744)) - 0.001).abs() < 1e-6);
        assert!((chi_squared(7, 1e9) - LARGEST).abs() < 1e-12);
    }

    #[test]
    fn the_normal_tail_matches_the_table() {
        assert!((tail(normal_two_sided(-1.959_964)) - 0.05).abs() < 1e-7);
    }

    #[test]
    fn a_negative_binomial_tail_is_the_sum_of_its_terms() {
        // r = 1 is the geometric distribution: P(Y >= y) = (mean/(mean+1))^y.
        assert!((tail(negative_binomial(4.0, 1.0, 10.0)) - 0.8_f64.powi(10)).abs() < 1e-9);
        assert!((negative_binomial(4.0, 1.0, 0.0)).abs() < 1e-12);
        assert!(negative_binomial(1e6, 5.0, 2e7) > 20.0);
    }
}

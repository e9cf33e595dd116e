//! Patterns over time: findings that come back, and rules that suddenly say much more than they used to.

use crate::model::{MOST, Pattern, PatternKind};
use crate::store::correlate::{Births, RuleCount};

/// Days that are compared with those before.
pub(super) const LATELY: u32 = 7;
/// New findings below this are no burst.
pub(super) const LEAST: u32 = 5;
/// A burst is this many times what was to be expected, and this many standard deviations (of counts, Poisson) above it.
const TIMES: f64 = 3.0;
const DEVIATIONS: f64 = 3.0;

/// What is told of counts over `days`.
pub(super) fn patterns(recurring: Vec<RuleCount>, births: Vec<Births>, days: u32) -> Vec<Pattern> {
    let told = |kind, rule: RuleCount, expected| Pattern {
        kind,
        source: rule.source,
        check: rule.check,
        title: rule.title,
        count: rule.count,
        findings: rule.findings,
        expected,
        last: rule.last,
    };
    let mut bursts: Vec<(f64, Pattern)> = births
        .into_iter()
        .filter_map(|born| {
            let expected = born.before as f64 * f64::from(LATELY) / f64::from(days - LATELY);
            let above = (born.rule.count as f64 - expected) / (expected + 1.0).sqrt();
            let is_burst = born.rule.count as f64 >= TIMES * expected && above >= DEVIATIONS;
            is_burst.then(|| (above, told(PatternKind::Burst, born.rule, Some((expected * 100.0).round() / 100.0))))
        })
        .collect();
    bursts.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| (&a.source, &a.check).cmp(&(&b.source, &b.check))));
    let back = recurring.into_iter().map(|rule| told(PatternKind::Recurring, rule, None));
    back.take(MOST / 2).chain(bursts.into_iter().map(|(_, pattern)| pattern).take(MOST / 2)).collect()
}

#[cfg(test)]
mod tests {
    use base::Time;

    use super::*;

    fn born(check: &str, count: u64, before: u64) -> Births {
        let rule =
            RuleCount { source: "s".into(), check: check.into(), title: "T".into(), count, findings: count, last: Time::from_seconds(0) };
        Births { rule, before }
    }

    #[test]
    fn a_burst_is_far_above_what_a_rule_usually_brings() {
        let checks =
            |births: Vec<Births>| patterns(Vec::new(), births, 91).into_iter().map(|one| (one.check, one.expected)).collect::<Vec<_>>();
        assert_eq!(
            checks(vec![born("new", 20, 0), born("newer", 40, 0)]),
            [("newer".to_owned(), Some(0.0)), ("new".to_owned(), Some(0.0))]
        );
        assert_eq!(checks(vec![born("steady", 12, 144)]), [], "twelve a week, as always");
        assert_eq!(checks(vec![born("loud", 60, 144)]), [("loud".to_owned(), Some(12.0))]);
        assert_eq!(checks(vec![born("few", 5, 12)]), [], "one was to be expected, five may come by chance");
    }
}

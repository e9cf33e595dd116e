//! Due moments: days by severity, fewer on critical assets, capped by the catalogue of exploited vulnerabilities.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::sample::select;
use risk::sla::{Due, Ground, Policy, Standing};
use risk::{Criticality, Exploitation, Severity};

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn due(severity: Severity, criticality: Criticality, exploitation: Exploitation) -> Option<Due> {
    Policy::default().due(moment("2026-11-01T15:00:00Z"), severity, criticality, exploitation)
}

fn listed(due: &str) -> Exploitation {
    Exploitation::Listed { due: due.parse().ok(), ransomware: false }
}

#[test]
fn a_due_day_counts_to_its_last_moment() {
    let due = due(Severity::High, Criticality::Medium, Exploitation::NotListed).unwrap();
    assert_eq!((due.at, due.ground), (moment("2026-12-01T23:59:59.999999Z"), Ground::Severity));
    let standing = |now| Policy::default().standing(due.at, moment(now));
    assert_eq!(standing("2026-11-26T23:59:59.999999Z"), Standing::Within);
    assert_eq!(standing("2026-11-27T00:00:00Z"), Standing::DueSoon);
    assert_eq!(standing("2026-12-01T23:59:59.999999Z"), Standing::DueSoon);
    assert_eq!(standing("2026-12-02T00:00:00Z"), Standing::Breached);
}

#[test]
fn the_earliest_ground_wins_and_is_named() {
    let on = |criticality, exploitation| {
        due(Severity::High, criticality, exploitation).map(|due| (due.at.date_naive().to_string(), due.ground)).unwrap()
    };
    assert_eq!(on(Criticality::Critical, Exploitation::NotListed), ("2026-11-16".to_owned(), Ground::Criticality));
    assert_eq!(on(Criticality::Critical, listed("2026-11-10")), ("2026-11-10".to_owned(), Ground::Kev));
    assert_eq!(on(Criticality::Medium, listed("2027-01-01")), ("2026-12-01".to_owned(), Ground::Severity));
    // Listed years ago: there are always the least days after first sight.
    assert_eq!(on(Criticality::Medium, listed("2021-11-17")), ("2026-11-04".to_owned(), Ground::Kev));
    assert_eq!(due(Severity::Info, Criticality::Critical, Exploitation::NotListed), None);
    assert_eq!(due(Severity::Info, Criticality::Low, listed("2026-11-20")).map(|due| due.ground), Some(Ground::Kev));
}

proptest! {
    #[test]
    fn a_graver_finding_is_never_due_later(
        criticality in select(vec![Criticality::Low, Criticality::Medium, Criticality::High, Criticality::Critical]),
        exploitation in select(vec![Exploitation::NotListed, listed("2026-11-05"), listed("2027-11-05")]),
    ) {
        let gravest_first = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
        let days: Vec<_> = gravest_first.iter().filter_map(|severity| due(*severity, criticality, exploitation)).map(|due| due.at).collect();
        prop_assert!(days.is_sorted());
    }
}

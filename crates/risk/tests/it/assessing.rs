//! The one number: raising any input never lowers it, its factors sum up to it, and it says why.

use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::sample::select;
use risk::cvss::Score;
use risk::{Criticality, Detection, Exploitation, Exposure, Inputs, Likelihood, MESSAGE_KEYS, Severity, assess};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn plain() -> Inputs {
    Inputs {
        severity: Severity::High,
        cvss: Some(Score::from_tenths(81)),
        confidence: 100,
        likelihood: Likelihood::NoVulnerability,
        exploitation: Exploitation::NoVulnerability,
        exposure: Exposure::Internal,
        criticality: Criticality::Medium,
        detection: Detection::Untested,
        age: 0,
        today: day("2026-11-22"),
    }
}

fn inputs() -> impl Strategy<Value = Inputs> {
    let severities = vec![Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let exploitations = [
        Exploitation::NoVulnerability,
        Exploitation::NeverChecked,
        Exploitation::NotListed,
        Exploitation::Listed { due: None, ransomware: false },
        Exploitation::Listed { due: Some(day("2026-01-01")), ransomware: true },
    ];
    let likelihoods = prop_oneof![
        Just(Likelihood::NeverChecked),
        Just(Likelihood::NotListed),
        (0.0..=1.0_f64).prop_map(|probability| Likelihood::Listed { probability, percentile: None }),
    ];
    (
        (select(severities), proptest::option::of((0..=100_i64).prop_map(Score::from_tenths)), 0..=100_u8),
        (likelihoods, select(exploitations.to_vec())),
        select(vec![Exposure::Isolated, Exposure::Unknown, Exposure::Internal, Exposure::Internet]),
        select(vec![Criticality::Low, Criticality::Medium, Criticality::High, Criticality::Critical]),
        select(vec![Detection::Prevented, Detection::Alerted, Detection::Logged, Detection::Untested, Detection::Missed]),
        0..1000_u32,
    )
        .prop_map(|((severity, cvss, confidence), (likelihood, exploitation), exposure, criticality, detection, age)| Inputs {
            severity,
            cvss,
            confidence,
            likelihood,
            exploitation,
            exposure,
            criticality,
            detection,
            age,
            today: day("2026-11-22"),
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn raising_any_input_never_lowers_the_risk(low in inputs(), other in inputs()) {
        let before = assess(&low).fine;
        let mut raised = vec![
            Inputs { severity: low.severity.max(other.severity), ..low },
            Inputs { confidence: low.confidence.max(other.confidence), ..low },
            Inputs { exposure: low.exposure.max(other.exposure), ..low },
            Inputs { criticality: low.criticality.max(other.criticality), ..low },
            Inputs { detection: low.detection.max(other.detection), ..low },
            Inputs { age: low.age.max(other.age), ..low },
        ];
        if let (Some(one), Some(two)) = (low.cvss, other.cvss) {
            raised.push(Inputs { cvss: Some(one.max(two)), ..low });
        }
        if let (Likelihood::Listed { probability: one, .. }, Likelihood::Listed { probability: two, .. }) = (low.likelihood, other.likelihood) {
            raised.push(Inputs { likelihood: Likelihood::Listed { probability: one.max(two), percentile: None }, ..low });
        }
        if !matches!(low.exploitation, Exploitation::Listed { .. }) {
            raised.push(Inputs { exploitation: Exploitation::Listed { due: None, ransomware: false }, ..low });
        }
        if let Exploitation::Listed { due: None, .. } = low.exploitation {
            raised.push(Inputs { exploitation: Exploitation::Listed { due: None, ransomware: true }, ..low });
            raised.push(Inputs { exploitation: Exploitation::Listed { due: Some(day("2026-11-21")), ransomware: false }, ..low });
        }
        for high in raised {
            prop_assert!(assess(&high).fine >= before, "{:?}\n{:?}", low, high);
        }
    }

    #[test]
    fn the_factors_sum_up_to_the_number_and_have_known_messages(inputs in inputs()) {
        let assessment = assess(&inputs);
        prop_assert_eq!(assessment.factors.iter().map(|factor| factor.fine).sum::<i64>(), assessment.fine);
        prop_assert!((0..=100_000).contains(&assessment.fine));
        for factor in &assessment.factors {
            prop_assert!(MESSAGE_KEYS.contains(&factor.key));
            prop_assert_ne!(factor.message(), factor.key);
        }
        let begins = format!("{} because ", assessment.score());
        prop_assert!(assessment.sentence().starts_with(&begins));
    }
}

#[test]
fn an_explanation_reads_like_a_sentence() {
    let exploited = Inputs {
        exploitation: Exploitation::Listed { due: Some(day("2026-12-01")), ransomware: true },
        likelihood: Likelihood::Listed { probability: 0.913, percentile: Some(0.998) },
        exposure: Exposure::Internet,
        confidence: 95,
        ..plain()
    };
    assert_eq!(
        assess(&exploited).sentence(),
        "9.4 because CVSS 8.1 and severity high, known to be exploited by ransomware (+1.14), exploitation within 30 days 91 % likely \
         (+0.29), 95 % sure (-0.29), reachable from the internet (+0.11)"
    );
}

#[test]
fn not_listed_and_never_checked_weigh_the_same_and_say_different_things() {
    let with = |exploitation, likelihood| assess(&Inputs { exploitation, likelihood, ..plain() });
    let absent = with(Exploitation::NotListed, Likelihood::NotListed);
    let unknown = with(Exploitation::NeverChecked, Likelihood::NeverChecked);
    assert_eq!(absent.fine, unknown.fine);
    assert_eq!(
        absent.sentence(),
        "8.1 because CVSS 8.1 and severity high, not listed as exploited, without a score for likelihood of exploitation"
    );
    assert!(unknown.sentence().ends_with("known exploitation never checked, likelihood of exploitation never checked"));
    assert_eq!(assess(&plain()).factors.len(), 1);
}

#[test]
fn a_tool_that_knows_better_than_the_vector_is_heeded_and_the_vector_sorts_within_its_band() {
    let with = |severity, tenths| assess(&Inputs { severity, cvss: Some(Score::from_tenths(tenths)), ..plain() }).score().to_string();
    assert_eq!([with(Severity::Low, 98), with(Severity::High, 98), with(Severity::Critical, 50)], ["3.9", "8.9", "9.0"]);
    assert_eq!(assess(&Inputs { cvss: None, ..plain() }).score().to_string(), "8.0");
}

//! The crate `cvss` scores the same vectors with floats: both must agree, save where floats err.

use proptest::prelude::*;
use proptest::sample::select;
use risk::cvss::{Vector, Version};

const V2: &[(&str, &str)] = &[("AV", "LAN"), ("AC", "HML"), ("Au", "MSN"), ("C", "NPC"), ("I", "NPC"), ("A", "NPC")];
const V3: &[(&str, &str)] =
    &[("AV", "NALP"), ("AC", "LH"), ("PR", "NLH"), ("UI", "NR"), ("S", "UC"), ("C", "HLN"), ("I", "HLN"), ("A", "HLN")];
const V4: &[(&str, &str)] = &[
    ("AV", "NALP"),
    ("AC", "LH"),
    ("AT", "NP"),
    ("PR", "NLH"),
    ("UI", "NPA"),
    ("VC", "HLN"),
    ("VI", "HLN"),
    ("VA", "HLN"),
    ("SC", "HLN"),
    ("SI", "HLN"),
    ("SA", "HLN"),
];
const V2_OPTIONAL: &[(&str, &[&str])] = &[
    ("E", &["U", "POC", "F", "H"]),
    ("RL", &["OF", "TF", "W", "U"]),
    ("RC", &["UC", "UR", "C"]),
    ("CDP", &["N", "L", "LM", "MH", "H"]),
    ("TD", &["N", "L", "M", "H"]),
    ("CR", &["L", "M", "H"]),
    ("IR", &["L", "M", "H"]),
    ("AR", &["L", "M", "H"]),
];
const V3_OPTIONAL: &[(&str, &[&str])] = &[
    ("E", &["H", "F", "P", "U"]),
    ("RL", &["U", "W", "T", "O"]),
    ("RC", &["C", "R", "U"]),
    ("CR", &["H", "M", "L"]),
    ("IR", &["H", "M", "L"]),
    ("AR", &["H", "M", "L"]),
    ("MAV", &["N", "A", "L", "P"]),
    ("MAC", &["L", "H"]),
    ("MPR", &["N", "L", "H"]),
    ("MUI", &["N", "R"]),
    ("MS", &["U", "C"]),
    ("MC", &["H", "L", "N"]),
    ("MI", &["H", "L", "N"]),
    ("MA", &["H", "L", "N"]),
];
const V4_OPTIONAL: &[(&str, &[&str])] = &[
    ("E", &["A", "P", "U"]),
    ("CR", &["H", "M", "L"]),
    ("IR", &["H", "M", "L"]),
    ("AR", &["H", "M", "L"]),
    ("MAV", &["N", "A", "L", "P"]),
    ("MAC", &["L", "H"]),
    ("MAT", &["N", "P"]),
    ("MPR", &["N", "L", "H"]),
    ("MUI", &["N", "P", "A"]),
    ("MVC", &["H", "L", "N"]),
    ("MVI", &["H", "L", "N"]),
    ("MVA", &["H", "L", "N"]),
    ("MSC", &["H", "L", "N"]),
    ("MSI", &["S", "H", "L", "N"]),
    ("MSA", &["S", "H", "L", "N"]),
    ("S", &["N", "P"]),
    ("AU", &["N", "Y"]),
    ("U", &["Clear", "Red"]),
];

/// A vector with every base metric and some of the optional ones.
fn vectors(
    prefix: &'static str,
    base: &'static [(&'static str, &'static str)],
    optional: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = String> {
    let base: Vec<_> =
        base.iter().map(|(name, values)| select(values.chars().collect::<Vec<_>>()).prop_map(move |v| format!("{name}:{v}"))).collect();
    let optional: Vec<_> = optional
        .iter()
        .map(|(name, values)| proptest::option::of(select(*values)).prop_map(move |v| v.map(|v| format!("{name}:{v}"))))
        .collect();
    (base, optional).prop_map(move |(base, optional)| {
        prefix.to_owned() + &base.into_iter().chain(optional.into_iter().flatten()).collect::<Vec<_>>().join("/")
    })
}

fn tenths(score: f64) -> i64 {
    format!("{:.0}", score * 10.0).parse().unwrap()
}

fn ours(score: Option<risk::cvss::Score>) -> Option<i64> {
    score.map(|score| i64::from(score.tenths()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn both_agree_on_version_2(text in vectors("", V2, V2_OPTIONAL)) {
        let (own, other) = (Vector::parse(&text).unwrap(), text.parse::<cvss::v2::Vector>().unwrap());
        prop_assert_eq!(i64::from(own.base().tenths()), tenths(other.score().value()));
        if let Some(temporal) = ours(own.temporal()) {
            prop_assert_eq!(temporal, tenths(other.temporal_score().value()));
        }
        if let Some(environmental) = ours(own.environmental()) {
            prop_assert_eq!(environmental, tenths(other.environmental_score().value()));
        }
    }

    #[test]
    fn both_agree_on_version_3_1(text in vectors("CVSS:3.1/", V3, V3_OPTIONAL)) {
        let (own, other) = (Vector::parse(&text).unwrap(), text.parse::<cvss::v3::Vector>().unwrap());
        prop_assert_eq!(i64::from(own.base().tenths()), tenths(other.base_score().value()));
        prop_assert_eq!(ours(own.temporal()), Some(tenths(other.temporal_score().value())));
        prop_assert_eq!(ours(own.environmental()), Some(tenths(other.environmental_score().value())));
    }

    /// Version 3.0 rounds up without a guard, so a float a hair above a tenth lands a tenth too high, never lower.
    #[test]
    fn floats_are_at_most_one_step_too_high_on_version_3_0(text in vectors("CVSS:3.0/", V3, V3_OPTIONAL)) {
        let (own, other) = (Vector::parse(&text).unwrap(), text.parse::<cvss::v3::Vector>().unwrap());
        prop_assert_eq!(i64::from(own.base().tenths()), tenths(other.base_score().value()));
        // Two roundings, two hairs.
        let over = |own: Option<i64>, other: f64| tenths(other) - own.unwrap();
        prop_assert!((0..=1).contains(&over(ours(own.temporal()), other.temporal_score().value())));
        prop_assert!((0..=2).contains(&over(ours(own.environmental()), other.environmental_score().value())));
    }

    #[test]
    fn both_agree_on_version_4(text in vectors("CVSS:4.0/", V4, V4_OPTIONAL)) {
        let (own, other) = (Vector::parse(&text).unwrap(), text.parse::<cvss::v4::Vector>().unwrap());
        prop_assert_eq!(own.version(), Version::V4);
        prop_assert_eq!(i64::from(own.score().tenths()), tenths(other.score().value()));
        let base = text.split('/').take(12).collect::<Vec<_>>().join("/").parse::<cvss::v4::Vector>().unwrap();
        prop_assert_eq!(i64::from(own.base().tenths()), tenths(base.score().value()));
        prop_assert_eq!(own.nomenclature().unwrap(), other.nomenclature().to_string());
    }

    /// A proof of concept is no worse than an attack, and no proof no worse than a proof.
    #[test]
    fn less_threat_never_scores_higher(text in vectors("CVSS:4.0/", V4, V4_OPTIONAL)) {
        let kept = text.split('/').filter(|metric| !metric.starts_with("E:")).collect::<Vec<_>>().join("/");
        let score = |exploit: &str| Vector::parse(&format!("{kept}/E:{exploit}")).unwrap().score();
        prop_assert!(score("A") >= score("P") && score("P") >= score("U"));
    }
}

//! Laws of identity: order, wording, rating and line do not matter; different things stay apart.

use std::collections::BTreeSet;

use importers::identity::{self, Field};
use importers::{Format, IdentityKey};
use proptest::prelude::*;
use serde_json::Value;

use crate::{observations, records, sample};

fn keys(format: Format, bytes: &[u8]) -> Vec<Vec<IdentityKey>> {
    let records = records(format, bytes);
    let mut keys: Vec<_> = observations(&records).into_iter().map(|o| o.keys.clone()).collect();
    keys.sort();
    keys
}

fn flawfinder() -> Value {
    serde_json::from_slice(&sample("sarif/flawfinder.sarif")).expect("JSON")
}

fn results(log: &mut Value) -> &mut Vec<Value> {
    log["runs"][0]["results"].as_array_mut().expect("results")
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON")
}

#[test]
fn words_ratings_tags_and_lines_do_not_enter_keys() {
    let original = keys(Format::Sarif, &bytes(&flawfinder()));
    let mut log = flawfinder();
    for result in results(&mut log) {
        result["message"]["text"] = "other words".into();
        result["level"] = "error".into();
        result["properties"] = serde_json::json!({"tags": ["new"]});
        let Some(region) = result.pointer_mut("/locations/0/physicalLocation/region") else {
            continue;
        };
        region["startLine"] = (region["startLine"].as_u64().expect("line") + 40).into();
        let code = region["snippet"]["text"].as_str().unwrap_or_default().replace(' ', "   ");
        region["snippet"]["text"] = code.into();
    }
    assert_eq!(keys(Format::Sarif, &bytes(&log)), original);

    let lines = String::from_utf8(sample("nuclei/many_findings.json")).expect("text");
    let reworded = lines
        .replace("\"severity\":\"info\"", "\"severity\":\"high\"")
        .replace("Detection\"", "Recognition\"")
        .replace("2021-05-20", "2024-01-01")
        .replace("\"tags\":\"", "\"tags\":\"more,");
    assert_eq!(keys(Format::Nuclei, lines.as_bytes()), keys(Format::Nuclei, reworded.as_bytes()));

    let ports = String::from_utf8(crate::fixture("nmap-scripts.xml")).expect("text");
    let updated = ports.replace("version=\"0.6\"", "version=\"0.7\"").replace("Lab page", "New");
    assert_eq!(keys(Format::Nmap, ports.as_bytes()), keys(Format::Nmap, updated.as_bytes()));
}

#[test]
fn a_renamed_file_keeps_the_weaker_key_and_loses_the_stronger() {
    let before: BTreeSet<_> = keys(Format::Sarif, &bytes(&flawfinder())).concat().into_iter().collect();
    let mut log = flawfinder();
    for result in results(&mut log) {
        if let Some(place) = result.pointer_mut("/locations/0/physicalLocation/artifactLocation") {
            place["uri"] = "renamed.cc".into();
        }
    }
    let after: BTreeSet<_> = keys(Format::Sarif, &bytes(&log)).concat().into_iter().collect();
    let kept = |scheme: &str| before.intersection(&after).filter(|key| key.scheme == scheme).count();
    assert_eq!(kept("code"), 0);
    assert!(kept("code.moved") > 0 && kept("code.fingerprint") > 0);
}

#[test]
fn different_places_have_different_keys() {
    let all = keys(Format::Nuclei, &sample("nuclei/many_findings.json"));
    let strongest: BTreeSet<_> = all.iter().map(|keys| &keys[0]).collect();
    assert_eq!(strongest.len(), all.len(), "the same check on two ports is two things");
    let all = keys(Format::Sarif, &sample("sarif/flawfinder.sarif"));
    let strongest: BTreeSet<_> = all.iter().map(|keys| &keys[0]).collect();
    assert_eq!(strongest.len(), 53);
    assert_ne!(identity::network("a", "tcp", Some(80), "c"), identity::network("a", "udp", Some(80), "c"));
    assert_ne!(identity::web("https://a", "c", None, "/users/1/x", None), identity::web("https://a", "c", None, "/users/1/y", None));
}

#[test]
fn a_key_is_pinned() {
    let key = identity::network("Example.COM.", "tcp", Some(443), "nmap:open-port");
    assert_eq!(
        (key.scheme.as_str(), key.version, key.digest.as_str()),
        ("network", 1, "614452db60698a303ddc93b6ffe8436fb1e529b10293b0a3438012e41d630d4a")
    );
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Absent,
    Text(String),
    Number(u64),
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![Just(Part::Absent), "[ab\u{0}\u{1}|1]{0,4}".prop_map(Part::Text), (0..4_u64).prop_map(Part::Number),]
}

fn digest(parts: &[Part]) -> IdentityKey {
    let fields: Vec<Field<'_>> = parts
        .iter()
        .map(|part| match part {
            Part::Absent => Field::Absent,
            Part::Text(text) => Field::Text(text),
            Part::Number(number) => Field::Number(*number),
        })
        .collect();
    identity::key("test", 1, &fields)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn field_lists_share_a_digest_only_when_equal(
        one in proptest::collection::vec(part(), 0..4),
        two in proptest::collection::vec(part(), 0..4),
    ) {
        prop_assert_eq!(one == two, digest(&one) == digest(&two));
    }

    #[test]
    fn moving_a_character_over_a_field_border_changes_the_digest(
        text in "[a-z]{2,12}", at in 0..12_usize, to in 0..12_usize,
    ) {
        let (at, to) = (at % text.len(), to % text.len());
        let split = |at: usize| [Part::Text(text[..at].into()), Part::Text(text[at..].into())];
        prop_assert_eq!(at == to, digest(&split(at)) == digest(&split(to)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_does_not_matter(seed in proptest::collection::vec(any::<u64>(), 60)) {
        let mut log = flawfinder();
        let original = keys(Format::Sarif, &bytes(&log)).concat();
        let mut shuffled: Vec<_> = results(&mut log).drain(..).zip(&seed).collect();
        shuffled.sort_by_key(|(_, order)| **order);
        *results(&mut log) = shuffled.into_iter().map(|(result, _)| result).collect();
        let set = |keys: Vec<IdentityKey>| keys.into_iter().collect::<BTreeSet<_>>();
        prop_assert_eq!(set(original), set(keys(Format::Sarif, &bytes(&log)).concat()));

        let lines = String::from_utf8(sample("nuclei/many_findings.json")).expect("text");
        let mut shuffled: Vec<_> = lines.lines().zip(&seed).collect();
        shuffled.sort_by_key(|(_, order)| **order);
        let other: String = shuffled.into_iter().flat_map(|(line, _)| [line, "\n"]).collect();
        prop_assert_eq!(keys(Format::Nuclei, lines.as_bytes()), keys(Format::Nuclei, other.as_bytes()));
    }
}

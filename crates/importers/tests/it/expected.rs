//! The published counts and severities of the recorded outputs.

use std::collections::BTreeMap;

use importers::{Format, Limits, SeverityCounts, parse, sniff};
use serde_json::Value;

use crate::{observations, outcome, records, testdata, warnings};

fn counts(severities: SeverityCounts) -> BTreeMap<&'static str, u64> {
    let SeverityCounts { info, low, medium, high, critical } = severities;
    [("Info", info), ("Low", low), ("Medium", medium), ("High", high), ("Critical", critical)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[test]
fn every_recorded_file_yields_its_published_count_and_severities() {
    let mut files = 0;
    for format in Format::all() {
        let folder = testdata().join(format.id());
        let expected = std::fs::read(folder.join("expected.json")).expect("expected.json");
        let expected: BTreeMap<String, Value> = serde_json::from_slice(&expected).expect("JSON");
        for (name, expected) in expected {
            files += 1;
            let bytes = std::fs::read(folder.join(&name)).expect("recorded file");
            assert_eq!(sniff(&bytes, Some(&name)).first().map(|best| best.0), Some(format), "{name}");
            let mut sink = Vec::new();
            let totals = parse(format, &mut &bytes[..], &Limits::default(), &mut sink).unwrap_or_else(|error| panic!("{name}: {error}"));
            let count = expected["expected_count"].as_u64().expect("count");
            assert_eq!(totals.issues, count, "{name}");
            assert!(totals.observations >= count, "every place is an observation: {name}");
            assert_eq!(totals.observations as usize, observations(&sink).len(), "{name}");
            let severities: BTreeMap<&str, u64> = expected["runs"][0]["severities"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, count)| (name.as_str(), count.as_u64().expect("count")))
                .collect();
            assert_eq!(counts(totals.by_severity), severities, "{name}");
            assert_eq!(totals.skipped, 0, "{name}: {:?}", warnings(&sink));
            assert_eq!(totals.bytes, bytes.len() as u64, "{name}");
        }
    }
    assert!(files >= 16, "only {files} files found");
}

#[test]
fn every_key_is_of_a_scheme_its_format_declares_and_every_observation_has_one() {
    for (format, bytes) in crate::specimens() {
        let records = records(format, &bytes);
        for observation in observations(&records) {
            assert!(!observation.keys.is_empty(), "{}", observation.title);
            for key in &observation.keys {
                assert!(format.schemes().contains(&key.scheme.as_str()), "{format}: {key:?}");
            }
        }
    }
}

#[test]
fn a_limit_on_records_names_itself_and_keeps_what_came_before() {
    let mut options = importers::Options::default();
    options.limits.records = 3;
    let bytes = crate::sample("nuclei/many_findings.json");
    let (outcome, records) = outcome(Format::Nuclei, &bytes, &options);
    let error = outcome.failure.expect("over the limit").to_string();
    assert!(error.starts_with("records over the limit of 3 at byte "), "{error}");
    assert_eq!(records.len(), 3);
}

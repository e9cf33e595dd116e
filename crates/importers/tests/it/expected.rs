//! The published counts and severities of the recorded outputs.

use std::collections::BTreeMap;

use importers::{Format, Limits, SeverityCounts, parse, sniff};
use serde_json::Value;

use crate::{observations, outcome, records, testdata, warnings};

/// Formats under whose folder another format's files are: what the folder is named after is not what the file is.
const ELSEWHERE: [(&str, &str, Format); 2] = [("snyk_code", ".json", Format::Sarif), ("aws_prowler_v3plus", ".ocsf.json", Format::Prowler)];

/// What a file of a folder is expected to be recognised as; none for a folder nobody reads yet.
pub(crate) fn format_of(folder: &str, name: &str) -> Option<Format> {
    let elsewhere = ELSEWHERE.iter().find(|(tool, ending, _)| *tool == folder && name.ends_with(ending));
    elsewhere.map(|(.., format)| *format).or_else(|| folder.parse().ok())
}

/// Every recorded file that is read, with what is expected of it.
pub(crate) fn recorded() -> Vec<(String, Format, Vec<u8>, Value)> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(testdata()).expect("folder") {
        let folder = folder.expect("entry").path();
        let Ok(expected) = std::fs::read(folder.join("expected.json")) else {
            continue;
        };
        let tool = folder.file_name().expect("name").to_string_lossy().into_owned();
        let expected: BTreeMap<String, Value> = serde_json::from_slice(&expected).expect("JSON");
        for (name, expected) in expected {
            if let Some(format) = format_of(&tool, &name) {
                let bytes = std::fs::read(folder.join(&name)).expect("recorded file");
                files.push((format!("{tool}/{name}"), format, bytes, expected));
            }
        }
    }
    files.sort_by(|one, two| one.0.cmp(&two.0));
    files
}

fn counts(severities: SeverityCounts) -> BTreeMap<&'static str, u64> {
    let SeverityCounts { info, low, medium, high, critical } = severities;
    [("Info", info), ("Low", low), ("Medium", medium), ("High", high), ("Critical", critical)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[test]
fn every_recorded_file_yields_its_published_count_and_severities() {
    let files = recorded();
    assert!(files.len() >= 16, "only {} files found", files.len());
    let mut wrong = Vec::new();
    for (name, format, bytes, expected) in files {
        let guess = sniff(&bytes, Some(&name)).first().map(|best| best.0);
        if guess != Some(format) {
            wrong.push(format!("{name}: taken for {guess:?}"));
        }
        let mut sink = Vec::new();
        let totals = match parse(format, &mut &bytes[..], &Limits::default(), &mut sink) {
            Ok(totals) => totals,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let count = expected["expected_count"].as_u64().expect("count");
        let severities: BTreeMap<&str, u64> = expected["runs"][0]["severities"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, count)| (name.as_str(), count.as_u64().expect("count")))
            .collect();
        if totals.issues != count || counts(totals.by_severity) != severities {
            wrong.push(format!("{name}: {} not {count}, {:?} not {severities:?}", totals.issues, counts(totals.by_severity)));
        }
        // A problem seen at several places is one finding and several observations.
        assert!(totals.observations >= totals.issues, "{name}");
        assert_eq!(totals.observations as usize, observations(&sink).len(), "{name}");
        assert_eq!(totals.skipped, 0, "{name}: {:?}", warnings(&sink));
        assert_eq!(totals.bytes, bytes.len() as u64, "{name}");
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_key_is_of_a_scheme_its_format_declares_and_every_observation_has_one() {
    let all: Vec<&str> = Format::all().flat_map(Format::schemes).copied().collect();
    for (format, bytes) in crate::specimens() {
        let records = records(format, &bytes);
        // An export gives the names its findings have from whatever they were read from.
        let declared = if format == Format::Tyrian { &all[..] } else { format.schemes() };
        for observation in observations(&records) {
            assert!(!observation.keys.is_empty(), "{}", observation.title);
            for key in &observation.keys {
                assert!(declared.contains(&key.scheme.as_str()), "{format}: {key:?}");
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

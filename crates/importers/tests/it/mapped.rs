//! Mappings that people write: what they say, what is refused, what a trial shows.

use importers::{Limits, Mapping, Observation, ParseError, Record, Severity};
use proptest::prelude::*;

use crate::{observations, warnings};

const TABLE: &str = r#"{
  "name": "acme",
  "notation": "table",
  "fields": {
    "title": "Name",
    "check": "ID",
    "severity": {"from": "Risk", "table": {"crit": "critical", "P3": "medium"}, "constant": "low"},
    "description": {"from": ["Summary", "Detail"], "join": "\n\n"},
    "cves": "CVE",
    "cwes": {"from": "CWE", "split": ";"},
    "tags": {"from": "Labels", "split": ","},
    "host": "Host",
    "port": "Port",
    "observed_at": {"from": "Seen", "format": "%d.%m.%Y"},
    "confidence": {"constant": "80"},
    "evidence": "Output"
  },
  "keys": [["Host", "Port", "ID"], ["Host", "ID"]]
}"#;

const ROWS: &str = "Acme report\n\nID;Name;Risk;Summary;Detail;CVE;CWE;Labels;Host;Port;Seen;Output\n\
    A-1;Weak;crit;One;Two;CVE-2020-1234 and cve-2020-1235;79;a, b;lab.example;443;22.11.2026;proof\n\
    A-2;Other;p3;;;;;;lab.example;x;;\n\
    A-3;Third;unheard;;;;;;;;;\n\
    ;Nameless;;;;;;;;;;\n";

const JSON: &str = r#"{"name": "acme", "notation": "json", "records": "report.items",
  "fields": {"title": "issue.title", "severity": "issue.level", "file": "places.0.path", "tags": "places.kind", "line": "places.0.line"},
  "keys": ["id"]}"#;

fn mapping(text: &str) -> Mapping {
    Mapping::from_json(text).expect("mapping")
}

fn parse(mapping: &Mapping, bytes: &[u8]) -> (Result<importers::Totals, ParseError>, Vec<Record>) {
    let mut records = Vec::new();
    let result = mapping.parse(&mut &bytes[..], &Limits::default(), &mut records);
    (result, records)
}

#[test]
fn a_row_is_carried_over_as_the_mapping_says() {
    let (totals, records) = parse(&mapping(TABLE), ROWS.as_bytes());
    let totals = totals.expect("readable");
    assert_eq!((totals.issues, totals.skipped), (3, 1));
    let found = observations(&records);
    let one: &Observation = found[0];
    assert_eq!((one.source.as_str(), one.check.as_str(), one.title.as_str()), ("mapped:acme", "A-1", "Weak"));
    assert_eq!((one.severity, one.confidence, one.description.as_str()), (Severity::Critical, 80, "One\n\nTwo"));
    assert_eq!((one.cves.join(" ").as_str(), one.cwes.as_slice()), ("CVE-2020-1234 CVE-2020-1235", &[79][..]));
    assert_eq!(one.tags, ["a", "b"]);
    assert_eq!((one.location.host.as_deref(), one.location.port), (Some("lab.example"), Some(443)));
    assert_eq!((one.observed_at.as_deref(), one.evidence[0].body.as_str()), (Some("2026-11-22T00:00:00Z"), "proof"));
    assert_eq!(one.keys.len(), 2);
    assert_eq!(found[1].severity, Severity::Medium);
    assert_eq!(found[1].keys.len(), 2);
    let at = |start: &str| ROWS.find(start).expect("row");
    assert_eq!(
        warnings(&records),
        [
            format!("byte {}, line 5, record 2: \"x\" does not fit port", at("A-2")),
            format!("byte {}, line 6, record 3: \"unheard\" does not fit severity", at("A-3")),
            format!("byte {}, line 7, record 4: record has nothing in its key columns", at(";Nameless")),
        ]
    );
}

#[test]
fn records_are_found_at_a_path_in_an_array_or_on_every_line() {
    let item = r#"{"id": 7, "issue": {"title": "T", "level": "High"}, "places": [{"path": "a.c", "line": 3, "kind": "x"}, {"kind": "y"}]}"#;
    let (totals, records) = parse(&mapping(JSON), format!(r#"{{"report": {{"n": 1, "items": [{item}, 5]}}}}"#).as_bytes());
    assert_eq!(totals.expect("readable").skipped, 1);
    let found = observations(&records)[0].clone();
    assert_eq!((found.title.as_str(), found.severity, found.location.file.as_deref()), ("T", Severity::High, Some("a.c")));
    assert_eq!((found.tags.join(" ").as_str(), found.location.line), ("x y", Some(3)));
    let flat = mapping(&JSON.replace("\"records\": \"report.items\",", ""));
    let indented = item.replace(", ", ",\n  ");
    for text in [format!("[{item}]"), format!("{item}\n"), item.to_owned(), indented.clone()] {
        let (totals, records) = parse(&flat, text.as_bytes());
        assert_eq!(totals.expect("readable").issues, 1, "{text}");
        assert_eq!(observations(&records)[0].keys, found.keys, "{text}");
    }
    let (totals, _) = parse(&flat, format!("{item}\n{{\"id\"\n{item}\n").as_bytes());
    assert_eq!(totals.map(|totals| (totals.issues, totals.skipped)).expect("readable"), (2, 1));
    let (result, _) = parse(&flat, &indented.as_bytes()[..60]);
    assert!(matches!(result, Err(ParseError::Truncated { .. })), "{result:?}");
}

#[test]
fn a_file_of_another_shape_is_refused_and_not_taken_as_empty() {
    for (text, bytes) in [
        (TABLE, &b"x,y\n1,2\n"[..]),
        (TABLE, b""),
        (JSON, b"{\"report\": {}}"),
        (JSON, b"<xml/>"),
        (JSON, b"{\"report\": {\"items\": [{\"other\": 1}]}}"),
    ] {
        let (result, _) = parse(&mapping(text), bytes);
        assert!(matches!(result, Err(ParseError::NotThisFormat { .. })), "{result:?}");
    }
    let (result, _) = parse(&mapping(JSON), b"{\"report\": {\"items\": []}}");
    assert_eq!(result.expect("nothing found").issues, 0);
}

#[test]
fn a_wrong_mapping_names_the_key_that_is_wrong() {
    let cases = [
        ("[", "mapping: not JSON"),
        ("[]", "mapping: not an object"),
        (r#"{"name": ""}"#, "name: needs a text"),
        (r#"{"name": "a", "colour": 1}"#, "colour: unknown key"),
        (r#"{"name": "a", "notation": "xml"}"#, "notation: is none of"),
        (r#"{"name": "a", "records": "x"}"#, "records: means nothing"),
        (r#"{"name": "a", "notation": "json", "records": "x..y"}"#, "records: needs a path"),
        (r#"{"name": "a"}"#, "fields: needs an object"),
        (r#"{"name": "a", "fields": {"tittle": "x"}}"#, "fields.tittle: unknown key"),
        (r#"{"name": "a", "fields": {"check": "x"}}"#, "fields.title: is required"),
        (r#"{"name": "a", "fields": {"title": []}}"#, "fields.title: needs 1 to 100"),
        (r#"{"name": "a", "fields": {"title": {"form": "x"}}}"#, "fields.title.form: unknown key"),
        (r#"{"name": "a", "fields": {"title": {"join": "x"}}}"#, "fields.title: needs from or constant"),
        (
            r#"{"name": "a", "fields": {"title": "t", "severity": {"from": "x", "table": {"1": "grave"}}}}"#,
            "fields.severity.table.1: is none of",
        ),
        (r#"{"name": "a", "fields": {"title": "t", "severity": {"constant": "grave"}}}"#, "fields.severity.constant: \"grave\""),
        (r#"{"name": "a", "fields": {"title": "t", "port": {"constant": "70000"}}}"#, "fields.port.constant:"),
        (r#"{"name": "a", "fields": {"title": "t", "host": {"from": "x", "split": ","}}}"#, "fields.host.split: is for lists"),
        (r#"{"name": "a", "fields": {"title": "t", "observed_at": {"from": "x", "format": "%Q"}}}"#, "fields.observed_at.format:"),
        (r#"{"name": "a", "fields": {"title": "t"}}"#, "keys: needs the columns"),
        (r#"{"name": "a", "fields": {"title": "t"}, "keys": [["x"], "y"]}"#, "keys: needs the columns"),
        (r#"{"name": "a", "fields": {"title": "t"}, "keys": [["x"], [1]]}"#, "keys.1.0: needs a text"),
    ];
    for (text, expected) in cases {
        let error = Mapping::from_json(text).expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn a_wrong_mapping_is_pointed_at_in_the_text() {
    let text = "{\n  \"name\": \"a\",\n  \"fields\": {\n    \"title\": \"t\",\n    \"port\": {\"constant\": \"70000\"}\n  }\n}";
    let error = Mapping::from_json(text).expect_err("wrong");
    let position = error.position.expect("a place");
    assert_eq!((error.key.as_str(), position.line), ("fields.port.constant", Some(5)));
    assert!(text[position.byte as usize..].starts_with("\"70000\""), "{error}");
    let missing = Mapping::from_json("{\"name\": \"a\", \"fields\": {\"check\": \"c\"}}").expect_err("wrong");
    assert_eq!((missing.key.as_str(), missing.position.map(|position| position.byte)), ("fields.title", Some(24)));
    let broken = Mapping::from_json("{\n \"name\": }").expect_err("wrong");
    assert_eq!(broken.position.and_then(|position| position.line), Some(2), "{broken}");
}

#[test]
fn only_an_exact_fit_is_one() {
    let rows = "ID;Name;Risk;Summary;Detail;CVE;CWE;Labels;Host;Port;Seen;Output\n\
        A-1;Weak;crit;One;Two;CVE-2020-1234;79;a;lab.example;443;22.11.2026;proof\n";
    assert!(mapping(TABLE).fits(rows.as_bytes(), true));
    let cut = format!("{rows}A-2;Ot");
    assert!(mapping(TABLE).fits(cut.as_bytes(), false), "the last line is cut");
    assert!(!mapping(TABLE).fits(ROWS.as_bytes(), true), "a port that is none, a record without a key");
    assert!(!mapping(TABLE).fits(rows.replace("Labels", "Tags").as_bytes(), true), "a column is missing");
    assert!(!mapping(JSON).fits(rows.as_bytes(), true));
    let json = br#"{"report": {"items": [{"id": 1, "issue": {"title": "T", "level": "low"}, "places": [{"path": "a.c", "line": 3, "kind": "x"}]}]}}"#;
    assert!(mapping(JSON).fits(json, true) && !mapping(JSON).fits(&json[..json.len() - 2], true));
}

#[test]
fn a_trial_shows_what_came_out_and_what_was_never_found() {
    let trial = mapping(&TABLE.replace("\"Labels\"", "\"Lables\"")).attempt(ROWS.as_bytes(), &Limits::default());
    assert!(trial.failure.is_none());
    assert_eq!((trial.unused, trial.totals.issues), (vec!["Lables".to_owned()], 3));
    assert!(trial.records.len() >= 6);
}

#[test]
fn only_the_key_columns_make_the_identity() {
    let keys = |text: &str| observations(&parse(&mapping(TABLE), text.as_bytes()).1).iter().map(|o| o.keys.clone()).collect::<Vec<_>>();
    let other = ROWS.replace("crit", "p3").replace("Weak", "Weaker").replace("One", "Eins").replace("22.11.2026", "23.11.2026");
    assert_eq!(keys(ROWS), keys(&other));
    assert_ne!(keys(ROWS)[0], keys(&ROWS.replace("443", "444"))[0]);
    assert_eq!(keys(ROWS)[0][1], keys(&ROWS.replace("443", "444"))[0][1], "the weaker key leaves the port out");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics_in_a_mapping(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut rows = ROWS.as_bytes().to_vec();
        let mut text = TABLE.as_bytes().to_vec();
        for (place, byte) in edits {
            let at = place.index(rows.len());
            rows[at] = byte;
            let at = place.index(text.len());
            text[at] = byte;
        }
        for mapping in [mapping(TABLE), mapping(JSON)] {
            let _ = parse(&mapping, &bytes);
            let _ = parse(&mapping, &rows);
        }
        let _ = Mapping::from_json(&String::from_utf8_lossy(&text));
    }
}

#[test]
fn an_export_gives_the_names_that_can_have_been_given_and_no_others() {
    let long = format!("mapped:{}", "x".repeat(81));
    for (scheme, expected) in [
        ("mapped:acme, inc", "mapped:acme, inc"),
        ("place", "place"),
        ("manual", "manual"),
        ("mapped:", "manual"),
        ("mapped:x:1:00\nB\t9\t00", "manual"),
        (long.as_str(), "manual"),
        ("unheard of", "manual"),
    ] {
        let key = serde_json::json!({ "scheme": scheme, "version": 1, "digest": "0".repeat(64) });
        let finding = serde_json::json!({ "id": "f", "source": "s", "check": "c", "title": "t", "identity": [key], "observed_at": "2026-11-22T00:00:00Z\t" });
        let export = serde_json::json!({ "format": "tyrian-findings/1", "findings": [finding] });
        let found = crate::records(importers::Format::Tyrian, export.to_string().as_bytes());
        let one = &crate::observations(&found)[0];
        assert_eq!(one.keys.iter().map(|key| key.scheme.as_str()).collect::<Vec<_>>(), [expected], "{scheme:?}");
        assert_eq!(one.observed_at.as_deref(), Some("2026-11-22T00:00:00Z"));
    }
}

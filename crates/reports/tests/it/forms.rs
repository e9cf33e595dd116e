//! The forms of one snapshot.

use std::path::PathBuf;
use std::process::Command;

use base::Language;
use reports::snapshot::SnapshotError;
use reports::{Format, Frozen, Typesetter, page};
use typeset::child::Limits;

use crate::sample;

/// The typesetter whose child is the example binary that `cargo test` builds.
pub(crate) fn typesetter() -> Typesetter {
    let test = std::env::current_exe().unwrap();
    let program: PathBuf = test.parent().unwrap().parent().unwrap().join("examples/sample");
    assert!(program.exists(), "cargo test builds {}", program.display());
    Typesetter { program, limits: Limits::default() }
}

/// The text of a PDF, as poppler reads it.
pub(crate) fn text(pdf: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pdf).unwrap();
    let output = Command::new("pdftotext").arg("-layout").arg(file.path()).arg("-").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn every_language_gives_a_conforming_pdf_that_names_every_finding() {
    let frozen = sample::frozen(12).unwrap();
    for language in Language::ALL {
        let pdf = typesetter().render(&frozen, Format::Pdf, language).await.unwrap();
        let text = text(&pdf);
        for number in 1..=12 {
            assert!(text.contains(&format!("F-{number:03}")), "{language:?} F-{number:03}");
        }
        for words in ["Exemplo Comércio S.A.", "TLP:AMBER", "Carla Lima, CISO", "198.51.100.7"] {
            assert!(text.contains(words), "{language:?} {words}");
        }
        assert!(text.contains(frozen.digest()), "the digest stands in the appendix");
    }
}

#[tokio::test]
async fn one_snapshot_always_gives_the_same_bytes() {
    let frozen = sample::frozen(3).unwrap();
    for format in Format::ALL {
        let first = typesetter().render(&frozen, format, Language::English).await.unwrap();
        let second = typesetter().render(&frozen, format, Language::English).await.unwrap();
        assert_eq!(first, second, "{format:?}");
    }
}

#[test]
fn a_stored_snapshot_reads_back_and_a_changed_one_is_refused() {
    let frozen = sample::frozen(9).unwrap();
    let read = Frozen::read(frozen.json(), frozen.digest()).unwrap();
    assert_eq!(read, frozen);
    let changed = String::from_utf8(frozen.json().to_vec()).unwrap().replace("Ana", "Eva");
    let error = Frozen::read(changed.as_bytes(), frozen.digest()).unwrap_err();
    assert!(matches!(error, SnapshotError::Changed));
    let later = String::from_utf8(frozen.json().to_vec()).unwrap();
    let later = later.replace("\"version\":1}", "\"version\":2}");
    let error = Frozen::read(later.as_bytes(), frozen.digest()).unwrap_err();
    assert!(matches!(error, SnapshotError::Version(2)));
}

#[test]
fn a_frozen_snapshot_is_canonical() {
    let frozen = sample::frozen(30).unwrap();
    let value: serde_json::Value = serde_json::from_slice(frozen.json()).unwrap();
    let findings = value["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 30);
    // The same facts in another order are the same snapshot.
    let mut shuffled = sample::snapshot(30);
    shuffled.findings.reverse();
    shuffled.tools.reverse();
    assert_eq!(shuffled.freeze().unwrap().digest(), frozen.digest());
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert!(keys.is_sorted());
}

#[test]
fn the_page_is_one_file_that_loads_and_runs_nothing() {
    let html = page(&sample::frozen(12).unwrap(), Language::English).unwrap();
    assert!(html.contains("default-src 'none'; style-src 'sha256-"));
    for forbidden in ["<script", " style=", " src=", "@import", "url(", "<link", " on"] {
        let found = html.match_indices(forbidden).find(|(at, _)| {
            let tag = html[..*at].rfind(['<', '>']).map(|tag| &html[tag..=tag]);
            forbidden.starts_with('<') || tag == Some("<") && !html[..*at].ends_with(">")
        });
        assert!(found.is_none(), "{forbidden} at {found:?}");
    }
    let portuguese = page(&sample::frozen(12).unwrap(), Language::Portuguese).unwrap();
    assert!(portuguese.contains("<html lang=\"pt-BR\">"));
    assert!(portuguese.contains("O que não foi testado"));
}

#[tokio::test]
async fn the_table_has_one_line_per_finding_and_no_formula() {
    let mut snapshot = sample::snapshot(5);
    snapshot.findings[0].title = "=cmd|' /C calc'!A0".to_owned();
    let frozen = snapshot.freeze().unwrap();
    let bytes = typesetter().render(&frozen, Format::Csv, Language::English).await.unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().any(|row| &row[1] == "'=cmd|' /C calc'!A0"));
    assert!(rows.iter().all(|row| !row.iter().any(|cell| cell.starts_with('='))));
}

#[tokio::test]
async fn an_empty_report_says_what_is_missing_instead_of_breaking() {
    let mut snapshot = sample::snapshot(0);
    snapshot.scope = reports::snapshot::Scope::default();
    snapshot.coverage.clear();
    snapshot.not_tested.clear();
    snapshot.runs.clear();
    snapshot.tools.clear();
    let frozen = snapshot.freeze().unwrap();
    let pdf = typesetter().render(&frozen, Format::Pdf, Language::English).await.unwrap();
    let text = text(&pdf);
    for sentence in ["No finding is on record", "No coverage is on record", "No authorisation is on record", "No target is on record"] {
        assert!(text.contains(sentence), "{sentence}: {text}");
    }
}

#[test]
fn what_is_too_much_for_a_page_is_left_to_the_data_and_said() {
    let frozen = sample::frozen(5_003).unwrap();
    let html = page(&frozen, Language::English).unwrap();
    assert!(html.contains("Shown here are the gravest 5,000 of 5,003 findings."));
    assert_eq!(html.matches("<article").count(), 5_000);
    let document = reports::document(&frozen, Language::English).unwrap();
    let data: serde_json::Value = serde_json::from_slice(&document.files["data.json"]).unwrap();
    assert_eq!(data["findings"].as_array().unwrap().len(), 1_000);
    let value: serde_json::Value = serde_json::from_slice(frozen.json()).unwrap();
    assert_eq!(value["findings"].as_array().unwrap().len(), 5_003);
}

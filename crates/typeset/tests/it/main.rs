//! Stories of the typesetter: conformance, isolation, determinism and the killable child.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{TimeZone, Utc};
use typeset::child::{Limits, render};
use typeset::{Document, TypesetError, pdf};

const PAGE: &str = r#"
#set document(title: sys.inputs.title)
#set text(lang: sys.inputs.language, font: "Open Sans")
= #sys.inputs.title
#json("data.json").word
"#;

fn document(main: &str) -> Document {
    let files = BTreeMap::from([("data.json".to_owned(), br##"{"word":"#panic() <b>"}"##.to_vec())]);
    Document {
        main: main.to_owned(),
        files,
        title: "A *title* #[x]".to_owned(),
        language: "en".to_owned(),
        created: Utc.with_ymd_and_hms(2026, 11, 22, 3, 30, 0).unwrap(),
    }
}

fn child() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join("examples/typeset");
    assert!(program.exists(), "cargo test builds {}", program.display());
    program
}

fn holds(pdf: &[u8], needle: &str) -> bool {
    pdf.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[test]
fn equal_documents_give_equal_conforming_bytes() {
    let first = pdf(&document(PAGE)).unwrap();
    let second = pdf(&document(PAGE)).unwrap();
    assert_eq!(first, second);
    assert!(first.starts_with(b"%PDF-1.7"));
    assert!(holds(&first, "pdfaid:part"), "PDF/A identification");
    assert!(holds(&first, "pdfuaid:part"), "PDF/UA identification");
}

#[test]
fn a_document_cannot_reach_outside_itself() {
    for source in [
        r#"#read("/etc/passwd")"#,
        r#"#read("../../../../etc/passwd")"#,
        r#"#import "@preview/cetz:0.3.4""#,
        r#"#include "other.typ""#,
        r#"#image("http://127.0.0.1/x.png")"#,
    ] {
        let error = pdf(&document(source)).unwrap_err();
        assert!(matches!(error, TypesetError::Document(_)), "{source}: {error}");
    }
}

#[test]
fn an_error_names_its_line() {
    let error = pdf(&document("#let a = 1\n#b\n")).unwrap_err().to_string();
    assert!(error.contains("line 2: unknown variable: b"), "{error}");
}

#[test]
fn what_no_font_draws_is_known_beforehand() {
    assert!(typeset::covers('ã') && typeset::covers('→') && typeset::covers('א'));
    assert!(!typeset::covers('漢') && !typeset::covers('\u{10FFFF}'));
}

#[tokio::test]
async fn a_child_renders_what_the_library_renders() {
    let bytes = render(&child(), &document(PAGE), Limits::default()).await.unwrap();
    assert_eq!(bytes, pdf(&document(PAGE)).unwrap());
    let error = render(&child(), &document("#b"), Limits::default()).await.unwrap_err();
    assert!(error.to_string().contains("line 1: unknown variable: b"), "{error}");
}

#[tokio::test]
async fn an_endless_document_is_killed_at_its_limit() {
    let started = Instant::now();
    let limits = Limits { wall: Duration::from_millis(700), ..Limits::default() };
    let endless = "#let spin(n) = { let i = 0; while i < 9999 { i += 1 }; i }\n\
                   #let total = range(1000000).map(n => spin(n))\n#total.len()";
    let error = render(&child(), &document(endless), limits).await.unwrap_err();
    assert!(matches!(error, TypesetError::TimedOut(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_hungry_document_dies_alone() {
    let limits = Limits { memory: 512 << 20, wall: Duration::from_secs(60) };
    let hungry = "#let a = range(30).fold(\"xxxxxxxx\", (a, n) => a + a)\n#a.len()";
    let error = render(&child(), &document(hungry), limits).await.unwrap_err();
    assert!(matches!(error, TypesetError::Died(_)), "{error}");
}

//! Guessing formats, and a wrong guess that cannot be missed.

use importers::{Confidence, Format, Limits, ParseError, parse, sniff};

use crate::specimens;

#[test]
fn a_file_read_as_another_format_is_refused_by_name() {
    let mut taken = Vec::new();
    for (actual, bytes) in specimens() {
        for format in Format::all().filter(|format| *format != actual) {
            let result = parse(format, &mut &bytes[..], &Limits::default(), &mut Vec::new());
            if !matches!(result, Err(ParseError::NotThisFormat { .. })) {
                taken.push(format!("{actual} read as {format}: {result:?}"));
            }
        }
    }
    assert_eq!(taken, Vec::<String>::new());
}

#[test]
fn every_recorded_file_is_recognised_by_its_contents_alone_and_no_other_guess_is_as_sure() {
    for (name, format, bytes, _) in crate::expected::recorded() {
        let guesses = sniff(&bytes, None);
        assert_eq!(guesses.first().map(|best| best.0), Some(format), "{name}: {guesses:?}");
        assert!(guesses.get(1).is_none_or(|next| next.1 < guesses[0].1), "{name}: {guesses:?}");
    }
}

#[test]
fn sniffing_needs_neither_name_nor_whole_file_and_says_nothing_about_strangers() {
    for (format, bytes) in specimens() {
        let head = &bytes[..bytes.len().min(4096)];
        assert_eq!(sniff(head, None).first().map(|best| best.0), Some(format));
    }
    for stranger in [&b""[..], b"<html></html>", b"{\"runs\": 1}", b"a,b\n1,2\n", b"\xff\xfe\x00"] {
        assert_eq!(sniff(stranger, Some("x.txt")), []);
    }
    let named = sniff(b"{", Some("report.SARIF"));
    assert_eq!(named, [(Format::Sarif, Confidence::Possible)]);
}

#[test]
fn formats_are_named_by_their_id() {
    for format in Format::all() {
        assert_eq!(format.id().parse(), Ok(format));
    }
    let error = "nessus".parse::<Format>().expect_err("not yet");
    assert!(error.to_string().contains("known are nmap"));
}

#[test]
fn declarations_before_the_root_may_hold_others() {
    let declared = "<?xml version='1.0'?><!-- a > b --><!DOCTYPE issues [<!ATTLIST issue note CDATA \"a > ]\"><!ELEMENT issue (name)>]>";
    let issues = format!("{declared}<issues burpVersion='2.1'/>");
    assert_eq!(sniff(issues.as_bytes(), None).first().map(|best| best.0), Some(Format::Burp));
    let run = "<!DOCTYPE nmaprun [<!ELEMENT nmaprun ANY>]>\n<nmaprun/>";
    assert_eq!(sniff(run.as_bytes(), None).first().map(|best| best.0), Some(Format::Nmap));
}

#[test]
fn an_empty_object_is_nobodys() {
    assert_eq!(sniff(b"{}", Some("report.json")), []);
    assert_eq!(sniff(b" { }\n", Some("dependency-track.json")), [(Format::DependencyTrack, Confidence::Possible)]);
    assert_eq!(sniff(b"\n", Some("nuclei-2026-01-02.jsonl")), [(Format::Nuclei, Confidence::Possible)]);
}

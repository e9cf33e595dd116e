//! Bytes made to hurt: bombs, endless lines, wrong encodings, truncation, noise.

use std::io::{self, Read};

use importers::{Format, Limits, Options, ParseError, Record, Sink, Stop, parse, read};
use proptest::prelude::*;

use crate::{observations, outcome, records, specimens};

/// A beginning, then one byte repeated, without ever storing it.
pub(crate) struct Endless<'b> {
    pub(crate) head: &'b [u8],
    pub(crate) byte: u8,
    pub(crate) left: u64,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.head.is_empty() {
            return self.head.read(buffer);
        }
        let length = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..length].fill(self.byte);
        self.left -= length as u64;
        Ok(length)
    }
}

pub(crate) fn refusal(format: Format, bytes: &[u8]) -> String {
    let result = parse(format, &mut &bytes[..], &Limits::default(), &mut Vec::new());
    result.expect_err("refused").to_string()
}

/// Whether a file has an outermost structure that must be closed, which a table has not.
fn is_nested(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'<' | b'{' | b'['))
}

#[test]
fn entities_are_never_expanded() {
    let bomb = br#"<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><nmaprun args="&b;"/>"#;
    let error = refusal(Format::Nmap, bomb);
    assert!(error.contains("entities are never expanded") && error.contains("byte 92"), "{error}");
    let error = refusal(Format::Nmap, br#"<nmaprun args="&b;"/>"#);
    assert!(error.starts_with("malformed input at byte"), "{error}");
    let error = refusal(Format::Sslscan, b"<document title=''><error>&xxe;</error></document>");
    assert!(error.contains("undeclared entity \"xxe\""), "{error}");
}

#[test]
fn a_gigabyte_in_one_piece_is_refused_where_it_passes_the_limit() {
    let cases: [(Format, &[u8], &str); 9] = [
        (Format::Testssl, b"id,fqdn/ip,severity,finding\n1,\"", "record"),
        (Format::Nuclei, b"{\"template-id\":\"", "line"),
        (Format::Nuclei, b"[{\"template-id\":\"", "record"),
        (Format::Sarif, b"{\"runs\":[{\"results\":[{\"ruleId\":\"", "record"),
        (Format::Sarif, b"{\"x\":\"", "text"),
        (Format::Nmap, b"<nmaprun args=\"", "text"),
        (Format::Nmap, b"<nmaprun><host><ports><port>", "text"),
        (Format::Sslscan, b"<document><!-- ", "text"),
        (Format::Sslscan, b"<", "text"),
    ];
    let limits = Limits { text: 1 << 20, ..Limits::default() };
    for (format, head, which) in cases {
        let mut source = Endless { head, byte: b'a', left: 1 << 30 };
        let error = parse(format, &mut source, &limits, &mut Vec::new()).expect_err("refused");
        let at = error.position().expect("position").byte;
        assert!(error.to_string().starts_with(which), "{format}: {error}");
        assert!((1 << 20..(1 << 20) + (80 << 10)).contains(&at), "{format}: {error}");
        assert!(source.left > 1000 << 20, "{format} read on");
    }
    let mut source = Endless { head: b"<nmaprun>", byte: b' ', left: 1 << 30 };
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    let error = parse(Format::Nmap, &mut source, &limits, &mut Vec::new()).expect_err("refused");
    assert!(error.to_string().starts_with("bytes over the limit of 1048576"), "{error}");
}

#[test]
fn many_small_values_in_one_record_are_refused() {
    let values = "0,".repeat(300_000);
    let array = format!("[{{\"template-id\":\"t\",\"info\":[{values}0]}}]");
    assert!(refusal(Format::Nuclei, array.as_bytes()).starts_with("values of one record"));
    let log = format!("{{\"runs\":[{{\"invocations\":[{values}0]}}]}}");
    assert!(refusal(Format::Sarif, log.as_bytes()).starts_with("values of one record"));
    let nodes = "<elem/>".repeat(300_000);
    let xml = format!("<nmaprun><host><ports><port>{nodes}</port></ports></host></nmaprun>");
    assert!(refusal(Format::Nmap, xml.as_bytes()).starts_with("elements of one record"));
    let attributes: String = (0..400).map(|n| format!(" a{n}='1'")).collect();
    let xml = format!("<nmaprun{attributes}/>");
    assert!(refusal(Format::Nmap, xml.as_bytes()).starts_with("attributes of one element"));
}

#[test]
fn deep_nesting_is_refused() {
    let xml = format!("<nmaprun>{}", "<a>".repeat(100_000));
    assert!(refusal(Format::Nmap, xml.as_bytes()).starts_with("depth over the limit of 128"));
    let json = format!("{{\"runs\":{}", "[".repeat(100_000));
    let error = refusal(Format::Sarif, json.as_bytes());
    assert!(error.starts_with("depth over the limit of 127") || error.contains("expected"), "{error}");
    let json = format!("{{\"x\":{}", "[".repeat(100_000));
    let error = refusal(Format::Sarif, json.as_bytes());
    assert!(error.starts_with("depth over the limit of 127"), "{error}");
}

#[test]
fn other_encodings_are_read_and_bad_bytes_are_named() {
    for (format, bytes) in specimens() {
        let text = String::from_utf8(bytes.clone()).expect("text");
        let text = text.replace("encoding=\"UTF-8\"", "encoding=\"UTF-16\"");
        let mut wide = vec![0xFF, 0xFE];
        wide.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(records(format, &wide), records(format, &bytes), "{format}");
        let mut marked = vec![0xEF, 0xBB, 0xBF];
        marked.extend_from_slice(&bytes);
        assert_eq!(records(format, &marked), records(format, &bytes), "{format}");
    }
    let padding = " ".repeat(500);
    let latin = format!("<?xml version='1.0' encoding='ISO-8859-1'{padding}?><document><error>caf");
    let mut latin = latin.into_bytes();
    latin.extend_from_slice(b"\xE9</error></document>");
    let found = records(Format::Sslscan, &latin);
    assert!(matches!(&found[..], [Record::Coverage(c)] if c.reason.as_deref() == Some("café")));
    let error = refusal(Format::Sslscan, b"<document><error>caf\xE9</error></document>");
    assert_eq!(error, "bytes are not UTF-8 at byte 20");
    let error = refusal(Format::Nuclei, b"{\"template-id\":\"\xC3\x28\"}");
    assert_eq!(error, "bytes are not UTF-8 at byte 16, line 1, record 1");
    let error = refusal(Format::Nmap, b"<?xml version='1.0' encoding='klingon'?><nmaprun/>");
    assert_eq!(error, "bytes are not klingon at byte 0");
}

#[test]
fn a_bad_byte_costs_one_line_and_names_its_place() {
    let good = "{\"template-id\":\"t\",\"info\":{\"name\":\"café\"},\"host\":\"a\"}\n";
    let mut bytes = vec![0xEF, 0xBB, 0xBF];
    bytes.extend_from_slice(good.as_bytes());
    bytes.extend_from_slice(b"  {\"template-id\":\"caf\xE9\"}\n");
    bytes.extend_from_slice(good.as_bytes());
    let found = records(Format::Nuclei, &bytes);
    assert_eq!(observations(&found).len(), 2);
    let byte = good.len() + 2 + "{\"template-id\":\"caf".len();
    assert_eq!(crate::warnings(&found), [format!("byte {byte}, line 2, record 2: line is not UTF-8")]);
    let wrapped = [b"[", &b"{\"template-id\":\"caf\xE9\"}"[..], b"]"].concat();
    assert_eq!(refusal(Format::Nuclei, &wrapped), "bytes are not UTF-8 at byte 20");
}

#[test]
fn a_truncated_file_names_its_position_and_keeps_what_came_before() {
    for (format, bytes) in specimens() {
        let whole = records(format, &bytes);
        for end in (1..bytes.trim_ascii_end().len()).step_by(37) {
            let (outcome, records) = outcome(format, &bytes[..end], &Options::default());
            assert!(observations(&records).len() <= observations(&whole).len());
            match outcome.failure {
                None => assert!(format == Format::Nuclei || !is_nested(&bytes), "{format}: {end} bytes"),
                Some(error @ ParseError::Truncated { .. }) => {
                    assert_eq!(error.position().expect("position").byte, end as u64, "{error}");
                }
                Some(ParseError::NotThisFormat { .. }) => {
                    assert!(end < 40 || format == Format::Nuclei || !is_nested(&bytes) && end < 4 << 10, "{format}: {end} bytes");
                }
                // Of a table there may be no whole row yet.
                Some(ParseError::Malformed { .. }) if !is_nested(&bytes) && observations(&records).is_empty() => {}
                Some(error) => panic!("{format} cut at {end}: {error}"),
            }
        }
    }
}

#[test]
fn results_of_a_truncated_run_are_not_lost() {
    let bytes = crate::sample("sarif/flawfinder.sarif");
    let (outcome, records) = outcome(Format::Sarif, &bytes[..bytes.len() / 2], &Options::default());
    assert!(matches!(outcome.failure, Some(ParseError::Truncated { .. })));
    assert!(outcome.totals.observations > 10, "{:?}", outcome.totals);
    assert_eq!(observations(&records).len() as u64, outcome.totals.observations);
}

#[test]
fn the_size_of_reads_does_not_matter() {
    struct Dribble<'b>(&'b [u8], usize);
    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.1);
            self.0.read(&mut buffer[..length])
        }
    }
    let wide = "{\"template-id\":\"é€😀\",\"info\":{\"name\":\"ñ😀€\"},\"host\":\"a\"}\n".repeat(400);
    let mut all = specimens();
    all.push((Format::Nuclei, wide.into_bytes()));
    for (format, bytes) in all {
        let mut damaged = bytes.clone();
        let place = bytes.len() * 2 / 3;
        damaged[place] = 0xE6;
        for bytes in [bytes, damaged] {
            let (whole, expected) = outcome(format, &bytes, &Options::default());
            for size in [1, 2, 3, 7] {
                let mut records = Vec::new();
                let mut source = Dribble(&bytes, size);
                let pieces = read(format, &mut source, &Options::default(), &mut records);
                assert_eq!(records, expected, "{format} by {size}");
                // How far ahead was read after the last element is chance.
                assert_eq!(pieces.totals.warnings, whole.totals.warnings, "{format} by {size}");
                assert_eq!(pieces.failure.map(|error| error.to_string()), whole.failure.as_ref().map(ToString::to_string));
            }
        }
    }
}

#[test]
fn a_receiver_that_has_enough_ends_the_import() {
    struct Full(u32);
    impl Sink for Full {
        fn record(&mut self, _: Record) -> Result<(), Stop> {
            self.0 += 1;
            if self.0 < 2 { Ok(()) } else { Err(Stop) }
        }
    }
    for (format, bytes) in specimens() {
        let mut full = Full(0);
        let result = parse(format, &mut &bytes[..], &Limits::default(), &mut full);
        match result {
            Err(ParseError::Stopped) => assert_eq!(full.0, 2),
            other => assert_eq!(full.0, 1, "{format}: {other:?}"),
        }
    }
}

#[test]
fn a_source_that_fails_is_reported_as_such() {
    struct Broken<'b>(&'b [u8]);
    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::other("disk on fire"));
            }
            self.0.read(buffer)
        }
    }
    for (format, bytes) in specimens() {
        let mut source = Broken(&bytes[..bytes.len() / 2]);
        let error = parse(format, &mut source, &Limits::default(), &mut Vec::new());
        assert!(matches!(error, Err(ParseError::Io { .. })), "{format}: {error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for format in Format::all() {
            let _ = parse(format, &mut &bytes[..], &Limits::default(), &mut Vec::new());
        }
    }

    #[test]
    fn damaged_files_never_panic(
        which in any::<prop::sample::Index>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..12),
    ) {
        let mut all = specimens();
        let (format, mut bytes) = all.swap_remove(which.index(all.len()));
        for (place, byte, how) in edits {
            let place = place.index(bytes.len());
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
        }
        let mut records = Vec::new();
        let _ = parse(format, &mut &bytes[..], &Limits::default(), &mut records);
        for observation in observations(&records) {
            prop_assert!(!observation.keys.is_empty());
        }
    }
}

#[test]
fn a_small_file_cannot_make_large_records() {
    let ids: String = (1..200_000).map(|n| format!("cwe{n} CVE-2020-{n:06} ")).collect();
    let name = "n".repeat(1 << 20);
    let members: Vec<String> = (0..5_000).map(|n| format!("\"{n}\":\"v\"")).collect();
    let places = vec!["{}"; 5_000].join(",");
    let braces = "{".repeat(1 << 20);
    let log = format!(
        "{{\"runs\":[{{\"tool\":{{\"driver\":{{\"name\":\"{name}\",\"rules\":[{{\"id\":\"R\",\"messageStrings\":{{\"m\":{{\"text\":\"{}\"}}}}}}]}}}},\
        \"results\":[{{\"ruleId\":\"R\",\"message\":{{\"id\":\"m\",\"arguments\":[\"{name}\"]}},\"properties\":{{\"cwe\":\"{ids}\"}},\
        \"fingerprints\":{{\"{name}\":{{{}}},\"a\":{{{}}}}},\"locations\":[{places}]}},\
        {{\"ruleId\":\"{}\",\"message\":{{\"text\":\"{braces}\",\"arguments\":[\"x\"]}}}}]}}]}}",
        "{0}".repeat(2_000),
        members.join(","),
        members.join(","),
        "a/".repeat(1 << 19),
    );
    let records = records(Format::Sarif, log.as_bytes());
    assert_eq!(observations(&records).len(), 1_001);
    for observation in observations(&records) {
        let size = serde_json::to_vec(observation).expect("JSON").len();
        assert!(size < 300 << 10, "{size} bytes");
        assert!(observation.cwes.len() <= 200 && observation.keys.len() <= 20);
    }
}

#[test]
fn a_file_of_which_no_record_can_be_read_is_refused_and_not_called_clean() {
    let unnamed = br#"{"matches":[{"vulnerability":{"id":"CVE-2020-1"}}],"descriptor":{"name":"grype"}}"#;
    let error = refusal(Format::AnchoreGrype, unnamed);
    assert!(error.contains("none of 1 records could be read; the first: "), "{error}");
    let report = |second: &str| {
        let one = r#"{"vulnerability":{"id":"CVE-2020-1"}}"#;
        format!(r#"{{"matches":[{one},{second}],"descriptor":{{"name":"grype"}}}}"#)
    };
    // One that can be read is worth more than the file without it.
    let good = r#"{"vulnerability":{"id":"CVE-2020-2"},"artifact":{"name":"left","version":"1","type":"npm"}}"#;
    let (read, found) = outcome(Format::AnchoreGrype, report(good).as_bytes(), &Options::default());
    assert!(read.failure.is_none());
    assert_eq!((observations(&found).len(), read.totals.skipped), (1, 1));
}

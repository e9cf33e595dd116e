//! Feeds as their publishers write them, and files that are broken on a line that the error must name.

use std::fs::File;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use risk::feeds::{Entry, Epss, FeedError, Kev, Kind, Limits, Release, Stop, read};

use crate::testdata;

const EPSS: &str = "#model_version:v2025.03.14,score_date:2025-06-18T12:55:00Z\ncve,epss,percentile\n\
    CVE-1999-0001,0.01025,0.76429\nCVE-1999-0002,0.164620000,0.94557\n";
const KEV_CSV: &str = "cveID,vendorProject,product,vulnerabilityName,dateAdded,shortDescription,requiredAction,dueDate,\
    knownRansomwareCampaignUse,notes,cwes\nCVE-2021-27104,Accellion,FTA,\"Accellion FTA OS Command\nInjection\",2021-11-03,\"a, b\",\
    Apply updates,2021-11-17,Known,https://x,CWE-78\nCVE-2024-0001,V,P,N,2024-01-02,,,,Unknown,,\n";

fn all(file: impl Read, kind: Option<Kind>) -> Result<(Release, Vec<Entry>), FeedError> {
    let mut entries = Vec::new();
    let release = read(file, kind, &Limits::default(), |entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok((release, entries))
}

fn refusal(text: &str) -> String {
    all(text.as_bytes(), None).unwrap_err().to_string()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_epss_file_tells_its_model_and_day() {
    for bytes in [EPSS.as_bytes().to_vec(), gzip(EPSS), EPSS.replace('\n', "\r\n").into_bytes()] {
        let (release, entries) = all(bytes.as_slice(), None).unwrap();
        assert_eq!(release, Release { kind: Kind::Epss, version: Some("v2025.03.14".into()), date: "2025-06-18".parse().ok(), entries: 2 });
        assert_eq!(entries[1], Entry::Epss(Epss { cve: "CVE-1999-0002".into(), probability: 0.16462, percentile: Some(0.94557) }));
    }
    let (oldest, entries) = all("cve,epss\nCVE-2020-5902,0.65117\n".as_bytes(), Some(Kind::Epss)).unwrap();
    assert_eq!((oldest.version, oldest.date, entries.len()), (None, None, 1));
}

#[test]
fn the_recorded_epss_values_are_read_with_their_extra_columns() {
    let (release, entries) = all(File::open(testdata("vuln/epss_from_scans.csv")).unwrap(), None).unwrap();
    assert_eq!((release.kind, entries.len()), (Kind::Epss, 16));
    assert_eq!(release.date, "2025-07-20".parse().ok());
}

#[test]
fn the_catalogue_of_known_exploited_vulnerabilities_is_read_whole() {
    let file = testdata("vuln/cisa-kev/known_exploited_vulnerabilities.json");
    let (release, entries) = all(File::open(file).unwrap(), None).unwrap();
    assert_eq!(release, Release { kind: Kind::Kev, version: Some("2025.08.25".into()), date: "2025-08-25".parse().ok(), entries: 1404 });
    let ransomware = entries.iter().filter(|entry| matches!(entry, Entry::Kev(kev) if kev.ransomware)).count();
    assert_eq!(ransomware, 293);
    let Entry::Kev(first) = &entries[0] else { panic!("not a KEV entry") };
    assert_eq!((first.cve.as_str(), first.due, first.product.as_str()), ("CVE-2025-48384", "2025-09-15".parse().ok(), "Git"));
}

#[test]
fn the_csv_form_of_the_catalogue_says_the_same() {
    let (release, entries) = all(KEV_CSV.as_bytes(), None).unwrap();
    assert_eq!((release.kind, release.version, release.date), (Kind::Kev, None, "2024-01-02".parse().ok()));
    assert_eq!(
        entries[0],
        Entry::Kev(Kev {
            cve: "CVE-2021-27104".into(),
            vendor: "Accellion".into(),
            product: "FTA".into(),
            name: "Accellion FTA OS Command\nInjection".into(),
            added: "2021-11-03".parse().ok(),
            due: "2021-11-17".parse().ok(),
            ransomware: true,
            action: "Apply updates".into(),
        })
    );
    assert!(matches!(&entries[1], Entry::Kev(Kev { due: None, ransomware: false, .. })));
}

#[test]
fn a_broken_line_is_named() {
    for (text, error) in [
        (EPSS.replace("0.01025", "1.5"), r#"line 3: epss cannot be "1.5""#),
        (EPSS.replace("0.94557", "NaN"), r#"line 4: percentile cannot be "NaN""#),
        (EPSS.replace("CVE-1999-0002", "CVE-99-2"), r#"line 4: cve cannot be "CVE-99-2""#),
        (EPSS.replace(",0.76429", ""), "line 3: 2 columns where the header has 3"),
        (EPSS.replace("epss,", "score,"), "column epss is missing on line 2"),
        (KEV_CSV.replace("2021-11-17", "soon"), r#"line 2: dueDate cannot be "soon""#),
        (KEV_CSV.replace("CVE-2024-0001", "?"), r#"line 4: cveID cannot be "?""#),
        ("{\"vulnerabilities\":[\n{\"cveID\":\"CVE-2024-0001\"},\n{\"cveID\":\"\"}\n]}".into(), r#"line 3: cveID cannot be """#),
        ("{\"vulnerabilities\":[\n{\"cveID\":\"CVE-2024-0001\"}".into(), "line 2: EOF while parsing a list"),
        ("{\"vulnerabilities\":[{}]}".into(), "line 1: missing field `cveID`"),
    ] {
        assert_eq!(refusal(&text), error, "{text}");
    }
}

#[test]
fn a_file_that_is_no_feed_or_the_other_one_is_refused() {
    for text in ["", "hello", "a,b\n1,2\n", "{\"title\":\"x\"}"] {
        assert!(matches!(all(text.as_bytes(), None), Err(FeedError::UnknownKind)), "{text}");
    }
    assert!(matches!(all(EPSS.as_bytes(), Some(Kind::Kev)), Err(FeedError::OtherKind { .. })));
    assert!(matches!(all("cve,epss,percentile\n".as_bytes(), None), Err(FeedError::NoEntries)));
    let whole = gzip(EPSS);
    assert!(matches!(all(&whole[..whole.len() - 12], None), Err(FeedError::Io(_))));
}

#[test]
fn limits_hold_after_decompression_and_the_receiver_may_stop() {
    let bomb = gzip(&format!("{EPSS}{}", "CVE-1999-0003,0.1,0.1\n".repeat(100_000)));
    let limits = Limits { bytes: 100_000, entries: 3_000_000 };
    assert!(matches!(read(bomb.as_slice(), None, &limits, |_| Ok(())), Err(FeedError::TooLarge { limit: 100_000 })));
    let limits = Limits { bytes: 100 << 20, entries: 10 };
    assert!(matches!(read(bomb.as_slice(), None, &limits, |_| Ok(())), Err(FeedError::TooManyEntries { limit: 10 })));
    assert!(matches!(read(EPSS.as_bytes(), None, &Limits::default(), |_| Err(Stop)), Err(FeedError::Stopped)));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[ -~\n]{0,200}") {
        let limits = Limits { bytes: 10_000, entries: 100 };
        for head in ["", "cve,epss\n", "cveID\n", "{\"vulnerabilities\":[", "#model_version:"] {
            let _ = read([head.as_bytes(), &bytes].concat().as_slice(), None, &limits, |_| Ok(()));
            let _ = read(format!("{head}{text}").as_bytes(), None, &limits, |_| Ok(()));
        }
    }
}

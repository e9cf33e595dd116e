//! What our own scanner found, in the language of a report; and what others said, left as it is.

use base::Language;
use reports::snapshot::{Evidence, Location, Snapshot};
use reports::{Frozen, document, page};

use crate::sample;

const ENGLISH: &str = "Certificate is self-signed";

/// Two findings of one title: the first by our scanner, the second by another tool.
fn snapshot() -> Snapshot {
    let mut snapshot = sample::snapshot(3);
    for (finding, source) in snapshot.findings.iter_mut().zip(["tyrian", "nuclei"]) {
        finding.title = ENGLISH.to_owned();
        finding.description =
            "Nobody vouches for the certificate: a client cannot tell the server from an attacker who made another one.".to_owned();
        finding.remediation = Some("Use a certificate of an authority that the clients trust.".to_owned());
        finding.sources = vec![source.to_owned()];
        finding.check = Some("tls.certificate-self-signed".to_owned());
        finding.evidence = vec![Evidence { label: "issuer".to_owned(), body: "CN=box".to_owned(), truncated: false }];
    }
    let port = &mut snapshot.findings[2];
    port.title = "Open port 18080/tcp (http)".to_owned();
    port.sources = vec!["tyrian".to_owned()];
    port.check = Some("ports.open".to_owned());
    port.locations =
        vec![Location { host: Some("192.0.2.8".into()), port: Some(18080), service: Some("http".into()), ..Location::default() }];
    snapshot
}

#[test]
fn a_report_tells_what_our_scanner_found_in_its_language_and_its_data_as_it_was_observed() {
    let frozen = snapshot().freeze().unwrap();
    let readers = [
        (
            Language::Portuguese,
            "Certificado autoassinado",
            "Ninguém atesta o certificado",
            "<p class=\"label\">emissor",
            "Porta 18080/tcp aberta (http)",
        ),
        (
            Language::Spanish,
            "Certificado autofirmado",
            "Nadie avala el certificado",
            "<p class=\"label\">emisor",
            "Puerto 18080/tcp abierto (http)",
        ),
    ];
    for (language, title, description, label, port) in readers {
        let html = page(&frozen, language).unwrap();
        for words in [title, description, label, port] {
            assert!(html.contains(words), "{language:?} {words}");
        }
        assert!(html.contains(ENGLISH) && html.contains("Nobody vouches"), "{language:?}: another tool keeps its words");
        let printed = document(&frozen, language).unwrap();
        let data = String::from_utf8(printed.files["data.json"].clone()).unwrap();
        assert!(data.contains(title) && data.contains(description) && data.contains(port), "{language:?}: the printed form too");
    }
    let english = page(&frozen, Language::English).unwrap();
    assert!(english.contains(ENGLISH) && english.contains("Open port 18080/tcp (http)") && !english.contains("Certificado"));
    let data = std::str::from_utf8(frozen.json()).unwrap();
    assert!(data.contains(ENGLISH) && !data.contains("Certificado"), "what is frozen is what was observed");
}

#[test]
fn a_report_frozen_before_checks_were_kept_reads_back_and_says_what_it_said() {
    let mut older = snapshot();
    for finding in &mut older.findings {
        finding.check = None;
        finding.locations.iter_mut().for_each(|place| place.service = None);
    }
    let older = older.freeze().unwrap();
    assert!(!std::str::from_utf8(older.json()).unwrap().contains("\"check\""));
    let read = Frozen::read(older.json(), older.digest()).unwrap();
    let html = page(&read, Language::Portuguese).unwrap();
    assert!(html.contains(ENGLISH) && !html.contains("Certificado autoassinado"));
}

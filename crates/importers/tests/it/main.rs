//! Importers against real output, the published counts, hostile bytes and the laws of identity.
#![expect(clippy::disallowed_methods, reason = "tests find their data through the environment")]
#![expect(clippy::expect_used, reason = "functions beside the tests may fail them too")]

mod code;
mod expected;
mod extent;
mod gone;
mod hostile;
mod identity;
mod laws;
mod listed;
mod mapped;
mod mapping;
mod net;
mod packages;
mod sniffing;
mod variants;
mod web;

use std::path::PathBuf;

use importers::{Format, Limits, Observation, Options, Outcome, Record, parse, read};

/// Folder of the recorded tool outputs.
fn testdata() -> PathBuf {
    let folder = std::env::var("TYRIAN_TESTDATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    assert!(folder.join("importers").is_dir(), "test data is missing: set TYRIAN_TESTDATA to its folder");
    folder.join("importers")
}

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read(path).expect("fixture")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(testdata().join(name)).expect("sample")
}

/// Every record of an input that must be readable.
fn records(format: Format, bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    parse(format, &mut &bytes[..], &Limits::default(), &mut records).expect("readable");
    records
}

fn outcome(format: Format, bytes: &[u8], options: &Options) -> (Outcome, Vec<Record>) {
    let mut records = Vec::new();
    let outcome = read(format, &mut &bytes[..], options, &mut records);
    (outcome, records)
}

fn observations(records: &[Record]) -> Vec<&Observation> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Observation(observation) => Some(observation),
            _ => None,
        })
        .collect()
}

fn warnings(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Warning(warning) => Some(format!("{}: {}", warning.position.unwrap_or_default(), warning.message)),
            _ => None,
        })
        .collect()
}

/// A small file of every format, with everything the mappings look at.
fn specimens() -> Vec<(Format, Vec<u8>)> {
    let mut all = vec![
        (Format::Nmap, fixture("nmap-scripts.xml")),
        (Format::Nmap, sample("nmap/nmap_1port.xml")),
        (Format::Sarif, sample("sarif/appendix_k.sarif")),
        (Format::Sarif, sample("sarif/blackduck_nested_fingerprints.sarif")),
        (Format::Nuclei, sample("nuclei/many_findings.json")),
        (Format::Nuclei, sample("nuclei/multiple_v3.json")),
        (Format::Sslscan, sample("sslscan/sslscan_many_vuln.xml")),
        (Format::Sslscan, fixture("sslscan-self-signed.xml")),
    ];
    all.extend(web::specimens());
    all.extend(net::specimens());
    all.extend(packages::specimens());
    all.extend(variants::specimens());
    all.extend(listed::specimens());
    all
}

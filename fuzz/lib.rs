//! What every import must keep to, whatever the bytes are.

use std::io::{self, Read};

use importers::{Detail, Format, Limits, Options, Outcome, Record, read};

/// Bounds small enough that a fuzzer reaches them.
fn options(detail: Detail) -> Options {
    let limits = Limits { bytes: 1 << 20, records: 2_000, depth: 40, text: 32 << 10, evidence: 512, warnings: 20 };
    Options { limits, detail }
}

/// Hands out a few bytes at a time.
struct Dribble<'b>(&'b [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.1);
        self.0.read(&mut buffer[..length])
    }
}

fn import(format: Format, source: &mut dyn Read, options: &Options) -> (Outcome, Vec<Record>) {
    let mut records = Vec::new();
    let outcome = read(format, source, options, &mut records);
    (outcome, records)
}

/// Imports in whole and in pieces and checks what callers rely on.
pub fn check(format: Format, bytes: &[u8]) {
    for detail in [Detail::Reported, Detail::Judged] {
        let options = options(detail);
        let (outcome, records) = import(format, &mut &bytes[..], &options);
        if detail == Detail::Judged {
            let (pieces, again) = import(format, &mut Dribble(bytes, 3), &options);
            assert_eq!(records, again, "the size of reads matters");
            assert_eq!(outcome.totals.observations, pieces.totals.observations);
            assert_eq!(outcome.failure.is_some(), pieces.failure.is_some());
        }
        let totals = &outcome.totals;
        assert!(totals.observations + totals.assets + totals.coverage <= options.limits.records);
        assert!(totals.bytes <= options.limits.bytes.max(bytes.len() as u64));
        let position = outcome.failure.as_ref().and_then(|failure| failure.position());
        // UTF-16 grows when it becomes UTF-8.
        assert!(position.is_none_or(|position| position.byte <= 2 * bytes.len() as u64), "{position:?}");
        for record in &records {
            if let Record::Observation(observation) = record {
                assert!(!observation.keys.is_empty(), "no identity: {observation:?}");
                assert!(!observation.check.is_empty() && !observation.source.is_empty(), "no check: {observation:?}");
                assert!(observation.confidence <= 100);
                assert!(observation.evidence.iter().all(|evidence| evidence.body.len() <= options.limits.evidence));
            }
        }
        let told: Vec<Record> = match serde_json::from_str(&serde_json::to_string(&records).expect("JSON")) {
            Ok(told) => told,
            Err(error) => panic!("records do not survive JSON: {error}"),
        };
        assert_eq!(records, told);
    }
}

//! Any mapping, and any bytes read by it or by one that fits everything.
#![no_main]

use importers::{Limits, Mapping};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (text, bytes) = input;
    let table = r#"{"name":"t","fields":{"title":"a","severity":"b","host":"c","cves":"d"},"keys":["a"]}"#;
    let json = r#"{"name":"j","notation":"json","records":"r","fields":{"title":"a.0","tags":"b","url":"c"},"keys":["a"]}"#;
    let lines = json.replace(r#""records":"r","#, "");
    for mapping in [text, table, json, &lines] {
        let Ok(mapping) = Mapping::from_json(mapping) else {
            continue;
        };
        let limits = Limits { bytes: 1 << 20, records: 2_000, depth: 40, text: 32 << 10, evidence: 512, warnings: 20 };
        let mut records = Vec::new();
        let whole = mapping.parse(&mut &bytes[..], &limits, &mut records).is_ok();
        let trial = mapping.attempt(bytes, &limits);
        assert_eq!(trial.failure.is_none(), whole, "a trial tells what an import does");
        assert!(trial.records.iter().zip(&records).all(|(one, other)| one == other));
    }
});

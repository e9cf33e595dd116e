//! Import speed of the two commonest inputs; run with `cargo bench -p importers`.

use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use importers::{Format, Limits, Record, Sink, Stop, parse};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// Counts without keeping, as a database writer would.
#[derive(Default)]
struct Counting(u64);

impl Sink for Counting {
    fn record(&mut self, record: Record) -> Result<(), Stop> {
        self.0 += u64::from(matches!(record, Record::Observation(_)));
        Ok(())
    }
}

fn nuclei_lines(count: usize) -> String {
    (0..count)
        .map(|index| {
            format!(
                r#"{{"template-id":"t-{}","info":{{"name":"Exposed panel {index}","severity":"medium","tags":["panel"],"description":"A panel is reachable.","classification":{{"cwe-id":["cwe-200"],"cvss-metrics":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"}}}},"type":"http","host":"https://h{}.example","matched-at":"https://h{}.example/admin/{index}","request":"GET /admin HTTP/1.1","response":"HTTP/1.1 200 OK","timestamp":"2024-05-20T11:11:01Z","matcher-status":true}}"#,
                index % 97, index % 31, index % 31
            ) + "\n"
        })
        .collect()
}

/// As a static analyser writes them: rules first, then results with a place and a snippet.
fn sarif_results(count: usize) -> String {
    let rules: Vec<String> = (0..100)
        .map(|index| {
            format!(
                r#"{{"id":"rule-{index}","shortDescription":{{"text":"Rule {index}"}},"fullDescription":{{"text":"Input reaches a query without being escaped."}},"defaultConfiguration":{{"level":"warning"}},"properties":{{"tags":["security","external/cwe/cwe-089"],"security-severity":"7.5"}}}}"#
            )
        })
        .collect();
    let results: Vec<String> = (0..count)
        .map(|index| {
            format!(
                r#"{{"ruleId":"rule-{}","level":"warning","message":{{"text":"This query depends on a user-provided value."}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"src/module_{}/file_{index}.py"}},"region":{{"startLine":{},"snippet":{{"text":"cursor.execute('SELECT * FROM t WHERE id = %s' % value_{index})"}}}}}}}}],"partialFingerprints":{{"primaryLocationLineHash":"{index:016x}:1"}}}}"#,
                index % 100, index % 31, index % 997 + 1
            )
        })
        .collect();
    format!(
        r#"{{"version":"2.1.0","$schema":"https://json.schemastore.org/sarif-2.1.0.json","runs":[{{"tool":{{"driver":{{"name":"bench","rules":[{}]}}}},"results":[{}]}}]}}"#,
        rules.join(","),
        results.join(",")
    )
}

fn nmap_ports(count: usize) -> String {
    let ports: String = (0..count)
        .map(|index| {
            format!(
                r#"<port protocol="tcp" portid="{}"><state state="open" reason="syn-ack"/><service name="http" product="nginx" version="1.24" method="probed" conf="10"><cpe>cpe:/a:nginx:nginx:1.24</cpe></service></port>"#,
                index % 65_535 + 1
            ) + "\n"
        })
        .collect();
    format!(
        r#"<?xml version="1.0"?><nmaprun start="1"><host><status state="up"/><address addr="192.0.2.1" addrtype="ipv4"/><ports>{ports}</ports></host><runstats><finished exit="success"/></runstats></nmaprun>"#
    )
}

fn import(bencher: Bencher<'_, '_>, format: Format, count: usize, input: &str) {
    bencher.counter(ItemsCount::new(count)).counter(BytesCount::of_str(input)).bench_local(|| {
        let mut sink = Counting::default();
        let totals = parse(format, &mut input.as_bytes(), &Limits::default(), &mut sink);
        assert_eq!(totals.map(|totals| totals.observations).ok(), Some(sink.0));
    });
}

#[divan::bench(args = [10_000])]
fn nuclei(bencher: Bencher<'_, '_>, count: usize) {
    import(bencher, Format::Nuclei, count, &nuclei_lines(count));
}

#[divan::bench(args = [10_000])]
fn nmap(bencher: Bencher<'_, '_>, count: usize) {
    import(bencher, Format::Nmap, count, &nmap_ports(count));
}

#[divan::bench(args = [10_000])]
fn nuclei_array(bencher: Bencher<'_, '_>, count: usize) {
    let lines = nuclei_lines(count);
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    import(bencher, Format::Nuclei, count, &array);
}

#[divan::bench(args = [10_000])]
fn sarif(bencher: Bencher<'_, '_>, count: usize) {
    import(bencher, Format::Sarif, count, &sarif_results(count));
}

//! Ten thousand findings into each engine: for the first time, again, again with other words, and how long a caller waits
//! for a large file to be accepted. Prints times, statements and the resident memory.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, measures and stops at the first failure")]

use std::fs::File;
use std::io::{Seek, Write};
use std::time::Instant;

use base::{Actor, Role};
use importers::Format;
use results::{ImportOptions, ImportRequest, Results};
use scans::Scans;
use targets::Targets;
use testkit::{World, engines};

const FINDINGS: usize = 10_000;

fn main() {
    // One core: what a figure per core means.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let scans = Scans::new(&world.backends, &targets, scans::Config::default());
        let results = Results::new(&world.backends, &scans, &targets);
        let actor = world.actor(&[Role::Admin]);
        println!("{engine:?}");
        for (name, wording, key) in [("first time", "a", "1"), ("identical again", "a", "2"), ("other words", "b", "3")] {
            let before = world.backends.db.statements();
            let begun = Instant::now();
            let import = Box::pin(results.import(&actor, request(wording, key))).await.expect("an import");
            let (took, statements) = (begun.elapsed(), world.backends.db.statements() - before);
            println!(
                "  {name:<18} {:>7.3} s  {statements:>4} statements  {} new, {} known, {} MB resident",
                took.as_secs_f64(),
                import.summary.created,
                import.summary.unchanged,
                resident()
            );
        }
        let begun = Instant::now();
        accepted(&results, &actor).await;
        println!("  accepted           {:>7.3} s", begun.elapsed().as_secs_f64());
    }
}

async fn accepted(results: &Results, actor: &Actor) {
    Box::pin(results.accept(actor, request("c", "4"))).await.expect("accepted");
}

fn request(wording: &str, key: &str) -> ImportRequest {
    let mut file = tempfile::tempfile().expect("a file");
    for number in 0..FINDINGS {
        let (page, severity) = (number % 500, ["info", "low", "medium", "high", "critical"][number % 5]);
        writeln!(
            file,
            r#"{{"template-id":"check-{number}","info":{{"name":"Finding {number} {wording}","severity":"{severity}","description":"What was found and why it matters, in a sentence or two {wording}.","reference":["https://example.org/{number}"],"classification":{{"cwe-id":["CWE-79"],"cve-id":["CVE-2024-{number}"]}}}},"type":"http","host":"https://host-{page}.example","matched-at":"https://host-{page}.example/app/{page}","timestamp":"2026-01-02T03:04:05Z"}}"#
        )
        .expect("written");
    }
    file.rewind().expect("rewound");
    plain(file, key)
}

fn plain(file: File, key: &str) -> ImportRequest {
    ImportRequest {
        format: Some(Format::Nuclei),
        filename: Some("bench.jsonl".into()),
        target_id: None,
        idempotency_key: Some(key.into()),
        dry_run: false,
        options: ImportOptions::default(),
        file,
    }
}

/// Megabytes of this process in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}

//! Search over one million findings and what was seen of them: words, phrases, fields, ranges, beginnings, all together, in several
//! orders, first and later pages. `TYRIAN_BENCH_DB=sqlite` has the rows in SQLite, `TYRIAN_BENCH_SEARCH` names another engine by its
//! URL, `TYRIAN_BENCH_FINDINGS` says how many there are.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures, reads its size from the environment and stops at the first failure"
)]

#[path = "../../results/benches/fill/mod.rs"]
mod fill;

use std::time::{Duration, Instant};

use audit::Audit;
use base::Role;
use results::Results;
use scans::Scans;
use search::{IndexName, Question, Search};
use targets::Targets;
use testkit::World;

/// What an answer may take, of twenty times the nineteenth.
const GOAL: Duration = Duration::from_millis(50);
const ROUNDS: usize = 20;

/// Where, what and in which order: frequent words and rare ones, alone and together, and what nothing has.
const QUESTIONS: &[(IndexName, &str, &str)] = &[
    (IndexName::Vulnerabilities, "", ""),
    (IndexName::Vulnerabilities, "", "-last_seen"),
    (IndexName::Vulnerabilities, "", "title"),
    (IndexName::Vulnerabilities, "injection", ""),
    (IndexName::Vulnerabilities, "matters", ""),
    (IndexName::Vulnerabilities, "nowhere", ""),
    (IndexName::Vulnerabilities, "\"weak cipher\"", ""),
    (IndexName::Vulnerabilities, "\"change the setting\"", "-first_seen"),
    (IndexName::Vulnerabilities, "cve:CVE-2024-31234", ""),
    (IndexName::Vulnerabilities, "cve:CVE-2024-3*", ""),
    (IndexName::Vulnerabilities, "expos*", ""),
    (IndexName::Vulnerabilities, "severity:>=high AND status:open", ""),
    (IndexName::Vulnerabilities, "severity:critical AND status:open NOT source:nmap", "-last_seen"),
    (IndexName::Vulnerabilities, "host:host-1234.example", ""),
    (IndexName::Vulnerabilities, "host:host-12*", "-last_seen"),
    (IndexName::Vulnerabilities, "cvss_score:[7 TO 9] port:443", ""),
    (IndexName::Vulnerabilities, "(injection OR cipher) AND tag:tag AND cwe:CWE-79", ""),
    (IndexName::Vulnerabilities, "first_seen:>=2025-01-01 source:trivy", "-first_seen"),
    (IndexName::Vulnerabilities, "unit:retail", ""),
    (IndexName::Vulnerabilities, "NOT status:fixed", ""),
    (IndexName::ScanResults, "", ""),
    (IndexName::ScanResults, "sentence", ""),
    (IndexName::ScanResults, "source:nuclei severity:>=high", ""),
    (IndexName::ScanResults, "host:host-77.example", "-created_at"),
];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let (wanted, engine) = (fill::wanted(), fill::engine());
    let world = World::new(engine).await;
    let mut backends = world.backends.clone();
    if let Ok(url) = std::env::var("TYRIAN_BENCH_SEARCH") {
        let authorities = backends::Authorities::load(None).expect("authorities");
        backends.search = backends::Search::connect(&url, "bench-", &authorities).expect("an engine");
    }
    let targets = Targets::new(&backends);
    let scans = Scans::new(&backends, &targets, scans::Config::default());
    let results = Results::new(&backends, &scans, &targets);
    let search = Search::new(&backends, &Audit::new(&backends), &targets, &scans, &results);
    let actor = world.actor(&[Role::Admin]);
    fill::fill(&world, &actor, engine, wanted, false).await;
    for index in [IndexName::Vulnerabilities, IndexName::ScanResults] {
        let begun = Instant::now();
        let made = search.rebuild_now(index).await.expect("an index");
        println!("{index:?}: {made} made in {:.0} s", begun.elapsed().as_secs_f64());
    }
    let mut missed = 0;
    for (index, q, sort) in QUESTIONS {
        let first = Question { q: (*q).to_owned(), index: *index, sort: (*sort).to_owned(), limit: Some(50), ..Question::default() };
        let answer = search.find(&actor, &first).await.expect("an answer");
        let next = answer.next_cursor.map(|cursor| Question { cursor: Some(cursor), ..first.clone() });
        let mut times = Vec::new();
        for question in std::iter::once(&first).chain(&next) {
            for _ in 0..ROUNDS {
                let begun = Instant::now();
                drop(search.find(&actor, question).await.expect("an answer"));
                times.push(begun.elapsed());
            }
        }
        missed += usize::from(!told(&format!("{index:?} {q} {sort}"), answer.total, times));
    }
    println!("{missed} over {GOAL:?}");
    assert!(missed == 0, "a figure was missed");
}

fn told(name: &str, total: i64, mut times: Vec<Duration>) -> bool {
    times.sort();
    let p95 = times[(times.len() * 95).div_ceil(100).saturating_sub(1)];
    let is_met = p95 <= GOAL;
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let mark = if is_met { " " } else { "!" };
    println!("  {mark} {name:<80} {total:>6} hits  p50 {:>7.1} ms  p95 {:>7.1} ms", ms(times[times.len() / 2]), ms(p95));
    is_met
}

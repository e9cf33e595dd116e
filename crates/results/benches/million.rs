//! One million findings in PostgreSQL (`TYRIAN_BENCH_DB=sqlite`: in SQLite): every order and every filter of the console's list,
//! first and later pages, and what stands at its head; and what all of it takes on disk. `TYRIAN_BENCH_FINDINGS` says how many
//! instead; of more than a million only the orders are asked, which may take twice as long. `TYRIAN_BENCH_ONLY="cve q="` asks only
//! what has one of these in its name.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures, reads its size from the environment and stops at the first failure"
)]

mod fill;

use std::time::{Duration, Instant};

use backends::sql;
use base::{Actor, PageRequest, Role};
use results::{Filter, Results, Sort};
use scans::Scans;
use targets::Targets;
use testkit::{Engine, World};

/// Bytes on disk per million findings.
const MOST_BYTES: u64 = 4 << 30;
const ROUNDS: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let (wanted, engine) = (fill::wanted(), fill::engine());
    let world = World::new(engine).await;
    let targets = Targets::new(&world.backends);
    let scans = Scans::new(&world.backends, &targets, scans::Config::default());
    let results = Results::new(&world.backends, &scans, &targets);
    let actor = world.actor(&[Role::Admin]);
    let begun = Instant::now();
    fill::fill(&world, &actor, engine, wanted, false).await;
    println!("{wanted} findings with names and observations written in {:.0} s", begun.elapsed().as_secs_f64());
    let is_small = disk(&world, engine, wanted).await;

    let mut missed = 0;
    for sort in Sort::ALL {
        missed += usize::from(!measured(&results, &actor, &format!("sort={sort}"), &Filter::default(), *sort).await);
    }
    for (name, filter) in if wanted > fill::MILLION { Vec::new() } else { filters() } {
        for sort in [Sort::Severity, Sort::Newest, Sort::Title, Sort::Risk] {
            missed += usize::from(!measured(&results, &actor, &format!("{name}&sort={sort}"), &filter, sort).await);
        }
        missed += usize::from(!counted(&results, &actor, name, &filter).await);
    }
    missed += usize::from(!counted(&results, &actor, "", &Filter::default()).await);
    let clusters = times(async || drop(results.clusters(&actor, &PageRequest::default()).await.expect("clusters"))).await;
    missed += usize::from(!told("clusters", &clusters));
    println!("{missed} over {:?}", goal());
    assert!(missed == 0 && is_small, "a figure was missed");
}

/// What a list may take, of twenty times the nineteenth.
fn goal() -> Duration {
    Duration::from_millis(if fill::wanted() > fill::MILLION { 100 } else { 50 })
}

async fn disk(world: &World, engine: Engine, wanted: i64) -> bool {
    if engine == Engine::Embedded {
        let pages = sql("SELECT page_count * page_size AS whole FROM pragma_page_count(), pragma_page_size()");
        let rows = world.backends.db.all(pages).await.expect("sizes");
        let whole: u64 = rows.first().expect("a size").get("whole").expect("a size");
        let of = whole * 1_000_000 / u64::try_from(wanted).expect("a number");
        println!("  {} MB on disk, {} MB per million", whole >> 20, of >> 20);
        return of <= MOST_BYTES;
    }
    let statement = sql(
        "SELECT relname, pg_table_size(oid) AS own, pg_indexes_size(oid) AS indexes, pg_total_relation_size(oid) AS whole FROM pg_class
         WHERE relkind = 'r' AND relname IN ('vulnerabilities', 'finding_keys', 'observations', 'finding_sightings', 'finding_tallies') ORDER BY whole DESC",
    );
    let mut sum = 0;
    for row in world.backends.db.all(statement).await.expect("sizes") {
        let [own, indexes, whole] = ["own", "indexes", "whole"].map(|name| row.get::<u64>(name).expect("a size"));
        println!(
            "  {:<16} {:>6} MB, of which indexes {:>6} MB",
            row.get::<String>("relname").expect("a name"),
            (own + indexes) >> 20,
            indexes >> 20
        );
        sum += whole;
    }
    let of = sum * 1_000_000 / u64::try_from(wanted).expect("a number");
    println!("  {} MB on disk, {} MB per million", sum >> 20, of >> 20);
    of <= MOST_BYTES
}

/// Frequent values and rare ones, alone and together, and what nothing has.
fn filters() -> Vec<(&'static str, Filter)> {
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let some = |text: &str| Some(text.to_owned());
    let target = || "01900000-0000-7000-9000-000000000007".parse().ok();
    let plain = Filter::default;
    vec![
        ("status=open", Filter { status: words(&["open"]), ..plain() }),
        ("status=accepted", Filter { status: words(&["accepted"]), ..plain() }),
        ("status=mitigated", Filter { status: words(&["mitigated"]), ..plain() }),
        ("severity=critical", Filter { severity: words(&["critical"]), ..plain() }),
        (
            "severity=critical,high&status=open,not_retested",
            Filter { severity: words(&["critical", "high"]), status: words(&["open", "not_retested"]), ..plain() },
        ),
        (
            "severity=critical&status=false_positive",
            Filter { severity: words(&["critical"]), status: words(&["false_positive"]), ..plain() },
        ),
        ("target", Filter { target: target(), ..plain() }),
        ("target&severity=high", Filter { target: target(), severity: words(&["high"]), ..plain() }),
        ("source=nmap", Filter { source: some("nmap"), ..plain() }),
        ("source=nobody", Filter { source: some("nobody"), ..plain() }),
        ("check", Filter { check: some("check-1-77"), ..plain() }),
        ("service=shop", Filter { service: some("shop"), ..plain() }),
        ("cve", Filter { cve: some("CVE-2024-31234"), ..plain() }),
        ("cve (nobody's)", Filter { cve: some("CVE-1999-0001"), ..plain() }),
        ("cwe=79", Filter { cwe: Some(79), ..plain() }),
        ("cwe=611", Filter { cwe: Some(611), ..plain() }),
        ("q=host-1234.", Filter { q: some("host-1234."), ..plain() }),
        ("q=example", Filter { q: some("example"), ..plain() }),
        ("unit=retail (nobody's)", Filter { unit: "retail".parse().ok(), ..plain() }),
        ("q=nowhere", Filter { q: some("nowhere"), ..plain() }),
        ("import", Filter { import: "01900000-0000-7000-a000-000000000011".parse().ok(), ..plain() }),
    ]
}

fn is_asked(name: &str) -> bool {
    let only = std::env::var("TYRIAN_BENCH_ONLY").unwrap_or_default();
    only.is_empty() || only.split_whitespace().any(|part| name.contains(part))
}

/// The first page and the next.
async fn measured(results: &Results, actor: &Actor, name: &str, filter: &Filter, sort: Sort) -> bool {
    if !is_asked(name) {
        return true;
    }
    let first = PageRequest { cursor: None, limit: Some(50) };
    let page = results.findings(actor, filter, sort, &first).await.expect("a page");
    assert!(page.items.len() == 50 || !name.starts_with("sort="), "only {} findings in order", page.items.len());
    let mut ends = vec![first];
    ends.extend(page.next_cursor.map(|cursor| PageRequest { cursor: Some(cursor), limit: Some(50) }));
    let mut all = Vec::new();
    for request in &ends {
        all.extend(times(async || drop(results.findings(actor, filter, sort, request).await.expect("a page"))).await);
    }
    told(name, &all)
}

async fn counted(results: &Results, actor: &Actor, name: &str, filter: &Filter) -> bool {
    if !is_asked(name) {
        return true;
    }
    let all = times(async || {
        std::hint::black_box(results.matching(actor, filter).await.expect("a count"));
    })
    .await;
    told(&format!("{name} counted"), &all)
}

async fn times(mut work: impl AsyncFnMut()) -> Vec<Duration> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        work().await;
        times.push(begun.elapsed());
    }
    times
}

fn told(name: &str, times: &[Duration]) -> bool {
    let mut sorted = times.to_vec();
    sorted.sort();
    let p95 = sorted[(sorted.len() * 95).div_ceil(100).saturating_sub(1)];
    let is_met = p95 <= goal();
    println!("  {} {:<60} p50 {:>7.1} ms  p95 {:>7.1} ms", if is_met { " " } else { "!" }, name, ms(sorted[sorted.len() / 2]), ms(p95));
    is_met
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

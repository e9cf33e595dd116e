//! One million findings in PostgreSQL: every order and every filter of the console's list, first and later pages, and what
//! stands at its head; and what all of it takes on disk. `TYRIAN_BENCH_FINDINGS` says how many instead.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures, reads its size from the environment and stops at the first failure"
)]

use std::time::{Duration, Instant};

use backends::sql;
use base::{Actor, PageRequest, Role};
use results::{Filter, Results, Sort};
use scans::Scans;
use targets::Targets;
use testkit::{Engine, World};

/// What a list may take, of twenty times the nineteenth.
const GOAL: Duration = Duration::from_millis(50);
/// Bytes on disk per million findings.
const MOST_BYTES: u64 = 4 << 30;
const ROUNDS: usize = 20;

/// Rows like those of imports: a few tools, ten thousand hosts, a tenth fixed, some decided about, a CVE on every second.
/// `$1` is the tenant; the number of the first and the last row follow.
const FINDINGS: &str = "INSERT INTO vulnerabilities (id, tenant_id, target_id, service, source, check_id, title, description, remediation, severity, cvss,
    cvss_score, cwes, cves, refs, tags, location, confidence, labels, search, state, status, status_until, base_status, ambiguous, first_seen, last_seen,
    last_scan, last_import, times_seen, asset, content, first_import, fixed_at, cluster, cluster_reason, risk, due_at)
SELECT '01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'), $1,
    CASE WHEN n % 10 = 0 THEN '' ELSE '01900000-0000-7000-9000-' || lpad(to_hex(n % 200), 12, '0') END,
    CASE WHEN n % 500 = 0 THEN 'shop' ELSE '' END,
    (ARRAY['nuclei', 'nmap', 'trivy', 'zap', 'sarif:semgrep', 'tyrian'])[1 + n % 6],
    'check-' || n % 6 || '-' || (n / 6) % 3000,
    (ARRAY['Outdated component', 'Missing header', 'Open port', 'Injection', 'Weak cipher', 'Exposed file'])[1 + (n / 7) % 6] || ' ' || (n / 6) % 3000 || ' on host-' || n % 10000,
    'What was found there and why it matters, in a sentence or two as tools write them, number ' || n || '.',
    'Update the component or change the setting; number ' || n % 3000 || ' says how.',
    CASE WHEN n % 100 < 2 THEN 4 WHEN n % 100 < 12 THEN 3 WHEN n % 100 < 40 THEN 2 WHEN n % 100 < 70 THEN 1 ELSE 0 END,
    CASE WHEN n % 2 = 0 THEN 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N' END, CASE WHEN n % 2 = 0 THEN 7.5 END,
    '[79]', CASE WHEN n % 2 = 0 THEN '[\"CVE-2024-' || n % 40000 || '\"]' ELSE '[]' END, '[\"https://example.org/' || n % 3000 || '\"]', '[\"tag\"]',
    '{\"host\":\"host-' || n % 10000 || '.example\",\"ip\":null,\"port\":443,\"protocol\":\"tcp\",\"url\":\"https://host-' || n % 10000 || '.example/app/' || n % 97 || '\"}',
    80, CASE WHEN n % 2 = 0 THEN ' CVE-2024-' || n % 40000 || ' CWE-79 ' ELSE ' CWE-79 ' END,
    'finding ' || (n / 6) % 3000 || E'\\ncheck-' || n % 6 || '-' || (n / 6) % 3000 || E'\\nhost-' || n % 10000 || E'.example\\nhttps://host-' || n % 10000 || '.example/app/' || n % 97 || E'\\n:443',
    CASE WHEN n % 10 = 3 THEN 'absent' WHEN n % 10 = 4 THEN 'not_retested' ELSE 'present' END,
    CASE WHEN n % 1000 = 5 THEN 'accepted' WHEN n % 1000 = 6 THEN 'false_positive' WHEN n % 10 = 3 THEN 'fixed' WHEN n % 10 = 4 THEN 'not_retested' ELSE 'open' END,
    CASE WHEN n % 1000 = 5 THEN 1800000000000000 + n END,
    CASE WHEN n % 10 = 3 THEN 'fixed' WHEN n % 10 = 4 THEN 'not_retested' ELSE 'open' END,
    FALSE, 1700000000000000 + (n * 7919) % 60000000000000, 1760000000000000 + (n * 104729) % 6000000000000, NULL,
    '01900000-0000-7000-a000-' || lpad(to_hex(n / 5000), 12, '0'), 1 + n % 9, 'host-' || n % 10000 || '.example', lpad(to_hex(n), 16, '0'),
    '01900000-0000-7000-a000-' || lpad(to_hex(n / 5000), 12, '0'), CASE WHEN n % 10 = 3 THEN 1765000000000000 + n END,
    CASE WHEN n % 2 = 0 THEN encode(sha256(('cluster' || n / 4)::bytea), 'hex') END, CASE WHEN n % 2 = 0 THEN 'CVE-2024-' || n % 40000 || ' on host' END,
    (n * 31) % 100000, CASE WHEN n % 7 < 3 THEN 1767000000000000 + (n * 7919) % 9000000000000 END
FROM generate_series(CAST($2 AS BIGINT), CAST($3 AS BIGINT)) AS n";

const KEYS: &str = "INSERT INTO finding_keys (tenant_id, finding_id, position, scheme, version, digest, added_by)
SELECT $1, '01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'), position, CASE position WHEN 0 THEN 'web' ELSE 'web.moved' END, 1,
    encode(sha256((position || 'key' || n)::bytea), 'hex'), '01900000-0000-7000-a000-' || lpad(to_hex(n / 5000), 12, '0')
FROM generate_series(CAST($2 AS BIGINT), CAST($3 AS BIGINT)) AS n, generate_series(0, 1) AS position";

const OBSERVATIONS: &str = "INSERT INTO observations (id, tenant_id, finding_id, import_id, scan_id, body, created_at, observed_at)
SELECT '01900000-0000-7000-b000-' || lpad(to_hex(n), 12, '0'), $1, '01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'),
    '01900000-0000-7000-a000-' || lpad(to_hex(n / 5000), 12, '0'), NULL,
    '{\"source\":\"nuclei\",\"check\":\"check-' || n % 3000 || '\",\"title\":\"Finding ' || n || '\",\"description\":\"What was found there and why it matters, in a sentence or two as tools write them, number ' || n
    || '.\",\"remediation\":null,\"severity\":\"high\",\"confidence\":80,\"cvss\":null,\"cwes\":[79],\"cves\":[],\"aliases\":[],\"references\":[\"https://example.org/' || n % 3000
    || '\"],\"tags\":[\"tag\"],\"location\":{\"host\":\"host-' || n % 10000 || '.example\",\"ip\":null,\"port\":443,\"url\":\"https://host-' || n % 10000 || '.example/app/' || n % 97 || '\"},\"evidence\":[],\"keys\":[]}',
    1760000000000000 + n, '2026-01-02T03:04:05Z'
FROM generate_series(CAST($2 AS BIGINT), CAST($3 AS BIGINT)) AS n";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let wanted = std::env::var("TYRIAN_BENCH_FINDINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000_i64);
    let world = World::new(Engine::Distributed).await;
    let targets = Targets::new(&world.backends);
    let scans = Scans::new(&world.backends, &targets, scans::Config::default());
    let results = Results::new(&world.backends, &scans, &targets);
    let actor = world.actor(&[Role::Admin]);
    let begun = Instant::now();
    fill(&world, &actor, wanted).await;
    println!("{wanted} findings with names and observations written in {:.0} s", begun.elapsed().as_secs_f64());
    let is_small = disk(&world, wanted).await;

    let mut missed = 0;
    for sort in Sort::ALL {
        missed += usize::from(!measured(&results, &actor, &format!("sort={sort}"), &Filter::default(), *sort).await);
    }
    for (name, filter) in filters() {
        for sort in [Sort::Severity, Sort::Newest, Sort::Title, Sort::Risk] {
            missed += usize::from(!measured(&results, &actor, &format!("{name}&sort={sort}"), &filter, sort).await);
        }
        missed += usize::from(!counted(&results, &actor, name, &filter).await);
    }
    missed += usize::from(!counted(&results, &actor, "", &Filter::default()).await);
    let clusters = times(async || drop(results.clusters(&actor, &PageRequest::default()).await.expect("clusters"))).await;
    missed += usize::from(!told("clusters", &clusters));
    println!("{missed} over {GOAL:?}");
    assert!(missed == 0 && is_small, "a figure was missed");
}

async fn fill(world: &World, actor: &Actor, wanted: i64) {
    for from in (1..=wanted).step_by(50_000) {
        let to = (from + 49_999).min(wanted);
        let mut tx = world.backends.db.begin().await.expect("a transaction");
        for text in [FINDINGS, KEYS, OBSERVATIONS] {
            tx.run(sql(text).bind(actor.tenant).bind(from).bind(to)).await.expect("rows");
        }
        // The search index takes its notes away.
        tx.run(sql("DELETE FROM search_pending")).await.expect("no notes");
        tx.commit().await.expect("a commit");
    }
    // As the server does by itself, sooner or later.
    world.backends.db.all(sql("VACUUM ANALYZE")).await.expect("statistics");
}

async fn disk(world: &World, wanted: i64) -> bool {
    let statement = sql(
        "SELECT relname, pg_table_size(oid) AS own, pg_indexes_size(oid) AS indexes, pg_total_relation_size(oid) AS whole FROM pg_class
         WHERE relkind = 'r' AND relname IN ('vulnerabilities', 'finding_keys', 'observations', 'finding_tallies') ORDER BY whole DESC",
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
        ("q=nowhere", Filter { q: some("nowhere"), ..plain() }),
        ("import", Filter { import: "01900000-0000-7000-a000-000000000011".parse().ok(), ..plain() }),
    ]
}

/// The first page and the next.
async fn measured(results: &Results, actor: &Actor, name: &str, filter: &Filter, sort: Sort) -> bool {
    let first = PageRequest { cursor: None, limit: Some(50) };
    let page = results.findings(actor, filter, sort, &first).await.expect("a page");
    let mut ends = vec![first];
    ends.extend(page.next_cursor.map(|cursor| PageRequest { cursor: Some(cursor), limit: Some(50) }));
    let mut all = Vec::new();
    for request in &ends {
        all.extend(times(async || drop(results.findings(actor, filter, sort, request).await.expect("a page"))).await);
    }
    told(name, &all)
}

async fn counted(results: &Results, actor: &Actor, name: &str, filter: &Filter) -> bool {
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
    let is_met = p95 <= GOAL;
    println!("  {} {:<60} p50 {:>7.1} ms  p95 {:>7.1} ms", if is_met { " " } else { "!" }, name, ms(sorted[sorted.len() / 2]), ms(p95));
    is_met
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

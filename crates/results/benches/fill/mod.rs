//! A million findings as imports leave them, for both databases: one text, in which the few things they spell differently have marks.

use backends::sql;
use base::Actor;
use testkit::{Engine, World};

/// Rows like those of imports: a few tools, ten thousand hosts, a tenth fixed, some decided about, a CVE on every second.
/// `$1` is the tenant; the number of the first and the last row follow.
const FINDINGS: &str = "INSERT INTO vulnerabilities (id, tenant_id, target_id, service, source, check_id, title, description, remediation, severity, cvss,
    cvss_score, cwes, cves, refs, tags, location, confidence, labels, search, state, status, status_until, base_status, ambiguous, first_seen, asset,
    content, first_import, fixed_at, cluster, cluster_reason, risk, due_at)
@with SELECT '01900000-0000-7000-8000-' || @n, $1,
    CASE WHEN n % 10 = 0 THEN '' ELSE '01900000-0000-7000-9000-' || @t END,
    CASE WHEN n % 500 = 0 THEN 'shop' ELSE '' END,
    CASE n % 6 WHEN 0 THEN 'nuclei' WHEN 1 THEN 'nmap' WHEN 2 THEN 'trivy' WHEN 3 THEN 'zap' WHEN 4 THEN 'sarif:semgrep' ELSE 'tyrian' END,
    'check-' || (n % 6) || '-' || ((n / 6) % 3000),
    CASE (n / 7) % 6 WHEN 0 THEN 'Outdated component' WHEN 1 THEN 'Missing header' WHEN 2 THEN 'Open port' WHEN 3 THEN 'Injection' WHEN 4 THEN 'Weak cipher' ELSE 'Exposed file' END || ' ' || ((n / 6) % 3000) || ' on host-' || (n % 10000),
    'What was found there and why it matters, in a sentence or two as tools write them, number ' || n || '.',
    'Update the component or change the setting; number ' || (n % 3000) || ' says how.',
    CASE WHEN n % 100 < 2 THEN 4 WHEN n % 100 < 12 THEN 3 WHEN n % 100 < 40 THEN 2 WHEN n % 100 < 70 THEN 1 ELSE 0 END,
    CASE WHEN n % 2 = 0 THEN 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N' END, CASE WHEN n % 2 = 0 THEN 7.5 END,
    '[79]', CASE WHEN n % 2 = 0 THEN '[\"CVE-2024-' || (n % 40000) || '\"]' ELSE '[]' END, '[\"https://example.org/' || (n % 3000) || '\"]', '[\"tag\"]',
    '{\"host\":\"host-' || (n % 10000) || '.example\",\"ip\":null,\"port\":443,\"protocol\":\"tcp\",\"url\":\"https://host-' || (n % 10000) || '.example/app/' || (n % 97) || '\"}',
    80, CASE WHEN n % 2 = 0 THEN ' CVE-2024-' || (n % 40000) || ' CWE-79 ' ELSE ' CWE-79 ' END,
    'finding ' || ((n / 6) % 3000) || @e || 'check-' || (n % 6) || '-' || ((n / 6) % 3000) || @e || 'host-' || (n % 10000) || '.example' || @e || 'https://host-' || (n % 10000) || '.example/app/' || (n % 97) || @e || ':443',
    CASE WHEN n % 10 = 3 THEN 'absent' WHEN n % 10 = 4 THEN 'not_retested' ELSE 'present' END,
    CASE WHEN n % 1000 = 5 THEN 'accepted' WHEN n % 1000 = 6 THEN 'false_positive' WHEN n % 10 = 3 THEN 'fixed' WHEN n % 10 = 4 THEN 'not_retested' ELSE 'open' END,
    CASE WHEN n % 1000 = 5 THEN 1800000000000000 + n END,
    CASE WHEN n % 10 = 3 THEN 'fixed' WHEN n % 10 = 4 THEN 'not_retested' ELSE 'open' END,
    FALSE, 1700000000000000 + (n * 7919) % 60000000000000, 'host-' || (n % 10000) || '.example', @n,
    '01900000-0000-7000-a000-' || @i, CASE WHEN n % 10 = 3 THEN 1765000000000000 + n END,
    CASE WHEN n % 2 = 0 THEN 'cluster-' || (n / 4) END, CASE WHEN n % 2 = 0 THEN 'CVE-2024-' || (n % 40000) || ' on host' END,
    (n * 31) % 100000, CASE WHEN n % 7 < 3 THEN 1767000000000000 + (n * 7919) % 9000000000000 END
FROM series";

const KEYS: &str = "INSERT INTO finding_keys (tenant_id, finding_id, position, scheme, version, digest)
@with SELECT $1, '01900000-0000-7000-8000-' || @n, position, CASE position WHEN 0 THEN 'web' ELSE 'web.moved' END, 1,
    @k
FROM series, (SELECT 0 AS position UNION ALL SELECT 1) AS places";

const OBSERVATIONS: &str = "INSERT INTO observations (id, tenant_id, finding_id, import_id, scan_id, body, created_at, observed_at)
@with SELECT '01900000-0000-7000-b000-' || @n, $1, '01900000-0000-7000-8000-' || @n,
    '01900000-0000-7000-a000-' || @i, NULL,
    '{\"source\":\"nuclei\",\"check\":\"check-' || (n % 3000) || '\",\"title\":\"Finding ' || n || '\",\"description\":\"What was found there and why it matters, in a sentence or two as tools write them, number ' || n
    || '.\",\"remediation\":null,\"severity\":\"high\",\"confidence\":80,\"cvss\":null,\"cwes\":[79],\"cves\":[],\"aliases\":[],\"references\":[\"https://example.org/' || (n % 3000)
    || '\"],\"tags\":[\"tag\"],\"location\":{\"host\":\"host-' || (n % 10000) || '.example\",\"ip\":null,\"port\":443,\"url\":\"https://host-' || (n % 10000) || '.example/app/' || (n % 97) || '\"},\"evidence\":[],\"keys\":[]}',
    1760000000000000 + (n * 104729) % 6000000000000, '2026-01-02T03:04:05Z'
FROM series";

/// As many findings as every question is asked of.
pub(crate) const MILLION: i64 = 1_000_000;

/// What the database makes of [`OBSERVATIONS`] by itself.
const SIGHTINGS: &str = "INSERT INTO finding_sightings (id, tenant_id, last_seen, last_scan, last_import, times_seen)
@with SELECT '01900000-0000-7000-8000-' || @n, $1, 1760000000000000 + (n * 104729) % 6000000000000, NULL, '01900000-0000-7000-a000-' || @i, 1
FROM series";

/// SQLite when `TYRIAN_BENCH_DB` is `sqlite`, else PostgreSQL.
pub(crate) fn engine() -> Engine {
    if std::env::var("TYRIAN_BENCH_DB").is_ok_and(|name| name == "sqlite") { Engine::Embedded } else { Engine::Distributed }
}

/// How many findings are written.
pub(crate) fn wanted() -> i64 {
    std::env::var("TYRIAN_BENCH_FINDINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

fn spelt(engine: Engine, text: &str) -> String {
    let is_embedded = engine == Engine::Embedded;
    let hex = |number: &str| if is_embedded { format!("printf('%012x', {number})") } else { format!("lpad(to_hex({number}), 12, '0')") };
    let digest = "position || 'key' || n";
    let digest = if is_embedded { format!("printf('%064s', {digest})") } else { format!("encode(sha256(({digest})::bytea), 'hex')") };
    let series = "WITH RECURSIVE series (n) AS (SELECT CAST($2 AS BIGINT) UNION ALL SELECT n + 1 FROM series WHERE n < CAST($3 AS BIGINT))";
    [
        ("@with", series.to_owned()),
        ("@n", hex("n")),
        ("@t", hex("n % 200")),
        ("@i", hex("n / 5000")),
        ("@e", if is_embedded { "char(10)" } else { "chr(10)" }.to_owned()),
        ("@k", digest),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (mark, spelling)| text.replace(mark, &spelling))
}

/// Writes the findings with their names and what was seen of them; `is_noted` when the search index shall hear of them.
pub(crate) async fn fill(world: &World, actor: &Actor, engine: Engine, wanted: i64, is_noted: bool) {
    // Of more than a million only orders are asked, which read when something was seen and not what: there is room for no more.
    let written: &[&str] = if wanted > MILLION { &[FINDINGS, KEYS, SIGHTINGS] } else { &[FINDINGS, KEYS, OBSERVATIONS] };
    let texts: Vec<String> = written.iter().map(|text| spelt(engine, text)).collect();
    for from in (1..=wanted).step_by(50_000) {
        let to = (from + 49_999).min(wanted);
        let mut tx = world.backends.db.begin().await.expect("a transaction");
        for text in &texts {
            tx.run(backends::Sql::built(text.clone()).bind(actor.tenant).bind(from).bind(to)).await.expect("rows");
        }
        if !is_noted {
            // The search index takes its notes away.
            tx.run(sql("DELETE FROM search_pending")).await.expect("no notes");
        }
        tx.commit().await.expect("a commit");
    }
    if engine != Engine::Embedded {
        // As PostgreSQL does by itself, sooner or later; SQLite plans without.
        world.backends.db.all(sql("VACUUM ANALYZE")).await.expect("statistics");
    }
}

//! A plausible snapshot of any size, the same on every run: for tests, pictures and measurements.

use base::{Language, Time};
use reports::Frozen;
use reports::snapshot::{
    Authorization, Cause, Confidence, Coverage, Cvss, Decision, DecisionKind, Evidence, Finding, Gap, Location, Marking, Outcome, Part,
    Period, Person, Reference, Run, Scope, Severity, Snapshot, SnapshotError, Status, Target, Tool,
};

struct Weakness {
    title: &'static str,
    severity: Severity,
    tenths: u16,
    vector: &'static str,
    cwe: u32,
    check: &'static str,
    description: &'static str,
    remediation: &'static str,
    evidence: &'static str,
}

const WEAKNESSES: [Weakness; 8] = [
    Weakness {
        title: "SQL injection in the order search",
        severity: Severity::Critical,
        tenths: 98,
        vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        cwe: 89,
        check: "nuclei:sqli-error-based",
        description: "The parameter `q` is put into an SQL statement without binding. A visitor without an account can read and change every table the application's database user can reach.\n\nThe response time and the error text both follow the injected condition, so the weakness is confirmed and not a guess from a version number.",
        remediation: "Bind the parameter instead of concatenating it. Give the application's database user only the rights it needs, and add a regression test with the payload below.",
        evidence: "GET /orders?q=1%27%20AND%201%3D1-- HTTP/1.1\nHost: shop.example.test\nUser-Agent: Tyrian/0.1\n\nHTTP/1.1 500 Internal Server Error\nContent-Type: text/html; charset=utf-8\n\nERROR: unterminated quoted string at or near \"' AND 1=1--\" LINE 1: SELECT id, total, customer FROM orders WHERE note LIKE '%1' AND 1=1--%'",
    },
    Weakness {
        title: "Remote code execution through outdated Struts (CVE-2017-5638)",
        severity: Severity::Critical,
        tenths: 100,
        vector: "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        cwe: 20,
        check: "nuclei:CVE-2017-5638",
        description: "The Content-Type header is evaluated as an OGNL expression by the multipart parser. One request runs a command with the rights of the application server.",
        remediation: "Update Struts to a supported release. Until then, refuse requests whose Content-Type contains `%{` at the reverse proxy.",
        evidence: "X-Probe: 41 * 271 = 11111",
    },
    Weakness {
        title: "TLS 1.0 is still offered",
        severity: Severity::Medium,
        tenths: 53,
        vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N",
        cwe: 326,
        check: "sslscan:tls1_0",
        description: "The server agrees to TLS 1.0, which has known weaknesses and is forbidden by PCI DSS.",
        remediation: "Offer TLS 1.2 and 1.3 only.",
        evidence: "TLSv1.0 enabled\nAccepted  TLSv1.0  256 bits  ECDHE-RSA-AES256-SHA  Curve P-256 DHE 256\nAccepted  TLSv1.0  128 bits  ECDHE-RSA-AES128-SHA  Curve P-256 DHE 256",
    },
    Weakness {
        title: "Stored cross-site scripting in the profile name",
        severity: Severity::High,
        tenths: 76,
        vector: "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:H/I:L/A:N",
        cwe: 79,
        check: "zap:40014",
        description: "The display name is written into the page of every visitor without escaping.",
        remediation: "Escape on output and set a Content-Security-Policy without `unsafe-inline`.",
        evidence: "<div class=\"name\"><script>alert(document.domain)</script></div>",
    },
    Weakness {
        title: "Administration interface reachable from the Internet",
        severity: Severity::High,
        tenths: 72,
        vector: "CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N",
        cwe: 284,
        check: "tyrian:admin-exposed",
        description: "The page /admin answers with a sign-in form to any address.",
        remediation: "Bind the interface to the management network.",
        evidence: "HTTP/1.1 200 OK\nServer: nginx/1.22.1\n\n<title>Administration</title>",
    },
    Weakness {
        title: "Cookie without Secure attribute",
        severity: Severity::Low,
        tenths: 31,
        vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N",
        cwe: 614,
        check: "tyrian:cookie-secure",
        description: "The session cookie may travel over plain HTTP.",
        remediation: "Set Secure, HttpOnly and SameSite on every session cookie.",
        evidence: "Set-Cookie: session=…; Path=/; HttpOnly",
    },
    Weakness {
        title: "Missing Content-Security-Policy",
        severity: Severity::Low,
        tenths: 26,
        vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N",
        cwe: 693,
        check: "tyrian:csp",
        description: "No policy limits where scripts may come from.",
        remediation: "Send a policy; begin in report-only mode.",
        evidence: "HTTP/1.1 200 OK\nContent-Type: text/html",
    },
    Weakness {
        title: "Open port 22/tcp (OpenSSH 9.2p1)",
        severity: Severity::Info,
        tenths: 0,
        vector: "",
        cwe: 200,
        check: "nmap:open-port",
        description: "A service answers on this port.",
        remediation: "",
        evidence: "22/tcp open ssh OpenSSH 9.2p1 Debian 2+deb12u3 (protocol 2.0)",
    },
];

const TARGETS: [(&str, &str, &str); 6] = [
    ("Web shop", "web", "https://shop.example.test"),
    ("Customer API", "api", "https://api.example.test/v2"),
    ("Payment gateway", "host", "192.0.2.14"),
    ("Office network", "network", "198.51.100.0/24"),
    ("Mobile back end", "api", "https://m.example.test"),
    ("Intranet", "web", "https://intranet.example.test"),
];

fn time(day: i64, hour: i64) -> Time {
    // 2026-11-01T00:00:00Z and so many days and hours.
    Time::from_seconds(1_793_491_200 + day * 86_400 + hour * 3_600)
}

fn finding(index: usize) -> Finding {
    let weakness = &WEAKNESSES[(index * 5 + index / 8) % WEAKNESSES.len()];
    let (name, _, address) = TARGETS[(index * index + index / 3) % TARGETS.len()];
    let status = match index % 11 {
        3 => Status::Accepted,
        5 => Status::Fixed,
        7 => Status::FalsePositive,
        9 => Status::NotRetested,
        _ => Status::Open,
    };
    let kind = match status {
        Status::Accepted => Some(DecisionKind::Accepted),
        Status::FalsePositive => Some(DecisionKind::FalsePositive),
        _ => None,
    };
    let first_seen = time(-(i64::try_from(index % 90).unwrap_or(0)), 9);
    Finding {
        id: format!("0199e000-0000-7000-8000-{index:012}"),
        title: weakness.title.to_owned(),
        severity: weakness.severity,
        cvss: (weakness.tenths > 0).then(|| Cvss { vector: Some(weakness.vector.to_owned()), score_tenths: weakness.tenths }),
        cwes: vec![weakness.cwe],
        cves: if weakness.tenths == 100 { vec!["CVE-2017-5638".to_owned()] } else { vec![] },
        known_exploited: (weakness.severity >= Severity::High).then_some(weakness.tenths == 100),
        status,
        decision: kind.map(|kind| Decision {
            kind,
            by: "Ana Souza".to_owned(),
            at: time(12, 10),
            reason: "Reachable from the monitoring network only; compensating control CC-17 is in place.".to_owned(),
            until: (kind == DecisionKind::Accepted).then(|| time(150, 0)),
        }),
        confidence: Confidence::from_percent(u8::try_from(40 + index % 60).unwrap_or(0)),
        locations: (0..=index % 4)
            .map(|place| Location {
                target: Some(name.to_owned()),
                url: address.starts_with("http").then(|| format!("{address}/page/{index}/{place}")),
                host: Some(address.to_owned()),
                port: Some(443),
                protocol: Some("tcp".to_owned()),
                parameter: (place == 1).then(|| "q".to_owned()),
                ..Location::default()
            })
            .collect(),
        description: weakness.description.to_owned(),
        remediation: (!weakness.remediation.is_empty()).then(|| weakness.remediation.to_owned()),
        evidence: vec![Evidence { label: "response".to_owned(), body: weakness.evidence.to_owned(), truncated: false }],
        references: vec![
            Reference {
                title: Some(format!("CWE-{}", weakness.cwe)),
                url: format!("https://cwe.mitre.org/data/definitions/{}.html", weakness.cwe),
            },
            Reference { title: None, url: "https://owasp.org/www-project-top-ten/".to_owned() },
        ],
        sources: vec![weakness.check.split(':').take(1).collect()],
        check: weakness.check.split_once(':').map(|(_, check)| check.to_owned()),
        first_seen,
        last_seen: time(20, 14),
    }
}

/// A snapshot with so many findings, not frozen yet.
pub(crate) fn snapshot(findings: usize) -> Snapshot {
    let stages = [("ports", "nmap"), ("tls", "sslscan"), ("http", "tyrian"), ("web", "nuclei")];
    let coverage = TARGETS.iter().enumerate().flat_map(|(row, (name, _, _))| {
        stages.iter().enumerate().map(move |(column, (stage, tool))| {
            let (outcome, reason) = match (row, column) {
                (2, 2) => (Outcome::Skipped, Some("no HTTP service answered")),
                (3, 3) => (Outcome::Timeout, Some("stopped after 1800 s with 312 of 4,018 templates done")),
                (4, 1) => (Outcome::Error, Some("sslscan ended with code 1: connection refused")),
                _ => (Outcome::Done, None),
            };
            Coverage {
                target: (*name).to_owned(),
                stage: (*stage).to_owned(),
                tool: (*tool).to_owned(),
                outcome,
                reason: reason.map(str::to_owned),
                started_at: Some(time(18, 9)),
                finished_at: Some(time(18, 10)),
            }
        })
    });
    Snapshot {
        version: 1,
        title: "Security assessment of the customer platform".to_owned(),
        tenant: "Exemplo Comércio S.A.".to_owned(),
        language: Language::English,
        marking: Marking::Amber,
        people: vec![
            Person { name: "Ana Souza".to_owned(), part: Part::Author },
            Person { name: "João Pereira".to_owned(), part: Part::Recipient },
        ],
        generated_at: time(21, 3),
        period: Period { from: time(0, 0), to: time(20, 23) },
        scope: Scope {
            targets: TARGETS
                .iter()
                .map(|(name, kind, address)| Target {
                    id: (*name).to_owned(),
                    name: (*name).to_owned(),
                    kind: (*kind).to_owned(),
                    address: Some((*address).to_owned()),
                    environment: Some("production".to_owned()),
                    criticality: Some("high".to_owned()),
                })
                .collect(),
            authorizations: vec![Authorization {
                id: "0199e000-0000-7000-8000-00000000a001".to_owned(),
                granted_by: "Carla Lima, CISO".to_owned(),
                evidence: Some("Contract 2026/118, annex B, signed on 30 October 2026".to_owned()),
                covers: vec!["*.example.test".to_owned(), "192.0.2.0/28".to_owned(), "198.51.100.0/24".to_owned()],
                excludes: vec!["198.51.100.7".to_owned()],
                intrusiveness: "safe".to_owned(),
                valid_from: time(0, 0),
                valid_until: time(29, 0),
                revoked_at: None,
            }],
        },
        counts: reports::snapshot::Counts::default(),
        findings: (0..findings).map(finding).collect(),
        coverage: coverage.collect(),
        not_tested: vec![
            Gap { what: "198.51.100.7".to_owned(), cause: Cause::Excluded, note: Some("medical device".to_owned()) },
            Gap { what: "Customer API".to_owned(), cause: Cause::NoAccount, note: None },
        ],
        tools: [("nmap", Some("7.95")), ("nuclei", Some("3.4.10")), ("sslscan", Some("2.1.5")), ("tyrian", Some("0.1.0")), ("zap", None)]
            .into_iter()
            .map(|(name, version)| Tool { name: name.to_owned(), version: version.map(str::to_owned) })
            .collect(),
        runs: TARGETS
            .iter()
            .enumerate()
            .map(|(index, (name, _, _))| Run {
                id: format!("0199e000-0000-7000-8000-00000000b{index:03}"),
                name: "standard".to_owned(),
                target: Some((*name).to_owned()),
                outcome: if index == 3 { Outcome::Partial } else { Outcome::Done },
                started_at: Some(time(18, 9)),
                finished_at: Some(time(18, 11)),
            })
            .collect(),
    }
}

/// The same, frozen.
pub(crate) fn frozen(findings: usize) -> Result<Frozen, SnapshotError> {
    snapshot(findings).freeze()
}

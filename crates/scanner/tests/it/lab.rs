//! The lab: every planted weakness is found, and nothing is found where nothing is wrong.

use std::collections::BTreeSet;

use scanner::{CoverageStatus, Intrusiveness, Plan, Stages, Target};
use testkit::Lab;

use crate::scene::{checks_at, plan, run, weaknesses};

/// What the lab plants, and the check that must find it.
const FOUND_BY: &[(&str, &str)] = &[
    ("Redis without password", "exposure.redis"),
    ("memcached without authentication", "exposure.memcached"),
    ("FTP for anonymous", "exposure.ftp-anonymous"),
    ("FTP banner tells product and version", "exposure.banner-version"),
    ("Git repository exposed", "http.exposed-git"),
    ("Git configuration exposed", "http.exposed-git"),
    ("environment file exposed", "http.exposed-dotenv"),
    ("database dump exposed", "http.exposed-database-dump"),
    ("phpinfo page exposed", "http.exposed-phpinfo"),
    ("directory listing", "http.directory-listing"),
    ("server status exposed", "http.exposed-server-status"),
    ("path traversal by alias without slash", "http.alias-traversal"),
    ("open redirect", "http.open-redirect"),
    ("reflected input", "http.reflected-input"),
    ("default credentials", "http.default-credentials"),
    ("stack trace in an error page", "http.stack-trace"),
    ("upload by PUT", "http.upload-by-put"),
    ("server version told", "http.server-version"),
    ("runtime version told", "http.powered-by"),
    ("session cookie without Secure", "http.cookie-not-secure"),
    ("session cookie without HttpOnly", "http.cookie-not-http-only"),
    ("session cookie without SameSite", "http.cookie-no-same-site"),
    ("CORS allows any origin with credentials", "http.cors-reflected-origin"),
    ("no Content-Security-Policy", "http.csp-missing"),
    ("no X-Content-Type-Options", "http.content-type-options-missing"),
    ("no protection against framing", "http.framing-allowed"),
    ("no Referrer-Policy", "http.referrer-policy-missing"),
    ("no redirect to HTTPS", "http.no-https-redirect"),
    ("password form over plain HTTP", "http.password-form-over-plain"),
    ("TLS 1.0 offered", "tls.tls1.0"),
    ("TLS 1.1 offered", "tls.tls1.1"),
    ("no TLS 1.3", "tls.no-tls1.3"),
    ("anonymous suites offered", "tls.cipher-anonymous"),
    ("suites without encryption offered", "tls.cipher-null"),
    ("suites without forward secrecy offered", "tls.no-forward-secrecy"),
    ("CBC suites offered", "tls.cipher-cbc"),
    ("DH group of 1024 bits", "tls.dh-weak-group"),
    ("certificate expired", "tls.certificate-expired"),
    ("certificate signed by itself", "tls.certificate-self-signed"),
    ("certificate for another name", "tls.certificate-address-not-named"),
    ("no Strict-Transport-Security", "http.hsts-missing"),
];

#[tokio::test]
async fn every_planted_weakness_of_the_lab_is_found() {
    let lab = Lab::weak();
    let mut plan = plan(&lab.address().to_string(), &lab.ports());
    plan.intrusiveness = Intrusiveness::Intrusive;
    let outcome = run(plan).await;

    assert_eq!(outcome.open.iter().map(std::net::SocketAddr::port).collect::<Vec<_>>(), lab.ports());
    let mut missed = Vec::new();
    for planted in lab.planted() {
        let (_, check) = FOUND_BY
            .iter()
            .find(|(weakness, _)| *weakness == planted.weakness)
            .unwrap_or_else(|| panic!("no check is named for {planted:?}"));
        if !checks_at(&outcome, planted.port).contains(check) {
            missed.push(format!("{}: {} ({check})", planted.port, planted.weakness));
        }
    }
    assert!(missed.is_empty(), "missed: {missed:#?}\ncoverage: {:#?}", outcome.coverage);
    let undone: Vec<_> = outcome.coverage.iter().filter(|covered| covered.status != CoverageStatus::Done).collect();
    let [no_ftps] = undone.as_slice() else { panic!("{undone:#?}") };
    assert_eq!(no_ftps.reason.as_deref(), Some("ftp does not offer to change to TLS"));
    assert!(outcome.issues.iter().all(|issue| !issue.evidence.is_empty() || issue.parameter.is_some()));
    let shown = format!("{:?}", outcome.issues);
    assert!(!shown.contains("planted-by-the-lab"), "a secret became evidence");

    let services: Vec<&str> = outcome.services.iter().map(|service| service.service).collect();
    for service in ["redis", "memcached", "ftp", "http"] {
        assert!(services.contains(&service), "{service} not among {services:?}");
    }
}

#[tokio::test]
async fn a_hardened_host_has_nothing_above_information() {
    for lab in [Lab::hardened(), Lab::decoy()] {
        let mut plan = plan(&lab.address().to_string(), &lab.ports());
        plan.intrusiveness = Intrusiveness::Intrusive;
        let outcome = run(plan).await;
        let found: Vec<_> = weaknesses(&outcome).into_iter().map(|issue| (issue.address.port(), issue.check, &issue.evidence)).collect();
        assert!(found.is_empty(), "{found:#?}");
        assert_eq!(outcome.tls.len(), 1, "TLS was not looked at");
        let undone: Vec<_> = outcome.coverage.iter().filter(|covered| covered.status != CoverageStatus::Done).collect();
        assert!(undone.is_empty(), "{undone:#?}");
    }
}

#[tokio::test]
async fn one_connection_at_a_time_is_enough_for_everything() {
    let lab = Lab::weak();
    let mut plan = plan(&lab.address().to_string(), &lab.ports());
    plan.limits.concurrency = 1;
    plan.intrusiveness = Intrusiveness::Intrusive;
    let outcome = run(plan).await;
    assert!(!outcome.timed_out, "{:#?}", outcome.coverage);
    let found: BTreeSet<&str> = outcome.issues.iter().map(|issue| issue.check).collect();
    let missed: Vec<_> = FOUND_BY.iter().map(|(_, check)| check).filter(|check| !found.contains(*check)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test]
async fn a_passive_scan_changes_and_asks_nothing() {
    let lab = Lab::weak();
    let mut plan = plan(&lab.address().to_string(), &lab.ports());
    plan.intrusiveness = Intrusiveness::Passive;
    let outcome = run(plan).await;
    assert!(outcome.issues.iter().all(|issue| !issue.check.starts_with("exposure.") && issue.check != "http.exposed-git"));
    let skipped =
        outcome.coverage.iter().filter(|covered| covered.check_set == "http.active" || covered.check_set.starts_with("exposures"));
    assert!(skipped.clone().all(|covered| covered.status == CoverageStatus::Skipped && covered.reason.is_some()));
}

#[tokio::test]
async fn a_url_is_scanned_on_its_own_port_when_no_port_scan_is_wanted() {
    let lab = Lab::hardened();
    let target = Target::Url(lab.https_url().parse().unwrap());
    let stages = Stages { ports: false, ..Stages::default() };
    let outcome = run(Plan { target, stages, ..plan("127.0.0.3", &[1]) }).await;
    assert_eq!(outcome.open.len(), 1);
    let tls = outcome.tls.first().unwrap();
    assert_eq!((tls.chain.len(), tls.server_order), (1, Some(true)));
    assert!(weaknesses(&outcome).is_empty());
}

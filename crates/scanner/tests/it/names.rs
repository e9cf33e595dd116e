//! DNS servers and the records of their zones: what strangers may do, what is missing, and nothing where nothing is wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use scanner::{CoverageStatus, Outcome, Plan, ScanError, Target};
use testkit::servers::NameServer;
use tokio_util::sync::CancellationToken;

use crate::scene::{Watch, plan, run, run_with, weaknesses};

fn found(outcome: &Outcome) -> BTreeSet<&'static str> {
    outcome.issues.iter().map(|issue| issue.check).filter(|check| check.starts_with("dns.")).collect()
}

/// The zones a check was made for; a statement without a zone would stand for all.
fn asked<'o>(outcome: &'o Outcome, check: &str) -> BTreeSet<&'o str> {
    let is_of = |set: &str| set == check || scanner::catalogue().iter().any(|known| known.id == check && known.check_set == set);
    let done = outcome.coverage.iter().filter(|covered| covered.status == CoverageStatus::Done && is_of(covered.check_set));
    done.map(|covered| covered.parameter.as_deref().unwrap_or("any")).collect()
}

/// A plan with the patience of a resolver that has no way out.
fn patient(server: &NameServer) -> Plan {
    let mut plan = plan(&server.address().ip().to_string(), &[server.address().port()]);
    plan.limits.read_timeout = Duration::from_secs(2);
    plan
}

#[tokio::test]
async fn a_name_server_that_serves_strangers_is_told_what_it_gives_away() {
    let server = NameServer::weak();
    let outcome = run(patient(&server)).await;
    let expected = [
        "dns.caa-missing",
        "dns.dangling-cname",
        "dns.dmarc-no-policy",
        "dns.dnssec-absent",
        "dns.dnssec-broken",
        "dns.dnssec-weak-algorithm",
        "dns.mta-sts-missing",
        "dns.open-recursion",
        "dns.single-nameserver",
        "dns.spf-weak",
        "dns.update-open",
        "dns.version-told",
        "dns.zone-transfer",
    ];
    assert_eq!(found(&outcome), BTreeSet::from(expected), "{:#?}", outcome.coverage);
    let updates: Vec<_> = outcome.issues.iter().filter(|issue| issue.check == "dns.update-open").map(|issue| &issue.parameter).collect();
    assert_eq!(updates, [&Some("lab.test.".to_owned())]);
    let transfers = outcome.issues.iter().filter(|issue| issue.check == "dns.zone-transfer").flat_map(|issue| &issue.evidence);
    assert!(transfers.clone().any(|(_, value)| value.contains("secret-vault.corp.test.")), "{:?}", transfers.collect::<Vec<_>>());
    assert_eq!(asked(&outcome, "dns.zone-transfer"), BTreeSet::from(["corp.test.", "lab.test."]), "{:#?}", outcome.coverage);
    let transports: BTreeSet<&str> = outcome.services.iter().map(|service| service.transport).collect();
    assert_eq!(transports, BTreeSet::from(["tcp", "udp"]));
}

#[tokio::test]
async fn a_hardened_name_server_has_nothing_above_information() {
    let server = NameServer::hardened();
    let outcome = run(patient(&server)).await;
    assert_eq!(outcome.services.first().map(|service| service.service), Some("dns"));
    assert!(weaknesses(&outcome).is_empty(), "{:#?}", outcome.issues);
    let records = outcome.coverage.iter().find(|covered| covered.check_set == "dns.records").unwrap();
    assert_eq!((records.status, records.reason.as_deref()), (CoverageStatus::Done, Some("zones corp.test.")));
    assert_eq!(found(&outcome), BTreeSet::new());
    assert_eq!(asked(&outcome, "dns.zone-transfer"), BTreeSet::from(["corp.test."]), "a refusal is an answer");
}

#[tokio::test]
async fn a_server_whose_zones_nobody_can_name_was_asked_for_no_transfer() {
    // Answers every question by TCP with REFUSED.
    let server = crate::servers::serve(|mut stream| async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut question = [0; 512];
        while let Ok(count @ 5..) = stream.read(&mut question).await {
            if usize::from(u16::from_be_bytes([question[0], question[1]])) + 2 != count {
                return;
            }
            question[4] |= 0x80;
            question[5] = 5;
            let _ = stream.write_all(&question[..count]).await;
        }
    })
    .await;
    let outcome = run(plan("127.0.0.1", &[server.address.port()])).await;
    assert_eq!(outcome.services.first().map(|service| service.service), Some("dns"));
    assert_eq!(asked(&outcome, "dns.open-recursion"), BTreeSet::from(["any"]));
    assert_eq!(asked(&outcome, "dns.zone-transfer"), BTreeSet::new());
}

#[tokio::test]
async fn the_records_of_a_domain_come_from_the_named_resolver_when_it_is_permitted() {
    let server = NameServer::weak();
    let mut plan = Plan { target: Target::Host("corp.test".to_owned()), resolver: Some(server.address()), ..patient(&server) };
    let (outcome, _) = run_with(plan.clone(), Watch::loopback(), CancellationToken::new()).await.unwrap();
    assert_eq!(outcome.resolved, [server.address().ip()]);
    let weak = outcome.issues.iter().find(|issue| issue.check == "dns.spf-weak").unwrap();
    assert_eq!((weak.host.as_str(), weak.parameter.as_deref()), ("corp.test", Some("corp.test.")));

    plan.limits.read_timeout = Duration::from_millis(500);
    let resolver = server.address();
    let strict = Watch::new(move |address| address != resolver);
    let refused = run_with(plan, strict.clone(), CancellationToken::new()).await.unwrap_err();
    assert!(matches!(refused, ScanError::Unresolvable { .. }), "{refused}");
    assert!(strict.addresses.lock().unwrap().iter().all(|address| *address == resolver));
}

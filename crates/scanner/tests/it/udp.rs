//! What counts as looked at by UDP: only what came back.

use std::net::SocketAddr;

use scanner::{CoverageStatus, Outcome};
use tokio::net::UdpSocket;

use crate::scene::{plan, run};

/// Checks that were made at a port.
fn made(outcome: &Outcome, address: SocketAddr) -> Vec<(&'static str, Option<&str>)> {
    let here = outcome.coverage.iter().filter(|covered| covered.address == Some(address) && covered.transport == "udp");
    let mut made: Vec<_> = here
        .inspect(|covered| assert_eq!(covered.status, CoverageStatus::Done))
        .map(|covered| (covered.check_set, covered.parameter.as_deref()))
        .collect();
    made.sort_unstable();
    made
}

#[tokio::test]
async fn silence_by_udp_is_no_proof_that_a_weakness_is_gone() {
    let bind = async || UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (clock, silent, gone) = (bind().await, bind().await, bind().await);
    let [clock_at, silent_at, gone_at] = [&clock, &silent, &gone].map(|socket| socket.local_addr().unwrap());
    drop(gone);
    // A server of time that tells the time and nothing else, as it should.
    let telling = tokio::spawn(async move {
        let mut request = [0; 512];
        while let Ok((length, from)) = clock.recv_from(&mut request).await {
            if length == 48 && request[0] & 7 == 3 {
                let mut reply = [0; 48];
                reply[0] = 0x24;
                clock.send_to(&reply, from).await.unwrap();
            }
        }
    });
    let ports = [clock_at.port(), silent_at.port(), gone_at.port()];
    let outcome = run(plan("127.0.0.1", &ports)).await;
    telling.abort();

    assert!(outcome.services.iter().any(|service| service.address == clock_at && service.service == "ntp"), "{:?}", outcome.services);
    let everything = [
        ("exposure.memcached-udp", None),
        ("exposure.ntp-control", None),
        ("exposure.ntp-monlist", None),
        ("exposure.snmp-default-community", Some("public")),
    ];
    assert_eq!(made(&outcome, clock_at), everything, "it answers, and not what it should not");
    assert_eq!(made(&outcome, gone_at), everything, "the host says that nobody listens there");
    assert_eq!(made(&outcome, silent_at), [], "whoever is silent may be filtered, or have lost a datagram");
    let told = outcome.coverage.iter().find(|covered| covered.check_set == "datagrams").unwrap();
    assert_eq!(told.reason.as_deref(), Some("2 of 3 ports answered by UDP, and silence proves nothing"));
    let is_whole = |covered: &&scanner::Covered| covered.address.is_some_and(|address| address.port() == 0);
    let whole: Vec<_> = outcome.coverage.iter().filter(is_whole).filter(|covered| covered.check_set.starts_with("exposure")).collect();
    assert!(whole.is_empty(), "no check is made for a whole host: {whole:?}");
}

#[tokio::test]
async fn who_may_not_send_datagrams_has_looked_at_nothing() {
    let mut passive = plan("127.0.0.1", &[1]);
    passive.intrusiveness = scanner::Intrusiveness::Passive;
    let outcome = run(passive).await;
    assert!(outcome.coverage.iter().all(|covered| covered.transport == "tcp"));
    let told = outcome.coverage.iter().find(|covered| covered.check_set == "datagrams").unwrap();
    assert_eq!(told.status, CoverageStatus::Skipped);
}

//! Stories of single services: mail, TLS 1.3 only, PostgreSQL, ports that do not answer, listings.

use std::net::SocketAddr;
use std::time::Duration;

use scanner::{CoverageStatus, Intrusiveness, Limits, Plan, TlsVersion};
use socket2::{Domain, Socket, Type};
use testkit::servers::{Durability, Postgres};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{PORTS_ONLY, checks_at, plan, run};
use crate::servers::{mail, modern_only};

#[tokio::test]
async fn a_mail_server_is_audited_behind_starttls_and_asked_to_relay_only_when_allowed() {
    let (open, closed) = (mail("localhost", true).await, mail("other.example", false).await);
    let ports = [open.address.port(), closed.address.port()];
    let scan = |intrusiveness| run(Plan { intrusiveness, ..plan("localhost", &ports) });

    let safe = scan(Intrusiveness::Safe).await;
    assert!(!checks_at(&safe, ports[0]).contains(&"exposure.smtp-relay"));
    let exim = safe.services.iter().find(|service| service.address == open.address).unwrap();
    assert_eq!((exim.service, exim.version.as_deref()), ("smtp", Some("4.96")));
    assert_eq!(exim.cpe.as_deref(), Some("cpe:2.3:a:exim:exim:4.96:*:*:*:*:*:*:*"));
    let tls = safe.tls.iter().find(|report| report.address == open.address).unwrap();
    assert_eq!((tls.starttls, tls.versions.as_slice()), (Some("smtp"), [TlsVersion::Tls12, TlsVersion::Tls13].as_slice()));
    assert!(!checks_at(&safe, ports[0]).contains(&"tls.certificate-name-mismatch"));
    assert!(checks_at(&safe, ports[1]).contains(&"tls.certificate-name-mismatch"));

    let intrusive = scan(Intrusiveness::Intrusive).await;
    assert!(checks_at(&intrusive, ports[0]).contains(&"exposure.smtp-relay"));
    assert!(!checks_at(&intrusive, ports[1]).contains(&"exposure.smtp-relay"));
}

#[tokio::test]
async fn a_certificate_hidden_by_tls_1_3_is_still_read() {
    let server = modern_only("localhost").await;
    let outcome = run(plan("localhost", &[server.address.port()])).await;
    let report = outcome.tls.iter().find(|report| report.address == server.address).unwrap();
    assert_eq!(report.versions, [TlsVersion::Tls13]);
    assert_eq!(report.suites.len(), 3);
    assert_eq!(report.chain.first().unwrap().names, ["localhost"]);
    assert_eq!((report.secure_renegotiation, report.dh_bits), (None, None));
    assert_eq!(checks_at(&outcome, server.address.port()), ["tls.certificate-self-signed"]);
}

#[tokio::test]
async fn a_postgresql_that_trusts_everybody_is_found_by_an_intrusive_scan() {
    let server = Postgres::start(Durability::Fast);
    let scan = |intrusiveness| run(Plan { intrusiveness, ..plan("127.0.0.1", &[server.port()]) });
    let safe = scan(Intrusiveness::Safe).await;
    assert_eq!(safe.services.first().unwrap().service, "postgresql");
    assert!(safe.issues.is_empty(), "{:?}", safe.issues);
    assert_eq!(checks_at(&scan(Intrusiveness::Intrusive).await, server.port()), ["exposure.postgres-trust"]);
}

#[tokio::test]
async fn only_a_port_that_does_not_answer_is_tried_again() {
    // A full queue makes the kernel drop further SYNs: the port is neither open nor closed.
    let silent = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    silent.bind(&SocketAddr::from(([127, 0, 0, 8], 0)).into()).unwrap();
    silent.listen(0).unwrap();
    let address = silent.local_addr().unwrap().as_socket().unwrap();
    let mut filling = Vec::new();
    for _ in 0..4 {
        let filler = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None).unwrap();
        let _ = filler.connect(&address.into());
        filling.push(filler);
    }
    let limits = Limits { connect_timeout: Duration::from_millis(200), retries: 2, ..Limits::default() };
    let outcome = run(Plan { limits: limits.clone(), stages: PORTS_ONLY, ..plan("127.0.0.8", &[address.port(), 1]) }).await;
    assert!(outcome.open.is_empty());
    assert_eq!(outcome.connections, 3 + 1);
    let told = outcome.coverage.first().unwrap();
    assert_eq!((told.status, told.unanswered, told.reason.as_deref()), (CoverageStatus::Done, 1, Some("ports without an answer: 1")));
    assert_eq!(outcome.tried, [1, address.port()]);
    assert!(outcome.silent.is_empty(), "the closed port answered");
    let alone = run(Plan { limits, stages: PORTS_ONLY, ..plan("127.0.0.8", &[address.port()]) }).await;
    assert_eq!(alone.silent, alone.resolved, "nothing answered at all");
}

/// A web server that shows the listing for every path, or for one directory besides the root.
async fn listing_server(everywhere: bool) -> crate::servers::Server {
    crate::servers::serve(move |mut stream| async move {
        let mut request = [0; 4096];
        while let Ok(count) = stream.read(&mut request).await {
            let head = String::from_utf8_lossy(&request[..count]);
            let Some(path) = head.split(' ').nth(1) else { return };
            let body = "<html><head><title>Index of /</title></head><body><h1>Index of /</h1><a href=\"a\">a</a></body></html>";
            let (status, body) = if everywhere || matches!(path, "/" | "/backup/") { ("200 OK", body) } else { ("404 Not Found", "") };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_server_that_lists_every_path_lists_one_directory() {
    for (everywhere, expected) in [(true, 1), (false, 2)] {
        let server = listing_server(everywhere).await;
        let outcome = run(plan("127.0.0.1", &[server.address.port()])).await;
        let listings = outcome.issues.iter().filter(|issue| issue.check == "http.directory-listing").count();
        assert_eq!(listings, expected, "everywhere: {everywhere}");
    }
}

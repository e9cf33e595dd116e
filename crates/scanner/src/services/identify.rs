//! Finds out which service answers: listens, then probes in an order the port suggests.
//! Invariant: a bounded number of short conversations per port, whatever the peer sends.

use std::time::Duration;

use futures::future::try_join_all;

use super::probes::{PROBES, Payload, Probe};
use super::signatures::{SIGNATURES, cpe23, header_product};
use crate::dial::DialError;
use crate::plan::Intrusiveness;
use crate::report::{ServiceReport, TCP, printable};
use crate::session::{Endpoint, Session};
use crate::tls;
use crate::wire::{Wire, WireError, contains};

/// How long an unexpected silence is listened to.
const LISTEN: Duration = Duration::from_millis(1200);
/// Guesses that are tried at the same time.
const AT_ONCE: usize = 4;
/// What is asked inside TLS after the web and greetings.
const INSIDE: [&str; 7] = ["redis", "memcached", "mqtt", "ldap", "mongodb", "amqp", "socks"];
/// Replies nobody understands after which a port is left alone.
const PUZZLES_BORNE: usize = 3;
/// A web server's own words when plain HTTP reaches its TLS port.
const WRONG_SCHEME: &[&[u8]] = &[b"sent to HTTPS port", b"to an HTTPS server", b"speaking plain HTTP to an SSL", b"requires TLS"];

/// Says which service answers at this endpoint.
pub(crate) async fn identify(session: &Session, endpoint: &Endpoint) -> Result<ServiceReport, DialError> {
    let mut report = unidentified(endpoint);
    let mut puzzles = 0;
    let port = endpoint.address.port();
    let order = order(port, session.plan.intrusiveness);
    // What the port suggests, and what speaks first, is asked alone: the rest is a guess among many.
    let guesses = order.iter().rposition(|probe| probe.ports.contains(&port) || !matches!(probe.payload, Payload::Bytes(_)));
    let (likely, guesses) = order.split_at_checked(guesses.map_or(0, |last| last + 1)).unwrap_or((&order, &[]));
    for probes in likely.chunks(1).chain(guesses.chunks(AT_ONCE)) {
        for (probe, reply) in replies(session, endpoint, probes).await? {
            let Some(reply) = reply else {
                if matches!(probe.payload, Payload::Tls) && tls::speaks_tls(session, endpoint, patience(session, endpoint, probe)).await {
                    inside_tls(session, endpoint, &mut report).await;
                    return Ok(report);
                }
                continue;
            };
            if may_be_tls(&reply) && tls::speaks_tls(session, endpoint, session.dialer.read_timeout).await {
                inside_tls(session, endpoint, &mut report).await;
                return Ok(report);
            }
            if recognise(&mut report, probe.name, &reply) {
                return Ok(report);
            }
            puzzles += 1;
            report.banner.get_or_insert_with(|| printable(&reply, 200));
        }
        if puzzles >= PUZZLES_BORNE {
            break;
        }
    }
    Ok(report)
}

/// Asks each of these probes on a connection of its own, at the same time; no reply is none.
async fn replies<'p>(session: &Session, endpoint: &Endpoint, probes: &[&'p Probe]) -> Result<Vec<(&'p Probe, Option<Vec<u8>>)>, DialError> {
    let asked = probes.iter().map(|probe| async {
        if matches!(probe.payload, Payload::Tls) {
            return Ok((*probe, None));
        }
        let stream = session.dialer.connect(endpoint.address).await?;
        let mut wire = Wire::new(stream, patience(session, endpoint, probe));
        Ok((*probe, ask(&mut wire, probe, &endpoint.host).await.ok()))
    });
    try_join_all(asked).await
}

/// How long this probe's reply is waited for.
fn patience(session: &Session, endpoint: &Endpoint, probe: &Probe) -> Duration {
    match probe.ports.contains(&endpoint.address.port()) {
        true => session.dialer.read_timeout,
        false => session.dialer.read_timeout.min(LISTEN),
    }
}

/// What is known of an endpoint before it is asked.
pub(crate) fn unidentified(endpoint: &Endpoint) -> ServiceReport {
    ServiceReport {
        address: endpoint.address,
        host: endpoint.host.clone(),
        service: "unknown",
        transport: TCP,
        tls: false,
        product: None,
        version: None,
        cpe: None,
        banner: None,
        confidence: 0,
    }
}

/// The probes for a port: those it suggests, then listening, then the rest when that is allowed.
fn order(port: u16, intrusiveness: Intrusiveness) -> Vec<&'static Probe> {
    let hinted = |probe: &&Probe| probe.ports.contains(&port);
    let mut chosen: Vec<&Probe> = PROBES.iter().filter(hinted).collect();
    let rest = PROBES
        .iter()
        .filter(|probe| !hinted(probe) && probe.anywhere)
        .filter(|probe| intrusiveness > Intrusiveness::Passive || matches!(probe.payload, Payload::Listen));
    chosen.extend(rest);
    chosen
}

async fn ask(wire: &mut Wire, probe: &Probe, host: &str) -> Result<Vec<u8>, WireError> {
    match probe.payload {
        Payload::Listen => wire.read_some().await,
        Payload::HttpGet => {
            let host = match host.contains(':') {
                true => format!("[{host}]"),
                false => host.to_owned(),
            };
            wire.send(
                format!(
                    "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                    crate::http::USER_AGENT
                )
                .as_bytes(),
            )
            .await?;
            wire.read_until(|reply| contains(reply, b"\r\n\r\n") || !reply.starts_with(b"HTTP/1.") && reply.len() >= 7).await
        }
        Payload::Bytes(bytes) => {
            wire.send(bytes).await?;
            wire.read_some().await
        }
        // Handled by the caller, since what follows is a conversation inside the session.
        Payload::Tls => Err(WireError::Closed),
    }
}

/// True when a reply to plain words leaves room for TLS: an alert, a web server's complaint, or no page.
fn may_be_tls(reply: &[u8]) -> bool {
    let alert = reply.len() >= 5 && reply.starts_with(&[0x15, 3]);
    // Some servers answer plain HTTP on their TLS port with a redirect of their own making.
    let no_page = reply.starts_with(b"HTTP/1.") && reply.get(9) != Some(&b'2');
    alert || no_page || WRONG_SCHEME.iter().any(|words| contains(reply, words))
}

/// Says what is spoken inside TLS; a server that only old versions reach stays `tls`.
async fn inside_tls(session: &Session, endpoint: &Endpoint, report: &mut ServiceReport) {
    let wait = session.dialer.read_timeout;
    let port = endpoint.address.port();
    report.tls = true;
    report.service = "tls";
    report.confidence = 80;
    let greets = [465, 563, 990, 992, 993, 994, 995, 6697].contains(&port);
    let first: [&str; 2] = match greets {
        true => ["greeting", "http"],
        false => ["http", "greeting"],
    };
    let passive = session.plan.intrusiveness == Intrusiveness::Passive;
    let guesses = INSIDE.iter().filter(|_| !passive).copied();
    for name in first.into_iter().filter(|name| !(passive && greets && *name == "http")).chain(guesses) {
        let Some(probe) = PROBES.iter().find(|probe| probe.name == name) else {
            continue;
        };
        let Ok(stream) = session.dialer.connect(endpoint.address).await else {
            return;
        };
        let Ok(flow) = tls::client::connect(stream, &endpoint.host, wait).await else {
            return;
        };
        let mut wire = Wire::new(flow, wait.min(LISTEN));
        if let Ok(reply) = ask(&mut wire, probe, &endpoint.host).await
            && recognise(report, probe.name, &reply)
        {
            return;
        }
    }
}

/// Fills the report from the first signature that matches.
fn recognise(report: &mut ServiceReport, probe: &str, reply: &[u8]) -> bool {
    let Some(signature) = SIGNATURES.iter().find(|row| row.matches(probe, reply)) else {
        return false;
    };
    report.service = signature.service;
    report.confidence = signature.confidence;
    report.banner = Some(printable(reply.split(|byte| *byte == b'\n').next().unwrap_or(reply), 200));
    if !signature.product.is_empty() {
        report.product = Some(signature.product.to_owned());
    }
    report.version = signature.version(reply);
    report.cpe = report.version.as_deref().and_then(|version| cpe23(signature.cpe, version));
    if signature.service == "http" {
        let head = String::from_utf8_lossy(reply);
        let server = head
            .lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("server"));
        if let Some((_, value)) = server
            && let Some((product, version, cpe)) = header_product(value.trim())
        {
            report.product = Some(product);
            report.version = version;
            report.cpe = cpe;
        }
    }
    true
}

//! Proxies that serve strangers. Nothing but the scanned host is reached through one: a proxy is asked for itself, and
//! for a name that nobody can resolve.

use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::wire::{WireError, contains};

/// A name that does not exist, by RFC 6761.
const NOWHERE: &str = "tyrian-scan.invalid";
/// Greeting of SOCKS 5 that offers no authentication only.
const SOCKS5: &[u8] = &[5, 1, 0];

pub(super) async fn http(subject: &Subject<'_>) -> Found {
    let found = match proof(subject).await {
        // It may still be trying; what the server answered elsewhere counts all the same.
        Err(error @ WireError::Timeout) => {
            subject.undecided(&[&exposures::OPEN_PROXY], &error).await;
            None
        }
        found => found?,
    };
    Ok(found.map(|proof| subject.issue(&exposures::OPEN_PROXY).evidence("proof", proof).sure(92)).into_iter().collect())
}

/// What proves that the server is a proxy for anybody.
async fn proof(subject: &Subject<'_>) -> Result<Option<&'static str>, WireError> {
    if tunnels(subject).await? {
        return Ok(Some("CONNECT to itself was granted"));
    }
    Ok(resolves(subject).await?.then_some("it tried to reach a name that does not exist"))
}

async fn tunnels(subject: &Subject<'_>) -> Result<bool, WireError> {
    let address = subject.endpoint.address;
    let mut wire = subject.open().await?;
    wire.send(format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let reply = match wire.read_until(|bytes| contains(bytes, b"\r\n\r\n")).await {
        Ok(reply) => reply,
        Err(WireError::Timeout) => return Err(WireError::Timeout),
        // Who hangs up on such a question does not tunnel.
        Err(_) => return Ok(false),
    };
    let head = String::from_utf8_lossy(&reply).to_ascii_lowercase();
    // A tunnel has no body; a server that answers every method with its page has one.
    if status(&head) != Some(200) || ["content-type:", "content-length:", "transfer-encoding:"].iter().any(|name| head.contains(name)) {
        return Ok(false);
    }
    wire.send(format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    Ok(wire.read_until(|bytes| bytes.len() > 12).await.is_ok_and(|reply| reply.starts_with(b"HTTP/1.")))
}

async fn resolves(subject: &Subject<'_>) -> Result<bool, WireError> {
    let through = ask(subject, &format!("http://{NOWHERE}/")).await?;
    if !through.is_some_and(|status| (500..=504).contains(&status)) {
        return Ok(false);
    }
    // A gateway in front of nothing answers so whatever it is asked.
    let direct = ask(subject, "/").await?;
    Ok(direct.is_some_and(|status| !(500..600).contains(&status)))
}

async fn ask(subject: &Subject<'_>, target: &str) -> Result<Option<u16>, WireError> {
    let mut wire = subject.open().await?;
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: {NOWHERE}\r\nUser-Agent: {}\r\nConnection: close\r\n\r\n", crate::http::USER_AGENT);
    wire.send(request.as_bytes()).await?;
    let reply = match wire.read_until(|bytes| bytes.contains(&b'\n')).await {
        Err(WireError::Timeout) => return Err(WireError::Timeout),
        reply => reply.unwrap_or_default(),
    };
    Ok(status(&String::from_utf8_lossy(&reply).to_ascii_lowercase()))
}

fn status(head: &str) -> Option<u16> {
    head.strip_prefix("http/1.")?.get(2..5)?.parse().ok()
}

pub(super) async fn socks(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(SOCKS5).await?;
    let reply = wire.read_until(|bytes| bytes.len() >= 2).await?;
    let open = reply.starts_with(&[5, 0]);
    Ok(open.then(|| subject.issue(&exposures::SOCKS_OPEN).evidence("method", "no authentication").sure(95)).into_iter().collect())
}

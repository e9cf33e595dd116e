//! Brokers, directories and mail servers that serve strangers.

use super::refusal::{settled, unanswered, welcomed};
use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::services::{LDAP_BIND, MQTT_CONNECT};
use crate::wire::contains;

pub(super) async fn mqtt(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(MQTT_CONNECT).await?;
    let reply = wire.read_until(|bytes| bytes.len() >= 4).await?;
    let accepted = reply.starts_with(&[0x20, 2]) && reply.get(3) == Some(&0);
    // Bad credentials and not authorised (MQTT 3.1.1, 3.2.2.3) refuse; a broker that is not available does not.
    let refused = reply.starts_with(&[0x20, 2]) && matches!(reply.get(3), Some(4 | 5));
    if !accepted && !refused {
        return Err(unanswered(&reply));
    }
    // DISCONNECT, so that the broker does not log a lost client.
    let _ = wire.send(&[0xe0, 0]).await;
    Ok(accepted.then(|| subject.issue(&exposures::MQTT).evidence("connack", "accepted").sure(99)).into_iter().collect())
}

/// The result of a search (RFC 4511, 4.5.2): the end, and an entry.
const SEARCH_DONE: &[u8] = b"\x65";
const SEARCH_ENTRY: u8 = 0x64;

pub(super) async fn ldap(subject: &Subject<'_>) -> Found {
    let mut found = Vec::new();
    let mut wire = subject.open().await?;
    wire.send(LDAP_BIND).await?;
    let reply = wire.read_some().await?;
    // resultCode success as the first element of the bind response.
    if !contains(&reply, b"\x0a\x01\x00") {
        // Busy (51) and unavailable (52) are no answers.
        let refused = contains(&reply, b"\x0a\x01") && ![b"\x0a\x01\x33", b"\x0a\x01\x34"].iter().any(|code| contains(&reply, *code));
        return if refused { Ok(found) } else { Err(unanswered(&reply)) };
    }
    found.push(subject.issue(&exposures::LDAP_ANONYMOUS).evidence("bind", "success"));
    wire.send(&search(2, b"", 0, b"namingContexts")).await?;
    let Ok(root) = wire.read_until(|bytes| contains(bytes, SEARCH_DONE) && contains(bytes, b"\x0a\x01")).await else { return Ok(found) };
    let Some(base) = naming_context(&root) else { return Ok(found) };
    // No attributes are wanted: that an entry comes back is proof enough.
    wire.send(&search(3, &base, 2, b"1.1")).await?;
    if let Ok(reply) = wire.read_until(|bytes| contains(bytes, b"\x0a\x01")).await
        && reply.iter().skip(2).take(6).any(|byte| *byte == SEARCH_ENTRY)
    {
        found.push(subject.issue(&exposures::LDAP_READABLE).evidence("base", String::from_utf8_lossy(&base)).sure(95));
    }
    Ok(found)
}

/// A search for one entry of any class below a base.
fn search(number: u8, base: &[u8], scope: u8, attribute: &[u8]) -> Vec<u8> {
    let request = [
        element(4, base),
        vec![0x0a, 1, scope, 0x0a, 1, 0, 2, 1, 1, 2, 1, 5, 1, 1, 0],
        element(0x87, b"objectClass"),
        element(0x30, &element(4, attribute)),
    ];
    element(0x30, &[vec![2, 1, number], element(0x63, &request.concat())].concat())
}

/// Tag, length and contents, of at most 255 bytes.
fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().min(255) as u8;
    let mut bytes = vec![tag];
    if length > 127 {
        bytes.push(0x81);
    }
    bytes.push(length);
    bytes.extend(contents.iter().take(255));
    bytes
}

/// The first value of `namingContexts`: a set that begins with a string.
fn naming_context(reply: &[u8]) -> Option<Vec<u8>> {
    let name = b"namingContexts";
    let at = reply.windows(name.len()).position(|window| window.eq_ignore_ascii_case(name))?;
    let [0x31, _, 4, length, rest @ ..] = reply.get(at + name.len()..)? else { return None };
    rest.get(..usize::from(*length)).filter(|base| !base.is_empty()).map(<[u8]>::to_vec)
}

/// Offers a message from outside for outside and takes it back before its first byte.
pub(super) async fn smtp_relay(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    welcomed(wire.read_status().await?)?;
    settled(wire.command("EHLO scanner.invalid").await?)?;
    if settled(wire.command("MAIL FROM:<tyrian-scan@example.com>").await?)? != 250 {
        return Ok(Vec::new());
    }
    let (recipient, text) = wire.command("RCPT TO:<tyrian-scan@example.org>").await?;
    let _ = wire.command("RSET").await;
    let _ = wire.send(b"QUIT\r\n").await;
    // Postfix defers what it does not relay (`defer_unauth_destination`): a refusal for now and for ever.
    if recipient == 454 && text.to_ascii_lowercase().contains("relay") {
        return Ok(Vec::new());
    }
    let recipient = settled((recipient, text.clone()))?;
    Ok((recipient == 250 || recipient == 251)
        .then(|| subject.issue(&exposures::SMTP_RELAY).evidence("reply", text).sure(85))
        .into_iter()
        .collect())
}

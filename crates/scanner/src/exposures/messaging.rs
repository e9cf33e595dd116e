//! Brokers, directories and mail servers that serve strangers.

use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::services::{LDAP_BIND, MQTT_CONNECT};
use crate::wire::contains;

pub(super) async fn mqtt(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(MQTT_CONNECT).await?;
    let reply = wire.read_until(|bytes| bytes.len() >= 4).await?;
    let accepted = reply.starts_with(&[0x20, 2]) && reply.get(3) == Some(&0);
    // DISCONNECT, so that the broker does not log a lost client.
    let _ = wire.send(&[0xe0, 0]).await;
    Ok(accepted.then(|| subject.issue(&exposures::MQTT).evidence("connack", "accepted").sure(99)).into_iter().collect())
}

pub(super) async fn ldap(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(LDAP_BIND).await?;
    let reply = wire.read_some().await?;
    // resultCode success as the first element of the bind response.
    let bound = contains(&reply, b"\x0a\x01\x00");
    Ok(bound.then(|| subject.issue(&exposures::LDAP_ANONYMOUS).evidence("bind", "success")).into_iter().collect())
}

/// Offers a message from outside for outside and takes it back before its first byte.
pub(super) async fn smtp_relay(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.read_status().await?;
    wire.command("EHLO scanner.invalid").await?;
    let (sender, _) = wire.command("MAIL FROM:<tyrian-scan@example.com>").await?;
    if sender != 250 {
        return Ok(Vec::new());
    }
    let (recipient, text) = wire.command("RCPT TO:<tyrian-scan@example.org>").await?;
    let _ = wire.command("RSET").await;
    let _ = wire.send(b"QUIT\r\n").await;
    Ok((recipient == 250 || recipient == 251)
        .then(|| subject.issue(&exposures::SMTP_RELAY).evidence("reply", text).sure(85))
        .into_iter()
        .collect())
}

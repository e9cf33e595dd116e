//! Mail servers that take passwords without encryption or tell which users exist.

use super::refusal::{settled, unanswered, welcomed};
use super::{Found, Subject};
use crate::catalogue::exposures;

/// A name that no mail server has.
const NOBODY: &str = "tyrian-no-such-user";
/// Names that nearly every mail server has.
const SOMEBODY: &[&str] = &["postmaster", "root"];

pub(super) async fn smtp(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    let greeting = welcomed(wire.read_status().await?)?;
    let (code, features) = wire.command("EHLO scanner.invalid").await?;
    let code = settled((code, features.clone()))?;
    let features = features.to_ascii_uppercase();
    let offers = |word: &str| features.lines().any(|line| line.get(4..).is_some_and(|line| line.split([' ', '=']).next() == Some(word)));
    let mut found = Vec::new();
    if let (Some(product), Some(version)) = (&subject.service.product, &subject.service.version) {
        found.push(subject.issue(&exposures::BANNER_VERSION).evidence("greeting", format!("{product} {version}")));
    }
    if code == 250 && !subject.service.tls && !offers("STARTTLS") {
        found.push(subject.issue(&exposures::SMTP_NO_TLS).evidence("greeting", greeting));
    }
    // That TLS is on offer too keeps no client from sending its password before.
    if code == 250 && !subject.service.tls && offers("AUTH") {
        found.push(subject.issue(&exposures::SMTP_PLAIN_LOGIN).evidence("features", features.replace("\r\n", " ")));
    }
    let (unknown, words) = wire.command(&format!("VRFY {NOBODY}")).await?;
    if matches!(unknown, 550 | 551 | 553) && !words.to_ascii_lowercase().contains("disabled") {
        for name in SOMEBODY {
            let (known, words) = wire.command(&format!("VRFY {name}")).await?;
            if matches!(known, 250..=252) {
                let shown = format!("{name}: {}, {NOBODY}: {unknown}", words.trim());
                found.push(subject.issue(&exposures::SMTP_NAMES).about("VRFY").evidence("replies", shown));
                break;
            }
        }
    }
    // Not an answer worth waiting for.
    let _ = wire.send(b"QUIT\r\n").await;
    Ok(found)
}

/// A server may call a connection from its own host safe; one that offers TLS is believed to mean it for others.
pub(super) async fn imap(subject: &Subject<'_>) -> Found {
    if subject.service.tls {
        return Ok(Vec::new());
    }
    let mut wire = subject.open().await?;
    let greeting = wire.read_line().await?;
    if greeting.starts_with("* BYE") {
        return Err(unanswered(greeting.as_bytes()));
    }
    wire.send(b"a1 CAPABILITY\r\n").await?;
    let reply = wire.read_until(|bytes| crate::wire::contains(bytes, b"a1 ") && bytes.ends_with(b"\n")).await?;
    let text = String::from_utf8_lossy(&reply).to_ascii_uppercase();
    if !text.contains("CAPABILITY") {
        return Err(unanswered(&reply));
    }
    let plain = !text.contains("STARTTLS") && !text.contains("LOGINDISABLED");
    let _ = wire.send(b"a2 LOGOUT\r\n").await;
    Ok(plain.then(|| subject.issue(&exposures::MAILBOX_PLAIN_LOGIN).evidence("capabilities", text)).into_iter().collect())
}

pub(super) async fn pop3(subject: &Subject<'_>) -> Found {
    if subject.service.tls {
        return Ok(Vec::new());
    }
    let mut wire = subject.open().await?;
    let greeting = wire.read_line().await?;
    if !greeting.starts_with("+OK") {
        return Err(unanswered(greeting.as_bytes()));
    }
    wire.send(b"CAPA\r\n").await?;
    let reply = wire.read_until(|bytes| bytes.ends_with(b"\n.\r\n") || bytes.starts_with(b"-ERR") && bytes.ends_with(b"\n")).await?;
    let text = String::from_utf8_lossy(&reply).to_ascii_uppercase();
    if text.contains("STLS") {
        return Ok(Vec::new());
    }
    wire.send(format!("USER {NOBODY}\r\n").as_bytes()).await?;
    let asked = wire.read_line().await?.starts_with("+OK");
    let _ = wire.send(b"QUIT\r\n").await;
    Ok(asked.then(|| subject.issue(&exposures::MAILBOX_PLAIN_LOGIN).evidence("capabilities", text)).into_iter().collect())
}

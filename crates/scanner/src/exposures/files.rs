//! File servers that let anybody in.

use std::net::SocketAddr;

use super::refusal::{settled, unanswered, welcomed};
use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::wire::{Wire, WireError};

/// Where anonymous users are let write by custom.
const DIRECTORIES: &[&str] = &["/", "/incoming", "/upload", "/uploads", "/pub", "/pub/incoming", "/public"];
/// Said so that whoever finds it knows.
const STORED: &str = "stored-by-a-security-scan-may-be-deleted.txt";
/// Modules of rsync that are tried one by one.
const MODULES_TRIED: usize = 10;

pub(super) async fn ftp(subject: &Subject<'_>) -> Found {
    let mut found = Vec::new();
    if let (Some(product), Some(version)) = (&subject.service.product, &subject.service.version) {
        let told = format!("{product} {version}");
        found.push(subject.issue(&exposures::BANNER_VERSION).evidence("greeting", told));
    }
    let mut wire = subject.open().await?;
    welcomed(wire.read_status().await?)?;
    let entered = match settled(wire.command("USER anonymous").await?)? {
        230 => true,
        331 => settled(wire.command("PASS anonymous@scanner.invalid").await?)? == 230,
        _ => false,
    };
    if entered {
        let directory = wire.command("PWD").await.map(|(_, text)| text).unwrap_or_default();
        found.push(subject.issue(&exposures::FTP_ANONYMOUS).about("anonymous").evidence("directory", directory).sure(99));
    }
    // Not an answer worth waiting for.
    let _ = wire.send(b"QUIT\r\n").await;
    drop(wire);
    if !subject.service.tls {
        let mut wire = subject.open().await?;
        welcomed(wire.read_status().await?)?;
        let (code, text) = wire.command("USER tyrian-scan").await?;
        if settled((code, text.clone()))? == 331 {
            found.push(subject.issue(&exposures::FTP_PLAIN).evidence("reply", text).sure(90));
        }
    }
    Ok(found)
}

/// Stores an empty file as a stranger and removes it again.
pub(super) async fn ftp_write(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    welcomed(wire.read_status().await?)?;
    let user = settled(wire.command("USER anonymous").await?)?;
    let entered = user == 230 || user == 331 && settled(wire.command("PASS anonymous@scanner.invalid").await?)? == 230;
    if !entered {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for directory in DIRECTORIES {
        if wire.command(&format!("CWD {directory}")).await?.0 != 250 {
            continue;
        }
        let Some(port) = passive_port(&mut wire).await? else { break };
        let address = SocketAddr::new(subject.endpoint.address.ip(), port);
        let data = subject.session.dialer.connect_beside(address).await.map_err(|error| WireError::Failed(error.to_string()))?;
        if matches!(wire.command(&format!("STOR {STORED}")).await?.0, 125 | 150) {
            drop(data);
            wire.read_status().await?;
            let removed = wire.command(&format!("DELE {STORED}")).await?.0 == 250;
            let issue = subject.issue(&exposures::FTP_WRITABLE).about(*directory).evidence("stored as", STORED);
            found.push(issue.evidence("removed again", if removed { "yes" } else { "no" }).sure(99));
            break;
        }
    }
    let _ = wire.send(b"QUIT\r\n").await;
    Ok(found)
}

/// Where the server waits for the next transfer (RFC 2428, RFC 959).
async fn passive_port(wire: &mut Wire) -> Result<Option<u16>, WireError> {
    let (code, text) = wire.command("EPSV").await?;
    if code == 229 {
        return Ok(extended_port(&text));
    }
    let (code, text) = wire.command("PASV").await?;
    Ok(if code == 227 { plain_port(&text) } else { None })
}

fn extended_port(text: &str) -> Option<u16> {
    text.split_once("|||")?.1.split('|').next()?.parse().ok()
}

fn plain_port(text: &str) -> Option<u16> {
    let (_, rest) = text.rsplit_once('(')?;
    let numbers: Vec<u8> = rest.split(')').next()?.split(',').map(|number| number.trim().parse().ok()).collect::<Option<_>>()?;
    let [_, _, _, _, high, low] = numbers.as_slice() else { return None };
    Some(u16::from_be_bytes([*high, *low]))
}

pub(super) async fn rsync(subject: &Subject<'_>) -> Found {
    let mut wire = greet(subject).await?;
    wire.send(b"\n").await?;
    let listing = wire.read_until(|bytes| crate::wire::contains(bytes, b"@RSYNCD: EXIT")).await?;
    drop(wire);
    let text = String::from_utf8_lossy(&listing);
    let modules: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("@RSYNCD:"))
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, _)| name.trim())
        .filter(|name| !name.is_empty())
        .collect();
    let mut open = Vec::new();
    for module in modules.iter().take(MODULES_TRIED) {
        let mut wire = greet(subject).await?;
        wire.send(format!("{module}\n").as_bytes()).await?;
        let line = wire.read_line().await?;
        if line.starts_with("@RSYNCD: OK") {
            open.push(*module);
        } else if line.starts_with("@ERROR: max connections") {
            return Err(unanswered(line.as_bytes()));
        }
    }
    if open.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        subject
            .issue(&exposures::RSYNC)
            .about(open.join(","))
            .evidence("modules", modules.join(", "))
            .evidence("without authentication", open.join(", ")),
    ])
}

async fn greet(subject: &Subject<'_>) -> Result<Wire, WireError> {
    let mut wire = subject.open().await?;
    wire.read_line().await?;
    wire.send(b"@RSYNCD: 30.0\n").await?;
    Ok(wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_transfer_is_read_from_both_replies() {
        assert_eq!(extended_port("229 Entering Extended Passive Mode (|||40000|)"), Some(40_000));
        assert_eq!(plain_port("227 Entering Passive Mode (127,0,0,1,156,64)."), Some(40_000));
        assert_eq!((extended_port("229 (|||x|)"), plain_port("227 (1,2,3)")), (None, None));
    }
}

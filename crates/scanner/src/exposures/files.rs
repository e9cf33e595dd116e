//! File servers that let anybody in.

use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::wire::{Wire, WireError};

/// Modules of rsync that are tried one by one.
const MODULES_TRIED: usize = 10;

pub(super) async fn ftp(subject: &Subject<'_>) -> Found {
    let mut found = Vec::new();
    if let (Some(product), Some(version)) = (&subject.service.product, &subject.service.version) {
        let told = format!("{product} {version}");
        found.push(subject.issue(&exposures::BANNER_VERSION).evidence("greeting", told));
    }
    let mut wire = subject.open().await?;
    wire.read_status().await?;
    let (user, _) = wire.command("USER anonymous").await?;
    let entered = match user {
        230 => true,
        331 => wire.command("PASS anonymous@scanner.invalid").await?.0 == 230,
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
        wire.read_status().await?;
        let (code, text) = wire.command("USER tyrian-scan").await?;
        if code == 331 {
            found.push(subject.issue(&exposures::FTP_PLAIN).evidence("reply", text).sure(90));
        }
    }
    Ok(found)
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
        if wire.read_line().await.is_ok_and(|line| line.starts_with("@RSYNCD: OK")) {
            open.push(*module);
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

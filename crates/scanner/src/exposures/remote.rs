//! Remote access without protection.

use super::refusal::unanswered;
use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::report::Issue;

const NO_AUTHENTICATION: u8 = 1;

pub(super) fn telnet(subject: &Subject<'_>) -> Vec<Issue> {
    match subject.service.tls {
        true => Vec::new(),
        false => vec![subject.issue(&exposures::TELNET).sure(subject.service.confidence)],
    }
}

pub(super) fn ssh(subject: &Subject<'_>) -> Vec<Issue> {
    let banner = subject.service.banner.as_deref().unwrap_or_default();
    match banner.starts_with("SSH-1.") {
        true => vec![subject.issue(&exposures::SSH_PROTOCOL_1).evidence("banner", banner)],
        false => Vec::new(),
    }
}

pub(super) async fn vnc(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    let greeting = wire.read_until(|bytes| bytes.len() >= 12).await?;
    let old = greeting.starts_with(b"RFB 003.003");
    let reply = match old {
        true => b"RFB 003.003\n",
        false => b"RFB 003.008\n",
    };
    wire.send(reply).await?;
    let open = match old {
        // Version 3.3: the server decides, in four bytes.
        true => match wire.read_until(|bytes| bytes.len() >= 4).await?.get(..4) {
            Some([0, 0, 0, kind]) if *kind > 0 => *kind == NO_AUTHENTICATION,
            failure => return Err(unanswered(failure.unwrap_or_default())),
        },
        false => {
            let offer = wire.read_until(|bytes| bytes.first().is_some_and(|count| bytes.len() > usize::from(*count))).await?;
            let count = offer.first().copied().map_or(0, usize::from);
            // No type at all is a failure, such as too many wrong passwords (RFC 6143, 7.1.2).
            if count == 0 {
                return Err(unanswered(offer.get(5..).unwrap_or_default()));
            }
            offer.iter().skip(1).take(count).any(|kind| *kind == NO_AUTHENTICATION)
        }
    };
    Ok(open.then(|| subject.issue(&exposures::VNC).evidence("security type", "none").sure(99)).into_iter().collect())
}

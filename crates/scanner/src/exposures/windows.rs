//! File sharing of Windows and Samba: the oldest version of SMB, and sessions without signatures.

use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::services::SMB2_NEGOTIATE;

/// Negotiation of SMB 1 that offers `NT LM 0.12` only.
const SMB1_NEGOTIATE: &[u8] =
    b"\0\0\0\x2f\xffSMB\x72\0\0\0\0\x18\x01\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x4b\x2f\0\0\0\0\0\x0c\0\x02NT LM 0.12\0";
/// Where the security mode stands in a negotiation of SMB 2: behind the length, the header and the structure's size.
const SECURITY_MODE: usize = 4 + 64 + 2;
const SIGNING_REQUIRED: u8 = 2;

pub(super) async fn smb(subject: &Subject<'_>) -> Found {
    let mut found = Vec::new();
    let mut wire = subject.open().await?;
    wire.send(SMB2_NEGOTIATE).await?;
    let reply = wire.read_until(|bytes| bytes.len() > SECURITY_MODE + 1).await.unwrap_or_default();
    drop(wire);
    if reply.get(4..8) == Some(b"\xfeSMB")
        && let Some(mode) = reply.get(SECURITY_MODE)
        && mode & SIGNING_REQUIRED == 0
    {
        found.push(subject.issue(&exposures::SMB_UNSIGNED).evidence("security mode", mode.to_string()).sure(98));
    }
    let mut wire = subject.open().await?;
    wire.send(SMB1_NEGOTIATE).await?;
    // A server without it hangs up, or chooses no dialect.
    let reply = wire.read_until(|bytes| bytes.len() >= 39).await.unwrap_or_default();
    let chosen = reply.get(37..39).is_some_and(|dialect| dialect == [0, 0]);
    if reply.get(4..9) == Some(b"\xffSMB\x72") && chosen {
        found.push(subject.issue(&exposures::SMB1).evidence("dialect", "NT LM 0.12").sure(98));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_negotiation_is_as_long_as_it_says() {
        assert_eq!(SMB1_NEGOTIATE.len() - 4, usize::from(SMB1_NEGOTIATE[3]));
    }
}

//! File sharing of Windows and Samba: the oldest version of SMB, and sessions without signatures.

use super::{Found, Subject};
use crate::catalogue::{Check, exposures};
use crate::report::Issue;
use crate::services::SMB2_NEGOTIATE;
use crate::wire::WireError;

/// Negotiation of SMB 1 that offers `NT LM 0.12` only.
const SMB1_NEGOTIATE: &[u8] =
    b"\0\0\0\x2f\xffSMB\x72\0\0\0\0\x18\x01\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x4b\x2f\0\0\0\0\0\x0c\0\x02NT LM 0.12\0";
/// Where the security mode stands in a negotiation of SMB 2: behind the length, the header and the structure's size.
const SECURITY_MODE: usize = 4 + 64 + 2;
/// Where the status stands in a reply of SMB 2.
const STATUS: usize = 4 + 8;
/// Where the session's number stands, and the flags of a session that was granted.
const SESSION: usize = 4 + 40;
const SESSION_FLAGS: usize = 4 + 64 + 2;
const GUEST: u8 = 1;
/// What only SMB 2 tells.
const NEWER: [&Check; 2] = [&exposures::SMB_UNSIGNED, &exposures::SMB_GUEST];
/// STATUS_SUCCESS.
const GRANTED: [u8; 4] = [0; 4];
/// STATUS_MORE_PROCESSING_REQUIRED.
const MORE_PROCESSING: [u8; 4] = [0x16, 0, 0, 0xc0];
/// STATUS_INSUFFICIENT_RESOURCES, STATUS_TOO_MANY_SESSIONS, STATUS_REQUEST_NOT_ACCEPTED and STATUS_INSUFF_SERVER_RESOURCES (MS-ERREF,
/// 2.3.1): said to everybody, whoever asks.
const FULL: [[u8; 4]; 4] = [[0x9a, 0, 0, 0xc0], [0xce, 0, 0, 0xc0], [0xd0, 0, 0, 0xc0], [0x05, 0x02, 0, 0xc0]];
/// Unicode, a target is wanted, NTLM, always sign, extended session security.
const NTLM_FLAGS: u32 = 0x0008_8205;
/// A name that no server has.
const NOBODY: &str = "tyrian-no-such-user";
const SIGNING_REQUIRED: u8 = 2;

pub(super) async fn smb(subject: &Subject<'_>) -> Found {
    let mut found = Vec::new();
    let newer = negotiate(subject, SMB2_NEGOTIATE, SECURITY_MODE + 2).await?;
    let older = negotiate(subject, SMB1_NEGOTIATE, 39).await?;
    // A server that hangs up on one version has declined it; one that hangs up on both is full, or has us shut out.
    if newer.is_none() && older.is_none() {
        return Err(WireError::Closed);
    }
    let newer = newer.unwrap_or_default();
    if newer.get(4..8) == Some(b"\xfeSMB") {
        match status(&newer) {
            Ok(GRANTED) => found.extend(newer_version(subject, &newer).await),
            Ok(_) => subject.undecided(&NEWER, &refused(&newer)).await,
            Err(error) => subject.undecided(&NEWER, &error).await,
        }
    }
    // A server without the old version may also answer and choose no dialect.
    let older = older.unwrap_or_default();
    let chosen = older.get(37..39).is_some_and(|dialect| dialect == [0, 0]);
    if older.get(4..9) == Some(b"\xffSMB\x72") && chosen {
        found.push(subject.issue(&exposures::SMB1).evidence("dialect", "NT LM 0.12").sure(98));
    }
    Ok(found)
}

/// Offers versions of SMB; nothing where the server hangs up, and an error where it cannot be reached or is silent.
async fn negotiate(subject: &Subject<'_>, offer: &[u8], length: usize) -> Result<Option<Vec<u8>>, WireError> {
    let mut wire = subject.open().await?;
    wire.send(offer).await?;
    match wire.read_until(|bytes| bytes.len() >= length).await {
        Err(WireError::Timeout) => Err(WireError::Timeout),
        reply => Ok(reply.ok()),
    }
}

/// What is wrong with a server that speaks SMB 2.
async fn newer_version(subject: &Subject<'_>, negotiated: &[u8]) -> Vec<Issue> {
    let mut found = Vec::new();
    if let Some(mode) = negotiated.get(SECURITY_MODE)
        && mode & SIGNING_REQUIRED == 0
    {
        found.push(subject.issue(&exposures::SMB_UNSIGNED).evidence("security mode", mode.to_string()).sure(98));
    }
    match guest(subject).await {
        Ok(Some(user)) => found.push(subject.issue(&exposures::SMB_GUEST).about(user).evidence("session", "granted as guest").sure(97)),
        Ok(None) => {}
        Err(error) => subject.undecided(&[&exposures::SMB_GUEST], &error).await,
    }
    found
}

/// The status of a reply of SMB 2; an error where it says that the server has no room, or breaks off before.
fn status(reply: &[u8]) -> Result<[u8; 4], WireError> {
    let status = reply.get(STATUS..).and_then(|rest| rest.first_chunk::<4>()).copied().ok_or(WireError::Closed)?;
    if FULL.contains(&status) { Err(refused(reply)) } else { Ok(status) }
}

/// A status that answers something else than the question.
fn refused(reply: &[u8]) -> WireError {
    let status = reply.get(STATUS..).and_then(|rest| rest.first_chunk::<4>()).copied().map_or(0, u32::from_le_bytes);
    WireError::Failed(format!("the service answered {status:#010x}"))
}

/// Logs in as a user who does not exist; a server that lets anybody in makes a guest of them.
async fn guest(subject: &Subject<'_>) -> Result<Option<&'static str>, WireError> {
    let mut wire = subject.open().await?;
    wire.send(SMB2_NEGOTIATE).await?;
    wire.read_until(is_whole).await?;
    wire.send(&session_setup(1, [0; 8], &ntlm_negotiate())).await?;
    let reply = wire.read_until(is_whole).await?;
    if status(&reply)? != MORE_PROCESSING {
        return Ok(None);
    }
    let session = reply.get(SESSION..).and_then(|rest| rest.first_chunk::<8>()).copied().ok_or(WireError::Closed)?;
    wire.send(&session_setup(2, session, &ntlm_authenticate(NOBODY))).await?;
    let reply = wire.read_until(is_whole).await?;
    let granted = status(&reply)? == GRANTED && reply.get(SESSION_FLAGS).is_some_and(|flags| flags & GUEST != 0);
    Ok(granted.then_some(NOBODY))
}

/// True when the message is as long as its first four bytes say.
fn is_whole(reply: &[u8]) -> bool {
    let length = reply.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize);
    length.is_some_and(|length| reply.len() >= length + 4)
}

/// SESSION_SETUP of SMB 2 (MS-SMB2, 2.2.5) that carries a message of NTLM.
fn session_setup(number: u8, session: [u8; 8], security: &[u8]) -> Vec<u8> {
    let mut message = b"\xfeSMB\x40\0\x01\0\0\0\0\0\x01\0\x20\0\0\0\0\0\0\0\0\0".to_vec();
    message.extend([number, 0, 0, 0, 0, 0, 0, 0]);
    message.extend([0; 8]);
    message.extend(session);
    message.extend([0; 16]);
    // Size, no flags, signing enabled, no capabilities, no channel, where the security buffer begins.
    message.extend(b"\x19\0\0\x01\0\0\0\0\0\0\0\0\x58\0");
    message.extend((security.len() as u16).to_le_bytes());
    message.extend([0; 8]);
    message.extend(security);
    let mut bytes = (message.len() as u32).to_be_bytes().to_vec();
    bytes.extend(message);
    bytes
}

/// NEGOTIATE_MESSAGE (MS-NLMP, 2.2.1.1) without domain and workstation.
fn ntlm_negotiate() -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x01\0\0\0".to_vec();
    message.extend(NTLM_FLAGS.to_le_bytes());
    message.extend([0; 16]);
    message
}

/// AUTHENTICATE_MESSAGE (MS-NLMP, 2.2.1.3) with answers that no password gives.
fn ntlm_authenticate(user: &str) -> Vec<u8> {
    const FIXED: usize = 64;
    let name: Vec<u8> = user.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let answer = [0_u8; 24];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut payload: Vec<u8> = Vec::new();
    let empty: &[u8] = &[];
    for part in [answer.as_slice(), answer.as_slice(), empty, name.as_slice(), empty, empty] {
        let length = (part.len() as u16).to_le_bytes();
        message.extend(length);
        message.extend(length);
        message.extend(((FIXED + payload.len()) as u32).to_le_bytes());
        payload.extend(part);
    }
    message.extend(NTLM_FLAGS.to_le_bytes());
    message.extend(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_laid_out_as_it_says() {
        let message = ntlm_authenticate("ab");
        assert_eq!(message.len(), 64 + 24 + 24 + 4);
        // Length and place of the user's name, the fourth of the fields.
        assert_eq!(message[36..44], [4, 0, 4, 0, 112, 0, 0, 0]);
        assert_eq!(message[112..], [b'a', 0, b'b', 0]);
        let setup = session_setup(1, [7; 8], &message);
        assert!(is_whole(&setup) && !is_whole(&setup[..setup.len() - 1]));
        assert_eq!(setup[SESSION..SESSION + 8], [7; 8]);
        assert_eq!(setup[4 + 0x58..], message);
    }

    #[test]
    fn the_old_negotiation_is_as_long_as_it_says() {
        assert_eq!(SMB1_NEGOTIATE.len() - 4, usize::from(SMB1_NEGOTIATE[3]));
    }
}

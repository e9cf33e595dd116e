//! The SSH audit: the algorithms a server offers in its first message, judged; no login is tried.

use crate::catalogue::{Check, ssh};
use crate::dial::DialError;
use crate::report::{CoverageStatus, Issue};
use crate::session::{Endpoint, Session};
use crate::wire::{REPLY_CAP, Wire, WireError};

pub(crate) const CHECK_SET: &str = "ssh";
const GREETING: &[u8] = b"SSH-2.0-TyrianScan_1.0\r\n";
/// SSH_MSG_KEXINIT of RFC 4253.
const KEXINIT: u8 = 20;

/// What a server offers, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Offer {
    exchanges: Vec<String>,
    host_keys: Vec<String>,
    ciphers: Vec<String>,
    macs: Vec<String>,
}

/// A check, the names it looks at, and which of them are weak.
type Rule<'o> = (&'static Check, &'o [String], fn(&str) -> bool);

/// Audits one SSH server and reports its issues and coverage.
pub(crate) async fn audit(session: &Session, endpoint: &Endpoint) {
    let (status, reason) = match offer(session, endpoint).await {
        Ok(Some(offer)) => {
            for (check, names) in judge(&offer) {
                let issue = Issue::new(check, endpoint.address, &endpoint.host);
                session.issue(issue.evidence("offered", names.join(", ")).sure(98)).await;
            }
            (CoverageStatus::Done, None)
        }
        Ok(None) => (CoverageStatus::Error, Some("the server sent no list of algorithms".to_owned())),
        Err(WireError::Timeout) => (CoverageStatus::Timeout, Some("no reply in time".to_owned())),
        Err(error) => (CoverageStatus::Error, Some(error.to_string())),
    };
    session.covered(CHECK_SET, endpoint, status, reason).await;
}

async fn offer(session: &Session, endpoint: &Endpoint) -> Result<Option<Offer>, WireError> {
    let failed = |error: DialError| WireError::Failed(error.to_string());
    let stream = session.dialer.connect(endpoint.address).await.map_err(failed)?;
    let mut wire = Wire::new(stream, session.dialer.read_timeout);
    wire.send(GREETING).await?;
    let reply = wire.read_until(|bytes| packet(bytes).is_some()).await?;
    Ok(packet(&reply).and_then(read))
}

/// The payload of the first packet behind the greeting, when it is whole.
fn packet(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    // Lines may come before the greeting (RFC 4253, 4.2).
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end + 1)?;
        rest = after;
        if line.starts_with(b"SSH-") {
            break;
        }
    }
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > REPLY_CAP {
        return None;
    }
    let (padding, rest) = rest.split_first()?;
    rest.get(..length.checked_sub(1)?)?.get(..length.checked_sub(1 + usize::from(*padding))?)
}

fn read(payload: &[u8]) -> Option<Offer> {
    let (kind, rest) = payload.split_first()?;
    if *kind != KEXINIT {
        return None;
    }
    let mut rest = rest.get(16..)?;
    let mut lists = Vec::new();
    for _ in 0..6 {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (names, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after;
        let names = std::str::from_utf8(names).ok()?;
        lists.push(names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<String>>());
    }
    let mut lists = lists.into_iter();
    let mut next = || lists.next().unwrap_or_default();
    let (exchanges, host_keys) = (next(), next());
    // Both directions: what is weak in one is weak.
    let mut both = || {
        let mut names = next();
        for name in next() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    };
    Some(Offer { exchanges, host_keys, ciphers: both(), macs: both() })
}

fn judge(offer: &Offer) -> Vec<(&'static Check, Vec<&str>)> {
    let weak_exchange = |name: &str| {
        matches!(name, "diffie-hellman-group1-sha1" | "diffie-hellman-group14-sha1" | "diffie-hellman-group-exchange-sha1" | "rsa1024-sha1")
            || name.starts_with("gss-") && name.contains("-sha1-")
    };
    let weak_cipher = |name: &str| {
        let name = name.split('@').next().unwrap_or(name);
        name == "none" || name.starts_with("arcfour") || name.starts_with("des") || name.ends_with("-cbc")
    };
    let weak_mac = |name: &str| name == "none" || name.contains("md5") || name.contains("-96") || name.contains("ripemd");
    let weak_host_key = |name: &str| matches!(name.split("-cert-v").next(), Some("ssh-dss" | "ssh-rsa"));
    let mut found = Vec::new();
    let rules: [Rule<'_>; 4] = [
        (&ssh::WEAK_EXCHANGE, &offer.exchanges, weak_exchange),
        (&ssh::WEAK_CIPHER, &offer.ciphers, weak_cipher),
        (&ssh::WEAK_MAC, &offer.macs, weak_mac),
        (&ssh::WEAK_HOST_KEY, &offer.host_keys, weak_host_key),
    ];
    for (check, names, is_weak) in rules {
        let weak: Vec<&str> = names.iter().map(String::as_str).filter(|name| is_weak(name)).collect();
        if !weak.is_empty() {
            found.push((check, weak));
        }
    }
    let strict = offer.exchanges.iter().any(|name| name == "kex-strict-s-v00@openssh.com");
    let chacha = offer.ciphers.iter().filter(|name| *name == "chacha20-poly1305@openssh.com");
    let encrypt_then_mac = offer.macs.iter().any(|name| name.ends_with("-etm@openssh.com"));
    let chained = offer.ciphers.iter().filter(|name| encrypt_then_mac && name.split('@').next().is_some_and(|name| name.ends_with("-cbc")));
    let open: Vec<&str> = chacha.chain(chained).map(String::as_str).collect();
    if !strict && !open.is_empty() {
        found.push((&ssh::TERRAPIN, open));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(lists: [&str; 6]) -> Vec<u8> {
        let mut payload = vec![KEXINIT];
        payload.extend([7; 16]);
        for list in lists {
            payload.extend((list.len() as u32).to_be_bytes());
            payload.extend(list.as_bytes());
        }
        let mut bytes = b"a line before\r\nSSH-2.0-Test\r\n".to_vec();
        bytes.extend((payload.len() as u32 + 1 + 4).to_be_bytes());
        bytes.push(4);
        bytes.extend(&payload);
        bytes.extend([0; 4]);
        bytes
    }

    fn checks(lists: [&str; 6]) -> Vec<&'static str> {
        let bytes = message(lists);
        let offer = read(packet(&bytes).unwrap()).unwrap();
        judge(&offer).into_iter().map(|(check, _)| check.id).collect()
    }

    #[test]
    fn weak_algorithms_are_told_from_those_of_today() {
        let (modern, ctr, mac) =
            ("curve25519-sha256,kex-strict-s-v00@openssh.com", "chacha20-poly1305@openssh.com,aes256-ctr", "hmac-sha1");
        assert_eq!(checks([modern, "ssh-ed25519,rsa-sha2-512", ctr, ctr, mac, mac]), Vec::<&str>::new());
        assert_eq!(
            checks(["diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc", "aes256-ctr", "hmac-sha2-256", "hmac-md5"]),
            ["ssh.weak-key-exchange", "ssh.weak-cipher", "ssh.weak-mac", "ssh.weak-host-key"]
        );
        assert_eq!(checks(["curve25519-sha256", "ssh-ed25519", ctr, ctr, mac, mac]), ["ssh.prefix-truncation"]);
    }

    #[test]
    fn a_message_that_breaks_off_is_none() {
        let whole = message(["a", "b", "c", "d", "e", "f"]);
        for end in 0..whole.len() {
            assert!(packet(&whole[..end]).is_none_or(|payload| read(payload).is_none()), "{end}");
        }
    }
}

//! Protocols that begin in the clear and change to TLS on request.

use crate::wire::{Wire, WireError, contains};

/// Which protocol to upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartTls {
    Smtp,
    Imap,
    Pop3,
    Ftp,
    Postgresql,
    Mysql,
    Ldap,
    Xmpp,
    Sieve,
    Nntp,
    Rdp,
}

/// Extended request of LDAP with the name 1.3.6.1.4.1.1466.20037 (RFC 4511, 4.14).
const LDAP_START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// Capabilities of a MySQL client: protocol 4.1, TLS, secure connection.
const MYSQL_CAPABILITIES: u32 = 0x0000_8a00;
/// The flag for TLS in the lower half of a MySQL server's capabilities.
const MYSQL_TLS: u16 = 0x0800;
/// Connection request of X.224 that asks for TLS.
const RDP_REQUEST: &[u8] = &[3, 0, 0, 19, 14, 224, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0];

impl StartTls {
    /// The upgrade a service has, if it has one.
    pub(crate) fn of(service: &str) -> Option<Self> {
        match service {
            "smtp" => Some(Self::Smtp),
            "imap" => Some(Self::Imap),
            "pop3" => Some(Self::Pop3),
            "ftp" => Some(Self::Ftp),
            "postgresql" => Some(Self::Postgresql),
            "mysql" => Some(Self::Mysql),
            "ldap" => Some(Self::Ldap),
            "xmpp" => Some(Self::Xmpp),
            "sieve" => Some(Self::Sieve),
            "nntp" => Some(Self::Nntp),
            "rdp" => Some(Self::Rdp),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Ldap => "ldap",
            Self::Xmpp => "xmpp",
            Self::Sieve => "sieve",
            Self::Nntp => "nntp",
            Self::Rdp => "rdp",
        }
    }

    /// Asks a host for TLS; true when the next byte may be a handshake.
    pub(crate) async fn upgrade(self, wire: &mut Wire, host: &str) -> Result<bool, WireError> {
        match self {
            Self::Smtp => {
                wire.read_status().await?;
                let (_, features) = wire.command("EHLO scanner.invalid").await?;
                if !features.to_ascii_uppercase().contains("STARTTLS") {
                    return Ok(false);
                }
                Ok(wire.command("STARTTLS").await?.0 == 220)
            }
            Self::Ftp => {
                wire.read_status().await?;
                Ok(wire.command("AUTH TLS").await?.0 == 234)
            }
            Self::Imap => {
                wire.read_line().await?;
                wire.send(b"a1 STARTTLS\r\n").await?;
                Ok(wire.read_line().await?.starts_with("a1 OK"))
            }
            Self::Pop3 => {
                wire.read_line().await?;
                wire.send(b"STLS\r\n").await?;
                Ok(wire.read_line().await?.starts_with("+OK"))
            }
            Self::Nntp => {
                wire.read_line().await?;
                wire.send(b"STARTTLS\r\n").await?;
                Ok(wire.read_line().await?.starts_with("382"))
            }
            Self::Sieve => {
                let greeting = wire.read_until(|bytes| contains(bytes, b"\nOK") && bytes.ends_with(b"\n")).await?;
                if !contains(&greeting.to_ascii_uppercase(), b"\"STARTTLS\"") {
                    return Ok(false);
                }
                wire.send(b"STARTTLS\r\n").await?;
                Ok(wire.read_line().await?.starts_with("OK"))
            }
            Self::Postgresql => {
                wire.send(&[0, 0, 0, 8, 4, 210, 22, 47]).await?;
                Ok(wire.read_some().await?.first() == Some(&b'S'))
            }
            Self::Mysql => {
                let greeting = wire.read_until(is_whole_packet).await?;
                if !offers_tls(&greeting) {
                    return Ok(false);
                }
                let mut request = vec![32, 0, 0, 1];
                request.extend(MYSQL_CAPABILITIES.to_le_bytes());
                request.extend(0x0100_0000_u32.to_le_bytes());
                request.push(45);
                request.extend([0; 23]);
                wire.send(&request).await?;
                Ok(true)
            }
            Self::Ldap => {
                wire.send(LDAP_START_TLS).await?;
                let reply = wire.read_some().await?;
                // An extended response whose first element, the result code, is success.
                Ok(contains(&reply, b"\x0a\x01\x00") && reply.contains(&0x78))
            }
            Self::Xmpp => {
                // Servers know their domains only by name; `localhost` is what most have besides.
                let domain = match host.parse::<std::net::IpAddr>() {
                    Ok(_) => "localhost",
                    Err(_) => host,
                };
                let opening = format!(
                    "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client' \
                     xmlns:stream='http://etherx.jabber.org/streams'>"
                );
                wire.send(opening.as_bytes()).await?;
                let features = wire.read_until(|bytes| contains(bytes, b"</stream:features>") || contains(bytes, b"stream:error")).await?;
                if !contains(&features, b"urn:ietf:params:xml:ns:xmpp-tls") {
                    return Ok(false);
                }
                wire.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
                Ok(contains(&wire.read_until(|bytes| bytes.ends_with(b">")).await?, b"<proceed"))
            }
            Self::Rdp => {
                wire.send(RDP_REQUEST).await?;
                let reply = wire.read_until(|bytes| bytes.len() >= 19).await?;
                // A negotiation response with a protocol other than plain RDP.
                Ok(reply.get(11) == Some(&2) && reply.get(15).is_some_and(|protocol| *protocol != 0))
            }
        }
    }
}

/// True when a packet of MySQL is there to its end.
fn is_whole_packet(bytes: &[u8]) -> bool {
    let Some(&[low, middle, high, _]) = bytes.first_chunk::<4>() else { return false };
    bytes.len() >= 4 + usize::from(low) + (usize::from(middle) << 8) + (usize::from(high) << 16)
}

/// Whether the first packet of a MySQL server has the flag for TLS: behind the version's zero stand a thread number,
/// eight bytes of salt and a zero, then the flags.
fn offers_tls(greeting: &[u8]) -> bool {
    let flags = || {
        let rest = greeting.get(5..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        rest.get(end + 1 + 4 + 8 + 1..)?.first_chunk::<2>()
    };
    greeting.get(4) == Some(&10) && flags().is_some_and(|flags| u16::from_le_bytes(*flags) & MYSQL_TLS != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_as_long_as_they_say() {
        assert_eq!(LDAP_START_TLS.len(), 2 + usize::from(LDAP_START_TLS[1]));
        assert_eq!(RDP_REQUEST.len(), usize::from(RDP_REQUEST[3]));
    }

    #[test]
    fn the_flag_for_tls_is_found_behind_the_version() {
        let greeting = |flags: [u8; 2]| {
            let mut payload = b"\x0a8.0.36\0".to_vec();
            payload.extend([1, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 0]);
            payload.extend(flags);
            let mut bytes = vec![payload.len() as u8, 0, 0, 0];
            bytes.extend(payload);
            bytes
        };
        assert!(is_whole_packet(&greeting([0, 0])) && !is_whole_packet(&greeting([0, 0])[..9]));
        assert!(offers_tls(&greeting([0, 8])) && !offers_tls(&greeting([0xff, 0xf7])));
        assert!(!offers_tls(b"\x04\0\0\0\xff\x15\x04"));
    }
}

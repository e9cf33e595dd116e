//! Protocols that begin in the clear and change to TLS on request.

use crate::wire::{Wire, WireError};

/// Which protocol to upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartTls {
    Smtp,
    Imap,
    Pop3,
    Ftp,
    Postgresql,
}

impl StartTls {
    /// The upgrade a service has, if it has one.
    pub(crate) fn of(service: &str) -> Option<Self> {
        match service {
            "smtp" => Some(Self::Smtp),
            "imap" => Some(Self::Imap),
            "pop3" => Some(Self::Pop3),
            "ftp" => Some(Self::Ftp),
            "postgresql" => Some(Self::Postgresql),
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
        }
    }

    /// Asks for TLS; true when the next byte may be a handshake.
    pub(crate) async fn upgrade(self, wire: &mut Wire) -> Result<bool, WireError> {
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
            Self::Postgresql => {
                wire.send(&[0, 0, 0, 8, 4, 210, 22, 47]).await?;
                Ok(wire.read_some().await?.first() == Some(&b'S'))
            }
        }
    }
}

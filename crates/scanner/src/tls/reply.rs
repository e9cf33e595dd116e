//! Reads the first flight of a server: records are put together, messages are parsed by `tls-parser`.
//! Invariant: bounded in bytes and time, and garbage is an answer like any other.

use tls_parser::{
    TlsExtension, TlsMessage, TlsMessageHandshake, TlsRecordType, parse_dh_params, parse_tls_message_handshake, parse_tls_raw_record,
    parse_tls_server_hello_extensions,
};

use super::suites::uses_finite_field;
use crate::wire::{Wire, WireError};

/// What the server chose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) version: u16,
    pub(super) suite: u16,
    pub(super) compression: u8,
    pub(super) renegotiation: bool,
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) dh_bits: Option<usize>,
}

/// How the server answered a hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It chose.
    Hello(Flight),
    /// It spoke TLS and declined.
    Declined,
    /// It closed without a word.
    Silent,
    /// It said nothing in time: it declines in silence, or is busy with somebody else.
    Late,
    /// It said something that is not TLS.
    NotTls,
}

/// How much of the flight is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    ServerHello,
    ServerDone,
}

pub(super) async fn read(wire: &mut Wire, until: Until) -> Answer {
    let bytes = match wire.read_until(|bytes| decode(bytes, until).is_some()).await {
        Ok(bytes) => bytes,
        Err(WireError::Timeout) => return Answer::Late,
        Err(_) => return Answer::Silent,
    };
    decode(&bytes, until)
        // Cut off in mid-flight: the choice is what counts.
        .or_else(|| decode(&bytes, Until::ServerHello))
        .unwrap_or(Answer::NotTls)
}

/// The answer in these bytes, or nothing when more are needed.
pub(super) fn decode(bytes: &[u8], until: Until) -> Option<Answer> {
    if bytes.len() >= 3 && !(matches!(bytes.first(), Some(20..=23)) && bytes.get(1) == Some(&3)) {
        return Some(Answer::NotTls);
    }
    let mut rest = bytes;
    let mut messages = Vec::new();
    let mut declined = false;
    while let Ok((after, record)) = parse_tls_raw_record(rest) {
        match record.hdr.record_type {
            TlsRecordType::Handshake => messages.extend_from_slice(record.data),
            // A warning (unrecognised name) comes before the hello and does not decline.
            TlsRecordType::Alert if record.data.first() == Some(&1) && record.data.get(1) != Some(&0) => {}
            TlsRecordType::Alert => {
                declined = true;
                break;
            }
            TlsRecordType::ChangeCipherSpec => {}
            _ => break,
        }
        rest = after;
    }
    match flight(&messages, until) {
        Some(flight) => Some(Answer::Hello(flight)),
        None if declined => Some(flight_so_far(&messages).map_or(Answer::Declined, Answer::Hello)),
        None => None,
    }
}

fn flight_so_far(messages: &[u8]) -> Option<Flight> {
    flight(messages, Until::ServerHello)
}

fn flight(messages: &[u8], until: Until) -> Option<Flight> {
    let mut rest = messages;
    let mut flight: Option<Flight> = None;
    while let Ok((after, TlsMessage::Handshake(message))) = parse_tls_message_handshake(rest) {
        match message {
            TlsMessageHandshake::ServerHello(hello) => {
                let mut chosen =
                    Flight { version: hello.version.0, suite: hello.cipher.0, compression: hello.compression.0, ..Flight::default() };
                let extensions = hello.ext.and_then(|bytes| parse_tls_server_hello_extensions(bytes).ok());
                for extension in extensions.map(|(_, list)| list).unwrap_or_default() {
                    match extension {
                        TlsExtension::SupportedVersions(versions) => {
                            if let Some(version) = versions.first() {
                                chosen.version = version.0;
                            }
                        }
                        TlsExtension::RenegotiationInfo(_) => chosen.renegotiation = true,
                        _ => {}
                    }
                }
                if until == Until::ServerHello || chosen.version >= 0x0304 {
                    return Some(chosen);
                }
                flight = Some(chosen);
            }
            TlsMessageHandshake::Certificate(certificates) => {
                if let Some(flight) = &mut flight {
                    flight.chain = certificates.cert_chain.iter().take(16).map(|certificate| certificate.data.to_vec()).collect();
                }
            }
            TlsMessageHandshake::ServerKeyExchange(exchange) => {
                if let Some(flight) = &mut flight
                    && uses_finite_field(flight.suite)
                    && let Ok((_, group)) = parse_dh_params(exchange.parameters)
                {
                    flight.dh_bits = Some(bit_length(group.dh_p));
                }
            }
            TlsMessageHandshake::ServerDone(_) => return flight,
            _ => {}
        }
        rest = after;
    }
    None
}

fn bit_length(number: &[u8]) -> usize {
    let skipped = number.iter().take_while(|byte| **byte == 0).count();
    match number.get(skipped) {
        Some(first) => (number.len() - skipped) * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_alert_declines_and_a_web_page_is_not_tls() {
        assert_eq!(decode(&[21, 3, 1, 0, 2, 2, 40], Until::ServerHello), Some(Answer::Declined));
        assert_eq!(decode(b"HTTP/1.1 400 Bad", Until::ServerHello), Some(Answer::NotTls));
        assert_eq!(decode(&[22, 3], Until::ServerHello), None);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = decode(&bytes, Until::ServerDone);
            let mut framed = vec![22, 3, 3];
            framed.extend((bytes.len() as u16).to_be_bytes());
            framed.extend(bytes);
            let _ = decode(&framed, Until::ServerDone);
        }
    }
}

//! The bytes of a ClientHello, made by hand so that versions and suites no library offers can be asked for.

use super::TlsVersion;

const RENEGOTIATION_SIGNAL: u16 = 0x00ff;
/// Any value serves: the handshake ends before the random matters.
const RANDOM: [u8; 32] = *b"tyrian scanner asks for a hello.";
/// The base point of X25519: a valid public key whose private half is one.
const SHARE: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 9;
    point
};

pub(super) struct Hello<'a> {
    pub(super) version: TlsVersion,
    pub(super) suites: &'a [u16],
    /// Sent as SNI when it is a name.
    pub(super) host: &'a str,
    pub(super) compression: bool,
}

impl Hello<'_> {
    /// The record that carries this hello.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let modern = self.version == TlsVersion::Tls13;
        let mut body = Vec::new();
        body.extend(self.version.min(TlsVersion::Tls12).code().to_be_bytes());
        body.extend(RANDOM);
        match modern {
            // Middleboxes expect a session id from a client that looks like TLS 1.2.
            true => {
                body.push(32);
                body.extend(RANDOM);
            }
            false => body.push(0),
        }
        let mut suites = Vec::new();
        for suite in self.suites {
            suites.extend(suite.to_be_bytes());
        }
        if !modern {
            suites.extend(RENEGOTIATION_SIGNAL.to_be_bytes());
        }
        put16(&mut body, &suites);
        match self.compression {
            true => body.extend([2, 1, 0]),
            false => body.extend([1, 0]),
        }
        if self.version > TlsVersion::Ssl3 {
            put16(&mut body, &self.extensions());
        }
        let mut message = vec![1];
        put24(&mut message, &body);
        let mut record = vec![22];
        record.extend(self.version.min(TlsVersion::Tls10).code().to_be_bytes());
        put16(&mut record, &message);
        record
    }

    fn extensions(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let is_name = self.host.parse::<std::net::IpAddr>().is_err() && !self.host.is_empty();
        if is_name {
            let mut name = vec![0];
            put16(&mut name, self.host.trim_end_matches('.').as_bytes());
            let mut list = Vec::new();
            put16(&mut list, &name);
            extension(&mut all, 0, &list);
        }
        let modern = self.version == TlsVersion::Tls13;
        // Naming finite-field groups forbids a server to use its own, whose size is what matters here.
        let groups: &[u16] = match modern {
            true => &[29, 23, 24, 25, 30, 256, 257, 258],
            false => &[29, 23, 24, 25, 30, 26, 27, 28, 21, 19, 22],
        };
        extension(&mut all, 10, &list16(groups));
        extension(&mut all, 11, &[1, 0]);
        if self.version >= TlsVersion::Tls12 {
            let schemes: &[u16] = &[
                0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0203,
                0x0201, 0x0202, 0x0402,
            ];
            extension(&mut all, 13, &list16(schemes));
        }
        if modern {
            extension(&mut all, 43, &[2, 3, 4]);
            extension(&mut all, 45, &[1, 1]);
            let mut share = 29_u16.to_be_bytes().to_vec();
            put16(&mut share, &SHARE);
            let mut shares = Vec::new();
            put16(&mut shares, &share);
            extension(&mut all, 51, &shares);
        }
        all
    }
}

/// The hello of SSL 2.0, which had a form of its own.
pub(super) fn ssl2_hello() -> Vec<u8> {
    let kinds: [[u8; 3]; 7] = [[7, 0, 0xc0], [5, 0, 0x80], [3, 0, 0x80], [1, 0, 0x80], [6, 0, 0x40], [4, 0, 0x80], [2, 0, 0x80]];
    let mut message = vec![1, 0, 2, 0, 21, 0, 0, 0, 16];
    message.extend(kinds.concat());
    message.extend(RANDOM.iter().take(16));
    let length = message.len() as u16 | 0x8000;
    let mut record = length.to_be_bytes().to_vec();
    record.extend(message);
    record
}

fn extension(all: &mut Vec<u8>, kind: u16, content: &[u8]) {
    all.extend(kind.to_be_bytes());
    put16(all, content);
}

fn list16(values: &[u16]) -> Vec<u8> {
    let content: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    let mut list = Vec::new();
    put16(&mut list, &content);
    list
}

fn put16(into: &mut Vec<u8>, content: &[u8]) {
    into.extend((content.len() as u16).to_be_bytes());
    into.extend(content);
}

fn put24(into: &mut Vec<u8>, content: &[u8]) {
    into.extend((content.len() as u32).to_be_bytes().iter().skip(1));
    into.extend(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::suites::{CLASSIC, MODERN};
    use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_plaintext};

    #[test]
    fn every_hello_parses_as_what_it_asks() {
        for (version, suites) in
            [(TlsVersion::Ssl3, &*CLASSIC), (TlsVersion::Tls10, &*CLASSIC), (TlsVersion::Tls12, &*CLASSIC), (TlsVersion::Tls13, &*MODERN)]
        {
            let bytes = Hello { version, suites, host: "weak.example", compression: true }.bytes();
            let (rest, record) = parse_tls_plaintext(&bytes).unwrap();
            assert!(rest.is_empty());
            let [TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello))] = record.msg.as_slice() else {
                panic!("not a client hello: {:?}", record.msg);
            };
            assert!(hello.ciphers.len() >= suites.len());
            assert_eq!(hello.comp.len(), 2);
            if let Some(ext) = hello.ext {
                let (rest, _) = tls_parser::parse_tls_client_hello_extensions(ext).unwrap();
                assert!(rest.is_empty());
            }
        }
    }
}

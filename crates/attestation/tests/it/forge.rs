//! Android chains made to measure: a root of our own and an extension written field by field.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair, SerialNumber,
    date_time_ymd,
};

use attestation::Roots;
use attestation::android::Policy;

use crate::moment;

/// Length and content behind a tag.
fn wrap(tag: &[u8], content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ 0..=127 => vec![short as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [tag, &length, content].concat()
}

pub(crate) fn integer(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    let pad: &[u8] = if bytes[first] >= 0x80 { &[0] } else { &[] };
    wrap(&[2], &[pad, &bytes[first..]].concat())
}

pub(crate) fn enumerated(value: u8) -> Vec<u8> {
    wrap(&[10], &[value])
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    wrap(&[4], content)
}

pub(crate) fn null() -> Vec<u8> {
    wrap(&[5], &[])
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    wrap(&[0x30], &parts.concat())
}

pub(crate) fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    wrap(&[0x31], &parts.concat())
}

pub(crate) fn tagged(tag: u32, content: &[u8]) -> Vec<u8> {
    let head = match tag {
        low @ 0..=30 => vec![0xa0 | low as u8],
        mid @ 31..=127 => vec![0xbf, mid as u8],
        high => vec![0xbf, 0x80 | (high >> 7) as u8, (high & 0x7f) as u8],
    };
    wrap(&head, content)
}

/// One list of authorizations, in the order of its entries.
pub(crate) type List = Vec<(u32, Vec<u8>)>;

/// Puts or replaces an entry where its tag belongs.
pub(crate) fn put(list: &mut List, tag: u32, value: Vec<u8>) {
    list.retain(|(own, _)| *own != tag);
    let at = list.partition_point(|(own, _)| *own < tag);
    list.insert(at, (tag, value));
}

/// The content of an attestation extension.
pub(crate) struct Description {
    pub(crate) version: u64,
    pub(crate) level: u8,
    pub(crate) key_level: u8,
    pub(crate) challenge: Vec<u8>,
    pub(crate) software: List,
    pub(crate) hardware: List,
}

pub(crate) const BOOT_KEY: [u8; 32] = [0x42; 32];
pub(crate) const SIGNER: [u8; 32] = [0x51; 32];

pub(crate) fn root_of_trust(key: &[u8], locked: bool, state: u8) -> Vec<u8> {
    let locked = wrap(&[1], &[if locked { 0xff } else { 0 }]);
    sequence(&[octets(key), locked, enumerated(state), octets(&[9; 32])])
}

impl Description {
    /// A signing key in the trusted environment of a locked phone.
    pub(crate) fn honest() -> Self {
        let package = sequence(&[octets(b"com.example.app"), integer(7)]);
        let application = sequence(&[set(&[package]), set(&[octets(&SIGNER)])]);
        Self {
            version: 300,
            level: 1,
            key_level: 1,
            challenge: b"nonce".to_vec(),
            software: vec![(701, integer(1_700_000_000_000)), (709, octets(&application))],
            hardware: vec![
                (1, set(&[integer(2)])),
                (2, integer(3)),
                (3, integer(256)),
                (10, integer(1)),
                (303, null()),
                (504, integer(2)),
                (702, integer(0)),
                (704, root_of_trust(&BOOT_KEY, true, 0)),
                (705, integer(140_000)),
                (706, integer(202_408)),
                (718, integer(20_240_805)),
                (719, integer(20_240_805)),
            ],
        }
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let list = |list: &List| sequence(&list.iter().map(|(tag, value)| tagged(*tag, value)).collect::<Vec<_>>());
        sequence(&[
            integer(self.version),
            enumerated(self.level),
            integer(self.version),
            enumerated(self.key_level),
            octets(&self.challenge),
            octets(b""),
            list(&self.software),
            list(&self.hardware),
        ])
    }
}

const ATTESTATION: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 1, 17];
const PROVISIONING: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 1, 30];

/// One certificate to be made.
pub(crate) struct Link {
    pub(crate) title: Option<&'static str>,
    pub(crate) name: String,
    pub(crate) serial: u8,
    pub(crate) years: (i32, i32),
    pub(crate) extensions: Vec<CustomExtension>,
    pub(crate) issuer_name: Option<String>,
    pub(crate) signed_by_another: bool,
}

impl Link {
    pub(crate) fn new(title: Option<&'static str>, name: &str, serial: u8) -> Self {
        Self {
            title,
            name: name.to_owned(),
            serial,
            years: (2020, 2030),
            extensions: Vec::new(),
            issuer_name: None,
            signed_by_another: false,
        }
    }

    pub(crate) fn attested(mut self, value: Vec<u8>) -> Self {
        self.extensions.push(CustomExtension::from_oid_content(ATTESTATION, value));
        self
    }

    pub(crate) fn provisioned(mut self) -> Self {
        // {1: 16}
        self.extensions.push(CustomExtension::from_oid_content(PROVISIONING, vec![0xa1, 0x01, 0x10]));
        self
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name = name(self.title, &self.name);
        params.serial_number = Some(SerialNumber::from_slice(&[0x7a, self.serial]));
        params.not_before = date_time_ymd(self.years.0, 1, 1);
        params.not_after = date_time_ymd(self.years.1, 1, 1);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.custom_extensions = self.extensions.clone();
        params
    }
}

fn name(title: Option<&str>, common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(title) = title {
        name.push(DnType::from_oid(&[2, 5, 4, 12]), DnValue::Utf8String(title.to_owned()));
    }
    name.push(DnType::from_oid(&[2, 5, 4, 5]), DnValue::PrintableString(common.try_into().unwrap()));
    name
}

/// A chain as PEM, leaf first, and its root.
pub(crate) struct Forged {
    pub(crate) chain: String,
    pub(crate) root: String,
}

/// Makes a chain; `links` run from just below the root to the leaf.
pub(crate) fn chain(links: &[Link]) -> Forged {
    let key = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let root = Link::new(None, "root", 1);
    let (root_key, root_params) = (key(), root.params());
    let root_pem = root_params.self_signed(&root_key).unwrap().pem();
    let mut pems = vec![root_pem.clone()];
    let (mut issuer_params, mut issuer_key) = (root_params, root_key);
    for link in links {
        if let Some(other) = &link.issuer_name {
            issuer_params.distinguished_name = name(None, other);
        }
        let issuer = Issuer::new(issuer_params, if link.signed_by_another { key() } else { issuer_key });
        let (own_key, own_params) = (key(), link.params());
        pems.push(own_params.signed_by(&own_key, &issuer).unwrap().pem());
        (issuer_params, issuer_key) = (own_params, own_key);
    }
    pems.reverse();
    Forged { chain: pems.concat(), root: root_pem }
}

/// Intermediate, attestation, target: what a factory burns in.
pub(crate) fn factory(description: &Description) -> Vec<Link> {
    vec![
        Link::new(Some("TEE"), "intermediate", 2),
        Link::new(Some("TEE"), "attestation", 3),
        Link::new(None, "target", 4).attested(description.der()),
    ]
}

/// Intermediate, server, attestation, target: what a device fetches.
pub(crate) fn remote(description: &Description) -> Vec<Link> {
    vec![
        Link::new(None, "intermediate", 2),
        Link::new(None, "server", 5),
        Link::new(Some("TEE"), "attestation", 3).provisioned(),
        Link::new(None, "target", 4).attested(description.der()),
    ]
}

/// Demands that trust the forged root.
pub(crate) fn policy(forged: &Forged) -> Policy {
    let mut policy = Policy::at(moment("2024-09-01T00:00:00Z"));
    policy.roots = Roots::read(forged.root.as_bytes()).unwrap();
    policy
}

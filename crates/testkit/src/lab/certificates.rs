//! Certificates of the lab: one that expired years ago, one that is in order.

use std::net::IpAddr;

use chrono::{Datelike, Days, NaiveDate, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize, SanType, date_time_ymd,
};

/// What a server needs, as PEM.
pub(super) struct Identity {
    /// Leaf first, then what signed it.
    pub(super) chain: String,
    /// Private key of the leaf.
    pub(super) key: String,
}

/// RSA (so that suites without forward secrecy work), signed by itself for another name, expired at
/// the end of 2020.
pub(super) fn expired_and_self_signed() -> Identity {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("an RSA key");
    let mut parameters = named("old.lab.test");
    parameters.not_before = date_time_ymd(2019, 1, 1);
    parameters.not_after = date_time_ymd(2020, 12, 31);
    let certificate = parameters.self_signed(&key).expect("a certificate");
    Identity { chain: certificate.pem(), key: key.serialize_pem() }
}

/// ECDSA, valid from yesterday for sixty days for `address` and `hardened.lab.test`, signed by an
/// authority whose certificate is the second value.
pub(super) fn issued(address: IpAddr) -> (Identity, String) {
    let day = |date: NaiveDate| {
        let part = |value: u32| u8::try_from(value).expect("a month or day");
        date_time_ymd(date.year(), part(date.month()), part(date.day()))
    };
    let today = Utc::now().date_naive();
    let (from, until) = (day(today - Days::new(1)), day(today + Days::new(60)));

    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = named("Tyrian lab authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.not_before = from;
    authority.not_after = until;
    let authority_pem = authority.self_signed(&authority_key).expect("an authority").pem();
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().expect("a key");
    let mut leaf = named("hardened.lab.test");
    leaf.subject_alt_names.push(SanType::IpAddress(address));
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.not_before = from;
    leaf.not_after = until;
    let chain = leaf.signed_by(&key, &issuer).expect("a certificate").pem();
    (Identity { chain, key: key.serialize_pem() }, authority_pem)
}

fn named(name: &str) -> CertificateParams {
    let names = if name.contains('.') { vec![name.to_owned()] } else { Vec::new() };
    let mut parameters = CertificateParams::new(names).expect("a host name");
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

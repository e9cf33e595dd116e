//! Whether the signatures of a zone hold: present, in time, made with the published keys, with an algorithm still in use.

use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_proto::dnssec::{PublicKey, Verifier};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// What is wrong with the signatures over one record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    Missing,
    Expired(String),
    NotYet(String),
    Wrong(String),
}

impl Flaw {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Missing => "no signature".to_owned(),
            Self::Expired(which) => format!("expired: {which}"),
            Self::NotYet(which) => format!("not valid yet: {which}"),
            Self::Wrong(which) => format!("does not verify: {which}"),
        }
    }
}

pub(super) fn keys(records: &[Record]) -> Vec<DNSKEY> {
    let key = |record: &Record| match &record.data {
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key.clone()),
        _ => None,
    };
    records.iter().filter_map(key).collect()
}

/// Algorithms that RFC 8624 forbids for signing, by number and name.
pub(super) fn deprecated(keys: &[DNSKEY]) -> Option<&'static str> {
    keys.iter().find_map(|key| match u8::from(key.public_key().algorithm()) {
        1 => Some("RSAMD5"),
        3 => Some("DSA"),
        5 => Some("RSASHA1"),
        6 => Some("DSA-NSEC3-SHA1"),
        7 => Some("RSASHA1-NSEC3-SHA1"),
        12 => Some("ECC-GOST"),
        _ => None,
    })
}

/// The flaw of the signatures over the records of one type at a name; none when one signature holds.
pub(super) fn flaw(owner: &Name, kind: RecordType, answers: &[Record], keys: &[DNSKEY], now: u32) -> Option<Flaw> {
    let covered: Vec<&Record> = answers.iter().filter(|record| record.record_type() == kind && record.name == *owner).collect();
    let signatures: Vec<&RRSIG> = answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::RRSIG(signature)) if signature.input().type_covered == kind => Some(signature),
            _ => None,
        })
        .collect();
    let mut worst = Flaw::Missing;
    for signature in signatures {
        let input = signature.input();
        let which = format!("{kind}, key {}", input.key_tag);
        // Serial arithmetic of RFC 1982: the difference counts, not the value.
        let later = |left: u32, right: u32| left.wrapping_sub(right) as i32 > 0;
        worst = if later(now, input.sig_expiration.get()) {
            Flaw::Expired(which)
        } else if later(input.sig_inception.get(), now) {
            Flaw::NotYet(which)
        } else {
            let fits = |key: &&DNSKEY| key.calculate_key_tag().is_ok_and(|tag| tag == input.key_tag);
            let holds = |key: &DNSKEY| key.verify_rrsig(owner, DNSClass::IN, signature, covered.iter().copied()).is_ok();
            let mut own = keys.iter().filter(fits).peekable();
            // An algorithm this program cannot compute proves nothing against the zone.
            let unknown = !matches!(u8::from(input.algorithm), 8 | 10 | 13 | 14 | 15);
            if unknown && own.peek().is_some() || own.any(holds) {
                return None;
            }
            Flaw::Wrong(which)
        };
    }
    Some(worst)
}

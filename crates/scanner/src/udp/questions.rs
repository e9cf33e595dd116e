//! The datagrams that make a service speak, and what proves that it did: a table.

use crate::catalogue::{Check, exposures};
use crate::plan::Intrusiveness;
use crate::services::PORTMAP_DUMP_DATAGRAM;
use crate::wire::contains;

pub(super) struct Question {
    pub(super) service: &'static str,
    pub(super) says: &'static [u8],
    pub(super) proves: fn(&[u8]) -> bool,
    /// What is wrong when it answers; none when answering is its work.
    pub(super) check: Option<&'static Check>,
    /// The word the finding is about.
    pub(super) about: &'static str,
    /// The part of the reply worth showing.
    pub(super) shows: fn(&[u8]) -> Vec<u8>,
    pub(super) ports: &'static [u16],
    /// Whether ports of no known use are asked so too.
    pub(super) anywhere: bool,
    pub(super) level: Intrusiveness,
}

const fn question(service: &'static str, says: &'static [u8], proves: fn(&[u8]) -> bool, ports: &'static [u16]) -> Question {
    Question { service, says, proves, check: None, about: "", shows: |_| Vec::new(), ports, anywhere: false, level: Intrusiveness::Safe }
}

impl Question {
    const fn finds(mut self, check: &'static Check) -> Self {
        self.check = Some(check);
        self
    }

    const fn shows(mut self, shows: fn(&[u8]) -> Vec<u8>) -> Self {
        self.shows = shows;
        self
    }

    const fn about(mut self, word: &'static str) -> Self {
        self.about = word;
        self
    }

    const fn anywhere(mut self) -> Self {
        self.anywhere = true;
        self
    }

    const fn intrusive(mut self) -> Self {
        self.level = Intrusiveness::Intrusive;
        self
    }
}

/// `version.bind CH TXT`, id 0x7479.
const DNS: &[u8] = b"\x74\x79\x01\0\0\x01\0\0\0\0\0\0\x07version\x04bind\0\0\x10\0\x03";
/// Get of sysDescr.0 with community `public`, version 2c and 1, and with `private`.
const SNMP_2C_PUBLIC: &[u8] = b"\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04tyri\x02\x01\0\x02\x01\0\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x05\0";
const SNMP_1_PUBLIC: &[u8] =
    b"\x30\x29\x02\x01\0\x04\x06public\xa0\x1c\x02\x04tyri\x02\x01\0\x02\x01\0\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x05\0";
const SNMP_2C_PRIVATE: &[u8] = b"\x30\x2a\x02\x01\x01\x04\x07private\xa0\x1c\x02\x04tyri\x02\x01\0\x02\x01\0\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x05\0";
/// A client's request of NTP 4, 48 bytes.
const NTP_CLIENT: &[u8] = &[
    0x23, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0,
];
/// READVAR of mode 6 (RFC 9327).
const NTP_READVAR: &[u8] = &[0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
/// MON_GETLIST_1 of mode 7.
const NTP_MONLIST: &[u8] = &[0x17, 0, 3, 42, 0, 0, 0, 0];
const SSDP: &[u8] = b"M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n";
/// Node status of NetBIOS: the name `*`.
const NETBIOS: &[u8] = b"\x74\x79\0\0\0\x01\0\0\0\0\0\0\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\x01";
/// Get Channel Authentication Capabilities of IPMI 1.5.
const IPMI: &[u8] = &[6, 0, 0xff, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0x20, 0x18, 0xc8, 0x81, 0, 0x38, 0x8e, 4, 0xb5];
/// Search of the root entry of a directory.
const CLDAP: &[u8] = b"\x30\x25\x02\x01\x01\x63\x20\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\x87\x0bobjectclass\x30\0";
const LINE: &[u8] = b"tyrian\r\n";

/// A response, and not our own words sent back: its tag, its length, our number and error status 0.
fn is_snmp(reply: &[u8]) -> bool {
    let number = b"\x02\x04tyri\x02\x01\0";
    let at = reply.windows(number.len()).position(|window| window == number);
    let before = at.and_then(|at| reply.get(..at)).unwrap_or_default();
    reply.first() == Some(&0x30) && matches!(before, [.., 0xa2, _] | [.., 0xa2, 0x81, _] | [.., 0xa2, 0x82, _, _])
}

/// The text behind the name sysDescr.0, when it is short enough for one byte of length.
fn description(reply: &[u8]) -> Vec<u8> {
    let name = b"\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0";
    let at = reply.windows(name.len()).position(|window| window == name);
    let value = at.and_then(|at| reply.get(at + name.len()..)).unwrap_or_default();
    match value {
        [4, 0x81, length, text @ ..] | [4, length, text @ ..] => text.iter().take(usize::from(*length)).copied().collect(),
        _ => Vec::new(),
    }
}

fn is_echo(reply: &[u8]) -> bool {
    !reply.is_empty()
}

pub(super) const QUESTIONS: &[Question] = &[
    question("dns", DNS, |reply| reply.starts_with(b"\x74\x79") && reply.get(2).is_some_and(|flags| flags & 0x80 != 0), &[53, 5353])
        .anywhere(),
    question("snmp", SNMP_2C_PUBLIC, is_snmp, &[161]).finds(&exposures::SNMP_COMMUNITY).about("public").shows(description).anywhere(),
    question("snmp", SNMP_1_PUBLIC, is_snmp, &[161]).finds(&exposures::SNMP_COMMUNITY).about("public").shows(description).anywhere(),
    question("snmp", SNMP_2C_PRIVATE, is_snmp, &[161])
        .finds(&exposures::SNMP_COMMUNITY)
        .about("private")
        .shows(description)
        .anywhere()
        .intrusive(),
    question("ntp", NTP_CLIENT, |reply| reply.len() >= 48 && reply.first().is_some_and(|first| first & 7 == 4), &[123]).anywhere(),
    question(
        "ntp",
        NTP_READVAR,
        |reply| {
            reply.len() > 12 && reply.first().is_some_and(|first| first & 7 == 6) && reply.get(1).is_some_and(|flags| flags & 0xc0 == 0x80)
        },
        &[123],
    )
    .finds(&exposures::NTP_CONTROL)
    .shows(|reply| reply.get(12..).unwrap_or_default().to_vec())
    .anywhere(),
    question(
        "ntp",
        NTP_MONLIST,
        |reply| {
            reply.len() > 8
                && reply.first().is_some_and(|first| first & 0x87 == 0x87)
                && reply.get(3) == Some(&42)
                && reply.get(4).is_some_and(|error| error >> 4 == 0)
        },
        &[123],
    )
    .finds(&exposures::NTP_MONLIST)
    .anywhere(),
    question("memcached", b"\0\x01\0\0\0\x01\0\0version\r\n", |reply| contains(reply, b"VERSION "), &[11211])
        .finds(&exposures::MEMCACHED_UDP)
        .shows(|reply| reply.get(8..).unwrap_or_default().to_vec())
        .anywhere(),
    question("rpcbind", PORTMAP_DUMP_DATAGRAM, |reply| reply.starts_with(b"tyri\0\0\0\x01") && reply.len() > 44, &[111])
        .finds(&exposures::RPCBIND_UDP),
    question("ldap", CLDAP, |reply| reply.first() == Some(&0x30) && reply.contains(&0x64), &[389]).finds(&exposures::CLDAP),
    question("ssdp", SSDP, |reply| reply.starts_with(b"HTTP/1.1 200"), &[1900]).finds(&exposures::SSDP).shows(<[u8]>::to_vec),
    question("netbios", NETBIOS, |reply| reply.starts_with(b"\x74\x79\x84"), &[137]).finds(&exposures::NETBIOS),
    question("ipmi", IPMI, |reply| reply.starts_with(&[6, 0, 0xff, 7]), &[623]).finds(&exposures::IPMI),
    question("echo", LINE, |reply| reply == LINE, &[7]).finds(&exposures::CHARGEN).about("echo"),
    question("qotd", LINE, is_echo, &[17]).finds(&exposures::CHARGEN).about("qotd"),
    question("chargen", LINE, is_echo, &[19]).finds(&exposures::CHARGEN).about("chargen"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_as_long_as_they_say() {
        for snmp in [SNMP_2C_PUBLIC, SNMP_1_PUBLIC, SNMP_2C_PRIVATE, CLDAP] {
            assert_eq!(snmp.len() - 2, usize::from(snmp[1]));
        }
        assert_eq!(NTP_CLIENT.len(), 48);
        assert_eq!(NETBIOS.len(), 50);
    }

    #[test]
    fn the_description_of_a_device_is_read_from_its_answer() {
        let mut reply = b"\x30\x30\x02\x01\x01\x04\x06public\xa2\x23\x02\x04tyri\x02\x01\0\x02\x01\0\x30\x15\x30\x13".to_vec();
        reply.extend(b"\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x04\x05Linux");
        assert!(is_snmp(&reply));
        assert_eq!(description(&reply), b"Linux");
        assert!(!is_snmp(&reply[..20]) && !is_snmp(SNMP_2C_PUBLIC) && description(b"").is_empty());
    }
}

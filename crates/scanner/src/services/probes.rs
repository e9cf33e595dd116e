//! What to say to a port to make its service speak: a table.

/// What a probe sends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload {
    /// Nothing: the service speaks first.
    Listen,
    /// A request for `/` that names the host.
    HttpGet,
    /// A TLS handshake.
    Tls,
    /// These bytes.
    Bytes(&'static [u8]),
}

pub(super) struct Probe {
    pub(super) name: &'static str,
    pub(super) payload: Payload,
    /// Ports on which this probe goes first.
    pub(super) ports: &'static [u16],
    /// Whether ports of no known use are asked so too.
    pub(super) anywhere: bool,
}

const fn probe(name: &'static str, payload: &'static [u8], ports: &'static [u16], anywhere: bool) -> Probe {
    Probe { name, payload: Payload::Bytes(payload), ports, anywhere }
}

/// In the order in which an unknown port is tried.
pub(super) const PROBES: &[Probe] = &[
    Probe {
        name: "greeting",
        payload: Payload::Listen,
        ports: &[21, 22, 23, 25, 110, 119, 143, 587, 2121, 2222, 2525, 873, 3306, 4190, 4222, 5900, 5901, 5902, 6667],
        anywhere: true,
    },
    Probe {
        name: "http",
        payload: Payload::HttpGet,
        ports: &[
            80, 81, 82, 591, 2375, 2379, 3000, 3128, 4000, 5000, 5601, 5984, 5985, 7001, 8000, 8001, 8008, 8080, 8081, 8082, 8086, 8088,
            8090, 8161, 8500, 8888, 8983, 9000, 9090, 9091, 9100, 9200, 9201, 10255, 15672,
        ],
        anywhere: true,
    },
    Probe {
        name: "tls",
        payload: Payload::Tls,
        ports: &[
            443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 2376, 3269, 4443, 5061, 5671, 5986, 6443, 6697, 8443, 8883, 9443, 10250,
            10443,
        ],
        anywhere: true,
    },
    probe("redis", b"*1\r\n$4\r\nPING\r\n", &[6379, 6380, 6389, 16379, 26379], true),
    probe("memcached", b"version\r\n", &[11211], true),
    probe("postgresql", &[0, 0, 0, 8, 4, 210, 22, 47], &[5432, 5433, 6432], true),
    probe("mongodb", MONGODB_HELLO, &[27017, 27018, 27019], true),
    probe("rdp", &[3, 0, 0, 19, 14, 224, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0], &[3389], true),
    probe("mqtt", MQTT_CONNECT, &[1883], true),
    probe("ldap", LDAP_BIND, &[389, 3268, 10389], true),
    probe("dns", DNS_VERSION, &[53], true),
    probe("amqp", b"AMQP\x00\x00\x09\x01", &[5672], true),
    probe("smb", SMB2_NEGOTIATE, &[445], true),
    probe("socks", &[5, 1, 0], &[1080, 1081, 9050], true),
    probe("x11", X11_SETUP, &[6000, 6001, 6002, 6003, 6004, 6005, 6006, 6007, 6008, 6009, 6010, 6063], true),
    probe("jdwp", b"JDWP-Handshake", &[5005, 8787], true),
    probe("ajp", &[0x12, 0x34, 0, 1, 10], &[8009], true),
    probe("zookeeper", b"ruok", &[2181], true),
    probe("epmd", EPMD_NAMES, &[4369], true),
    probe("rpcbind", PORTMAP_DUMP, &[111], true),
    probe("cassandra", CASSANDRA_STARTUP, &[9042], true),
    probe("distcc", DISTCC_EMPTY, &[3632], true),
    probe("beanstalkd", b"stats\r\n", &[11300], true),
];

/// OP_MSG `{hello: 1, $db: "admin"}`.
const MONGODB_HELLO: &[u8] = &[
    0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 0x07, 0, 0, 0, 0, 0, 0, 0, 0x1f, 0, 0, 0, 0x10, b'h', b'e', b'l', b'l', b'o', 0, 1, 0, 0,
    0, 2, b'$', b'd', b'b', 0, 6, 0, 0, 0, b'a', b'd', b'm', b'i', b'n', 0, 0,
];

/// CONNECT of MQTT 3.1.1, clean session, client `tyrian`.
pub(crate) const MQTT_CONNECT: &[u8] = &[0x10, 18, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 30, 0, 6, b't', b'y', b'r', b'i', b'a', b'n'];

/// Anonymous simple bind of LDAP 3.
pub(crate) const LDAP_BIND: &[u8] = &[0x30, 0x0c, 0x02, 0x01, 0x01, 0x60, 0x07, 0x02, 0x01, 0x03, 0x04, 0x00, 0x80, 0x00];

/// `version.bind CH TXT` over TCP, id 0x7479.
const DNS_VERSION: &[u8] = &[
    0, 30, 0x74, 0x79, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, b'v', b'e', b'r', b's', b'i', b'o', b'n', 4, b'b', b'i', b'n', b'd', 0, 0, 16, 0, 3,
];

/// SMB negotiation that offers the dialects 2.0.2 to 3.1.1; the last wants a context: SHA-512 and a salt.
pub(crate) const SMB2_NEGOTIATE: &[u8] =
    b"\0\0\0\x9e\xfeSMB\x40\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
    \x24\0\x05\0\x01\0\0\0\0\0\0\0tyrian-scan-guid\x70\0\0\0\x01\0\0\0\
    \x02\x02\x10\x02\0\x03\x02\x03\x11\x03\0\0\
    \x01\0\x26\0\0\0\0\0\x01\0\x20\0\x01\0tyrian scanner asks for a hello.";

/// Connection setup of X11 version 11.0, little endian, without authorisation.
pub(crate) const X11_SETUP: &[u8] = &[0x6c, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// NAMES_REQ of the Erlang port mapper.
pub(crate) const EPMD_NAMES: &[u8] = &[0, 1, b'n'];

/// STARTUP of the Cassandra native protocol 4 with CQL 3.0.0.
pub(crate) const CASSANDRA_STARTUP: &[u8] = b"\x04\0\0\0\x01\0\0\0\x16\0\x01\0\x0bCQL_VERSION\0\x053.0.0";

/// Version 1 of distcc's protocol: an empty source is to be compiled, by `gcc -c e.i -o e.o`.
pub(crate) const DISTCC_EMPTY: &[u8] =
    b"DIST00000001ARGC00000005ARGV00000003gccARGV00000002-cARGV00000003e.iARGV00000002-oARGV00000003e.oDOTI00000000";

/// Call of the procedure DUMP of the port mapper, version 2 (RFC 1833), as a datagram.
pub(crate) const PORTMAP_DUMP_DATAGRAM: &[u8] = &[
    0x74, 0x79, 0x72, 0x69, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa0, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0,
];

/// The same with the mark of a record in front, as TCP wants it.
pub(crate) const PORTMAP_DUMP: &[u8] = &[
    0x80, 0, 0, 40, 0x74, 0x79, 0x72, 0x69, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa0, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_probes_are_as_long_as_they_say() {
        assert_eq!(MONGODB_HELLO.len(), usize::from(MONGODB_HELLO[0]));
        assert_eq!(MONGODB_HELLO.len() - 21, usize::from(MONGODB_HELLO[21]));
        assert_eq!(SMB2_NEGOTIATE.len() - 4, usize::from(SMB2_NEGOTIATE[3]));
        assert_eq!(DNS_VERSION.len() - 2, usize::from(DNS_VERSION[1]));
        assert_eq!(MQTT_CONNECT.len() - 2, usize::from(MQTT_CONNECT[1]));
        assert_eq!(CASSANDRA_STARTUP.len() - 9, usize::from(CASSANDRA_STARTUP[8]));
        assert_eq!(PORTMAP_DUMP.len() - 4, usize::from(PORTMAP_DUMP[3]));
        assert_eq!(PORTMAP_DUMP[4..], *PORTMAP_DUMP_DATAGRAM);
    }
}

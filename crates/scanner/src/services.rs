//! Which service answers on an open port, from its greeting or its reply to a probe.

mod identify;
mod probes;
mod signatures;

pub(crate) use identify::{identify, unidentified};
pub(crate) use probes::{
    CASSANDRA_STARTUP, DISTCC_EMPTY, EPMD_NAMES, LDAP_BIND, MQTT_CONNECT, PORTMAP_DUMP, PORTMAP_DUMP_DATAGRAM, SMB2_NEGOTIATE, X11_SETUP,
};

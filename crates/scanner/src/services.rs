//! Which service answers on an open port, from its greeting or its reply to a probe.

mod identify;
mod probes;
mod signatures;

pub(crate) use identify::identify;
pub(crate) use probes::{LDAP_BIND, MQTT_CONNECT};

//! Services whose answer to one question is the exposure: a table of questions and what proves them open.

use super::refusal::unanswered;
use super::{Found, Subject};
use crate::catalogue::{Check, exposures};
use crate::services::{CASSANDRA_STARTUP, DISTCC_EMPTY, EPMD_NAMES, PORTMAP_DUMP, X11_SETUP};
use crate::wire::contains;

struct Question {
    service: &'static str,
    says: &'static [u8],
    /// What an answer must be to prove that strangers are served.
    proves: fn(&[u8]) -> bool,
    check: &'static Check,
}

const QUESTIONS: &[Question] = &[
    // Success, protocol 11.
    Question { service: "x11", says: X11_SETUP, proves: |reply| reply.starts_with(&[1, 0, 11, 0]), check: &exposures::X11 },
    Question { service: "jdwp", says: b"JDWP-Handshake", proves: |reply| reply.starts_with(b"JDWP-Handshake"), check: &exposures::JDWP },
    Question { service: "ajp", says: &[0x12, 0x34, 0, 1, 10], proves: |reply| reply.starts_with(b"AB\0\x01\x09"), check: &exposures::AJP },
    Question {
        service: "zookeeper",
        says: b"srvr",
        proves: |reply| contains(reply, b"Zookeeper version:") || reply.starts_with(b"imok"),
        check: &exposures::ZOOKEEPER,
    },
    Question {
        service: "epmd",
        says: EPMD_NAMES,
        proves: |reply| contains(reply, b"name ") && contains(reply, b" at port "),
        check: &exposures::EPMD,
    },
    Question { service: "rpcbind", says: PORTMAP_DUMP, proves: |reply| reply.len() > 48, check: &exposures::RPCBIND },
    // READY; a server that wants to know who asks says AUTHENTICATE.
    Question { service: "cassandra", says: CASSANDRA_STARTUP, proves: |reply| reply.get(4) == Some(&2), check: &exposures::CASSANDRA },
    Question {
        service: "gearman",
        says: b"workers\r\n",
        proves: |reply| reply.ends_with(b".\n") && !reply.starts_with(b"ERR"),
        check: &exposures::GEARMAN,
    },
    Question { service: "distcc", says: DISTCC_EMPTY, proves: |reply| reply.starts_with(b"DONE0000000"), check: &exposures::DISTCC },
    Question { service: "beanstalkd", says: b"stats\r\n", proves: |reply| reply.starts_with(b"OK "), check: &exposures::BEANSTALKD },
];

pub(super) fn asks(service: &str) -> bool {
    QUESTIONS.iter().any(|question| question.service == service)
}

pub(super) async fn ask(subject: &Subject<'_>) -> Found {
    let Some(question) = QUESTIONS.iter().find(|question| question.service == subject.service.service) else {
        return Ok(Vec::new());
    };
    let mut wire = subject.open().await?;
    wire.send(question.says).await?;
    let reply = wire.read_until(question.proves).await?;
    let open = (question.proves)(&reply);
    let shown = String::from_utf8_lossy(&reply).into_owned();
    Ok(open.then(|| subject.issue(question.check).evidence("reply", shown).sure(97)).into_iter().collect())
}

/// NATS tells in its greeting whether it wants credentials.
pub(super) async fn nats(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    let greeting = wire.read_line().await?;
    if !greeting.starts_with("INFO {") {
        return Err(unanswered(greeting.as_bytes()));
    }
    let guarded = greeting.contains("\"auth_required\":true") || greeting.contains("\"tls_verify\":true");
    Ok((!guarded).then(|| subject.issue(&exposures::NATS).evidence("greeting", greeting).sure(95)).into_iter().collect())
}

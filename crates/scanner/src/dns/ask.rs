//! One question to one DNS server: by UDP, and by TCP where the answer is too long or UDP is not served.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use crate::session::Session;
use crate::wire::{REPLY_CAP, Wire, WireError};

/// What is asked for by UDP; answers beyond it come by TCP.
const PAYLOAD: u16 = 1232;
/// Questions without an answer after which a server is left alone.
const SILENCES_BORNE: u16 = 6;
/// A server that has not answered a datagram by then has not got it, or will not answer.
const PATIENCE: Duration = Duration::from_millis(1500);

pub(super) struct Asker<'a> {
    pub(super) session: &'a Session,
    pub(super) address: SocketAddr,
    /// Whether the server is to ask others for what it does not know.
    resolving: bool,
    /// Whether datagrams are worth trying.
    udp: AtomicBool,
    /// Whether a datagram was ever answered.
    answered: AtomicBool,
    /// Questions without an answer, one after the other.
    silences: AtomicU16,
    /// Questions asked; numbers the messages.
    asked: AtomicU16,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Silence {
    /// None came in time.
    Timeout,
    /// The connection failed, or what came is no DNS message.
    Broken(String),
}

impl std::fmt::Display for Silence {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Timeout => formatter.write_str("no reply in time"),
            Self::Broken(reason) => formatter.write_str(reason),
        }
    }
}

impl From<Silence> for String {
    fn from(silence: Silence) -> Self {
        silence.to_string()
    }
}

impl From<WireError> for Silence {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Timeout => Self::Timeout,
            other => Self::Broken(other.to_string()),
        }
    }
}

impl<'a> Asker<'a> {
    /// Asks a server for what it knows itself.
    pub(super) fn new(session: &'a Session, address: SocketAddr) -> Self {
        Self {
            session,
            address,
            resolving: false,
            udp: AtomicBool::new(true),
            answered: AtomicBool::new(false),
            silences: AtomicU16::new(0),
            asked: AtomicU16::new(0),
        }
    }

    /// Has a server find out what it does not know.
    pub(super) fn resolving(session: &'a Session, address: SocketAddr) -> Self {
        Self { resolving: true, ..Self::new(session, address) }
    }

    /// Asks for records of the Internet class, with signatures wanted.
    pub(super) async fn ask(&self, name: &Name, kind: RecordType) -> Result<Message, Silence> {
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD).set_version(0).set_dnssec_ok(true);
        let mut message = self.question(Query::query(name.clone(), kind));
        message.set_edns(edns);
        self.exchange(&message).await
    }

    /// Asks for what servers tell of themselves in the Chaos class.
    pub(super) async fn chaos(&self, name: &str) -> Result<Message, Silence> {
        let name = Name::from_ascii(name).map_err(|error| Silence::Broken(error.to_string()))?;
        let mut query = Query::query(name, RecordType::TXT);
        query.set_query_class(DNSClass::CH);
        let message = self.question(query);
        self.exchange(&message).await
    }

    /// Offers an update of a zone that changes nothing.
    pub(super) async fn empty_update(&self, zone: &Name) -> Result<Message, Silence> {
        let mut message = self.question(Query::query(zone.clone(), RecordType::SOA));
        message.metadata.op_code = OpCode::Update;
        self.exchange(&message).await
    }

    /// Asks for a whole zone and returns the server's word on it and the records that came, as far as they fit one reply of
    /// this crate.
    pub(super) async fn transfer(&self, zone: &Name) -> Result<(ResponseCode, Vec<Record>), Silence> {
        let message = self.question(Query::query(zone.clone(), RecordType::AXFR));
        let reply = self.by_tcp(&message, is_whole_transfer).await?;
        let messages = messages(&reply);
        let first = messages.first().ok_or_else(|| Silence::Broken("the reply is no DNS message".to_owned()))?;
        Ok((first.metadata.response_code, messages.into_iter().flat_map(|message| message.answers).collect()))
    }

    /// The zone a name belongs to, as the server sees it.
    pub(super) async fn zone_of(&self, name: &Name) -> Result<Option<Name>, Silence> {
        let reply = self.ask(name, RecordType::SOA).await?;
        let owners = reply.answers.iter().chain(&reply.authorities).filter(|record| matches!(record.data, RData::SOA(_)));
        Ok(owners.map(|record| record.name.to_lowercase()).find(|zone| zone.zone_of(name)))
    }

    fn question(&self, query: Query) -> Message {
        // Only the permitted peer can answer a connected socket, so that a number in sequence is enough.
        let number = self.asked.fetch_add(1, Ordering::Relaxed).wrapping_add(self.session.plan.now_unix as u16);
        let mut message = Message::new(number, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = self.resolving;
        message.add_query(query);
        message
    }

    async fn exchange(&self, message: &Message) -> Result<Message, Silence> {
        if self.silences.load(Ordering::Relaxed) >= SILENCES_BORNE {
            return Err(Silence::Broken("the server stopped answering".to_owned()));
        }
        let result = self.attempt(message).await;
        match &result {
            Err(Silence::Timeout) => {
                self.silences.fetch_add(1, Ordering::Relaxed);
            }
            _ => self.silences.store(0, Ordering::Relaxed),
        }
        result
    }

    async fn attempt(&self, message: &Message) -> Result<Message, Silence> {
        if self.udp.load(Ordering::Relaxed) {
            match self.by_udp(message).await {
                Ok(reply) if reply.metadata.truncation => {}
                Ok(reply) => {
                    self.answered.store(true, Ordering::Relaxed);
                    return Ok(reply);
                }
                Err(Silence::Timeout) if self.answered.load(Ordering::Relaxed) => return Err(Silence::Timeout),
                // A server may well serve TCP only, or a filter stand before the other.
                Err(_) => self.udp.store(false, Ordering::Relaxed),
            }
        }
        let reply = self.by_tcp(message, |bytes| framed(bytes).is_some()).await?;
        let whole = framed(&reply).and_then(|(first, _)| Message::from_vec(first).ok());
        whole
            .filter(|reply| reply.metadata.id == message.metadata.id)
            .ok_or_else(|| Silence::Broken("the reply is no DNS message".to_owned()))
    }

    async fn by_udp(&self, message: &Message) -> Result<Message, Silence> {
        let question = encoded(message)?;
        let wait = self.session.dialer.read_timeout.min(PATIENCE);
        let broken = |error: crate::dial::DialError| Silence::Broken(error.to_string());
        let socket = self.session.dialer.datagrams(self.address).await.map_err(broken)?;
        let mut silence = Silence::Timeout;
        for _ in 0..2 {
            match socket.ask(&question, wait).await {
                Ok(reply) => match Message::from_vec(&reply) {
                    Ok(reply) if reply.metadata.id == message.metadata.id => return Ok(reply),
                    Ok(_) => {}
                    Err(error) => return Err(Silence::Broken(error.to_string())),
                },
                Err(error) => silence = error.into(),
            }
            if silence != Silence::Timeout {
                break;
            }
        }
        Err(silence)
    }

    async fn by_tcp(&self, message: &Message, enough: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, Silence> {
        let question = encoded(message)?;
        let dialer = &self.session.dialer;
        let stream = dialer.connect(self.address).await.map_err(|error| Silence::Broken(error.to_string()))?;
        let mut wire = Wire::new(stream, dialer.read_timeout);
        let length = u16::try_from(question.len()).map_err(|error| Silence::Broken(error.to_string()))?;
        wire.send(&[&length.to_be_bytes()[..], &question].concat()).await?;
        Ok(wire.read_until(enough).await?)
    }
}

fn encoded(message: &Message) -> Result<Vec<u8>, Silence> {
    message.to_vec().map_err(|error| Silence::Broken(error.to_string()))
}

/// The first message of a TCP stream and what follows it.
fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut all = Vec::new();
    while let Some((first, rest)) = framed(bytes) {
        match Message::from_vec(first) {
            Ok(message) => all.push(message),
            Err(_) => break,
        }
        bytes = rest;
    }
    all
}

/// A transfer begins and ends with the zone's SOA record; a refusal has no records at all.
fn is_whole_transfer(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((_, next)) = framed(rest) {
        rest = next;
    }
    if !rest.is_empty() && bytes.len() < REPLY_CAP {
        return false;
    }
    let messages = messages(bytes);
    let refused = messages.first().is_some_and(|first| first.answers.is_empty());
    let ends = messages.iter().flat_map(|message| &message.answers).filter(|record| matches!(record.data, RData::SOA(_))).count();
    refused || ends >= 2
}

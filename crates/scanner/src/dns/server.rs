//! What a DNS server tells and lets strangers do: version, recursion, transfers, updates.
//! Invariant: transfers and updates are made zone by zone, so that a zone nobody could name counts as asked by none.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use super::ask::{Asker, Silence};
use super::fully;
use crate::catalogue::{Check, dns};
use crate::report::{Issue, TCP};
use crate::session::Endpoint;

/// Zones that are asked for when nothing names any: those of examples and of private networks.
const GUESSES: &[&str] = &[
    "example.com",
    "example.org",
    "example.net",
    "example.test",
    "lab.test",
    "corp.test",
    "internal.test",
    "weak.test",
    "test",
    "lab",
    "local",
    "lan",
    "home",
    "home.arpa",
    "corp",
    "internal",
    "intranet",
    "private",
    "lab.local",
    "corp.local",
    "home.lan",
    "localdomain",
    "localhost",
    "0.0.127.in-addr.arpa",
    "127.in-addr.arpa",
];
/// Most zones that are asked for.
const ASKED: usize = 60;
/// Names of a transferred zone that are shown.
const SHOWN: usize = 10;

/// What is known of a server afterwards.
#[derive(Default)]
pub(super) struct Holds {
    /// Zones it is authoritative for.
    pub(super) zones: Vec<Name>,
    /// Names with a CNAME record, where a transfer showed them.
    pub(super) aliases: Vec<Name>,
}

pub(super) async fn survey(asker: &Asker<'_>, endpoint: &Endpoint, hints: &[String], found: &mut Vec<Issue>) -> Result<Holds, String> {
    let version = asker.chaos("version.bind.").await;
    match &version {
        Ok(reply) => told(endpoint, reply, found),
        Err(Silence::Broken(reason)) => return Err(reason.clone()),
        // Servers that drop what they refuse are silent here and answer what is theirs.
        Err(Silence::Timeout) => {}
    }
    let mut candidates: Vec<Name> = Vec::new();
    for name in names(asker, endpoint, hints).await {
        for depth in 1..=name.num_labels() {
            let zone = name.trim_to(usize::from(depth));
            if !candidates.contains(&zone) && candidates.len() < ASKED {
                candidates.push(zone);
            }
        }
    }
    let mut holds = Holds::default();
    let mut silent = usize::from(version.is_err());
    let mut answered = usize::from(version.is_ok());
    for zone in candidates {
        // A server that answers nothing would be waited for again and again.
        if silent > 3 && answered == 0 {
            return Err("the server answers no question".to_owned());
        }
        match asker.ask(&zone, RecordType::SOA).await {
            Ok(reply) => {
                answered += 1;
                let own = reply.answers.iter().any(|record| matches!(record.data, RData::SOA(_)) && record.name == zone);
                if own && reply.metadata.authoritative {
                    holds.zones.push(zone);
                }
            }
            Err(_) => silent += 1,
        }
    }
    for zone in holds.zones.clone() {
        if transfer(asker, endpoint, &zone, &mut holds, found).await {
            asker.session.answered(&dns::TRANSFER, endpoint, TCP, &zone.to_ascii()).await;
        }
        if update(asker, endpoint, &zone, found).await {
            asker.session.answered(&dns::UPDATE, endpoint, TCP, &zone.to_ascii()).await;
        }
    }
    recursion(asker, endpoint, answered > 0, found).await;
    Ok(holds)
}

fn issue(endpoint: &Endpoint, check: &Check) -> Issue {
    Issue::new(check, endpoint.address, &endpoint.host)
}

/// A text without a digit names no version.
fn told(endpoint: &Endpoint, reply: &Message, found: &mut Vec<Issue>) {
    let text = texts(reply).into_iter().find(|text| text.contains(|character: char| character.is_ascii_digit()));
    if let Some(text) = text {
        found.push(issue(endpoint, &dns::VERSION).about("version.bind").evidence("version.bind", text).sure(90));
    }
}

fn texts(reply: &Message) -> Vec<String> {
    reply.answers.iter().filter_map(super::records::text).collect()
}

/// Names that may lie in zones of this server: what it was asked by, what the same host says elsewhere, what it calls
/// itself, and guesses.
async fn names(asker: &Asker<'_>, endpoint: &Endpoint, hints: &[String]) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    let mut add = |text: &str| names.extend(fully(text).filter(|name| !name.is_root()));
    if endpoint.host.parse::<std::net::IpAddr>().is_err() {
        add(&endpoint.host);
    }
    for hint in hints {
        add(hint);
    }
    for own in ["hostname.bind.", "id.server."] {
        if let Ok(reply) = asker.chaos(own).await {
            texts(&reply).iter().for_each(|text| add(text));
        }
    }
    let reverse = Name::from(endpoint.address.ip());
    if let Ok(reply) = asker.ask(&reverse, RecordType::PTR).await {
        for record in &reply.answers {
            if let RData::PTR(name) = &record.data {
                add(&name.to_ascii());
            }
        }
    }
    for guess in GUESSES {
        add(guess);
    }
    names
}

/// Asks for all of a zone; true when the server gave or refused it.
async fn transfer(asker: &Asker<'_>, endpoint: &Endpoint, zone: &Name, holds: &mut Holds, found: &mut Vec<Issue>) -> bool {
    let Ok((code, records)) = asker.transfer(zone).await else { return false };
    if !matches!(records.first().map(|record| &record.data), Some(RData::SOA(_))) {
        return is_settled(code);
    }
    holds.aliases.extend(records.iter().filter(|record| record.record_type() == RecordType::CNAME).map(|record| record.name.clone()));
    let mut names: Vec<String> = records.iter().map(|record| record.name.to_ascii()).collect();
    names.sort_unstable();
    names.dedup();
    found.push(
        issue(endpoint, &dns::TRANSFER)
            .about(zone.to_ascii())
            .evidence("records", records.len().to_string())
            .evidence("names", names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", "))
            .sure(99),
    );
    true
}

/// A server in trouble decides nothing.
fn is_settled(code: ResponseCode) -> bool {
    code != ResponseCode::ServFail
}

/// Offers an update without changes; true when the server took or refused it.
async fn update(asker: &Asker<'_>, endpoint: &Endpoint, zone: &Name, found: &mut Vec<Issue>) -> bool {
    let Ok(reply) = asker.empty_update(zone).await else { return false };
    if reply.metadata.op_code == hickory_proto::op::OpCode::Update && reply.metadata.response_code == ResponseCode::NoError {
        found.push(issue(endpoint, &dns::UPDATE).about(zone.to_ascii()).evidence("reply to an update without changes", "NOERROR").sure(85));
    }
    is_settled(reply.metadata.response_code)
}

/// The name servers of the root are what every resolver must be able to find and no other server answers for.
async fn recursion(asker: &Asker<'_>, endpoint: &Endpoint, answers_else: bool, found: &mut Vec<Issue>) {
    let resolving = Asker::resolving(asker.session, asker.address);
    let (seen, sure) = match resolving.ask(&Name::root(), RecordType::NS).await {
        Ok(reply) if !reply.metadata.recursion_available || reply.metadata.authoritative => return,
        Ok(reply) => match reply.metadata.response_code {
            ResponseCode::NoError if !reply.answers.is_empty() => ("answered".to_owned(), 99),
            code @ (ResponseCode::NoError | ResponseCode::NXDomain | ResponseCode::ServFail) => (format!("tried, {code}"), 80),
            _ => return,
        },
        // Whoever refuses says so at once; a resolver without a way out is still looking.
        Err(Silence::Timeout) if answers_else => ("no reply in time, while other questions were answered".to_owned(), 60),
        Err(_) => return,
    };
    found.push(issue(endpoint, &dns::RECURSION).about(".").evidence("NS of the root", seen).sure(sure));
}

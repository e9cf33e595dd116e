//! What the records of a zone lack: signatures, rules for mail, living aliases and servers.

use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::ask::{Asker, Silence};
use super::{mail, signatures};
use crate::catalogue::{Check, dns};
use crate::report::Issue;
use crate::session::Endpoint;

/// Names that are often aliases of something elsewhere.
const OFTEN_ALIASES: &[&str] = &[
    "www",
    "mail",
    "ftp",
    "dev",
    "test",
    "staging",
    "stage",
    "beta",
    "api",
    "app",
    "blog",
    "shop",
    "store",
    "cdn",
    "assets",
    "static",
    "media",
    "docs",
    "help",
    "support",
    "status",
    "portal",
    "vpn",
    "git",
    "ci",
    "old",
    "new",
    "demo",
    "autodiscover",
    "intranet",
];
/// Aliases that a transfer showed and that are followed.
const FOLLOWED: usize = 100;
const DNS_PORT: u16 = 53;

/// Judges one zone; `names` are further names whose aliases are followed.
pub(super) async fn judge(
    asker: &Asker<'_>,
    endpoint: &Endpoint,
    zone: &Name,
    names: &[Name],
    found: &mut Vec<Issue>,
) -> Result<(), String> {
    let issue = |check: &Check| {
        let host = zone.to_ascii();
        Issue::new(check, endpoint.address, host.trim_end_matches('.')).about(host.clone())
    };
    dnssec(asker, zone, &issue, found).await?;
    mail_rules(asker, zone, &issue, found).await?;
    let authorities = asker.ask(zone, RecordType::CAA).await?;
    if !has(&authorities, RecordType::CAA) {
        found.push(issue(&dns::CAA_MISSING).evidence("CAA", "none"));
    }
    servers(asker, zone, &issue, found).await?;
    let wild = wildcard(asker, zone).await?;
    if wild {
        found.push(issue(&dns::WILDCARD).evidence("a name nobody set up", "has an address"));
    }
    aliases(asker, zone, names, &issue, found).await
}

fn has(reply: &Message, kind: RecordType) -> bool {
    reply.answers.iter().any(|record| record.record_type() == kind)
}

/// The text of a TXT record; its parts are one text.
pub(super) fn text(record: &Record) -> Option<String> {
    match &record.data {
        RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => None,
    }
}

fn texts(reply: &Message) -> Vec<String> {
    reply.answers.iter().filter_map(text).collect()
}

async fn dnssec(asker: &Asker<'_>, zone: &Name, issue: &impl Fn(&Check) -> Issue, found: &mut Vec<Issue>) -> Result<(), String> {
    let reply = asker.ask(zone, RecordType::DNSKEY).await?;
    let keys = signatures::keys(&reply.answers);
    if keys.is_empty() {
        // A validating resolver hides what does not validate behind SERVFAIL.
        if reply.metadata.response_code == ResponseCode::ServFail {
            found.push(issue(&dns::DNSSEC_BROKEN).evidence("DNSKEY", "the resolver refuses the answer").sure(60));
            return Ok(());
        }
        let delegated = asker.ask(zone, RecordType::DS).await?;
        match has(&delegated, RecordType::DS) {
            true => found.push(issue(&dns::DNSSEC_BROKEN).evidence("DS", "published").evidence("DNSKEY", "none")),
            false => found.push(issue(&dns::DNSSEC_ABSENT).evidence("DNSKEY", "none")),
        }
        return Ok(());
    }
    if let Some(name) = signatures::deprecated(&keys) {
        found.push(issue(&dns::DNSSEC_WEAK).evidence("algorithm", name).sure(99));
    }
    let now = asker.session.plan.now_unix as u32;
    let start = asker.ask(zone, RecordType::SOA).await?;
    let flaws = [(RecordType::DNSKEY, &reply.answers), (RecordType::SOA, &start.answers)]
        .into_iter()
        .find_map(|(kind, answers)| signatures::flaw(zone, kind, answers, &keys, now).map(|flaw| (kind, flaw)));
    if let Some((kind, flaw)) = flaws {
        found.push(issue(&dns::DNSSEC_BROKEN).evidence(&kind.to_string(), flaw.words()).sure(90));
    }
    Ok(())
}

async fn mail_rules(asker: &Asker<'_>, zone: &Name, issue: &impl Fn(&Check) -> Issue, found: &mut Vec<Issue>) -> Result<(), String> {
    let exchanges = asker.ask(zone, RecordType::MX).await?;
    // A null exchange (RFC 7505) says that there is no mail here.
    let receives = exchanges.answers.iter().any(|record| matches!(&record.data, RData::MX(exchange) if !exchange.exchange.is_root()));
    if !receives {
        return Ok(());
    }
    let mut wrong = mail::spf(&texts(&asker.ask(zone, RecordType::TXT).await?));
    let policy = below(zone, "_dmarc")?;
    wrong.extend(mail::dmarc(&texts(&asker.ask(&policy, RecordType::TXT).await?)));
    for (check, record) in wrong {
        let shown = if record.is_empty() { "none" } else { record.as_str() };
        found.push(issue(check).evidence("record", shown));
    }
    let strict = texts(&asker.ask(&below(zone, "_mta-sts")?, RecordType::TXT).await?);
    if !strict.iter().any(|text| text.to_ascii_lowercase().starts_with("v=stsv1")) {
        found.push(issue(&dns::MTA_STS_MISSING).evidence("record", "none"));
    }
    Ok(())
}

fn below(zone: &Name, label: &str) -> Result<Name, String> {
    zone.prepend_label(label).map_err(|error| format!("{label}.{zone}: {error}"))
}

/// Asks the zone's own servers, as far as the guard permits them.
async fn servers(asker: &Asker<'_>, zone: &Name, issue: &impl Fn(&Check) -> Issue, found: &mut Vec<Issue>) -> Result<(), String> {
    let reply = asker.ask(zone, RecordType::NS).await?;
    let mut names: Vec<Name> = reply
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::NS(name) => Some(name.0.clone()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    if names.len() == 1 {
        found.push(issue(&dns::SINGLE_SERVER).evidence("NS", names.first().map(Name::to_ascii).unwrap_or_default()));
    }
    for name in &names {
        for address in addresses(asker, name).await? {
            let place = SocketAddr::new(address, DNS_PORT);
            // The server that is being asked has proved itself; it may listen elsewhere on purpose.
            if address == asker.address.ip() || asker.session.dialer.permit(place).is_err() {
                continue;
            }
            let there = Asker::new(asker.session, place);
            if let Ok(answer) = there.ask(zone, RecordType::SOA).await
                && !(answer.metadata.authoritative && has(&answer, RecordType::SOA))
            {
                let shown = format!("{} ({address}): {}", name.to_ascii(), answer.metadata.response_code);
                found.push(issue(&dns::LAME).evidence("NS", shown));
            }
        }
    }
    Ok(())
}

/// The addresses of a name, of both versions.
pub(super) async fn addresses(asker: &Asker<'_>, name: &Name) -> Result<Vec<IpAddr>, String> {
    let mut found = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        let reply = asker.ask(name, kind).await?;
        found.extend(reply.answers.iter().filter_map(|record| match &record.data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        }));
    }
    Ok(found)
}

async fn wildcard(asker: &Asker<'_>, zone: &Name) -> Result<bool, String> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, zone.to_ascii().as_bytes());
    let label: String = hex::encode(digest.as_ref()).chars().take(20).collect();
    let reply = asker.ask(&below(zone, &label)?, RecordType::A).await?;
    Ok(reply.metadata.response_code == ResponseCode::NoError && !reply.answers.is_empty())
}

async fn aliases(
    asker: &Asker<'_>,
    zone: &Name,
    names: &[Name],
    issue: &impl Fn(&Check) -> Issue,
    found: &mut Vec<Issue>,
) -> Result<(), String> {
    let mut followed: Vec<Name> = names.iter().take(FOLLOWED).cloned().collect();
    for label in OFTEN_ALIASES {
        followed.push(below(zone, label)?);
    }
    followed.sort();
    followed.dedup();
    for name in followed {
        let reply = match asker.ask(&name, RecordType::A).await {
            Ok(reply) => reply,
            Err(Silence::Timeout) => continue,
            Err(broken) => return Err(broken.into()),
        };
        let end = reply.answers.iter().rev().find_map(|record| match &record.data {
            RData::CNAME(target) => Some(target.0.to_ascii()),
            _ => None,
        });
        if let Some(end) = end.filter(|_| reply.metadata.response_code == ResponseCode::NXDomain) {
            found.push(issue(&dns::DANGLING).about(name.to_ascii()).evidence("leads to", end).evidence("answer", "NXDOMAIN"));
        }
    }
    Ok(())
}

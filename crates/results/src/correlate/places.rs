//! Places and what is recorded there: who reaches them, what lies there, what they let in. Facts of the inventory only.

use std::collections::HashMap;
use std::net::IpAddr;

use importers::Severity;
use risk::{Criticality, Exposure};
use targets::{Target, TargetId};

use crate::link::names;
use crate::model::{Sentence, SentenceKind};
use crate::risk::{criticality_of, exposure_of};
use crate::store::correlate::Standing;

/// Exploitation within thirty days that is likely enough to start from.
const LIKELY: f64 = 0.1;
/// Weakness classes of credentials and keys that lie about.
const SECRETS: &[&str] = &["CWE-798", "CWE-259", "CWE-321", "CWE-522", "CWE-256", "CWE-260", "CWE-312", "CWE-313", "CWE-540", "CWE-538"];
/// Tools that look for nothing else.
const SECRET_TOOLS: &[&str] = &["gitleaks", "trufflehog", "detect-secrets"];
/// Words of rules about them.
const SECRET_WORDS: &[&str] =
    &["hardcoded password", "hardcoded credential", "private key", "api key", "default credential", "default password", "leaked secret"];
/// Ports and names of services that people and programs log in to.
const LOGINS: &[(u16, &str)] = &[
    (21, "ftp"),
    (22, "ssh"),
    (23, "telnet"),
    (389, "ldap"),
    (445, "smb"),
    (1433, "ms-sql"),
    (1521, "oracle"),
    (3306, "mysql"),
    (3389, "rdp"),
    (5432, "postgresql"),
    (5900, "vnc"),
    (5985, "winrm"),
    (6379, "redis"),
    (27017, "mongodb"),
];

/// What feeds say of a vulnerability.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) is_exploited: bool,
    pub(super) probability: f64,
}

/// A finding that plays a part, and why.
#[derive(Debug, Clone)]
pub(super) struct Part<'f> {
    pub(super) finding: &'f Standing,
    pub(super) because: Sentence,
    pub(super) is_exploited: bool,
}

/// A host or site of a target, or a target without any.
#[derive(Debug)]
pub(super) struct Place<'f> {
    pub(super) target: Option<TargetId>,
    pub(super) name: String,
    pub(super) asset: String,
    pub(super) exposure: Exposure,
    pub(super) criticality: Criticality,
    /// The business unit as `unit:`, and labels `app:`.
    pub(super) labels: Vec<String>,
    pub(super) network: Option<String>,
    pub(super) exploits: Vec<Part<'f>>,
    pub(super) secrets: Vec<Part<'f>>,
    pub(super) logins: Vec<Part<'f>>,
}

/// Places by target and asset, in a fixed order.
pub(super) fn places<'f>(findings: &'f [Standing], targets: &HashMap<TargetId, Target>, feeds: &HashMap<String, Known>) -> Vec<Place<'f>> {
    let mut order: HashMap<(Option<TargetId>, &str), usize> = HashMap::new();
    let mut places: Vec<Place<'f>> = Vec::new();
    for finding in findings {
        let target = finding.target.and_then(|id| targets.get(&id));
        let index = *order.entry((finding.target, finding.asset.as_str())).or_insert_with(|| {
            places.push(place(finding, target));
            places.len() - 1
        });
        let place = &mut places[index];
        // What scanners see tells more than a label that is missing.
        place.exposure = place.exposure.max(exposure_of(target, &finding.location));
        if let Some(part) = exploit(finding, feeds) {
            place.exploits.push(part);
        }
        if let Some(part) = secret(finding) {
            place.secrets.push(part);
        }
        if let Some(part) = login(finding) {
            place.logins.push(part);
        }
    }
    places
}

fn place<'f>(finding: &Standing, target: Option<&Target>) -> Place<'f> {
    let address = finding.location.ip.as_deref().unwrap_or(&finding.asset).parse::<IpAddr>().ok();
    let own = target.map(|target| target.name.clone()).unwrap_or_default();
    let marked = |target: &Target| {
        let unit = target.unit.iter().map(|unit| format!("unit:{unit}"));
        unit.chain(target.tags.iter().filter(|tag| tag.starts_with("app:")).cloned()).collect()
    };
    Place {
        target: finding.target,
        name: if finding.asset.is_empty() { own } else { finding.asset.clone() },
        asset: finding.asset.clone(),
        exposure: exposure_of(target, &finding.location),
        criticality: target.map_or(Criticality::Medium, |target| criticality_of(target.criticality)),
        labels: target.map(marked).unwrap_or_default(),
        network: address.map(network),
        exploits: Vec::new(),
        secrets: Vec::new(),
        logins: Vec::new(),
    }
}

/// The network an address is in, as far as an inventory tells: /24 or /64.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Whether and why somebody could use it: exploited, likely to be, or open to anybody over the network by its own vector.
fn exploit<'f>(finding: &'f Standing, feeds: &HashMap<String, Known>) -> Option<Part<'f>> {
    let part = |because: Sentence, is_exploited| Some(Part { finding, because, is_exploited });
    let known: Vec<(&str, Known)> = names(&finding.labels).into_iter().filter_map(|name| Some((name, *feeds.get(name)?))).collect();
    if let Some((name, _)) = known.iter().find(|(_, known)| known.is_exploited) {
        return part(Sentence::new(SentenceKind::Exploited, [name]), true);
    }
    let likely = known.iter().filter(|(_, known)| known.probability >= LIKELY).max_by(|a, b| a.1.probability.total_cmp(&b.1.probability));
    if let Some((name, known)) = likely {
        return part(Sentence::new(SentenceKind::Likely, [name, &format!("{:.0}", known.probability * 100.0)]), false);
    }
    let is_remote = finding.cvss.as_deref().is_some_and(|vector| vector.contains("/AV:N") && vector.contains("/PR:N"));
    if is_remote && finding.cvss_score.is_some_and(|score| score >= 7.0) {
        return part(Sentence::new(SentenceKind::Remote, []), false);
    }
    let is_sure = finding.severity == Severity::Critical && finding.confidence >= 70 && !finding.asset.is_empty();
    if is_sure { part(Sentence::new(SentenceKind::Sure, []), false) } else { None }
}

fn secret(finding: &Standing) -> Option<Part<'_>> {
    let class = SECRETS.iter().find(|class| finding.labels.contains(&format!(" {class} ")));
    let tool = SECRET_TOOLS.iter().find(|tool| finding.source.eq_ignore_ascii_case(tool));
    let words = format!("{} {}", finding.check, finding.title).to_lowercase().replace(['-', '_'], " ");
    let word = SECRET_WORDS.iter().find(|word| words.contains(**word));
    let because = match (class, tool, word) {
        (Some(class), ..) => Sentence::new(SentenceKind::SecretClass, [class]),
        (_, Some(tool), _) => Sentence::new(SentenceKind::SecretTool, [tool]),
        (.., Some(word)) => Sentence::new(SentenceKind::SecretWord, [word]),
        _ => return None,
    };
    Some(Part { finding, because, is_exploited: false })
}

fn login(finding: &Standing) -> Option<Part<'_>> {
    let place = &finding.location;
    let port = place.port?;
    let service = place.service.as_deref().unwrap_or_default().to_lowercase();
    // A page that fails a check on port 22 is no login; an open port or the service's own name is.
    let named = LOGINS.iter().find(|(_, name)| service.split([' ', '/']).any(|word| word == *name));
    let usual = || LOGINS.iter().find(|(usual, _)| *usual == port && place.url.is_none());
    let (_, name) = named.or_else(usual)?;
    let because = Sentence::new(SentenceKind::Login, [name, &port.to_string()]);
    Some(Part { finding, because, is_exploited: false })
}

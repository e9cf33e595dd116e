//! Ways from the outside inwards: an exposed place with an exploitable finding, a secret that lies there or next to it, and a place
//! beyond that takes logins or is exploitable itself. Every edge is a recorded fact; whether the way can be walked was not tried.

use std::collections::{BTreeMap, HashMap, HashSet};

use risk::{Criticality, Exposure};
use targets::{Target, TargetId};

use super::places::{Known, Part, Place, places};
use crate::model::{AttackPath, EdgeKind, FindingId, MOST, PathStep, Sentence, SentenceKind, StepRole, rank};
use crate::store::correlate::Standing;

/// Places a path can begin at, and neighbours that are looked at from one.
const ENTRIES: usize = 200;
const NEIGHBOURS: usize = 200;
/// Secrets looked at of one place.
const SECRETS: usize = 20;
/// Paths that are put together before the best are chosen.
const TRIED: usize = 20_000;
/// Places whose names are looked for in the words of a secret.
const NAMED: usize = 2_000;
/// A name shorter than this is found everywhere.
const SHORTEST_NAME: usize = 4;

/// A step before it is told.
#[derive(Clone)]
struct Leg<'p> {
    place: &'p Place<'p>,
    part: &'p Part<'p>,
    role: StepRole,
    edge: Option<(EdgeKind, Sentence)>,
}

/// Paths among these findings, the one that weighs most first.
pub(super) fn paths(findings: &[Standing], targets: &HashMap<TargetId, Target>, feeds: &HashMap<String, Known>) -> Vec<AttackPath> {
    let places = places(findings, targets, feeds);
    let near = Near::of(&places);
    let mut found: Vec<AttackPath> = Vec::new();
    let mut starts: Vec<&Place<'_>> =
        places.iter().filter(|place| place.exposure == Exposure::Internet && !place.exploits.is_empty()).collect();
    starts.sort_by_key(|place| std::cmp::Reverse(place.exploits.iter().map(|part| (part.is_exploited, part.finding.severity)).max()));
    for place in starts.into_iter().take(ENTRIES) {
        let Some(entry) =
            place.exploits.iter().max_by_key(|part| (part.is_exploited, part.finding.severity, std::cmp::Reverse(part.finding.id)))
        else {
            continue;
        };
        let first = Leg { place, part: entry, role: StepRole::Entry, edge: None };
        for secret in secrets(place, &near, &places) {
            let way = vec![first.clone(), secret];
            let beyond = beyond(&way, &near, &places);
            if beyond.is_empty() {
                found.push(told(&way));
            }
            found.extend(beyond.into_iter().map(|last| told(&[way.clone(), vec![last]].concat())));
        }
        let next = beyond(std::slice::from_ref(&first), &near, &places).into_iter().filter(|leg| leg.role == StepRole::Exploit);
        found.extend(next.map(|last| told(&[first.clone(), last])));
        if found.len() >= TRIED {
            break;
        }
    }
    found.sort_by(|one, other| other.weight.cmp(&one.weight).then_with(|| ids(one).cmp(&ids(other))));
    let mut ends: HashMap<Vec<FindingId>, usize> = HashMap::new();
    // One end by one beginning is told once; how many secrets lie between does not make it several.
    found.retain(|path| {
        let key: Vec<FindingId> = [path.steps.first(), path.steps.last()].into_iter().flatten().map(|step| step.finding_id).collect();
        let times = ends.entry(key).or_default();
        *times += 1;
        *times == 1
    });
    found.truncate(MOST);
    found
}

fn ids(path: &AttackPath) -> Vec<FindingId> {
    path.steps.iter().map(|step| step.finding_id).collect()
}

/// Places by what they share.
struct Near {
    networks: BTreeMap<String, Vec<usize>>,
    labels: BTreeMap<String, Vec<usize>>,
}

impl Near {
    fn of(places: &[Place<'_>]) -> Self {
        let mut near = Self { networks: BTreeMap::new(), labels: BTreeMap::new() };
        for (index, place) in places.iter().enumerate() {
            if let Some(network) = &place.network {
                near.networks.entry(network.clone()).or_default().push(index);
            }
            for label in &place.labels {
                near.labels.entry(label.clone()).or_default().push(index);
            }
        }
        near
    }

    /// Places one step away, and why; the strongest reason for each.
    fn neighbours<'p>(&self, from: &Place<'_>, places: &'p [Place<'p>]) -> Vec<(&'p Place<'p>, EdgeKind, Sentence)> {
        let by_network = from.network.iter().flat_map(|network| {
            let says = Sentence::new(SentenceKind::SameNetwork, [network]);
            self.networks.get(network).into_iter().flatten().map(move |index| (*index, EdgeKind::SameNetwork, says.clone()))
        });
        let by_label = from.labels.iter().flat_map(|label| {
            let says = Sentence::new(SentenceKind::SameLabel, [label]);
            self.labels.get(label).into_iter().flatten().map(move |index| (*index, EdgeKind::SameLabel, says.clone()))
        });
        let mut seen = HashSet::new();
        by_network
            .chain(by_label)
            .filter(|(index, ..)| seen.insert(*index))
            .filter_map(|(index, kind, says)| Some((places.get(index)?, kind, says)))
            .filter(|(place, ..)| (place.target, &place.asset) != (from.target, &from.asset))
            .take(NEIGHBOURS)
            .collect()
    }
}

/// Secrets at a place, and in the code and images that carry its label.
fn secrets<'p>(place: &'p Place<'p>, near: &Near, places: &'p [Place<'p>]) -> Vec<Leg<'p>> {
    let leg = |place, part, edge| Leg { place, part, role: StepRole::Credential, edge: Some(edge) };
    let own = place.secrets.iter().map(|part| leg(place, part, (EdgeKind::SamePlace, Sentence::new(SentenceKind::SamePlace, []))));
    let beside =
        near.neighbours(place, places).into_iter().filter(|(other, kind, _)| *kind == EdgeKind::SameLabel && other.asset.is_empty());
    let labelled = beside.flat_map(|(other, kind, says)| other.secrets.iter().map(move |part| leg(other, part, (kind, says.clone()))));
    own.chain(labelled).take(SECRETS).collect()
}

/// Places beyond the last of these legs that let somebody in.
fn beyond<'p>(way: &[Leg<'p>], near: &Near, places: &'p [Place<'p>]) -> Vec<Leg<'p>> {
    let (Some(first), Some(last)) = (way.first(), way.last()) else { return Vec::new() };
    let has_secret = last.role == StepRole::Credential;
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let named = if has_secret { named_by(last.part.finding, places) } else { Vec::new() };
    // Where the intruder stands is the entry, wherever the secret was written down.
    for (place, kind, says) in named.into_iter().chain(near.neighbours(first.place, places)) {
        let is_walked = way.iter().any(|leg| (leg.place.target, &leg.place.asset) == (place.target, &place.asset));
        if is_walked || !seen.insert((place.target, place.asset.as_str())) {
            continue;
        }
        let login = place.logins.first().filter(|_| has_secret).map(|part| (part, StepRole::Login));
        let exploit =
            place.exploits.iter().max_by_key(|part| (part.is_exploited, part.finding.severity)).map(|part| (part, StepRole::Exploit));
        // Reached from the outside as well, it is a beginning of its own and no end.
        let exploit = exploit.filter(|_| place.exposure != Exposure::Internet);
        if let Some((part, role)) = login.or(exploit) {
            found.push(Leg { place, part, role, edge: Some((kind, says)) });
        }
    }
    found
}

/// Places a finding's own words name.
fn named_by<'p>(finding: &Standing, places: &'p [Place<'p>]) -> Vec<(&'p Place<'p>, EdgeKind, Sentence)> {
    let place = &finding.location;
    let parts = [Some(finding.title.as_str()), place.snippet.as_deref(), place.logical.as_deref(), place.parameter.as_deref()];
    let words = parts.into_iter().flatten().collect::<Vec<_>>().join("\n").to_lowercase();
    let is_named = |asset: &str| {
        let edge = |letter: Option<char>| letter.is_none_or(|letter| !(letter.is_alphanumeric() || letter == '-'));
        asset.len() >= SHORTEST_NAME
            && words
                .match_indices(asset)
                .any(|(at, _)| edge(words[..at].chars().next_back()) && edge(words[at + asset.len()..].chars().next()))
    };
    let named = places.iter().take(NAMED).filter(|place| !place.asset.is_empty() && place.asset != finding.asset && is_named(&place.asset));
    named.map(|place| (place, EdgeKind::Names, Sentence::new(SentenceKind::Named, [&place.asset]))).take(NEIGHBOURS).collect()
}

fn step(leg: &Leg<'_>) -> PathStep {
    let led = leg.edge.as_ref().map_or_else(|| Sentence::new(SentenceKind::Reachable, []), |(_, says)| says.clone());
    let said = vec![led, leg.part.because.clone()];
    PathStep {
        finding_id: leg.part.finding.id,
        title: leg.part.finding.title.clone(),
        severity: leg.part.finding.severity,
        target_id: leg.place.target,
        place: leg.place.name.clone(),
        role: leg.role,
        edge: leg.edge.as_ref().map(|(kind, _)| *kind),
        because: said.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        said,
        voice: leg.part.finding.voice(),
    }
}

fn told(legs: &[Leg<'_>]) -> AttackPath {
    let steps = legs.iter().map(step).collect();
    let gravity: i64 = legs.iter().map(|leg| 10 * rank(leg.part.finding.severity) + if leg.part.is_exploited { 20 } else { 0 }).sum();
    let end = legs.last().map_or(0, |leg| match leg.place.criticality {
        Criticality::Critical => 60,
        Criticality::High => 30,
        Criticality::Medium => 10,
        Criticality::Low => 0,
    });
    let arrives = if legs.last().is_some_and(|leg| leg.role != StepRole::Credential) { 30 } else { 0 };
    AttackPath { steps, weight: u32::try_from(gravity + end + arrives).unwrap_or_default() }
}

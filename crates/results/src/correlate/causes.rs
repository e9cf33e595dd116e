//! One cause behind many findings: the package, the base image, the setting, the host.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use importers::Severity;
use scans::BySeverity;

use crate::link::names;
use crate::model::{CauseKind, MOST, RootCause, Sentence, SentenceKind, rank};
use crate::store::correlate::Standing;

/// Findings that make a cause.
const LEAST: u64 = 2;
/// Different rules on one asset that make it one; fewer are told by the rules themselves.
const RULES_ON_ASSET: usize = 3;
const EXAMPLES: usize = 20;
/// Remedies that are told when a cause has several.
const FIXES: usize = 5;
/// Package managers of systems.
const SYSTEMS: &[&str] = &["deb", "rpm", "apk"];

#[derive(Default)]
struct Group<'f> {
    name: String,
    members: Vec<&'f Standing>,
    rules: BTreeSet<(&'f str, &'f str)>,
    places: BTreeSet<(String, &'f str, &'f str)>,
}

/// Causes behind these findings, the one worth most first.
pub(super) fn causes(findings: &[Standing], wanted: Option<CauseKind>) -> Vec<RootCause> {
    let mut groups: HashMap<(CauseKind, String), Group<'_>> = HashMap::new();
    for finding in findings {
        for (kind, key, name) in keys(finding) {
            if wanted.is_some_and(|wanted| wanted != kind) {
                continue;
            }
            let group = groups.entry((kind, key)).or_default();
            if group.name.is_empty() {
                group.name = name;
            }
            group.rules.insert((&finding.source, &finding.check));
            let file = finding.location.file.as_deref().unwrap_or_default();
            group.places.insert((finding.target.map(|id| id.to_string()).unwrap_or_default(), &finding.asset, file));
            group.members.push(finding);
        }
    }
    let mut causes: Vec<(u64, RootCause)> = groups.into_iter().filter_map(|((kind, _), group)| cause(kind, &group)).collect();
    causes.sort_by(|(worth, one), (other_worth, other)| {
        (other_worth, other.findings).cmp(&(worth, one.findings)).then_with(|| (one.kind, &one.name).cmp(&(other.kind, &other.name)))
    });
    causes.into_iter().map(|(_, cause)| cause).take(MOST).collect()
}

/// What a finding may be caused by: kind, key, name.
fn keys(finding: &Standing) -> Vec<(CauseKind, String, String)> {
    let target = finding.target.map(|id| id.to_string()).unwrap_or_default();
    let mut keys = Vec::new();
    let is_flaw = !names(&finding.labels).is_empty();
    match &finding.location.component {
        Some(component) if is_flaw => {
            let purl = component.purl.as_deref().and_then(|purl| purl.strip_prefix("pkg:"));
            let manager = purl.and_then(|purl| purl.split('/').next()).unwrap_or_default();
            keys.push((CauseKind::Package, format!("{manager}\n{}", component.short_name()), component.name.clone()));
            if SYSTEMS.contains(&manager) {
                // An image is told by its name and tag; a package's own path is none.
                let image = finding.location.file.as_deref().filter(|file| file.contains([':', '(']));
                let distribution = purl.and_then(|purl| purl.split("distro=").nth(1)).map(|rest| rest.split('&').next().unwrap_or(rest));
                let name = image.or(distribution).unwrap_or(manager).to_owned();
                keys.push((CauseKind::Image, format!("{target}\n{}\n{name}", finding.service), name));
            }
        }
        _ if !is_flaw && finding.severity > Severity::Info => {
            keys.push((CauseKind::Configuration, format!("{}\n{}", finding.source, finding.check), finding.title.clone()));
        }
        _ => {}
    }
    if !finding.asset.is_empty() && finding.severity > Severity::Info {
        keys.push((CauseKind::Asset, format!("{target}\n{}", finding.asset), finding.asset.clone()));
    }
    keys
}

fn cause(kind: CauseKind, group: &Group<'_>) -> Option<(u64, RootCause)> {
    let findings = group.members.len() as u64;
    let is_one = match kind {
        CauseKind::Package | CauseKind::Image => findings >= LEAST,
        CauseKind::Configuration => findings >= LEAST && group.places.len() >= 2,
        CauseKind::Asset => group.rules.len() >= RULES_ON_ASSET,
    };
    if !is_one {
        return None;
    }
    let mut by_severity = BySeverity::default();
    group.members.iter().for_each(|finding| by_severity.add(finding.severity));
    let worth = group.members.iter().map(|finding| 1_u64 << rank(finding.severity)).sum();
    // A cluster is one weakness however many tools saw it.
    let own: Vec<String> = group.members.iter().map(|finding| finding.id.to_string()).collect();
    let weaknesses: BTreeSet<&str> =
        group.members.iter().zip(&own).map(|(finding, own)| finding.cluster.as_deref().unwrap_or(own)).collect();
    let targets: BTreeSet<_> = group.members.iter().map(|finding| finding.target).collect();
    let mut gravest = group.members.clone();
    gravest.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.id));
    let (fix, fix_said) = fix(kind, group);
    Some((
        worth,
        RootCause {
            kind,
            name: group.name.clone(),
            fix,
            fix_said,
            findings,
            weaknesses: weaknesses.len() as u64,
            targets: targets.len() as u64,
            by_severity,
            examples: gravest.into_iter().take(EXAMPLES).map(|finding| finding.id).collect(),
            // The name is that of the first member.
            voice: group.members.first().map(|finding| finding.voice()).unwrap_or_default(),
        },
    ))
}

/// What to do, and whether it is a sentence of ours.
fn fix(kind: CauseKind, group: &Group<'_>) -> (Option<String>, Option<Sentence>) {
    let mut said: BTreeMap<&str, usize> = BTreeMap::new();
    for remedy in group.members.iter().filter_map(|finding| finding.remediation.as_deref()).map(str::trim).filter(|text| !text.is_empty()) {
        *said.entry(remedy).or_default() += 1;
    }
    let mut often: Vec<(&str, usize)> = said.into_iter().collect();
    often.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    let told: Vec<&str> = often.iter().take(FIXES).map(|(remedy, _)| *remedy).collect();
    let ours = match (kind, told.as_slice()) {
        (CauseKind::Asset, _) => return (None, None),
        (CauseKind::Image, _) => Sentence::new(SentenceKind::Rebuild, [&group.name]),
        (CauseKind::Package, []) => Sentence::new(SentenceKind::Replace, [&group.name]),
        (CauseKind::Package, [_, _, ..]) => Sentence::new(SentenceKind::UpgradeAll, [&group.name, &told.join(" ")]),
        (_, told) => return (told.first().map(|first| (*first).to_owned()), None),
    };
    (Some(ours.to_string()), Some(ours))
}

#[cfg(test)]
mod tests {
    use base::Id;
    use importers::{Component, Location};
    use uuid::Uuid;

    use super::*;

    fn finding(number: u128) -> Standing {
        Standing {
            id: Id::from_uuid(Uuid::from_u128(number)),
            target: None,
            source: "s".into(),
            check: "c".into(),
            title: "T".into(),
            severity: Severity::High,
            confidence: 80,
            asset: String::new(),
            service: String::new(),
            labels: "  ".into(),
            cvss: None,
            cvss_score: None,
            location: Location::default(),
            remediation: None,
            cluster: None,
        }
    }

    #[test]
    fn one_upgrade_closes_the_findings_of_a_package_by_every_tool() {
        let package = |number: u128, cve: &str, purl: &str, remedy: &str| Standing {
            labels: format!(" {cve} "),
            cluster: Some(cve.into()),
            remediation: Some(remedy.into()),
            location: Location {
                component: Some(Component { name: "lodash".into(), version: None, purl: Some(purl.into()) }),
                ..Location::default()
            },
            ..finding(number)
        };
        let all = [
            package(1, "CVE-1", "pkg:npm/lodash@4.17.1", "Upgrade lodash to 4.17.12."),
            package(2, "CVE-1", "pkg:npm/lodash@4.17.2", "Upgrade lodash to 4.17.12."),
            package(3, "CVE-2", "pkg:npm/lodash@4.17.1", "Upgrade lodash to 4.17.21."),
            package(4, "CVE-3", "pkg:npm/other@1", "Upgrade other."),
        ];
        let found = causes(&all, None);
        let told: Vec<_> = found.iter().map(|cause| (cause.kind, cause.name.as_str(), cause.findings, cause.weaknesses)).collect();
        assert_eq!(told[0], (CauseKind::Package, "lodash", 3, 2));
        assert!(found[0].fix.as_deref().is_some_and(|fix| fix.contains("4.17.12") && fix.contains("4.17.21")), "{:?}", found[0].fix);
    }

    #[test]
    fn a_setting_counts_where_it_is_missing_twice_and_a_host_where_much_is_wrong() {
        let header = |number: u128, asset: &str| Standing { asset: asset.into(), check: "hsts".into(), ..finding(number) };
        let mut all = vec![header(1, "a.example"), header(2, "b.example")];
        assert_eq!(causes(&all, None).iter().map(|cause| cause.kind).collect::<Vec<_>>(), [CauseKind::Configuration]);
        all.extend((3..6).map(|number| Standing { check: number.to_string(), ..header(number, "a.example") }));
        let kinds: Vec<_> = causes(&all, None).iter().map(|cause| (cause.kind, cause.name.clone())).collect();
        assert_eq!(kinds, [(CauseKind::Asset, "a.example".to_owned()), (CauseKind::Configuration, "T".to_owned())]);
        assert_eq!(causes(&all, Some(CauseKind::Package)), []);
        let twice_at_one_place = [header(1, "a.example"), header(2, "a.example")];
        assert_eq!(causes(&twice_at_one_place, None), []);
    }
}

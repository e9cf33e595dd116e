//! What Trivy lists in a result: vulnerable packages, misconfigurations, secrets and licences.

use serde_json::Value;

use super::{SOURCE, Scan, Target};
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent, IdentityKey, Location, Observation, Severity};
use crate::output::Output;
use crate::package;
use crate::vocabulary;

/// Whose scores count, after the source Trivy took the severity from.
const SCORERS: [&str; 4] = ["nvd", "ghsa", "redhat", "bitnami"];

pub(super) fn vulnerability(
    value: &Value,
    position: Position,
    target: &Target,
    scan: &mut Scan,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    let Some(name) = json::text(value, &["PkgName"]) else {
        return out.skip(position, "vulnerability without a package");
    };
    let id = json::text(value, &["VulnerabilityID"]).unwrap_or("unknown");
    let kind = target.kind.as_deref().unwrap_or_default();
    let purl = json::text(value, &["PkgIdentifier", "PURL"]);
    let component = package::component(kind, name, json::text(value, &["InstalledVersion"]), purl);
    let file = json::text(value, &["PkgPath"]).or(target.name.as_deref());
    let place = match (target.is_system(), scan.is_image(), json::text(value, &["PkgPath"]), target.name.as_deref()) {
        (true, true, ..) => None,
        // The target of a system is the image with its tag and the system with its version.
        (true, false, _, Some(name)) => Some(package::repository(name.split(" (").next().unwrap_or(name)).to_owned()),
        (false, _, Some(path), _) | (false, _, None, Some(path)) => Some(package::path(path)),
        _ => None,
    };
    let resource = scan.resource();
    let manifest = [resource.as_deref(), place.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("|");
    let manifest = (!manifest.is_empty()).then_some(manifest);
    let asset = scan.asset().map(str::to_owned);
    let keys = package::keys(asset.as_deref(), manifest.as_deref(), id, &component, &mut scan.seen);
    let vectors = scores(value);
    let cvss = ["V3Vector", "V40Vector", "V2Vector"]
        .into_iter()
        .find_map(|member| vectors.iter().find_map(|score| vocabulary::cvss(json::text(score, &[member])?)));
    let ids = std::iter::once(id).chain(json::texts(value, &["VendorIDs"]));
    let (cves, aliases) = package::names(ids);
    let mut tags: Vec<String> = [&target.class, &target.kind].into_iter().flatten().cloned().collect();
    tags.extend(json::text(value, &["Status"]).map(|status| format!("status:{status}")));
    let mut evidence = Vec::new();
    if let Some(digest) = json::text(value, &["Layer", "DiffID"]).or(json::text(value, &["Layer", "Digest"])) {
        evidence.push(out.evidence("layer", digest));
    }
    out.distinct(Observation {
        source: SOURCE.to_owned(),
        check: id.to_owned(),
        title: package::title(id, &component, json::text(value, &["Title"])),
        description: json::text(value, &["Description"]).unwrap_or_default().to_owned(),
        remediation: package::upgrade(name, json::text(value, &["FixedVersion"])),
        severity: severity(value, &vectors),
        confidence: 80,
        cvss,
        cwes: json::texts(value, &["CweIDs"]).into_iter().flat_map(vocabulary::cwes).collect(),
        cves,
        aliases,
        references: references(value),
        tags,
        location: Location {
            component: Some(component),
            file: file.map(str::to_owned),
            logical: resource,
            artifact: scan.searched(target),
            ..Location::default()
        },
        evidence,
        keys,
        observed_at: scan.created.clone(),
        gone: None,
    })
}

/// Scores by source, the one the severity is from first.
fn scores(value: &Value) -> Vec<&Value> {
    let Some(scores) = value.get("CVSS").and_then(Value::as_object) else {
        return Vec::new();
    };
    let first = json::text(value, &["SeveritySource"]);
    let order: Vec<&str> = first.into_iter().chain(SCORERS).collect();
    let listed = order.iter().filter_map(|source| scores.get(*source));
    listed.chain(scores.iter().filter(|(source, _)| !order.contains(&source.as_str())).map(|(_, score)| score)).collect()
}

/// As Trivy rates it, else as the best source scores it.
fn severity(value: &Value, scores: &[&Value]) -> Severity {
    if let Some(severity) = json::text(value, &["Severity"]).and_then(vocabulary::severity) {
        return severity;
    }
    let number = |member: &str| scores.iter().find_map(|score| score.get(member)?.as_f64());
    let vector = scores.iter().find_map(|score| vocabulary::scored(json::text(score, &["V3Vector"])?));
    vector.or_else(|| ["V3Score", "V40Score", "V2Score"].into_iter().find_map(number).map(Severity::from_score)).unwrap_or_default()
}

fn references(value: &Value) -> Vec<String> {
    let mut references: Vec<String> = json::text(value, &["PrimaryURL"]).map(str::to_owned).into_iter().collect();
    for reference in json::texts(value, &["References"]) {
        if !references.iter().any(|known| known == reference) {
            references.push(reference.to_owned());
        }
    }
    references
}

/// A rule on a file or a resource of a cluster.
fn code_keys(rule: &str, anchor: Option<&str>, target: &Target, scan: &mut Scan) -> Vec<IdentityKey> {
    let asset = scan.asset().map(str::to_owned);
    let resource = scan.resource();
    let place = resource.or_else(|| target.name.as_deref().map(package::path));
    let nth = scan.seen.of(("code", &asset, &place, rule, anchor));
    let mut keys = vec![identity::code(asset.as_deref(), place.as_deref(), rule, anchor, nth)];
    if let Some(anchor) = anchor {
        let nth = scan.seen.of(("code.moved", &asset, rule, anchor));
        keys.push(identity::code_moved(asset.as_deref(), rule, anchor, nth));
    }
    keys
}

pub(super) fn misconfiguration(value: &Value, target: &Target, scan: &mut Scan, out: &mut Output<'_>) -> Result<(), ParseError> {
    let id = json::text(value, &["ID"]).or(json::text(value, &["AVDID"])).unwrap_or("unknown");
    let cause = value.get("CauseMetadata").unwrap_or(&Value::Null);
    let lines: Vec<&str> = json::items(cause, &["Code", "Lines"]).filter_map(|line| json::text(line, &["Content"])).take(200).collect();
    let snippet = (!lines.is_empty()).then(|| lines.join("\n"));
    let location = Location {
        file: target.name.clone(),
        line: cause.get("StartLine").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0),
        snippet,
        logical: json::text(cause, &["Resource"]).map(str::to_owned).or_else(|| scan.resource()),
        ..Location::default()
    };
    if matches!(json::text(value, &["Status"]), Some("PASS" | "EXCEPTION")) {
        let status = if json::text(value, &["Status"]) == Some("PASS") { CoverageStatus::Done } else { CoverageStatus::Skipped };
        return out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: id.to_owned(),
            location,
            extent: Extent::Whole,
            status,
            reason: None,
        });
    }
    let digest = location.snippet.as_deref().map(identity::snippet);
    let anchor = json::text(cause, &["Resource"]).map(str::to_owned).or(digest);
    let keys = code_keys(id, anchor.as_deref(), target, scan);
    let said = [json::text(value, &["Description"]), json::text(value, &["Message"])];
    let mut tags: Vec<String> = [&target.class, &target.kind].into_iter().flatten().cloned().collect();
    tags.extend(["Provider", "Service"].into_iter().filter_map(|member| json::text(cause, &[member])).map(str::to_lowercase));
    out.distinct(Observation {
        source: SOURCE.to_owned(),
        check: id.to_owned(),
        title: json::text(value, &["Title"]).unwrap_or(id).to_owned(),
        description: said.into_iter().flatten().collect::<Vec<_>>().join("\n\n"),
        remediation: json::text(value, &["Resolution"]).map(str::to_owned),
        severity: json::text(value, &["Severity"]).and_then(vocabulary::severity).unwrap_or_default(),
        confidence: 80,
        aliases: json::text(value, &["AVDID"]).filter(|avd| *avd != id).map(str::to_owned).into_iter().collect(),
        references: references(value),
        tags,
        location,
        keys,
        observed_at: scan.created.clone(),
        ..Observation::default()
    })
}

/// Trivy masks what it found, so only the masked line can be an anchor.
pub(super) fn secret(value: &Value, target: &Target, scan: &mut Scan, out: &mut Output<'_>) -> Result<(), ParseError> {
    let rule = json::text(value, &["RuleID"]).unwrap_or("unknown");
    let found = json::text(value, &["Match"]);
    let anchor = found.map(identity::snippet);
    let keys = code_keys(rule, anchor.as_deref(), target, scan);
    let title = json::text(value, &["Title"]).unwrap_or(rule);
    out.distinct(Observation {
        source: SOURCE.to_owned(),
        check: rule.to_owned(),
        title: format!("Secret: {title}"),
        description: format!("A secret of the kind {title:?} was found in {}.", target.name.as_deref().unwrap_or_default()),
        severity: json::text(value, &["Severity"]).and_then(vocabulary::severity).unwrap_or_default(),
        confidence: 70,
        cwes: vec![798],
        tags: json::text(value, &["Category"]).map(str::to_owned).into_iter().chain(["secret".to_owned()]).collect(),
        location: Location {
            file: target.name.clone(),
            line: value.get("StartLine").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0),
            snippet: found.map(str::to_owned),
            logical: scan.resource(),
            ..Location::default()
        },
        keys,
        observed_at: scan.created.clone(),
        ..Observation::default()
    })
}

pub(super) fn license(value: &Value, target: &Target, scan: &mut Scan, out: &mut Output<'_>) -> Result<(), ParseError> {
    let name = json::text(value, &["Name"]).unwrap_or("unknown");
    let check = format!("license:{name}");
    let package = json::text(value, &["PkgName"]);
    let file = json::text(value, &["FilePath"]).or(target.name.as_deref());
    let component = package.map(|package| package::component(target.kind.as_deref().unwrap_or_default(), package, None, None));
    let keys = match &component {
        Some(component) => {
            let asset = scan.asset().map(str::to_owned);
            package::keys(asset.as_deref(), file.map(package::path).as_deref(), &check, component, &mut scan.seen)
        }
        None => code_keys(&check, file, target, scan),
    };
    let category = json::text(value, &["Category"]).unwrap_or("unknown");
    out.distinct(Observation {
        source: SOURCE.to_owned(),
        title: format!("Licence {name} ({category}) of {}", package.or(file).unwrap_or("the target")),
        description: json::text(value, &["Text"]).unwrap_or_default().to_owned(),
        severity: json::text(value, &["Severity"]).and_then(vocabulary::severity).unwrap_or_default(),
        confidence: percent(value.get("Confidence")),
        references: json::text(value, &["Link"]).map(str::to_owned).into_iter().collect(),
        tags: vec!["license".to_owned(), category.to_owned()],
        location: Location { component, file: file.map(str::to_owned), logical: scan.resource(), ..Location::default() },
        keys,
        check,
        observed_at: scan.created.clone(),
        ..Observation::default()
    })
}

/// A share of one, as a percentage.
fn percent(value: Option<&Value>) -> u8 {
    let share = value.and_then(Value::as_f64).unwrap_or(0.7).clamp(0.0, 1.0) * 100.0;
    (0..=100).find(|percent| f64::from(*percent) >= share.floor()).unwrap_or(100)
}

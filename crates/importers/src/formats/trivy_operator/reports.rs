//! What one report says: vulnerabilities, checks and secrets of a workload, or the state of a benchmark.

use serde_json::Value;

use super::SOURCE;
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, IdentityKey, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::vocabulary;

/// The workload a report is about.
struct Workload {
    namespace: String,
    kind: String,
    name: String,
    container: String,
    image: Option<String>,
    updated: Option<String>,
}

impl Workload {
    fn of(value: &Value) -> Self {
        let label =
            |name: &str| value.pointer("/metadata/labels").and_then(|labels| json::text(labels, &[name])).unwrap_or_default().to_owned();
        let report = value.get("report").unwrap_or(&Value::Null);
        let image = json::text(report, &["artifact", "repository"]).map(|repository| {
            let server = json::text(report, &["registry", "server"]).map(|server| format!("{server}/")).unwrap_or_default();
            format!("{server}{repository}")
        });
        let name = label("trivy-operator.resource.name");
        let hashed = json::text(value, &["metadata", "annotations", "trivy-operator.resource.name"]).unwrap_or_default().to_owned();
        Self {
            namespace: label("trivy-operator.resource.namespace"),
            kind: label("trivy-operator.resource.kind"),
            name: if name.is_empty() { hashed } else { name },
            container: label("trivy-operator.container.name"),
            image,
            updated: json::text(report, &["updateTimestamp"]).and_then(vocabulary::instant),
        }
    }

    fn shown(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.namespace, &self.kind, &self.name, &self.container]
            .into_iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }

    /// As it enters keys: a replica set is called after a hash of what it runs.
    fn lasting(&self) -> Option<String> {
        let name = match self.name.rsplit_once('-') {
            Some((stem, hash)) if self.kind == "ReplicaSet" && is_hash(hash) => stem,
            _ => &self.name,
        };
        let parts = [self.namespace.as_str(), &self.kind, name, &self.container];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }
}

fn is_hash(text: &str) -> bool {
    (5..=10).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

pub(super) fn map(value: &Value, position: Position, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<(), ParseError> {
    let workload = Workload::of(value);
    let kind = json::text(value, &["kind"]).unwrap_or("report").to_owned();
    introduce(&workload, value, out)?;
    if let Some(report) = value.get("report") {
        for one in json::items(report, &["vulnerabilities"]) {
            vulnerability(one, position, &workload, seen, out)?;
        }
        for one in json::items(report, &["checks"]) {
            check(one, &workload, seen, out)?;
        }
        for one in json::items(report, &["secrets"]) {
            secret(one, &workload, seen, out)?;
        }
    }
    if let Some(status) = value.get("status") {
        benchmark(value, status, seen, out)?;
    }
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: format!("trivy-operator:{kind}"),
        location: Location {
            logical: workload.shown().or(json::text(value, &["metadata", "name"]).map(str::to_owned)),
            ..Location::default()
        },
        extent: Extent::Whole,
        status: CoverageStatus::Done,
        reason: json::text(value, &["report", "scanner", "version"]).map(|version| format!("Trivy {version}")),
    })
}

fn introduce(workload: &Workload, value: &Value, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(name) = workload.shown() else {
        return Ok(());
    };
    let mut identifiers = vec![("workload".to_owned(), name)];
    identifiers.extend(workload.image.clone().map(|image| ("image".to_owned(), image)));
    let digest = value.get("report").and_then(|report| json::text(report, &["artifact", "digest"]));
    identifiers.extend(digest.map(|digest| ("digest".to_owned(), digest.to_owned())));
    out.asset(Asset { kind: "workload".to_owned(), identifiers, services: Vec::new() })
}

fn severity(value: &Value) -> Severity {
    json::text(value, &["severity"]).and_then(vocabulary::severity).unwrap_or_default()
}

fn tags(workload: &Workload, more: [Option<&str>; 2]) -> Vec<String> {
    let namespace = Some(workload.namespace.as_str()).filter(|namespace| !namespace.is_empty());
    namespace.into_iter().chain(more.into_iter().flatten()).map(str::to_owned).collect()
}

fn vulnerability(
    value: &Value,
    position: Position,
    workload: &Workload,
    seen: &mut Occurrences,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    let (Some(id), Some(name)) = (json::text(value, &["vulnerabilityID"]), json::text(value, &["resource"])) else {
        return out.skip(position, "vulnerability without id or package");
    };
    let kind = json::text(value, &["packageType"]).unwrap_or_default();
    let component = package::component(kind, name, json::text(value, &["installedVersion"]), json::text(value, &["packagePURL"]));
    let path =
        json::text(value, &["packagePath"]).or(json::text(value, &["pkgPath"])).or(json::text(value, &["target"]).filter(|_| kind != "os"));
    let manifest = [workload.lasting(), path.map(package::path)].into_iter().flatten().collect::<Vec<_>>().join("|");
    let keys = package::keys(workload.image.as_deref(), Some(&manifest), id, &component, seen);
    let vectors = value.get("cvss").and_then(Value::as_object).into_iter().flatten().map(|(_, score)| score);
    let cvss = vectors.filter_map(|score| json::text(score, &["V3Vector"])).find_map(vocabulary::cvss);
    let (cves, aliases) = package::names(std::iter::once(id));
    out.distinct(Observation {
        source: SOURCE.to_owned(),
        check: id.to_owned(),
        title: package::title(id, &component, json::text(value, &["title"])),
        description: json::text(value, &["description"]).unwrap_or_default().to_owned(),
        remediation: package::upgrade(name, json::text(value, &["fixedVersion"])),
        severity: severity(value),
        confidence: 80,
        cvss,
        cves,
        aliases,
        references: json::text(value, &["primaryLink"]).into_iter().chain(json::texts(value, &["links"])).map(str::to_owned).collect(),
        tags: tags(workload, [json::text(value, &["class"]), json::text(value, &["packageType"])]),
        location: Location { component: Some(component), file: path.map(str::to_owned), logical: workload.shown(), ..Location::default() },
        keys,
        observed_at: workload.updated.clone(),
        ..Observation::default()
    })
}

fn rule_keys(rule: &str, place: Option<&str>, file: Option<&str>, anchor: Option<&str>, seen: &mut Occurrences) -> Vec<IdentityKey> {
    let nth = seen.of(("rule", place, file, rule, anchor));
    let mut keys = vec![identity::code(place, file, rule, anchor, nth)];
    if let Some(anchor) = anchor {
        keys.push(identity::code_moved(place, rule, anchor, seen.of(("moved", place, rule, anchor))));
    }
    keys
}

fn check(value: &Value, workload: &Workload, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<(), ParseError> {
    let id = json::text(value, &["checkID"]).or(json::text(value, &["checkId"])).unwrap_or("unknown");
    let location = Location { logical: workload.shown(), ..Location::default() };
    if value.get("success").and_then(Value::as_bool) == Some(true) {
        let status = CoverageStatus::Done;
        return out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: id.to_owned(),
            location,
            extent: Extent::Whole,
            status,
            reason: None,
        });
    }
    let messages = json::texts(value, &["messages"]);
    let evidence = if messages.is_empty() { Vec::new() } else { vec![out.evidence("messages", &messages.join("\n"))] };
    out.distinct(Observation {
        source: SOURCE.to_owned(),
        check: id.to_owned(),
        title: format!("{id}: {}", json::text(value, &["title"]).unwrap_or("failed check")),
        description: json::text(value, &["description"]).unwrap_or_default().to_owned(),
        remediation: json::text(value, &["remediation"]).map(str::to_owned),
        severity: severity(value),
        confidence: 80,
        references: Some(id)
            .filter(|id| *id != "unknown")
            .map(|id| format!("https://avd.aquasec.com/misconfig/{}", id.to_ascii_lowercase()))
            .into_iter()
            .collect(),
        tags: tags(workload, [json::text(value, &["category"]), None]),
        location,
        evidence,
        keys: rule_keys(id, workload.lasting().as_deref(), None, None, seen),
        observed_at: workload.updated.clone(),
        ..Observation::default()
    })
}

fn secret(value: &Value, workload: &Workload, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<(), ParseError> {
    let rule = json::text(value, &["ruleID"]).unwrap_or("unknown");
    let title = json::text(value, &["title"]).unwrap_or(rule);
    let file = json::text(value, &["target"]);
    let found = json::text(value, &["match"]);
    let anchor = found.map(identity::snippet);
    out.distinct(Observation {
        source: SOURCE.to_owned(),
        check: rule.to_owned(),
        title: format!("Secret: {title}"),
        description: format!("A secret of the kind {title:?} was found in {}.", file.unwrap_or("the image")),
        severity: severity(value),
        confidence: 70,
        cwes: vec![798],
        tags: tags(workload, [json::text(value, &["category"]), Some("secret")]),
        location: Location {
            file: file.map(str::to_owned),
            snippet: found.map(str::to_owned),
            logical: workload.shown(),
            ..Location::default()
        },
        keys: rule_keys(rule, workload.lasting().as_deref(), file, anchor.as_deref(), seen),
        observed_at: workload.updated.clone(),
        ..Observation::default()
    })
}

/// Controls of a benchmark with the checks that failed, or with how many did.
fn benchmark(value: &Value, status: &Value, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<(), ParseError> {
    let name = json::text(value, &["metadata", "name"]).unwrap_or("benchmark");
    for control in json::items(status, &["detailReport", "results"]) {
        let id = json::text(control, &["id"]).unwrap_or("unknown");
        for one in json::items(control, &["checks"]).filter(|one| one.get("success").and_then(Value::as_bool) == Some(false)) {
            let check = json::text(one, &["checkID"]).unwrap_or("unknown");
            let target = json::text(one, &["target"]);
            let rated = json::text(one, &["severity"]).or(json::text(control, &["severity"]));
            let rated = json::text(control, &["severity"]).or(rated);
            let messages = json::texts(one, &["messages"]);
            let evidence = if messages.is_empty() { Vec::new() } else { vec![out.evidence("messages", &messages.join("\n"))] };
            let rule = format!("{name}:{id}:{check}");
            let nth = seen.of(("benchmark", &rule, target));
            out.distinct(Observation {
                source: SOURCE.to_owned(),
                title: format!(
                    "{id} {check}: {}",
                    json::text(one, &["title"]).or(json::text(control, &["name"])).unwrap_or("failed check")
                ),
                description: json::text(one, &["description"]).or(json::text(control, &["description"])).unwrap_or_default().to_owned(),
                remediation: json::text(one, &["remediation"]).map(str::to_owned),
                severity: rated.and_then(vocabulary::severity).unwrap_or_default(),
                confidence: 80,
                tags: vec![name.to_owned()],
                location: Location { logical: target.map(str::to_owned), ..Location::default() },
                evidence,
                keys: vec![identity::cloud("kubernetes", None, None, target.unwrap_or_default(), &rule, nth)],
                check: rule,
                ..Observation::default()
            })?;
        }
    }
    if number(status.pointer("/summary/failCount")).unwrap_or(0) == 0 {
        return Ok(());
    }
    for control in json::items(status, &["summaryReport", "controlCheck"]) {
        let failed = number(control.get("totalFail")).unwrap_or(0);
        if failed == 0 {
            continue;
        }
        let id = json::text(control, &["id"]).unwrap_or("unknown");
        let of = |member: &str| {
            let mut controls = json::items(value, &["spec", "compliance", "controls"]);
            controls.find(|one| json::text(one, &["id"]) == Some(id)).and_then(|one| json::text(one, &[member])).map(str::to_owned)
        };
        let rule = format!("{name}:{id}");
        let nth = seen.of(("control", &rule));
        out.distinct(Observation {
            source: SOURCE.to_owned(),
            title: format!("{id}: {} ({failed} failed)", json::text(control, &["name"]).unwrap_or("control")),
            description: of("description").unwrap_or_default(),
            severity: severity(control),
            confidence: 80,
            tags: vec![name.to_owned()],
            keys: vec![identity::cloud("kubernetes", None, None, "", &rule, nth)],
            check: rule,
            ..Observation::default()
        })?;
    }
    Ok(())
}

/// A count that some versions write as text.
fn number(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

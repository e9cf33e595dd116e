//! One vulnerable dependency that the supply-chain API lists.

use serde_json::Value;

use super::{SOURCE, SUPPLY, severity};
use crate::code;
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Location, Observation};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::vocabulary;

/// Maps a dependency; false when it is none.
pub(super) fn map(value: &Value, position: Position, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<bool, ParseError> {
    let text = |path: &[&str]| json::text(value, path);
    let title = text(&["title"]).or_else(|| text(&["advisory", "title"]));
    let (Some(title), true) = (title, value.get("advisory").is_some_and(Value::is_object)) else {
        out.skip(position, "vulnerability without an advisory and a title")?;
        return Ok(false);
    };
    let listed = |name: &str| json::texts(value, &["advisory", "references", name]);
    let ids: String = listed("cveIds").join(" ");
    let cves = vocabulary::cves(&ids);
    let rule = text(&["advisory", "ruleId"]).unwrap_or(title);
    let vulnerability = vocabulary::unique(cves.clone()).into_iter().next().unwrap_or_else(|| rule.to_owned());
    let file = text(&["dependencyFileLocation", "path"]).map(code::path);
    let line = json::at(value, &["dependencyFileLocation", "startLine"]);
    let line = line.and_then(|line| line.as_u64().or_else(|| line.as_str()?.trim().parse().ok())).and_then(|line| u32::try_from(line).ok());
    let name = text(&["matchedDependency", "name"]).unwrap_or("unknown");
    let version = text(&["matchedDependency", "versionSpecifier"]);
    let ecosystem = text(&["advisory", "ecosystem"]).unwrap_or_default();
    let component = package::component(ecosystem, name, version, None);
    let repository = text(&["repositoryName"]).or_else(|| text(&["repositoryId"]));
    let safe = text(&["closestSafeDependency", "versionSpecifier"]);
    let advice = safe.map(|version| format!("Update {} to {version}.", text(&["closestSafeDependency", "name"]).unwrap_or(name)));
    let (_, aliases) = package::names(listed("ghsaIds"));
    let exposure = [text(&["exposureType"]), text(&["transitivity"]), text(&["advisory", "reachability"]), text(&["triage", "status"])];
    let observation = Observation {
        source: SOURCE.to_owned(),
        check: format!("{SUPPLY}:{rule}"),
        title: title.to_owned(),
        description: text(&["advisory", "description"]).unwrap_or_default().trim().to_owned(),
        remediation: advice,
        severity: severity(text(&["advisory", "severity"]).unwrap_or_default()),
        confidence: if text(&["exposureType"]) == Some("REACHABLE") { 90 } else { 70 },
        cwes: vocabulary::cwes(&listed("cweIds").join(" ")),
        references: listed("urls").into_iter().map(str::to_owned).collect(),
        tags: exposure.into_iter().flatten().map(str::to_lowercase).collect(),
        keys: package::keys(repository, file.as_deref(), &vulnerability, &component, seen),
        location: Location {
            url: text(&["dependencyFileLocation", "url"]).map(str::to_owned),
            component: Some(component),
            file: file.clone(),
            line,
            ..Location::default()
        },
        observed_at: text(&["openedAt"]).and_then(vocabulary::moment),
        cves,
        aliases,
        ..Observation::default()
    };
    let line = line.map(|line| line.to_string()).unwrap_or_default();
    out.observation(observation, &[SOURCE, title, file.as_deref().unwrap_or_default(), &line])?;
    Ok(true)
}

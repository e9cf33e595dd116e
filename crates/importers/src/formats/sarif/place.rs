//! Where a SARIF result is: file, line, snippet and logical place of one location.

use serde_json::Value;

use super::run::Context;
use crate::json;
use crate::model::Location;
use crate::output::floor_boundary;

const SNIPPET: usize = 8 << 10;

/// The parts of a `location` that we keep.
pub(super) fn location(value: &Value, context: &Context) -> Location {
    let physical = value.get("physicalLocation").unwrap_or(&Value::Null);
    let snippet =
        json::text(physical, &["region", "snippet", "text"]).or_else(|| json::text(physical, &["contextRegion", "snippet", "text"]));
    let uri = artifact(physical, context);
    let web = uri.filter(|uri| uri.starts_with("http://") || uri.starts_with("https://"));
    Location {
        file: uri.filter(|_| web.is_none()).map(path),
        url: web.map(str::to_owned),
        line: json::at(physical, &["region", "startLine"]).and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok()),
        snippet: snippet.map(|text| text[..floor_boundary(text, SNIPPET)].to_owned()),
        logical: json::items(value, &["logicalLocations"])
            .find_map(|place| json::text(place, &["fullyQualifiedName"]).or(json::text(place, &["name"])))
            .map(str::to_owned),
        ..Location::default()
    }
}

/// Address of the artifact, directly or through its index.
fn artifact<'v>(physical: &'v Value, context: &'v Context) -> Option<&'v str> {
    let place = physical.get("artifactLocation")?;
    json::text(place, &["uri"]).or_else(|| {
        let index = usize::try_from(place.get("index")?.as_u64()?).ok()?;
        context.artifacts.get(index)?.as_deref()
    })
}

/// One spelling of a path: no scheme, forward slashes, no leading `./`, percent-encoding undone
/// where it hides nothing but spaces.
fn path(uri: &str) -> String {
    let plain = uri.trim().replace('\\', "/").replace("%20", " ");
    let plain = plain.strip_prefix("file://").unwrap_or(&plain);
    let mut plain = plain;
    while let Some(rest) = plain.strip_prefix("./") {
        plain = rest;
    }
    plain.to_owned()
}

/// `file:line` for a list of steps.
pub(super) fn shown(location: &Location) -> String {
    let place = location.file.as_deref().or(location.url.as_deref()).or(location.logical.as_deref()).unwrap_or("unknown place");
    match location.line {
        Some(line) => format!("{place}:{line}"),
        None => place.to_owned(),
    }
}

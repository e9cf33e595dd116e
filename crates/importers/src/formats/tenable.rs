//! Nessus and Tenable: `.nessus` files of both generations (Web App Scanning included) and the
//! tables of Nessus, Tenable.io and Tenable.sc. One observation per plugin, host and port.

mod policy;
mod report;
mod table;

use std::io::Read;

use crate::dialects::{self, Notation};
use crate::errors::ParseError;
use crate::model::{Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

const SOURCE: &str = "tenable";
const EXPECTED: &str = "Nessus or Tenable output";
/// What a plugin says when it looked at a version and at nothing else.
const BY_VERSION: &str = "self-reported version";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Tenable,
    id: "tenable",
    source: SOURCE,
    label: "Nessus and Tenable XML and CSV",
    schemes: &["network", "network.moved", "web"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    match head.root() {
        Some("NessusClientData_v2" | "NessusClientData") => return Some(Confidence::Certain),
        Some(_) => return None,
        None => {}
    }
    let certain: [&[&str]; 5] = [
        &["plugin id", "risk", "host", "name", "synopsis"],
        &["plugin id", "plugin name", "severity"],
        &["plugin", "plugin name", "severity"],
        &["definition.id", "definition.name"],
        &["definition.synopsis", "asset.name"],
    ];
    if certain.into_iter().any(|names| head.titled(names)) {
        return Some(Confidence::Certain);
    }
    let likely: [&[&str]; 3] = [&["plugin id", "name", "host"], &["name", "synopsis", "plugin output"], &["plugin name", "severity"]];
    likely.into_iter().any(|names| head.titled(names)).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    match notation {
        Notation::Xml => report::read(&mut source, out),
        Notation::Json | Notation::Text => table::read(&mut source, out),
    }
}

/// The scale of Nessus: 0 to 4, or words.
fn severity(rated: &str) -> Severity {
    match rated.trim() {
        "4" => Severity::Critical,
        "3" => Severity::High,
        "2" => Severity::Medium,
        "1" => Severity::Low,
        word => word.parse().unwrap_or(Severity::Info),
    }
}

/// Plugins that say the scan could not look where it was meant to.
fn lost_access(plugin: &str) -> bool {
    matches!(plugin, "21745" | "26917" | "104410" | "110385" | "110723")
}

/// What every plugin's texts are put together to.
fn describe(observation: &mut Observation, synopsis: Option<&str>, description: Option<&str>) {
    let parts: Vec<&str> = [synopsis, description].into_iter().flatten().map(str::trim).filter(|text| !text.is_empty()).collect();
    observation.description = parts.join("\n\n");
    observation.confidence = if observation.description.contains(BY_VERSION) { 60 } else { 90 };
}

/// Where a web plugin says it got through: `URL '…'` and the `element named '…'`.
fn exploited(output: &str) -> (Option<&str>, Option<&str>) {
    let quoted = |mark: &str| output.split_once(mark)?.1.split_once('\'').map(|(text, _)| text).filter(|text| !text.is_empty());
    (quoted("URL '").filter(|url| url::Url::parse(url).is_ok()), quoted("element named '"))
}

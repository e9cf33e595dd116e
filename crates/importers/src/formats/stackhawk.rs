//! StackHawk's webhook at the end of a scan: plugins that alerted, each with the paths it did so on.

use std::io::Read;

use serde_json::Value;

use crate::endpoint::{Endpoint, Sites, placeless};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Location, Observation};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::Plan;

const SOURCE: &str = "stackhawk";
/// Paths of one plugin.
const PATHS: usize = 1_000;

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Stackhawk,
    id: "stackhawk",
    source: SOURCE,
    label: "StackHawk webhook",
    schemes: &["web", "web.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let completed = members.iter().any(|member| member == "scanCompleted");
    completed.then_some(if head.has("\"StackHawk\"") { Confidence::Certain } else { Confidence::Likely })
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Scan::default())
}

#[derive(Default)]
struct Scan {
    sites: Sites,
    started: Option<String>,
    application: Option<String>,
    ended: bool,
}

impl Records for Scan {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "StackHawk webhook";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["scanCompleted"] => Plan::Enter,
            ["scanCompleted", "scan"] => Plan::Take,
            ["scanCompleted", "findings"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        path == ["scanCompleted", "scan"]
    }

    fn note(&mut self, path: &[&str], value: &Value) -> bool {
        if path == ["scanCompleted", "scan"] {
            self.started = json::text(value, &["startedTimestamp"]).and_then(vocabulary::moment);
            self.application = json::text(value, &["application"]).map(str::to_owned);
            self.ended = true;
        }
        path == ["scanCompleted", "scan"]
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        let (Some(plugin), Some(name)) = (text("pluginId"), text("pluginName")) else {
            return Ok(false);
        };
        let check = format!("stackhawk:{plugin}");
        let host = text("host").unwrap_or_default();
        let common = Observation {
            source: SOURCE.to_owned(),
            title: name.to_owned(),
            description: self.application.as_ref().map(|name| format!("Found in {name}.")).unwrap_or_default(),
            severity: text("severity").and_then(vocabulary::severity).unwrap_or_default(),
            confidence: 70,
            references: text("findingURL").map(str::to_owned).into_iter().collect(),
            observed_at: self.started.clone(),
            ..Observation::default()
        };
        let mut paths: Vec<Option<&Value>> = json::items(value, &["paths"]).take(PATHS).map(Some).collect();
        if paths.is_empty() {
            paths.push(None);
        }
        for place in paths {
            let path = place.and_then(|place| json::text(place, &["path"])).unwrap_or_default();
            let method = place.and_then(|place| json::text(place, &["requestMethod"])).map(str::to_ascii_uppercase);
            let (location, keys) = match Endpoint::under(host, path) {
                Some(endpoint) => {
                    self.sites.introduce(&endpoint, out)?;
                    (endpoint.location(), endpoint.keys(&check, method.as_deref(), None))
                }
                None => (Location::default(), placeless(&check, host)),
            };
            let location = Location { method, ..location };
            out.observation(Observation { location, keys, check: check.clone(), ..common.clone() }, &[SOURCE, plugin])?;
        }
        Ok(true)
    }
}

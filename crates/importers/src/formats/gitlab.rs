//! Security reports of GitLab's analyzers (`gl-*-report.json`): code, secrets, dependencies, images and web, in one schema since version 14
//! and nearly so before.

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Place, Places};
use crate::endpoint::{Endpoint, Sites};
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Location, Observation};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::Plan;

const SOURCE: &str = "gitlab";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Gitlab,
    id: "gitlab",
    source: SOURCE,
    label: "GitLab security reports",
    schemes: &["code", "code.moved", "secret.place", "dependency.place", "dependency", "web", "web.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let listed = has("vulnerabilities") && has("version");
    let own = has("scan") || (head.has("\"identifiers\"") && head.has("\"location\"") && head.has("\"scanner\""));
    (listed && own).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Report::default())
}

#[derive(Default)]
struct Report {
    places: Places,
    seen: Occurrences,
    sites: Sites,
    kind: Option<String>,
}

impl Records for Report {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "GitLab security report";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["scan"] => Plan::Enter,
            ["vulnerabilities"] => Plan::Each,
            ["scan", "type"] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(path, ["scan", "type" | "analyzer"])
    }

    fn note(&mut self, path: &[&str], value: &Value) -> bool {
        if path == ["scan", "type"] {
            self.kind = value.as_str().map(str::to_owned);
        }
        path == ["scan", "type"]
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |path: &[&str]| json::text(value, path).map(str::trim);
        let place = value.get("location").filter(|place| place.is_object());
        let identifiers: Vec<&Value> = json::items(value, &["identifiers"]).collect();
        let (Some(place), true) = (place, !identifiers.is_empty() || value.get("scanner").is_some()) else {
            return Ok(false);
        };
        let named: Vec<&str> = identifiers.iter().filter_map(|one| json::text(one, &["name"])).collect();
        let first = identifiers.first().copied().unwrap_or(&Value::Null);
        let title = text(&["name"]).or_else(|| text(&["message"])).or(named.first().copied()).unwrap_or("unnamed");
        let rule = json::text(first, &["value"]).or_else(|| json::text(first, &["name"])).unwrap_or(title);
        let names = identifiers.iter().filter(|one| {
            json::text(one, &["type"])
                .is_some_and(|kind| matches!(kind.to_ascii_lowercase().as_str(), "cve" | "ghsa" | "osv" | "gemnasium"))
        });
        let (cves, aliases) = package::names(names.filter_map(|one| json::text(one, &["value"]).or_else(|| json::text(one, &["name"]))));
        let mut observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("gitlab:{rule}"),
            title: title.to_owned(),
            description: text(&["description"]).or_else(|| text(&["message"])).unwrap_or_default().to_owned(),
            remediation: text(&["solution"]).map(str::to_owned),
            severity: text(&["severity"]).and_then(vocabulary::severity).unwrap_or_default(),
            confidence: match text(&["confidence"]) {
                Some("Confirmed") => 95,
                Some("High") => 85,
                Some("Low") => 35,
                _ => 60,
            },
            cwes: named.iter().flat_map(|name| vocabulary::cwes(name)).collect(),
            references: json::items(value, &["links"])
                .chain(identifiers.iter().copied())
                .filter_map(|link| json::text(link, &["url"]))
                .map(str::to_owned)
                .collect(),
            tags: [self.kind.as_deref(), text(&["scanner", "id"])].into_iter().flatten().map(str::to_owned).collect(),
            cves,
            aliases,
            ..Observation::default()
        };
        self.put(place, rule, &mut observation, out)?;
        out.distinct(observation)?;
        Ok(true)
    }
}

impl Report {
    /// Says where it is, and by which names it is known again there.
    fn put(&mut self, place: &Value, rule: &str, observation: &mut Observation, out: &mut Output<'_>) -> Result<(), ParseError> {
        let text = |path: &[&str]| json::text(place, path).map(str::trim);
        let file = text(&["file"]).map(code::path);
        let line = place.get("start_line").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0);
        let logical = [text(&["class"]), text(&["method"])].into_iter().flatten().collect::<Vec<_>>().join("#");
        if let Some(name) = text(&["dependency", "package", "name"]) {
            let component = package::component("", name, text(&["dependency", "version"]), None);
            let image = text(&["image"]);
            let id = observation.cves.first().cloned().unwrap_or_else(|| rule.to_owned());
            observation.keys = package::keys(image.map(package::repository), file.as_deref(), &id, &component, &mut self.seen);
            observation.location = Location { file, logical: image.map(str::to_owned), component: Some(component), ..Location::default() };
            return Ok(());
        }
        if let Some(host) = text(&["hostname"]) {
            let (method, parameter) = (text(&["method"]), text(&["param"]));
            if let Some(endpoint) = Endpoint::under(host, text(&["path"]).unwrap_or_default()) {
                self.sites.introduce(&endpoint, out)?;
                observation.keys = endpoint.keys(&observation.check, method, parameter);
                let (method, parameter) = (method.map(str::to_owned), parameter.map(str::to_owned));
                observation.location = Location { method, parameter, ..endpoint.location() };
                return Ok(());
            }
        }
        if self.kind.as_deref() == Some("secret_detection") {
            let commit = text(&["commit", "sha"]).filter(|sha| *sha != "0000000");
            let nth = self.seen.of(("secret", rule, &file, commit));
            observation.keys = vec![identity::secret_place(None, rule, file.as_deref(), commit, nth)];
        } else {
            let anchor = Some(logical.as_str()).filter(|logical| !logical.is_empty());
            observation.keys = self.places.keys(&Place { source: SOURCE, file: file.as_deref(), rule, anchor, ..Place::default() });
        }
        observation.location = Location { file, line, logical: Some(logical).filter(|logical| !logical.is_empty()), ..Location::default() };
        Ok(())
    }
}

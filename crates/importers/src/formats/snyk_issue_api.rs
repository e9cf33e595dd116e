//! Issues of Snyk's REST API (`/rest/orgs/…/issues`): of code and of packages; one page or several after one another.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::model::{Component, Gone, Location, Observation};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "snyk";
const EXPECTED: &str = "issues of the Snyk REST API";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::SnykIssueApi,
    id: "snyk_issue_api",
    source: SOURCE,
    label: "Snyk issues API JSON",
    schemes: &["code.fingerprint", "dependency.place", "dependency", "code"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{']) || !head.has("\"data\"") {
        return None;
    }
    if head.has("\"effective_severity_level\"") {
        return Some(Confidence::Certain);
    }
    (head.has("\"jsonapi\"") && (head.has("/issues") || head.has("\"data\": []") || head.has("\"data\":[]"))).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut page = Page { out, recognised: false, listed: false, seen: Occurrences::default() };
    walk::through(source, &bounds, EXPECTED, &mut page)?;
    if page.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without issues".to_owned() })
}

struct Page<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    listed: bool,
    seen: Occurrences,
}

impl Route for Page<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            ["data", ANY] => Plan::Take,
            ["data"] => {
                self.listed = true;
                Plan::Enter
            }
            ["jsonapi"] => Plan::Take,
            [] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        if path == ["jsonapi"] {
            self.recognised = true;
            return Ok(());
        }
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        if json::text(&value, &["type"]) != Some("issue") {
            return self.out.skip(position, "not an issue");
        }
        self.recognised = true;
        let attributes = value.get("attributes").unwrap_or(&Value::Null);
        match json::text(attributes, &["type"]) {
            Some("package_vulnerability") => self.map(&value, attributes, false),
            Some("code") => self.map(&value, attributes, true),
            kind => self.out.warn(position, format!("issue of the type {:?} is no vulnerability", kind.unwrap_or("unknown"))),
        }
    }
}

impl Page<'_, '_> {
    fn map(&mut self, value: &Value, attributes: &Value, code: bool) -> Result<(), ParseError> {
        let problems: Vec<&Value> = json::items(attributes, &["problems"]).collect();
        let problem = problems.iter().find_map(|problem| json::text(problem, &["id"]));
        let key = json::text(attributes, &["key"]);
        // The key of an issue in code is of the place, that of a package is the vulnerability.
        let check = if code { problem.or(key) } else { key.or(problem) }.unwrap_or("unknown").to_owned();
        let title = json::text(attributes, &["title"]).unwrap_or(&check).to_owned();
        let project = json::text(value, &["relationships", "scan_item", "data", "id"]);
        let location = locate(attributes, code);
        let mut keys = Vec::new();
        if let Some(id) = json::text(value, &["id"]) {
            keys.push(identity::code_fingerprint(SOURCE, &check, None, "issue", id, 0));
        }
        match &location.component {
            Some(component) => keys.extend(package::keys(project, None, &check, component, &mut self.seen)),
            None => {
                let anchor = key.filter(|_| code);
                let nth = self.seen.of((project, &location.file, &check, anchor));
                keys.push(identity::code(project, location.file.as_deref(), &check, anchor, nth));
            }
        }
        let (cves, aliases) =
            package::names(problems.iter().filter_map(|problem| json::text(problem, &["id"])).chain(key.filter(|_| !code)));
        let severities: Vec<&Value> = json::items(attributes, &["severities"]).collect();
        let vector = |version: &str| {
            let mut of = severities.iter().filter(|one| json::text(one, &["version"]).is_some_and(|text| text.starts_with(version)));
            of.find_map(|one| vocabulary::cvss(json::text(one, &["vector"])?))
        };
        let coordinates: Vec<&Value> = json::items(attributes, &["coordinates"]).collect();
        let remedies =
            coordinates.iter().flat_map(|one| json::items(one, &["remedies"])).filter_map(|one| json::text(one, &["description"]));
        let remedies: Vec<&str> = remedies.take(20).collect();
        let moment = |path: &[&str]| json::text(attributes, path).and_then(vocabulary::instant);
        self.out.distinct(Observation {
            source: SOURCE.to_owned(),
            title: match &location.component {
                Some(component) => package::title(&check, component, Some(&title)),
                None => title,
            },
            check,
            description: json::text(attributes, &["description"]).unwrap_or_default().to_owned(),
            remediation: (!remedies.is_empty()).then(|| remedies.join("\n")),
            severity: json::text(attributes, &["effective_severity_level"]).and_then(vocabulary::severity).unwrap_or_default(),
            confidence: 80,
            cvss: vector("3").or_else(|| vector("4")).or_else(|| vector("2")),
            cwes: json::items(attributes, &["classes"]).filter_map(|class| json::text(class, &["id"])).flat_map(vocabulary::cwes).collect(),
            cves,
            aliases,
            references: problems.iter().filter_map(|problem| json::text(problem, &["url"])).map(str::to_owned).collect(),
            tags: tags(attributes, &coordinates),
            location,
            keys,
            observed_at: moment(&["updated_at"]),
            gone: vocabulary::is_fixed(json::text(attributes, &["status"]))
                .then(|| Gone { first_seen: moment(&["created_at"]), at: moment(&["resolution", "resolved_at"]) }),
            ..Observation::default()
        })
    }
}

fn locate(attributes: &Value, code: bool) -> Location {
    let mut places = json::items(attributes, &["coordinates"]).flat_map(|one| json::items(one, &["representations"]));
    if code {
        let place = places.find_map(|one| one.get("sourceLocation"));
        let line = place.and_then(|place| place.pointer("/region/start/line")).and_then(Value::as_u64);
        return Location {
            file: place.and_then(|place| json::text(place, &["file"])).map(str::to_owned),
            line: line.and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0),
            ..Location::default()
        };
    }
    let dependency = places.filter_map(|one| one.get("dependency")).last();
    let component = dependency.and_then(|one| {
        let version = json::text(one, &["package_version"]).map(str::to_owned);
        Some(Component { name: json::text(one, &["package_name"])?.to_owned(), version, purl: None })
    });
    Location { component, ..Location::default() }
}

fn tags(attributes: &Value, coordinates: &[&Value]) -> Vec<String> {
    let mut tags: Vec<String> = json::text(attributes, &["status"]).map(|status| format!("status:{status}")).into_iter().collect();
    if attributes.get("ignored").and_then(Value::as_bool) == Some(true) {
        tags.push("ignored".to_owned());
    }
    tags.extend(coordinates.iter().filter_map(|one| json::text(one, &["reachability"])).map(|text| format!("reachability:{text}")));
    vocabulary::unique(tags)
}

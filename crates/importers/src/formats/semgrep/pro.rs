//! Findings that the API of the Semgrep AppSec Platform lists.

use std::collections::HashSet;
use std::io::Read;

use serde_json::Value;

use super::{CODE, FINGERPRINT, SOURCE, confidence, severity};
use crate::code::{self, Place, Places, is_told};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

const EXPECTED: &str = "findings of the Semgrep platform";
/// Repositories told as covered.
const REPOSITORIES: usize = 10_000;

pub(crate) static ENTRY: Entry = Entry {
    format: Format::SemgrepPro,
    id: "semgrep_pro",
    source: SOURCE,
    label: "Semgrep platform API",
    schemes: &code::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    if !members.iter().any(|member| member == "findings") {
        return None;
    }
    let own = ["\"match_based_id\"", "\"rule_name\"", "\"triage_state\"", "\"syntactic_id\""];
    match own.into_iter().filter(|name| head.has(name)).count() {
        0 => (members.len() == 1).then_some(Confidence::Possible),
        1 => Some(Confidence::Likely),
        _ => Some(Confidence::Certain),
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut list = List { out, places: Places::default(), repositories: HashSet::new(), listed: false, records: 0, taken: 0 };
    walk::through(source, &bounds, EXPECTED, &mut list)?;
    let List { out, listed, records, taken, repositories, .. } = list;
    if !listed || (records > 0 && taken == 0) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without findings of Semgrep".to_owned() });
    }
    let mut repositories: Vec<String> = repositories.into_iter().collect();
    repositories.sort();
    for repository in repositories {
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: CODE.to_owned(),
            location: Location::default(),
            extent: Extent::Whole,
            status: CoverageStatus::Done,
            reason: Some(format!("repository {repository}")),
        })?;
    }
    Ok(())
}

struct List<'l, 'o> {
    out: &'l mut Output<'o>,
    places: Places,
    repositories: HashSet<String>,
    listed: bool,
    records: u64,
    taken: u64,
}

impl Route for List<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match walk::element(path) {
            [] => Plan::Enter,
            ["findings"] => {
                self.listed = true;
                Plan::Each
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::value(raw, position, self.out)? {
            Some(value) => self.finding(&value, position),
            None => Ok(()),
        }
    }
}

impl List<'_, '_> {
    fn finding(&mut self, value: &Value, position: Position) -> Result<(), ParseError> {
        self.records += 1;
        let text = |path: &[&str]| json::text(value, path);
        let file = text(&["location", "file_path"]).map(code::path);
        let rule = text(&["rule_name"]).or_else(|| text(&["rule", "name"]));
        if rule.is_none() && (file.is_none() || text(&["severity"]).is_none()) {
            return self.out.skip(position, "finding without a rule and a place");
        }
        self.taken += 1;
        let title = rule.unwrap_or("No title");
        let line = json::at(value, &["location", "line"]).and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
        let repository = text(&["repository", "name"]);
        let own = text(&["match_based_id"]).filter(|id| is_told(id));
        self.introduce(repository, text(&["repository", "url"]))?;
        let place = Place {
            source: SOURCE,
            repository,
            file: file.as_deref(),
            rule: title,
            anchor: None,
            fingerprint: own.map(|id| (FINGERPRINT, id)),
        };
        let keys = self.places.keys(&place);
        let cwes: String = json::texts(value, &["rule", "cwe_names"]).join(" ");
        let mut tags: Vec<String> = Vec::new();
        for path in [&["rule", "owasp_names"][..], &["rule", "vulnerability_classes"], &["categories"]] {
            tags.extend(json::texts(value, path).into_iter().take(20).map(|tag| vocabulary::shorten(tag, 100)));
        }
        for name in ["status", "state", "triage_state"] {
            tags.extend(text(&[name]).map(|word| format!("{name}:{}", vocabulary::shorten(word, 40))));
        }
        let urls = [text(&["line_of_code_url"]), text(&["external_ticket", "url"])].into_iter().flatten();
        let guidance = [text(&["assistant", "guidance", "summary"]), text(&["assistant", "guidance", "instructions"])];
        let fix = text(&["assistant", "autofix", "fix_code"]).map(|fix| format!("Suggested fix:\n{fix}"));
        let advice: Vec<String> = guidance.into_iter().flatten().map(str::to_owned).chain(fix).collect();
        let message = text(&["rule_message"]).or_else(|| text(&["rule", "message"])).unwrap_or_default();
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("{CODE}:{title}"),
            title: title.to_owned(),
            description: message.trim().to_owned(),
            remediation: (!advice.is_empty()).then(|| advice.join("\n\n")),
            severity: text(&["severity"]).map_or(Severity::Low, severity),
            confidence: confidence(text(&["confidence"])),
            cwes: vocabulary::cwes(&cwes),
            references: urls.filter(|url| url.contains("://")).map(str::to_owned).collect(),
            location: Location { file: file.clone(), line, ..Location::default() },
            observed_at: text(&["created_at"]).and_then(vocabulary::moment),
            tags,
            keys,
            ..Observation::default()
        };
        let line = line.unwrap_or_default().to_string();
        match own {
            Some(id) => self.out.observation(observation, &[SOURCE, id]),
            None => self.out.observation(observation, &[SOURCE, title, file.as_deref().unwrap_or_default(), &line]),
        }
    }

    fn introduce(&mut self, name: Option<&str>, url: Option<&str>) -> Result<(), ParseError> {
        let Some(known) = name.or(url).map(|name| vocabulary::shorten(name, 300)) else {
            return Ok(());
        };
        if self.repositories.len() >= REPOSITORIES || !self.repositories.insert(known) {
            return Ok(());
        }
        let names = [("name", name), ("url", url)];
        let identifiers = names.into_iter().filter_map(|(kind, name)| Some((kind.to_owned(), name?.to_owned()))).collect();
        self.out.asset(Asset { kind: "repository".to_owned(), identifiers, services: Vec::new() })
    }
}

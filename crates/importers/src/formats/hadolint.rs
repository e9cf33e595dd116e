//! hadolint `-f json`: a list of what a Dockerfile should not do.

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Place, Places};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::walk::Plan;

const SOURCE: &str = "hadolint";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Hadolint,
    id: "hadolint",
    source: SOURCE,
    label: "hadolint JSON",
    schemes: &["code", "code.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let all = ["line", "code", "message", "column", "file", "level"].iter().all(|name| members.iter().any(|member| member == name));
    let empty = head.is("[]") && head.is_named("hadolint");
    (head.opens(&['[']) && all).then_some(Confidence::Certain).or(empty.then_some(Confidence::Likely))
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Lines::default())
}

#[derive(Default)]
struct Lines(Places);

impl Records for Lines {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "hadolint JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        if path.is_empty() { Plan::Each } else { Plan::Pass }
    }

    fn marks(&self, _: &[&str]) -> bool {
        false
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        let (Some(rule), Some(message), Some(level), Some(file)) = (text("code"), text("message"), text("level"), text("file")) else {
            return Ok(false);
        };
        let file = code::path(file);
        let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or_default().to_string();
        let (line, column) = (number("line"), number("column"));
        let place = Place { source: SOURCE, file: Some(&file), rule, ..Place::default() };
        let wiki = match rule.get(..2) {
            Some("DL") => Some(format!("https://github.com/hadolint/hadolint/wiki/{rule}")),
            Some("SC") => Some(format!("https://www.shellcheck.net/wiki/{rule}")),
            _ => None,
        };
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("hadolint:{rule}"),
            title: format!("{rule}: {message}"),
            description: message.to_owned(),
            // As those who import its reports rate it.
            severity: match level {
                "error" => Severity::Critical,
                "warning" => Severity::High,
                _ => Severity::Info,
            },
            confidence: 85,
            references: wiki.into_iter().collect(),
            tags: vec![level.to_owned()],
            keys: self.0.keys(&place),
            location: Location { line: line.parse().ok().filter(|line| *line > 0), file: Some(file.clone()), ..Location::default() },
            ..Observation::default()
        };
        out.observation(observation, &[&line, &column, rule, &file])?;
        Ok(true)
    }
}

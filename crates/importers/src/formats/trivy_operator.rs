//! Reports of the Trivy operator as Kubernetes resources: one, an array, a list, or one array for each kind.

mod reports;

use std::io::Read;

use serde_json::{Map, Value};

use crate::errors::{ParseError, Position};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "trivy-operator";
const EXPECTED: &str = "Trivy operator reports";
/// API group of the reports.
const GROUP: &str = "aquasecurity.github.io";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::TrivyOperator,
    id: "trivy_operator",
    source: SOURCE,
    label: "Trivy operator JSON",
    schemes: &["dependency.place", "dependency", "code", "code.moved", "cloud"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{', '[']) || !head.has(GROUP) {
        return None;
    }
    let versioned = head.has("\"apiVersion\"") && head.has("\"kind\"");
    (versioned || head.has("reports.aquasecurity.github.io\"")).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut resources = Resources { out, recognised: false, listed: false, alone: Map::new(), seen: Occurrences::default() };
    walk::through(source, &bounds, EXPECTED, &mut resources)?;
    if resources.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: format!("JSON without resources of {GROUP}") })
}

struct Resources<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    /// Whether anything was listed, of whatever kind.
    listed: bool,
    /// Members of a resource that is the whole document.
    alone: Map<String, Value>,
    seen: Occurrences,
}

impl Route for Resources<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["items"] => Plan::Enter,
            ["apiVersion" | "kind" | "metadata" | "report" | "spec" | "status" | ANY] | [_, ANY] => Plan::Take,
            [key] if key.ends_with(GROUP) => {
                self.recognised = true;
                // A bill of materials has no findings.
                if key.contains("sbomreports") { Plan::Pass } else { Plan::Enter }
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        match path {
            [ANY] | [_, ANY] => self.resource(&value, position),
            [key, ..] => {
                self.alone.insert((*key).to_owned(), value);
                Ok(())
            }
            [] => Ok(()),
        }
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if !path.is_empty() {
            return Ok(());
        }
        let alone = std::mem::take(&mut self.alone);
        let is = |key: &str, wanted: fn(&str) -> bool| alone.get(key).and_then(Value::as_str).is_some_and(wanted);
        // What `kubectl get` writes where there are no reports: a list of nothing, which does not say of what.
        if !self.listed
            && is("kind", |kind| kind.ends_with("List"))
            && is("apiVersion", |version| version == "v1" || version.starts_with(GROUP))
        {
            self.recognised = true;
        }
        if alone.contains_key("report") || alone.contains_key("status") {
            let position = self.out.position();
            return self.resource(&Value::Object(alone), position);
        }
        Ok(())
    }
}

impl Resources<'_, '_> {
    fn resource(&mut self, value: &Value, position: Position) -> Result<(), ParseError> {
        self.listed = true;
        let version = crate::json::text(value, &["apiVersion"]).unwrap_or_default();
        if value.is_null() || (!version.starts_with(GROUP) && value.get("report").is_none() && value.get("status").is_none()) {
            return if self.recognised || !value.is_null() { self.out.skip(position, "not a report of the operator") } else { Ok(()) };
        }
        if version.starts_with(GROUP) {
            self.recognised = true;
        }
        if !self.recognised || value.get("metadata").is_none() {
            return self.out.skip(position, "not a report of the operator");
        }
        reports::map(value, position, &mut self.seen, self.out)
    }
}

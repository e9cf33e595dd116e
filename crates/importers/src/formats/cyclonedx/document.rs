//! CycloneDX JSON. Vulnerabilities that come before the components they affect are held back.

use std::io::Read;

use serde_json::Value;

use super::flaw::{Flaw, Rating, Subject};
use super::{Components, EXPECTED, component};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::Component;
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut bill = Bill {
        out,
        recognised: false,
        analysed: false,
        listed: false,
        components: Components::default(),
        subject: Subject::default(),
        held: Spool::default(),
        seen: Occurrences::default(),
    };
    walk::through(source, &bounds, EXPECTED, &mut bill)?;
    if bill.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without the format's name".to_owned() })
}

struct Bill<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    analysed: bool,
    /// Whether the components came by.
    listed: bool,
    components: Components,
    subject: Subject,
    held: Spool,
    seen: Occurrences,
}

impl Route for Bill<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            ["components" | "services" | "vulnerabilities", ANY] | ["bomFormat" | "$schema"] | ["metadata", "component" | "timestamp"] => {
                Plan::Take
            }
            ["vulnerabilities"] => {
                self.analysed = true;
                Plan::Enter
            }
            [] | ["components" | "services" | "metadata"] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path {
            ["bomFormat"] => self.recognised |= walk::text(raw).as_deref() == Some("CycloneDX"),
            ["$schema"] => self.recognised |= raw.contains("cyclonedx.org/schema"),
            ["metadata", "timestamp"] => self.subject.written = walk::text(raw).and_then(|text| vocabulary::instant(&text)),
            ["metadata", _] => {
                let value: Value = serde_json::from_str(raw).unwrap_or_default();
                self.subject.kind = json::text(&value, &["type"]).map(str::to_owned);
                self.subject.component = described(&value);
                self.add(&value);
                self.components.count = 0;
            }
            ["vulnerabilities", ..] if self.listed => return self.map(raw, position),
            ["vulnerabilities", ..] => return self.held.push(position, raw),
            _ => {
                if let Some(value) = walk::value(raw, position, self.out)? {
                    self.add(&value);
                }
            }
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        match path {
            ["components"] => {
                self.listed = true;
                Ok(())
            }
            [] => {
                self.map_held()?;
                let components = std::mem::take(&mut self.components);
                self.listed = false;
                let subject = std::mem::take(&mut self.subject);
                if !self.recognised {
                    return Ok(());
                }
                subject.introduce(std::mem::take(&mut self.analysed), &components, self.out)
            }
            _ => Ok(()),
        }
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.map_held()
    }
}

fn described(value: &Value) -> Option<Component> {
    let name = json::text(value, &["name"])?;
    Some(component(json::text(value, &["group"]), name, json::text(value, &["version"]), json::text(value, &["purl"])))
}

impl Bill<'_, '_> {
    /// Remembers a component and those inside it.
    fn add(&mut self, value: &Value) {
        if let Some(component) = described(value) {
            self.components.add(json::text(value, &["bom-ref"]), component);
        }
        for inner in json::items(value, &["components"]) {
            self.add(inner);
        }
    }

    fn map_held(&mut self) -> Result<(), ParseError> {
        let mut held = std::mem::take(&mut self.held);
        let end = self.out.position();
        held.drain(end, |raw, position| self.map(std::str::from_utf8(raw).unwrap_or_default(), position))
    }

    fn map(&mut self, raw: &str, position: Position) -> Result<(), ParseError> {
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        // Other documents list vulnerabilities, too.
        if !value.is_object() || !(value.get("affects").is_some() || value.get("bom-ref").is_some() || self.recognised) {
            return self.out.skip(position, "not a vulnerability of a bill of materials");
        }
        let flaw = flaw(&value);
        let components: Vec<Component> = flaw.affects.iter().map(|reference| self.components.find(reference)).collect();
        flaw.tell(&components, &self.subject, position, &mut self.seen, self.out)
    }
}

fn flaw(value: &Value) -> Flaw {
    let text = |path: &[&str]| json::text(value, path).map(str::to_owned);
    let rating = |one: &Value| Rating {
        severity: json::text(one, &["severity"]).map(str::to_owned),
        method: json::text(one, &["method"]).map(str::to_owned),
        vector: json::text(one, &["vector"]).map(str::to_owned),
        score: one.get("score").and_then(Value::as_f64),
    };
    let advisories = json::items(value, &["advisories"]).filter_map(|one| json::text(one, &["url"]));
    let mut references: Vec<String> = text(&["source", "url"]).into_iter().collect();
    references.extend(advisories.map(str::to_owned));
    let said = [("justification", &["analysis", "justification"]), ("detail", &["analysis", "detail"])];
    let mut analysis: Vec<String> =
        said.into_iter().filter_map(|(label, path)| Some(format!("{label}: {}", json::text(value, path)?))).collect();
    let responses = json::texts(value, &["analysis", "response"]);
    if !responses.is_empty() {
        analysis.push(format!("response: {}", responses.join(", ")));
    }
    Flaw {
        id: text(&["id"]),
        others: json::items(value, &["references"]).filter_map(|one| json::text(one, &["id"])).map(str::to_owned).collect(),
        description: [text(&["description"]), text(&["detail"])].into_iter().flatten().collect(),
        recommendation: text(&["recommendation"]),
        ratings: json::items(value, &["ratings"]).map(rating).collect(),
        cwes: json::items(value, &["cwes"]).filter_map(Value::as_u64).filter_map(|cwe| u32::try_from(cwe).ok()).collect(),
        references,
        state: text(&["analysis", "state"]),
        analysis,
        affects: json::items(value, &["affects"]).filter_map(|one| json::text(one, &["ref"])).map(str::to_owned).collect(),
    }
}

//! The JSON report: the target comes last, so entries are put aside until it is known.

use std::collections::HashMap;
use std::io::Read;

use serde_json::Value;

use super::EXPECTED;
use super::entry::{Category, Entry, Run, covered_by, give};
use crate::endpoint::{Endpoint, Sites};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::output::Output;
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const REFERENCES: usize = 100;
/// Categories of one report; Wapiti has some forty.
const CATEGORIES: usize = 2_000;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report { out, run: Run::default(), known: HashMap::new(), spool: Spool::default(), ours: 0 };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.ours < 2 {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without classes and vulnerabilities".to_owned() });
    }
    Ok(())
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    run: Run,
    known: HashMap<String, Category>,
    spool: Spool,
    /// How many of the members that make such a report were there.
    ours: u32,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match walk::element(path) {
            [] => Plan::Enter,
            ["classifications" | "infos"] => Plan::Take,
            ["vulnerabilities"] => {
                // Nikto has a member of this name in every host.
                self.ours = self.ours.max(1);
                Plan::Enter
            }
            // Categories with an array of entries each.
            ["vulnerabilities", category] if *category != ANY => Plan::Each,
            ["anomalies" | "additionals"] => {
                self.ours += 1;
                Plan::Pass
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::element(path) {
            ["classifications"] => {
                let value = walk::part(raw);
                self.ours += u32::from(value.is_object());
                for (name, class) in value.as_object().into_iter().flatten().take(CATEGORIES) {
                    self.known.insert(name.clone(), category(name, class));
                }
            }
            ["infos"] => {
                let infos = walk::part(raw);
                self.ours += u32::from(json::text(&infos, &["target"]).is_some());
                self.run.target = json::text(&infos, &["target"]).unwrap_or_default().to_owned();
                self.run.date = json::text(&infos, &["date"]).and_then(vocabulary::moment);
            }
            [_, category] => {
                let category = Value::from(*category).to_string();
                return self.spool.push(position, &format!("{{\"category\":{category},\"entry\":{raw}}}"));
            }
            _ => {}
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if path.is_empty() { self.finish() } else { Ok(()) }
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.entries().map(drop)
    }
}

impl Report<'_, '_> {
    /// Hands the entries on, and tells the sites and categories they were of.
    fn entries(&mut self) -> Result<(Sites, Vec<String>), ParseError> {
        let (mut sites, mut seen) = (Sites::default(), Vec::<String>::new());
        let mut spool = std::mem::take(&mut self.spool);
        spool.drain(self.out.position(), |raw, position| {
            let Some(value) = walk::value(std::str::from_utf8(raw).unwrap_or_default(), position, self.out)? else {
                return Ok(());
            };
            let name = json::text(&value, &["category"]).unwrap_or_default();
            let category = self.known.get(name).cloned().unwrap_or_else(|| Category { name: name.to_owned(), ..Category::default() });
            if !seen.iter().any(|one| one == name) && seen.len() < CATEGORIES {
                seen.push(name.to_owned());
            }
            give(entry(value.get("entry").unwrap_or(&Value::Null)), &category, &self.run, position, &mut sites, self.out)
        })?;
        Ok((sites, seen))
    }

    fn finish(&mut self) -> Result<(), ParseError> {
        let (mut sites, seen) = self.entries()?;
        if self.ours < 2 {
            return Ok(());
        }
        let target = Endpoint::new(&self.run.target);
        if let Some(endpoint) = &target {
            sites.introduce(endpoint, self.out)?;
        }
        let mut covered: Vec<&String> = self.known.keys().chain(seen.iter().filter(|name| !self.known.contains_key(*name))).collect();
        covered.sort();
        for name in covered {
            self.out.coverage(covered_by(name, target.as_ref(), seen.contains(name)))?;
        }
        Ok(())
    }
}

fn category(name: &str, class: &Value) -> Category {
    let references = class.get("ref").and_then(Value::as_object).into_iter().flatten().take(REFERENCES);
    Category {
        name: name.to_owned(),
        description: json::text(class, &["desc"]).unwrap_or_default().trim().to_owned(),
        solution: json::text(class, &["sol"]).map(|text| text.trim().to_owned()),
        references: references.map(|(title, address)| (title.clone(), address.as_str().unwrap_or_default().to_owned())).collect(),
    }
}

fn entry(value: &Value) -> Entry {
    let text = |name| json::text(value, &[name]).map(str::to_owned);
    let level = value.get("level").and_then(Value::as_u64).map(|level| level.to_string());
    Entry {
        method: text("method"),
        path: text("path"),
        level: level.or_else(|| text("level")),
        parameter: text("parameter"),
        module: text("module"),
        said: text("info"),
        request: text("http_request"),
        curl: text("curl_command"),
    }
}

//! The JSON report: the target comes last, so entries are put aside until it is known.

use std::collections::HashMap;
use std::io::Read;

use serde::de::MapAccess;
use serde_json::Value;

use super::entry::{Category, Entry, Run, give};
use super::{EXPECTED, SOURCE};
use crate::document::{Cursor, Document};
use crate::endpoint::{Endpoint, Sites};
use crate::errors::ParseError;
use crate::json::{self, Elements, Members};
use crate::model::{Coverage, CoverageStatus};
use crate::output::Output;
use crate::spool::Spool;
use crate::vocabulary;

const REFERENCES: usize = 100;
/// Categories of one report; Wapiti has some forty.
const CATEGORIES: usize = 2_000;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut document = Document::open(source, out, EXPECTED)?;
    let cursor = document.cursor();
    let mut report = Report { cursor: cursor.clone(), run: Run::default(), known: HashMap::new(), spool: Spool::default(), ours: 0 };
    let walked = document.walk(&mut report);
    let Report { run, known, mut spool, ours, .. } = report;
    let mut sites = Sites::default();
    let mut seen: Vec<String> = Vec::new();
    spool.drain(cursor.position(), |raw, position| {
        let value = match cursor.parse(raw) {
            Ok(value) => value,
            Err(what) => return out.skip(position, format!("entry is not readable: {what}")),
        };
        let name = json::text(&value, &["category"]).unwrap_or_default();
        let category = known.get(name).cloned().unwrap_or_else(|| Category { name: name.to_owned(), ..Category::default() });
        if !seen.iter().any(|one| one == name) && seen.len() < CATEGORIES {
            seen.push(name.to_owned());
        }
        give(entry(value.get("entry").unwrap_or(&Value::Null)), &category, &run, position, &mut sites, out)
    })?;
    walked?;
    if ours < 2 {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without classes and vulnerabilities".to_owned() });
    }
    document.end()?;
    let target = Endpoint::new(&run.target);
    if let Some(endpoint) = &target {
        sites.introduce(endpoint, out)?;
    }
    let mut covered: Vec<&String> = known.keys().chain(seen.iter().filter(|name| !known.contains_key(*name))).collect();
    covered.sort();
    for name in covered {
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: format!("wapiti:{name}"),
            location: target.as_ref().map(Endpoint::site).unwrap_or_default(),
            status: CoverageStatus::Done,
            reason: None,
        })?;
    }
    Ok(())
}

struct Report {
    cursor: Cursor,
    run: Run,
    known: HashMap<String, Category>,
    spool: Spool,
    /// How many of the members that make such a report were there.
    ours: u32,
}

impl Elements for Report {
    fn begin(&mut self) {}

    fn end(&mut self) -> Result<(), ParseError> {
        Ok(())
    }
}

impl Members for Report {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let cursor = self.cursor.clone();
        match key {
            "classifications" => {
                let value = cursor.value(map)?;
                self.ours += u32::from(value.is_object());
                for (name, class) in value.as_object().into_iter().flatten().take(CATEGORIES) {
                    self.known.insert(name.clone(), category(name, class));
                }
                Ok(())
            }
            "vulnerabilities" => {
                // Nikto has a member of this name in every host.
                self.ours = self.ours.max(1);
                cursor.walk(map, &mut Groups { cursor: &cursor, spool: &mut self.spool })
            }
            "anomalies" | "additionals" => {
                self.ours += 1;
                json::ignore(map)
            }
            "infos" => {
                let infos = cursor.value(map)?;
                self.ours += u32::from(json::text(&infos, &["target"]).is_some());
                self.run.target = json::text(&infos, &["target"]).unwrap_or_default().to_owned();
                self.run.date = json::text(&infos, &["date"]).and_then(vocabulary::moment);
                Ok(())
            }
            _ => json::ignore(map),
        }
    }
}

/// Categories with an array of entries each.
struct Groups<'c> {
    cursor: &'c Cursor,
    spool: &'c mut Spool,
}

impl Elements for Groups<'_> {
    fn begin(&mut self) {}

    fn end(&mut self) -> Result<(), ParseError> {
        Ok(())
    }
}

impl Members for Groups<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let category = Value::from(key).to_string();
        let spool = &mut *self.spool;
        self.cursor.raw(map, |raw, position| spool.push(position, &format!("{{\"category\":{category},\"entry\":{raw}}}")))
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

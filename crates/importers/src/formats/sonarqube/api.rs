//! JSON of the web API and of sonar-report. What issues refer to may come after them, so they are put aside first.

use std::io::Read;

use serde::de::MapAccess;

use super::issue::{Context, KEPT, Rule, give};
use super::{EXPECTED, SOURCE};
use crate::document::{Cursor, Document};
use crate::errors::ParseError;
use crate::json::{self, Elements, Members};
use crate::model::{Asset, Coverage, CoverageStatus, Location};
use crate::output::Output;
use crate::spool::Spool;
use crate::vocabulary;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut document = Document::open(source, out, EXPECTED)?;
    let cursor = document.cursor();
    let mut page = Page {
        cursor: cursor.clone(),
        context: Context::default(),
        spool: Spool::default(),
        project: None,
        listed: false,
        ours: false,
        records: 0,
        total: 0,
    };
    let walked = document.walk(&mut page);
    let Page { mut context, mut spool, project, listed, ours, records, total, .. } = page;
    spool.drain(cursor.position(), |raw, position| match cursor.parse(raw) {
        Ok(value) => give(&value, position, &mut context, out),
        Err(what) => out.skip(position, format!("issue is not readable: {what}")),
    })?;
    walked?;
    // Documents that only share the name of a member have issues without rules.
    if !(ours || listed && context.taken > 0) || (records > 0 && context.taken == 0) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without issues of SonarQube".to_owned() });
    }
    document.end()?;
    let shown = (total > records).then(|| format!("{records} of {total} issues on this page"));
    finish(project.as_deref(), shown.as_deref(), out)
}

/// The project, and that it was analysed; what a page leaves out was not seen.
pub(super) fn finish(project: Option<&str>, part: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let project = project.map(|project| vocabulary::shorten(project, 300));
    if let Some(name) = &project {
        out.asset(Asset { kind: "repository".to_owned(), identifiers: vec![("name".to_owned(), name.clone())], services: Vec::new() })?;
    }
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Location::default(),
        status: if part.is_some() { CoverageStatus::Skipped } else { CoverageStatus::Done },
        reason: part.map(str::to_owned).or_else(|| project.map(|project| format!("project {project}"))),
    })
}

struct Page {
    cursor: Cursor,
    context: Context,
    spool: Spool,
    project: Option<String>,
    listed: bool,
    ours: bool,
    records: u64,
    /// How many issues there are on all pages.
    total: u64,
}

impl Elements for Page {
    fn begin(&mut self) {}

    fn end(&mut self) -> Result<(), ParseError> {
        Ok(())
    }
}

impl Members for Page {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let cursor = self.cursor.clone();
        match key {
            "issues" | "hotspots" => {
                self.listed = true;
                let (spool, records) = (&mut self.spool, &mut self.records);
                cursor.raw(map, |raw, position| {
                    *records += 1;
                    spool.push(position, raw)
                })
            }
            "rules" => cursor.walk(map, &mut Rules { cursor: &cursor, context: &mut self.context, listed: None, full: false }),
            "components" => {
                let context = &mut self.context;
                cursor.records(map, |value, _| {
                    let value = value.unwrap_or_default();
                    let (Some(key), Some(path)) = (json::text(&value, &["key"]), json::text(&value, &["path"])) else {
                        return Ok(());
                    };
                    context.kept += key.len() + path.len() + 100;
                    context.paths.insert(key.to_owned(), path.to_owned());
                    if context.kept <= KEPT { Ok(()) } else { Err(cursor.over("rules and components", KEPT)) }
                })
            }
            "paging" => {
                let paging = cursor.value(map)?;
                self.ours |= paging.get("pageIndex").is_some();
                self.total = paging.get("total").and_then(serde_json::Value::as_u64).unwrap_or_default();
                Ok(())
            }
            "hotspotKeys" | "sonarBaseURL" => {
                self.ours = true;
                self.context.is_report = true;
                json::ignore(map)
            }
            "projectName" | "sonarComponent" => {
                self.context.is_report = true;
                let name = cursor.text(map)?;
                // The key of a project lasts longer than its name.
                self.project = if key == "sonarComponent" { name.or(self.project.take()) } else { self.project.take().or(name) };
                Ok(())
            }
            _ => json::ignore(map),
        }
    }
}

/// Rules: by their keys in a report, as a list in the API.
struct Rules<'c> {
    cursor: &'c Cursor,
    context: &'c mut Context,
    /// Key, name and text of the rule being read from a list.
    listed: Option<(Option<String>, Option<String>, Option<String>)>,
    /// Told once the rules are left.
    full: bool,
}

impl Rules<'_> {
    fn keep(&mut self, key: &str, rule: Rule) -> Result<(), ParseError> {
        if self.context.keep(key, rule) { Ok(()) } else { Err(self.cursor.over("rules and components", KEPT)) }
    }
}

impl Elements for Rules<'_> {
    fn begin(&mut self) {
        self.listed = Some((None, None, None));
    }

    fn end(&mut self) -> Result<(), ParseError> {
        if self.full {
            return Err(self.cursor.over("rules and components", KEPT));
        }
        match self.listed.take() {
            Some((Some(key), name, text)) => self.keep(&key, Rule::marked_up(name.as_deref(), text.as_deref().unwrap_or_default())),
            _ => Ok(()),
        }
    }
}

impl Members for Rules<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let value = self.cursor.value(map)?;
        if let (Some(listed), Some(text)) = (&mut self.listed, value.as_str()) {
            match key {
                "key" => listed.0 = Some(text.to_owned()),
                "name" => listed.1 = Some(text.to_owned()),
                "htmlDesc" | "mdDesc" => listed.2 = Some(text.to_owned()),
                _ => {}
            }
            return Ok(());
        }
        if value.is_object() {
            let text = json::text(&value, &["htmlDesc"]).unwrap_or_default();
            let rule = Rule::marked_up(json::text(&value, &["name"]), text);
            self.full |= !self.context.keep(key, rule);
        }
        Ok(())
    }
}

//! JSON of the web API and of sonar-report. What issues refer to may come after them, so they are put aside first.

use std::io::Read;

use serde_json::Value;

use super::issue::{Context, KEPT, Rule, give};
use super::{EXPECTED, SOURCE};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, Location};
use crate::output::Output;
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut page =
        Page { out, context: Context::default(), spool: Spool::default(), project: None, listed: false, ours: false, records: 0, total: 0 };
    walk::through(source, &bounds, EXPECTED, &mut page)?;
    let Page { context, project, listed, ours, records, total, .. } = page;
    // Documents that only share the name of a member have issues without rules.
    if !(ours || listed && context.taken > 0) || (records > 0 && context.taken == 0) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without issues of SonarQube".to_owned() });
    }
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
        extent: Extent::Whole,
        status: if part.is_some() { CoverageStatus::Skipped } else { CoverageStatus::Done },
        reason: part.map(str::to_owned).or_else(|| project.map(|project| format!("project {project}"))),
    })
}

struct Page<'l, 'o> {
    out: &'l mut Output<'o>,
    context: Context,
    spool: Spool,
    project: Option<String>,
    listed: bool,
    ours: bool,
    records: u64,
    /// How many issues there are on all pages.
    total: u64,
}

impl Route for Page<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match walk::element(path) {
            [] | ["rules"] => Plan::Enter,
            ["issues" | "hotspots"] => {
                self.listed = true;
                Plan::Each
            }
            ["components"] => Plan::Each,
            ["rules", _] | ["paging" | "projectName" | "sonarComponent"] => Plan::Take,
            ["hotspotKeys" | "sonarBaseURL"] => {
                self.ours = true;
                self.context.is_report = true;
                Plan::Pass
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::element(path) {
            ["issues" | "hotspots"] => {
                self.records += 1;
                self.spool.push(position, raw)
            }
            ["rules", key] => self.rule(key, &walk::part(raw)),
            ["components"] => self.component(&walk::part(raw)),
            ["paging"] => {
                let paging = walk::part(raw);
                self.ours |= paging.get("pageIndex").is_some();
                self.total = paging.get("total").and_then(Value::as_u64).unwrap_or_default();
                Ok(())
            }
            [name] => {
                self.context.is_report = true;
                let told = walk::text(raw);
                // The key of a project lasts longer than its name.
                self.project = if *name == "sonarComponent" { told.or(self.project.take()) } else { self.project.take().or(told) };
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if path.is_empty() { self.issues() } else { Ok(()) }
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.issues()
    }
}

impl Page<'_, '_> {
    /// Hands on what was put aside.
    fn issues(&mut self) -> Result<(), ParseError> {
        let mut spool = std::mem::take(&mut self.spool);
        spool.drain(self.out.position(), |raw, position| {
            match walk::value(std::str::from_utf8(raw).unwrap_or_default(), position, self.out)? {
                Some(value) => give(&value, position, &mut self.context, self.out),
                None => Ok(()),
            }
        })
    }

    fn within(&self, kept: bool) -> Result<(), ParseError> {
        if kept { Ok(()) } else { Err(self.out.gauge().over("rules and components", KEPT as u64)) }
    }

    /// A rule by its key in a report, one of a list in the API.
    fn rule(&mut self, key: &str, value: &Value) -> Result<(), ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        let key = if key == ANY { text("key") } else { Some(key).filter(|_| value.is_object()) };
        let Some(key) = key else {
            return Ok(());
        };
        let rule = Rule::marked_up(text("name"), text("htmlDesc").or_else(|| text("mdDesc")).unwrap_or_default());
        let kept = self.context.keep(key, rule);
        self.within(kept)
    }

    fn component(&mut self, value: &Value) -> Result<(), ParseError> {
        let (Some(key), Some(path)) = (json::text(value, &["key"]), json::text(value, &["path"])) else {
            return Ok(());
        };
        self.context.kept += key.len() + path.len() + 100;
        self.context.paths.insert(key.to_owned(), path.to_owned());
        self.within(self.context.kept <= KEPT)
    }
}

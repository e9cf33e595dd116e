//! HTML of sonar-report: a table of issues, then a table of the rules, which may hold tables of their own.

use std::io::Read;

use serde_json::{Map, Value};

use super::EXPECTED;
use super::api::finish;
use super::issue::{Context, KEPT, Rule, give};
use crate::errors::ParseError;
use crate::html::{Html, Piece, Plain, Tag};
use crate::json;
use crate::output::Output;
use crate::spool::Spool;

/// Columns of a table.
const COLUMNS: usize = 32;
const LINKS: usize = 50;

/// What a table at the top is about.
#[derive(Clone, Copy, PartialEq)]
enum Table {
    Other,
    Issues,
    Rules,
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    context: Context,
    spool: Spool,
    ours: bool,
    /// Open tables.
    depth: u32,
    table: Table,
    headings: Vec<String>,
    cells: Vec<String>,
    links: Vec<String>,
    /// The text being read, when it is wanted.
    text: Option<Plain>,
    label: String,
    project: Option<String>,
}

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut html = Html::open(source, out, EXPECTED)?;
    let mut report = Report {
        out,
        context: Context { is_report: true, ..Context::default() },
        spool: Spool::default(),
        ours: false,
        depth: 0,
        table: Table::Other,
        headings: Vec::new(),
        cells: Vec::new(),
        links: Vec::new(),
        text: None,
        label: String::new(),
        project: None,
    };
    let walked = loop {
        match html.next() {
            Ok(Some(Piece::Open(tag))) => report.open(&tag),
            Ok(Some(Piece::Close(name))) => {
                if let Err(error) = report.close(&name) {
                    break Err(error);
                }
            }
            Ok(Some(Piece::Text(text))) => {
                if let Some(plain) = &mut report.text {
                    plain.push(&text);
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let Report { out, mut context, mut spool, ours, project, .. } = report;
    let end = out.position();
    spool.drain(end, |raw, position| match json::record(raw, out.limits()) {
        Ok(value) => give(&value, position, &mut context, out),
        Err(what) => out.skip(position, format!("issue is not readable: {what}")),
    })?;
    walked?;
    if !ours {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "HTML of something else".to_owned() });
    }
    finish(project.as_deref(), None, out)
}

impl Report<'_, '_> {
    fn open(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "table" => {
                self.depth += 1;
                if self.depth == 1 {
                    self.table = Table::Other;
                    self.headings.clear();
                }
            }
            "tr" if self.depth == 1 => {
                self.cells.clear();
                self.links.clear();
            }
            "td" | "th" if self.depth == 1 => self.text = Some(Plain::default()),
            "title" | "h1" | "dt" | "dd" if self.depth == 0 => self.text = Some(Plain::default()),
            _ => {}
        }
        if let Some(plain) = &mut self.text {
            plain.open(&tag.name);
            if let Some(link) = tag.get("href").filter(|link| link.contains("://") && self.links.len() < LINKS) {
                self.links.push(link.to_owned());
            }
        }
    }

    fn close(&mut self, name: &str) -> Result<(), ParseError> {
        match (name, self.depth) {
            ("table", _) => self.depth = self.depth.saturating_sub(1),
            ("th", 1) => {
                let heading = self.take();
                if self.headings.len() < COLUMNS {
                    self.headings.push(heading);
                }
            }
            ("td", 1) => {
                let cell = self.take();
                if self.cells.len() < COLUMNS {
                    self.cells.push(cell);
                }
            }
            ("thead", 1) => {
                let has = |name: &str| self.headings.iter().any(|heading| heading == name);
                self.table = match (has("Rule"), has("Component"), has("Description")) {
                    (true, true, _) => Table::Issues,
                    (true, false, true) => Table::Rules,
                    _ => Table::Other,
                };
                self.ours |= self.table == Table::Issues;
            }
            ("tr", 1) => return self.row(),
            ("title" | "h1", 0) => self.ours |= self.take().contains("SonarQube"),
            ("dt", 0) => self.label = self.take(),
            ("dd", 0) => {
                let told = self.take();
                if matches!(self.label.as_str(), "Project Name" | "Application") && !told.is_empty() {
                    self.project = self.project.take().or(Some(told));
                }
            }
            _ => {
                if let Some(plain) = &mut self.text {
                    plain.close(name);
                }
            }
        }
        Ok(())
    }

    fn take(&mut self) -> String {
        self.text.take().unwrap_or_default().finish()
    }

    fn row(&mut self) -> Result<(), ParseError> {
        if self.cells.is_empty() {
            return Ok(());
        }
        match self.table {
            Table::Issues => {
                self.out.gauge().next_record();
                let names = self.headings.iter().map(|heading| heading.to_ascii_lowercase());
                let members: Map<String, Value> = names.zip(self.cells.drain(..)).map(|(name, cell)| (name, Value::from(cell))).collect();
                self.spool.push(self.out.position(), &Value::Object(members).to_string())
            }
            Table::Rules => {
                let (Some(key), text) = (self.cells.first(), self.cells.get(1).map_or("", String::as_str)) else {
                    return Ok(());
                };
                // The first link is that of the rule itself.
                let links = self.links.drain(..).skip(1).collect();
                if self.context.keep(key, Rule::new(None, text, links)) {
                    return Ok(());
                }
                Err(self.out.gauge().over("rules", KEPT as u64))
            }
            Table::Other => Ok(()),
        }
    }
}

//! Findings going out, as they are read: memory does not grow with their number.

mod csv;
mod json;
mod sarif;
mod vex;

use std::collections::HashMap;

use base::{Actor, Result, Scope, Time, words};
use bytes::Bytes;
use futures::{Stream, stream};

use crate::errors;
use crate::model::{Filter, Finding, FindingId};
use crate::service::Results;
use crate::store::findings::Exported;
use crate::store::lives::Life;
use crate::{actions, store};

/// Findings read at once.
const PAGE: u32 = 500;

words! {
    errors::word;
    /// What findings are written as.
    ExportFormat, "format" {
        /// SARIF 2.1.0, a run per tool.
        Sarif = "sarif",
        /// One line per finding.
        Csv = "csv",
        /// One document with everything.
        Json = "json",
        /// CycloneDX 1.6 VEX.
        Vex = "vex",
    }
}

impl ExportFormat {
    /// Media type of the document.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Sarif => "application/sarif+json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Vex => "application/vnd.cyclonedx+json; version=1.6",
        }
    }

    /// Ending of the file's name.
    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Sarif => "sarif",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Vex => "cdx.json",
        }
    }
}

/// Writes one format, a part at a time.
enum Writer {
    Sarif(sarif::Log),
    Csv,
    Json(json::List),
    Vex(json::List),
}

impl Writer {
    fn new(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Sarif => Self::Sarif(sarif::Log::default()),
            ExportFormat::Csv => Self::Csv,
            ExportFormat::Json => Self::Json(json::List::default()),
            ExportFormat::Vex => Self::Vex(json::List::default()),
        }
    }

    fn begin(&mut self, now: Time) -> Result<String> {
        match self {
            Self::Sarif(_) => Ok(sarif::BEGIN.to_owned()),
            Self::Csv => csv::head(),
            Self::Json(_) => Ok(json::begin(now)),
            Self::Vex(_) => Ok(vex::begin(now)),
        }
    }

    /// Whether it tells more of findings than they are.
    const fn is_whole(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    fn rows(&mut self, findings: &[Finding], lives: &HashMap<FindingId, Life>) -> Result<String> {
        match self {
            Self::Sarif(log) => log.rows(findings),
            Self::Csv => csv::rows(findings),
            Self::Json(list) => list.rows(findings, |finding| json::whole(finding, lives)),
            Self::Vex(list) => list.rows(findings, |finding| Ok(vex::vulnerability(finding))),
        }
    }

    fn end(&mut self) -> Result<String> {
        match self {
            Self::Sarif(log) => log.end(),
            Self::Csv => Ok(String::new()),
            Self::Json(_) | Self::Vex(_) => Ok("]}\n".to_owned()),
        }
    }
}

struct Export {
    results: Results,
    scope: Scope,
    now: Time,
    filter: Filter,
    writer: Writer,
    after: Option<Exported>,
    step: Step,
}

#[derive(PartialEq)]
enum Step {
    Begin,
    Rows,
    Over,
}

impl Results {
    /// Every finding a filter shows, as a document that is written while it is read; ordered by tool and check.
    ///
    /// # Errors
    /// `Invalid` naming a parameter; `Forbidden`. A failure on the way breaks the document off.
    pub fn export(&self, actor: &Actor, filter: Filter, format: ExportFormat) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let scope = actor.scope(actions::READ)?;
        filter.check()?;
        filter.severities()?;
        filter.statuses()?;
        let now = self.backends.clock.now();
        let export = Export { results: self.clone(), scope, now, filter, writer: Writer::new(format), after: None, step: Step::Begin };
        Ok(stream::try_unfold(export, |mut export| async move {
            let part = export.part().await?;
            Ok(part.map(|part| (Bytes::from(part), export)))
        }))
    }
}

impl Export {
    async fn part(&mut self) -> Result<Option<String>> {
        match self.step {
            Step::Begin => {
                self.step = Step::Rows;
                self.writer.begin(self.now).map(Some)
            }
            Step::Rows => {
                let db = &self.results.backends.db;
                let findings = store::findings::export(db, &self.scope, self.now, &self.filter, self.after.as_ref(), PAGE).await?;
                self.after = findings.last().map(Exported::of);
                let lives = if self.writer.is_whole() {
                    let ids: Vec<FindingId> = findings.iter().map(|finding| finding.id).collect();
                    store::lives::of(db, &self.scope, &ids).await?
                } else {
                    HashMap::new()
                };
                let mut text = self.writer.rows(&findings, &lives)?;
                if findings.len() < PAGE as usize {
                    self.step = Step::Over;
                    text.push_str(&self.writer.end()?);
                }
                Ok(Some(text))
            }
            Step::Over => Ok(None),
        }
    }
}

fn unwritten(cause: impl std::error::Error + Send + Sync + 'static) -> base::Error {
    base::Error::internal("an export cannot be written").because(cause)
}

//! One run: collects its tool and artifacts, spools its results, maps them at its end.

use std::hash::Hash;

use super::result;
use super::rule::{Component, Rule, messages};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Plan, Route};

/// Bytes of rules and artifact names kept per run.
const KEPT: usize = 48 << 20;

/// What the results of a run refer to.
#[derive(Default)]
pub(super) struct Context {
    pub(super) driver: Component,
    pub(super) extensions: Vec<Component>,
    pub(super) artifacts: Vec<Option<String>>,
    pub(super) repository: Option<String>,
    pub(super) finished: Option<String>,
    /// Anchors seen, so that equal ones can be told apart.
    occurrences: Occurrences,
    kept: usize,
}

impl Context {
    pub(super) fn source(&self) -> String {
        let name = self.driver.name.as_deref().unwrap_or("unknown");
        format!("sarif:{}", vocabulary::shorten(name, 80))
    }

    /// How many of this were seen before.
    pub(super) fn occurrence(&mut self, what: impl Hash) -> u64 {
        self.occurrences.of(what)
    }
}

/// The run being read.
pub(super) struct Run<'l, 'o> {
    out: &'l mut Output<'o>,
    context: Context,
    spool: Spool,
    /// The extension being read.
    extension: Component,
}

impl<'l, 'o> Run<'l, 'o> {
    pub(super) fn new(out: &'l mut Output<'o>) -> Self {
        Self { out, context: Context::default(), spool: Spool::default(), extension: Component::default() }
    }

    /// Maps what was spooled; of a run that broke off, what there was of it.
    pub(super) fn finish(&mut self) -> Result<(), ParseError> {
        let mut context = std::mem::take(&mut self.context);
        let mut spool = std::mem::take(&mut self.spool);
        if spool.is_empty() && context.driver.name.is_some() {
            return self.out.silence(&context.source());
        }
        spool.drain(self.out.position(), |raw, position| match json::record(raw, self.out.limits()) {
            Ok(value) => result::map(&value, position, &mut context, self.out),
            Err(what) => self.out.skip(position, format!("result is not readable: {what}")),
        })
    }

    fn keep(&mut self, size: usize) -> Result<(), ParseError> {
        self.context.kept += size;
        if self.context.kept > KEPT {
            return Err(self.out.gauge().over("rules and artifacts of one run", KEPT as u64));
        }
        Ok(())
    }

    /// The driver, or the extension that is being read.
    fn component(&mut self, driver: bool) -> &mut Component {
        if driver { &mut self.context.driver } else { &mut self.extension }
    }

    fn describe(&mut self, driver: bool, member: &str, raw: &str) -> Result<(), ParseError> {
        match member {
            "rules" => {
                let rule = Rule::new(&walk::part(raw));
                self.keep(rule.size())?;
                self.component(driver).add(rule);
            }
            "globalMessageStrings" => self.component(driver).messages = messages(&walk::part(raw)),
            _ => {
                let text = walk::text(raw).map(|text| vocabulary::shorten(&text, 200));
                let component = self.component(driver);
                if member == "name" {
                    component.name = text;
                } else {
                    component.guid = text;
                }
            }
        }
        Ok(())
    }
}

/// Paths are those inside a run.
impl Route for Run<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            ["results" | "artifacts"] | ["tool", "driver", "rules"] | ["tool", "extensions", ANY, "rules"] => Plan::Each,
            ["invocations" | "versionControlProvenance"]
            | ["tool", "driver", "name" | "guid" | "globalMessageStrings"]
            | ["tool", "extensions", ANY, "name" | "guid" | "globalMessageStrings"] => Plan::Take,
            [] | ["tool"] | ["tool", "driver" | "extensions"] | ["tool", "extensions", ANY] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path {
            ["results"] => return self.spool.push(position, raw),
            ["artifacts"] => {
                let uri = json::text(&walk::part(raw), &["location", "uri"]).map(str::to_owned);
                self.keep(48 + uri.as_ref().map_or(0, String::len))?;
                self.context.artifacts.push(uri);
            }
            ["invocations"] => {
                let value = walk::part(raw);
                let ended = json::items(&value, &[]).last().and_then(|last| json::text(last, &["endTimeUtc"]));
                self.context.finished = ended.and_then(vocabulary::instant);
            }
            ["versionControlProvenance"] => {
                let value = walk::part(raw);
                let mut repositories = json::items(&value, &[]).filter_map(|provenance| json::text(provenance, &["repositoryUri"]));
                self.context.repository = repositories.next().map(str::to_owned);
            }
            [.., "driver", member] => return self.describe(true, member, raw),
            [.., member] => return self.describe(false, member, raw),
            [] => {}
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        match path {
            [] => self.finish(),
            ["tool", "extensions", ANY] => {
                self.keep(size_of::<Component>())?;
                let done = std::mem::take(&mut self.extension);
                self.context.extensions.push(done);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

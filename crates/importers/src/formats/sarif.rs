//! SARIF 2.1.0. Members may come in any order, so the results of a run are spooled (memory up to a
//! few MiB, then an unnamed temporary file) and mapped when the run, and with it the rules, is known.

mod place;
mod result;
mod rule;
mod run;

use std::io::Read;

use crate::errors::{ParseError, Position};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::walk::{self, ANY, Bounds, Plan, Route};

const EXPECTED: &str = "SARIF 2.1.0";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Sarif,
    id: "sarif",
    source: "",
    label: "SARIF 2.1.0",
    schemes: &["code", "code.moved", "code.fingerprint", "dependency"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{']) {
        return None;
    }
    let runs = head.after("\"runs\"").is_some_and(|rest| {
        let rest = rest.trim_start().strip_prefix(':').unwrap_or_default();
        rest.trim_start().starts_with('[')
    });
    let schema = head.has("\"$schema\"") && head.has("sarif");
    let named = head.named(".sarif");
    match (schema, runs) {
        (true, _) => Some(Confidence::Certain),
        (false, true) if named => Some(Confidence::Certain),
        (false, true) if head.has("\"version\"") || head.has("\"tool\"") => Some(Confidence::Likely),
        (false, true) => Some(Confidence::Possible),
        (false, false) => named.then_some(Confidence::Possible),
    }
}

/// The outermost object.
struct Log<'l, 'o> {
    run: run::Run<'l, 'o>,
    has_runs: bool,
    version: Option<String>,
}

impl Route for Log<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] => Plan::Enter,
            ["runs"] => {
                self.has_runs = true;
                Plan::Enter
            }
            ["version"] => Plan::Take,
            ["runs", ANY, inside @ ..] => self.run.plan(inside),
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path {
            ["runs", ANY, inside @ ..] => self.run.take(inside, raw, position),
            _ => {
                self.version = walk::text(raw);
                Ok(())
            }
        }
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        match path {
            ["runs", ANY, inside @ ..] => self.run.leave(inside),
            _ => Ok(()),
        }
    }

    /// What was read of the run that broke off is kept.
    fn salvage(&mut self) -> Result<(), ParseError> {
        self.run.finish()
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut log = Log { run: run::Run::new(out), has_runs: false, version: None };
    walk::through(source, &bounds, EXPECTED, &mut log)?;
    let Log { has_runs, version, .. } = log;
    if !has_runs {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "a JSON object without runs".to_owned() });
    }
    if let Some(version) = version.filter(|version| version != "2.1.0") {
        let shown: String = version.chars().take(20).collect();
        let position = out.position();
        out.warn(position, format!("version {shown:?} is read as 2.1.0"))?;
    }
    Ok(())
}

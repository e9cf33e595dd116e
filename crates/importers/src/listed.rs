//! Reports that are little more than lists of records in JSON: a format names where they are and what becomes of one.
//! A report without anything in it is one of nothing found; one in which nothing is known is of another format.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::input;
use crate::output::Output;
use crate::walk::{self, Bounds, Plan, Route};

/// What a format says of its report.
pub(crate) trait Records {
    /// The tool, as in observations.
    const SOURCE: &'static str;
    /// What the file should have been.
    const EXPECTED: &'static str;
    /// Whether the tool writes a line for each record, so that nothing found is nothing written.
    const LINES: bool = false;

    /// What becomes of the value at a path.
    fn plan(&mut self, path: &[&str]) -> Plan;

    /// Whether only this tool writes a member at a path.
    fn marks(&self, path: &[&str]) -> bool;

    /// A value that was to be taken; false when it is none of this tool's.
    fn take(&mut self, path: &[&str], value: &Value, position: Position, out: &mut Output<'_>) -> Result<bool, ParseError>;

    /// A value that was to be taken and says something of the report only, whoever wrote it.
    fn note(&mut self, path: &[&str], value: &Value) -> bool {
        let _ = (path, value);
        false
    }
}

struct Report<'l, 'o, R> {
    out: &'l mut Output<'o>,
    records: &'l mut R,
    marked: bool,
    /// Whether anything at all is in the document.
    touched: bool,
    taken: u64,
    strange: u64,
}

impl<R: Records> Route for Report<'_, '_, R> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        self.touched |= !path.is_empty();
        self.marked |= self.records.marks(path);
        self.records.plan(path)
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        self.touched = true;
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        if self.records.note(path, &value) {
            return Ok(());
        }
        if self.records.take(path, &value, position, self.out)? {
            self.taken += 1;
        } else {
            self.strange += 1;
            if self.marked || self.taken > 0 {
                self.out.skip(position, format!("record is none of {}", R::SOURCE))?;
            }
        }
        Ok(())
    }
}

/// Reads a report to its end. None of these says what it looked at: it may be of another folder, project or day, and closes nothing.
pub(crate) fn read<R: Records>(source: &mut dyn Read, out: &mut Output<'_>, mut records: R) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let (first, mut source) = input::opening(source, &out.gauge())?;
    if R::LINES && first.is_none() {
        return out.silence(R::SOURCE);
    }
    let mut report = Report { out, records: &mut records, marked: false, touched: false, taken: 0, strange: 0 };
    walk::through(&mut source, &bounds, R::EXPECTED, &mut report)?;
    let Report { marked, touched, taken, strange, .. } = report;
    let ours = if strange > 0 { taken > 0 } else { taken > 0 || marked || !touched };
    if !ours {
        return Err(ParseError::NotThisFormat { expected: R::EXPECTED, found: "JSON without its members".to_owned() });
    }
    out.silence(R::SOURCE)
}

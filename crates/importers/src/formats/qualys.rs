//! Qualys asset data: `ASSET_DATA_REPORT` XML, whose glossary comes after the hosts, and the table
//! of the same report. One observation per detection (QID) on a host.

mod report;
mod table;

use std::io::Read;

use crate::dialects::{self, Notation};
use crate::errors::ParseError;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

/// Why an asset data report closes nothing by itself: it is an extract of what the service keeps, through the filters of a template.
const TEMPLATE: &str = "the report lists what its template lets through, not what was tested";
/// Why a table of detections closes nothing by itself: which hosts, ports and checks it leaves out stands nowhere in it.
pub(super) const LISTED: &str = "the table lists detections, not what was tested";
const SOURCE: &str = "qualys";
const EXPECTED: &str = "Qualys asset data report";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Qualys,
    id: "qualys",
    source: SOURCE,
    label: "Qualys asset data XML and CSV",
    schemes: &["network", "network.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    match head.root() {
        Some("ASSET_DATA_REPORT") => Some(Confidence::Certain),
        Some(_) => None,
        None => head.titled(&["ip", "qid", "title", "severity"]).then_some(Confidence::Certain),
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    match notation {
        Notation::Xml => report::read(&mut source, out),
        Notation::Json | Notation::Text => table::read(&mut source, out),
    }
}

/// What Qualys writes for nothing.
pub(super) fn known(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !matches!(*text, "-" | "'-" | "N/A"))
}

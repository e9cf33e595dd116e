//! Acunetix: the XML of its scanner and the JSON of Acunetix 360. Reports repeat a problem at each place; both editions
//! are counted by problem.

mod cloud;
mod scan;

use std::io::Read;

use crate::errors::ParseError;
use crate::input;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

const SOURCE: &str = "acunetix";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Acunetix,
    id: "acunetix",
    source: SOURCE,
    label: "Acunetix XML and 360 JSON",
    schemes: &["web", "web.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.root() == Some("ScanGroup") {
        return Some(if head.has("<Scan>") { Confidence::Certain } else { Confidence::Likely });
    }
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    match (has("Vulnerabilities"), has("Generated") && has("Target")) {
        (true, true) => Some(Confidence::Certain),
        (true, false) if head.has("\"LookupId\"") => Some(Confidence::Likely),
        (false, true) => Some(Confidence::Possible),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (first, mut source) = input::opening(source, &out.gauge())?;
    match first {
        Some(b'{' | b'[') => cloud::read(&mut source, out),
        _ => scan::read(&mut source, out),
    }
}

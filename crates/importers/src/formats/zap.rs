//! ZAP reports, traditional and "plus", XML and JSON: an observation per instance of an alert; alerts are what is counted.

mod alert;
mod json;
mod xml;

use std::io::Read;

use crate::errors::ParseError;
use crate::input;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

const SOURCE: &str = "zap";
const EXPECTED: &str = "ZAP report";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Zap,
    id: "zap",
    source: SOURCE,
    label: "ZAP XML and JSON",
    schemes: &["web.named", "web", "web.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.root() == Some("OWASPZAPReport") {
        return Some(Confidence::Certain);
    }
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    match (has("@programName") || has("@version"), has("site")) {
        (true, true) => Some(Confidence::Certain),
        (false, true) if head.has("\"alerts\"") && head.has("\"pluginid\"") => Some(Confidence::Likely),
        // What the API answers.
        (false, false) if has("alerts") && head.has("\"pluginId\"") && head.has("\"cweid\"") => Some(Confidence::Certain),
        (true, false) if head.has("\"ZAP\"") => Some(Confidence::Likely),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (first, mut source) = input::opening(source, &out.gauge())?;
    match first {
        Some(b'{' | b'[') => json::read(&mut source, out),
        _ => xml::read(&mut source, out),
    }
}

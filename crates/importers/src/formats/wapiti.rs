//! Wapiti reports, XML and JSON: an observation per entry; entries that say the same of a category are one problem.

mod entry;
mod json;
mod xml;

use std::io::Read;

use crate::errors::ParseError;
use crate::input;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

const SOURCE: &str = "wapiti";
const EXPECTED: &str = "Wapiti report";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Wapiti,
    id: "wapiti",
    source: SOURCE,
    label: "Wapiti XML and JSON",
    schemes: &["web", "web.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.root() == Some("report") {
        let generator = head.has("generatorName") || head.has("Wapiti");
        return if generator && head.has("report_infos") { Some(Confidence::Certain) } else { None };
    }
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    match (has("classifications"), has("vulnerabilities"), has("anomalies")) {
        (true, _, _) if head.has("\"desc\"") && head.has("\"sol\"") => Some(Confidence::Certain),
        (_, true, true) => Some(Confidence::Likely),
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

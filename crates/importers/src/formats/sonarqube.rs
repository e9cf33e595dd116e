//! SonarQube: pages of its web API (issues, hotspots), alone or many in a ZIP, and the JSON and HTML that sonar-report makes of them. A page of
//! the API lists issues; a report repeats an issue of one rule in one file, which is one problem.

mod api;
mod archive;
mod html;
mod issue;

use std::io::Read;

use crate::errors::ParseError;
use crate::input;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

const SOURCE: &str = "sonarqube";
const EXPECTED: &str = "SonarQube JSON or HTML";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Sonarqube,
    id: "sonarqube",
    source: SOURCE,
    label: "SonarQube API JSON and sonar-report",
    schemes: &crate::code::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.root().is_some_and(|root| root.eq_ignore_ascii_case("html")) {
        return head.has("SonarQube").then_some(Confidence::Certain);
    }
    if head.begins("PK\u{3}\u{4}") {
        // Names of the files inside are readable; what they hold is not.
        let pages = ["issues", "hotspots", "sonar", "findings"].into_iter().any(|word| head.has(word));
        return (pages && head.has(".json") || head.is_named("sonar")).then_some(Confidence::Likely);
    }
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    if has("sonarBaseURL") || has("sonarComponent") || has("hotspotKeys") {
        return Some(Confidence::Certain);
    }
    match (has("paging"), has("issues") || has("hotspots"), has("components") || has("effortTotal")) {
        (true, true, _) => Some(Confidence::Certain),
        (true, false, true) => Some(Confidence::Likely),
        (false, true, true) if head.has("\"rule\"") || head.has("\"ruleKey\"") => Some(Confidence::Likely),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (first, mut source) = input::opening(source, &out.gauge())?;
    let (head, _) = source.get_ref();
    let packed = head.get_ref().starts_with(b"PK\x03\x04");
    match first {
        Some(b'<') => html::read(&mut source, out),
        _ if packed => archive::read(&mut source, out),
        _ => api::read(&mut source, out),
    }
}

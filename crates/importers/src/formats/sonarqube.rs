//! SonarQube: pages of its web API (issues, hotspots), and the JSON and HTML that sonar-report makes of them. A page of
//! the API lists issues; a report repeats an issue of one rule in one file, which is one problem.

mod api;
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
    label: "SonarQube API JSON and sonar-report",
    schemes: &crate::code::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.root().is_some_and(|root| root.eq_ignore_ascii_case("html")) {
        return head.has("SonarQube").then_some(Confidence::Certain);
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
    match first {
        Some(b'<') => html::read(&mut source, out),
        _ => api::read(&mut source, out),
    }
}

//! Nikto: XML of both nestings, JSON of one host or a list of them, CSV. One observation per item;
//! Nikto rates nothing, but an item with an OSVDB number names a known weakness.

mod list;
mod mended;
mod report;
mod table;

use std::io::Read;

use url::Url;

use crate::dialects::{self, Notation};
use crate::errors::ParseError;
use crate::hosts::{Host, Introduced};
use crate::identity;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;

const SOURCE: &str = "nikto";
const EXPECTED: &str = "Nikto output";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Nikto, id: "nikto", source: SOURCE, label: "Nikto XML, JSON and CSV", schemes: &["web"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    match head.root() {
        Some("niktoscan") => return Some(Confidence::Certain),
        Some(_) => return None,
        None => {}
    }
    if head.opens(&['{', '[']) {
        let members = ["\"host\"", "\"port\"", "\"banner\"", "\"vulnerabilities\""];
        return members.into_iter().all(|member| head.has(member)).then_some(Confidence::Certain);
    }
    head.begins("\"Nikto - v").then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    let mut seen = Introduced::default();
    match notation {
        Notation::Xml => report::read(&mut source, &mut seen, out),
        Notation::Json => list::read(&mut mended::Mended::new(&mut source), &mut seen, out),
        Notation::Text => table::read(&mut source, &mut seen, out),
    }
}

/// The server whose items are read.
#[derive(Default)]
struct Site {
    host: Host,
    port: Option<u16>,
    /// Origin, when the report names it.
    origin: Option<String>,
    observed_at: Option<String>,
}

impl Site {
    fn origin(&self) -> Option<String> {
        if let Some(origin) = &self.origin {
            return Some(origin.clone());
        }
        let name = self.host.name.as_deref().or(self.host.ip.as_deref())?;
        let scheme = if matches!(self.port, Some(443 | 8443)) { "https" } else { "http" };
        let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
        Some(match self.port {
            Some(port) => identity::asset(&format!("{scheme}://{name}:{port}")),
            None => identity::asset(&format!("{scheme}://{name}")),
        })
    }

    fn location(&self) -> Location {
        Location { service: Some("http".to_owned()), ..self.host.at(Some("tcp"), self.port) }
    }

    fn introduce(
        &self,
        seen: &mut Introduced,
        status: CoverageStatus,
        reason: Option<String>,
        out: &mut Output<'_>,
    ) -> Result<(), ParseError> {
        let origin = self.origin();
        if self.host.is_unknown() || !seen.is_new((&self.host, &origin)) {
            return Ok(());
        }
        let mut identifiers: Vec<(String, String)> = origin.map(|origin| ("url".to_owned(), origin)).into_iter().collect();
        identifiers.extend(self.host.asset(Vec::new()).identifiers);
        out.asset(Asset { kind: "web".to_owned(), identifiers, services: Vec::new() })?;
        let location = self.location();
        let extent = Extent::of_service(status, &location);
        out.coverage(Coverage { source: SOURCE.to_owned(), check_set: SOURCE.to_owned(), location, extent, status, reason })
    }
}

/// One item, in whichever notation.
#[derive(Default)]
struct Item<'i> {
    id: Option<&'i str>,
    osvdb: Option<&'i str>,
    method: Option<&'i str>,
    path: Option<&'i str>,
    /// Full address, when the report has one.
    link: Option<&'i str>,
    message: &'i str,
    references: Option<&'i str>,
}

/// What stays of a message whatever it found: items of Nikto's own code share their numbers.
fn anchor(message: &str) -> String {
    let lead = message.split([':', '\'', '"', '(']).find(|part| !part.trim().is_empty()).unwrap_or(message);
    let words = lead.split_whitespace().filter(|word| !word.bytes().any(|byte| byte.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

fn tell(item: &Item<'_>, site: &Site, issue: &[&str], out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(origin) = site.origin() else {
        return out.skip(out.position(), "item of no host");
    };
    let check = match item.id {
        Some(id) => format!("nikto:{id}"),
        None => "nikto".to_owned(),
    };
    // Items from the database of tests have a number each; the code's own start with nines.
    let generic = item.id.is_none_or(|id| id.starts_with("999"));
    let named = if generic { format!("{check}/{}", anchor(item.message)) } else { check.clone() };
    let path = item.path.unwrap_or("/");
    let osvdb = item.osvdb.map(|number| number.trim_start_matches("OSVDB-")).filter(|number| !matches!(*number, "" | "0"));
    let link = item.link.filter(|link| Url::parse(link).is_ok()).map(str::to_owned).or_else(|| {
        Some(format!("{origin}{}{path}", if path.starts_with('/') { "" } else { "/" })).filter(|link| Url::parse(link).is_ok())
    });
    let sentence = item.message.split_inclusive(['.', '?']).next().unwrap_or(item.message);
    let title = if sentence.len() < 20 { item.message } else { sentence };
    let observation = Observation {
        source: SOURCE.to_owned(),
        keys: vec![identity::web(&origin, &named, item.method, path, None)],
        check,
        title: title.trim().to_owned(),
        description: item.message.to_owned(),
        severity: if osvdb.is_some() { Severity::Medium } else { Severity::Info },
        confidence: 60,
        cwes: vocabulary::cwes(item.references.unwrap_or_default()),
        cves: vocabulary::cves(&format!("{} {}", item.message, item.references.unwrap_or_default())),
        references: dialects::addresses(&format!("{} {}", item.references.unwrap_or_default(), item.message)),
        tags: osvdb.map(|number| format!("OSVDB-{number}")).into_iter().collect(),
        location: Location { url: link, method: item.method.map(str::to_owned), ..site.location() },
        observed_at: site.observed_at.clone(),
        ..Observation::default()
    };
    out.observation(observation, issue)
}

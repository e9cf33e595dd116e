//! CycloneDX of every version, JSON and XML: bills of materials with what is known of their components, and
//! statements about vulnerabilities alone (VEX). A component that nobody analysed is no finding.

mod document;
mod flaw;
mod markup;

use std::collections::HashMap;
use std::io::Read;

use crate::errors::ParseError;
use crate::input;
use crate::model::Component;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};

const SOURCE: &str = "cyclonedx";
const EXPECTED: &str = "CycloneDX";
/// Bytes of components that vulnerabilities may refer to.
const KEPT: usize = 48 << 20;

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Cyclonedx,
    id: "cyclonedx",
    source: SOURCE,
    label: "CycloneDX BOM and VEX",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.opens(&['{']) {
        let format = head.has("\"bomFormat\"") && head.has("CycloneDX");
        return (format || head.has("cyclonedx.org/schema/bom")).then_some(Confidence::Certain);
    }
    let root = head.root()?;
    let bom = root == "bom" || root.ends_with(":bom");
    (bom && head.has("cyclonedx.org/schema/")).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let gauge = out.gauge();
    let (first, mut source) = input::opening(source, &gauge)?;
    match first {
        Some(b'<') => markup::read(&mut source, out),
        _ => document::read(&mut source, out),
    }
}

/// The components of a bill, by the names others refer to them.
#[derive(Default)]
struct Components {
    known: HashMap<String, Component>,
    count: u64,
    kept: usize,
    full: bool,
}

impl Components {
    fn add(&mut self, reference: Option<&str>, component: Component) {
        self.count += 1;
        let Some(reference) = reference else {
            return;
        };
        let purl = component.purl.as_ref().map_or(0, String::len);
        self.kept += reference.len() + component.name.len() + purl + 160;
        if self.kept > KEPT {
            self.full = true;
            return;
        }
        self.known.insert(reference.to_owned(), component);
    }

    /// The component of a reference: in this bill, by package URL, or nothing but its name.
    fn find(&self, reference: &str) -> Component {
        if let Some(component) = self.known.get(reference) {
            return component.clone();
        }
        // A link into another bill ends in the name it has there.
        let tail = reference.strip_prefix("urn:cdx:").and_then(|link| link.split_once('#')).map(|(_, name)| name);
        let tail = tail.unwrap_or(reference);
        self.known
            .get(tail)
            .cloned()
            .or_else(|| package::parts(tail))
            .unwrap_or_else(|| Component { name: tail.to_owned(), ..Component::default() })
    }
}

/// A component under its own package URL, else under group and name.
fn component(group: Option<&str>, name: &str, version: Option<&str>, purl: Option<&str>) -> Component {
    match (group, purl) {
        (Some(group), None) => package::component("", &format!("{group}:{name}"), version, None),
        _ => package::component("", name, version, purl),
    }
}

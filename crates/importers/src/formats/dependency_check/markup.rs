//! The XML report: an element per file; namespaces and the places of severity and weakness differ between versions.

use std::io::Read;

use super::{Dependency, EXPECTED, Known, SOURCE, vector};
use crate::dialects;
use crate::errors::ParseError;
use crate::model::{Component, Coverage, CoverageStatus, Extent, Location};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::vocabulary;
use crate::xml::{Node, Xml};

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    xml.root(&["analysis"], EXPECTED)?;
    let mut seen = Occurrences::default();
    let mut ours = false;
    while let Some(tag) = xml.child()? {
        ours |= matches!(tag.name(), "scanInfo" | "projectInfo" | "dependencies");
        if tag.name() != "dependencies" {
            xml.skip()?;
            continue;
        }
        while let Some(tag) = xml.child()? {
            out.gauge().next_record();
            let node = xml.node(tag)?;
            file(&node, &mut seen, out)?;
        }
    }
    if !ours {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "<analysis> without dependencies".to_owned() });
    }
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Location::default(),
        extent: Extent::Whole,
        status: CoverageStatus::Done,
        reason: None,
    })
}

fn file(node: &Node, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(name) = node.child_text("fileName") else {
        return out.skip(out.position(), "dependency without a file name");
    };
    let inside = |list: &'static str| node.first(list).into_iter().flat_map(|list| &list.children);
    let dependency = Dependency {
        name: name.to_owned(),
        purl: inside("identifiers").filter(|id| id.name() == "package").find_map(|id| id.child_text("id")).map(str::to_owned),
        known: inside("identifiers").find_map(coordinates).or_else(|| inside("identifiers").find_map(product)),
        related: inside("relatedDependencies").filter_map(|other| other.child_text("fileName")).map(str::to_owned).collect(),
    };
    for flaw in inside("vulnerabilities").filter(|flaw| flaw.name() == "vulnerability") {
        let Some(name) = flaw.child_text("name") else {
            continue;
        };
        let (third, second) = (flaw.first("cvssV3"), flaw.first("cvssV2"));
        let rated = flaw.child_text("severity").or_else(|| third?.child_text("baseSeverity")).or_else(|| second?.child_text("severity"));
        let listed = flaw.first("cwes").into_iter().flat_map(|list| &list.children).map(|cwe| cwe.text.as_str());
        let known = Known {
            name,
            rated,
            vector: third.and_then(|metrics| vector(metrics.child_text("version"), |name| metrics.child_text(name))),
            cwes: listed.chain(flaw.child_text("cwe")).flat_map(vocabulary::cwes).collect(),
            description: flaw.child_text("description"),
            references: flaw
                .first("references")
                .into_iter()
                .flat_map(|list| &list.children)
                .filter_map(|link| link.child_text("url"))
                .collect(),
        };
        dependency.tell(&known, seen, out)?;
    }
    Ok(())
}

/// `group:artifact:version`, as reports before version 5 name what comes from Maven.
fn coordinates(node: &Node) -> Option<Component> {
    if node.get("type") != Some("maven") {
        return None;
    }
    let name = node.child_text("name")?.trim_matches(['(', ')']);
    let (name, version) = name.rsplit_once(':')?;
    Some(package::component("maven", name, Some(version), None))
}

/// A product by its CPE name.
fn product(node: &Node) -> Option<Component> {
    dialects::product(node.child_text("id").or_else(|| node.child_text("name"))?.trim_matches(['(', ')']))
}

//! CycloneDX XML, with the vulnerability extension of the versions before 1.4 inside components and beside them.

use std::io::Read;

use super::flaw::{Flaw, Rating, Subject};
use super::{Components, EXPECTED, component};
use crate::errors::{ParseError, Position};
use crate::model::Component;
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Node, Xml};

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["bom"], EXPECTED)?;
    if root.get("xmlns").is_some_and(|space| !space.contains("cyclonedx.org/schema/")) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "a <bom> of another namespace".to_owned() });
    }
    let mut bill = Bill { out, components: Components::default(), subject: Subject::default(), seen: Occurrences::default() };
    let mut analysed = false;
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "metadata" => bill.describe(&xml.node(tag)?),
            "components" | "services" => {
                while let Some(tag) = xml.child()? {
                    let position = bill.out.position();
                    let node = xml.node(tag)?;
                    analysed |= bill.component(&node, position)?;
                }
            }
            "vulnerabilities" => {
                analysed = true;
                while let Some(tag) = xml.child()? {
                    let position = bill.out.position();
                    let node = xml.node(tag)?;
                    bill.vulnerability(&node, None, position)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    let Bill { out, components, subject, .. } = bill;
    subject.introduce(analysed, &components, out)
}

struct Bill<'l, 'o> {
    out: &'l mut Output<'o>,
    components: Components,
    subject: Subject,
    seen: Occurrences,
}

fn described(node: &Node) -> Option<Component> {
    let name = node.child_text("name")?;
    Some(component(node.child_text("group"), name, node.child_text("version"), node.child_text("purl")))
}

/// Children of a child.
fn inner<'n>(node: &'n Node, outer: &str, name: &'n str) -> impl Iterator<Item = &'n Node> {
    node.first(outer).into_iter().flat_map(move |outer| outer.all(name))
}

fn own_text(node: &Node) -> Option<String> {
    Some(node.text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

impl Bill<'_, '_> {
    fn describe(&mut self, node: &Node) {
        self.subject.written = node.child_text("timestamp").and_then(vocabulary::instant);
        if let Some(subject) = node.first("component") {
            self.subject.kind = subject.get("type").map(str::to_owned);
            self.subject.component = described(subject);
            if let Some(component) = described(subject) {
                self.components.add(subject.get("bom-ref"), component);
                self.components.count = 0;
            }
        }
    }

    /// Remembers a component and those inside it; whether any of them says something of vulnerabilities.
    fn component(&mut self, node: &Node, position: Position) -> Result<bool, ParseError> {
        let mut analysed = node.first("vulnerabilities").is_some();
        if let Some(component) = described(node) {
            for flaw in inner(node, "vulnerabilities", "vulnerability") {
                self.vulnerability(flaw, Some(&component), position)?;
            }
            self.components.add(node.get("bom-ref"), component);
        }
        for inside in inner(node, "components", "component") {
            analysed |= self.component(inside, position)?;
        }
        Ok(analysed)
    }

    fn vulnerability(&mut self, node: &Node, within: Option<&Component>, position: Position) -> Result<(), ParseError> {
        let flaw = flaw(node);
        let components = match within {
            Some(component) => vec![component.clone()],
            None => flaw.affects.iter().map(|reference| self.components.find(reference)).collect(),
        };
        flaw.tell(&components, &self.subject, position, &mut self.seen, self.out)
    }
}

fn flaw(node: &Node) -> Flaw {
    let text = |name: &str| node.child_text(name).map(str::to_owned);
    let rating = |one: &Node| Rating {
        severity: one.child_text("severity").map(str::to_owned),
        method: one.child_text("method").map(str::to_owned),
        vector: one.child_text("vector").map(str::to_owned),
        score: one
            .first("score")
            .and_then(|score| score.child_text("base").or(Some(score.text.trim())))
            .and_then(|score| score.parse().ok()),
    };
    let mut references: Vec<String> =
        node.first("source").and_then(|source| source.child_text("url")).map(str::to_owned).into_iter().collect();
    references
        .extend(inner(node, "advisories", "advisory").filter_map(|one| one.child_text("url").map(str::to_owned).or_else(|| own_text(one))));
    let recommended: Vec<String> = inner(node, "recommendations", "recommendation").filter_map(own_text).collect();
    let analysis = node.first("analysis");
    let said = ["justification", "detail"].into_iter().filter_map(|name| Some(format!("{name}: {}", analysis?.child_text(name)?)));
    let mut said: Vec<String> = said.collect();
    let responses: Vec<String> = analysis.into_iter().flat_map(|one| inner(one, "responses", "response")).filter_map(own_text).collect();
    if !responses.is_empty() {
        said.push(format!("response: {}", responses.join(", ")));
    }
    let targets: Vec<String> = inner(node, "affects", "target").filter_map(|target| target.child_text("ref")).map(str::to_owned).collect();
    Flaw {
        id: text("id"),
        others: inner(node, "references", "reference").filter_map(|one| one.child_text("id")).map(str::to_owned).collect(),
        description: [text("description"), text("detail")].into_iter().flatten().collect(),
        recommendation: text("recommendation").or_else(|| (!recommended.is_empty()).then(|| recommended.join("\n"))),
        ratings: inner(node, "ratings", "rating").map(rating).collect(),
        cwes: inner(node, "cwes", "cwe").filter_map(|cwe| cwe.text.trim().parse().ok()).filter(|cwe| *cwe > 0).collect(),
        references,
        state: analysis.and_then(|one| one.child_text("state")).map(str::to_owned),
        analysis: said,
        // The extension names its one component in an attribute.
        affects: if targets.is_empty() { node.get("ref").map(str::to_owned).into_iter().collect() } else { targets },
    }
}

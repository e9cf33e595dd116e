//! The XML report: categories with their texts before their entries.

use std::io::Read;

use super::EXPECTED;
use super::entry::{Category, Entry, Run, covered_by, give};
use crate::endpoint::{Endpoint, Sites};
use crate::errors::ParseError;
use crate::html;
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Node, Tag, Xml};

const REFERENCES: usize = 100;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["report"], EXPECTED)?;
    let mut ours = root.get("type") == Some("security");
    let mut run = Run::default();
    let mut sites = Sites::default();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "report_infos" => {
                let infos = xml.node(tag)?;
                let info = |name: &str| infos.all("info").find(|info| info.get("name") == Some(name)).map(|info| info.text.trim());
                ours |= info("generatorName").is_some_and(|name| name.eq_ignore_ascii_case("wapiti"));
                run.target = info("target").unwrap_or_default().to_owned();
                run.date = info("dateOfScan").and_then(vocabulary::moment);
            }
            "vulnerabilities" | "anomalies" | "additionals" => {
                // What Wapiti sees besides vulnerabilities is told by it for information only.
                let counted = tag.name() == "vulnerabilities";
                while let Some(tag) = xml.child()? {
                    if counted || out.judges() {
                        category(&mut xml, &tag, &run, &mut sites, out)?;
                    } else {
                        xml.skip()?;
                    }
                }
            }
            _ => xml.skip()?,
        }
    }
    if !ours {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "<report> of another tool".to_owned() });
    }
    if let Some(endpoint) = Endpoint::new(&run.target) {
        sites.introduce(&endpoint, out)?;
    }
    Ok(())
}

fn category(xml: &mut Xml<'_>, tag: &Tag, run: &Run, sites: &mut Sites, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut is_found = false;
    let mut category = Category { name: tag.get("name").unwrap_or_default().to_owned(), ..Category::default() };
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "description" => category.description = html::plain(&xml.node(tag)?.text),
            "solution" => category.solution = Some(html::plain(&xml.node(tag)?.text)).filter(|text| !text.is_empty()),
            "references" => {
                let node = xml.node(tag)?;
                let part = |reference: &Node, name| reference.child_text(name).unwrap_or_default().to_owned();
                category.references = node.all("reference").take(REFERENCES).map(|one| (part(one, "title"), part(one, "url"))).collect();
            }
            "entries" => {
                while let Some(tag) = xml.child()? {
                    out.gauge().next_record();
                    let position = out.position();
                    let entry = entry(&xml.node(tag)?);
                    is_found = true;
                    give(entry, &category, run, position, sites, out)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    out.coverage(covered_by(&category.name, Endpoint::new(&run.target).as_ref(), is_found))
}

fn entry(node: &Node) -> Entry {
    let text = |name| node.child_text(name).map(str::to_owned);
    Entry {
        method: text("method"),
        path: text("path"),
        level: text("level"),
        parameter: text("parameter"),
        module: text("module"),
        said: text("info"),
        request: text("http_request"),
        curl: text("curl_command"),
    }
}

//! Nikto XML: scans inside a scan since 2.1.5, one scan before.

use std::io::Read;

use super::{EXPECTED, Item, Site, tell};
use crate::errors::ParseError;
use crate::hosts::{Host, Introduced};
use crate::model::CoverageStatus;
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Tag, Xml};

pub(super) fn read(source: &mut dyn Read, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    xml.root(&["niktoscan"], EXPECTED)?;
    loop {
        let mut depth = 1;
        while depth > 0 {
            match xml.child()? {
                None => depth -= 1,
                Some(tag) if tag.name() == "niktoscan" => depth += 1,
                Some(tag) if tag.name() == "scandetails" => details(&mut xml, &tag, seen, out)?,
                Some(_) => xml.skip()?,
            }
        }
        // A further run is appended to the file of the one before.
        if xml.further(&["niktoscan"])?.is_none() {
            return Ok(());
        }
    }
}

fn details(xml: &mut Xml<'_>, tag: &Tag, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let origin = ["sitename", "siteip"].into_iter().find_map(|name| tag.get(name).filter(|site| url::Url::parse(site).is_ok()));
    let mut site = Site {
        host: Host::new([tag.get("targetip"), tag.get("targethostname")]),
        port: tag.number("targetport"),
        origin: origin.map(crate::identity::asset),
        observed_at: tag.get("starttime").and_then(vocabulary::instant),
    };
    if let Some(origin) = origin.filter(|_| site.host.is_unknown()) {
        site.host.add(origin);
    }
    let errors = tag.get("errors").filter(|count| *count != "0").map(|count| format!("{count} errors"));
    site.introduce(seen, CoverageStatus::Done, errors, out)?;
    while let Some(tag) = xml.child()? {
        if tag.name() != "item" {
            xml.skip()?;
            continue;
        }
        out.gauge().next_record();
        let node = xml.node(tag)?;
        let Some(message) = node.child_text("description") else {
            out.skip(out.position(), "item without description")?;
            continue;
        };
        let links = [node.child_text("namelink"), node.child_text("iplink")];
        let item = Item {
            id: node.get("id"),
            osvdb: node.get("osvdbid"),
            method: node.get("method"),
            path: node.child_text("uri"),
            link: links.into_iter().flatten().next(),
            message,
            references: node.get("references").or_else(|| node.child_text("references")),
        };
        let issue = [node.child_text("iplink").unwrap_or_default(), message, node.get("method").unwrap_or_default()];
        tell(&item, &site, &issue, out)?;
    }
    Ok(())
}

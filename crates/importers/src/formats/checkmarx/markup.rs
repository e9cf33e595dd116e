//! The XML report of CxSAST: queries, their results, and of each the path through the code.

use std::io::Read;

use super::{EXPECTED, SOURCE, Told, tell};
use crate::code::Places;
use crate::errors::ParseError;
use crate::model::{Coverage, CoverageStatus, Extent, Location};
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Node, Tag, Xml};

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["CxXMLResults"], EXPECTED)?;
    let started = root.get("ScanStart").and_then(|text| crate::dialects::moment(text, &["%A, %B %d, %Y %I:%M:%S %p"]));
    let mut places = Places::default();
    while let Some(query) = xml.child()? {
        if query.name() != "Query" {
            xml.skip()?;
            continue;
        }
        while let Some(tag) = xml.child()? {
            if tag.name() != "Result" {
                xml.skip()?;
                continue;
            }
            out.gauge().next_record();
            let node = xml.node(tag)?;
            result(&query, &node, started.as_deref(), &mut places, out)?;
        }
    }
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Location::default(),
        extent: Extent::Whole,
        status: CoverageStatus::Done,
        reason: root.get("ProjectName").map(|name| format!("project {}", vocabulary::shorten(name, 200))),
    })
}

fn result(query: &Tag, node: &Node, started: Option<&str>, places: &mut Places, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(name) = query.get("name") else {
        return out.skip(out.position(), "query without a name");
    };
    if node.get("FalsePositive").is_some_and(|word| word.eq_ignore_ascii_case("true")) {
        return Ok(());
    }
    let path = node.first("Path");
    let steps: Vec<&Node> = path.into_iter().flat_map(|path| path.all("PathNode")).collect();
    let step = |step: &&Node| {
        let text = |name| step.child_text(name).unwrap_or_default();
        format!("{}:{} {}", text("FileName"), text("Line"), text("Name"))
    };
    let sink = steps.last().copied();
    let file = sink.and_then(|sink| sink.child_text("FileName")).or_else(|| node.get("FileName"));
    let title = name.replace('_', " ");
    let told = Told {
        rule: name,
        title: file.map_or_else(|| title.clone(), |file| format!("{title} ({})", file.rsplit(['/', '\\']).next().unwrap_or(file))),
        description: query.get("categories").unwrap_or_default().to_owned(),
        rated: node.get("Severity").or_else(|| query.get("Severity")).unwrap_or_default(),
        cwe: query.number("cweId"),
        file,
        line: sink.and_then(|sink| sink.child_text("Line")).or_else(|| node.get("Line")).and_then(|line| line.parse().ok()),
        logical: sink.and_then(|sink| sink.child_text("Name")),
        similarity: path.and_then(|path| path.get("SimilarityId")),
        kind: query.get("Language"),
        link: node.get("DeepLink"),
        time: started.map(str::to_owned),
        way: steps.iter().take(50).map(step).collect::<Vec<_>>().join("\n"),
    };
    tell(told, places, out)
}

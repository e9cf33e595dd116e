//! The JSON report: the members are named as the elements of the XML one; alerts are records.

use std::io::Read;

use serde::de::MapAccess;
use serde_json::Value;

use super::alert::{Alert, Instance, Report};
use super::{EXPECTED, SOURCE};
use crate::document::{Cursor, Document};
use crate::endpoint::{Endpoint, Sites};
use crate::errors::ParseError;
use crate::json::{self, Elements, Members};
use crate::model::CoverageStatus;
use crate::output::Output;
use crate::vocabulary;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut document = Document::open(source, out, EXPECTED)?;
    let mut sites = Sites::default();
    let report = Report { generated: None, sites: &mut sites, alerts: 0 };
    let mut top = Top { cursor: document.cursor(), report, out, ours: false, version: None };
    document.walk(&mut top)?;
    let Top { ours, version, .. } = top;
    if !ours {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without sites and alerts".to_owned() });
    }
    document.end()?;
    let version = version.map(|version| format!("ZAP {}", vocabulary::shorten(&version, 40)));
    sites.cover(SOURCE, CoverageStatus::Done, version.as_deref(), out)
}

struct Top<'s, 'l, 'o> {
    cursor: Cursor,
    report: Report<'s>,
    out: &'l mut Output<'o>,
    ours: bool,
    version: Option<String>,
}

impl Elements for Top<'_, '_, '_> {
    fn begin(&mut self) {}

    fn end(&mut self) -> Result<(), ParseError> {
        Ok(())
    }
}

impl Members for Top<'_, '_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "@programName" => {
                self.ours |= self.cursor.text(map)?.as_deref() == Some("ZAP");
                Ok(())
            }
            "@version" => {
                self.version = self.cursor.text(map)?;
                Ok(())
            }
            "@generated" => {
                self.report.generated = self.cursor.text(map)?.as_deref().and_then(vocabulary::moment);
                Ok(())
            }
            "site" => {
                let cursor = self.cursor.clone();
                cursor.walk(map, &mut Site { cursor: &cursor, top: self, name: None })
            }
            _ => json::ignore(map),
        }
    }
}

/// One site; its name is written before its alerts, and every instance has its full address anyway.
struct Site<'c, 't, 's, 'l, 'o> {
    cursor: &'c Cursor,
    top: &'t mut Top<'s, 'l, 'o>,
    name: Option<String>,
}

impl Elements for Site<'_, '_, '_, '_, '_> {
    fn begin(&mut self) {
        self.name = None;
    }

    fn end(&mut self) -> Result<(), ParseError> {
        if let Some(endpoint) = self.name.as_deref().and_then(Endpoint::new) {
            self.top.report.sites.introduce(&endpoint, self.top.out)?;
        }
        Ok(())
    }
}

impl Members for Site<'_, '_, '_, '_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "@name" => {
                self.name = self.cursor.text(map)?;
                Ok(())
            }
            "alerts" => {
                self.top.ours = true;
                let (report, out, name) = (&mut self.top.report, &mut *self.top.out, self.name.as_deref());
                self.cursor.records(map, |value, position| match value {
                    Ok(value) => report.take(alert(&value, out), name, position, out),
                    Err(what) => out.skip(position, format!("alert is not readable: {what}")),
                })
            }
            _ => json::ignore(map),
        }
    }
}

fn alert(value: &Value, out: &Output<'_>) -> Alert {
    let mut alert = Alert {
        plugin: text(value, "pluginid"),
        reference: text(value, "alertRef"),
        name: text(value, "alert").or_else(|| text(value, "name")),
        risk: text(value, "riskcode"),
        confidence: text(value, "confidence"),
        description: text(value, "desc"),
        other: text(value, "otherinfo"),
        solution: text(value, "solution"),
        references: text(value, "reference"),
        cwe: text(value, "cweid"),
        tags: json::items(value, &["tags"])
            .filter_map(|tag| Some((text(tag, "tag")?, text(tag, "link").unwrap_or_default())))
            .take(100)
            .collect(),
        ..Alert::default()
    };
    for instance in json::items(value, &["instances"]) {
        alert.add(self::instance(instance, out));
    }
    alert
}

fn instance(value: &Value, out: &Output<'_>) -> Instance {
    let mut evidence = Vec::new();
    for (label, name) in [("attack", "attack"), ("evidence", "evidence"), ("other", "otherinfo")] {
        if let Some(text) = json::text(value, &[name]) {
            evidence.push(out.evidence(label, text.trim()));
        }
    }
    for (label, head, body) in [("request", "request-header", "request-body"), ("response", "response-header", "response-body")] {
        let parts: Vec<&str> = [json::text(value, &[head]), json::text(value, &[body])].into_iter().flatten().collect();
        if !parts.is_empty() {
            evidence.push(out.evidence(label, &parts.join("\n\n")));
        }
    }
    Instance { uri: text(value, "uri"), method: text(value, "method"), parameter: text(value, "param"), evidence }
}

/// Text or number of a member, which ZAP writes as text.
fn text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::Number(number) => Some(number.to_string()),
        _ => json::text(value, &[name]).map(|text| text.trim().to_owned()),
    }
}

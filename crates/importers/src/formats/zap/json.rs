//! The JSON report: the members are named as the elements of the XML one; alerts are records.

use std::io::Read;

use serde_json::Value;

use super::alert::{Alert, Instance, Report};
use super::{EXPECTED, SOURCE};
use crate::endpoint::{Endpoint, Sites};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::output::Output;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut sites = Sites::default();
    let report = Report { generated: None, sites: &mut sites, alerts: 0 };
    let mut top = Top { report, out, ours: false, version: None, site: None };
    walk::through(source, &bounds, EXPECTED, &mut top)?;
    let Top { ours, version, .. } = top;
    if !ours {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without sites and alerts".to_owned() });
    }
    let version = version.map(|version| format!("ZAP {}", vocabulary::shorten(&version, 40)));
    sites.leave_open(SOURCE, version.as_deref(), out)
}

struct Top<'s, 'l, 'o> {
    report: Report<'s>,
    out: &'l mut Output<'o>,
    ours: bool,
    version: Option<String>,
    /// Name of the site being read; it is written before its alerts, and every instance has its full address anyway.
    site: Option<String>,
}

/// The part of a path that is inside a site, of which there may be one or a list.
fn inside<'p, 'k>(path: &'p [&'k str]) -> Option<&'p [&'k str]> {
    match path {
        ["site", ANY, rest @ ..] | ["site", rest @ ..] => Some(rest),
        _ => None,
    }
}

impl Route for Top<'_, '_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match (path, inside(path)) {
            ([] | [ANY], _) | (_, Some([])) => Plan::Enter,
            (["alerts"], _) => Plan::Each,
            (["@programName" | "@version" | "@generated"], _) | (_, Some(["@name"])) => Plan::Take,
            (_, Some(["alerts"])) => {
                self.ours = true;
                Plan::Each
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path.last() {
            Some(&"@programName") => self.ours |= walk::text(raw).as_deref() == Some("ZAP"),
            Some(&"@version") => self.version = walk::text(raw),
            Some(&"@generated") => self.report.generated = walk::text(raw).as_deref().and_then(vocabulary::moment),
            Some(&"@name") => self.site = walk::text(raw),
            _ => {
                if let Some(value) = walk::value(raw, position, self.out)? {
                    if path == ["alerts"] {
                        if value.get("pluginId").is_none() {
                            return self.out.skip(position, "alert without plugin");
                        }
                        self.ours = true;
                    }
                    return self.report.take(alert(&value, self.out), self.site.as_deref(), position, self.out);
                }
            }
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if inside(path) == Some(&[])
            && let Some(endpoint) = self.site.take().as_deref().and_then(Endpoint::new)
        {
            self.report.sites.introduce(&endpoint, self.out)?;
        }
        Ok(())
    }
}

fn alert(value: &Value, out: &Output<'_>) -> Alert {
    let mut alert = Alert {
        plugin: text(value, "pluginid").or_else(|| text(value, "pluginId")),
        reference: text(value, "alertRef"),
        name: text(value, "alert").or_else(|| text(value, "name")),
        risk: text(value, "riskcode").or_else(|| text(value, "risk")),
        confidence: text(value, "confidence"),
        description: text(value, "desc").or_else(|| text(value, "description")),
        other: text(value, "otherinfo").or_else(|| text(value, "other")),
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
    if alert.instances.is_empty() && value.get("url").is_some() {
        alert.is_alone = true;
        alert.add(self::instance(value, out));
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
    Instance {
        uri: text(value, "uri").or_else(|| text(value, "url")),
        method: text(value, "method"),
        parameter: text(value, "param"),
        evidence,
    }
}

/// Text or number of a member, which ZAP writes as text.
fn text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::Number(number) => Some(number.to_string()),
        _ => json::text(value, &[name]).map(|text| text.trim().to_owned()),
    }
}

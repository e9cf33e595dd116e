//! Prowler 2: a comma-separated table, or JSON lines. It lists what passed and what is only information as well, and
//! so do its reports: those are findings of no weight here.

use std::io::Read;

use serde_json::Value;

use super::{Check, SCHEMES, SOURCE, Seen, opening, present};
use crate::csv::Table;
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::Severity;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

const EXPECTED: &str = "Prowler 2 CSV or JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::AwsProwler,
    id: "aws_prowler",
    source: SOURCE,
    label: "Prowler 2 CSV and JSON",
    schemes: &SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.opens(&['{', '[']) {
        return (head.has("\"Account Number\"") && head.has("\"Control\"") && head.has("\"Status\"")).then_some(Confidence::Certain);
    }
    head.titled(&["account_num", "region", "title_id", "title_text"]).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (is_json, mut source) = opening(source, &out.gauge())?;
    if !is_json {
        return rows(&mut source, out);
    }
    let bounds = Bounds::of(out);
    let mut lines = Lines { out, recognised: false, touched: false, seen: Seen::default() };
    walk::through(&mut source, &bounds, EXPECTED, &mut lines)?;
    if lines.recognised || !lines.touched {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without controls of Prowler".to_owned() })
}

/// One result, whatever it is written in.
#[derive(Default)]
struct Row<'v> {
    account: Option<&'v str>,
    region: Option<&'v str>,
    control: Option<&'v str>,
    title: Option<&'v str>,
    result: Option<&'v str>,
    detail: Option<&'v str>,
    severity: Option<&'v str>,
    level: Option<&'v str>,
    service: Option<&'v str>,
    resource: Option<&'v str>,
    resource_kind: Option<&'v str>,
    risk: Option<&'v str>,
    remediation: Option<&'v str>,
    document: Option<&'v str>,
    compliance: Option<&'v str>,
    time: Option<&'v str>,
}

impl Row<'_> {
    /// What passed weighs nothing, what failed something; without a rating it weighs by its level in the benchmark.
    fn severity(&self) -> Severity {
        match (self.result, self.severity, self.level) {
            (Some("FAIL"), Some(word), _) => vocabulary::severity(word).unwrap_or_default().max(Severity::Low),
            (Some("FAIL"), None, Some("Level 1" | "LEVEL1")) => Severity::Critical,
            (Some("FAIL"), None, _) => Severity::High,
            _ => Severity::Info,
        }
    }

    fn tell(&self, position: Position, seen: &mut Seen, out: &mut Output<'_>) -> Result<(), ParseError> {
        let (Some(title), Some(result)) = (self.title, self.result) else {
            return out.skip(position, "result without control or status");
        };
        let title = title.trim();
        let (id, name) = match title.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((id, name)) => (id.trim(), name.trim()),
            None => (self.control.unwrap_or(title), title),
        };
        let severity = self.severity();
        let detail = self.detail.unwrap_or(name);
        let named = self.resource.map(str::to_owned).or_else(|| resource(detail));
        let check = Check {
            provider: "aws".to_owned(),
            account: self.account.map(str::to_owned),
            region: self.region.map(str::to_owned),
            service: self.service.map(str::to_owned),
            id: format!("prowler:{id}"),
            title: name.to_owned(),
            severity,
            detail: Some(detail.to_owned()),
            description: None,
            risk: self.risk.map(str::to_owned),
            remediation: self.remediation.map(str::to_owned),
            references: present([self.document]),
            tags: present([
                Some(&format!("result:{}", result.to_ascii_lowercase())),
                self.control.map(|control| format!("cis:{control}")).as_deref(),
            ]),
            resource: named,
            resource_kind: self.resource_kind.map(str::to_owned),
            compliance: present([self.compliance]),
            observed_at: self.time.and_then(vocabulary::instant),
        };
        check.tell(&[severity.as_str(), self.region.unwrap_or_default(), detail], seen, out)
    }
}

/// Words of a message that name a resource: version 2 has no column for it everywhere.
fn resource(detail: &str) -> Option<String> {
    let named = |word: &&str| {
        let mixed = word.bytes().any(|byte| byte.is_ascii_digit()) && word.bytes().any(|byte| byte.is_ascii_alphabetic());
        word.starts_with("arn:") || (mixed && word.len() >= 6)
    };
    let words: Vec<&str> = detail.split(|c: char| c.is_whitespace() || ",;()[]\"'".contains(c)).filter(named).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn rows(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    let needed = ["account_num", "region", "title_id", "title_text"];
    table.header(|names| needed.iter().all(|column| names.iter().any(|name| name == column)), EXPECTED)?;
    let mut seen = Seen::default();
    while let Some(position) = table.next(out)? {
        let row = Row {
            account: table.get("account_num"),
            region: table.get("region"),
            control: table.get("title_id"),
            title: table.get("title_text"),
            result: table.any(&["check_result", "result"]),
            detail: table.any(&["check_result_extended", "notes"]),
            severity: table.any(&["check_severity", "severity"]),
            level: table.any(&["item_level", "level"]),
            service: table.get("check_servicename"),
            resource: table.get("check_resource_id"),
            resource_kind: table.get("check_asff_resource_type"),
            risk: table.get("check_risk"),
            remediation: table.get("check_remediation"),
            document: table.get("check_doc"),
            compliance: table.get("check_asff_compliance_type"),
            time: table.get("prowler_start_time"),
        };
        row.tell(position, &mut seen, out)?;
    }
    Ok(())
}

struct Lines<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    touched: bool,
    seen: Seen,
}

impl Route for Lines<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        if path.is_empty() { Plan::Each } else { Plan::Pass }
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        self.touched = true;
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        let row = row(&value);
        if row.title.is_none() || row.result.is_none() {
            return self.out.skip(position, "line without control or status");
        }
        self.recognised = true;
        row.tell(position, &mut self.seen, self.out)
    }
}

fn row(value: &Value) -> Row<'_> {
    let text = |name: &'static str| json::text(value, &[name]);
    Row {
        account: text("Account Number"),
        region: text("Region"),
        control: text("Control ID"),
        title: text("Control"),
        result: text("Status"),
        detail: text("Message"),
        severity: text("Severity"),
        level: text("Level"),
        service: text("Service"),
        resource: text("Resource ID"),
        resource_kind: text("Resource Type"),
        risk: text("Risk"),
        remediation: text("Remediation"),
        document: text("Doc link"),
        compliance: text("Compliance"),
        time: text("Timestamp"),
    }
}

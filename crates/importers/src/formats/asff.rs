//! AWS Security Finding Format, as Security Hub returns it and Prowler and others write it: a list, alone or under `Findings`.
//! What passed, was archived or suppressed is coverage; the rest is found on the first of its resources.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Asset, Component, Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{ANY, Plan};

const SOURCE: &str = "asff";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Asff,
    id: "asff",
    source: SOURCE,
    label: "AWS Security Hub (ASFF)",
    schemes: &["cloud", "cloud.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{', '[']) {
        return None;
    }
    let all = |keys: &[&str]| keys.iter().all(|key| head.has(key));
    if all(&["\"ProductArn\"", "\"AwsAccountId\"", "\"Title\""]) || all(&["\"GeneratorId\"", "\"AwsAccountId\""]) {
        return Some(Confidence::Certain);
    }
    head.is("{\"Findings\":[]}").then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Findings::default())
}

#[derive(Default)]
struct Findings {
    seen: Occurrences,
    accounts: crate::hosts::Introduced,
}

impl Records for Findings {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "findings in the AWS Security Finding Format";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["detail"] => Plan::Enter,
            [ANY] => Plan::Take,
            ["Findings" | "findings"] | ["detail", "findings"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        path == ["Findings"]
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |path: &[&str]| json::text(value, path).map(str::trim);
        let (Some(title), Some(account)) = (text(&["Title"]), text(&["AwsAccountId"])) else {
            return Ok(false);
        };
        let check = check(value).unwrap_or(title);
        let resource = json::items(value, &["Resources"]).next().unwrap_or(&Value::Null);
        let name = json::text(resource, &["Id"]).unwrap_or_default();
        let region = text(&["Region"]).or_else(|| json::text(resource, &["Region"]));
        let location = Location { logical: Some(name.to_owned()).filter(|name| !name.is_empty()), ..place(resource) };
        let ended = match (text(&["Compliance", "Status"]), text(&["RecordState"]), text(&["Workflow", "Status"])) {
            (Some("PASSED"), ..) => Some((CoverageStatus::Done, None)),
            (_, Some("ARCHIVED"), _) => Some((CoverageStatus::Done, Some("archived"))),
            (.., Some("RESOLVED")) => Some((CoverageStatus::Done, Some("resolved"))),
            (.., Some("SUPPRESSED")) => Some((CoverageStatus::Skipped, Some("suppressed"))),
            _ => None,
        };
        if let Some((status, reason)) = ended {
            let reason = reason.map(str::to_owned);
            out.coverage(Coverage {
                source: SOURCE.to_owned(),
                check_set: check.to_owned(),
                location,
                extent: Extent::Whole,
                status,
                reason,
            })?;
            return Ok(true);
        }
        if self.accounts.is_new(account) {
            let identifiers = vec![("provider".to_owned(), "aws".to_owned()), ("account".to_owned(), account.to_owned())];
            out.asset(Asset { kind: "cloud".to_owned(), identifiers, services: Vec::new() })?;
        }
        let nth = self.seen.of((account, region, name, check));
        let mut keys = vec![identity::cloud("aws", Some(account), region, name, check, nth)];
        if !name.is_empty() {
            keys.push(identity::cloud_moved("aws", name, check));
        }
        let flaws: Vec<&Value> = json::items(value, &["Vulnerabilities"]).collect();
        let ids: Vec<&str> = flaws.iter().filter_map(|flaw| json::text(flaw, &["Id"])).collect();
        let linked = flaws.iter().flat_map(|flaw| json::texts(flaw, &["ReferenceUrls"]));
        let links = [text(&["Remediation", "Recommendation", "Url"]), text(&["SourceUrl"])].into_iter().flatten().chain(linked);
        let vector = flaws.iter().flat_map(|flaw| json::items(flaw, &["Cvss"])).find_map(|cvss| json::text(cvss, &["BaseVector"]));
        let mut tags: Vec<String> = json::texts(value, &["Types"]).into_iter().map(str::to_owned).collect();
        tags.extend([format!("account:{account}")]);
        tags.extend(region.map(|region| format!("region:{region}")));
        tags.extend(json::text(resource, &["Type"]).map(str::to_owned));
        let description = text(&["Description"]).unwrap_or_default();
        let requirements = json::texts(value, &["Compliance", "RelatedRequirements"]);
        let evidence = if requirements.is_empty() { Vec::new() } else { vec![out.evidence("compliance", &requirements.join("\n"))] };
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: check.to_owned(),
            title: title.to_owned(),
            remediation: text(&["Remediation", "Recommendation", "Text"]).map(str::to_owned),
            severity: severity(value),
            confidence: value.get("Confidence").and_then(Value::as_u64).and_then(|share| u8::try_from(share.min(100)).ok()).unwrap_or(80),
            cvss: vector.and_then(vocabulary::cvss),
            cves: vocabulary::cves(&format!("{} {title}", ids.join(" "))),
            references: links.filter(|link| link.contains("://")).map(str::to_owned).collect(),
            location: Location { component: flaws.iter().find_map(|flaw| package(flaw)), ..location },
            observed_at: text(&["UpdatedAt"]).or_else(|| text(&["CreatedAt"])).and_then(vocabulary::moment),
            description: description.to_owned(),
            evidence,
            keys,
            tags,
            ..Observation::default()
        };
        out.distinct(observation)?;
        Ok(true)
    }
}

/// What was checked: a vulnerability, a control, or the kind of threat where the generator is only a detector.
fn check(value: &Value) -> Option<&str> {
    let flaw = json::items(value, &["Vulnerabilities"]).find_map(|flaw| json::text(flaw, &["Id"]));
    let generator = json::text(value, &["GeneratorId"]).filter(|id| !id.starts_with("arn:aws:guardduty"));
    flaw.or(generator).or_else(|| json::texts(value, &["Types"]).into_iter().next())
}

/// Addresses of a machine among the resources.
fn place(resource: &Value) -> Location {
    let addresses = json::texts(resource, &["Details", "AwsEc2Instance", "IpV4Addresses"]);
    Location { ip: addresses.first().map(|address| identity::asset(address)), ..Location::default() }
}

fn package(flaw: &Value) -> Option<Component> {
    let package = json::items(flaw, &["VulnerablePackages"]).next()?;
    let manager = json::text(package, &["PackageManager"]).unwrap_or_default();
    Some(crate::package::component(manager, json::text(package, &["Name"])?, json::text(package, &["Version"]), None))
}

/// The label; the normalised number of findings from before there were labels.
fn severity(value: &Value) -> Severity {
    let label = json::text(value, &["Severity", "Label"]).and_then(vocabulary::severity);
    let number = || match json::at(value, &["Severity", "Normalized"]).and_then(Value::as_f64)? {
        number if number > 89.0 => Some(Severity::Critical),
        number if number > 69.0 => Some(Severity::High),
        number if number > 39.0 => Some(Severity::Medium),
        number if number > 0.0 => Some(Severity::Low),
        _ => Some(Severity::Info),
    };
    label.or_else(number).unwrap_or_default()
}

//! Prowler's semicolon-separated tables of version 3 and newer; columns of both generations.

use std::io::Read;

use super::{Check, Outcome, Seen, present, severity};
use crate::csv::Table;
use crate::errors::ParseError;
use crate::model::CoverageStatus;
use crate::output::Output;
use crate::vocabulary;

pub(super) fn read(source: &mut dyn Read, expected: &'static str, columns: &[&str], out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    table.header(|names| columns.iter().all(|column| names.iter().any(|name| name == column)), expected)?;
    let mut seen = Seen::default();
    while let Some(position) = table.next(out)? {
        let Some(id) = table.get("check_id") else {
            out.skip(position, "row without a check")?;
            continue;
        };
        let muted = table.get("muted").is_some_and(|muted| muted.eq_ignore_ascii_case("true"));
        let Some(outcome) = table.get("status").and_then(|status| Outcome::of(status, muted)) else {
            out.skip(position, "row without a known status")?;
            continue;
        };
        let mut check = check(&table, id);
        match outcome {
            Outcome::Passed => check.cover(CoverageStatus::Done, None, out)?,
            Outcome::Muted => check.cover(CoverageStatus::Skipped, Some("muted".to_owned()), out)?,
            Outcome::Failed | Outcome::Manual => {
                if outcome == Outcome::Manual {
                    check.tags.push("manual".to_owned());
                }
                let uid = table.any(&["finding_uid", "finding_unique_id"]).unwrap_or_default();
                let issue = [id, uid, table.get("status_extended").unwrap_or_default(), table.get("region").unwrap_or_default()];
                check.tell(&issue, &mut seen, out)?;
            }
        }
    }
    Ok(())
}

fn check(table: &Table<'_>, id: &str) -> Check {
    let text = |column: &str| table.get(column).map(str::to_owned);
    let codes = ["remediation_code_cli", "remediation_code_terraform", "remediation_code_nativeiac", "remediation_code_other"];
    let advice: Vec<&str> =
        std::iter::once("remediation_recommendation_text").chain(codes).filter_map(|column| table.get(column)).collect();
    let mut references = present([table.get("remediation_recommendation_url"), table.get("related_url")]);
    references.extend(table.get("additional_urls").into_iter().flat_map(|urls| urls.split('|')).map(|url| url.trim().to_owned()));
    references.retain(|reference| reference.contains("://"));
    Check {
        provider: table.get("provider").unwrap_or("unknown").to_ascii_lowercase(),
        account: table.any(&["account_uid", "account_id"]).map(str::to_owned),
        region: text("region"),
        service: text("service_name"),
        id: id.to_owned(),
        title: table.get("check_title").unwrap_or(id).to_owned(),
        severity: severity(table.get("severity")),
        detail: text("status_extended"),
        description: text("description"),
        risk: text("risk"),
        remediation: (!advice.is_empty()).then(|| advice.join("\n")),
        references,
        tags: table.get("categories").into_iter().flat_map(|tags| tags.split(['|', ','])).map(|tag| tag.trim().to_owned()).collect(),
        resource: table.any(&["resource_uid", "resource_arn", "resource_id", "resource_name"]).map(str::to_owned),
        resource_kind: text("resource_type"),
        compliance: table.get("compliance").into_iter().flat_map(|list| list.split('|')).map(|one| one.trim().to_owned()).collect(),
        observed_at: table.any(&["timestamp", "assessment_start_time"]).and_then(vocabulary::instant),
    }
}

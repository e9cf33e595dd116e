//! SSLyze JSON: the outermost object and its servers, of version 3 and later or of those before it.

use std::io::Read;

use super::pruned::Pruned;
use super::{EXPECTED, SOURCE, second, server};
use crate::dialects;
use crate::errors::{ParseError, Position};
use crate::hosts::Host;
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent};
use crate::output::Output;
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

/// The outermost object.
struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    observed_at: Option<String>,
    recognised: bool,
}

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report { out, observed_at: None, recognised: false };
    let result = walk::through(source, &bounds, EXPECTED, &mut report);
    dialects::verdict(report.recognised, result, EXPECTED)
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] => Plan::Enter,
            ["server_scan_results" | "accepted_targets"] => {
                self.recognised = true;
                Plan::Each
            }
            ["server_connectivity_errors" | "invalid_server_strings" | "invalid_targets"] => Plan::Each,
            ["date_scans_completed"] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        if path == ["date_scans_completed"] {
            self.observed_at = walk::text(raw).as_deref().and_then(vocabulary::instant);
            return Ok(());
        }
        let value = match serde_json::from_str(raw) {
            Ok(Pruned(value)) => value,
            Err(error) => return self.out.skip(position, format!("record is not readable: {}", json::reason(&error))),
        };
        match path {
            ["server_scan_results"] => server::map(&value, self.observed_at.as_deref(), self.out),
            ["accepted_targets"] => server::map(&second::modern(&value), self.observed_at.as_deref(), self.out),
            ["invalid_targets"] => {
                // The target is the name of the member, the reason its value.
                for (name, reason) in value.as_object().into_iter().flatten() {
                    unreachable_server(Some(name), reason.as_str(), self.out)?;
                }
                Ok(())
            }
            _ => {
                let name =
                    json::text(&value, &["server_string"]).or_else(|| json::text(&value, &["server_info", "server_location", "hostname"]));
                unreachable_server(name, json::text(&value, &["error_message"]), self.out)
            }
        }
    }
}

/// A target that could not be resolved or connected to.
fn unreachable_server(name: Option<&str>, reason: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let host = name.map(|name| name.rsplit_once(':').map_or(name, |(host, _)| host));
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Host::new([host]).location(),
        extent: Extent::Whole,
        status: CoverageStatus::Error,
        reason: reason.map(str::to_owned),
    })
}

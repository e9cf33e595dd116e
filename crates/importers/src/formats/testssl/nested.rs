//! JSON of testssl.sh: a flat list of findings, or servers and under each its findings by section.

use std::io::Read;

use serde_json::Value;

use super::{EXPECTED, SOURCE, line};
use crate::dialects;
use crate::errors::{ParseError, Position};
use crate::hosts::Introduced;
use crate::model::{Coverage, CoverageStatus, Extent, Location};
use crate::output::Output;
use crate::walk::{self, ANY, Bounds, Plan, Route};

/// The whole document.
struct Report<'l, 'o> {
    seen: &'l mut Introduced,
    out: &'l mut Output<'o>,
    recognised: bool,
    /// Whether anything at all is in the document.
    touched: bool,
}

pub(super) fn read(source: &mut dyn Read, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report { seen, out, recognised: false, touched: false };
    let result = walk::through(source, &bounds, EXPECTED, &mut report);
    dialects::verdict(report.recognised || !report.touched && result.is_ok(), result, EXPECTED)
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        self.touched |= !path.is_empty();
        match path {
            [] => Plan::Enter,
            [ANY] => Plan::Take,
            ["scanResult"] => {
                self.recognised = true;
                Plan::Each
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        if path == ["scanResult"] {
            return server(&value, position, self.seen, self.out);
        }
        self.recognised |= line(&value, None, position, self.seen, self.out)?;
        Ok(())
    }
}

fn server(value: &Value, position: Position, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let get = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    // A finding among the servers says why a server was not tested.
    if value.get("finding").is_some() {
        return out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: SOURCE.to_owned(),
            location: Location::default(),
            extent: Extent::Whole,
            status: CoverageStatus::Error,
            reason: Some(get("finding").to_owned()),
        });
    }
    let host = format!("{}/{}", get("targetHost"), get("ip"));
    let port = get("port").parse().unwrap_or(443);
    for section in value.as_object().into_iter().flat_map(|members| members.values()) {
        for item in section.as_array().into_iter().flatten() {
            line(item, Some((&host, port)), position, seen, out)?;
        }
    }
    Ok(())
}

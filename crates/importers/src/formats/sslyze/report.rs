//! SSLyze JSON: the outermost object and its servers.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use serde::de::{DeserializeSeed, MapAccess};
use serde_json::Value;
use serde_json::value::RawValue;

use super::pruned::Pruned;
use super::{EXPECTED, SOURCE, server};
use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::Host;
use crate::input::{self, Gauge};
use crate::json::{self, Each, Feed, Members, Walk, Watch};
use crate::model::{Coverage, CoverageStatus};
use crate::output::Output;
use crate::vocabulary;

/// The outermost object.
struct Report<'l, 'o> {
    gauge: &'l Gauge,
    record: Rc<Cell<Option<u64>>>,
    out: &'l mut Output<'o>,
    observed_at: Option<String>,
    recognised: bool,
}

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let gauge = out.gauge();
    let mut input = input::open(source, out.limits(), &gauge)?;
    match input::first_byte(&mut input, &gauge)? {
        Some(b'{') => {}
        Some(byte) => {
            return Err(ParseError::NotThisFormat { expected: EXPECTED, found: format!("text starting with {:?}", char::from(byte)) });
        }
        None => return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "an empty file".to_owned() }),
    }
    let feed = Feed::new(input, Watch::new(&gauge, out.limits()));
    let record = feed.record();
    let mut parser = serde_json::Deserializer::from_reader(feed);
    let mut report = Report { gauge: &gauge, record, out, observed_at: None, recognised: false };
    let result = Walk(&mut report).deserialize(&mut parser).and_then(|()| parser.end());
    let result = result.map_err(|error| json::explain(&error, &gauge, "the report"));
    dialects::verdict(report.recognised, result, EXPECTED)
}

impl Members for Report<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let servers = match key {
            "server_scan_results" => true,
            "server_connectivity_errors" | "invalid_server_strings" => false,
            "date_scans_completed" => {
                let value = json::value(map, self.gauge, &self.record)?;
                self.observed_at = value.as_str().and_then(vocabulary::instant);
                return Ok(());
            }
            _ => return json::ignore(map),
        };
        self.recognised |= servers;
        let Self { gauge, record, out, observed_at, .. } = self;
        let gauge: &Gauge = gauge;
        let record = Rc::clone(record);
        map.next_value_seed(Each {
            gauge,
            record: &record,
            take: |raw: Box<RawValue>| {
                gauge.next_record();
                match serde_json::from_str(raw.get()) {
                    Ok(Pruned(value)) if servers => server::map(&value, observed_at.as_deref(), out),
                    Ok(Pruned(value)) => unreachable_server(&value, out),
                    Err(error) => out.skip(gauge.position(), format!("record is not readable: {}", json::reason(&error))),
                }
            },
        })
    }
}

/// A target that could not be resolved or connected to.
fn unreachable_server(value: &Value, out: &mut Output<'_>) -> Result<(), ParseError> {
    let name = json::text(value, &["server_string"]).or_else(|| json::text(value, &["server_info", "server_location", "hostname"]));
    let host = name.map(|name| name.rsplit_once(':').map_or(name, |(host, _)| host));
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Host::new([host]).location(),
        status: CoverageStatus::Error,
        reason: json::text(value, &["error_message"]).map(str::to_owned),
    })
}

//! The nested report of testssl.sh: servers, and under each its findings by section.

use std::cell::Cell;
use std::rc::Rc;

use serde::de::MapAccess;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{SOURCE, line};
use crate::errors::{ParseError, Position};
use crate::hosts::Introduced;
use crate::input::Gauge;
use crate::json::{self, Each, Members};
use crate::model::{Coverage, CoverageStatus, Location};
use crate::output::Output;

/// The outermost object.
pub(super) struct Report<'l, 'o> {
    gauge: &'l Gauge,
    record: Rc<Cell<Option<u64>>>,
    seen: &'l mut Introduced,
    out: &'l mut Output<'o>,
    recognised: bool,
}

impl<'l, 'o> Report<'l, 'o> {
    pub(super) fn new(gauge: &'l Gauge, record: Rc<Cell<Option<u64>>>, seen: &'l mut Introduced, out: &'l mut Output<'o>) -> Self {
        Self { gauge, record, seen, out, recognised: false }
    }

    pub(super) fn recognised(&self) -> bool {
        self.recognised
    }
}

impl Members for Report<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key != "scanResult" {
            return json::ignore(map);
        }
        self.recognised = true;
        let Self { gauge, record, seen, out, .. } = self;
        let gauge: &Gauge = gauge;
        map.next_value_seed(Each {
            gauge,
            record: &Rc::clone(record),
            take: |raw: Box<RawValue>| {
                gauge.next_record();
                let position = gauge.position();
                match json::record(raw.get().as_bytes(), out.limits()) {
                    Ok(value) => server(&value, position, seen, out),
                    Err(what) => out.skip(position, format!("record is not JSON: {what}")),
                }
            },
        })
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

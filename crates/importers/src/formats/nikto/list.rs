//! Nikto JSON: an object per host, alone, one after the other or in an array.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use serde::de::{DeserializeSeed, MapAccess};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{EXPECTED, Item, SOURCE, Site, tell};
use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::Introduced;
use crate::input::{self, Gauge};
use crate::json::{self, Each, Elements, Feed, Members, Walk, WalkEach, Watch};
use crate::model::CoverageStatus;
use crate::output::Output;

pub(super) fn read(source: &mut dyn Read, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let gauge = out.gauge();
    let mut input = input::open(source, out.limits(), &gauge)?;
    let first = input::first_byte(&mut input, &gauge)?;
    let feed = Feed::new(input, Watch::new(&gauge, out.limits()));
    let record = feed.record();
    let mut parser = serde_json::Deserializer::from_reader(feed);
    let mut reading = Reading {
        gauge: &gauge,
        record,
        seen,
        out,
        site: Site::default(),
        waiting: Vec::new(),
        listed: false,
        recognised: false,
        empty: true,
    };
    let result = if first == Some(b'[') {
        WalkEach { gauge: &gauge, members: &mut reading }.deserialize(&mut parser).and_then(|()| parser.end())
    } else {
        loop {
            reading.begin();
            let result = Walk(&mut reading).deserialize(&mut parser);
            if let Err(error) = result {
                break Err(error);
            }
            reading.end()?;
            // Several hosts are written one after the other by some versions.
            match parser.end() {
                Ok(()) => break Ok(()),
                Err(error) if error.is_syntax() && reading.recognised => {}
                Err(error) => break Err(error),
            }
        }
    };
    let (recognised, empty) = (reading.recognised, reading.empty);
    let result = result.map_err(|error| json::explain(&error, &gauge, "the list of hosts"));
    dialects::verdict(recognised || empty && result.is_ok(), result, EXPECTED)
}

/// The host being read; its items may come before its name.
struct Reading<'l, 'o> {
    gauge: &'l Gauge,
    record: Rc<Cell<Option<u64>>>,
    seen: &'l mut Introduced,
    out: &'l mut Output<'o>,
    site: Site,
    waiting: Vec<Value>,
    /// Whether this host has a list of items.
    listed: bool,
    recognised: bool,
    empty: bool,
}

/// Items kept until the host is known.
const WAITING: usize = 10_000;

impl Members for Reading<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "host" | "ip" => {
                let value = json::value(map, self.gauge, &self.record)?;
                if let Some(text) = value.as_str() {
                    self.site.host.add(text);
                }
            }
            "port" => {
                let value = json::value(map, self.gauge, &self.record)?;
                self.site.port = value.as_str().and_then(|port| port.parse().ok()).or_else(|| value.as_u64()?.try_into().ok());
            }
            "vulnerabilities" => {
                let Self { gauge, record, seen, out, site, waiting, .. } = self;
                let gauge: &Gauge = gauge;
                let known = !site.host.is_unknown();
                if known {
                    let introduced = site.introduce(seen, CoverageStatus::Done, None, out);
                    if let Err(error) = introduced {
                        return Err(serde::de::Error::custom(gauge.fail(error)));
                    }
                }
                let record = Rc::clone(record);
                map.next_value_seed(Each {
                    gauge,
                    record: &record,
                    take: |raw: Box<RawValue>| {
                        gauge.next_record();
                        match json::record(raw.get().as_bytes(), out.limits()) {
                            Ok(value) if known => item(&value, site, out),
                            Ok(value) if waiting.len() < WAITING => {
                                waiting.push(value);
                                Ok(())
                            }
                            Ok(_) => Err(gauge.over("items before their host", WAITING as u64)),
                            Err(what) => out.skip(gauge.position(), format!("record is not JSON: {what}")),
                        }
                    },
                })?;
                self.listed = true;
            }
            _ => json::ignore(map)?,
        }
        Ok(())
    }
}

impl Elements for Reading<'_, '_> {
    fn begin(&mut self) {
        self.site = Site::default();
        self.waiting.clear();
    }

    fn end(&mut self) -> Result<(), ParseError> {
        self.empty = false;
        // Others list vulnerabilities, too, but of no host and without a message.
        let worded = self.waiting.iter().any(|value| value.get("msg").is_some() || value.get("message").is_some());
        self.recognised |= std::mem::take(&mut self.listed) && (worded || !self.site.host.is_unknown());
        if !self.recognised {
            return Ok(());
        }
        self.site.introduce(self.seen, CoverageStatus::Done, None, self.out)?;
        for value in std::mem::take(&mut self.waiting) {
            item(&value, &self.site, self.out)?;
        }
        Ok(())
    }
}

fn item(value: &Value, site: &Site, out: &mut Output<'_>) -> Result<(), ParseError> {
    let get = |name: &str| json::text(value, &[name]);
    let Some(message) = get("msg").or_else(|| get("message")) else {
        return out.skip(out.position(), format!("not a {SOURCE} item: no message"));
    };
    let osvdb = get("OSVDB");
    let item = Item {
        id: get("id"),
        osvdb,
        method: get("method"),
        path: get("url").or_else(|| get("uri")),
        link: None,
        message,
        references: get("references"),
    };
    let graver = osvdb.is_some_and(|number| number != "0");
    tell(&item, site, &[if graver { "medium" } else { "info" }, message], out)
}

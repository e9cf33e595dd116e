//! Nikto JSON: an object per host, alone, one after the other or in an array.

use std::io::Read;

use serde_json::Value;

use super::{EXPECTED, Item, SOURCE, Site, tell};
use crate::dialects;
use crate::errors::{ParseError, Position};
use crate::hosts::Introduced;
use crate::json;
use crate::model::CoverageStatus;
use crate::output::Output;
use crate::walk::{self, Bounds, Plan, Route};

/// Items kept until the host is known.
const WAITING: usize = 10_000;

pub(super) fn read(source: &mut dyn Read, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut reading =
        Reading { seen, out, site: Site::default(), waiting: Vec::new(), open: false, listed: false, recognised: false, empty: true };
    let result = walk::through(source, &bounds, EXPECTED, &mut reading);
    dialects::verdict(reading.recognised || reading.empty && result.is_ok(), result, EXPECTED)
}

/// The host being read; its items may come before its name.
struct Reading<'l, 'o> {
    seen: &'l mut Introduced,
    out: &'l mut Output<'o>,
    site: Site,
    waiting: Vec<Value>,
    /// Whether a host is being read.
    open: bool,
    /// Whether this host has a list of items.
    listed: bool,
    recognised: bool,
    empty: bool,
}

impl Route for Reading<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match walk::element(path) {
            [] => Plan::Enter,
            [name] => {
                self.open = true;
                self.listed |= *name == "vulnerabilities";
                match *name {
                    "host" | "ip" | "port" => Plan::Take,
                    "vulnerabilities" => Plan::Each,
                    _ => Plan::Pass,
                }
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::element(path) {
            ["host" | "ip"] => {
                if let Some(text) = walk::text(raw) {
                    self.site.host.add(&text);
                }
                Ok(())
            }
            ["port"] => {
                let value = walk::part(raw);
                self.site.port = value.as_str().and_then(|port| port.parse().ok()).or_else(|| value.as_u64()?.try_into().ok());
                Ok(())
            }
            _ => match walk::value(raw, position, self.out)? {
                Some(value) => self.item(value),
                None => Ok(()),
            },
        }
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if walk::element(path).is_empty() && std::mem::take(&mut self.open) { self.finish() } else { Ok(()) }
    }
}

impl Reading<'_, '_> {
    fn item(&mut self, value: Value) -> Result<(), ParseError> {
        if !self.site.host.is_unknown() {
            self.site.introduce(self.seen, CoverageStatus::Done, None, self.out)?;
            return item(&value, &self.site, self.out);
        }
        if self.waiting.len() >= WAITING {
            return Err(self.out.gauge().over("items before their host", WAITING as u64));
        }
        self.waiting.push(value);
        Ok(())
    }

    /// Ends a host.
    fn finish(&mut self) -> Result<(), ParseError> {
        self.empty = false;
        let site = std::mem::take(&mut self.site);
        let waiting = std::mem::take(&mut self.waiting);
        // Others list vulnerabilities, too, but of no host and without a message.
        let is_item = |value: &Value| {
            let places = ["url", "uri", "method", "OSVDB"].into_iter().any(|name| value.get(name).is_some());
            value.get("msg").is_some() || (value.get("message").is_some() && places)
        };
        let worded = waiting.iter().any(is_item);
        self.recognised |= std::mem::take(&mut self.listed) && (worded || !site.host.is_unknown());
        if !self.recognised {
            return Ok(());
        }
        site.introduce(self.seen, CoverageStatus::Done, None, self.out)?;
        for value in waiting {
            item(&value, &site, self.out)?;
        }
        Ok(())
    }
}

fn item(value: &Value, site: &Site, out: &mut Output<'_>) -> Result<(), ParseError> {
    let get = |name: &str| json::text(value, &[name]);
    // Numbers were not always quoted.
    let number = |name: &str| get(name).map(str::to_owned).or_else(|| Some(value.get(name)?.as_u64()?.to_string()));
    let Some(message) = get("msg").or_else(|| get("message")) else {
        return out.skip(out.position(), format!("not a {SOURCE} item: no message"));
    };
    let (id, osvdb) = (number("id"), number("OSVDB"));
    let osvdb = osvdb.as_deref();
    let item = Item {
        id: id.as_deref(),
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

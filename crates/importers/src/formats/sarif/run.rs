//! One run: collects its tool and artifacts, spools its results, maps them at its end.

use std::cell::Cell;
use std::hash::Hash;
use std::rc::Rc;

use serde::de::MapAccess;
use serde_json::Value;
use serde_json::value::RawValue;

use super::result;
use super::rule::{Component, Rule, messages};
use crate::errors::{ParseError, Position};
use crate::input::Gauge;
use crate::json::{self, Each, Elements, Members, Walk, WalkEach};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::spool::Spool;
use crate::vocabulary;

/// Bytes of rules and artifact names kept per run.
const KEPT: usize = 48 << 20;

/// What the results of a run refer to.
#[derive(Default)]
pub(super) struct Context {
    pub(super) driver: Component,
    pub(super) extensions: Vec<Component>,
    pub(super) artifacts: Vec<Option<String>>,
    pub(super) repository: Option<String>,
    pub(super) finished: Option<String>,
    /// Anchors seen, so that equal ones can be told apart.
    occurrences: Occurrences,
    kept: usize,
}

impl Context {
    pub(super) fn source(&self) -> String {
        let name = self.driver.name.as_deref().unwrap_or("unknown");
        format!("sarif:{}", vocabulary::shorten(name, 80))
    }

    /// How many of this were seen before.
    pub(super) fn occurrence(&mut self, what: impl Hash) -> u64 {
        self.occurrences.of(what)
    }
}

/// The run being read.
pub(super) struct Run<'l, 'o> {
    gauge: &'l Gauge,
    pub(super) record: Rc<Cell<Option<u64>>>,
    out: &'l mut Output<'o>,
    context: Context,
    spool: Spool,
}

impl<'l, 'o> Run<'l, 'o> {
    pub(super) fn new(gauge: &'l Gauge, record: Rc<Cell<Option<u64>>>, out: &'l mut Output<'o>) -> Self {
        Self { gauge, record, out, context: Context::default(), spool: Spool::default() }
    }

    /// Maps what was spooled of a run that was never finished.
    pub(super) fn salvage(mut self) -> Result<(), ParseError> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), ParseError> {
        let mut context = std::mem::take(&mut self.context);
        let mut spool = std::mem::take(&mut self.spool);
        spool.drain(self.gauge.position(), |raw, position| match json::record(raw, self.out.limits()) {
            Ok(value) => result::map(&value, position, &mut context, self.out),
            Err(what) => self.out.skip(position, format!("result is not readable: {what}")),
        })
    }

    fn keep(context: &mut Context, gauge: &Gauge, size: usize) -> Result<(), ParseError> {
        context.kept += size;
        if context.kept > KEPT {
            return Err(gauge.over("rules and artifacts of one run", KEPT as u64));
        }
        Ok(())
    }
}

impl Elements for Run<'_, '_> {
    fn begin(&mut self) {
        self.context = Context::default();
        self.spool = Spool::default();
    }

    fn end(&mut self) -> Result<(), ParseError> {
        self.finish()
    }
}

impl Members for Run<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let gauge = self.gauge;
        let record = Rc::clone(&self.record);
        match key {
            "results" => {
                let spool = &mut self.spool;
                let mut last = gauge.position();
                map.next_value_seed(Each {
                    gauge,
                    record: &record,
                    take: |raw: Box<RawValue>| {
                        gauge.next_record();
                        let position = Position { record: gauge.position().record, ..last };
                        last = gauge.position();
                        spool.push(position, raw.get())
                    },
                })
            }
            "tool" => map.next_value_seed(Walk(&mut Tool { gauge, record, context: &mut self.context })),
            "artifacts" => {
                let context = &mut self.context;
                map.next_value_seed(Each {
                    gauge,
                    record: &record,
                    take: |raw: Box<RawValue>| {
                        let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
                        let uri = json::text(&value, &["location", "uri"]).map(str::to_owned);
                        Run::keep(context, gauge, 48 + uri.as_ref().map_or(0, String::len))?;
                        context.artifacts.push(uri);
                        Ok(())
                    },
                })
            }
            "invocations" => {
                let value = json::value(map, gauge, &record)?;
                self.context.finished =
                    json::items(&value, &[]).last().and_then(|last| json::text(last, &["endTimeUtc"])).and_then(vocabulary::instant);
                Ok(())
            }
            "versionControlProvenance" => {
                let value = json::value(map, gauge, &record)?;
                self.context.repository =
                    json::items(&value, &[]).find_map(|provenance| json::text(provenance, &["repositoryUri"])).map(str::to_owned);
                Ok(())
            }
            _ => json::ignore(map),
        }
    }
}

/// `tool`: the driver and its extensions.
struct Tool<'c> {
    gauge: &'c Gauge,
    record: Rc<Cell<Option<u64>>>,
    context: &'c mut Context,
}

impl Members for Tool<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let mut reader = ComponentReader {
            gauge: self.gauge,
            record: Rc::clone(&self.record),
            context: self.context,
            current: Component::default(),
            extension: key == "extensions",
        };
        match key {
            "driver" => {
                map.next_value_seed(Walk(&mut reader))?;
                let driver = reader.current;
                self.context.driver = driver;
                Ok(())
            }
            "extensions" => {
                let gauge = reader.gauge;
                map.next_value_seed(WalkEach { gauge, members: &mut reader })
            }
            _ => json::ignore(map),
        }
    }
}

/// A driver or extension.
struct ComponentReader<'c> {
    gauge: &'c Gauge,
    record: Rc<Cell<Option<u64>>>,
    context: &'c mut Context,
    current: Component,
    extension: bool,
}

impl Elements for ComponentReader<'_> {
    fn begin(&mut self) {
        self.current = Component::default();
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let done = std::mem::take(&mut self.current);
        if self.extension {
            Run::keep(self.context, self.gauge, size_of::<Component>())?;
            self.context.extensions.push(done);
        }
        Ok(())
    }
}

impl Members for ComponentReader<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "name" | "guid" => {
                let value = json::value(map, self.gauge, &self.record)?;
                let text = value.as_str().map(|text| vocabulary::shorten(text, 200));
                if key == "name" {
                    self.current.name = text;
                } else {
                    self.current.guid = text;
                }
                Ok(())
            }
            "globalMessageStrings" => {
                let value = json::value(map, self.gauge, &self.record)?;
                self.current.messages = messages(&value);
                Ok(())
            }
            "rules" => {
                let (context, current, gauge) = (&mut *self.context, &mut self.current, self.gauge);
                map.next_value_seed(Each {
                    gauge,
                    record: &self.record,
                    take: |raw: Box<RawValue>| {
                        let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
                        let rule = Rule::new(&value);
                        Run::keep(context, gauge, rule.size())?;
                        current.add(rule);
                        Ok(())
                    },
                })
            }
            _ => json::ignore(map),
        }
    }
}

//! Mapped records that wait for what comes later in the file; a [`Spool`] of any record.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::{ParseError, Position};
use crate::input::Gauge;
use crate::spool::Spool;

/// A queue, filled once and emptied once.
#[derive(Default)]
pub(crate) struct Spill(Spool);

fn failed(position: Position) -> impl Fn(serde_json::Error) -> ParseError {
    move |error| ParseError::Io { position, source: io::Error::other(error) }
}

impl Spill {
    pub(crate) fn push<T: Serialize>(&mut self, item: &T, gauge: &Gauge) -> Result<(), ParseError> {
        let position = gauge.position();
        self.0.push(position, &serde_json::to_string(item).map_err(failed(position))?)
    }

    /// Hands every item on, in the order they came.
    pub(crate) fn drain<T: DeserializeOwned>(
        mut self,
        gauge: &Gauge,
        mut take: impl FnMut(T) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        self.0.drain(gauge.position(), |raw, position| take(serde_json::from_slice(raw).map_err(failed(position))?))
    }
}

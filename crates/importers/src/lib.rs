//! Scanner formats to observations: streaming, limited, pure. One file per format, one registry.
//!
//! Bytes go in through [`parse`]; assets, observations, coverage and warnings come out through a
//! [`Sink`] one at a time, so that memory does not grow with the input.

mod code;
mod csv;
mod dialects;
mod endpoint;
mod errors;
mod flaw;
mod formats;
mod head;
mod hosts;
mod html;
pub mod identity;
mod input;
mod json;
mod limits;
mod listed;
mod mapping;
mod model;
mod occurrences;
mod output;
mod package;
mod ports;
mod registry;
mod spill;
mod spool;
mod vocabulary;
mod walk;
mod xml;

pub use errors::{PARSE_FAULTS, ParseError, Position};
pub use limits::{Detail, Limits, Options};
pub use mapping::{MAPPING_FAULTS, MappedNotation, Mapping, MappingError, MappingFault, Trial};
pub use model::{
    Asset, Belief, Carried, CarriedNote, Component, Coverage, CoverageStatus, Evidence, Extent, Gone, IdentityKey, Location, Observation,
    Record, Service, Severity, Sink, Stop, UnknownSeverity, Warning,
};
pub use output::{SeverityCounts, Totals};
pub use ports::PortList;
pub use registry::{Confidence, Format, Outcome, UnknownFormat, parse, read, sniff};

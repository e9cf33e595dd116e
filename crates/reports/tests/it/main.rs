//! Stories of reports: what every form says, that hostile text stays text, that nothing is left out.

#![expect(clippy::disallowed_methods, reason = "the judge is another program")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod context;
mod forms;
mod hostile;
mod routes;
mod sample;
mod summary;
mod wording;

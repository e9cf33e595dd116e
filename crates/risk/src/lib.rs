//! How grave a finding is and until when it must go: CVSS scores of all versions, EPSS and KEV
//! files, one explained number, due dates, false positives by past decisions. Pure: no clock, no network, no database.

mod assessment;
pub mod cvss;
mod explanation;
pub mod false_positive;
pub mod feeds;
pub mod sla;

pub use assessment::{Assessment, Criticality, Detection, Exploitation, Exposure, Inputs, Likelihood, Severity, assess};
pub use explanation::{Factor, MESSAGE_KEYS};

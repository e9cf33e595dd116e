//! Native probes that need no external tool: ports, services, TLS, HTTP and exposed services.
//! Invariant: every connection and every URL is first put to the caller's [`Guard`].

mod catalogue;
mod dial;
mod dns;
mod exposures;
mod guard;
mod http;
mod pace;
mod plan;
mod ports;
mod report;
mod resolve;
mod run;
mod services;
mod session;
mod ssh;
mod tls;
mod udp;
mod wire;
mod wording;

pub use catalogue::{Check, OPEN_PORT, catalogue};
pub use guard::{Guard, Refusal};
pub use plan::{Intrusiveness, Limits, Plan, Stages, Target};
pub use ports::{PortSet, PortSetError};
pub use report::{CoverageStatus, Covered, Event, Issue, Outcome, ScanError, ServiceReport, Severity};
pub use run::run;
pub use tls::{CertificateReport, SuiteReport, TlsReport, TlsVersion};
pub use wording::{Wording, word, wording};

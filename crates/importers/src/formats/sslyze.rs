//! SSLyze: JSON of every version, XML of version 2. What is a weakness follows SSLyze's own
//! verdicts and, for suites, the recommendations in [`suites`].

mod pruned;
mod report;
mod second;
mod server;
mod suites;
mod targets;

use std::io::Read;

use crate::dialects::{self, Notation};
use crate::errors::ParseError;
use crate::hosts::Host;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

const SOURCE: &str = "sslyze";
const EXPECTED: &str = "SSLyze output";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Sslyze, id: "sslyze", source: SOURCE, label: "SSLyze JSON and XML", schemes: &["tls"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    match head.root() {
        Some("document") => return (head.has("SSLyze")).then_some(Confidence::Certain),
        Some(_) => return None,
        None => {}
    }
    let own = ["\"server_scan_results\"", "\"sslyze_version\"", "\"accepted_targets\""].into_iter().any(|member| head.has(member));
    (head.opens(&['{']) && own).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    match notation {
        Notation::Xml => targets::read(&mut source, out),
        Notation::Json | Notation::Text => report::read(&mut source, out),
    }
}

/// A server that was scanned.
struct Server {
    host: Host,
    port: Option<u16>,
    observed_at: Option<String>,
}

impl Server {
    fn location(&self) -> Location {
        Location { service: Some("tls".to_owned()), ..self.host.at(Some("tcp"), self.port) }
    }

    fn observation(&self, check: &str, title: String, severity: Severity) -> Observation {
        let check = format!("sslyze:{check}");
        Observation {
            source: SOURCE.to_owned(),
            keys: self.host.tls_keys(self.port, &check),
            check,
            title,
            severity,
            confidence: 95,
            location: self.location(),
            observed_at: self.observed_at.clone(),
            ..Observation::default()
        }
    }

    fn cover(&self, check_set: &str, status: CoverageStatus, reason: Option<String>, out: &mut Output<'_>) -> Result<(), ParseError> {
        let check_set = if check_set.is_empty() { SOURCE.to_owned() } else { format!("sslyze:{check_set}") };
        let location = self.location();
        let extent = Extent::of_service(status, &location);
        out.coverage(Coverage { source: SOURCE.to_owned(), check_set, location, extent, status, reason })
    }
}

/// A flaw with a name of its own.
struct Flaw {
    check: &'static str,
    title: &'static str,
    cve: Option<&'static str>,
    cwe: u32,
    description: &'static str,
    remediation: &'static str,
}

const HEARTBLEED: Flaw = Flaw {
    check: "heartbleed",
    title: "Heartbleed",
    cve: Some("CVE-2014-0160"),
    cwe: 126,
    description: "The server answers a heartbeat with memory that was never sent to it, which can hold private keys and passwords.",
    remediation: "Update the TLS library, then replace certificates and passwords used with it.",
};
const INJECTION: Flaw = Flaw {
    check: "openssl_ccs_injection",
    title: "CCS injection",
    cve: Some("CVE-2014-0224"),
    cwe: 326,
    description: "The server takes a change of cipher before keys are agreed, so that an attacker in the path can force weak keys.",
    remediation: "Update OpenSSL.",
};
const RENEGOTIATION: Flaw = Flaw {
    check: "session_renegotiation",
    title: "Session renegotiation",
    cve: None,
    cwe: 310,
    description: "The server lets clients renegotiate at will or without binding the new handshake to the old one.",
    remediation: "Support RFC 5746 and refuse renegotiation by clients.",
};
const ROBOT: Flaw = Flaw {
    check: "robot",
    title: "ROBOT",
    cve: None,
    cwe: 203,
    description: "The server tells whether an RSA-encrypted secret was well formed, which lets an attacker decrypt recorded sessions.",
    remediation: "Switch off suites with RSA key exchange or update the TLS library.",
};
const COMPRESSION: Flaw = Flaw {
    check: "tls_compression",
    title: "TLS compression",
    cve: Some("CVE-2012-4929"),
    cwe: 310,
    description: "Compression under TLS lets an attacker who can cause requests learn secrets from the length of the traffic (CRIME).",
    remediation: "Switch TLS compression off.",
};

impl Flaw {
    fn on(&self, server: &Server, severity: Severity) -> Observation {
        let mut observation = server.observation(self.check, self.title.to_owned(), severity);
        observation.description = self.description.to_owned();
        observation.remediation = Some(self.remediation.to_owned());
        observation.cves = self.cve.map(str::to_owned).into_iter().collect();
        observation.cwes = vec![self.cwe];
        observation
    }
}

/// A protocol version that should be off, or one that accepts suites that should be.
fn protocol(server: &Server, command: &str, name: &str, weak: Option<&[String]>, severity: Severity) -> Observation {
    let title = match weak {
        None => format!("{name} is offered"),
        Some(_) => format!("Cipher suites not recommended for {name}"),
    };
    let mut observation = server.observation(command, title, severity);
    match weak {
        None => {
            observation.description = format!("The server accepts {name}, which is withdrawn because of flaws in its design.");
            observation.remediation = Some("Offer TLS 1.2 and TLS 1.3 only.".to_owned());
            observation.references = vec!["https://www.rfc-editor.org/rfc/rfc8996".to_owned()];
            observation.cwes = vec![326];
        }
        Some(suites) => {
            observation.description = format!("With {name} the server accepts: {}.", suites.join(", "));
            observation.remediation = Some("Offer only forward-secret suites with authenticated encryption.".to_owned());
            observation.cwes = vec![327];
        }
    }
    observation
}

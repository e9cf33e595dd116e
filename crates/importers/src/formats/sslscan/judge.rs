//! What sslscan's bare facts mean: rated by us, only when judgement is asked for.

use super::Server;
use crate::errors::ParseError;
use crate::model::{Evidence, Severity};
use crate::output::Output;
use crate::xml::Node;

/// A weakness that follows from a fact.
struct Weakness {
    check: String,
    title: String,
    severity: Severity,
    cwe: u32,
    description: &'static str,
    remediation: &'static str,
}

pub(super) fn protocol_name(node: &Node) -> String {
    let version = node.get("version").unwrap_or_default();
    match node.get("type") {
        Some("ssl") => format!("SSLv{version}"),
        _ => format!("TLSv{version}"),
    }
}

pub(super) fn cipher_severity(strength: &str) -> Severity {
    match strength {
        "null" | "anonymous" => Severity::High,
        _ => Severity::Medium,
    }
}

pub(super) fn element(node: &Node, server: &mut Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    match node.name() {
        "protocol" => {
            server.saw("sslscan:protocol");
            if node.get("enabled") == Some("1") {
                protocol(node, server, out)?;
            }
        }
        "renegotiation" => {
            server.saw("sslscan:renegotiation");
            if node.get("supported") == Some("1") && node.get("secure") == Some("0") {
                let weakness = Weakness {
                    check: "sslscan:renegotiation".to_owned(),
                    title: "Insecure TLS renegotiation".to_owned(),
                    severity: Severity::Medium,
                    cwe: 295,
                    description: "The server renegotiates without binding the new handshake to the old one, so an attacker in the path can put a request in front of a victim's.",
                    remediation: "Support RFC 5746 or switch renegotiation off.",
                };
                tell(weakness, node, server, out)?;
            }
        }
        "compression" => {
            server.saw("sslscan:compression");
            if node.get("supported") == Some("1") {
                let weakness = Weakness {
                    check: "sslscan:compression".to_owned(),
                    title: "TLS compression".to_owned(),
                    severity: Severity::Medium,
                    cwe: 310,
                    description: "Compression under TLS lets an attacker who can cause requests learn secrets such as cookies from the length of the traffic (CRIME).",
                    remediation: "Switch TLS compression off.",
                };
                tell(weakness, node, server, out)?;
            }
        }
        "certificate" => certificate(node, server, out)?,
        "certificates" => {
            for certificate_node in node.all("certificate") {
                certificate(certificate_node, server, out)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn protocol(node: &Node, server: &Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    let name = protocol_name(node);
    let severity = match name.as_str() {
        "SSLv2" | "SSLv3" => Severity::High,
        "TLSv1.0" | "TLSv1.1" => Severity::Medium,
        _ => return Ok(()),
    };
    let weakness = Weakness {
        check: format!("sslscan:protocol/{name}"),
        title: format!("{name} is offered"),
        severity,
        cwe: 326,
        description: "The protocol version is withdrawn because of flaws in its design (RFC 6176, RFC 7568, RFC 8996).",
        remediation: "Offer TLS 1.2 and TLS 1.3 only.",
    };
    tell(weakness, node, server, out)
}

fn certificate(node: &Node, server: &mut Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    server.saw("sslscan:certificate");
    // The long form repeats the short one in other words.
    if node.get("type") == Some("full") {
        return Ok(());
    }
    let weakness = |check: &str, title: &str, cwe, description, remediation| Weakness {
        check: format!("sslscan:certificate/{check}"),
        title: title.to_owned(),
        severity: Severity::Medium,
        cwe,
        description,
        remediation,
    };
    let mut found = Vec::new();
    if node.child_text("self-signed") == Some("true") {
        found.push(weakness(
            "self-signed",
            "Self-signed certificate",
            295,
            "Clients cannot tell this server from one that pretends to be it.",
            "Use a certificate of an authority that the clients trust.",
        ));
    }
    if node.child_text("expired") == Some("true") {
        found.push(weakness(
            "expired",
            "Expired certificate",
            298,
            "The certificate's time is over; clients refuse it or learn to ignore the refusal.",
            "Renew the certificate and automate its renewal.",
        ));
    }
    let algorithm = node.child_text("signature-algorithm").unwrap_or_default();
    let lower = algorithm.to_ascii_lowercase();
    if ["md2", "md4", "md5", "sha1"].into_iter().any(|weak| lower.contains(weak)) {
        found.push(weakness(
            "signature",
            &format!("Certificate signed with {algorithm}"),
            327,
            "The digest of the signature can be forged.",
            "Use a certificate signed with SHA-256 or better.",
        ));
    }
    if let Some(key) = node.first("pk") {
        let bits: u32 = key.tag.number("bits").unwrap_or(u32::MAX);
        let kind = key.get("type").unwrap_or("RSA");
        let floor = if matches!(kind, "EC" | "ED25519" | "ED448") { 224 } else { 2048 };
        if bits < floor {
            found.push(weakness(
                "key",
                &format!("Certificate key of {bits} bits ({kind})"),
                326,
                "The key is short enough to be broken.",
                "Use an RSA key of at least 2048 bits or an elliptic curve key of at least 256 bits.",
            ));
        }
    }
    for weakness in found {
        tell(weakness, node, server, out)?;
    }
    Ok(())
}

fn tell(weakness: Weakness, node: &Node, server: &Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut observation = server.observation(weakness.check.clone(), weakness.title);
    observation.severity = weakness.severity;
    observation.cwes = vec![weakness.cwe];
    observation.description = weakness.description.to_owned();
    observation.remediation = Some(weakness.remediation.to_owned());
    observation.evidence = facts(node, out).into_iter().collect();
    out.observation(observation, &[&weakness.check])
}

/// The facts of a certificate, one per line.
fn facts(node: &Node, out: &Output<'_>) -> Option<Evidence> {
    let lines: Vec<String> = node
        .children
        .iter()
        .filter(|child| !child.text.trim().is_empty())
        .map(|child| format!("{}: {}", child.name(), child.text.trim()))
        .collect();
    (!lines.is_empty()).then(|| out.evidence("certificate", &lines.join("\n")))
}

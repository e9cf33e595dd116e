//! One server of SSLyze JSON: results directly under their command (3, 4), or in a `result` beside
//! a status (5 and later).

use serde_json::Value;

use super::suites::recommended;
use super::{COMPRESSION, Flaw, HEARTBLEED, INJECTION, RENEGOTIATION, ROBOT, Server, protocol};
use crate::errors::ParseError;
use crate::hosts::Host;
use crate::json;
use crate::model::{CoverageStatus, Severity};
use crate::output::Output;

const OLD_PROTOCOLS: [(&str, &str); 4] = [
    ("ssl_2_0_cipher_suites", "SSL 2.0"),
    ("ssl_3_0_cipher_suites", "SSL 3.0"),
    ("tls_1_0_cipher_suites", "TLS 1.0"),
    ("tls_1_1_cipher_suites", "TLS 1.1"),
];
const PROTOCOLS: [(&str, &str); 2] = [("tls_1_2_cipher_suites", "TLS 1.2"), ("tls_1_3_cipher_suites", "TLS 1.3")];
/// What SSLyze rates is neither more nor less grave than anything else it says.
const RATED: Severity = Severity::Medium;

pub(super) fn map(value: &Value, observed_at: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let place = json::at(value, &["server_location"]).or_else(|| json::at(value, &["server_info", "server_location"]));
    let text = |name: &str| place.and_then(|place| json::text(place, &[name]));
    let port = place.and_then(|place| place.get("port")).and_then(Value::as_u64).and_then(|port| port.try_into().ok());
    let server = Server { host: Host::new([text("hostname"), text("ip_address")]), port, observed_at: observed_at.map(str::to_owned) };
    if server.host.is_unknown() {
        return out.skip(out.position(), "server without location");
    }
    out.asset(server.host.asset(Vec::new()))?;
    if json::text(value, &["connectivity_status"]).is_some_and(|status| status != "COMPLETED") {
        let reason = json::text(value, &["connectivity_error_trace"]).and_then(|trace| trace.lines().last()).map(str::to_owned);
        return server.cover("", CoverageStatus::Error, reason, out);
    }
    let results = ["scan_commands_results", "scan_result"].into_iter().find_map(|name| value.get(name)).and_then(Value::as_object);
    let Some(results) = results else {
        return server.cover("", CoverageStatus::Skipped, Some("no results".to_owned()), out);
    };
    for (command, outcome) in results {
        cover(command, outcome, &server, out)?;
    }
    for (command, error) in json::at(value, &["scan_commands_errors"]).and_then(Value::as_object).into_iter().flatten() {
        let reason = json::text(error, &["reason"]).map(str::to_owned);
        server.cover(command, CoverageStatus::Error, reason, out)?;
    }
    let result = |command: &str| {
        let outcome = results.get(command)?;
        outcome.get("result").or(Some(outcome)).filter(|result| result.is_object())
    };
    flaws(&result, &server, out)?;
    for (command, name) in OLD_PROTOCOLS {
        if result(command).is_some_and(|result| !accepted(result).is_empty()) {
            out.distinct(protocol(&server, command, name, None, RATED))?;
        }
    }
    for (command, name) in PROTOCOLS {
        let weak: Vec<String> = result(command).map(accepted).unwrap_or_default().into_iter().filter(|name| !recommended(name)).collect();
        if !weak.is_empty() {
            out.distinct(protocol(&server, command, name, Some(&weak), RATED))?;
        }
    }
    match result("certificate_info") {
        Some(result) => certificates(result, &server, out),
        None => Ok(()),
    }
}

fn cover(command: &str, outcome: &Value, server: &Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (status, reason) = match json::text(outcome, &["status"]) {
        None | Some("COMPLETED") => (CoverageStatus::Done, None),
        Some("NOT_SCHEDULED") => (CoverageStatus::Skipped, Some("not scheduled".to_owned())),
        Some(_) => (CoverageStatus::Error, json::text(outcome, &["error_reason"]).map(str::to_owned)),
    };
    server.cover(command, status, reason, out)
}

fn accepted(result: &Value) -> Vec<String> {
    json::items(result, &["accepted_cipher_suites"])
        .map(|suite| json::text(suite, &["cipher_suite", "name"]).unwrap_or("unnamed").to_owned())
        .collect()
}

fn flaws<'v>(result: &impl Fn(&str) -> Option<&'v Value>, server: &Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    let says = |command: &str, name: &str| result(command).and_then(|result| result.get(name)).and_then(Value::as_bool);
    let mut tell = |flaw: &Flaw, holds: bool, severity, why: Option<String>| {
        if !holds {
            return Ok(());
        }
        let mut observation = flaw.on(server, severity);
        if let Some(why) = why {
            observation.evidence.push(out.evidence("sslyze", &why));
        }
        out.distinct(observation)
    };
    tell(&HEARTBLEED, says("heartbleed", "is_vulnerable_to_heartbleed") == Some(true), RATED, None)?;
    tell(&INJECTION, says("openssl_ccs_injection", "is_vulnerable_to_ccs_injection") == Some(true), RATED, None)?;
    let again = "session_renegotiation";
    let reasons: Vec<&str> = [
        (says(again, "accepts_client_renegotiation") == Some(true), "clients may renegotiate"),
        (says(again, "is_vulnerable_to_client_renegotiation_dos") == Some(true), "clients may renegotiate without end"),
        (says(again, "supports_secure_renegotiation") == Some(false), "secure renegotiation is not supported"),
    ]
    .into_iter()
    .filter_map(|(holds, reason)| holds.then_some(reason))
    .collect();
    tell(&RENEGOTIATION, !reasons.is_empty(), RATED, Some(reasons.join("\n")))?;
    if !out.judges() {
        return Ok(());
    }
    let robot =
        result("robot").and_then(|result| json::text(result, &["robot_result"])).filter(|verdict| verdict.starts_with("VULNERABLE"));
    let compressed = says("tls_compression", "supports_compression") == Some(true);
    let mut judged = Vec::new();
    if let Some(verdict) = robot {
        judged.push((&ROBOT, Severity::High, Some(verdict.to_owned())));
    }
    if compressed {
        judged.push((&COMPRESSION, Severity::Medium, None));
    }
    for (flaw, severity, why) in judged {
        let mut observation = flaw.on(server, severity);
        observation.evidence.extend(why.map(|why| out.evidence("sslyze", &why)));
        out.distinct(observation)?;
    }
    Ok(())
}

/// The first deployment that a client would refuse.
fn certificates(result: &Value, server: &Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    for deployment in json::items(result, &["certificate_deployments"]) {
        let mut reasons = Vec::new();
        if deployment.get("leaf_certificate_subject_matches_hostname").and_then(Value::as_bool) == Some(false) {
            reasons.push("the certificate's subject does not match the host name".to_owned());
        }
        for validation in json::items(deployment, &["path_validation_results"]) {
            let error = ["openssl_error_string", "validation_error"].into_iter().find_map(|name| json::text(validation, &[name]));
            if let Some(error) = error {
                let part = |name| json::text(validation, &["trust_store", name]).unwrap_or_default();
                reasons.push(format!("{error} (trust store {} {})", part("name"), part("version")));
            }
        }
        if reasons.is_empty() {
            continue;
        }
        let mut observation = server.observation("certificate_info", "Problems in certificate deployments".to_owned(), RATED);
        observation.description = "Clients cannot tell this server from one that pretends to be it.".to_owned();
        observation.remediation = Some("Use a certificate for this name of an authority that the clients trust.".to_owned());
        observation.cwes = vec![295];
        observation.evidence.push(out.evidence("validation", &reasons.join("\n")));
        return out.distinct(observation);
    }
    Ok(())
}

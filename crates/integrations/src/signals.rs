//! What our events mean in the words of CAEP 1.0: one thing that happened may be several events, each with its claims.

use serde_json::{Value as Json, json};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

/// Tokens or sessions no longer count.
pub(crate) const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
/// A device began or ceased to be as it should.
pub(crate) const COMPLIANCE: &str = "https://schemas.openid.net/secevent/caep/event-type/device-compliance-change";
/// The risk of a device is another.
pub(crate) const RISK: &str = "https://schemas.openid.net/secevent/caep/event-type/risk-level-change";
/// The answer to a request for verification (SSF 1.0 §8.1.4).
pub(crate) const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
/// The stream's status was changed by the transmitter (SSF 1.0 §8.1.5).
pub(crate) const STREAM_UPDATED: &str = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";

/// Every event type a receiver can ask for.
pub const SUPPORTED: &[&str] = &[SESSION_REVOKED, COMPLIANCE, RISK];

/// The short name of an event type, its last part.
#[must_use]
pub fn name(event: &str) -> &str {
    event.strip_prefix(CAEP).unwrap_or_else(|| event.rsplit('/').next().unwrap_or(event))
}

/// One event and its claims, before anybody is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Signal {
    pub(crate) event: &'static str,
    pub(crate) claims: Json,
}

/// Who brought it about, and why, in words for an operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    /// Whether a person did; else it was a rule.
    pub(crate) by_person: bool,
    pub(crate) reason: &'a str,
    /// When, in seconds since 1970.
    pub(crate) at: i64,
}

impl Ground<'_> {
    fn claims(&self, more: &Json) -> Json {
        let who = if self.by_person { "admin" } else { "policy" };
        // The profile asks for a reason that says something.
        let reason = if self.reason.trim().is_empty() { "no reason was given" } else { self.reason };
        let mut claims = json!({ "event_timestamp": self.at, "initiating_entity": who, "reason_admin": { "en": reason } });
        if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
            claims.extend(more.clone());
        }
        claims
    }
}

/// What a phone may do as a level of risk.
pub(crate) fn level(posture: &str) -> &'static str {
    match posture {
        "observe" => "LOW",
        "step_up" => "MEDIUM",
        _ => "HIGH",
    }
}

fn risk(ground: &Ground<'_>, current: &str, previous: Option<&str>, why: &str) -> Signal {
    let mut claims = json!({ "principal": "DEVICE", "current_level": current, "risk_reason": why });
    if let Some(previous) = previous {
        claims["previous_level"] = json!(previous);
    }
    Signal { event: RISK, claims: ground.claims(&claims) }
}

fn compliance(ground: &Ground<'_>, previous: &str, current: &str) -> Signal {
    Signal { event: COMPLIANCE, claims: ground.claims(&json!({ "previous_status": previous, "current_status": current })) }
}

/// A lock or a quarantine: what it held is worth nothing, it is not as it should be, and its risk is high.
pub(crate) fn locked(ground: &Ground<'_>, cause: &str) -> Vec<Signal> {
    vec![revoked(ground), compliance(ground, "compliant", "not-compliant"), risk(ground, "HIGH", None, cause)]
}

/// The end of a lock: the phone is as it should be, and still has to prove that its owner is there.
pub(crate) fn released(ground: &Ground<'_>) -> Vec<Signal> {
    vec![compliance(ground, "not-compliant", "compliant"), risk(ground, "MEDIUM", Some("HIGH"), "released")]
}

/// What a phone may do changed because of how it is used.
pub(crate) fn moved(ground: &Ground<'_>, from: &str, to: &str) -> Vec<Signal> {
    let (previous, current) = (level(from), level(to));
    if previous == current { Vec::new() } else { vec![risk(ground, current, Some(previous), "behaviour")] }
}

/// Tokens or sessions of the subject no longer count.
pub(crate) fn revoked(ground: &Ground<'_>) -> Signal {
    Signal { event: SESSION_REVOKED, claims: ground.claims(&json!({})) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUND: Ground<'_> = Ground { by_person: false, reason: "a spent refresh token", at: 1_767_323_045 };

    #[test]
    fn a_lock_is_three_events_and_its_release_undoes_two_of_them() {
        let events: Vec<&str> = locked(&GROUND, "refresh_reuse").iter().map(|signal| name(signal.event)).collect();
        assert_eq!(events, ["session-revoked", "device-compliance-change", "risk-level-change"]);
        let released = released(&GROUND);
        assert_eq!(released[0].claims["current_status"], "compliant");
        assert_eq!(released[1].claims["previous_level"], "HIGH");
    }

    #[test]
    fn every_event_says_when_by_whom_and_why() {
        let told = [locked(&GROUND, "operator"), released(&GROUND), moved(&GROUND, "observe", "restrict")].concat();
        for signal in told {
            assert_eq!(signal.claims["event_timestamp"], 1_767_323_045, "{}", signal.event);
            assert_eq!(signal.claims["initiating_entity"], "policy");
            assert_eq!(signal.claims["reason_admin"]["en"], "a spent refresh token");
        }
        let silent = Ground { by_person: true, reason: " ", at: 0 };
        let revoked = revoked(&silent);
        assert_eq!(revoked.claims["reason_admin"]["en"], "no reason was given");
        assert_eq!(revoked.claims["initiating_entity"], "admin");
    }

    #[test]
    fn a_posture_of_the_same_risk_is_no_change_of_risk() {
        assert!(moved(&GROUND, "restrict", "restrict").is_empty());
        assert_eq!(moved(&GROUND, "observe", "step_up")[0].claims["current_level"], "MEDIUM");
    }
}

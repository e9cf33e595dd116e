//! Turns what an actor did into an entry ready to be written: bounded, canonical, committed to with a salt.

use backends::Backends;
use base::{Actor, Result, Time};
use serde_json::Value as Json;

use crate::entry::{EntryId, Record};
use crate::tree::Hash;

const MAXIMUM_TEXT: usize = 4096;
const MAXIMUM_NAME: usize = 512;
/// Larger details are replaced by their length: the log says what happened, it does not store documents.
const MAXIMUM_DETAIL: usize = 64 * 1024;
const SALT_BYTES: usize = 16;

/// What happened, beside who did it.
#[derive(Debug, Clone)]
pub(crate) struct What {
    pub(crate) action: &'static str,
    pub(crate) subject_kind: String,
    pub(crate) subject_id: String,
    pub(crate) detail: Json,
    pub(crate) reason: Option<String>,
    pub(crate) threat_score: Option<f64>,
    pub(crate) attestation_state: Option<String>,
}

/// An entry ready to be inserted.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) record: Record,
    pub(crate) threat_score: Option<f64>,
    pub(crate) salt: Vec<u8>,
    pub(crate) commitment: Hash,
}

/// The entry for `what`, done by `actor` at `now`.
pub(crate) fn entry(backends: &Backends, actor: &Actor, now: Time, what: What) -> Result<Prepared> {
    let detail = match what.detail.to_string() {
        text if text.len() > MAXIMUM_DETAIL => format!(r#"{{"omitted_bytes":{}}}"#, text.len()),
        text => text,
    };
    let origin = &actor.origin;
    let id: EntryId = backends.ids.next();
    let record = Record {
        action_taken: what.action.to_owned(),
        attestation_state: what.attestation_state.map(|text| clean(&text, MAXIMUM_NAME)),
        correlation_id: origin.correlation_id.as_deref().map(|text| clean(text, MAXIMUM_NAME)),
        created_at: now,
        decision_reason: what.reason.map(|text| clean(&text, MAXIMUM_TEXT)),
        detail,
        device_id: actor.device.as_deref().map(|text| clean(text, MAXIMUM_NAME)),
        id,
        ip: origin.ip.map(|ip| ip.to_string()),
        jti: actor.jti.as_deref().map(|text| clean(text, MAXIMUM_NAME)),
        source: origin.source.as_str().to_owned(),
        subject_id: clean(&what.subject_id, MAXIMUM_NAME),
        subject_kind: clean(&what.subject_kind, MAXIMUM_NAME),
        tenant_id: actor.tenant,
        threat_score: what.threat_score.map(score_text),
        user_agent: origin.user_agent.as_deref().map(|text| clean(text, MAXIMUM_NAME)),
        user_id: actor.user,
        username: clean(&actor.username, MAXIMUM_NAME),
    };
    let salt = backends.ids.secret(SALT_BYTES)?.expose().clone().into_bytes();
    let commitment = record.commitment(&salt);
    Ok(Prepared { record, threat_score: what.threat_score, salt, commitment })
}

/// The one text form of a threat score, the same after it went through the database.
pub(crate) fn score_text(score: f64) -> String {
    score.to_string()
}

/// PostgreSQL's TEXT holds no NUL; nothing in the log is longer than it needs to be.
fn clean(text: &str, maximum: usize) -> String {
    text.chars().take(maximum).map(|character| if character == '\0' { '\u{FFFD}' } else { character }).collect()
}

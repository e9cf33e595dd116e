//! One audit entry: the canonical record that is committed to, and the leaf that stands for it in the tree.
//! A leaf never holds personal data: it is a salted hash, and a tag only the entry's own tenant can recognise.

use base::{Id, TenantId, Time, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::tree::{Hash, hash};

/// Marks ids of audit entries.
#[derive(Debug)]
pub enum AuditEntry {}
/// An audit entry's id.
pub type EntryId = Id<AuditEntry>;

/// What happened, exactly as it is hashed: field names in alphabetical order, no field ever left out.
/// Its JSON is canonical in the sense of RFC 8785, so any language can recompute the commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The action's name, `context.verb`.
    pub action_taken: String,
    /// Attestation state of the device, when one acted.
    pub attestation_state: Option<String>,
    /// The same from the edge to the last job.
    pub correlation_id: Option<String>,
    /// When.
    pub created_at: Time,
    /// Why the decision fell as it did.
    pub decision_reason: Option<String>,
    /// What changed, as the JSON text that was stored.
    pub detail: String,
    /// The device, when one acted.
    pub device_id: Option<String>,
    /// The entry's id.
    pub id: EntryId,
    /// Peer address.
    pub ip: Option<String>,
    /// Id of the token or session used.
    pub jti: Option<String>,
    /// The door: http, ws, grpc, job or cli.
    pub source: String,
    /// Id of the thing it was about.
    pub subject_id: String,
    /// Kind of the thing it was about.
    pub subject_kind: String,
    /// The tenant.
    pub tenant_id: TenantId,
    /// Threat score at that moment, shortest decimal text.
    pub threat_score: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// The person.
    pub user_id: Option<UserId>,
    /// The person's or system's name.
    pub username: String,
}

impl Record {
    /// SHA-256 over the salt and the canonical JSON.
    #[must_use]
    pub fn commitment(&self, salt: &[u8]) -> Hash {
        // A struct of strings always serialises; an empty preimage would only fail verification later.
        let json = serde_json::to_vec(self).unwrap_or_default();
        hash(&[salt, &json])
    }
}

/// Bytes of a leaf: version, tenant tag, commitment.
pub const LEAF_LENGTH: usize = 1 + TAG_LENGTH + 32;
const TAG_LENGTH: usize = 16;
const LEAF_VERSION: u8 = 1;

/// The leaf for an entry's commitment at a position.
#[must_use]
pub fn leaf(tenant: TenantId, index: u64, commitment: &Hash) -> [u8; LEAF_LENGTH] {
    let mut bytes = [0; LEAF_LENGTH];
    bytes[0] = LEAF_VERSION;
    bytes[1..=TAG_LENGTH].copy_from_slice(&tag(tenant, index));
    bytes[1 + TAG_LENGTH..].copy_from_slice(commitment);
    bytes
}

/// Whether the leaf at `index` belongs to `tenant`: completeness can be checked without seeing other tenants' entries.
#[must_use]
pub fn belongs(leaf: &[u8], tenant: TenantId, index: u64) -> bool {
    leaf.len() == LEAF_LENGTH && leaf[1..=TAG_LENGTH] == tag(tenant, index)
}

fn tag(tenant: TenantId, index: u64) -> [u8; TAG_LENGTH] {
    let digest = hash(&[b"tyrian audit tenant", tenant.uuid().as_bytes(), &index.to_be_bytes()]);
    let mut tag = [0; TAG_LENGTH];
    tag.copy_from_slice(&digest[..TAG_LENGTH]);
    tag
}

/// One audit entry as shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// The entry's id.
    pub id: EntryId,
    /// When.
    pub created_at: Time,
    /// The action's name, `context.verb`.
    #[schema(max_length = 100)]
    pub action_taken: String,
    /// Kind of the thing it was about.
    #[schema(max_length = 100)]
    pub subject_kind: String,
    /// Id of the thing it was about.
    #[schema(max_length = 512)]
    pub subject_id: String,
    /// The person.
    pub user_id: Option<UserId>,
    /// The person's or system's name.
    #[schema(max_length = 256)]
    pub username: String,
    /// The device, when one acted.
    #[schema(max_length = 512)]
    pub device_id: Option<String>,
    /// Id of the token or session used.
    #[schema(max_length = 256)]
    pub jti: Option<String>,
    /// Peer address.
    #[schema(max_length = 64)]
    pub ip: Option<String>,
    /// `User-Agent`.
    #[schema(max_length = 512)]
    pub user_agent: Option<String>,
    /// The door: http, ws, grpc, job or cli.
    #[schema(max_length = 16)]
    pub source: String,
    /// Threat score at that moment.
    pub threat_score: Option<f64>,
    /// Why the decision fell as it did.
    #[schema(max_length = 4096)]
    pub decision_reason: Option<String>,
    /// Attestation state of the device.
    #[schema(max_length = 256)]
    pub attestation_state: Option<String>,
    /// What changed; `null` when the action says it all.
    #[schema(value_type = Option<Object>)]
    pub detail: Json,
    /// The same from the edge to the last job.
    #[schema(max_length = 256)]
    pub correlation_id: Option<String>,
    /// Position in the hash tree; absent until the next checkpoint, about a second.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    pub leaf_index: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn record(number: u128) -> Record {
        Record {
            action_taken: "targets.create".into(),
            attestation_state: None,
            correlation_id: Some("c-1".into()),
            created_at: Time::from_micros(1_795_000_000_000_001),
            decision_reason: None,
            detail: r#"{"name":"a\"b"}"#.into(),
            device_id: None,
            id: EntryId::from_uuid(uuid::Uuid::from_u128(number)),
            ip: Some("192.0.2.1".into()),
            jti: None,
            source: "http".into(),
            subject_id: "x".into(),
            subject_kind: "target".into(),
            tenant_id: TenantId::from_uuid(uuid::Uuid::from_u128(7)),
            threat_score: Some("0.25".into()),
            user_agent: None,
            user_id: None,
            username: "ana".into(),
        }
    }

    #[test]
    fn the_canonical_form_never_changes() {
        let json = serde_json::to_string(&record(1)).unwrap();
        assert_eq!(
            json,
            r#"{"action_taken":"targets.create","attestation_state":null,"correlation_id":"c-1","created_at":"2026-11-18T11:06:40.000001Z","decision_reason":null,"detail":"{\"name\":\"a\\\"b\"}","device_id":null,"id":"00000000-0000-0000-0000-000000000001","ip":"192.0.2.1","jti":null,"source":"http","subject_id":"x","subject_kind":"target","tenant_id":"00000000-0000-0000-0000-000000000007","threat_score":"0.25","user_agent":null,"user_id":null,"username":"ana"}"#
        );
        let names: Vec<&str> = json.split('"').filter(|word| word.ends_with("_id") || *word == "ip" || *word == "id").collect();
        assert!(names.is_sorted());
        assert_ne!(record(1).commitment(b"salt"), record(1).commitment(b"other"));
    }

    #[test]
    fn only_the_own_tenant_recognises_a_leaf() {
        let entry = record(1);
        let bytes = leaf(entry.tenant_id, 5, &entry.commitment(b"salt"));
        assert!(belongs(&bytes, entry.tenant_id, 5));
        assert!(!belongs(&bytes, entry.tenant_id, 6));
        assert!(!belongs(&bytes, TenantId::from_uuid(uuid::Uuid::from_u128(8)), 5));
    }
}

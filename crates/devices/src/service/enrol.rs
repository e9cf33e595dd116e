//! A phone becomes known: a code, a key it holds, and what its platform says of both. A repetition by the same key gets the same phone.

use std::time::Duration;

use attestation::dpop::Proof;
use attestation::jose::{Algorithm, VerificationKey};
use audit::Change;
use backends::Quota;
use base::{Origin, Result, TenantId, Time};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use utoipa::ToSchema;

use super::attest::Used;
use super::{Devices, Phone, Tokens, speaking};
use crate::events::DeviceEnrolled;
use crate::evidence::{Asked, Judged};
use crate::model::{Code, Device, DeviceId};
use crate::order::optional_line;
use crate::token::{self, sha256};
use crate::vocabulary::{Attested, Level, Platform, Posture};
use crate::{actions, errors, store};

/// How long after enrolment its answer is given again, and how often.
const AGAIN: Duration = Duration::from_secs(600);
const REPETITIONS: Quota = Quota { burst: 5, per: AGAIN };

/// A nonce to be attested.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AttestationChallenge)]
pub struct Challenge {
    /// The phone it is bound to.
    pub device_id: DeviceId,
    /// The nonce, to be used once.
    #[schema(max_length = 128)]
    pub nonce: String,
    /// When it is over.
    pub expires_at: Time,
}

/// What a phone enrols with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The phone's public key as a JWK: EC on P-256, the one that signs the request's proof.
    #[schema(value_type = Object)]
    pub key: Map<String, Json>,
    /// How it proves what it is.
    pub platform: Platform,
    /// The nonce it was given.
    #[schema(max_length = 128)]
    pub nonce: String,
    /// What its platform says, as the platform writes it: certificates in PEM, an attestation object in base64, or an integrity token.
    #[serde(default)]
    #[schema(max_length = 65536)]
    pub evidence: String,
    /// Model.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub model: Option<String>,
    /// Version of its system.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub os_version: Option<String>,
    /// Version of the application.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub app_version: Option<String>,
}

/// An enrolled phone: itself, its first tokens, and the keys that sign its commands.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = EnrolledDevice)]
pub struct Enrolled {
    /// The phone.
    pub device: Device,
    /// Its tokens.
    pub tokens: Tokens,
    /// JWK set of the keys that sign commands; anything signed by others is to be ignored.
    #[schema(value_type = Object)]
    pub command_keys: Json,
}

/// A key a phone may enrol with.
struct Key {
    thumbprint: String,
    point: Vec<u8>,
    members: Json,
}

impl Devices {
    /// A nonce for the phone that a code will make.
    ///
    /// # Errors
    /// `Unauthenticated` for a code that is not good, `TooMany`, `Unavailable` when nonces cannot be kept.
    pub async fn challenge_code(&self, code: &str) -> Result<Challenge> {
        let (_, code) = self.code(code).await?;
        self.challenge(code.device_id).await
    }

    /// A nonce for an enrolled phone.
    ///
    /// # Errors
    /// `TooMany`, `Unavailable` when nonces cannot be kept.
    pub async fn challenge_phone(&self, phone: &Phone) -> Result<Challenge> {
        self.challenge(phone.device.id).await
    }

    /// The code and its organisation, used or not, unless it is over.
    async fn code(&self, text: &str) -> Result<(TenantId, Code)> {
        if text.len() > 128 {
            return Err(errors::code());
        }
        let found = store::codes::by_hash(&self.backends().db, &sha256(text)).await?;
        found.filter(|(_, code)| code.expires_at > self.now()).ok_or_else(errors::code)
    }

    /// Enrols a phone.
    ///
    /// # Errors
    /// `Unauthenticated` for a code that is not good; `Invalid` naming the field; `Forbidden` when the evidence is refused or
    /// required; `Conflict` when the key is enrolled already.
    pub async fn enrol(&self, code: &str, proof: &Proof, new: Enrolment, origin: &Origin) -> Result<Enrolled> {
        let (tenant, code) = self.code(code).await?;
        let key = key(&new.key)?;
        if key.thumbprint != proof.thumbprint {
            return Err(errors::key("the proof is by another key"));
        }
        if code.used_at.is_some() {
            return self.enrol_again(tenant, &code, &key, origin).await;
        }
        let judged = self.judge_enrolment(tenant, &code, &key, &new).await?;
        let now = self.now();
        let level = judged.as_ref().map_or(Level::None, |judged| judged.report.level.into());
        let device = Device {
            id: code.device_id,
            user_id: code.user_id,
            name: code.name.clone(),
            platform: new.platform,
            ownership: code.ownership,
            plan: code.plan,
            thumbprint: key.thumbprint.clone(),
            model: optional_line("/model", new.model.as_deref(), 128)?,
            os_version: optional_line("/os_version", new.os_version.as_deref(), 128)?,
            app_version: optional_line("/app_version", new.app_version.as_deref(), 128)?,
            posture: Posture::Observe,
            locked_until: None,
            attestation_state: if judged.is_some() { Attested::Passed } else { Attested::Never },
            attestation_level: level,
            attested_at: judged.is_some().then_some(now),
            allow_listed: false,
            enrolled_at: now,
            changed_at: now,
            tenant,
            generation: 1,
            attested_key: judged.as_ref().and_then(|judged| judged.attested_key.clone()),
            attested_counter: 0,
            version: 1,
        };
        self.welcome(tenant, device.user_id).await?;
        let report = judged.as_ref().and_then(|judged| serde_json::to_value(&judged.report).ok());
        let actor = speaking(&device, None, origin);
        let mut change = Change::begin(self.backends(), &actor, actions::ENROL).await?;
        if !store::codes::take(&mut change, code.id).await? {
            // Somebody with the same code was faster; when that was this phone's own first try, it is answered like one.
            drop(change);
            return self.enrol_again(tenant, &code, &key, origin).await;
        }
        store::devices::insert(&mut change, &device, &key.members, report.as_ref()).await?;
        let grant = self.begin_family(&mut change, &device).await?;
        let told = json!({ "platform": device.platform, "level": level, "ownership": device.ownership, "code": code.id });
        store::timeline::add(&mut change, device.id, "enrolled", &told).await?;
        change.subject("device", device.id);
        change.detail(told);
        change.publish(&DeviceEnrolled { device_id: device.id, attestation_level: level }).await?;
        change.commit().await?;
        metrics::counter!("device_enrolments_total", "platform" => device.platform.as_str()).increment(1);
        let tokens = self.tokens(&device, grant).await?;
        Ok(Enrolled { device, tokens, command_keys: token::command_keys(&self.backends().keys).await? })
    }

    /// The answer was lost and the phone asks again: same code, same key, same phone, new tokens.
    async fn enrol_again(&self, tenant: TenantId, code: &Code, key: &Key, origin: &Origin) -> Result<Enrolled> {
        let found = store::devices::of_tenant(&self.backends().db, tenant, code.device_id).await?;
        let device = found.filter(|device| device.thumbprint == key.thumbprint).ok_or_else(errors::code)?;
        // A lost answer is asked for soon, and before anything that was given out was revoked; later the way to tokens is to attest.
        if self.now() > device.enrolled_at + AGAIN || device.generation > 1 {
            return Err(errors::code());
        }
        let verdict = self.backends().hot.limit(&format!("rl:enrol:{}", device.id), REPETITIONS).await?;
        if !verdict.allowed {
            return Err(errors::too_often(verdict.retry_after));
        }
        let tokens = self.new_family(&device, "enrolled again", origin).await?;
        Ok(Enrolled { device, tokens, command_keys: token::command_keys(&self.backends().keys).await? })
    }

    async fn judge_enrolment(&self, tenant: TenantId, code: &Code, key: &Key, new: &Enrolment) -> Result<Option<Judged>> {
        if new.platform == Platform::Software && !self.policy_of(tenant).await?.software_keys {
            return Err(errors::attestation_required());
        }
        match self.spend(code.device_id, &new.nonce, &format!("{}.{}", key.thumbprint, new.evidence)).await? {
            // A repetition finds the code used, unless the first try was refused: then this one is judged like it.
            Used::Fresh | Used::Repeated(_) => {}
            Used::Replayed | Used::Unknown => return Err(errors::nonce()),
        }
        if new.platform == Platform::Software {
            return Ok(None);
        }
        let asked = Asked {
            platform: new.platform,
            at: self.now().to_chrono(),
            nonce: &new.nonce,
            thumbprint: &key.thumbprint,
            key: Some(&key.point),
            evidence: &new.evidence,
            attested: None,
        };
        let judged = self.inner.verifiers.judge(&asked).await?;
        if judged.failed.is_empty() {
            return Ok(Some(judged));
        }
        metrics::counter!("device_attestations_total", "platform" => new.platform.as_str(), "outcome" => "refused").increment(1);
        Err(errors::attestation(&judged.failed))
    }
}

fn key(members: &Map<String, Json>) -> Result<Key> {
    let key = VerificationKey::from_jwk(members, Algorithm::Es256).map_err(errors::key)?;
    let coordinate = |name: &str| members.get(name).and_then(Json::as_str).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let (Some(thumbprint), Some(x), Some(y)) = (key.thumbprint, coordinate("x"), coordinate("y")) else {
        return Err(errors::key("it has no coordinates"));
    };
    let members = json!({ "kty": "EC", "crv": "P-256", "x": members["x"], "y": members["y"] });
    Ok(Key { thumbprint, point: [&[4][..], &x, &y].concat(), members })
}

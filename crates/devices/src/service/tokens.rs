//! Tokens of phones. The row of a chain in the database decides who has the head; hot keys only show it. A lost reply gets the same
//! successor within the grace; a spent token later, or any token with another key, is theft: chain and phone are revoked and locked.

use std::time::Duration;

use attestation::dpop::Proof;
use audit::Change;
use backends::{JobId, Quota};
use base::{Action, Actor, Origin, Result, Time};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::lay::Order;
use super::{Devices, guarding, speaking};
use crate::bars::Named;
use crate::events::TokensRevoked;
use crate::model::{Device, DeviceId, Family, FamilyId};
use crate::token::{self, Claims, Confirmation, Refresh, sha256};
use crate::vocabulary::{Attested, Cause, Platform, Posture, Reach};
use crate::{actions, errors, store};

/// What a phone's timeline says of tokens that were killed.
const REVOKED: &str = "tokens_revoked";
/// Refreshes one phone may try.
const REFRESHES: Quota = Quota { burst: 600, per: Duration::from_secs(600) };

/// What a phone is served with from now on.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeviceTokens)]
pub struct Tokens {
    /// For `Authorization: DPoP`.
    #[schema(max_length = 4096)]
    pub access_token: String,
    /// Always `DPoP`.
    #[schema(max_length = 8)]
    pub token_type: &'static str,
    /// Seconds the access token is good for.
    #[schema(minimum = 0)]
    pub expires_in: u64,
    /// To be exchanged once.
    #[schema(max_length = 256)]
    pub refresh_token: String,
    /// When it is no longer good, unused.
    pub refresh_expires_at: Time,
}

/// The place in a chain that a phone holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant {
    pub(crate) refresh: Refresh,
    pub(crate) expires_at: Time,
}

/// How a refresh went.
enum Turn {
    /// The head moved on.
    Rotated(Device, Grant),
    /// The reply was lost: the same successor again.
    Again(Device, Grant),
    /// Expired, revoked or unknown; nobody is blamed.
    Refused,
    /// Somebody has a copy.
    Stolen(DeviceId, &'static str),
}

impl Devices {
    /// Begins a chain within the change that makes or trusts the phone.
    pub(crate) async fn begin_family(&self, change: &mut Change, device: &Device) -> Result<Grant> {
        let now = change.now();
        let family: FamilyId = change.id();
        let ends_at = now + self.config().family_life();
        let expires_at = (now + self.config().refresh_life(device.plan)).min(ends_at);
        let row = Family {
            device: device.id,
            thumbprint: device.thumbprint.clone(),
            generation: 1,
            rotated_at: now,
            expires_at,
            ends_at,
            revoked_at: None,
        };
        store::families::insert(change, family, &row).await?;
        Ok(Grant { refresh: Refresh { tenant: device.tenant, family, generation: 1 }, expires_at })
    }

    /// Ends the phone's chains and begins a new one, for a phone whose newest attestation passed or that cannot attest.
    pub(crate) async fn new_family(&self, device: &Device, reason: &str, origin: &Origin) -> Result<Tokens> {
        let before = store::devices::of_tenant(&self.backends().db, device.tenant, device.id).await?.ok_or_else(errors::unknown_key)?;
        self.welcome(before.tenant, before.user_id).await?;
        let mut change = Change::begin(self.backends(), &speaking(&before, None, origin), actions::REFRESH).await?;
        let device = store::devices::hold(&mut change, before.id).await?.ok_or_else(errors::unknown_key)?;
        // Whoever was kept out since then had everything revoked; what is revoked from here on includes these tokens.
        if device.generation != before.generation {
            return Err(errors::revoked());
        }
        if device.is_locked(change.now()) {
            return Err(errors::locked(device.locked_until));
        }
        // What the row says now, not what it said when the evidence was looked at.
        if device.platform != Platform::Software && device.attestation_state != Attested::Passed {
            return Err(errors::attestation(&["the newest one did not pass"]));
        }
        store::families::revoke_all(&mut change, device.id, reason).await?;
        let grant = self.begin_family(&mut change, &device).await?;
        change.subject("device", device.id);
        change.detail(json!({ "family": grant.refresh.family }));
        change.reason(reason);
        change.commit().await?;
        self.tokens(&device, grant).await
    }

    /// The texts of a grant: a fresh access token and the refresh token, which is the same every time.
    pub(crate) async fn tokens(&self, device: &Device, grant: Grant) -> Result<Tokens> {
        let (config, keys, now) = (self.config(), &self.backends().keys, self.now());
        let claims = Claims {
            iss: config.issuer.clone(),
            aud: config.audience.clone(),
            sub: device.id,
            client_id: device.id,
            tenant: device.tenant,
            user_id: device.user_id,
            roles: vec![base::Role::Device],
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: (now + config.access_ttl()).seconds(),
            jti: self.backends().ids.next::<Claims>().to_string(),
            cnf: Confirmation { jkt: Some(device.thumbprint.clone()), ..Confirmation::default() },
            generation: device.generation,
        };
        let refresh_token = grant.refresh.write(keys).await?;
        self.project(device, grant, now).await;
        Ok(Tokens {
            access_token: token::access(keys, &claims).await?,
            token_type: "DPoP",
            expires_in: config.access_ttl_seconds,
            refresh_token,
            refresh_expires_at: grant.expires_at,
        })
    }

    /// Shows in the hot store which token is the head: `refresh:{user}:{device}:{jti}:{fingerprint_hash}`. Nothing is decided by it.
    async fn project(&self, device: &Device, grant: Grant, now: Time) {
        let hot = &self.backends().hot;
        let before = Refresh { generation: grant.refresh.generation - 1, ..grant.refresh };
        let outcome = match hot.delete_lazily(&hot_key(device, before)).await {
            Ok(_) => hot.set_lazily(&hot_key(device, grant.refresh), b"1", Some(grant.expires_at.since(now))).await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, "a refresh token is not shown in the hot store");
        }
    }

    /// Exchanges a refresh token, by whoever signed the proof.
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is not good, `Forbidden` while locked, `TooMany`.
    pub async fn refresh(&self, text: &str, proof: &Proof, origin: &Origin) -> Result<Tokens> {
        let Some(refresh) = Refresh::read(&self.backends().keys, text).await? else {
            metrics::counter!("device_refreshes_total", "outcome" => "unknown").increment(1);
            return Err(errors::grant());
        };
        let verdict = self.backends().hot.limit(&format!("rl:refresh:{}", refresh.family), REFRESHES).await;
        if let Ok(verdict) = verdict
            && !verdict.allowed
        {
            return Err(errors::too_often(verdict.retry_after));
        }
        let turn = self.turn(refresh, proof, origin).await?;
        let (label, outcome) = match turn {
            Turn::Rotated(device, grant) => ("rotated", Ok((device, grant))),
            Turn::Again(device, grant) => ("again", Ok((device, grant))),
            Turn::Refused => ("refused", Err(errors::grant())),
            Turn::Stolen(device, why) => {
                self.stolen(refresh, device, why, origin).await?;
                ("stolen", Err(errors::grant()))
            }
        };
        metrics::counter!("device_refreshes_total", "outcome" => label).increment(1);
        let (device, grant) = outcome?;
        self.tokens(&device, grant).await
    }

    async fn turn(&self, refresh: Refresh, proof: &Proof, origin: &Origin) -> Result<Turn> {
        let db = &self.backends().db;
        let Some((device, plan)) = store::families::device_of(db, refresh.tenant, refresh.family).await? else { return Ok(Turn::Refused) };
        let actor = guarding(refresh.tenant, device, origin);
        let mut change = Change::begin(self.backends(), &actor, actions::REFRESH).await?;
        let now = change.now();
        let expires_at = now + self.config().refresh_life(plan);
        let rotated = store::families::rotate(&mut change, refresh.family, refresh.generation, &proof.thumbprint, expires_at).await?;
        if let Some(family) = rotated {
            // Read and not held: who locks the phone from here on bars it whatever it is given, who revokes its tokens revokes these too.
            let device = store::devices::within(&mut change, family.device).await?.ok_or_else(errors::grant)?;
            if device.is_locked(now) {
                return Err(errors::locked(device.locked_until));
            }
            self.bar_in(&mut change, Named { tenant: device.tenant, device: device.id, generation: device.generation }).await?;
            change.subject("device", device.id);
            change.detail(json!({ "family": refresh.family, "generation": family.generation }));
            change.commit().await?;
            let grant = Grant { refresh: Refresh { generation: family.generation, ..refresh }, expires_at: family.expires_at };
            return Ok(Turn::Rotated(device, grant));
        }
        // Read before its tokens are: whoever revokes them in between is seen by the second question, whoever does it later bars the
        // generation that is told here.
        let device = store::devices::within(&mut change, device).await?.ok_or_else(errors::grant)?;
        let Some(family) = store::families::find(&mut change, refresh.family).await? else { return Ok(Turn::Refused) };
        if family.revoked_at.is_some() || now >= family.expires_at || now >= family.ends_at || refresh.generation > family.generation {
            return Ok(Turn::Refused);
        }
        if family.thumbprint != proof.thumbprint {
            return Ok(Turn::Stolen(family.device, "a refresh token was brought with another key"));
        }
        let is_lost_reply = refresh.generation + 1 == family.generation && now.since(family.rotated_at) <= self.config().grace();
        if !is_lost_reply {
            return Ok(Turn::Stolen(family.device, "a spent refresh token was brought again"));
        }
        drop(change);
        if device.is_locked(now) {
            return Err(errors::locked(device.locked_until));
        }
        let grant = Grant { refresh: Refresh { generation: family.generation, ..refresh }, expires_at: family.expires_at };
        Ok(Turn::Again(device, grant))
    }

    /// Somebody has a copy of a token: everything given out dies, and the phone is locked unless the organisation only watches.
    async fn stolen(&self, refresh: Refresh, device: DeviceId, why: &str, origin: &Origin) -> Result<()> {
        tracing::warn!(%device, why, "tokens are revoked");
        let actor = guarding(refresh.tenant, device, origin);
        let evidence =
            json!({ "family": refresh.family, "generation": refresh.generation, "ip": origin.ip, "user_agent": origin.user_agent });
        let order = Order {
            posture: Posture::Lock,
            cause: Cause::RefreshReuse,
            reason: why.to_owned(),
            evidence,
            reach: Reach::Application,
            expires_at: None,
            revokes: true,
            score: None,
        };
        if self.lay(&actor, device, order).await?.is_some() {
            return Ok(());
        }
        // No lock, and still nobody may go on with what was given out.
        self.revoke_tokens(&actor, actions::REVOKE_TOKENS, device, (why, why), None).await
    }

    /// Kills every token of a phone without locking it; what chains say of their end, and why for people. A job does it once: should it
    /// run again, it must not take what the phone got since, when its person was let in again.
    pub(crate) async fn revoke_tokens(
        &self,
        actor: &Actor,
        action: Action,
        device: DeviceId,
        (cause, why): (&str, &str),
        job: Option<JobId>,
    ) -> Result<()> {
        let mut change = Change::begin(self.backends(), actor, action).await?;
        let user_id = store::devices::hold(&mut change, device).await?.and_then(|held| held.user_id);
        if let Some(job) = job
            && store::timeline::tells(&mut change, device, REVOKED, &job.to_string()).await?
        {
            return Ok(());
        }
        let families = store::families::revoke_all(&mut change, device, cause).await?;
        store::devices::revoke(&mut change, device).await?;
        store::timeline::add(&mut change, device, REVOKED, &json!({ "reason": why, "user": user_id, "job": job })).await?;
        change.subject("device", device);
        change.detail(json!({ "families": families, "user": user_id }));
        change.reason(why);
        change.publish(&TokensRevoked { device_id: device, user_id, reason: why.to_owned() }).await?;
        let standing = store::devices::standing_in(&mut change, device).await?;
        change.commit().await?;
        self.learned(actor.tenant, standing).await;
        Ok(())
    }
}

fn hot_key(device: &Device, refresh: Refresh) -> String {
    let user = device.user_id.map_or_else(|| "-".to_owned(), |user| user.to_string());
    format!("refresh:{user}:{}:{}:{}", device.id, refresh.jti(), sha256(&device.thumbprint))
}

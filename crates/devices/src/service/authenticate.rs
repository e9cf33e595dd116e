//! From a request to a phone: the token is ours and in its time, the proof is about this request by the token's key, and the phone is
//! not barred. Each of these is asked with every request, whatever is remembered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use attestation::dpop::Proof;
use audit::Change;
use backends::Quota;
use base::{Actor, Origin, Result, Source, Time};

use super::{Devices, speaking};
use crate::bars::{self, Named};
use crate::model::{Device, DeviceId};
use crate::proof::{self, Presented};
use crate::token::{self, Claims};
use crate::{errors, store};

/// Most by which clocks of our own nodes may differ, in seconds (SPEC BR-1).
const SKEW: i64 = 30;

/// A phone that was recognised.
#[derive(Debug, Clone)]
pub struct Phone {
    /// Its row, a moment old at most.
    pub device: Arc<Device>,
    /// It as an actor.
    pub actor: Actor,
}

/// A phone that is let in, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    pub(crate) phone: Phone,
    /// It as its token names it.
    pub(crate) named: Named,
    /// When the token is over, as it says itself.
    pub(crate) expires_at: Time,
    /// When it is no longer taken here, whatever the clocks of our nodes.
    pub(crate) until: Time,
}

/// How a line was opened: proofs of newer tokens are about the same.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) method: &'static str,
    pub(crate) host: Option<String>,
    pub(crate) path: String,
    pub(crate) is_direct: bool,
    pub(crate) certificate: Option<Arc<[u8]>>,
}

impl Opening {
    /// What a phone presents on its open line.
    pub(crate) fn presented(&self, token: String, proof: Option<String>) -> Presented {
        Presented {
            proof,
            token: Some(token),
            method: self.method.to_owned(),
            host: self.host.clone(),
            path: self.path.clone(),
            is_direct: self.is_direct,
        }
    }
}

impl Devices {
    /// The phone behind an access token: recognised, and allowed to be served.
    ///
    /// # Errors
    /// `Unauthenticated` for a token or proof that is not good, `Forbidden` while locked or stopped, `TooMany`.
    pub async fn serve(&self, presented: &Presented, origin: &Origin) -> Result<Phone> {
        Ok(self.admit(presented, None, origin).await?.phone)
    }

    /// The same for a line that will stay open. The token is bound to the phone's key or, where its connection has shown one, to its
    /// certificate (RFC 8705).
    ///
    /// # Errors
    /// As [`Devices::serve`].
    pub(crate) async fn admit(&self, presented: &Presented, certificate: Option<&[u8]>, origin: &Origin) -> Result<Admitted> {
        let begun = Instant::now();
        let token = presented.token.as_deref().ok_or_else(errors::token)?;
        let claims = self.claims(token).await?;
        match (&claims.cnf.jkt, &claims.cnf.certificate) {
            (Some(thumbprint), None) => drop(self.prove(presented, Some(thumbprint)).await?),
            (None, Some(bound)) if certificate.is_some_and(|certificate| token::certificate_thumbprint(certificate) == *bound) => {}
            _ => return Err(errors::token()),
        }
        let named = Named { tenant: claims.tenant, device: claims.sub, generation: claims.generation };
        self.bar(named).await?;
        self.limit(claims.sub).await?;
        let device = self.current(named).await?;
        let actor = speaking(&device, Some(claims.jti.clone()), origin);
        let expires_at = Time::from_seconds(claims.exp);
        if origin.source != Source::Http {
            metrics::histogram!("device_handshake_seconds", "source" => origin.source.as_str()).record(begun.elapsed().as_secs_f64());
        }
        Ok(Admitted { phone: Phone { device, actor }, named, expires_at, until: expires_at + Duration::from_secs(SKEW as u64) })
    }

    /// The phone whose key signed the proof, whatever it may do: a locked phone still learns why, and gets its commands.
    ///
    /// # Errors
    /// `Unauthenticated` when the proof is not good or the key is nobody's, `TooMany`.
    pub async fn recognise(&self, presented: &Presented, origin: &Origin) -> Result<Phone> {
        let proof = self.prove(presented, None).await?;
        let device = self.keyholder(&proof.thumbprint).await?;
        self.limit(device.id).await?;
        let actor = speaking(&device, None, origin);
        Ok(Phone { device, actor })
    }

    /// Checks the proof of a request by the given key, or any.
    ///
    /// # Errors
    /// `Unauthenticated`, and `Unavailable` when it cannot be told whether it was used before.
    pub async fn prove(&self, presented: &Presented, thumbprint: Option<&str>) -> Result<Proof> {
        proof::check(self.backends(), &self.inner.nonces, self.inner.public_url.as_ref(), presented, thumbprint).await
    }

    /// The nonce that the next proof must carry.
    ///
    /// # Errors
    /// The key store's.
    pub async fn proof_nonce(&self) -> Result<String> {
        self.inner.nonces.at(self.backends(), self.now()).await
    }

    async fn claims(&self, token: &str) -> Result<Arc<Claims>> {
        let hash = token::sha256(token);
        let claims = match self.inner.tokens.get(&hash) {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(token::read_access(&self.backends().keys, token).await?.ok_or_else(errors::token)?);
                self.inner.tokens.insert(hash, Arc::clone(&claims));
                claims
            }
        };
        let config = self.config();
        let is_for_us = claims.iss == config.issuer && claims.aud == config.audience;
        if is_for_us && token::is_timely(&claims, self.now(), SKEW) { Ok(claims) } else { Err(errors::token()) }
    }

    /// Refuses a barred phone, by what this process holds when that may be believed, else by the database.
    pub(crate) async fn bar(&self, named: Named) -> Result<()> {
        let now = self.now();
        if let Some(verdict) = self.verdict(named, now) {
            return verdict;
        }
        let db = &self.backends().db;
        let (standing, switches) = tokio::join!(store::devices::standing_of(db, named.device), store::switches::on(db, now));
        bars::judge(named, standing.map_err(errors::stale)?, &switches.map_err(errors::stale)?, now)
    }

    /// The same within a change, which asks by the connection it has.
    pub(crate) async fn bar_in(&self, change: &mut Change, named: Named) -> Result<()> {
        let now = change.now();
        if let Some(verdict) = self.verdict(named, now) {
            return verdict;
        }
        let standing = store::devices::standing_in(change, named.device).await.map_err(errors::stale)?;
        let switches = store::switches::on_in(change).await.map_err(errors::stale)?;
        bars::judge(named, Some(standing), &switches, now)
    }

    /// What this process knows of it by itself, when that may be believed.
    fn verdict(&self, named: Named, now: Time) -> Option<Result<()>> {
        let bars = &self.inner.bars;
        bars.knows(named.device, self.backends().bus.session()).then(|| bars.check(named, now))
    }

    async fn limit(&self, device: DeviceId) -> Result<()> {
        let per_minute = self.config().requests_per_minute;
        let quota = Quota { burst: per_minute, per: Duration::from_secs(60) };
        // Open while counters are down: a limit protects the service, it must not be what stops it.
        match self.backends().hot.limit(&format!("rl:device:{device}"), quota).await {
            Ok(verdict) if !verdict.allowed => Err(errors::too_often(verdict.retry_after)),
            _ => Ok(()),
        }
    }

    /// The phone with this key: its row as it is held while the watch sees changes, else as it is now.
    async fn keyholder(&self, thumbprint: &str) -> Result<Arc<Device>> {
        let held = self.inner.keyholders.get(thumbprint).and_then(|id| self.inner.known.get(&id));
        if let Some(device) = held.filter(|device| self.inner.bars.knows(device.id, self.backends().bus.session())) {
            return Ok(device);
        }
        let found = store::devices::by_thumbprint(&self.backends().db, thumbprint).await?;
        let device = Arc::new(found.ok_or_else(errors::unknown_key)?);
        self.inner.keyholders.insert(thumbprint.to_owned(), device.id);
        self.inner.known.insert(device.id, Arc::clone(&device));
        Ok(device)
    }

    /// The phone's row, a moment old at most.
    pub(crate) async fn current(&self, named: Named) -> Result<Arc<Device>> {
        if let Some(device) = self.inner.known.get(&named.device) {
            return Ok(device);
        }
        let found = store::devices::of_tenant(&self.backends().db, named.tenant, named.device).await?;
        let device = Arc::new(found.ok_or_else(errors::token)?);
        self.inner.known.insert(device.id, Arc::clone(&device));
        Ok(device)
    }
}

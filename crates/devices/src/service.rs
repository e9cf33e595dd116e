//! The verbs of this context, one file per group; the only door to its tables.

mod acknowledge;
mod attest;
mod authenticate;
mod barred;
mod bind;
mod codes;
mod commands;
mod enrol;
mod inspect;
mod lay;
mod news;
mod plight;
mod policies;
mod release;
mod signals;
mod switch_ends;
mod switches;
mod tokens;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use backends::Backends;
use base::{Actor, ActorKind, Id, Origin, Result, Role, Secret, TenantId, Time, UserId};
use futures::future::BoxFuture;
use moka::sync::Cache;
use url::Url;

use crate::bars::Bars;
use crate::config::Config;
use crate::evidence::Verifiers;
use crate::hub::Hub;
use crate::live::Fleet;
use crate::model::{Device, DeviceId, Policy};
use crate::proof::Nonces;
use crate::store;
use crate::token::Claims;

pub use attest::{Attestation, Attesting};
pub use authenticate::Phone;
pub(crate) use authenticate::{Admitted, Opening};
pub use commands::CommandPage;
pub use enrol::{Challenge, Enrolled, Enrolment};
pub use inspect::DeviceReason;
pub use news::News;
pub use plight::Plight;
pub(crate) use signals::Point;
pub use signals::{SignalBatch, SignalReceipt};
pub use tokens::Tokens;
use watch::Node;

/// What another context knows of people and organisations: that whoever asks for something dangerous is still there, the password
/// again; whose organisation this is; and who may still come in.
pub trait People: Send + Sync {
    /// Whether this is the actor's password.
    ///
    /// # Errors
    /// `Unauthenticated` or `Forbidden` when it is not.
    fn prove<'a>(&'a self, actor: &'a Actor, password: &'a Secret<String>) -> BoxFuture<'a, Result<()>>;

    /// Whether this is the organisation that runs the installation, the first one.
    ///
    /// # Errors
    /// `Unavailable` when that cannot be found out.
    fn is_home(&self, tenant: TenantId) -> BoxFuture<'_, Result<bool>>;

    /// Whether the organisation has this person and does not keep them out.
    ///
    /// # Errors
    /// `Unavailable` when that cannot be found out.
    fn is_welcome(&self, tenant: TenantId, user: UserId) -> BoxFuture<'_, Result<bool>>;
}

/// Verified tokens held, and for how long: a signing key that retires is noticed within this time.
const TOKENS: u64 = 50_000;
const TOKEN_HELD: Duration = Duration::from_secs(60);
/// Rows of phones held; a change elsewhere is noticed sooner, by the watch.
const KNOWN: u64 = 50_000;
const KNOWN_HELD: Duration = Duration::from_secs(30);
/// What an organisation allows is this old at most.
const POLICY_HELD: Duration = Duration::from_secs(2);

/// Phones: who they are, what they may do, what they are told. Cheap to clone.
#[derive(Clone)]
pub struct Devices {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) backends: Backends,
    pub(crate) config: Config,
    pub(crate) public_url: Option<Url>,
    pub(crate) verifiers: Verifiers,
    pub(crate) nonces: Nonces,
    pub(crate) tokens: Cache<String, Arc<Claims>>,
    pub(crate) known: Cache<DeviceId, Arc<Device>>,
    /// Whose key has this thumbprint; a phone keeps its key.
    pub(crate) keyholders: Cache<String, DeviceId>,
    pub(crate) policies: Cache<TenantId, Policy>,
    pub(crate) bars: Bars,
    pub(crate) fleet: Fleet,
    pub(crate) hub: Hub,
    /// This process among those that talk about phones.
    pub(crate) node: Id<Node>,
    pub(crate) people: Arc<dyn People>,
}

impl Devices {
    /// The service over these backends.
    ///
    /// # Errors
    /// `Invalid` naming the setting or file that cannot work.
    pub fn new(backends: &Backends, config: Config, people: Arc<dyn People>) -> Result<Self> {
        config.check()?;
        let public_url = Url::parse(&config.public_url).ok();
        let verifiers = Verifiers::load(&config, backends.clock.now().to_chrono())?;
        let fleet = Fleet::new(config.breaker.limits());
        let inner = Inner {
            backends: backends.clone(),
            config,
            public_url,
            verifiers,
            nonces: Nonces::default(),
            tokens: Cache::builder().max_capacity(TOKENS).time_to_live(TOKEN_HELD).build(),
            known: Cache::builder().max_capacity(KNOWN).time_to_live(KNOWN_HELD).build(),
            keyholders: Cache::builder().max_capacity(KNOWN).time_to_live(KNOWN_HELD).build(),
            policies: Cache::builder().max_capacity(KNOWN).time_to_live(POLICY_HELD).build(),
            bars: Bars::default(),
            fleet,
            hub: Hub::default(),
            node: backends.ids.next(),
            people,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(crate) fn backends(&self) -> &Backends {
        &self.inner.backends
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn now(&self) -> Time {
        self.inner.backends.clock.now()
    }

    /// What the organisation allows, a moment old at most.
    pub(crate) async fn policy_of(&self, tenant: TenantId) -> Result<Policy> {
        if let Some(policy) = self.inner.policies.get(&tenant) {
            return Ok(policy);
        }
        let policy = store::policies::of_tenant(&self.backends().db, tenant).await?.unwrap_or_else(|| self.default_policy());
        self.inner.policies.insert(tenant, policy.clone());
        Ok(policy)
    }

    pub(crate) fn default_policy(&self) -> Policy {
        Policy { shadow: false, software_keys: self.config().software_keys, halt: None }
    }
}

/// The phone itself as an actor: it may only speak for itself.
pub(crate) fn speaking(device: &Device, jti: Option<String>, origin: &Origin) -> Actor {
    Actor {
        kind: ActorKind::Device,
        tenant: device.tenant,
        user: device.user_id,
        username: device.name.clone(),
        roles: vec![Role::Device],
        permissions: std::collections::BTreeSet::new(),
        units: Vec::new(),
        device: Some(device.id.to_string()),
        jti,
        origin: origin.clone(),
    }
}

/// Tyrian itself, acting on a phone because of a request from `origin`.
pub(crate) fn guarding(tenant: TenantId, device: DeviceId, origin: &Origin) -> Actor {
    let mut actor = Actor::system(tenant, origin.source);
    actor.device = Some(device.to_string());
    actor.origin = origin.clone();
    actor
}

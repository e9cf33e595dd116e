//! The verbs of this context: the only door to targets and authorisations.

use std::time::Duration;

use audit::Change;
use backends::Backends;
use base::{Actor, Page, PageRequest, Result, Scope, Source};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::authorization::{Authorization, AuthorizationId, NewAuthorization, choose};
use crate::model::{Filter, NewTarget, Target, TargetId, TargetPatch};
use crate::permit::Permit;
use crate::text::line;
use crate::units::Branch;
use crate::vocabulary::Intrusiveness;
use crate::{actions, errors, store};

/// How long a cached target may outlive a lost invalidation.
const CACHED_FOR: Duration = Duration::from_secs(60);

/// Largest evidence file taken.
const LARGEST_EVIDENCE: usize = 16 * 1024 * 1024;

/// Targets and the authorisations to test them.
#[derive(Clone)]
pub struct Targets {
    pub(crate) backends: Backends,
}

/// What `target:cache:{target_id}` holds: the tenant is kept, so that a hit in another tenant's row is a miss.
#[derive(Serialize, Deserialize)]
struct Cached {
    tenant: base::TenantId,
    /// None once deleted; keeps a slow reader from putting the row back.
    target: Option<Target>,
}

impl Targets {
    /// The service over these backends.
    #[must_use]
    pub fn new(backends: &Backends) -> Self {
        Self { backends: backends.clone() }
    }

    /// Records a target.
    ///
    /// # Errors
    /// `Invalid` naming the field at fault; `Forbidden`.
    pub async fn create(&self, actor: &Actor, new: NewTarget) -> Result<Target> {
        let mut change = Change::begin(&self.backends, actor, actions::CREATE).await?;
        let target = held(&change.scope(), new.build(change.id(), change.now())?)?;
        store::insert(&mut change, &target, actor.user).await?;
        change.subject("target", target.id);
        change.detail(json!({ "name": target.name, "type": target.kind, "address": target.address }));
        change.commit().await?;
        Ok(target)
    }

    /// One target.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn get(&self, actor: &Actor, id: TargetId) -> Result<Target> {
        let scope = actor.scope(actions::READ)?;
        let key = cache_key(id);
        // The cache only saves time: when it is down the database answers.
        if let Ok(Some(bytes)) = self.backends.hot.get(&key).await
            && let Ok(cached) = serde_json::from_slice::<Cached>(&bytes)
        {
            if cached.tenant != scope.tenant() {
                return Err(errors::not_found());
            }
            return cached.target.filter(|target| scope.holds(target.unit.as_ref())).ok_or_else(errors::not_found);
        }
        let target = store::find(&self.backends.db, &scope, id).await?.ok_or_else(errors::not_found)?;
        if let Ok(bytes) = serde_json::to_vec(&Cached { tenant: scope.tenant(), target: Some(target.clone()) }) {
            // Only where nothing is: a writer that was faster has put the newer row there.
            self.backends.hot.set_new(&key, &bytes, Some(CACHED_FOR)).await.ok();
        }
        Ok(target)
    }

    /// The targets of these ids that exist, in one statement.
    ///
    /// # Errors
    /// `Forbidden`; else the database's.
    pub async fn of_ids(&self, actor: &Actor, ids: &[TargetId]) -> Result<Vec<Target>> {
        let scope = actor.scope(actions::READ)?;
        store::of_ids(&self.backends.db, &scope, ids).await
    }

    /// Targets, newest first.
    ///
    /// # Errors
    /// `Invalid` for a page or filter that makes no sense; `Forbidden`.
    pub async fn list(&self, actor: &Actor, filter: Filter, page: PageRequest) -> Result<Page<Target>> {
        let scope = actor.scope(actions::READ)?;
        filter.check()?;
        store::list(&self.backends.db, &scope, &filter, &page).await
    }

    /// The tree of business units: every unit with targets and those it lies in, by path.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn units(&self, actor: &Actor) -> Result<Vec<Branch>> {
        let scope = actor.scope(actions::READ)?;
        Ok(Branch::tree(&store::units(&self.backends.db, &scope).await?))
    }

    /// Changes a target.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` naming the field; `Conflict` when somebody was faster; `Forbidden`.
    pub async fn patch(&self, actor: &Actor, id: TargetId, patch: TargetPatch) -> Result<Target> {
        let mut change = Change::begin(&self.backends, actor, actions::UPDATE).await?;
        let before = store::find_for_change(&mut change, id).await?.ok_or_else(errors::not_found)?;
        let after = held(&change.scope(), patch.apply(before.clone(), change.now())?)?;
        store::update(&mut change, &after).await?;
        change.subject("target", id);
        change.detail(json!({ "before": before, "after": after }));
        let scope = change.scope();
        change.commit().await?;
        self.remember(&scope, id, Some(&after)).await;
        Ok(after)
    }

    /// Removes a target from sight; what was found on it and who allowed testing it stay on record.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn delete(&self, actor: &Actor, id: TargetId) -> Result<()> {
        let mut change = Change::begin(&self.backends, actor, actions::DELETE).await?;
        if !store::delete(&mut change, id).await? {
            return Err(errors::not_found());
        }
        change.subject("target", id);
        let scope = change.scope();
        change.commit().await?;
        self.remember(&scope, id, None).await;
        Ok(())
    }

    pub(crate) async fn remember(&self, scope: &Scope, id: TargetId, target: Option<&Target>) {
        let cached = Cached { tenant: scope.tenant(), target: target.cloned() };
        if let Ok(bytes) = serde_json::to_vec(&cached) {
            self.backends.hot.set(&cache_key(id), &bytes, Some(CACHED_FOR)).await.ok();
        }
    }

    /// Records that a person allows testing.
    ///
    /// # Errors
    /// `Invalid` naming the field; `NotFound` for a target that does not exist; `Forbidden`.
    pub async fn authorize(&self, actor: &Actor, new: NewAuthorization) -> Result<Authorization> {
        let mut change = Change::begin(&self.backends, actor, actions::AUTHORIZE).await?;
        let target = match new.target {
            Some(id) => Some(store::find_for_change(&mut change, id).await?.ok_or_else(|| errors::not_found().at("/target"))?),
            None if change.scope().units().is_empty() => None,
            None => return Err(errors::unit_of_none(actor)),
        };
        let granted = new.build(change.id(), target.as_ref(), actor.user, change.now())?;
        store::insert_authorization(&mut change, &granted).await?;
        change.subject("authorization", granted.id);
        change.detail(json!({
            "target": granted.target, "rules": store::shown(&granted.rules), "exclusions": store::shown(&granted.exclusions),
            "valid_from": granted.valid_from, "valid_until": granted.valid_until, "intrusiveness": granted.intrusiveness,
            "granted_by": granted.granted_by,
        }));
        change.reason(&granted.evidence);
        change.commit().await?;
        Ok(granted)
    }

    /// One authorisation.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn authorization(&self, actor: &Actor, id: AuthorizationId) -> Result<Authorization> {
        let scope = actor.scope(actions::READ)?;
        store::find_authorization(&self.backends.db, &scope, id).await?.ok_or_else(errors::authorization_not_found)
    }

    /// Authorisations, newest first; of one target, or all.
    ///
    /// # Errors
    /// `Invalid` for a page that makes no sense; `Forbidden`.
    pub async fn authorizations(&self, actor: &Actor, target: Option<TargetId>, page: PageRequest) -> Result<Page<Authorization>> {
        let scope = actor.scope(actions::READ)?;
        store::list_authorizations(&self.backends.db, &scope, target, &page).await
    }

    /// Hands in the file that proves an authorisation, once.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when there is one; `Invalid` for an empty or too large file; `Forbidden`.
    pub async fn prove(&self, actor: &Actor, id: AuthorizationId, file: Vec<u8>) -> Result<Authorization> {
        let scope = actor.scope(actions::PROVE)?;
        if file.is_empty() || file.len() > LARGEST_EVIDENCE {
            return Err(errors::evidence("an evidence file has 1 byte to 16 MiB"));
        }
        // Asked before the file is kept: what belongs to nothing would stay.
        let known = store::find_authorization(&self.backends.db, &scope, id).await?.ok_or_else(errors::authorization_not_found)?;
        if known.evidence_file.is_some() {
            return Err(errors::already_proved());
        }
        let size = file.len();
        let key = self.backends.blobs.store(file).await?;
        let mut change = Change::begin(&self.backends, actor, actions::PROVE).await?;
        let mut granted = store::find_authorization_for_change(&mut change, id).await?.ok_or_else(errors::authorization_not_found)?;
        if !store::prove(&mut change, id, &key).await? {
            return Err(errors::already_proved());
        }
        granted.evidence_file = Some(key);
        change.subject("authorization", id);
        change.detail(json!({ "evidence_file": granted.evidence_file, "bytes": size }));
        change.commit().await?;
        Ok(granted)
    }

    /// The file that proves an authorisation.
    ///
    /// # Errors
    /// `NotFound` when there is none; `Forbidden`.
    pub async fn evidence(&self, actor: &Actor, id: AuthorizationId) -> Result<Vec<u8>> {
        let key = self.authorization(actor, id).await?.evidence_file.ok_or_else(errors::no_evidence)?;
        self.backends.blobs.get(&key).await?.ok_or_else(errors::no_evidence)
    }

    /// Takes an authorisation back; running tests that stand on it stop within seconds.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it was revoked before; `Forbidden`.
    pub async fn revoke(&self, actor: &Actor, id: AuthorizationId, reason: &str) -> Result<Authorization> {
        let reason = line("/reason", reason, 1000)?;
        let mut change = Change::begin(&self.backends, actor, actions::REVOKE).await?;
        let mut granted = store::find_authorization_for_change(&mut change, id).await?.ok_or_else(errors::authorization_not_found)?;
        if let Some(when) = granted.revoked_at {
            return Err(errors::already_revoked(when));
        }
        store::revoke(&mut change, id, &reason).await?;
        granted.revoked_at = Some(change.now());
        granted.revoked_reason = Some(reason.clone());
        change.subject("authorization", id);
        change.detail(json!({ "target": granted.target }));
        change.reason(&reason);
        change.commit().await?;
        Ok(granted)
    }

    /// The permit for testing a target now, up to `wanted`.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a target without a network address; `Forbidden` with the reason and what to do.
    pub async fn permit(&self, actor: &Actor, id: TargetId, wanted: Intrusiveness) -> Result<Permit> {
        let scope = actor.scope(actions::PERMIT)?;
        let target = store::find(&self.backends.db, &scope, id).await?.ok_or_else(errors::not_found)?;
        let address = target.endpoint().ok_or_else(|| errors::not_scannable(&target))?;
        let candidates = store::candidates(&self.backends.db, &scope, id).await?;
        let granted = choose(&target, &address, &candidates, wanted, self.backends.clock.now())?;
        Ok(Permit::new(target, scope.tenant(), granted))
    }

    /// Whether a permit still stands: its target there, its authorisation neither revoked nor over.
    ///
    /// # Errors
    /// `NotFound` when the target is gone; `Forbidden` with the reason otherwise.
    pub async fn recheck(&self, permit: &Permit) -> Result<()> {
        let scope = Actor::system(permit.tenant, Source::Job).scope(actions::PERMIT)?;
        if store::find(&self.backends.db, &scope, permit.target.id).await?.is_none() {
            return Err(errors::not_found());
        }
        let granted = store::find_authorization(&self.backends.db, &scope, permit.authorization)
            .await?
            .ok_or_else(errors::authorization_not_found)?;
        if let Some(when) = granted.revoked_at {
            let reason = granted.revoked_reason.as_deref().unwrap_or("no reason given");
            return Err(errors::authorization_revoked(&permit.target, when, reason));
        }
        if self.backends.clock.now() >= granted.valid_until {
            return Err(errors::authorization_expired(&permit.target, granted.valid_until));
        }
        Ok(())
    }
}

/// The target, unless it would lie where its author cannot see it.
pub(crate) fn held(scope: &Scope, target: Target) -> Result<Target> {
    if scope.holds(target.unit.as_ref()) { Ok(target) } else { Err(errors::unit_outside(scope)) }
}

fn cache_key(id: TargetId) -> String {
    format!("target:cache:{id}")
}

//! Kill switches: proposed with a count of whom they stop, thrown with the password again, ended by time or a person. The global one
//! takes two people. What a switch stops is refused at the token check on every node; phones are told as well.

use std::time::Duration;

use audit::Change;
use base::{Actor, ActorKind, Page, PageRequest, Result, Secret, TenantId};
use serde_json::json;

use super::Devices;
use crate::bars::is_barred;
use crate::events::PhonesStopped;
use crate::jobs::AnnounceSwitch;
use crate::model::{DeviceId, Switch, SwitchId};
use crate::order::{NewSwitch, line};
use crate::vocabulary::{CommandKind, Reach, SwitchScope};
use crate::{actions, errors, store};

/// How long a switch lasts when its proposer does not say.
const LIFE: Duration = Duration::from_secs(3_600);
const LONGEST: Duration = Duration::from_secs(24 * 3_600);
/// Phones told in one change.
const BATCH: u32 = 200;

impl Devices {
    /// Proposes a kill switch; the answer says how many phones it would stop. It stops nobody yet.
    ///
    /// # Errors
    /// `Invalid` naming the field; `NotFound` for a phone that does not exist; `Forbidden`.
    pub async fn propose_switch(&self, actor: &Actor, new: NewSwitch) -> Result<Switch> {
        let reason = line("/reason", &new.reason, 1000)?;
        let life = new.seconds.map_or(LIFE, |seconds| Duration::from_secs(seconds.into()));
        if life > LONGEST || life < Duration::from_secs(60) {
            return Err(errors::field("/seconds", "it must be 60 to 86400"));
        }
        let device_id = match (new.scope, new.device_id) {
            (SwitchScope::Device, Some(id)) => Some(id),
            (SwitchScope::Device, None) => return Err(errors::field("/device_id", "the scope `device` needs one")),
            (_, Some(_)) => return Err(errors::field("/device_id", "only the scope `device` takes one")),
            (_, None) => None,
        };
        if new.scope == SwitchScope::Global {
            self.operator(actor).await?;
        }
        let mut change = Change::begin(self.backends(), actor, actions::PROPOSE_SWITCH).await?;
        let affects = affected(&mut change, new.scope, device_id).await?;
        let now = change.now();
        let switch = Switch {
            id: change.id(),
            scope: new.scope,
            device_id,
            reason,
            affects,
            proposer: actor.username.clone(),
            created_at: now,
            expires_at: now + life,
            confirmed_by: None,
            confirmed_at: None,
            released_by: None,
            released_at: None,
        };
        store::switches::insert(&mut change, &switch, actor.user).await?;
        change.subject("kill_switch", switch.id);
        change.detail(json!({ "scope": switch.scope, "device": device_id, "affects": affects, "expires_at": switch.expires_at }));
        change.reason(&switch.reason);
        change.commit().await?;
        Ok(switch)
    }

    /// Throws a proposed kill switch, with the password again.
    ///
    /// # Errors
    /// `Forbidden` without the right password, for the global one also by its proposer; `NotFound`; `Conflict` when it is over.
    pub async fn confirm_switch(&self, actor: &Actor, id: SwitchId, password: Option<&Secret<String>>) -> Result<Switch> {
        actor.scope(actions::CONFIRM_SWITCH)?;
        // Whoever sits at the storage itself needs no password.
        if actor.kind != ActorKind::System {
            self.inner.people.prove(actor, password.ok_or_else(errors::step_up)?).await?;
        }
        let may_all = self.operator(actor).await;
        let mut change = Change::begin(self.backends(), actor, actions::CONFIRM_SWITCH).await?;
        let (switch, proposed_by) = store::switches::find(&mut change, id).await?.ok_or_else(errors::no_switch)?;
        if switch.scope == SwitchScope::Global {
            may_all?;
            if actor.kind != ActorKind::System && proposed_by == actor.user {
                return Err(errors::second_person());
            }
        }
        let affects = affected(&mut change, switch.scope, switch.device_id).await?;
        if !store::switches::confirm(&mut change, id, &actor.username, affects).await? {
            return Err(errors::switch_over());
        }
        self.announce(&mut change, &switch, CommandKind::ImmediateQuarantine).await?;
        change.subject("kill_switch", id);
        change.detail(json!({ "scope": switch.scope, "device": switch.device_id, "affects": affects }));
        change.reason(&switch.reason);
        let now = change.now();
        change.commit().await?;
        tracing::warn!(scope = switch.scope.as_str(), affects, "a kill switch was thrown");
        self.switched(reach(switch.scope, actor)).await;
        Ok(Switch { confirmed_at: Some(now), confirmed_by: Some(actor.username.clone()), affects, ..switch })
    }

    /// Takes a kill switch back, thrown or not.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it was released before; `Forbidden`.
    pub async fn release_switch(&self, actor: &Actor, id: SwitchId, reason: &str) -> Result<Switch> {
        let reason = line("/reason", reason, 1000)?;
        let may_all = self.operator(actor).await;
        let mut change = Change::begin(self.backends(), actor, actions::RELEASE_SWITCH).await?;
        let (switch, _) = store::switches::find(&mut change, id).await?.ok_or_else(errors::no_switch)?;
        if switch.scope == SwitchScope::Global {
            may_all?;
        }
        if !store::switches::release(&mut change, id, &actor.username).await? {
            return Err(errors::switch_over());
        }
        if switch.confirmed_at.is_some() {
            self.announce(&mut change, &switch, CommandKind::Release).await?;
        }
        change.subject("kill_switch", id);
        change.detail(json!({ "scope": switch.scope, "device": switch.device_id }));
        change.reason(&reason);
        let now = change.now();
        change.commit().await?;
        self.switched(reach(switch.scope, actor)).await;
        Ok(Switch { released_at: Some(now), released_by: Some(actor.username.clone()), ..switch })
    }

    /// Kill switches of the organisation, newest first.
    ///
    /// # Errors
    /// `Invalid` for a page that makes no sense; `Forbidden`.
    pub async fn switches(&self, actor: &Actor, page: &PageRequest) -> Result<Page<Switch>> {
        let scope = actor.scope(actions::READ)?;
        store::switches::list(&self.backends().db, &scope, page).await
    }

    /// Whether the actor may use the global switch; asked before a change, which would hold a connection while this takes another.
    ///
    /// Those named in the configuration are people of the organisation that runs the installation: elsewhere anybody who manages users
    /// could take such a name.
    async fn operator(&self, actor: &Actor) -> Result<()> {
        if actor.kind == ActorKind::System {
            return Ok(());
        }
        let is_named =
            actor.kind == ActorKind::User && self.config().global_operators.iter().any(|name| name.eq_ignore_ascii_case(&actor.username));
        if is_named && self.inner.people.is_home(actor.tenant).await? { Ok(()) } else { Err(errors::global_switch()) }
    }

    /// Queues telling the phones, one job per organisation.
    pub(super) async fn announce(&self, change: &mut Change, switch: &Switch, kind: CommandKind) -> Result<()> {
        let tenants = match switch.scope {
            SwitchScope::Global => store::devices::tenants(change).await?,
            SwitchScope::Device | SwitchScope::Tenant => vec![change.scope().tenant()],
        };
        for tenant in tenants {
            let job =
                AnnounceSwitch { switch: switch.id, tenant, device: switch.device_id, kind, reason: switch.reason.clone(), after: None };
            change.enqueue(&job).await?;
        }
        Ok(())
    }

    /// Tells one batch of an organisation's phones of a switch; the rest is queued.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn tell_switch(&self, job: AnnounceSwitch, run: &backends::Run) -> Result<()> {
        let mut change = Change::begin(self.backends(), &run.system(job.tenant), actions::ANNOUNCE_SWITCH).await?;
        // Should this run twice, the second must not number its commands anew.
        change.hold(run).await?;
        let switch = store::switches::hold(&mut change, job.switch).await?.ok_or_else(errors::no_switch)?;
        let stops = job.kind == CommandKind::ImmediateQuarantine;
        // Who listens for the organisation is told once, with the first batch; which phones are concerned follows from the switch.
        if job.after.is_none() && stops {
            let user_id = match job.device {
                Some(id) => store::devices::hold(&mut change, id).await?.and_then(|device| device.user_id),
                None => None,
            };
            change.publish(&PhonesStopped { switch_id: job.switch, device_id: job.device, user_id, reason: job.reason.clone() }).await?;
        }
        // Taken back or over since this was queued: phones are told of that, and nothing may come after it.
        if stops && !switch.is_on(change.now()) {
            change.subject("kill_switch", job.switch);
            change.detail(json!({ "told": 0, "kind": job.kind }));
            return change.commit().await;
        }
        let devices = match job.device {
            Some(id) => store::devices::hold(&mut change, id).await?.into_iter().collect(),
            None => store::devices::ids_after(&mut change, job.after, BATCH).await?,
        };
        let now = change.now();
        let others = if stops { Vec::new() } else { store::switches::on_in(&mut change).await? };
        let about = json!({ "switch": job.switch, "until": stops.then_some(switch.expires_at) });
        for device in &devices {
            // Whom another switch stops, or a lock, is not released by the end of this one: the end of that tells them. A lock that is
            // just ending is waited for: one of both must tell.
            let is_kept = !stops
                && is_barred(device, &others, now)
                && store::devices::hold(&mut change, device.id).await?.is_none_or(|device| is_barred(&device, &others, now));
            if is_kept {
                continue;
            }
            self.command(&mut change, device.id, job.kind, Reach::Application, &job.reason, about.clone()).await?;
        }
        let is_full = job.device.is_none() && devices.len() == BATCH as usize;
        if let Some(last) = devices.last().filter(|_| is_full) {
            change.enqueue(&AnnounceSwitch { after: Some(last.id), ..job.clone() }).await?;
        }
        change.subject("kill_switch", job.switch);
        change.detail(json!({ "told": devices.len(), "kind": job.kind }));
        change.commit().await?;
        for device in devices {
            self.tell_commanded(job.tenant, device.id).await;
        }
        Ok(())
    }
}

/// Whose phones a switch of an organisation concerns; all when nobody is named.
fn reach(scope: SwitchScope, actor: &Actor) -> Option<TenantId> {
    (scope != SwitchScope::Global).then_some(actor.tenant)
}

async fn affected(change: &mut Change, scope: SwitchScope, device: Option<DeviceId>) -> Result<i64> {
    match (scope, device) {
        (SwitchScope::Device, Some(id)) => store::devices::hold(change, id).await?.map(|_| 1).ok_or_else(errors::not_found),
        (SwitchScope::Global, _) => store::devices::count_all(change).await,
        (SwitchScope::Device | SwitchScope::Tenant, _) => store::devices::count(change).await,
    }
}

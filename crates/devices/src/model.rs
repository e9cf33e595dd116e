//! The nouns: phones, codes, locks, commands, kill switches, policies.

use base::{Id, Result, TenantId, Time, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::{IntoParams, ToSchema};

use crate::errors;
use crate::vocabulary::{Attested, Cause, CommandKind, Level, Outcome, Ownership, Plan, Platform, Posture, Reach, SwitchScope, Withheld};

/// A phone's id.
pub type DeviceId = Id<Device>;
/// An enrolment code's id.
pub type CodeId = Id<Code>;
/// A lock's id.
pub type LockId = Id<Lock>;
/// A command's id.
pub type CommandId = Id<Command>;
/// A kill switch's id.
pub type SwitchId = Id<Switch>;
/// The id of a chain of refresh tokens.
pub(crate) type FamilyId = Id<Family>;

/// A phone.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Device)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The user who carries it.
    pub user_id: Option<UserId>,
    /// What people call it.
    #[schema(max_length = 128)]
    pub name: String,
    /// How it can prove what it is.
    pub platform: Platform,
    /// Whose it is.
    pub ownership: Ownership,
    /// Plan it is judged by.
    pub plan: Plan,
    /// Name of its key (RFC 7638).
    #[schema(max_length = 43)]
    pub thumbprint: String,
    /// Model, as the phone says.
    #[schema(max_length = 128)]
    pub model: Option<String>,
    /// Version of its system, as the phone says.
    #[schema(max_length = 128)]
    pub os_version: Option<String>,
    /// Version of the application, as the phone says.
    #[schema(max_length = 128)]
    pub app_version: Option<String>,
    /// What it may do.
    pub posture: Posture,
    /// When its lock ends by itself.
    pub locked_until: Option<Time>,
    /// What became of its newest attestation.
    pub attestation_state: Attested,
    /// What that was worth when it was fresh.
    pub attestation_level: Level,
    /// When the newest answer came that passed, or that only a floor refused.
    pub attested_at: Option<Time>,
    /// Never locked without a person.
    pub allow_listed: bool,
    /// When it enrolled.
    pub enrolled_at: Time,
    /// When one of these fields changed last.
    pub changed_at: Time,
    #[serde(skip)]
    pub(crate) tenant: TenantId,
    #[serde(skip)]
    pub(crate) generation: i64,
    #[serde(skip)]
    pub(crate) attested_key: Option<String>,
    #[serde(skip)]
    pub(crate) attested_counter: i64,
    /// Grows with each change of the row.
    #[serde(skip)]
    pub(crate) version: i64,
}

/// A phone as lists show it: the row, and what it said last.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeviceSeen)]
pub struct Seen {
    /// The phone.
    pub device: Device,
    /// Its newest scored window, when there is one.
    pub last: Option<Sample>,
}

/// One scored window of a phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// When it arrived.
    pub at: Time,
    /// The global score, 0 to 1.
    pub score: Option<f64>,
    /// What it must exceed to count.
    pub threshold: f64,
    /// The four parts: accelerometer, gyroscope, touch, network.
    #[schema(max_items = 4)]
    pub parts: Vec<Option<f64>>,
    /// Share of the weights that was there.
    pub coverage: f64,
    /// Trust from history, 0 to 1.
    pub trust: f64,
    /// What the phone might do after it.
    pub posture: Posture,
}

/// What a list of phones is narrowed by.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Only phones that may do this.
    #[param(inline)]
    pub posture: Option<Posture>,
    /// Only phones of this platform.
    #[param(inline)]
    pub platform: Option<Platform>,
    /// Only phones of this user.
    pub user_id: Option<UserId>,
}

/// An enrolment code: one phone, once.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = EnrolmentCode)]
pub struct Code {
    /// Its id.
    pub id: CodeId,
    /// The phone it will make.
    pub device_id: DeviceId,
    /// What that phone will be called.
    #[schema(max_length = 128)]
    pub name: String,
    /// Who will carry it.
    pub user_id: Option<UserId>,
    /// Plan it will be judged by.
    pub plan: Plan,
    /// Whose it is.
    pub ownership: Ownership,
    /// When it was made.
    pub created_at: Time,
    /// When it can no longer be used.
    pub expires_at: Time,
    /// When it was used.
    pub used_at: Option<Time>,
    /// The code itself, shown only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub code: Option<String>,
}

/// A chain of refresh tokens.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    pub(crate) device: DeviceId,
    pub(crate) thumbprint: String,
    pub(crate) generation: i64,
    pub(crate) rotated_at: Time,
    pub(crate) expires_at: Time,
    pub(crate) ends_at: Time,
    pub(crate) revoked_at: Option<Time>,
}

/// A lock: why, on what evidence, until when, and who took it back.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeviceLock)]
pub struct Lock {
    /// Its id.
    pub id: LockId,
    /// The phone.
    pub device_id: DeviceId,
    /// Lock or quarantine.
    pub posture: Posture,
    /// Why.
    pub cause: Cause,
    /// Whether no person laid it.
    pub automatic: bool,
    /// Why, in words for an operator.
    #[schema(max_length = 1000)]
    pub reason: String,
    /// What it stands on: scores, parts, features, or the failures.
    #[schema(value_type = Object)]
    pub evidence: Json,
    /// How far it reaches.
    pub reach: Reach,
    /// Who laid it.
    #[schema(max_length = 256)]
    pub created_by: Option<String>,
    /// When.
    pub created_at: Time,
    /// When it ends by itself; never once confirmed.
    pub expires_at: Option<Time>,
    /// Who keeps it beyond its day.
    #[schema(max_length = 256)]
    pub confirmed_by: Option<String>,
    /// Since when.
    pub confirmed_at: Option<Time>,
    /// When it ended.
    pub released_at: Option<Time>,
    /// Who ended it.
    #[schema(max_length = 256)]
    pub released_by: Option<String>,
    /// Why it ended.
    #[schema(max_length = 1000)]
    pub release_reason: Option<String>,
}

/// Something a phone is told to do; said again until it answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeviceCommand)]
pub struct Command {
    /// Its id, `jti` of the signed form.
    pub id: CommandId,
    /// Place in the phone's own order, from one.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// What to do.
    pub kind: CommandKind,
    /// How far.
    pub reach: Reach,
    /// Why.
    #[schema(max_length = 1000)]
    pub reason: String,
    /// The command as a signed token (JWS, ES256); only this form counts for the phone.
    #[schema(max_length = 8192)]
    pub token: String,
    /// When it was given.
    pub created_at: Time,
    /// When it is no longer to be carried out.
    pub expires_at: Time,
    /// When the phone answered.
    pub acknowledged_at: Option<Time>,
    /// What the phone answered.
    pub outcome: Option<Outcome>,
}

/// A kill switch, proposed or thrown.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = KillSwitch)]
pub struct Switch {
    /// Its id.
    pub id: SwitchId,
    /// Whom it stops.
    pub scope: SwitchScope,
    /// The one phone it stops.
    pub device_id: Option<DeviceId>,
    /// Why.
    #[schema(max_length = 1000)]
    pub reason: String,
    /// How many phones it stopped, or would have when it was proposed.
    #[schema(minimum = 0)]
    pub affects: i64,
    /// Who proposed it.
    #[schema(max_length = 256)]
    pub proposer: String,
    /// When.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Time,
    /// Who threw it.
    #[schema(max_length = 256)]
    pub confirmed_by: Option<String>,
    /// When; before that it stops nobody.
    pub confirmed_at: Option<Time>,
    /// Who took it back.
    #[schema(max_length = 256)]
    pub released_by: Option<String>,
    /// When; by nobody when its time was over.
    pub released_at: Option<Time>,
}

impl Switch {
    /// Whether it stops somebody at `now`.
    pub(crate) fn is_on(&self, now: Time) -> bool {
        self.confirmed_at.is_some() && self.released_at.is_none() && now < self.expires_at
    }
}

/// What an organisation allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DevicePolicy)]
pub struct Policy {
    /// Only watch: nothing is locked without a person.
    pub shadow: bool,
    /// Phones that cannot attest may enrol.
    pub software_keys: bool,
    /// Why locking stopped by itself; a person resumes it.
    #[schema(value_type = Option<Object>)]
    pub halt: Option<Json>,
}

/// One entry of what happened to a phone.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeviceMoment)]
pub struct Moment {
    /// Its id; sorts by time.
    #[schema(max_length = 36)]
    pub id: String,
    /// What happened.
    #[schema(max_length = 64)]
    pub kind: String,
    /// Its particulars.
    #[schema(value_type = Object)]
    pub detail: Json,
    /// When.
    pub created_at: Time,
}

/// Why a phone may do what it may do.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeviceWhy)]
pub struct Why {
    /// The phone.
    pub device: Device,
    /// Its lock, when it has one.
    pub lock: Option<Lock>,
    /// Why there is none although there was reason, when that was so at the last window.
    pub withheld: Option<Withheld>,
    /// The newest window taken apart: parts with their weights, features with what is usual, checks.
    #[schema(value_type = Option<Object>)]
    pub explanation: Option<Json>,
    /// What the score must exceed, and what that was made from.
    #[schema(value_type = Option<Object>)]
    pub threshold: Option<Json>,
    /// What was added up, in standard deviations.
    pub accumulated: Option<f32>,
    /// Readings that were refused or mended so far, by reason.
    #[schema(value_type = Option<Object>)]
    pub faults: Option<Json>,
    /// Worth of the attestation now, 0 to 1.
    pub attestation_score: f64,
    /// The checks of the newest attestation.
    #[schema(value_type = Option<Object>)]
    pub attestation_report: Option<Json>,
}

impl Device {
    /// Worth of the newest attestation now, 0 to 1.
    #[must_use]
    pub fn attestation_score(&self, now: Time) -> f64 {
        match (self.attestation_state, self.attested_at) {
            (Attested::Passed, Some(at)) => {
                let age = chrono::TimeDelta::microseconds(now.micros().saturating_sub(at.micros()));
                attestation::score(self.attestation_level.into(), age)
            }
            _ => 0.0,
        }
    }

    /// The newest attestation as the threat engine takes it. A phone that cannot attest has nothing that could go stale: what is
    /// missing must not confirm what behaviour suspects, so it stands just short of stale, worth next to nothing.
    pub(crate) fn attestation(&self, now: Time) -> threat::Attestation {
        if self.platform == Platform::Software {
            return threat::Attestation::Passed { level: threat::Level::Basic, at: now.micros() - threat::STALE };
        }
        match (self.attestation_state, self.attested_at, self.attestation_level.proven()) {
            (Attested::Passed, Some(at), Some(level)) => threat::Attestation::Passed { level, at: at.micros() },
            // Refused by a floor alone it is a genuine answer still: it goes stale like one, and confirms nothing until then.
            (Attested::Outdated, Some(at), _) => threat::Attestation::Passed { level: threat::Level::Basic, at: at.micros() },
            (Attested::Failed, ..) => threat::Attestation::Failed { at: self.changed_at.micros() },
            _ => threat::Attestation::Never,
        }
    }

    /// Whether a lock stands at `now`.
    pub(crate) fn is_locked(&self, now: Time) -> bool {
        self.posture >= Posture::Lock && self.locked_until.is_none_or(|until| now < until)
    }

    /// Refuses to reach further than the phone's owner allows.
    pub(crate) fn allows(&self, reach: Reach) -> Result<()> {
        if self.ownership == Ownership::Byod && reach == Reach::Device { Err(errors::byod()) } else { Ok(()) }
    }
}

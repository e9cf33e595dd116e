//! Every action of this context. What a phone does for itself needs no permission: its key and token speak for it alone.

use base::{Action, Permission};

/// Look at phones, their locks, timelines and scores.
pub const READ: Action = Action::new("devices.read", Permission::ReadDevices);
/// Make a code with which one phone can enrol.
pub const CREATE_CODE: Action = Action::new("devices.create_code", Permission::WriteDevices);
/// Rename a phone, or put it on the list of those that are never locked by themselves.
pub const UPDATE: Action = Action::new("devices.update", Permission::WriteDevices);
/// Say what may enrol and whether locking only watches.
pub const UPDATE_POLICY: Action = Action::new("devices.update_policy", Permission::WriteDevices);
/// Let locking go on after it stopped by itself.
pub const RESUME: Action = Action::new("devices.resume", Permission::WriteDevices);
/// A person locks a phone.
pub const LOCK: Action = Action::new("devices.lock", Permission::WriteDevices);
/// A person keeps a lock beyond its day.
pub const CONFIRM_LOCK: Action = Action::new("devices.confirm_lock", Permission::WriteDevices);
/// A person releases a phone.
pub const UNLOCK: Action = Action::new("devices.unlock", Permission::WriteDevices);
/// Put a message over a phone's screen.
pub const OVERLAY: Action = Action::new("devices.overlay", Permission::WriteDevices);
/// Propose to stop a phone, an organisation's phones, or all.
pub const PROPOSE_SWITCH: Action = Action::new("devices.propose_switch", Permission::WriteDevices);
/// Throw a proposed kill switch.
pub const CONFIRM_SWITCH: Action = Action::new("devices.confirm_switch", Permission::WriteDevices);
/// Take a kill switch back.
pub const RELEASE_SWITCH: Action = Action::new("devices.release_switch", Permission::WriteDevices);

/// A phone enrols.
pub const ENROL: Action = Action::open("devices.enrol");
/// A phone proves again what it is.
pub const ATTEST: Action = Action::open("devices.attest");
/// A phone failed to prove what it is.
pub const ATTEST_FAILED: Action = Action::open("devices.attest_failed");
/// A phone exchanges its refresh token.
pub const REFRESH: Action = Action::open("devices.refresh");
/// A chain of refresh tokens dies.
pub const REVOKE_TOKENS: Action = Action::open("devices.revoke_tokens");
/// What a phone may do changes.
pub const CHANGE_POSTURE: Action = Action::open("devices.change_posture");
/// A phone is locked without a person.
pub const LOCK_ITSELF: Action = Action::open("devices.lock_itself");
/// There was reason to lock a phone, and it was not locked.
pub const WITHHOLD: Action = Action::open("devices.withhold_lock");
/// A lock ends because its time is over.
pub const EXPIRE: Action = Action::open("devices.expire_lock");
/// A phone tells what became of a command.
pub const ACKNOWLEDGE: Action = Action::open("devices.acknowledge");
/// A kill switch ends because its time is over.
pub const EXPIRE_SWITCH: Action = Action::open("devices.expire_switch");
/// What the phones of a barred person hold is worth nothing any more.
pub const REVOKE_BARRED: Action = Action::open("devices.revoke_barred");
/// The codes made for a barred person enrol nothing any more.
pub const END_CODES: Action = Action::open("devices.end_codes");
/// Tell phones of a kill switch.
pub const ANNOUNCE_SWITCH: Action = Action::open("devices.announce_switch");

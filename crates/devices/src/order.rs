//! What people order, and the rules of what they may write into it.

use base::{Result, Time, UserId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::errors;
use crate::model::DeviceId;
use crate::vocabulary::{Ownership, Plan, Reach, SwitchScope};

/// What a person may change of a phone: absent fields stay.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicePatch {
    /// What people call it.
    #[schema(min_length = 1, max_length = 128)]
    pub name: Option<String>,
    /// Never lock it without a person.
    pub allow_listed: Option<bool>,
}

/// What an enrolment code is made from.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCode {
    /// What the phone will be called.
    #[schema(min_length = 1, max_length = 128)]
    pub name: String,
    /// Who will carry it.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// Plan it will be judged by; free when absent.
    #[serde(default = "free")]
    pub plan: Plan,
    /// Whose it is; the organisation's when absent.
    #[serde(default = "corporate")]
    pub ownership: Ownership,
    /// When it can no longer be used; the configuration says how long when absent.
    #[serde(default)]
    pub expires_at: Option<Time>,
}

/// A lock as a person orders it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockOrder {
    /// Why, for whoever reads the log.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
    /// Quarantine: tokens are revoked too.
    #[serde(default)]
    pub quarantine: bool,
    /// How far it reaches; the application when absent.
    #[serde(default = "application")]
    pub reach: Reach,
    /// Seconds until it ends by itself, at most a day.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 86400)]
    pub seconds: Option<u32>,
}

/// Why something is done.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// Why, for whoever reads the log.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

/// A message over the screen of a phone.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlayOrder {
    /// What the user reads.
    #[schema(min_length = 1, max_length = 1000)]
    pub message: String,
    /// How far it reaches; the application when absent.
    #[serde(default = "application")]
    pub reach: Reach,
}

/// What a kill switch is proposed with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSwitch {
    /// Whom it is to stop.
    pub scope: SwitchScope,
    /// The one phone, for the scope `device`.
    #[serde(default)]
    pub device_id: Option<DeviceId>,
    /// Why.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
    /// Seconds until it ends by itself, at most a day; an hour when absent.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 86400)]
    pub seconds: Option<u32>,
}

/// A change of what an organisation allows: absent fields stay.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyPatch {
    /// Only watch.
    pub shadow: Option<bool>,
    /// Phones that cannot attest may enrol.
    pub software_keys: Option<bool>,
}

fn free() -> Plan {
    Plan::Free
}

fn corporate() -> Ownership {
    Ownership::Corporate
}

fn application() -> Reach {
    Reach::Application
}

/// One line of text: trimmed, not empty, no control characters.
pub(crate) fn line(pointer: &str, given: &str, most: usize) -> Result<String> {
    let text = given.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(errors::field(pointer, format!("it must be one line of 1 to {most} characters")));
    }
    Ok(text.to_owned())
}

/// As [`line`], where nothing may be given.
pub(crate) fn optional_line(pointer: &str, given: Option<&str>, most: usize) -> Result<Option<String>> {
    given.map(str::trim).filter(|text| !text.is_empty()).map(|text| line(pointer, text, most)).transpose()
}

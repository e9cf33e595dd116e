//! Enrolment codes: one phone, once, until a time.

use audit::Change;
use base::{Actor, Page, PageRequest, Result};
use serde_json::json;

use super::Devices;
use crate::model::Code;
use crate::order::{NewCode, line};
use crate::token::sha256;
use crate::{actions, errors, store};

/// What codes begin with.
const MARK: &str = "tec_";

impl Devices {
    /// Makes a code with which one phone can enrol; the code is in the answer and nowhere else.
    ///
    /// # Errors
    /// `Invalid` naming the field; `Forbidden`, also for a person who is unknown or kept out.
    pub async fn create_code(&self, actor: &Actor, new: NewCode) -> Result<Code> {
        let name = line("/name", &new.name, 128)?;
        actor.scope(actions::CREATE_CODE)?;
        self.welcome(actor.tenant, new.user_id).await.map_err(|error| error.at("/user_id"))?;
        let mut change = Change::begin(self.backends(), actor, actions::CREATE_CODE).await?;
        let now = change.now();
        let expires_at = new.expires_at.unwrap_or(now + self.config().code_life());
        if expires_at <= now || expires_at > now + std::time::Duration::from_secs(30 * 24 * 3600) {
            return Err(errors::field("/expires_at", "it must lie within the next thirty days"));
        }
        let secret = format!("{MARK}{}", self.backends().ids.secret(32)?.expose());
        let mut code = Code {
            id: change.id(),
            device_id: change.id(),
            name,
            user_id: new.user_id,
            plan: new.plan,
            ownership: new.ownership,
            created_at: now,
            expires_at,
            used_at: None,
            code: None,
        };
        store::codes::insert(&mut change, &code, &sha256(&secret), actor.user).await?;
        change.subject("enrolment_code", code.id);
        change.detail(json!({ "device": code.device_id, "name": code.name, "user": code.user_id, "plan": code.plan,
            "ownership": code.ownership, "expires_at": expires_at }));
        change.commit().await?;
        code.code = Some(secret);
        Ok(code)
    }

    /// Enrolment codes, newest first; the codes themselves are not shown.
    ///
    /// # Errors
    /// `Invalid` for a foreign cursor; `Forbidden`.
    pub async fn codes(&self, actor: &Actor, page: &PageRequest) -> Result<Page<Code>> {
        let scope = actor.scope(actions::READ)?;
        store::codes::list(&self.backends().db, &scope, page).await
    }
}

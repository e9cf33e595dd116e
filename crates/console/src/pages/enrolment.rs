//! Enrolment: codes with which phones join, and what the organisation allows its phones.

use std::time::Duration;

use askama::Template;
use auth::User;
use axum::extract::State;
use base::{Result, Time};
use devices::{Code, NewCode, Ownership, Plan, Policy, PolicyPatch};
use http::StatusCode;

use super::{Shown, done, page_of, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show_as};
use crate::request::Viewer;
use crate::{Services, Shared};

const OWNERSHIPS: &str = "corporate byod";
const PLANS: &str = "free professional high_security";
/// How long a code can be used, in hours.
const HOURS: &str = "1 24 168 720";
const HOUR: Duration = Duration::from_secs(3_600);

#[derive(Template)]
#[template(path = "devices/codes.html")]
struct CodesPage {
    frame: Frame,
    form: Form,
    codes: Vec<Code>,
    people: Vec<User>,
    /// The code just made.
    made: Option<Code>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "devices/policy.html")]
struct PolicyPage {
    frame: Frame,
    form: Form,
    policy: Policy,
    /// Why locking stopped by itself, as it was written down.
    halt: Option<String>,
}

/// Where a code stands now.
fn standing(code: &Code, now: &Time) -> &'static str {
    match code {
        code if code.used_at.is_some() => "used",
        code if code.expires_at <= *now => "expired",
        _ => "unused",
    }
}

fn beginning() -> Form {
    Form::of(Fields::default().set("ownership", "corporate").set("plan", "free").set("hours", "24"))
}

pub(crate) async fn codes(State(services): State<Shared>, viewer: Viewer) -> Shown {
    listed(&services, viewer, beginning(), None, StatusCode::OK).await
}

async fn listed(services: &Services, viewer: Viewer, form: Form, made: Option<Code>, status: StatusCode) -> Shown {
    let page = services.devices.codes(&viewer.actor, &page_of(&viewer.query)).await?;
    let next = viewer.query.next("/devices/codes", page.next_cursor);
    let people = super::devices::people(services, &viewer).await?;
    show_as(status, &CodesPage { frame: viewer.frame, form, codes: page.items, people, made, next })
}

pub(crate) async fn create(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let outcome = match built(&viewer, &fields) {
        Ok(new) => services.devices.create_code(&viewer.actor, new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(code) => listed(&services, viewer, beginning(), Some(code), StatusCode::OK).await,
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            listed(&services, viewer, form, None, status).await
        }
    }
}

fn built(viewer: &Viewer, fields: &Fields) -> Result<NewCode> {
    Ok(NewCode {
        name: fields.get("name").to_owned(),
        user_id: fields.word("user_id")?,
        plan: fields.word("plan")?.unwrap_or(Plan::Free),
        ownership: fields.word("ownership")?.unwrap_or(Ownership::Corporate),
        expires_at: fields.number::<u32>("hours")?.map(|hours| viewer.now + HOUR * hours),
    })
}

pub(crate) async fn policy(State(services): State<Shared>, viewer: Viewer) -> Shown {
    ruled(&services, viewer, Form::default(), StatusCode::OK).await
}

async fn ruled(services: &Services, viewer: Viewer, form: Form, status: StatusCode) -> Shown {
    let policy = services.devices.policy(&viewer.actor).await?;
    let halt = policy.halt.as_ref().and_then(|halt| serde_json::to_string_pretty(halt).ok());
    show_as(status, &PolicyPage { frame: viewer.frame, form, policy, halt })
}

pub(crate) async fn set_policy(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let patch = PolicyPatch { shadow: Some(fields.get("shadow") == "true"), software_keys: Some(fields.get("software_keys") == "true") };
    services.devices.patch_policy(&viewer.actor, patch).await?;
    Ok(done("/devices/policy", "saved"))
}

pub(crate) async fn resume(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    match services.devices.resume(&viewer.actor, fields.get("reason")).await {
        Ok(_) => Ok(done("/devices/policy", "locking_resumed")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            ruled(&services, viewer, form, status).await
        }
    }
}

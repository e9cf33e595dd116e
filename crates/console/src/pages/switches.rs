//! Kill switches: proposed with a count of whom they would stop, thrown with the password again, taken back with a reason.

use askama::Template;
use axum::extract::State;
use base::{Error, Kind, Result};
use devices::{Device, NewSwitch, Switch, SwitchId, SwitchScope};
use http::StatusCode;

use super::device_orders::password;
use super::{Shown, done, first, page_of, readable, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared, errors};

const SCOPES: &str = "device tenant global";
/// How long a switch may last, in hours.
const HOURS: &str = "1 4 8 24";
const SECONDS_PER_HOUR: u32 = 3_600;

#[derive(Template)]
#[template(path = "devices/switches.html")]
struct ListPage {
    frame: Frame,
    switches: Vec<Switch>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "devices/switch_new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    /// The phones to choose from.
    devices: Vec<Device>,
}

#[derive(Template)]
#[template(path = "devices/switch.html")]
struct SwitchPage {
    frame: Frame,
    form: Form,
    switch: Switch,
    device: Option<Device>,
    /// Whether another person has to throw it.
    needs_other: bool,
}

/// Where a switch stands now.
fn standing(frame: &Frame, switch: &Switch) -> &'static str {
    match switch {
        switch if switch.released_by.is_some() => "taken_back",
        switch if switch.expires_at <= frame.now => "over",
        switch if switch.confirmed_at.is_some() => "thrown",
        _ => "asked",
    }
}

/// How many phones it stops, or would.
pub(crate) fn affected(switch: &Switch) -> u64 {
    u64::try_from(switch.affects).unwrap_or_default()
}

/// Switches that stop somebody now.
pub(crate) async fn on(services: &Services, viewer: &Viewer) -> Result<Vec<Switch>> {
    let mut found = services.devices.switches(&viewer.actor, &first(50)).await?.items;
    found.retain(|switch| standing(&viewer.frame, switch) == "thrown");
    Ok(found)
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let page = services.devices.switches(&viewer.actor, &page_of(&viewer.query)).await?;
    let next = viewer.query.next("/devices/switches", page.next_cursor);
    render(&ListPage { frame: viewer.frame, switches: page.items, next })
}

pub(crate) async fn new(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let device = viewer.query.get("device").to_owned();
    let scope = if device.is_empty() { SwitchScope::Tenant } else { SwitchScope::Device };
    let fields = Fields::default().set("scope", scope.as_str()).set("device_id", device).set("hours", "1");
    asked(&services, viewer, Form::of(fields), StatusCode::OK).await
}

async fn asked(services: &Services, viewer: Viewer, form: Form, status: StatusCode) -> Shown {
    let page = services.devices.list(&viewer.actor, &devices::Filter::default(), &first(500)).await?;
    let devices = page.items.into_iter().map(|seen| seen.device).collect();
    show_as(status, &NewPage { frame: viewer.frame, form, devices })
}

pub(crate) async fn propose(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let outcome = match built(&fields) {
        Ok(new) => services.devices.propose_switch(&viewer.actor, new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(switch) => Ok(done(&format!("/devices/switches/{}", switch.id), "switch_proposed")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            asked(&services, viewer, form, status).await
        }
    }
}

fn built(fields: &Fields) -> Result<NewSwitch> {
    let scope = fields.word("scope")?.ok_or_else(|| errors::no_choice("scope"))?;
    let device_id = match scope {
        SwitchScope::Device => Some(fields.word("device_id")?.ok_or_else(|| errors::no_choice("device_id"))?),
        SwitchScope::Tenant | SwitchScope::Global => None,
    };
    let seconds = fields.number::<u32>("hours")?.map(|hours| hours.saturating_mul(SECONDS_PER_HOUR));
    Ok(NewSwitch { scope, device_id, reason: fields.get("reason").to_owned(), seconds })
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Switch>) -> Shown {
    shown(&services, viewer, id, Form::default(), StatusCode::OK).await
}

async fn shown(services: &Services, viewer: Viewer, id: SwitchId, form: Form, status: StatusCode) -> Shown {
    let found = services.devices.switches(&viewer.actor, &first(500)).await?.items;
    let switch = found.into_iter().find(|switch| switch.id == id).ok_or_else(errors::no_such_page)?;
    let device = match switch.device_id {
        Some(id) => readable(services.devices.get(&viewer.actor, id).await)?.map(|seen| seen.device),
        None => None,
    };
    let needs_other = switch.scope == SwitchScope::Global && switch.proposer == viewer.actor.username;
    show_as(status, &SwitchPage { frame: viewer.frame, form, switch, device, needs_other })
}

pub(crate) async fn throw(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Switch>, fields: Fields) -> Shown {
    let outcome = services.devices.confirm_switch(&viewer.actor, id, password(&fields).as_ref()).await.map(drop);
    answered(&services, viewer, id, outcome, "switch_thrown").await
}

pub(crate) async fn release(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Switch>, fields: Fields) -> Shown {
    let outcome = services.devices.release_switch(&viewer.actor, id, fields.get("reason")).await.map(drop);
    answered(&services, viewer, id, outcome, "switch_released").await
}

async fn answered(services: &Services, viewer: Viewer, id: SwitchId, outcome: Result<()>, what: &str) -> Shown {
    match outcome {
        Ok(()) => Ok(done(&format!("/devices/switches/{id}"), what)),
        Err(error) => {
            // Signing in again would not help: it is the password of this form that is wrong.
            let is_password = error.kind() == Kind::Unauthenticated;
            let error = if is_password { Error::at(error, "/password") } else { error };
            let status = if is_password { StatusCode::FORBIDDEN } else { crate::failure::status(error.kind()) };
            // A password is never sent back.
            let form = refused(&viewer, Fields::default(), error)?;
            shown(services, viewer, id, form, status).await
        }
    }
}

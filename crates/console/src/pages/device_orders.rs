//! What a person orders about a phone: lock, keep the lock, release, a message, a name. Each has a page of its own and a reason.

use askama::Template;
use axum::extract::{Path, State};
use base::{Result, Secret};
use devices::{Device, DeviceId, DevicePatch, LockOrder, OverlayOrder, Ownership, Reach};
use http::StatusCode;

use super::{Shown, done, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show_as};
use crate::request::Viewer;
use crate::{Services, Shared, errors};

/// How long a lock may last, in hours.
const HOURS: &str = "1 4 8 24";
const SECONDS_PER_HOUR: u32 = 3_600;

#[derive(Template)]
#[template(path = "devices/order.html")]
struct OrderPage {
    frame: Frame,
    form: Form,
    device: Device,
    order: Order,
}

/// What can be ordered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Lock,
    Keep,
    Unlock,
    Message,
    Edit,
}

impl Order {
    const ALL: [Self; 5] = [Self::Lock, Self::Keep, Self::Unlock, Self::Message, Self::Edit];

    /// Its word in addresses and in the catalogue.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Keep => "keep",
            Self::Unlock => "unlock",
            Self::Message => "message",
            Self::Edit => "edit",
        }
    }

    fn of(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == word).ok_or_else(errors::no_such_page)
    }

    /// What stands in the form at first.
    fn fields(self, device: &Device) -> Fields {
        let fields = Fields::default();
        match self {
            Self::Lock => fields.set("hours", "24").set("reach", Reach::Application.as_str()),
            Self::Edit => fields.set("name", &device.name).set("allow_listed", device.allow_listed.to_string()),
            Self::Message => fields.set("reach", Reach::Application.as_str()),
            Self::Keep | Self::Unlock => fields,
        }
    }
}

/// Whether the phone belongs to its user, who keeps everything but the application.
fn is_own(device: &Device) -> bool {
    device.ownership == Ownership::Byod
}

fn named(path: &(String, String)) -> Result<(DeviceId, Order)> {
    let id = path.0.parse().map_err(|_| errors::no_such_page())?;
    Ok((id, Order::of(&path.1)?))
}

pub(crate) async fn form(State(services): State<Shared>, viewer: Viewer, Path(path): Path<(String, String)>) -> Shown {
    let (id, order) = named(&path)?;
    let device = services.devices.get(&viewer.actor, id).await?.device;
    let form = Form::of(order.fields(&device));
    show_as(StatusCode::OK, &OrderPage { frame: viewer.frame, form, device, order })
}

pub(crate) async fn give(State(services): State<Shared>, viewer: Viewer, Path(path): Path<(String, String)>, fields: Fields) -> Shown {
    let (id, order) = named(&path)?;
    match ordered(&services, &viewer, id, order, &fields).await {
        Ok(()) => {
            let what = match order {
                Order::Lock => "device_locked",
                Order::Keep => "lock_kept",
                Order::Unlock => "device_released",
                Order::Message => "message_sent",
                Order::Edit => "saved",
            };
            Ok(done(&format!("/devices/{id}"), what))
        }
        Err(error) => {
            let device = services.devices.get(&viewer.actor, id).await?.device;
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            show_as(status, &OrderPage { frame: viewer.frame, form, device, order })
        }
    }
}

async fn ordered(services: &Services, viewer: &Viewer, id: DeviceId, order: Order, fields: &Fields) -> Result<()> {
    let (devices, actor, reason) = (&services.devices, &viewer.actor, fields.get("reason"));
    let reach = fields.word("reach")?.unwrap_or(Reach::Application);
    match order {
        Order::Lock => {
            let seconds = fields.number::<u32>("hours")?.map(|hours| hours.saturating_mul(SECONDS_PER_HOUR));
            let quarantine = fields.get("quarantine") == "true";
            devices.lock(actor, id, LockOrder { reason: reason.to_owned(), quarantine, reach, seconds }).await.map(drop)
        }
        Order::Keep => devices.confirm_lock(actor, id, reason).await.map(drop),
        Order::Unlock => devices.unlock(actor, id, reason).await.map(drop),
        Order::Message => devices.overlay(actor, id, OverlayOrder { message: fields.get("message").to_owned(), reach }).await.map(drop),
        Order::Edit => {
            let patch = DevicePatch { name: fields.text("name"), allow_listed: Some(fields.get("allow_listed") == "true") };
            devices.patch(actor, id, patch).await.map(drop)
        }
    }
}

/// A password exactly as typed; none when nothing was.
pub(crate) fn password(fields: &Fields) -> Option<Secret<String>> {
    Some(fields.raw("password")).filter(|typed| !typed.is_empty()).map(|typed| Secret::new(typed.to_owned()))
}

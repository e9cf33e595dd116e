//! Streams: made, changed, paused, ended, verified; and what they hold.

use audit::Change;
use base::{Actor, Page, PageRequest, Result, Secret};
use serde_json::json;
use url::{Host, Url};

use super::Integrations;
use crate::jobs::PushEvents;
use crate::model::{
    BETWEEN_VERIFICATIONS, Configuration, DeliveryOrder, Held, HeldState, LONGEST_STATE, Method, NewStream, Status, Stream, StreamId,
    StreamPatch, StreamStatus, Tally,
};
use crate::signals::{STREAM_UPDATED, SUPPORTED, VERIFICATION};
use crate::{actions, errors, store, subject};

/// Streams of one organisation.
const MOST: i64 = 50;
const LONGEST_HEADER: usize = 4_096;
const LONGEST_DESCRIPTION: usize = 256;
const LONGEST_REASON: usize = 1_000;

impl Integrations {
    /// Streams, newest first.
    ///
    /// # Errors
    /// `Invalid` for a foreign cursor; `Forbidden`.
    pub async fn streams(&self, actor: &Actor, page: &PageRequest) -> Result<Page<Stream>> {
        store::streams::list(&self.backends().db, &actor.scope(actions::READ)?, page).await
    }

    /// One stream.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn stream(&self, actor: &Actor, id: StreamId) -> Result<Stream> {
        store::streams::find(&self.backends().db, &actor.scope(actions::READ)?, id).await?.ok_or_else(errors::no_stream)
    }

    /// A stream as receivers read it.
    #[must_use]
    pub fn configuration(&self, stream: &Stream) -> Configuration {
        stream.configuration(self.issuer(), &self.api())
    }

    /// Makes a stream.
    ///
    /// # Errors
    /// `Invalid` naming the member; `Conflict` when there are too many; `Forbidden`.
    pub async fn create_stream(&self, actor: &Actor, new: NewStream) -> Result<Stream> {
        let mut change = Change::begin(self.backends(), actor, actions::CREATE_STREAM).await?;
        if store::streams::count(&mut change).await? >= MOST {
            return Err(errors::too_many_streams(MOST));
        }
        let all = || SUPPORTED.iter().map(|event| (*event).to_owned()).collect();
        let mut stream = Stream {
            id: change.id(),
            tenant: actor.tenant,
            description: described(new.description)?,
            method: Method::Poll,
            endpoint: None,
            authorization: None,
            requested: wanted(new.events_requested.unwrap_or_else(all))?,
            status: Status::Enabled,
            reason: None,
            created_by: actor.username.clone(),
            created_at: change.now(),
            verified_at: None,
            trouble: None,
        };
        if let Some(order) = new.delivery {
            self.direct(&mut stream, order).await?;
        }
        store::streams::insert(&mut change, &stream).await?;
        change.subject("event_stream", stream.id);
        change.detail(told(&stream));
        change.commit().await?;
        Ok(stream)
    }

    /// Changes a stream: absent members stay, or, when it is `whole`, are taken back.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` naming the member; `Forbidden`.
    pub async fn update_stream(&self, actor: &Actor, patch: StreamPatch, whole: bool) -> Result<Stream> {
        let mut change = Change::begin(self.backends(), actor, actions::UPDATE_STREAM).await?;
        let mut stream = store::streams::hold(&mut change, patch.stream_id).await?.ok_or_else(errors::no_stream)?;
        for (name, given, own) in [("iss", patch.iss, self.issuer().to_owned()), ("aud", patch.aud, stream.audience(self.issuer()))] {
            if given.is_some_and(|given| given != own) {
                return Err(errors::read_only(name));
            }
        }
        let before = told(&stream);
        match patch.events_requested {
            Some(events) => stream.requested = wanted(events)?,
            None if whole => stream.requested = SUPPORTED.iter().map(|event| (*event).to_owned()).collect(),
            None => {}
        }
        if patch.description.is_some() || whole {
            stream.description = described(patch.description)?;
        }
        match patch.delivery {
            Some(order) => self.direct(&mut stream, order).await?,
            None if whole => {
                self.direct(&mut stream, DeliveryOrder { method: Method::Poll, endpoint_url: None, authorization_header: None }).await?;
            }
            None => {}
        }
        store::streams::update(&mut change, &stream).await?;
        change.subject("event_stream", stream.id);
        change.detail(json!({ "before": before, "after": told(&stream) }));
        self.push_now(&mut change, &stream).await?;
        change.commit().await?;
        self.wake(stream.id).await;
        Ok(stream)
    }

    /// Ends a stream; what waits in it is gone.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn delete_stream(&self, actor: &Actor, id: StreamId) -> Result<()> {
        let mut change = Change::begin(self.backends(), actor, actions::DELETE_STREAM).await?;
        let stream = store::streams::hold(&mut change, id).await?.ok_or_else(errors::no_stream)?;
        store::streams::delete(&mut change, id).await?;
        change.subject("event_stream", id);
        change.detail(told(&stream));
        change.commit().await
    }

    /// Enables, pauses or disables a stream; `tells` its receiver, who did not ask for it.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a reason that is too long; `Forbidden`.
    pub async fn set_status(&self, actor: &Actor, order: StreamStatus, tells: bool) -> Result<Stream> {
        let reason = line("/reason", order.reason, LONGEST_REASON)?;
        let mut change = Change::begin(self.backends(), actor, actions::UPDATE_STREAM).await?;
        let mut stream = store::streams::hold(&mut change, order.stream_id).await?.ok_or_else(errors::no_stream)?;
        let before = stream.status;
        store::streams::set_status(&mut change, stream.id, order.status, reason.as_deref()).await?;
        if order.status == Status::Disabled {
            store::held::drop_waiting(&mut change, stream.id).await?;
        }
        (stream.status, stream.reason) = (order.status, reason);
        if tells && before != stream.status {
            let claims = json!({ "status": stream.status, "reason": stream.reason });
            self.about_itself(&mut change, &stream, STREAM_UPDATED, claims).await?;
        }
        change.subject("event_stream", stream.id);
        change.detail(json!({ "before": before, "after": stream.status }));
        if let Some(reason) = &stream.reason {
            change.reason(reason);
        }
        self.push_now(&mut change, &stream).await?;
        change.commit().await?;
        self.wake(stream.id).await;
        Ok(stream)
    }

    /// Puts an event into the stream that proves it works; `state` comes back in it.
    ///
    /// # Errors
    /// `NotFound`; `TooMany` when it was asked for a moment ago; `Invalid` for a state that is too long; `Forbidden`.
    pub async fn verify_stream(&self, actor: &Actor, id: StreamId, state: Option<String>) -> Result<()> {
        if state.as_ref().is_some_and(|state| state.chars().count() > LONGEST_STATE) {
            return Err(errors::text("/state", LONGEST_STATE));
        }
        let mut change = Change::begin(self.backends(), actor, actions::VERIFY_STREAM).await?;
        let stream = store::streams::hold(&mut change, id).await?.ok_or_else(errors::no_stream)?;
        let between = std::time::Duration::from_secs(BETWEEN_VERIFICATIONS.into());
        let now = change.now();
        if let Some(at) = stream.verified_at.filter(|at| *at + between > now) {
            return Err(errors::verified_lately((at + between).since(now)));
        }
        store::streams::set_verified(&mut change, id, now).await?;
        let claims = state.map_or_else(|| json!({}), |state| json!({ "state": state }));
        self.about_itself(&mut change, &stream, VERIFICATION, claims).await?;
        change.subject("event_stream", id);
        self.push_now(&mut change, &stream).await?;
        change.commit().await?;
        self.wake(id).await;
        Ok(())
    }

    /// Events of a stream, newest first.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a foreign cursor; `Forbidden`.
    pub async fn held(&self, actor: &Actor, id: StreamId, state: Option<HeldState>, page: &PageRequest) -> Result<Page<Held>> {
        self.stream(actor, id).await?;
        store::held::list(&self.backends().db, &actor.scope(actions::READ)?, id, state, page).await
    }

    /// How many events of a stream wait, arrived, are dead.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn tally(&self, actor: &Actor, id: StreamId) -> Result<Tally> {
        store::held::tally(&self.backends().db, &actor.scope(actions::READ)?, id).await
    }

    /// Lets dead events of a stream wait for its receiver again; how many.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn resend(&self, actor: &Actor, id: StreamId) -> Result<u64> {
        let mut change = Change::begin(self.backends(), actor, actions::RESEND).await?;
        let stream = store::streams::hold(&mut change, id).await?.ok_or_else(errors::no_stream)?;
        let revived = store::held::revive(&mut change, id).await?;
        change.subject("event_stream", id);
        change.detail(json!({ "events": revived }));
        self.push_now(&mut change, &stream).await?;
        change.commit().await?;
        self.wake(id).await;
        Ok(revived)
    }

    /// Where the stream's events go from now on.
    async fn direct(&self, stream: &mut Stream, order: DeliveryOrder) -> Result<()> {
        stream.method = order.method;
        if order.method == Method::Poll {
            (stream.endpoint, stream.authorization) = (None, None);
            return Ok(());
        }
        let endpoint = endpoint(order.endpoint_url.as_deref().unwrap_or_default())?;
        match order.authorization_header {
            Some(header) => stream.authorization = Some(self.sealed(stream.id, &header).await?),
            // A secret is for the place it was given for.
            None if stream.endpoint.as_ref() != Some(&endpoint) => stream.authorization = None,
            None => {}
        }
        stream.endpoint = Some(endpoint);
        Ok(())
    }

    async fn sealed(&self, id: StreamId, header: &Secret<String>) -> Result<Vec<u8>> {
        let text = header.expose().trim();
        if text.is_empty() || text.len() > LONGEST_HEADER || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(errors::authorization());
        }
        self.backends().keys.seal(&place(id), text.as_bytes()).await
    }

    /// An event about the stream itself.
    async fn about_itself(&self, change: &mut Change, stream: &Stream, event: &str, claims: serde_json::Value) -> Result<()> {
        let id = change.id();
        let held = Held {
            id,
            transaction: id.to_string(),
            event: event.to_owned(),
            subject: subject::stream(stream.id),
            claims,
            state: HeldState::Waiting,
            tries: 0,
            error: None,
            created_at: change.now(),
            finished_at: None,
        };
        store::held::insert(change, stream.id, &held, true).await.map(drop)
    }

    /// Queues bringing what waits at once, also when an earlier try waits for its next turn: a person did something about it.
    async fn push_now(&self, change: &mut Change, stream: &Stream) -> Result<()> {
        if stream.method == Method::Push {
            let now = change.now();
            change.enqueue_at(&PushEvents { stream: stream.id }, now, Some(&format!("{}:now", stream.id))).await?;
        }
        Ok(())
    }

    /// Queues bringing what waits; one such job at a time for each stream.
    pub(super) async fn push_soon(&self, change: &mut Change, stream: &Stream) -> Result<()> {
        if stream.method == Method::Push {
            let now = change.now();
            change.enqueue_at(&PushEvents { stream: stream.id }, now, Some(&stream.id.to_string())).await?;
        }
        Ok(())
    }
}

/// Where a stream's secret is sealed for.
pub(super) fn place(id: StreamId) -> String {
    format!("event_streams.authorization_sealed:{id}")
}

fn told(stream: &Stream) -> serde_json::Value {
    json!({ "method": stream.method, "endpoint": stream.endpoint, "events": stream.requested, "description": stream.description })
}

fn line(pointer: &str, given: Option<String>, most: usize) -> Result<Option<String>> {
    let Some(text) = given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > most || text.chars().any(char::is_control) { Err(errors::text(pointer, most)) } else { Ok(Some(text)) }
}

fn described(given: Option<String>) -> Result<Option<String>> {
    line("/description", given, LONGEST_DESCRIPTION)
}

/// Event types as asked for; what is unknown is kept, for a later version may know it.
fn wanted(events: Vec<String>) -> Result<Vec<String>> {
    let is_sound =
        events.len() <= 64 && events.iter().all(|event| (1..=256).contains(&event.len()) && !event.chars().any(char::is_control));
    if is_sound { Ok(events) } else { Err(errors::text("/events_requested", 256)) }
}

/// Events are secrets of their subjects: they travel encrypted, except on this machine.
fn endpoint(text: &str) -> Result<String> {
    let url = Url::parse(text).map_err(errors::endpoint)?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if text.len() > 2_048 {
        return Err(errors::endpoint("it is longer than 2048 characters"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(errors::endpoint("it holds a user, a password or a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url.to_string()),
        "http" if is_here => Ok(url.to_string()),
        scheme => Err(errors::endpoint(format!("`{scheme}` is not https"))),
    }
}

//! The nouns: streams of events to receivers, what is ordered of them, and the events they hold.

use std::collections::BTreeMap;

use base::{Error, Id, Secret, TenantId, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::errors;
use crate::signals::SUPPORTED;

/// A stream's id.
pub type StreamId = Id<Stream>;
/// An event's id in a stream, `jti` of its token.
pub(crate) type HeldId = Id<Held>;

/// Seconds between two requests for verification of a stream.
pub(crate) const BETWEEN_VERIFICATIONS: u32 = 5;
/// Longest `state` of a verification, in characters: it is kept and sent with the event.
pub(crate) const LONGEST_STATE: usize = 1024;

/// How events reach a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Method {
    /// The transmitter brings them (RFC 8935).
    #[serde(rename = "urn:ietf:rfc:8935")]
    Push,
    /// The receiver fetches them (RFC 8936).
    #[serde(rename = "urn:ietf:rfc:8936")]
    Poll,
}

/// Whether a stream brings events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EventStreamState)]
pub enum Status {
    /// It does.
    Enabled,
    /// It keeps them until it is enabled again.
    Paused,
    /// It neither brings nor keeps them.
    Disabled,
}

/// What became of an event in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldState {
    /// It waits for its receiver.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// The receiver refused it, or could not be reached for hours.
    Dead,
}

macro_rules! texts {
    ($name:ident { $($variant:ident = $text:literal),+ }) => {
        impl $name {
            /// Its text in tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(errors::text("/status", 16)),
                }
            }
        }
    };
}

texts!(Method { Push = "push", Poll = "poll" });
texts!(Status { Enabled = "enabled", Paused = "paused", Disabled = "disabled" });
texts!(HeldState { Waiting = "waiting", Delivered = "delivered", Dead = "dead" });

/// A stream of events to one receiver.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its id.
    pub id: StreamId,
    /// What people call it.
    pub description: Option<String>,
    /// How events reach the receiver.
    pub method: Method,
    /// Where they are pushed to.
    pub endpoint: Option<String>,
    /// Event types the receiver asked for, known or not.
    pub requested: Vec<String>,
    /// Whether it brings events.
    pub status: Status,
    /// Why it does not.
    pub reason: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Time,
    /// Why the last delivery failed; none after one that did not.
    pub trouble: Option<String>,
    pub(crate) tenant: TenantId,
    /// The header the receiver wants, sealed.
    pub(crate) authorization: Option<Vec<u8>>,
    pub(crate) verified_at: Option<Time>,
}

impl Stream {
    /// `aud` of its tokens: no other stream's receiver takes them.
    pub(crate) fn audience(&self, issuer: &str) -> String {
        format!("{issuer}/ssf/streams/{}", self.id)
    }

    /// The event types it brings.
    #[must_use]
    pub fn delivered(&self) -> Vec<&'static str> {
        SUPPORTED.iter().copied().filter(|event| self.requested.iter().any(|wanted| wanted == event)).collect()
    }

    /// Its configuration as receivers read it (SSF 1.0 §8.1.1).
    pub(crate) fn configuration(&self, issuer: &str, api: &str) -> Configuration {
        let endpoint_url = match self.method {
            Method::Push => self.endpoint.clone().unwrap_or_default(),
            Method::Poll => format!("{api}/ssf/poll/{}", self.id),
        };
        Configuration {
            stream_id: self.id,
            iss: issuer.to_owned(),
            aud: self.audience(issuer),
            events_supported: SUPPORTED.iter().map(|event| (*event).to_owned()).collect(),
            events_requested: self.requested.clone(),
            events_delivered: self.delivered().into_iter().map(str::to_owned).collect(),
            delivery: DeliveryShown { method: self.method, endpoint_url },
            min_verification_interval: BETWEEN_VERIFICATIONS,
            description: self.description.clone(),
        }
    }
}

/// A stream as receivers read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EventStream)]
pub struct Configuration {
    /// Its id.
    pub stream_id: StreamId,
    /// `iss` of its tokens.
    #[schema(max_length = 2048)]
    pub iss: String,
    /// `aud` of its tokens.
    #[schema(max_length = 2048)]
    pub aud: String,
    /// Event types there are.
    #[schema(max_items = 16)]
    pub events_supported: Vec<String>,
    /// Event types the receiver asked for.
    #[schema(max_items = 64)]
    pub events_requested: Vec<String>,
    /// Event types it gets.
    #[schema(max_items = 16)]
    pub events_delivered: Vec<String>,
    /// How events reach the receiver.
    pub delivery: DeliveryShown,
    /// Seconds between two requests for verification.
    #[schema(minimum = 0)]
    pub min_verification_interval: u32,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 256)]
    pub description: Option<String>,
}

/// How events reach a receiver, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EventDelivery)]
pub struct DeliveryShown {
    /// RFC 8935 (push) or RFC 8936 (poll).
    pub method: Method,
    /// Where events are pushed to, or fetched from.
    #[schema(max_length = 2048)]
    pub endpoint_url: String,
}

/// How a receiver wants events to reach it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = EventDeliveryOrder)]
pub struct DeliveryOrder {
    /// RFC 8935 (push) or RFC 8936 (poll).
    pub method: Method,
    /// Where events are pushed to; a stream that is polled gets its address from the transmitter.
    #[serde(default)]
    #[schema(max_length = 2048)]
    pub endpoint_url: Option<String>,
    /// Sent as `Authorization` with every event; never shown again.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4096, format = Password)]
    pub authorization_header: Option<Secret<String>>,
}

/// What a stream is made from. Members of later versions are ignored, as the framework asks.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = NewEventStream)]
pub struct NewStream {
    /// Event types the receiver wants; unknown ones are ignored, all there are when absent.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub events_requested: Option<Vec<String>>,
    /// How they reach it; polled when absent.
    #[serde(default)]
    pub delivery: Option<DeliveryOrder>,
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 256)]
    pub description: Option<String>,
}

/// A change of a stream: absent members stay.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = EventStreamPatch)]
pub struct StreamPatch {
    /// The stream.
    pub stream_id: StreamId,
    /// Event types the receiver wants.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub events_requested: Option<Vec<String>>,
    /// How they reach it.
    #[serde(default)]
    pub delivery: Option<DeliveryOrder>,
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 256)]
    pub description: Option<String>,
    /// What only the transmitter sets; may be repeated as it is.
    #[serde(default)]
    #[schema(max_length = 2048)]
    pub iss: Option<String>,
    /// The same.
    #[serde(default)]
    #[schema(max_length = 2048)]
    pub aud: Option<String>,
}

/// Whether a stream brings events, and why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EventStreamStatus)]
pub struct StreamStatus {
    /// The stream.
    pub stream_id: StreamId,
    /// Whether it does.
    pub status: Status,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// About whom a stream is to bring events, or no longer.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = EventSubjectOrder)]
pub struct SubjectOrder {
    /// The stream.
    pub stream_id: StreamId,
    /// The subject (RFC 9493).
    #[schema(value_type = Object)]
    pub subject: Json,
    /// Whether the receiver has verified it; taken note of by nobody here.
    #[serde(default)]
    pub verified: Option<bool>,
}

/// A request for proof that a stream works.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = EventStreamVerification)]
pub(crate) struct Verification {
    /// The stream.
    pub(crate) stream_id: StreamId,
    /// Comes back in the event.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(crate) state: Option<String>,
}

/// What a receiver asks when it polls (RFC 8936 §2.2).
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct PollRequest {
    /// How many events at most, of which one answer has a thousand; none at all with 0.
    #[serde(default, rename = "maxEvents")]
    #[schema(minimum = 0, maximum = 4_294_967_295_u32, format = "int64")]
    pub max_events: Option<u32>,
    /// Answer at once even when there is none.
    #[serde(default, rename = "returnImmediately")]
    pub return_immediately: bool,
    /// `jti` of events it has taken; unknown ones are ignored.
    #[serde(default)]
    #[schema(max_items = 10_000)]
    pub ack: Vec<String>,
    /// Events it cannot take, by `jti`; at most ten thousand.
    #[serde(default, rename = "setErrs")]
    pub set_errs: BTreeMap<String, PollError>,
}

/// Why a receiver cannot take an event.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct PollError {
    /// A word of RFC 8935 §2.4.
    #[serde(default)]
    #[schema(max_length = 256)]
    pub err: String,
    /// The same for people.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub description: String,
}

/// What a poll brings.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct PollAnswer {
    /// Event tokens by `jti`; the same again until they are acknowledged.
    pub sets: BTreeMap<String, String>,
    /// Whether there are more.
    #[serde(rename = "moreAvailable", skip_serializing_if = "std::ops::Not::not")]
    pub more_available: bool,
}

/// An event in a stream.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = HeldEvent)]
pub struct Held {
    /// `jti` of its token.
    #[schema(value_type = String, max_length = 36)]
    pub id: Id<Held>,
    /// `txn`: the same for everything told because of one thing that happened.
    #[schema(max_length = 64)]
    pub transaction: String,
    /// Its type.
    #[schema(max_length = 256)]
    pub event: String,
    /// Whom it is about (RFC 9493).
    #[schema(value_type = Object)]
    pub subject: Json,
    /// What it says.
    #[schema(value_type = Object)]
    pub claims: Json,
    /// What became of it.
    pub state: HeldState,
    /// How often it was tried.
    #[schema(minimum = 0)]
    pub tries: i64,
    /// Why it is dead.
    #[schema(max_length = 1000)]
    pub error: Option<String>,
    /// When it happened.
    pub created_at: Time,
    /// When it was delivered or given up.
    pub finished_at: Option<Time>,
}

/// How many events of a stream wait, arrived, are dead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// They wait for the receiver.
    pub waiting: u64,
    /// The receiver has them.
    pub delivered: u64,
    /// They were given up.
    pub dead: u64,
}

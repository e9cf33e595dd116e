//! Phones: who they are, what they may do, what they are told. Behaviour alone never locks, a lock always explains itself, and a lost
//! reply never locks an honest phone.

pub mod actions;
mod bars;
mod config;
mod errors;
pub mod events;
mod evidence;
mod grpc;
mod http;
mod hub;
mod jobs;
mod line;
mod live;
mod model;
mod order;
mod proof;
mod revocations;
mod service;
mod socket;
mod store;
mod token;
mod vocabulary;
mod wire;
mod words;

pub use self::grpc::grpc;
pub use self::http::routes;
pub use attestation::dpop::Proof;
pub use config::{Android, Apple, BreakerConfig, Config, Grpc, Play, RefreshDays};
pub use jobs::{AnnounceSwitch, ExpireLocks, jobs};
pub use live::Simplified;
pub use model::{
    Code, CodeId, Command, CommandId, Device, DeviceId, Filter, Lock, LockId, Moment, Policy, Sample, Seen, Switch, SwitchId, Why,
};
pub use order::{Because, DevicePatch, LockOrder, NewCode, NewSwitch, OverlayOrder, PolicyPatch};
pub use proof::Presented;
pub use service::{
    Attestation, Attesting, Challenge, CommandPage, DeviceReason, Devices, Enrolled, Enrolment, News, People, Phone, Plight, SignalBatch,
    SignalReceipt, Tokens,
};
pub use threat::Overload;
pub use vocabulary::{Attested, Cause, CommandKind, Level, Outcome, Ownership, Plan, Platform, Posture, Reach, SwitchScope, Withheld};
pub use wire::v1;

//! Background work of this context: it hears of events by name, brings them, and looks after what was lost.

use std::time::Duration;

use backends::{Handlers, Job, Run, Schedule};
use base::Result;
use serde::{Deserialize, Serialize};

use crate::Integrations;
use crate::model::StreamId;
use crate::service::About;
use crate::signals::{self, Ground};

const QUEUE_NAME: &str = "integration_queue";

/// Brings what waits in a stream to its receiver.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PushEvents {
    /// The stream.
    pub(crate) stream: StreamId,
}

impl Job for PushEvents {
    const NAME: &'static str = "integrations.push";
    const QUEUE: &'static str = QUEUE_NAME;
    // With five minutes between two tries this is most of a working day.
    const ATTEMPTS: u32 = 90;
    type Service = Integrations;

    async fn run(self, integrations: &Integrations, run: &Run) -> Result<()> {
        integrations.push(self.stream, run).await
    }
}

/// Wakes streams that were forgotten, and forgets what was delivered long ago.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SweepEvents {}

impl Job for SweepEvents {
    const NAME: &'static str = "integrations.sweep";
    const QUEUE: &'static str = QUEUE_NAME;
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(15)));
    type Service = Integrations;

    async fn run(self, integrations: &Integrations, run: &Run) -> Result<()> {
        integrations.sweep(run).await
    }
}

/// A phone was locked or quarantined.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellLocked {
    device_id: String,
    #[serde(default)]
    user_id: Option<String>,
    cause: String,
    reason: String,
}

impl Job for TellLocked {
    const NAME: &'static str = "integrations.tell_locked";
    const QUEUE: &'static str = QUEUE_NAME;
    const ON: &'static [&'static str] = &["device.locked"];
    type Service = Integrations;

    async fn run(self, integrations: &Integrations, run: &Run) -> Result<()> {
        let told = signals::locked(&integrations.ground(run, &self.reason), &self.cause);
        integrations.transmit(run, About { device: Some(&self.device_id), user: self.user_id.as_deref() }, &told).await
    }
}

/// The lock of a phone ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellReleased {
    device_id: String,
    #[serde(default)]
    user_id: Option<String>,
    reason: String,
}

impl Job for TellReleased {
    const NAME: &'static str = "integrations.tell_released";
    const QUEUE: &'static str = QUEUE_NAME;
    const ON: &'static [&'static str] = &["device.released"];
    type Service = Integrations;

    async fn run(self, integrations: &Integrations, run: &Run) -> Result<()> {
        let told = signals::released(&integrations.ground(run, &self.reason));
        integrations.transmit(run, About { device: Some(&self.device_id), user: self.user_id.as_deref() }, &told).await
    }
}

/// What a phone may do changed without a lock.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellMoved {
    device_id: String,
    #[serde(default)]
    user_id: Option<String>,
    from: String,
    to: String,
}

impl Job for TellMoved {
    const NAME: &'static str = "integrations.tell_moved";
    const QUEUE: &'static str = QUEUE_NAME;
    const ON: &'static [&'static str] = &["device.posture_changed"];
    type Service = Integrations;

    async fn run(self, integrations: &Integrations, run: &Run) -> Result<()> {
        let reason = format!("the phone went from {} to {}", self.from, self.to);
        let told = signals::moved(&integrations.ground(run, &reason), &self.from, &self.to);
        integrations.transmit(run, About { device: Some(&self.device_id), user: self.user_id.as_deref() }, &told).await
    }
}

/// The tokens of a phone were revoked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellRevoked {
    device_id: String,
    #[serde(default)]
    user_id: Option<String>,
    reason: String,
}

impl Job for TellRevoked {
    const NAME: &'static str = "integrations.tell_revoked";
    const QUEUE: &'static str = QUEUE_NAME;
    const ON: &'static [&'static str] = &["device.tokens_revoked"];
    type Service = Integrations;

    async fn run(self, integrations: &Integrations, run: &Run) -> Result<()> {
        let told = [signals::revoked(&integrations.ground(run, &self.reason))];
        integrations.transmit(run, About { device: Some(&self.device_id), user: self.user_id.as_deref() }, &told).await
    }
}

/// A kill switch stopped one phone, or all of the organisation.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellStopped {
    #[serde(default)]
    device_id: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    reason: String,
}

impl Job for TellStopped {
    const NAME: &'static str = "integrations.tell_stopped";
    const QUEUE: &'static str = QUEUE_NAME;
    const ON: &'static [&'static str] = &["device.stopped"];
    type Service = Integrations;

    async fn run(self, integrations: &Integrations, run: &Run) -> Result<()> {
        // A person threw the switch, whoever told the phones of it.
        let ground = Ground { by_person: true, ..integrations.ground(run, &self.reason) };
        let about = About { device: self.device_id.as_deref(), user: self.user_id.as_deref() };
        integrations.transmit(run, about, &[signals::revoked(&ground)]).await
    }
}

/// A person was locked out or removed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TellBarred {
    user_id: String,
    reason: String,
}

impl Job for TellBarred {
    const NAME: &'static str = "integrations.tell_barred";
    const QUEUE: &'static str = QUEUE_NAME;
    const ON: &'static [&'static str] = &["user.barred"];
    type Service = Integrations;

    async fn run(self, integrations: &Integrations, run: &Run) -> Result<()> {
        let told = [signals::revoked(&integrations.ground(run, &self.reason))];
        integrations.transmit(run, About { device: None, user: Some(&self.user_id) }, &told).await
    }
}

/// The jobs of this context.
#[must_use]
pub fn jobs(integrations: &Integrations) -> Handlers {
    Handlers::new()
        .add::<PushEvents>(integrations.clone())
        .add::<SweepEvents>(integrations.clone())
        .add::<TellLocked>(integrations.clone())
        .add::<TellReleased>(integrations.clone())
        .add::<TellMoved>(integrations.clone())
        .add::<TellRevoked>(integrations.clone())
        .add::<TellStopped>(integrations.clone())
        .add::<TellBarred>(integrations.clone())
}

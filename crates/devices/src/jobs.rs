//! Background work of this context.

use std::time::Duration;

use backends::{Handlers, Job, Run, Schedule};
use base::{Result, TenantId, UserId};
use serde::{Deserialize, Serialize};

use crate::Devices;
use crate::model::{DeviceId, SwitchId};
use crate::vocabulary::CommandKind;

/// Ends locks whose time is over.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireLocks {}

impl Job for ExpireLocks {
    const NAME: &'static str = "devices.expire_locks";
    const QUEUE: &'static str = "device_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(30)));
    type Service = Devices;

    async fn run(self, devices: &Devices, run: &Run) -> Result<()> {
        devices.expire(run).await.map(drop)
    }
}

/// Tells an organisation's phones of a kill switch, batch by batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AnnounceSwitch {
    /// The switch.
    pub switch: SwitchId,
    /// The organisation whose phones are told.
    pub tenant: TenantId,
    /// The one phone, when it is only one.
    pub device: Option<DeviceId>,
    /// Stop or release.
    pub kind: CommandKind,
    /// Why.
    pub reason: String,
    /// The last phone told so far.
    pub after: Option<DeviceId>,
}

impl Job for AnnounceSwitch {
    const NAME: &'static str = "devices.announce_switch";
    const QUEUE: &'static str = "device_queue";
    type Service = Devices;

    async fn run(self, devices: &Devices, run: &Run) -> Result<()> {
        devices.tell_switch(self, run).await
    }
}

/// Tells phones of kill switches whose time is over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EndSwitches {}

impl Job for EndSwitches {
    const NAME: &'static str = "devices.end_switches";
    const QUEUE: &'static str = "device_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(30)));
    type Service = Devices;

    async fn run(self, devices: &Devices, run: &Run) -> Result<()> {
        devices.end_switches(run).await
    }
}

/// A person was locked out or removed: what their phones hold dies too.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RevokeBarred {
    user_id: UserId,
    reason: String,
}

impl Job for RevokeBarred {
    const NAME: &'static str = "devices.revoke_barred";
    const QUEUE: &'static str = "device_queue";
    const ON: &'static [&'static str] = &["user.barred"];
    type Service = Devices;

    async fn run(self, devices: &Devices, run: &Run) -> Result<()> {
        devices.revoke_barred(self.user_id, &self.reason, run).await
    }
}

/// The jobs of this context.
#[must_use]
pub fn jobs(devices: &Devices) -> Handlers {
    Handlers::new()
        .add::<ExpireLocks>(devices.clone())
        .add::<AnnounceSwitch>(devices.clone())
        .add::<EndSwitches>(devices.clone())
        .add::<RevokeBarred>(devices.clone())
}

//! The device's clock against ours: an offset that is estimated, never believed, and tells late readings from readings of the future.

use crate::reading::{Batch, Faults, Reading, count};

/// How far ahead of us a reading may be after the offset.
const TOLERANCE: i64 = 1_000_000;
/// What the offset may grow by with each batch: clocks drift, and the fastest batch of a day is not the usual one.
const LEAK: i64 = 500;
/// Batches in a row that must disagree before the clock counts as set anew.
const INSISTENCE: u8 = 3;
/// How far back readings that were taken are known from those of a clock set back, microseconds: a clock set back by less is followed
/// once it has caught up.
const REACH: i64 = 600_000_000;

/// State of the estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Server time minus device time at the fastest arrival so far, microseconds.
    pub(crate) offset: i64,
    pub(crate) is_set: bool,
    /// Batches in a row that were wholly ahead or wholly behind.
    pub(crate) strange: u8,
    /// How far the readings taken by this clock reach back from the newest, microseconds.
    pub(crate) reach: u32,
}

/// What a batch says about the clock.
pub(crate) struct Arrival {
    /// Device time beyond which a reading is from the future.
    pub(crate) latest: i64,
    /// The clock was set anew: windows under way are worthless.
    pub(crate) is_jump: bool,
}

impl Clock {
    /// Takes a batch's times; `newest` is the newest reading taken before.
    pub(crate) fn arrive(&mut self, batch: &Batch<'_>, newest: i64, faults: &mut Faults) -> Arrival {
        let usual = |clock: &Self| batch.arrived.saturating_sub(clock.offset).saturating_add(TOLERANCE);
        let sensors = [batch.accelerometer, batch.gyroscope];
        let first = sensors.iter().filter_map(|readings| readings.first()).map(|reading| reading.t).min();
        let (Some(first), Some(last)) = (first, sensors.into_iter().filter_map(credible_end).max()) else {
            return Arrival { latest: usual(self), is_jump: false };
        };
        let offset = batch.arrived.saturating_sub(last);
        let anew = Self { offset, is_set: true, strange: 0, reach: reach(last.saturating_sub(first)) };
        if !self.is_set {
            *self = anew;
        }
        let is_ahead = offset < self.offset.saturating_sub(TOLERANCE);
        let is_behind = last < newest.saturating_sub(TOLERANCE);
        // Taken before, and sent again because our reply was lost: that says nothing of the clock.
        if is_behind && first >= newest.saturating_sub(self.reach.into()).saturating_sub(TOLERANCE) {
            return Arrival { latest: usual(self), is_jump: false };
        }
        if is_ahead || is_behind {
            self.strange += 1;
            if self.strange < INSISTENCE {
                return Arrival { latest: usual(self), is_jump: false };
            }
            count(&mut faults.clock_jumps);
            *self = anew;
            return Arrival { latest: last.saturating_add(TOLERANCE), is_jump: true };
        }
        self.strange = 0;
        self.offset = offset.min(self.offset.saturating_add(LEAK));
        self.reach = reach(i64::from(self.reach).saturating_add(last.saturating_sub(newest.max(first)).max(0)));
        Arrival { latest: usual(self), is_jump: false }
    }

    /// Server time of a device time.
    pub(crate) fn server(&self, device: i64) -> i64 {
        device.saturating_add(self.offset)
    }
}

fn reach(micros: i64) -> u32 {
    micros.clamp(0, REACH) as u32
}

/// Time of the last reading, unless it lies far beyond where nine tenths of the batch would lead.
fn credible_end(readings: &[Reading]) -> Option<i64> {
    let (first, last) = (readings.first()?.t, readings.last()?.t);
    let most = readings.get(readings.len() * 9 / 10)?.t;
    Some(last.min(most.saturating_add(most.saturating_sub(first) / 4).saturating_add(50_000)))
}

/// The readings in order of time; borrowed when they are, which is nearly always.
pub(crate) fn ordered(readings: &[Reading]) -> std::borrow::Cow<'_, [Reading]> {
    if readings.is_sorted_by_key(|reading| reading.t) {
        return readings.into();
    }
    let mut sorted = readings.to_vec();
    sorted.sort_by_key(|reading| reading.t);
    sorted.into()
}

//! What a device sends: readings of its sensors, touches, minutes of traffic; and how much of it had to be refused.

use serde::{Deserialize, Serialize};

/// One three-axis reading. Time is the device's own clock in microseconds; axes are m/s² (accelerometer) or rad/s (gyroscope).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Device clock, microseconds.
    pub t: i64,
    /// First axis.
    pub x: f32,
    /// Second axis.
    pub y: f32,
    /// Third axis.
    pub z: f32,
}

/// One touch of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Touch {
    /// Device clock, microseconds.
    pub t: i64,
    /// Pressure as the system gives it, usually between 0 and 1.
    pub pressure: f32,
    /// Size of the contact as the system gives it, usually between 0 and 1.
    pub size: f32,
    /// Speed of the finger in screen widths a second; 0 for a tap.
    pub speed: f32,
}

/// One minute of network use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Server clock, microseconds since 1970: the hour of the week is taken from it.
    pub t: i64,
    /// Bytes sent and received.
    pub bytes: f32,
    /// Connections opened.
    pub connections: f32,
    /// Distinct registrable domains asked for.
    pub domains: f32,
    /// Score of the names that were asked for, uniform in [0, 1] when nothing is wrong; `None` when nobody scored them.
    pub names: Option<f32>,
}

/// What arrived together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch<'a> {
    /// When it arrived: server clock, microseconds.
    pub arrived: i64,
    /// Accelerometer, oldest first.
    pub accelerometer: &'a [Reading],
    /// Gyroscope, oldest first.
    pub gyroscope: &'a [Reading],
    /// Touches, oldest first.
    pub touches: &'a [Touch],
    /// Minutes of traffic, oldest first.
    pub traffic: &'a [Traffic],
}

/// How many readings were refused or mended, by reason; counters stay at their maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Not a number, on any axis.
    pub not_a_number: u16,
    /// Infinite, on any axis.
    pub infinite: u16,
    /// Beyond what any phone's sensor measures.
    pub out_of_range: u16,
    /// Too small for a normal number; taken as zero.
    pub denormal: u16,
    /// Older than a reading already taken.
    pub out_of_order: u16,
    /// Time and values of the reading before.
    pub duplicate: u16,
    /// More than one second ahead of the server, after the device's usual offset.
    pub future: u16,
    /// Clock of the device set anew; the window under way was dropped.
    pub clock_jumps: u16,
    /// Windows begun anew after a gap of more than two seconds.
    pub gaps: u16,
    /// Sensor and clock disagree about the rate: fewer than 5 or more than 1,000 readings a second.
    pub odd_rate: u16,
}

impl Faults {
    /// Readings that were not scored.
    pub fn refused(&self) -> u64 {
        [self.not_a_number, self.infinite, self.out_of_range, self.out_of_order, self.duplicate, self.future]
            .into_iter()
            .map(u64::from)
            .sum()
    }

    /// The counters in the order of the fields.
    pub(crate) fn counters(&mut self) -> [&mut u16; 10] {
        [
            &mut self.not_a_number,
            &mut self.infinite,
            &mut self.out_of_range,
            &mut self.denormal,
            &mut self.out_of_order,
            &mut self.duplicate,
            &mut self.future,
            &mut self.clock_jumps,
            &mut self.gaps,
            &mut self.odd_rate,
        ]
    }
}

/// One more, unless the counter is full.
pub(crate) fn count(counter: &mut u16) {
    *counter = counter.saturating_add(1);
}

//! One sensor's stream: checks every reading, keeps the ring of the window under way, and closes a window each hundred readings.
//! A reading costs a fixed amount of work; what needs the whole window is done once, when it closes.

use crate::WINDOW;
use crate::lattice::Lattice;
use crate::reading::{Faults, Reading, count};
use crate::replay::{Carried, RUN, Recall, Rolling, is_telling};
use crate::sensor::Sensor;

/// A pause after which a window would mix two situations: it is begun anew.
const GAP: i64 = 2_000_000;

/// State of one sensor between batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stream {
    /// Magnitudes of the window under way, in steps of the sensor; a ring that starts at the window's start.
    pub(crate) ring: [u16; WINDOW],
    pub(crate) now: Now,
}

/// All of a stream but its ring: small enough to be worked on in registers while a batch is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Now {
    /// Sum of each axis over the window.
    pub(crate) sums: [f32; 3],
    /// Sum of squared changes from reading to reading.
    pub(crate) change: f32,
    /// The reading before.
    pub(crate) previous: [f32; 3],
    /// Time of the newest reading, device clock, microseconds, and how long before it the window's first one was.
    pub(crate) last: i64,
    pub(crate) span: u32,
    pub(crate) rolling: Rolling,
    /// Readings of the window under way.
    pub(crate) taken: u8,
    /// Readings equal to the one before.
    pub(crate) repeats: u8,
    pub(crate) lattice: Lattice,
}

impl Default for Stream {
    fn default() -> Self {
        Self { ring: [0; WINDOW], now: Now::default() }
    }
}

impl Default for Now {
    fn default() -> Self {
        Self {
            sums: [0.0; 3],
            change: 0.0,
            previous: [0.0; 3],
            last: i64::MIN,
            span: 0,
            rolling: Rolling::default(),
            taken: 0,
            repeats: 0,
            lattice: Lattice::default(),
        }
    }
}

/// A full window of one sensor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) magnitudes: [f32; WINDOW],
    /// Mean of each axis.
    pub(crate) mean: [f32; 3],
    /// Root mean square of the change between readings, per second.
    pub(crate) change: f32,
    /// Readings a second.
    pub(crate) rate: f32,
    /// Readings equal to the one before.
    pub(crate) repeats: u8,
    /// Values lie between the steps that this hardware has.
    pub(crate) is_between_steps: bool,
}

/// What is behind the stream: where fingerprints go, what is counted, and how late is too early.
pub(crate) struct Surroundings<'a> {
    pub(crate) faults: &'a mut Faults,
    pub(crate) carried: &'a mut Carried,
    pub(crate) recall: Option<Recall<'a>>,
    /// Device time beyond which a reading is from the future.
    pub(crate) latest: i64,
}

impl Stream {
    /// Takes readings until the window is full or all are taken; returns how many were looked at.
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "one comparison that is false for NaN refuses all that is no plain number")]
    pub(crate) fn take(&mut self, sensor: Sensor, readings: &[Reading], around: &mut Surroundings<'_>) -> usize {
        let mut now = self.now;
        let (steps, limit, ruler) = (sensor.steps(), sensor.limit(), now.lattice.ruler());
        let mut looked_at = 0;
        for reading in readings {
            if usize::from(now.taken) == WINDOW {
                break;
            }
            looked_at += 1;
            let (mut x, mut y, mut z) = (reading.x, reading.y, reading.z);
            let square = x * x + y * y + z * z;
            // One comparison refuses everything that is not a plain number: it is false for each of them.
            if !(square < limit * limit) {
                refuse(x, y, z, around.faults);
                continue;
            }
            // Zero is tiny too, but rare in what a sensor gives.
            if x.abs().min(y.abs()).min(z.abs()) < f32::MIN_POSITIVE && [x, y, z].iter().any(|axis| axis.is_subnormal()) {
                count(&mut around.faults.denormal);
                [x, y, z] = [x, y, z].map(|axis| if axis.is_subnormal() { 0.0 } else { axis });
            }
            let repeated = x == now.previous[0] && y == now.previous[1] && z == now.previous[2];
            if reading.t <= now.last {
                if reading.t < now.last {
                    count(&mut around.faults.out_of_order);
                    continue;
                }
                // Android hands several readings out under one time-stamp: only equal values make it a duplicate.
                if repeated {
                    count(&mut around.faults.duplicate);
                    continue;
                }
            }
            if reading.t > around.latest {
                count(&mut around.faults.future);
                continue;
            }
            let interval = reading.t.saturating_sub(now.last);
            if interval > GAP {
                if now.taken > 0 {
                    count(&mut around.faults.gaps);
                }
                now.begin();
            } else {
                now.span += if now.taken == 0 { 0 } else { interval as u32 };
                now.lattice.take(x - now.previous[0], ruler);
                let delta = [x - now.previous[0], y - now.previous[1], z - now.previous[2]];
                now.change += delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2];
                now.repeats += u8::from(repeated);
            }
            self.ring[usize::from(now.taken)] = (square.sqrt() * steps + 0.5) as u16;
            now.taken += 1;
            now.sums[0] += x;
            now.sums[1] += y;
            now.sums[2] += z;
            now.previous = [x, y, z];
            now.last = reading.t;
            now.rolling.take(x, y, z);
            if let Some(print) = now.rolling.fingerprint()
                && is_telling(newest(&self.ring, now.taken))
            {
                let seen = around.recall.as_mut().and_then(|recall| recall.memory.take(recall.device, sensor, print, reading.t));
                around.carried.take(print, reading.t, seen);
            }
        }
        self.now = now;
        looked_at
    }

    /// Whether a whole window is there.
    pub(crate) fn is_full(&self) -> bool {
        usize::from(self.now.taken) == WINDOW
    }

    /// The full window; the next one begins.
    pub(crate) fn close(&mut self, sensor: Sensor, learns: bool, faults: &mut Faults) -> Window {
        let step = 1.0 / sensor.steps();
        let seconds = self.now.span as f32 / 1e6;
        let intervals = (WINDOW - 1) as f32;
        let mut rate = if seconds > 0.0 { intervals / seconds } else { f32::INFINITY };
        if !(5.0..=1_000.0).contains(&rate) {
            count(&mut faults.odd_rate);
            rate = rate.clamp(5.0, 1_000.0);
        }
        let window = Window {
            magnitudes: self.ring.map(|value| f32::from(value) * step),
            mean: self.now.sums.map(|sum| sum / WINDOW as f32),
            change: (self.now.change / intervals).sqrt() * rate,
            rate,
            repeats: self.now.repeats,
            is_between_steps: self.now.lattice.close(learns),
        };
        self.now.begin();
        window
    }

    /// Forgets window and times: the clock they were taken with is gone.
    pub(crate) fn forget(&mut self) {
        self.now.begin();
        self.now.last = i64::MIN;
    }
}

impl Now {
    /// Drops the window under way.
    fn begin(&mut self) {
        self.taken = 0;
        self.span = 0;
        self.sums = [0.0; 3];
        self.change = 0.0;
        self.repeats = 0;
    }
}

/// The newest magnitudes of a ring whose next place is `taken`; those of the window before stand behind it.
fn newest(ring: &[u16; WINDOW], taken: u8) -> [u16; RUN] {
    std::array::from_fn(|back| ring[(usize::from(taken) + WINDOW - 1 - back) % WINDOW])
}

#[cold]
fn refuse(x: f32, y: f32, z: f32, faults: &mut Faults) {
    let axes = [x, y, z];
    count(if axes.iter().any(|axis| axis.is_nan()) {
        &mut faults.not_a_number
    } else if axes.iter().any(|axis| axis.is_infinite()) {
        &mut faults.infinite
    } else {
        &mut faults.out_of_range
    });
}

//! Replay of recorded readings: fingerprints of short runs, taken where the content says, so that a replay is found at any offset.
//! Only exact repeats of moving sensors count; a resting sensor repeats itself honestly.

use std::collections::{HashMap, VecDeque};

use crate::sensor::Sensor;

/// Readings that one fingerprint covers.
pub(crate) const RUN: u32 = 16;
/// Fingerprints a device carries with it: about twenty seconds of both sensors at 100 readings a second.
pub(crate) const CARRIED: usize = 16;
/// Matches among the last eight fingerprints that prove a replay; chance gives one in 10^8, two never.
pub(crate) const HITS: u32 = 2;

/// Difference in time, microseconds, up to which two fingerprints are one reading sent twice.
const SAME: u64 = 5_000;

/// A larger memory, and whose readings are looked up in it.
#[derive(Debug)]
pub struct Recall<'a> {
    /// The memory.
    pub memory: &'a mut Memory,
    /// A number that stands for the device, the same on every node.
    pub device: u64,
}

/// Rolling hash over the last sixteen readings: each shift pushes the oldest out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rolling(pub(crate) u64);

impl Rolling {
    /// Takes one reading by the exact bits of its axes.
    #[inline]
    pub(crate) fn take(&mut self, x: f32, y: f32, z: f32) {
        let two = u64::from(x.to_bits()) | (u64::from(y.to_bits()) << 32);
        let mixed = two.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(z.to_bits()).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        self.0 = (self.0 << 4).wrapping_add(mixed ^ (mixed >> 32));
    }

    /// A fingerprint at one run in 64, chosen by the content alone.
    #[inline]
    pub(crate) fn fingerprint(self) -> Option<u32> {
        // The upper bits depend on all sixteen readings.
        (self.0 >> 58 == 0).then(|| (self.0.wrapping_mul(0x94d0_49bb_1331_11eb) >> 32) as u32)
    }
}

/// The fingerprints a device carries, newest over oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) prints: [u32; CARRIED],
    pub(crate) next: u8,
    /// Which of the last eight fingerprints were known, newest in the lowest bit.
    pub(crate) hits: u8,
    /// A replay was proven, and no window has said so yet.
    pub(crate) is_proven: bool,
}

impl Default for Carried {
    fn default() -> Self {
        Self { prints: [0; CARRIED], next: 0, hits: 0, is_proven: false }
    }
}

impl Carried {
    /// Remembers a fingerprint; `known` says that a larger memory had it.
    pub(crate) fn take(&mut self, print: u32, known: bool) {
        let print = print.max(4);
        // One print in four is carried: the memory reaches back four times as far, and a replay takes longer to be proven.
        let carries = print.is_multiple_of(4);
        let hit = known || carries && self.prints.contains(&print);
        self.hits = (self.hits << 1) | u8::from(hit);
        if carries && let Some(place) = self.prints.get_mut(usize::from(self.next) % CARRIED) {
            *place = print;
            self.next = (self.next + 1) % CARRIED as u8;
        }
        self.is_proven |= self.hits.count_ones() >= HITS;
    }

    /// Whether a replay was proven since this was last asked.
    pub(crate) fn proven(&mut self) -> bool {
        let is_proven = std::mem::take(&mut self.is_proven);
        if is_proven {
            self.hits = 0;
        }
        is_proven
    }
}

/// A larger memory of fingerprints than a device carries: for one device's past, or for all devices of a tenant, where it also
/// finds one phone's recording played on another. Bounded; the oldest go first.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Which device left a fingerprint, and at which time of its clock.
    known: HashMap<u64, (u64, i64)>,
    order: VecDeque<u64>,
    capacity: usize,
}

impl Memory {
    /// Room for `capacity` fingerprints: a sensor at 100 readings a second leaves about 1.6 of them a second while it moves.
    pub fn new(capacity: usize) -> Self {
        Self { known: HashMap::new(), order: VecDeque::new(), capacity: capacity.max(1) }
    }

    /// Remembers a fingerprint and says whether it was known from elsewhere: another device, or another time. The same device
    /// sending the same reading again lost our reply and is innocent.
    pub fn take(&mut self, device: u64, sensor: Sensor, print: u32, t: i64) -> bool {
        let key = (u64::from(sensor as u8) << 32) | u64::from(print);
        if let Some((owner, at)) = self.known.get(&key) {
            return *owner != device || at.abs_diff(t) > SAME;
        }
        self.known.insert(key, (device, t));
        self.order.push_back(key);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        false
    }

    /// Fingerprints held.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(length: usize, seed: u64) -> Vec<[f32; 3]> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 1_000_000.0
        };
        (0..length).map(|_| [next(), next(), next()]).collect()
    }

    #[test]
    fn a_replay_is_found_at_any_offset_and_new_readings_never_are() {
        for offset in [0, 1, 37, 63] {
            let mut rolling = Rolling::default();
            let mut carried = Carried::default();
            let past = recording(1_500, 7);
            let mut proven = 0;
            let fresh = recording(50_000, 9);
            for &[x, y, z] in past.iter().chain(&fresh[..200 + offset]).chain(&past[offset..]) {
                rolling.take(x, y, z);
                if let Some(print) = rolling.fingerprint() {
                    carried.take(print, false);
                    proven += usize::from(carried.proven());
                }
            }
            assert!(proven > 0, "offset {offset}");
            let (mut rolling, mut carried) = (Rolling::default(), Carried::default());
            for &[x, y, z] in &fresh {
                rolling.take(x, y, z);
                if let Some(print) = rolling.fingerprint() {
                    carried.take(print, false);
                }
                assert!(!carried.proven());
            }
        }
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let mut memory = Memory::new(10);
        assert!((0..20).all(|print| !memory.take(1, Sensor::Accelerometer, print, 0)));
        assert_eq!(memory.len(), 10);
        assert!(!memory.take(1, Sensor::Accelerometer, 19, 0), "a batch sent again after a lost reply");
        assert!(memory.take(1, Sensor::Accelerometer, 19, 60_000_000), "its own past");
        assert!(memory.take(2, Sensor::Accelerometer, 19, 0), "another device");
        assert!(!memory.take(1, Sensor::Gyroscope, 19, 60_000_000), "another sensor");
    }
}

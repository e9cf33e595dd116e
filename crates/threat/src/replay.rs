//! Replay of recorded readings: fingerprints of short runs, taken where the content says, so that a replay is found at any offset.
//! Only exact repeats of moving sensors count, several of them at one distance in time: a resting or a coarse sensor repeats itself
//! honestly, and chance keeps no distance.

use std::collections::{HashMap, VecDeque};

use crate::sensor::Sensor;

/// Readings that one fingerprint covers.
pub(crate) const RUN: usize = 16;
/// Fingerprints a device carries with it, and the share of all that it does: about twenty seconds of both sensors at 100 readings
/// a second. With few to compare with and a distance to keep, 32 bits of each are enough.
pub(crate) const CARRIED: usize = 9;
const SPARED: u64 = 7;
/// Matches at one distance that prove a replay.
const HITS: u8 = 3;
/// Fingerprints between two matches after which they no longer belong together.
const PATIENCE: u8 = 40;
/// What the distance may change by from match to match, hundredths of a second: a recording may be played a little faster.
const DRIFT: u16 = 25;
/// Magnitudes that differ among those of a run, at least. Of whatever a coarse sensor flips between, a run with so many comes again
/// with a chance of 10^-15 at most: `(5/16)^5 (1/16)^11`.
const DISTINCT: usize = 12;
/// How far apart they lie at least, in steps of the ring (0.125 m/s², 0.04 rad/s): less is a sensor at rest.
const SPAN: u16 = 40;

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
    pub(crate) fn fingerprint(self) -> Option<u64> {
        // The upper bits depend on all sixteen readings.
        (self.0 >> 58 == 0).then(|| self.0.wrapping_mul(0x94d0_49bb_1331_11eb))
    }
}

/// Whether a run of magnitudes is one that no sensor gives twice: it moves, and through many values.
pub(crate) fn is_telling(mut run: [u16; RUN]) -> bool {
    run.sort_unstable();
    let distinct = 1 + run.windows(2).filter(|pair| pair[0] != pair[1]).count();
    distinct >= DISTINCT && run[RUN - 1] - run[0] >= SPAN
}

/// Where a fingerprint was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Zero for the device itself, else a number that follows from the other device.
    pub owner: u8,
    /// Time since, each on its own device's clock, microseconds.
    pub ago: i64,
}

/// Matches that keep one distance in time to what they match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    /// Matches so far; zero for no trail.
    pub(crate) hits: u8,
    /// Fingerprints since the newest of them.
    pub(crate) misses: u8,
    pub(crate) owner: u8,
    /// The distance, hundredths of a second, modulo 2^16.
    pub(crate) ago: u16,
}

/// The fingerprints a device carries, newest over oldest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) prints: [u32; CARRIED],
    /// When each was taken, hundredths of a second of the device's clock, modulo 2^16.
    pub(crate) times: [u16; CARRIED],
    pub(crate) next: u8,
    /// Two, because a replay may move the sensors against each other.
    pub(crate) trails: [Trail; 2],
    /// A replay was proven, and no window has said so yet.
    pub(crate) is_proven: bool,
}

impl Carried {
    /// Remembers the fingerprint of a run that ended at `t`; `seen` is what a larger memory says of it.
    pub(crate) fn take(&mut self, print: u64, t: i64, seen: Option<Sighting>) {
        let at = hundredths(t);
        // Few prints are carried: the memory reaches back farther, and a replay takes longer to be proven.
        let own = if print.is_multiple_of(SPARED) { self.carry((print as u32).max(1), at) } else { None };
        let hit = seen.map(|seen| (seen.owner, hundredths(seen.ago))).or(own.map(|ago| (0, ago)));
        let mut is_placed = false;
        for trail in &mut self.trails {
            if let Some((owner, ago)) = hit
                && trail.hits > 0
                && trail.owner == owner
                && near(trail.ago, ago) <= DRIFT
                && !is_placed
            {
                *trail = Trail { hits: trail.hits.saturating_add(1), misses: 0, owner, ago };
                is_placed = true;
                self.is_proven |= trail.hits >= HITS;
            } else if trail.misses < PATIENCE {
                trail.misses += 1;
            } else {
                *trail = Trail::default();
            }
        }
        if let Some((owner, ago)) = hit
            && !is_placed
            && let Some(weakest) = self.trails.iter_mut().min_by_key(|trail| (trail.hits, u8::MAX - trail.misses))
        {
            *weakest = Trail { hits: 1, misses: 0, owner, ago };
        }
    }

    /// Keeps a print, and says how long ago it was kept before. The same reading sent again lost our reply and is innocent.
    fn carry(&mut self, print: u32, at: u16) -> Option<u16> {
        if let Some(place) = self.prints.iter().position(|kept| *kept == print) {
            // What goes round and round keeps its distance to the round before.
            let before = std::mem::replace(&mut self.times[place], at);
            return (near(before, at) > 1).then(|| at.wrapping_sub(before));
        }
        let place = usize::from(self.next) % CARRIED;
        (self.prints[place], self.times[place]) = (print, at);
        self.next = (place as u8 + 1) % CARRIED as u8;
        None
    }

    /// Whether a replay was proven since this was last asked.
    pub(crate) fn proven(&mut self) -> bool {
        let is_proven = std::mem::take(&mut self.is_proven);
        if is_proven {
            self.trails = Default::default();
        }
        is_proven
    }
}

fn hundredths(micros: i64) -> u16 {
    micros.div_euclid(10_000) as u16
}

/// Distance of two times that are known modulo 2^16.
fn near(one: u16, other: u16) -> u16 {
    (one.wrapping_sub(other) as i16).unsigned_abs()
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

    /// Remembers a fingerprint and says where it is known from: another device, or another time. The same device sending the same
    /// reading again lost our reply and is innocent.
    pub fn take(&mut self, device: u64, sensor: Sensor, print: u64, t: i64) -> Option<Sighting> {
        let key = print ^ sensor as u64;
        if let Some((owner, at)) = self.known.get_mut(&key) {
            let ago = t.saturating_sub(*at);
            if *owner != device {
                return Some(Sighting { owner: (*owner % 255) as u8 + 1, ago });
            }
            // What goes round and round keeps its distance to the round before.
            *at = t;
            return (ago.unsigned_abs() > SAME).then_some(Sighting { owner: 0, ago });
        }
        self.known.insert(key, (device, t));
        self.order.push_back(key);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        None
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

    /// Plays readings ten milliseconds apart from `t` on; how often a replay was proven.
    fn play(rolling: &mut Rolling, carried: &mut Carried, readings: &[[f32; 3]], t: i64) -> usize {
        let mut proven = 0;
        for (&[x, y, z], index) in readings.iter().zip(0..) {
            rolling.take(x, y, z);
            if let Some(print) = rolling.fingerprint() {
                carried.take(print, t + index * 10_000, None);
                proven += usize::from(carried.proven());
            }
        }
        proven
    }

    #[test]
    fn a_replay_is_found_at_any_offset_and_new_readings_never_are() {
        let (past, fresh) = (recording(3_000, 7), recording(50_000, 9));
        for offset in [0, 1, 37, 63] {
            let (mut rolling, mut carried) = (Rolling::default(), Carried::default());
            assert_eq!(play(&mut rolling, &mut carried, &past, 0), 0);
            assert_eq!(play(&mut rolling, &mut carried, &fresh[..200 + offset], 30_000_000), 0);
            assert!(play(&mut rolling, &mut carried, &past[offset..], 90_000_000) > 0, "offset {offset}");
        }
        assert_eq!(play(&mut Rolling::default(), &mut Carried::default(), &fresh, 0), 0);
    }

    #[test]
    fn readings_that_come_again_with_their_own_times_prove_nothing() {
        let past = recording(3_000, 7);
        let (mut rolling, mut carried) = (Rolling::default(), Carried::default());
        play(&mut rolling, &mut carried, &past, 5_000_000);
        assert_eq!(play(&mut rolling, &mut carried, &past, 5_000_000), 0);
    }

    #[test]
    fn matches_count_together_only_at_one_distance_and_of_one_device() {
        let seen = |owner, ago| Some(Sighting { owner, ago });
        let mut carried = Carried::default();
        for print in 0..200_u64 {
            carried.take(print * SPARED + 1, 0, seen(0, print as i64 * 7_000_000));
            carried.take(print * SPARED + 2, 0, seen(print as u8, 50_000_000));
        }
        assert!(!carried.proven());
        // Two sensors moved against each other, played a little faster.
        for step in 0..i64::from(HITS) {
            assert!(!carried.is_proven);
            carried.take(1, 0, seen(9, 50_000_000 - step * 100_000));
            carried.take(1, 0, seen(9, 53_000_000 - step * 100_000));
        }
        assert!(carried.proven() && !carried.proven());
    }

    #[test]
    fn a_run_tells_something_when_it_moves_through_many_values() {
        assert!(is_telling(std::array::from_fn(|index| 3_000 + 7 * index as u16)));
        assert!(!is_telling(std::array::from_fn(|index| 3_000 + 2 * index as u16)), "at rest");
        assert!(!is_telling(std::array::from_fn(|index| 3_000 + 100 * (index as u16 % 11))), "flips between a few values");
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let mut memory = Memory::new(10);
        assert!((0..20).all(|print| memory.take(1, Sensor::Accelerometer, print << 8, 0).is_none()));
        assert_eq!(memory.len(), 10);
        let print = 19 << 8;
        assert_eq!(memory.take(1, Sensor::Accelerometer, print, 0), None, "a batch sent again after a lost reply");
        let own = memory.take(1, Sensor::Accelerometer, print, 60_000_000);
        assert_eq!(own, Some(Sighting { owner: 0, ago: 60_000_000 }), "its own past");
        assert!(memory.take(2, Sensor::Accelerometer, print, 0).is_some_and(|seen| seen.owner > 0), "another device");
        assert_eq!(memory.take(1, Sensor::Gyroscope, print, 60_000_000), None, "another sensor");
    }
}

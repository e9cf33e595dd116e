//! A device's whole state as bytes, for hand-over to another node: fixed layout, little endian, one version byte, under two kilobytes.
//! Reading back gives exactly what was written, and refuses what no device can be.

use crate::WINDOW;
use crate::accumulate::Accumulator;
use crate::authenticity::Authenticity;
use crate::baseline::Profile;
use crate::checks::Checks;
use crate::clock::Clock;
use crate::decision::Course;
use crate::device::{Device, Last};
use crate::drift::{Adwin, Cusum, SLOTS};
use crate::errors::StateError;
use crate::lattice::Lattice;
use crate::lock::Lock;
use crate::network::Network;
use crate::posture::Posture;
use crate::rank::Ranks;
use crate::reading::Faults;
use crate::replay::{Carried, Rolling, Trail};
use crate::score::Mode;
use crate::sensor::Context;
use crate::stream::{Now, Stream};
use crate::touch::Touches;
use crate::trust::Trust;

/// Version of the layout.
const VERSION: u8 = 2;
/// Most bytes that a state may take.
pub const STATE_LIMIT: usize = 2_048;

/// One walk over all fields writes or reads them: the layout cannot differ between the two.
trait Walk {
    fn bytes<const N: usize>(&mut self, value: &mut [u8; N]);
    fn fail(&mut self);

    fn u8(&mut self, value: &mut u8) {
        let mut bytes = [*value];
        self.bytes(&mut bytes);
        *value = bytes[0];
    }
    fn u16(&mut self, value: &mut u16) {
        let mut bytes = value.to_le_bytes();
        self.bytes(&mut bytes);
        *value = u16::from_le_bytes(bytes);
    }
    fn i16(&mut self, value: &mut i16) {
        let mut bytes = value.to_le_bytes();
        self.bytes(&mut bytes);
        *value = i16::from_le_bytes(bytes);
    }
    fn u32(&mut self, value: &mut u32) {
        let mut bytes = value.to_le_bytes();
        self.bytes(&mut bytes);
        *value = u32::from_le_bytes(bytes);
    }
    fn u64(&mut self, value: &mut u64) {
        let mut bytes = value.to_le_bytes();
        self.bytes(&mut bytes);
        *value = u64::from_le_bytes(bytes);
    }
    fn i64(&mut self, value: &mut i64) {
        let mut bytes = value.to_le_bytes();
        self.bytes(&mut bytes);
        *value = i64::from_le_bytes(bytes);
    }
    fn f32(&mut self, value: &mut f32) {
        let mut bytes = value.to_le_bytes();
        self.bytes(&mut bytes);
        *value = f32::from_le_bytes(bytes);
        if !value.is_finite() {
            self.fail();
        }
    }
    fn bool(&mut self, value: &mut bool) {
        let mut byte = u8::from(*value);
        self.u8(&mut byte);
        *value = self.at_most(byte, 1) == 1;
    }
    fn at_most(&mut self, value: u8, limit: u8) -> u8 {
        if value > limit {
            self.fail();
        }
        value.min(limit)
    }
}

struct Writer(Vec<u8>);

impl Walk for Writer {
    fn bytes<const N: usize>(&mut self, value: &mut [u8; N]) {
        self.0.extend_from_slice(value);
    }
    fn fail(&mut self) {}
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    wrong: Option<usize>,
}

impl Walk for Reader<'_> {
    fn bytes<const N: usize>(&mut self, value: &mut [u8; N]) {
        match self.bytes.get(self.position..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => *value = *bytes,
            None => self.fail(),
        }
        self.position += N;
    }
    fn fail(&mut self) {
        self.wrong.get_or_insert(self.position);
    }
}

impl Device {
    /// The state as bytes, at most [`STATE_LIMIT`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::with_capacity(STATE_LIMIT));
        writer.u8(&mut { VERSION });
        walk(&mut self.clone(), &mut writer);
        writer.0
    }

    /// The state that was written; an error when the bytes are not one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&found) => return Err(StateError::Version { found, known: VERSION }),
            None => return Err(StateError::Length { found: 0, expected: Self::new().to_bytes().len() }),
        }
        let mut reader = Reader { bytes, position: 1, wrong: None };
        let mut device = Self::new();
        walk(&mut device, &mut reader);
        if reader.position != bytes.len() {
            return Err(StateError::Length { found: bytes.len(), expected: reader.position });
        }
        match reader.wrong {
            Some(position) => Err(StateError::Value { position }),
            None => Ok(device),
        }
    }
}

fn walk(device: &mut Device, walk: &mut impl Walk) {
    let Device {
        streams,
        authenticity,
        carried,
        clock,
        faults,
        profiles,
        touches,
        network,
        scores,
        cusum,
        adwin,
        accumulator,
        trust,
        course,
        last,
    } = device;
    streams.iter_mut().for_each(|part| stream(part, walk));
    authentic(authenticity, walk);
    memory(carried, walk);
    times(clock, faults, walk);
    profiles.iter_mut().for_each(|part| profile(part, walk));
    touch(touches, walk);
    traffic(network, walk);
    ranks(scores, walk);
    drift(cusum, adwin, walk);
    evidence(accumulator, trust, course, walk);
    newest(last, walk);
}

fn stream(stream: &mut Stream, walk: &mut impl Walk) {
    let Stream { ring, now } = stream;
    let Now { sums, change, previous, last, span, rolling: Rolling(hash), taken, repeats, lattice } = now;
    ring.iter_mut().for_each(|value| walk.u16(value));
    sums.iter_mut().chain(previous).for_each(|value| walk.f32(value));
    walk.f32(change);
    walk.i64(last);
    walk.u32(span);
    walk.u64(hash);
    walk.u8(repeats);
    walk.u8(taken);
    *taken = walk.at_most(*taken, WINDOW as u8);
    *repeats = walk.at_most(*repeats, *taken);
    let Lattice { step, smallest, seen, on, confirmed } = lattice;
    walk.f32(step);
    walk.f32(smallest);
    walk.u8(seen);
    *seen = walk.at_most(*seen, *taken);
    walk.u8(on);
    *on = walk.at_most(*on, *seen);
    walk.u8(confirmed);
}

fn authentic(authenticity: &mut Authenticity, walk: &mut impl Walk) {
    let Authenticity { rests, means, moments, windows, disagreement } = authenticity;
    rests.iter_mut().for_each(|value| walk.u8(value));
    means.iter_mut().chain(moments).for_each(|value| walk.f32(value));
    walk.u16(windows);
    walk.f32(disagreement);
}

fn memory(carried: &mut Carried, walk: &mut impl Walk) {
    let Carried { prints, times, next, trails, is_proven } = carried;
    prints.iter_mut().for_each(|value| walk.u32(value));
    times.iter_mut().for_each(|value| walk.u16(value));
    walk.u8(next);
    for Trail { hits, misses, owner, ago } in trails {
        walk.u8(hits);
        walk.u8(misses);
        walk.u8(owner);
        walk.u16(ago);
    }
    walk.bool(is_proven);
}

fn times(clock: &mut Clock, faults: &mut Faults, walk: &mut impl Walk) {
    let Clock { offset, is_set, strange, reach } = clock;
    walk.i64(offset);
    walk.bool(is_set);
    walk.u8(strange);
    walk.u32(reach);
    faults.counters().into_iter().for_each(|value| walk.u16(value));
}

fn ranks(ranks: &mut Ranks, walk: &mut impl Walk) {
    ranks.0.iter_mut().for_each(|value| {
        walk.u8(value);
        *value = walk.at_most(*value, u8::MAX - 1);
    });
}

fn profile(profile: &mut Profile, walk: &mut impl Walk) {
    let Profile { means, variances, anchors, spreads, windows, ranks: own } = profile;
    means.iter_mut().for_each(|value| walk.f32(value));
    for value in variances {
        walk.f32(value);
        if *value < 0.0 {
            walk.fail();
        }
    }
    anchors.iter_mut().for_each(|value| walk.i16(value));
    spreads.iter_mut().for_each(|value| walk.u8(value));
    windows.iter_mut().for_each(|value| walk.u16(value));
    own.iter_mut().for_each(|part| ranks(part, walk));
}

fn touch(touches: &mut Touches, walk: &mut impl Walk) {
    let Touches { window, past, usual, last, windows, taken, ranks: own } = touches;
    window.iter_mut().chain(past).flatten().for_each(|value| walk.u8(value));
    usual.iter_mut().flatten().for_each(|value| walk.f32(value));
    walk.i64(last);
    walk.u16(windows);
    walk.u8(taken);
    *taken = walk.at_most(*taken, WINDOW as u8 - 1);
    // Each quantity was counted once for every touch of the window.
    if window.iter().any(|counts| counts.iter().map(|count| u32::from(*count)).sum::<u32>() != u32::from(*taken)) {
        walk.fail();
    }
    ranks(own, walk);
}

fn traffic(network: &mut Network, walk: &mut impl Walk) {
    let Network { season, means, spreads, last, minutes, ranks: own } = network;
    season.iter_mut().for_each(|value| walk.u8(value));
    means.iter_mut().chain(spreads).for_each(|value| walk.f32(value));
    walk.i64(last);
    walk.u16(minutes);
    ranks(own, walk);
}

fn drift(cusum: &mut Cusum, adwin: &mut Adwin, walk: &mut impl Walk) {
    walk.f32(&mut cusum.up);
    walk.f32(&mut cusum.down);
    let Adwin { buckets, used, ticks } = adwin;
    buckets.iter_mut().flatten().flatten().for_each(|value| walk.u16(value));
    for value in used {
        walk.u8(value);
        *value = walk.at_most(*value, SLOTS as u8);
    }
    walk.u8(ticks);
}

fn evidence(accumulator: &mut Accumulator, trust: &mut Trust, course: &mut Course, walk: &mut impl Walk) {
    let Accumulator { sum, mean, variance, windows, loud, over, broken } = accumulator;
    walk.f32(sum);
    walk.f32(mean);
    walk.f32(variance);
    walk.u16(windows);
    loud.iter_mut().for_each(|value| walk.u8(value));
    walk.u8(over);
    walk.u8(broken);
    let Trust { good, bad, at } = trust;
    walk.f32(good);
    walk.f32(bad);
    if !(*good >= 2.0 && *bad >= 2.0 && *variance >= 0.0 && *sum >= 0.0) {
        walk.fail();
    }
    walk.i64(at);
    let mut posture = course.posture as u8;
    walk.u8(&mut posture);
    course.posture = Posture::ALL[usize::from(walk.at_most(posture, Posture::ALL.len() as u8 - 1))];
    walk.u16(&mut course.calm);
    let (mut number, mut sum) = course.owed.map_or((0, 0.0), Lock::written);
    walk.u8(&mut number);
    walk.f32(&mut sum);
    course.owed = Lock::read(number, sum);
    let (known, added) = course.owed.map_or((0, 0.0), Lock::written);
    // By bits: a zero below zero is equal to zero and not what was written.
    if (known, added.to_bits()) != (number, sum.to_bits()) {
        walk.fail();
    }
    let mut flags = u8::from(course.is_held_back) | u8::from(course.unwritten) << 1;
    walk.u8(&mut flags);
    flags = walk.at_most(flags, 3);
    (course.is_held_back, course.unwritten) = (flags & 1 == 1, flags & 2 == 2);
    walk.u32(&mut course.asked);
}

fn newest(last: &mut Last, walk: &mut impl Walk) {
    let Last { features, parts, times, at, context, mode, checks: Checks(checks) } = last;
    features.iter_mut().for_each(|value| walk.f32(value));
    for value in parts {
        walk.f32(value);
        if !(0.0..=1.0).contains(value) {
            walk.fail();
        }
    }
    times.iter_mut().for_each(|value| walk.i64(value));
    walk.i64(at);
    let mut place = *context as u8;
    walk.u8(&mut place);
    *context = Context::ALL[usize::from(walk.at_most(place, Context::ALL.len() as u8 - 1))];
    let mut simplified = *mode == Mode::Simplified;
    walk.bool(&mut simplified);
    *mode = if simplified { Mode::Simplified } else { Mode::Spec };
    walk.u8(checks);
}

//! What was counted while the fleet lived: requests, refusals and latencies by kind. A fixed amount of memory, however long it runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// What a phone asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Enrol,
    Signals,
    Refresh,
    Commands,
    Attest,
    Why,
    Open,
}

/// Latencies in buckets that grow by a sixteenth of an octave: a percentile is at most 4.5 % too high.
#[derive(Debug, Clone)]
struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    largest: Duration,
}

const PER_OCTAVE: f64 = 16.0;
const BUCKETS: usize = 27 * 16;

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, largest: Duration::ZERO }
    }
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        let bucket = (took.as_micros().max(1) as f64).log2() * PER_OCTAVE;
        if let Some(count) = self.buckets.get_mut((bucket as usize).min(BUCKETS - 1)) {
            *count += 1;
        }
        self.count += 1;
        self.largest = self.largest.max(took);
    }

    /// Milliseconds that this share of the requests did not exceed.
    fn percentile(&self, share: f64) -> f64 {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut sum = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            sum += count;
            if sum >= wanted {
                let upper = ((bucket as f64 + 1.0) / PER_OCTAVE).exp2() / 1e3;
                return upper.min(self.largest.as_secs_f64() * 1e3);
            }
        }
        0.0
    }
}

#[derive(Debug, Default)]
struct Counted {
    kinds: BTreeMap<Kind, Histogram>,
    refusals: BTreeMap<String, u64>,
    readings: u64,
    readings_refused: u64,
    forged_commands: u64,
    commands_obeyed: u64,
    retries: u64,
    ends: BTreeMap<String, Ends>,
    tries: u64,
    leaks: u64,
}

/// Lines that ended in one way.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Ends {
    /// How many.
    pub count: u64,
    /// Those that ended together, oldest first: between two bursts nothing ended for a second. The last one takes what comes after it.
    pub bursts: Vec<Burst>,
}

/// Lines that ended together.
#[derive(Debug, Clone, Serialize)]
pub struct Burst {
    /// How many.
    pub count: u64,
    /// When the first one did, in microseconds since 1970, UTC.
    pub first_at: i64,
    /// When the last one did.
    pub last_at: i64,
}

/// Bursts that are told apart.
const BURSTS: usize = 32;
/// Microseconds of silence between two of them.
const SILENCE: i64 = 1_000_000;

impl Ends {
    fn add(&mut self, at: i64) {
        self.count += 1;
        let is_full = self.bursts.len() >= BURSTS;
        match self.bursts.last_mut().filter(|burst| is_full || at - burst.last_at < SILENCE) {
            Some(burst) => {
                burst.count += 1;
                burst.last_at = burst.last_at.max(at);
            }
            None => self.bursts.push(Burst { count: 1, first_at: at, last_at: at }),
        }
    }
}

/// The counts of all phones.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counted>);

/// Requests of one kind.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Answers.
    pub count: u64,
    /// Answers a second.
    pub per_second: f64,
    /// Half were faster, in milliseconds.
    pub p50_ms: f64,
    /// 95 of 100 were.
    pub p95_ms: f64,
    /// 99 of 100 were.
    pub p99_ms: f64,
    /// The slowest.
    pub slowest_ms: f64,
}

/// Everything that was counted.
#[derive(Debug, Clone, Serialize)]
pub struct Traffic {
    /// Requests by what was asked for.
    pub requests: BTreeMap<String, Figures>,
    /// Refusals by the server's code.
    pub refusals: BTreeMap<String, u64>,
    /// Readings that were sent and taken.
    pub readings: u64,
    /// Readings that were not scored.
    pub readings_refused: u64,
    /// Commands that were verified and carried out, once each.
    pub commands_obeyed: u64,
    /// Commands whose signature, addressee or number was wrong; none was carried out.
    pub commands_forged: u64,
    /// Requests that were repeated after a pause, because the server was away or asked for it.
    pub retries: u64,
    /// How lines ended, by the server's last word, or what was seen of it; `left` by the phone itself.
    pub line_ends: BTreeMap<String, Ends>,
}

impl Tally {
    fn with(&self, count: impl FnOnce(&mut Counted)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn answered(&self, kind: Kind, took: Duration) {
        self.with(|counted| counted.kinds.entry(kind).or_default().add(took));
    }

    pub(crate) fn refused(&self, code: &str) {
        self.with(|counted| *counted.refusals.entry(code.to_owned()).or_default() += 1);
    }

    pub(crate) fn readings(&self, received: u64, refused: u64) {
        self.with(|counted| {
            counted.readings += received;
            counted.readings_refused += refused;
        });
    }

    pub(crate) fn obeyed(&self) {
        self.with(|counted| counted.commands_obeyed += 1);
    }

    pub(crate) fn forged(&self) {
        self.with(|counted| counted.forged_commands += 1);
    }

    pub(crate) fn ended(&self, code: &str, at: i64) {
        self.with(|counted| counted.ends.entry(code.to_owned()).or_default().add(at));
    }

    /// A request of somebody barred.
    pub(crate) fn tried(&self) {
        self.with(|counted| counted.tries += 1);
    }

    /// Something was granted that must not be.
    pub(crate) fn leaked(&self) {
        self.with(|counted| counted.leaks += 1);
    }

    /// Requests of barred phones, and those of all that were granted although they must not be.
    pub(crate) fn barred(&self) -> (u64, u64) {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (counted.tries, counted.leaks)
    }

    pub(crate) fn retried(&self) {
        self.with(|counted| counted.retries += 1);
    }

    /// The figures, over so much time of living.
    pub(crate) fn close(&self, lived: Duration) -> Traffic {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = lived.as_secs_f64().max(0.001);
        let figures = |histogram: &Histogram| Figures {
            count: histogram.count,
            per_second: histogram.count as f64 / seconds,
            p50_ms: histogram.percentile(0.50),
            p95_ms: histogram.percentile(0.95),
            p99_ms: histogram.percentile(0.99),
            slowest_ms: histogram.largest.as_secs_f64() * 1e3,
        };
        let name = |kind: &Kind| serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
        Traffic {
            requests: counted.kinds.iter().map(|(kind, histogram)| (name(kind), figures(histogram))).collect(),
            refusals: counted.refusals.clone(),
            readings: counted.readings,
            readings_refused: counted.readings_refused,
            commands_obeyed: counted.commands_obeyed,
            commands_forged: counted.forged_commands,
            retries: counted.retries,
            line_ends: counted.ends.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_lines_are_told_apart_by_silence_and_take_a_fixed_amount_of_memory() {
        let tally = Tally::default();
        for second in [10, 20, 30] {
            for line in 0..100 {
                tally.ended("restart", second * 1_000_000 + line);
            }
        }
        let ends = tally.close(Duration::from_secs(1)).line_ends.remove("restart").unwrap();
        let bursts: Vec<_> = ends.bursts.iter().map(|burst| (burst.count, burst.first_at, burst.last_at)).collect();
        assert_eq!(bursts, [(100, 10_000_000, 10_000_099), (100, 20_000_000, 20_000_099), (100, 30_000_000, 30_000_099)]);
        for second in 0..1_000 {
            tally.ended("cut", second * 2_000_000);
        }
        let ends = tally.close(Duration::from_secs(1)).line_ends.remove("cut").unwrap();
        assert_eq!((ends.count, ends.bursts.len(), ends.bursts[BURSTS - 1].count), (1_000, BURSTS, 1_001 - BURSTS as u64));
    }

    #[test]
    fn percentiles_are_close_and_never_beyond_the_slowest() {
        let tally = Tally::default();
        for millisecond in 1..=1_000 {
            tally.answered(Kind::Signals, Duration::from_millis(millisecond));
        }
        let traffic = tally.close(Duration::from_secs(10));
        let figures = &traffic.requests["signals"];
        for (found, exact) in [(figures.p50_ms, 500.0), (figures.p95_ms, 950.0), (figures.p99_ms, 990.0)] {
            assert!((exact..exact * 1.05).contains(&found), "{found} of {exact}");
        }
        assert_eq!((figures.slowest_ms, figures.per_second), (1_000.0, 100.0));
    }
}

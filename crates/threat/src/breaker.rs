//! The breaker around scoring: when the engine falls behind, scores are simplified and nothing is locked by them.
//! Pure: it is given samples of load and answers with changes; opening is quick, closing takes patience.

use serde::{Deserialize, Serialize};

use crate::Mode;

/// Load over one sampling interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Mean time that batches waited before they were scored, milliseconds.
    pub queue_latency: f64,
    /// 95th percentile of the time that scoring a batch took, milliseconds.
    pub runtime: f64,
    /// Batches scored in a second.
    pub throughput: f64,
    /// Batches that arrived in a second.
    pub arrivals: f64,
}

/// Limits of the breaker; it closes only well below those at which it opens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerLimits {
    /// Mean queue latency in milliseconds at which it opens.
    pub queue_latency: f64,
    /// 95th percentile of the runtime in milliseconds at which it opens.
    pub runtime: f64,
    /// Share of arrivals that must be scored.
    pub throughput: f64,
    /// Share of a limit that must not be exceeded for it to close again.
    pub recovery: f64,
    /// Samples in a row over a limit before it opens.
    pub samples_to_open: u8,
    /// Samples in a row under all limits before it closes.
    pub samples_to_close: u8,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self { queue_latency: 250.0, runtime: 50.0, throughput: 0.9, recovery: 0.5, samples_to_open: 3, samples_to_close: 10 }
    }
}

/// What a limit was exceeded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overload {
    /// Batches wait too long.
    QueueLatency,
    /// Scoring takes too long.
    Runtime,
    /// Fewer are scored than arrive.
    Throughput,
}

/// The breaker changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum BreakerChange {
    /// Scores are simplified from now on.
    Opened {
        /// Why.
        because: Overload,
        /// The sample that did it.
        load: Load,
    },
    /// Scores are whole again.
    Closed {
        /// The sample that did it.
        load: Load,
    },
}

/// State of the breaker.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    limits: BreakerLimits,
    is_open: bool,
    streak: u8,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(limits: BreakerLimits) -> Self {
        Self { limits, is_open: false, streak: 0 }
    }

    /// Whether scores are simplified.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// How to score now.
    pub fn mode(&self) -> Mode {
        if self.is_open { Mode::Simplified } else { Mode::Spec }
    }

    /// Takes the load of one interval; a change, when there is one. A sample that is no number counts as overload.
    pub fn sample(&mut self, load: Load) -> Option<BreakerChange> {
        let limits = self.limits;
        let share = if self.is_open { limits.recovery } else { 1.0 };
        let overload = if exceeds(load.queue_latency, limits.queue_latency * share) {
            Some(Overload::QueueLatency)
        } else if exceeds(load.runtime, limits.runtime * share) {
            Some(Overload::Runtime)
        } else if exceeds(load.arrivals * limits.throughput, load.throughput.max(0.0)) {
            Some(Overload::Throughput)
        } else {
            None
        };
        let counts = overload.is_some() != self.is_open;
        self.streak = if counts { self.streak.saturating_add(1) } else { 0 };
        match overload {
            Some(because) if !self.is_open && self.streak >= limits.samples_to_open => {
                (self.is_open, self.streak) = (true, 0);
                Some(BreakerChange::Opened { because, load })
            }
            None if self.is_open && self.streak >= limits.samples_to_close => {
                (self.is_open, self.streak) = (false, 0);
                Some(BreakerChange::Closed { load })
            }
            _ => None,
        }
    }
}

fn exceeds(value: f64, limit: f64) -> bool {
    value.is_nan() || value > limit
}

/// Buckets of the runtime histogram: sixteenths of an octave from one microsecond on.
const BUCKETS: usize = 400;

/// Collects what the breaker needs over one interval, in fixed memory.
#[derive(Clone, Debug)]
pub struct LoadMeter {
    waited: f64,
    batches: u64,
    arrivals: u64,
    runtimes: Vec<u32>,
}

impl Default for LoadMeter {
    fn default() -> Self {
        Self { waited: 0.0, batches: 0, arrivals: 0, runtimes: vec![0; BUCKETS] }
    }
}

impl LoadMeter {
    /// A batch arrived.
    pub fn arrived(&mut self) {
        self.arrivals += 1;
    }

    /// A batch was scored: it had waited, and took, so many microseconds.
    pub fn scored(&mut self, waited: u64, took: u64) {
        self.waited += waited as f64 / 1_000.0;
        self.batches += 1;
        let bucket = ((took.max(1) as f64).log2() * 16.0) as usize;
        if let Some(count) = self.runtimes.get_mut(bucket.min(BUCKETS - 1)) {
            *count += 1;
        }
    }

    /// The load of the last `seconds`; the next interval begins.
    pub fn close(&mut self, seconds: f64) -> Load {
        let wanted = self.batches as f64 * 0.95;
        let mut below = 0.0;
        let bucket = self.runtimes.iter().position(|count| {
            below += f64::from(*count);
            below >= wanted
        });
        let runtime = if self.batches == 0 { 0.0 } else { (bucket.unwrap_or(BUCKETS) as f64 + 1.0) / 16.0 };
        let load = Load {
            queue_latency: if self.batches == 0 { 0.0 } else { self.waited / self.batches as f64 },
            runtime: if self.batches == 0 { 0.0 } else { runtime.exp2() / 1_000.0 },
            throughput: self.batches as f64 / seconds,
            arrivals: self.arrivals as f64 / seconds,
        };
        *self = Self::default();
        load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Load = Load { queue_latency: 2.0, runtime: 1.0, throughput: 1_000.0, arrivals: 1_000.0 };

    #[test]
    fn it_opens_on_each_of_the_three_and_only_when_it_lasts() {
        for (load, because) in [
            (Load { queue_latency: 300.0, ..CALM }, Overload::QueueLatency),
            (Load { runtime: 60.0, ..CALM }, Overload::Runtime),
            (Load { throughput: 500.0, ..CALM }, Overload::Throughput),
            (Load { runtime: f64::NAN, ..CALM }, Overload::Runtime),
        ] {
            let mut breaker = Breaker::default();
            assert!(breaker.sample(load).is_none() && breaker.sample(load).is_none() && breaker.sample(CALM).is_none());
            assert!(breaker.sample(load).is_none() && breaker.sample(load).is_none());
            assert!(matches!(breaker.sample(load), Some(BreakerChange::Opened { because: found, .. }) if found == because));
            assert_eq!(breaker.mode(), Mode::Simplified);
        }
    }

    #[test]
    fn it_closes_only_well_below_the_limit_and_does_not_flap() {
        let mut breaker = Breaker::default();
        let high = Load { queue_latency: 300.0, ..CALM };
        assert!((0..3).any(|_| breaker.sample(high).is_some()));
        let nearly = Load { queue_latency: 200.0, ..CALM };
        assert!((0..100).all(|_| breaker.sample(nearly).is_none()) && breaker.is_open());
        let changes: Vec<_> = (0..10).filter_map(|_| breaker.sample(CALM)).collect();
        assert!(matches!(changes[..], [BreakerChange::Closed { .. }]) && !breaker.is_open());
    }

    #[test]
    fn the_meter_gives_mean_percentile_and_rates() {
        let mut meter = LoadMeter::default();
        for index in 0..1_000_u64 {
            meter.arrived();
            meter.scored(4_000, if index < 940 { 1_000 } else { 40_000 });
        }
        let load = meter.close(2.0);
        assert!((load.queue_latency - 4.0).abs() < 1e-9 && (load.throughput - 500.0).abs() < 1e-9);
        assert!((38.0..44.0).contains(&load.runtime), "{}", load.runtime);
        assert!(meter.close(1.0).runtime.abs() < 1e-12);
    }
}

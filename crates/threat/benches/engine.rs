//! Readings a second of the whole engine, beside a plain loop of the same arithmetic without checks, state or learning.
//! CPU time of this thread, in turns within one run; `cargo bench -p threat`.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and stops at what it cannot measure")]

mod plain;

use std::hint::black_box;

use nix::sys::resource::{UsageWho, getrusage};
use plain::Plain;
use threat::{Attestation, Batch, Cohort, Device, Level, Mode, Reading, STATE_LIMIT, Setting, Standing};

/// Readings of each sensor in a batch, as a phone sends them twice a second.
const BATCH: usize = 50;
/// Different batches, so that no branch is learned by heart.
const VARIANTS: usize = 16;
/// Half seconds that are played at a time.
const ROUNDS: usize = 8;
/// Turns of each rival; the median counts.
const TURNS: usize = 7;

/// Batches of both sensors for each round and variant.
type Inputs = Vec<Vec<[Vec<Reading>; 2]>>;

fn seconds() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("the clock of this thread");
    let part = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    part(usage.user_time()) + part(usage.system_time())
}

struct Dice(u64);

impl Dice {
    fn noise(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / 8_388_608.0 - 1.0
    }
}

/// Someone walks; values lie on a grid, as hardware has it.
fn inputs(from: usize) -> Inputs {
    let mut dice = Dice(from as u64 + 1);
    let mut grid = |value: f32, step: f32, noise: f32| ((value + noise * dice.noise()) / step).round() * step;
    (0..ROUNDS)
        .map(|round| {
            (0..VARIANTS)
                .map(|variant| {
                    let mut both = [Vec::new(), Vec::new()];
                    for index in 0..BATCH {
                        let place = (from + round) * BATCH + index;
                        let turn = place as f32 / 100.0 * 1.8 * std::f32::consts::TAU + variant as f32;
                        let (bounce, swing, t) = (2.5 * turn.sin(), (turn / 2.0).sin(), place as i64 * 10_000);
                        both[0].push(Reading {
                            t,
                            x: grid(swing, 0.012, 0.3),
                            y: grid(9.4 + bounce, 0.012, 0.3),
                            z: grid(2.5, 0.012, 0.3),
                        });
                        both[1].push(Reading {
                            t,
                            x: grid(swing, 0.000_6, 0.1),
                            y: grid(bounce / 5.0, 0.000_6, 0.1),
                            z: grid(0.3, 0.000_6, 0.1),
                        });
                    }
                    both
                })
                .collect()
        })
        .collect()
}

fn engine(devices: &mut [Device], inputs: &Inputs, decides: bool) -> f64 {
    let cohort = Cohort::default();
    let setting = Setting { cohort: &cohort, mode: Mode::Spec, learns: true };
    let start = seconds();
    let mut sum = 0.0;
    for round in inputs {
        for (index, device) in devices.iter_mut().enumerate() {
            let [accelerometer, gyroscope] = &round[index % VARIANTS];
            let arrived = accelerometer[BATCH - 1].t + 40_000;
            let batch = Batch { arrived, accelerometer, gyroscope, ..Batch::default() };
            let standing =
                Standing { now: arrived, attestation: Attestation::Passed { level: Level::Strong, at: arrived }, ..Standing::default() };
            device.accept(&batch, &setting, None, |device, judgement| {
                sum += judgement.global.unwrap_or_default();
                if decides {
                    black_box(device.decide(judgement, &standing));
                }
            });
        }
    }
    black_box(sum);
    seconds() - start
}

fn plain(devices: &mut [Plain], inputs: &Inputs) -> f64 {
    let start = seconds();
    let mut sum = 0.0;
    for round in inputs {
        for (index, device) in devices.iter_mut().enumerate() {
            let [accelerometer, gyroscope] = &round[index % VARIANTS];
            sum += device.take(accelerometer, gyroscope);
        }
    }
    black_box(sum);
    seconds() - start
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let mut missed = false;
    println!(
        "state of a device: {} bytes in memory, {} as bytes (limit {STATE_LIMIT})",
        size_of::<Device>(),
        Device::new().to_bytes().len()
    );
    for (count, passes, goal, share) in [(200_usize, 40_usize, 50.0, 50.0 / 71.0), (20_000, 2, 25.0, 25.0 / 37.0)] {
        let mut devices = [vec![Device::new(); count], vec![Device::new(); count]];
        let mut plains = vec![Plain::default(); count];
        let mut from = 0;
        let mut times: [Vec<f64>; 3] = Default::default();
        // The first turn enrols and warms up.
        for turn in 0..=TURNS {
            let mut sums = [0.0; 3];
            for _ in 0..passes {
                let inputs = inputs(from);
                from += ROUNDS;
                sums[0] += plain(&mut plains, &inputs);
                sums[1] += engine(&mut devices[0], &inputs, false);
                sums[2] += engine(&mut devices[1], &inputs, true);
            }
            if turn > 0 {
                times.iter_mut().zip(sums).for_each(|(times, sum)| times.push(sum));
            }
        }
        let readings = (count * passes * ROUNDS * BATCH * 2) as f64;
        let mut ratios: Vec<f64> = times[0].iter().zip(&times[1]).map(|(plain, engine)| plain / engine).collect();
        let [plain, engine, decided] = times.each_mut().map(|times| readings / median(times) / 1e6);
        let ratio = median(&mut ratios);
        println!("{count} devices, readings of one sensor (t, x, y, z) a second and core; two of them make a six-axis sample:");
        println!("  plain loop            {plain:6.1} M/s");
        println!("  engine                {engine:6.1} M/s = {ratio:.2} of the plain loop (goal {goal:.0} M/s, {share:.2})");
        println!("  engine and decision   {decided:6.1} M/s");
        missed |= engine < goal && ratio < share;
    }
    assert!(!missed, "neither the rate nor the ratio reaches its goal");
}

//! The plain loop that the engine is measured against: the same features, distances and moving means, on trusted input, and nothing else.

use threat::{FEATURES, Reading, WINDOW};

const BINS: usize = 20;
const LAGS: usize = 21;

/// Arrays and counters of one device.
#[derive(Clone)]
pub(crate) struct Plain {
    magnitudes: [[f32; WINDOW]; 2],
    sums: [[f32; 3]; 2],
    change: [f32; 2],
    previous: [[f32; 3]; 2],
    taken: [usize; 2],
    means: [f32; FEATURES],
    variances: [f32; FEATURES],
}

impl Default for Plain {
    fn default() -> Self {
        Self {
            magnitudes: [[0.0; WINDOW]; 2],
            sums: [[0.0; 3]; 2],
            change: [0.0; 2],
            previous: [[0.0; 3]; 2],
            taken: [0; 2],
            means: [0.0; FEATURES],
            variances: [1.0; FEATURES],
        }
    }
}

static WAVES: std::sync::LazyLock<Vec<[[f32; BINS]; 2]>> = std::sync::LazyLock::new(|| {
    (0..WINDOW)
        .map(|index| {
            let turn = |bin: usize| std::f32::consts::TAU * (bin + 1) as f32 * index as f32 / WINDOW as f32;
            [std::array::from_fn(|bin| turn(bin).cos()), std::array::from_fn(|bin| turn(bin).sin())]
        })
        .collect()
});

impl Plain {
    pub(crate) fn take(&mut self, accelerometer: &[Reading], gyroscope: &[Reading]) -> f64 {
        for (sensor, readings) in [accelerometer, gyroscope].into_iter().enumerate() {
            for reading in readings {
                let now = [reading.x, reading.y, reading.z];
                self.magnitudes[sensor][self.taken[sensor]] = (now[0] * now[0] + now[1] * now[1] + now[2] * now[2]).sqrt();
                for ((sum, previous), now) in self.sums[sensor].iter_mut().zip(&self.previous[sensor]).zip(now) {
                    *sum += now;
                    self.change[sensor] += (now - previous) * (now - previous);
                }
                self.previous[sensor] = now;
                self.taken[sensor] += 1;
            }
        }
        if self.taken[0] < WINDOW { 0.0 } else { self.close() }
    }

    fn close(&mut self) -> f64 {
        let mut features = [0.0_f32; FEATURES];
        let mut centred = [[0.0_f32; WINDOW]; 2];
        let mut energies = [0.0_f32; 2];
        for sensor in 0..2 {
            let values = &self.magnitudes[sensor];
            let mean = values.iter().sum::<f32>() / WINDOW as f32;
            for index in 0..WINDOW {
                centred[sensor][index] = values[index] - mean;
                energies[sensor] += centred[sensor][index] * centred[sensor][index];
            }
            let place = sensor * 7;
            features[place] = if sensor == 0 { mean } else { (mean + 0.005).ln() };
            features[place + 1] = ((energies[sensor] / WINDOW as f32).sqrt() + 0.01).ln();
            features[place + 2] = ((self.change[sensor] / 99.0).sqrt() * 100.0 + 0.1).ln();
            if sensor == 0 {
                let [x, y, z] = self.sums[0];
                features[3] = (z / (x * x + y * y + z * z).sqrt()).acos();
            }
            let (mut even, mut odd) = ([0.0_f32; BINS], [0.0_f32; BINS]);
            for (value, [cosines, sines]) in centred[sensor].iter().zip(WAVES.iter()) {
                for bin in 0..BINS {
                    even[bin] += value * cosines[bin];
                    odd[bin] += value * sines[bin];
                }
            }
            for bin in 0..BINS {
                let band = usize::from(bin > 2) + usize::from(bin > 7);
                features[if sensor == 0 { 4 } else { 10 } + band] +=
                    (even[bin] * even[bin] + odd[bin] * odd[bin]) / (energies[sensor] * 50.0);
            }
        }
        let mut best = 0.0_f32;
        for lag in 0..LAGS {
            let shift = lag as isize - 10;
            let mut sum = 0.0;
            for (index, value) in centred[0].iter().enumerate() {
                let other = index as isize + shift;
                if (0..WINDOW as isize).contains(&other) {
                    sum += value * centred[1][other as usize];
                }
            }
            best = best.max(sum.abs());
        }
        features[13] = (best / (energies[0] * energies[1]).sqrt()).min(0.999).atanh();
        let mut distance = 0.0;
        for (feature, value) in features.into_iter().enumerate() {
            let difference = value - self.means[feature];
            distance += difference * difference / self.variances[feature].max(1e-4);
            self.means[feature] += 0.01 * difference;
            self.variances[feature] = 0.99 * (self.variances[feature] + 0.01 * difference * difference);
        }
        self.sums = [[0.0; 3]; 2];
        self.change = [0.0; 2];
        self.taken = [0; 2];
        f64::from(distance)
    }
}

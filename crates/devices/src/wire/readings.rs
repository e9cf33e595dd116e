//! Readings as the contract carries them, column by column with steps of time, made into a batch. What is wrong with a reading is left
//! in it: the threat engine counts it.

use base::{Error, Result};
use prost::Message;
use threat::{Touch, Traffic};

use crate::errors;
use crate::service::{Point, SignalBatch};
use crate::wire::v1;

/// The batch in a body of `application/x-protobuf`.
///
/// # Errors
/// `Invalid` for bytes that are no readings, or columns of different length.
pub(crate) fn decode(bytes: &[u8]) -> Result<SignalBatch> {
    v1::Readings::decode(bytes).map_err(|cause| errors::undecodable(&cause))?.try_into()
}

impl TryFrom<v1::Readings> for SignalBatch {
    type Error = Error;

    fn try_from(readings: v1::Readings) -> Result<Self> {
        Ok(Self {
            accelerometer: points("/accelerometer", readings.accelerometer)?,
            gyroscope: points("/gyroscope", readings.gyroscope)?,
            touches: readings.touches.into_iter().map(touch).collect(),
            traffic: readings.traffic.into_iter().map(traffic).collect(),
        })
    }
}

fn points(pointer: &str, series: Option<v1::Series>) -> Result<Vec<Point>> {
    let Some(v1::Series { t, x, y, z }) = series else { return Ok(Vec::new()) };
    if [x.len(), y.len(), z.len()].iter().any(|length| *length != t.len()) {
        return Err(errors::columns(pointer));
    }
    // A sum beyond every clock is a time in the future, which is refused as such.
    let times = t.into_iter().scan(0_i64, |now, step| {
        *now = now.saturating_add(step);
        Some(*now)
    });
    Ok(times.zip(x).zip(y).zip(z).map(|(((t, x), y), z)| (t, Some(x), Some(y), Some(z))).collect())
}

fn touch(touch: v1::Touch) -> Touch {
    Touch { t: touch.t, pressure: touch.pressure, size: touch.size, speed: touch.speed }
}

fn traffic(minute: v1::Traffic) -> Traffic {
    Traffic { t: minute.t, bytes: minute.bytes, connections: minute.connections, domains: minute.domains, names: minute.names }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_readings_and_steps_become_times() {
        let series = v1::Series { t: vec![1_000, 10, -5], x: vec![1.0, f32::NAN, 3.0], y: vec![0.0; 3], z: vec![9.8; 3] };
        let readings = v1::Readings { accelerometer: Some(series), ..v1::Readings::default() };
        let batch = decode(&readings.encode_to_vec()).unwrap();
        assert_eq!(batch.accelerometer.iter().map(|point| point.0).collect::<Vec<_>>(), [1_000, 1_010, 1_005]);
        assert!(batch.accelerometer[1].1.unwrap().is_nan() && batch.gyroscope.is_empty());
    }

    #[test]
    fn what_is_no_batch_is_named() {
        let uneven = v1::Readings { gyroscope: Some(v1::Series { t: vec![1], ..v1::Series::default() }), ..v1::Readings::default() };
        assert_eq!(decode(&uneven.encode_to_vec()).unwrap_err().field(), Some("/gyroscope"));
        assert_eq!(decode(b"\xff\xff\xff").unwrap_err().code(), "devices.undecodable");
        let far = v1::Series { t: vec![i64::MAX, i64::MAX], x: vec![0.0; 2], y: vec![0.0; 2], z: vec![0.0; 2] };
        let batch = SignalBatch::try_from(v1::Readings { accelerometer: Some(far), ..v1::Readings::default() }).unwrap();
        assert_eq!(batch.accelerometer[1].0, i64::MAX);
    }
}

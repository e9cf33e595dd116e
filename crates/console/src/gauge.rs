//! Scores between nought and one as bars with a mark where the threshold lies, and as a line over time. Numbers stand beside them.

use std::fmt::Write;

use crate::page::Frame;
use crate::plot::{Plot, Shape};

/// Width and height of the square a plot is drawn in.
const SIDE: f64 = 100.0;
/// Decimals of a score.
const DECIMALS: usize = 2;

/// One value as a bar.
pub(crate) struct Gauge {
    /// In the language's way; a dash when nothing is known.
    pub(crate) value: String,
    /// How long the bar is, in hundredths.
    pub(crate) length: String,
    /// Where the threshold lies, in hundredths.
    pub(crate) limit: Option<String>,
    /// Whether the threshold is exceeded.
    pub(crate) is_over: bool,
}

impl Gauge {
    /// A value, and what it must exceed to count.
    pub(crate) fn of(frame: &Frame, value: Option<f64>, limit: Option<f64>) -> Self {
        let length = |value: f64| format!("{:.2}", value.clamp(0.0, 1.0) * SIDE);
        Self {
            value: written(frame, value),
            length: length(value.unwrap_or_default()),
            limit: limit.map(length),
            is_over: value.zip(limit).is_some_and(|(value, limit)| value > limit),
        }
    }
}

/// A score in the language's way; a dash when there is none.
pub(crate) fn written(frame: &Frame, value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| frame.decimal(&value, DECIMALS))
}

/// A score and its threshold at a moment, in microseconds.
pub(crate) struct Point {
    pub(crate) at: i64,
    pub(crate) score: f64,
    pub(crate) limit: f64,
}

/// Scores and thresholds over time, oldest first; `labels` stand below, from first to last. Two points make a line.
pub(crate) fn over_time(points: &[Point], labels: Vec<String>) -> Option<Plot> {
    let (first, last) = (points.first()?.at, points.last()?.at);
    if first >= last {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a picture needs three digits")]
    let across = |at: i64| (at - first) as f64 / (last - first) as f64 * SIDE;
    let line = |of: fn(&Point) -> f64| {
        points.iter().enumerate().fold(String::new(), |mut path, (index, point)| {
            let begin = if index == 0 { "M" } else { "L" };
            let _ = write!(path, "{begin}{:.2} {:.2}", across(point.at), SIDE - of(point).clamp(0.0, 1.0) * SIDE);
            path
        })
    };
    let shapes =
        vec![Shape { class: "limit", path: line(|point| point.limit) }, Shape { class: "measured", path: line(|point| point.score) }];
    Some(Plot { shapes, scale: ["1", "0.5", "0"].map(str::to_owned), days: labels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_lie_between_their_moments_and_one_point_is_no_line() {
        let point = |at, score| Point { at, score, limit: 0.8 };
        assert!(over_time(&[point(5, 0.1)], Vec::new()).is_none());
        assert!(over_time(&[], Vec::new()).is_none());
        let plot = over_time(&[point(0, 0.0), point(1, 0.5), point(4, 2.0)], Vec::new()).unwrap();
        assert_eq!(plot.shapes[1].path, "M0.00 100.00L25.00 50.00L100.00 0.00");
        assert_eq!(plot.shapes[0].path, "M0.00 20.00L25.00 20.00L100.00 20.00");
    }
}

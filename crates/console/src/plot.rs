//! Lines, bands and bars over days, in a square of 100 by 100 that the page stretches to its width. Every plot stands before
//! its table: the picture never carries the numbers alone.

use std::fmt::Write;

use chrono::NaiveDate;

/// Width and height of the square.
const SIDE: f64 = 100.0;
/// How much of its day a bar fills.
const FILL: f64 = 0.8;

/// One drawn thing and how it looks.
pub(crate) struct Shape {
    pub(crate) class: &'static str,
    pub(crate) path: String,
}

/// Shapes over days, with what stands along the edges.
pub(crate) struct Plot {
    pub(crate) shapes: Vec<Shape>,
    /// At the upper edge, in the middle and at the lower edge.
    pub(crate) scale: [String; 3],
    /// First, middle and last day.
    pub(crate) days: Vec<String>,
}

/// Days and where each lies between the edges.
pub(crate) struct Axis {
    days: Vec<NaiveDate>,
    /// Days from edge to edge.
    span: i64,
}

impl Axis {
    /// The axis of days such as `2026-01-31`, oldest first.
    pub(crate) fn of<'d>(days: impl Iterator<Item = &'d str>) -> Self {
        let days: Vec<NaiveDate> = days.filter_map(|day| day.parse().ok()).collect();
        let span = match (days.first(), days.last()) {
            (Some(first), Some(last)) => (*last - *first).num_days(),
            _ => 0,
        };
        Self { days, span }
    }

    fn offset(&self, index: usize) -> i64 {
        match (self.days.first(), self.days.get(index)) {
            (Some(first), Some(day)) => (*day - *first).num_days(),
            _ => 0,
        }
    }

    /// Where the points of a line lie; a single day reaches from edge to edge.
    fn points(&self, values: &[f64], top: f64) -> Vec<(f64, f64)> {
        let height = |value: f64| SIDE - value / top * SIDE;
        match values {
            [only] => vec![(0.0, height(*only)), (SIDE, height(*only))],
            _ => values.iter().enumerate().map(|(index, value)| (share(self.offset(index), self.span), height(*value))).collect(),
        }
    }

    fn labels(&self) -> Vec<String> {
        let (Some(first), Some(last)) = (self.days.first(), self.days.last()) else { return Vec::new() };
        let middle = *first + chrono::TimeDelta::days(self.span / 2);
        let labels: Vec<String> = match self.span {
            0 => vec![first.to_string()],
            1 => vec![first.to_string(), last.to_string()],
            _ => vec![first.to_string(), middle.to_string(), last.to_string()],
        };
        labels
    }

    /// Bands upon each other, the first at the bottom.
    pub(crate) fn bands(&self, series: &[(&'static str, Vec<f64>)]) -> Plot {
        let count = self.days.len();
        let mut floor = vec![0.0; count];
        let tops: Vec<Vec<f64>> = series
            .iter()
            .map(|(_, values)| {
                floor.iter_mut().zip(values).for_each(|(floor, value)| *floor += value);
                floor.clone()
            })
            .collect();
        let top = ceiling(floor.iter().copied().fold(0.0, f64::max));
        let mut below = self.points(&vec![0.0; count], top);
        let mut shapes = Vec::new();
        for ((class, values), sums) in series.iter().zip(&tops) {
            let above = self.points(sums, top);
            if values.iter().any(|value| *value > 0.0) {
                let back: Vec<(f64, f64)> = below.iter().rev().copied().collect();
                shapes.push(Shape { class, path: format!("{}{}Z", line("M", &above), line("L", &back)) });
            }
            below = above;
        }
        Plot { shapes, scale: upwards(top), days: self.labels() }
    }

    /// One line over the ground it stands on.
    pub(crate) fn line(&self, class: &'static str, values: &[f64]) -> Plot {
        let top = ceiling(values.iter().copied().fold(0.0, f64::max));
        let above = self.points(values, top);
        let ground = [(SIDE, SIDE), (0.0, SIDE)];
        let shapes = vec![
            Shape { class: "ground", path: format!("{}{}Z", line("M", &above), line("L", &ground)) },
            Shape { class, path: line("M", &above) },
        ];
        Plot { shapes, scale: upwards(top), days: self.labels() }
    }

    /// One mark for every day that has a value.
    pub(crate) fn marks(&self, class: &'static str, values: &[Option<f64>]) -> Plot {
        let top = ceiling(values.iter().flatten().copied().fold(0.0, f64::max));
        let path = values.iter().enumerate().fold(String::new(), |mut path, (index, value)| {
            if let Some(value) = value {
                // A line without length is a dot when its ends are round.
                let _ = write!(path, "M{:.2} {:.2}h0", share(self.offset(index), self.span), SIDE - value / top * SIDE);
            }
            path
        });
        Plot { shapes: vec![Shape { class, path }], scale: upwards(top), days: self.labels() }
    }

    /// Bars up and bars down from the middle, two for every day.
    pub(crate) fn mirror(&self, up: (&'static str, &[f64]), down: (&'static str, &[f64])) -> Plot {
        let top = ceiling(up.1.iter().chain(down.1).copied().fold(0.0, f64::max));
        #[expect(clippy::cast_precision_loss, reason = "a picture needs three digits")]
        let day = SIDE / (self.span + 1) as f64;
        let bars = |values: &[f64], sign: f64| {
            values.iter().enumerate().filter(|(_, value)| **value > 0.0).fold(String::new(), |mut path, (index, value)| {
                #[expect(clippy::cast_precision_loss, reason = "a picture needs three digits")]
                let left = self.offset(index) as f64 * day + day * (1.0 - FILL) / 2.0;
                let _ = write!(path, "M{left:.2} 50h{:.2}v{:.2}h-{:.2}Z", day * FILL, sign * value / top * SIDE / 2.0, day * FILL);
                path
            })
        };
        let shapes = vec![Shape { class: up.0, path: bars(up.1, -1.0) }, Shape { class: down.0, path: bars(down.1, 1.0) }];
        Plot { shapes, scale: [format!("{top}"), "0".to_owned(), format!("{top}")], days: self.labels() }
    }
}

/// Where a day lies; the only day lies in the middle.
fn share(offset: i64, span: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a picture needs three digits")]
    let share = if span == 0 { 0.5 } else { offset as f64 / span as f64 };
    share * SIDE
}

/// The next number that people count by, so that half of it is whole too.
fn ceiling(most: f64) -> f64 {
    let mut unit = 1.0;
    loop {
        for step in [2.0, 4.0, 6.0, 10.0] {
            if most <= step * unit {
                return step * unit;
            }
        }
        unit *= 10.0;
    }
}

fn upwards(top: f64) -> [String; 3] {
    [format!("{top}"), format!("{}", top / 2.0), "0".to_owned()]
}

fn line(begin: &str, points: &[(f64, f64)]) -> String {
    points.iter().enumerate().fold(String::new(), |mut path, (index, (x, y))| {
        let _ = write!(path, "{}{x:.2} {y:.2}", if index == 0 { begin } else { "L" });
        path
    })
}

/// How long a bar in a table is, in hundredths of the longest.
pub(crate) fn length(value: u64, longest: u64) -> u64 {
    (value * 100).checked_div(longest).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_stand_upon_each_other_and_days_without_figures_leave_their_room() {
        let axis = Axis::of(["2026-01-01", "2026-01-02", "2026-01-05"].into_iter());
        let plot = axis.bands(&[("critical", vec![1.0, 1.0, 2.0]), ("high", vec![0.0, 0.0, 0.0]), ("low", vec![0.0, 3.0, 2.0])]);
        assert_eq!(plot.scale, ["4", "2", "0"]);
        assert_eq!(plot.days, ["2026-01-01", "2026-01-03", "2026-01-05"]);
        assert_eq!(plot.shapes.iter().map(|shape| shape.class).collect::<Vec<_>>(), ["critical", "low"], "what is empty is not drawn");
        assert_eq!(plot.shapes[0].path, "M0.00 75.00L25.00 75.00L100.00 50.00L100.00 100.00L25.00 100.00L0.00 100.00Z");
        assert!(plot.shapes[1].path.starts_with("M0.00 75.00L25.00 0.00L100.00 0.00L100.00 50.00"));
    }

    #[test]
    fn the_first_day_reaches_from_edge_to_edge_and_nothing_at_all_is_no_division_by_zero() {
        let axis = Axis::of(["2026-01-01"].into_iter());
        assert_eq!(axis.line("standing", &[3.0]).shapes[1].path, "M0.00 25.00L100.00 25.00");
        assert_eq!(axis.line("standing", &[0.0]).scale, ["2", "1", "0"]);
        let bars = axis.mirror(("opened", &[4.0]), ("fixed", &[0.0]));
        assert_eq!(bars.shapes[0].path, "M10.00 50h80.00v-50.00h-80.00Z");
        assert!(bars.shapes[1].path.is_empty());
        assert!(Axis::of([].into_iter()).bands(&[("critical", vec![])]).days.is_empty());
        assert_eq!((length(3, 4), length(0, 0)), (75, 0));
    }
}

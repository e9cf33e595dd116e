//! The two charts, drawn on the server as SVG that names itself; the numbers also stand in tables.

use askama::Template;

use crate::language::Catalogue;
use crate::snapshot::{BySeverity, Severity};

/// Bars drawn; the targets behind them share one more bar.
pub(crate) const BARS: usize = 8;

const RADIUS: f64 = 62.0;
const BAR_WIDTH: f64 = 220.0;
const BAR_STEP: f64 = 27.0;

/// The colour of a severity: white text on it has a contrast of 4.5 or more.
pub(crate) const fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "#9f1239",
        Severity::High => "#c2410c",
        Severity::Medium => "#976200",
        Severity::Low => "#1d5fa8",
        Severity::Info => "#566275",
    }
}

/// Open findings of one target.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) counts: BySeverity,
}

struct Segment {
    colour: &'static str,
    length: String,
    gap: String,
    offset: String,
}

struct LegendEntry {
    colour: &'static str,
    label: String,
    count: String,
    y: String,
}

#[derive(Template)]
#[template(path = "donut.svg", escape = "html")]
struct Donut<'a> {
    title: &'a str,
    description: &'a str,
    radius: f64,
    total: String,
    segments: Vec<Segment>,
    legend: Vec<LegendEntry>,
}

struct Row {
    label: String,
    y: String,
    text_y: String,
    pieces: Vec<Piece>,
    total: String,
    total_x: String,
}

struct Piece {
    colour: &'static str,
    x: String,
    width: String,
}

#[derive(Template)]
#[template(path = "bars.svg", escape = "html")]
struct Bars<'a> {
    title: &'a str,
    description: &'a str,
    height: String,
    rows: Vec<Row>,
}

/// A ring with one segment per severity, the total in its middle.
pub(crate) fn donut(counts: &BySeverity, words: &Catalogue, description: &str) -> Result<String, askama::Error> {
    let total = counts.total();
    let around = std::f64::consts::TAU * RADIUS;
    let mut start = 0.0;
    let mut segments = Vec::new();
    let mut legend = Vec::new();
    for severity in Severity::ALL {
        let count = counts.of(severity);
        if count > 0 {
            let length = around * share(count, total);
            segments.push(Segment {
                colour: colour(severity),
                length: decimal(length),
                gap: decimal(around - length),
                offset: decimal(-start),
            });
            start += length;
        }
        legend.push(LegendEntry {
            colour: colour(severity),
            label: words.severity(severity).to_owned(),
            count: words.number(count),
            y: (33 + 31 * legend.len()).to_string(),
        });
    }
    Donut { title: &words.labels.by_severity, description, radius: RADIUS, total: words.number(total), segments, legend }.render()
}

/// One bar per target, in pieces by severity, on a common scale.
pub(crate) fn bars(bars: &[Bar], words: &Catalogue, description: &str) -> Result<String, askama::Error> {
    let longest = bars.iter().map(|bar| bar.counts.total()).max().unwrap_or(0);
    let mut y = 4.0;
    let mut rows = Vec::new();
    for bar in bars {
        let mut x = 0.0;
        let mut pieces = Vec::new();
        for severity in Severity::ALL {
            let width = BAR_WIDTH * share(bar.counts.of(severity), longest);
            if width > 0.0 {
                pieces.push(Piece { colour: colour(severity), x: decimal(x), width: decimal(width) });
                x += width;
            }
        }
        rows.push(Row {
            label: shorten(&bar.label, 22),
            y: decimal(y),
            text_y: decimal(y + 12.5),
            pieces,
            total: words.number(bar.counts.total()),
            total_x: decimal(x + 7.0),
        });
        y += BAR_STEP;
    }
    let height = decimal(y.max(30.0));
    Bars { title: &words.labels.by_target, description, height, rows }.render()
}

#[expect(clippy::cast_precision_loss, reason = "a drawing needs no more than 53 bits")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn decimal(value: f64) -> String {
    format!("{value:.2}")
}

fn shorten(text: &str, length: usize) -> String {
    // Break opportunities are for paragraphs; a chart draws one line.
    let text: String = text.chars().filter(|character| *character != '\u{200b}').collect();
    if text.chars().count() <= length {
        return text;
    }
    let mut short: String = text.chars().take(length - 1).collect();
    short.push('…');
    short
}

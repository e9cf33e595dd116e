//! How it goes over time: what stands, what came and went, what is late, how long repairs take, and where it comes from.

use askama::Template;
use axum::extract::State;
use results::{Analytics, Cause, Period, TrendDay};
use targets::{Branch, Target};

use super::{Shown, first, readable};
use crate::Shared;
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render};
use crate::plot::{Axis, Plot};
use crate::request::Viewer;

const PERIODS: &str = "30 90 180 365";
const DAY: f64 = 86_400.0;

#[derive(Template)]
#[template(path = "trends/show.html")]
struct TrendsPage {
    frame: Frame,
    form: Form,
    targets: Vec<Target>,
    units: Vec<Branch>,
    analytics: Analytics,
    standing: u64,
    overdue: u64,
    /// Days a repair took on average; none when nothing was repaired.
    repair: Option<f64>,
    by_severity: Plot,
    flow: Plot,
    late: Plot,
    repairs: Plot,
    /// Newest first, for the tables.
    days: Vec<TrendDay>,
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let days = PERIODS.split(' ').find(|days| *days == query.get("days")).unwrap_or("90");
    let period = Period { target: query.word("target")?, unit: query.word("unit")?, days: days.parse().ok() };
    let analytics = services.results.analytics(&viewer.actor, &period).await?;
    let targets = readable(services.targets.list(&viewer.actor, targets::Filter::default(), first(500)).await)?;
    let axis = Axis::of(analytics.days.iter().map(|day| day.day.as_str()));
    let repairs: Vec<Option<f64>> = analytics.days.iter().map(|day| day.seconds_to_fix.map(in_days)).collect();
    let page = TrendsPage {
        frame: viewer.frame,
        form: Form::of(Fields::default().set("days", days).set("target", query.get("target")).set("unit", query.get("unit"))),
        units: services.targets.units(&viewer.actor).await?,
        targets: targets.map(|page| page.items).unwrap_or_default(),
        standing: crate::chart::total(&analytics.standing),
        overdue: crate::chart::total(&analytics.overdue),
        repair: analytics.seconds_to_fix.map(in_days),
        by_severity: axis.bands(&bands(&analytics.days)),
        flow: axis.mirror(("opened", &values(&analytics.days, |day| day.opened)), ("fixed", &values(&analytics.days, |day| day.fixed))),
        late: axis.line("late", &values(&analytics.days, |day| day.overdue)),
        repairs: axis.marks("repair", &repairs),
        days: analytics.days.iter().rev().cloned().collect(),
        analytics,
    };
    render(&page)
}

#[expect(clippy::cast_precision_loss, reason = "a picture needs three digits")]
fn values(days: &[TrendDay], of: fn(&TrendDay) -> u64) -> Vec<f64> {
    days.iter().map(|day| of(day) as f64).collect()
}

/// The gravest at the bottom, where their own height can be read.
fn bands(days: &[TrendDay]) -> [(&'static str, Vec<f64>); 5] {
    [
        ("critical", values(days, |day| day.by_severity.critical)),
        ("high", values(days, |day| day.by_severity.high)),
        ("medium", values(days, |day| day.by_severity.medium)),
        ("low", values(days, |day| day.by_severity.low)),
        ("info", values(days, |day| day.by_severity.info)),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a mean of days needs three digits")]
fn in_days(seconds: u64) -> f64 {
    seconds as f64 / DAY
}

/// How long a repair took, in days.
fn repaired(frame: &Frame, seconds: &u64) -> String {
    frame.decimal(&in_days(*seconds), 1)
}

/// How long the bar of a cause is, in hundredths of the longest.
fn length(cause: &Cause, causes: &[Cause]) -> u64 {
    crate::plot::length(cause.findings, causes.iter().map(|cause| cause.findings).max().unwrap_or_default())
}

/// What stands and what of it is late, by severity.
fn sums(analytics: &Analytics) -> Vec<(&'static str, u64, u64)> {
    let late = analytics.overdue.named();
    analytics.standing.named().into_iter().zip(late).map(|((word, standing), (_, late))| (word, standing, late)).collect()
}

/// What occurs most.
struct Origin<'a> {
    word: &'static str,
    causes: &'a [Cause],
    /// What narrows the list of findings to one of them.
    name: &'static str,
}

/// What occurs most, by check, asset and tool.
fn origins(analytics: &Analytics) -> Vec<Origin<'_>> {
    let origin = |word, causes, name| Origin { word, causes, name };
    vec![
        origin("checks", analytics.checks.as_slice(), "check"),
        origin("assets", analytics.assets.as_slice(), "q"),
        origin("sources", analytics.sources.as_slice(), "source"),
    ]
}

/// The findings behind a cause.
fn behind(cause: &Cause, name: &str, form: &Form) -> String {
    let open = Fields::default().set("status", "open").set("status", "not_retested");
    format!("/findings?{}", open.set(name, &cause.name).set("target", form.value("target")).query(&[]))
}

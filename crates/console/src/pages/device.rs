//! One phone: what it may do and why, what it measured, what it was told, and what happened to it.

use askama::Template;
use axum::extract::State;
use base::Time;
use devices::{Command, Device, DeviceId, Lock, Moment, Sample, Why};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{Shown, page_of};
use crate::failure::Failure;
use crate::gauge::{Gauge, Point, over_time, written};
use crate::live::{digest, follow};
use crate::page::{Frame, show_as};
use crate::plot::Plot;
use crate::request::{Named, Viewer};
use crate::{Services, Shared};

/// Features shown of a window, most unusual first.
const FEATURES: usize = 8;

#[derive(Template)]
#[template(path = "devices/show.html")]
struct DevicePage {
    frame: Frame,
    device: Device,
    platform: String,
    user: Option<String>,
    lock: Option<Lock>,
    withheld: Option<&'static str>,
    last: Option<Sample>,
    score: Gauge,
    trust: String,
    accumulated: Option<String>,
    parts: Vec<Part>,
    features: Vec<Feature>,
    /// What is wrong with the stream of readings itself.
    suspicions: Vec<String>,
    context: Option<String>,
    history: Option<Plot>,
    attestation: String,
    checks: Vec<Check>,
    locks: Vec<Lock>,
    commands: Vec<Command>,
    moments: Vec<Moment>,
    next: Option<String>,
    news: String,
}

/// One of the four parts of a score.
struct Part {
    word: String,
    value: Gauge,
    weight: String,
    contribution: String,
}

/// One feature of a window, as it was and as it usually is.
struct Feature {
    name: String,
    value: String,
    usual: String,
    deviations: String,
}

/// One check of an attestation.
#[derive(Deserialize)]
struct Check {
    name: String,
    passed: Option<bool>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    detail: String,
}

impl Check {
    /// How it came out, as a word of the catalogue.
    fn outcome(&self) -> &'static str {
        match self.passed {
            Some(true) => "passed",
            Some(false) => "failed",
            None => "not_made",
        }
    }
}

/// Everything a page about a phone is made from.
#[derive(serde::Serialize)]
struct Known {
    why: Why,
    last: Option<Sample>,
    locks: Vec<Lock>,
    commands: Vec<Command>,
    moments: Vec<Moment>,
    #[serde(skip)]
    next: Option<String>,
}

impl Known {
    async fn of(services: &Services, viewer: &Viewer, id: DeviceId) -> base::Result<Self> {
        let (actor, devices) = (&viewer.actor, &services.devices);
        let moments = devices.timeline(actor, id, &page_of(&viewer.query)).await?;
        Ok(Self {
            why: devices.why(actor, id).await?,
            last: devices.get(actor, id).await?.last,
            locks: devices.locks(actor, id).await?,
            commands: devices.commands_of(actor, id).await?.items,
            moments: moments.items,
            next: moments.next_cursor,
        })
    }

    /// What can change while somebody looks; an attestation ages with every look.
    fn digest(&self) -> u64 {
        let answered = self.commands.iter().filter(|command| command.acknowledged_at.is_some()).count();
        let newest = self.moments.first().map(|moment| &moment.id);
        digest(&(self.why.device.changed_at, self.why.device.posture, &self.last, self.commands.len(), answered, newest, &self.locks))
    }
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Device>) -> Shown {
    let known = Known::of(&services, &viewer, id).await?;
    let people = super::devices::people(&services, &viewer).await?;
    let user =
        known.why.device.user_id.map(|id| people.into_iter().find(|user| user.id == id).map_or(id.to_string(), |user| user.username));
    shown(viewer, known, user)
}

fn shown(viewer: Viewer, known: Known, user: Option<String>) -> Shown {
    let frame = &viewer.frame;
    let seen = known.digest();
    let Known { why, last, locks, commands, moments, next } = known;
    let device = why.device;
    let threshold = why.threshold.as_ref().and_then(|threshold| threshold["value"].as_f64());
    let explanation = why.explanation.unwrap_or_default();
    let global = explanation["global_score"].as_f64().or_else(|| last.as_ref().and_then(|last| last.score));
    let history = history(frame, &moments, last.as_ref());
    let score = Gauge::of(frame, global, threshold.or_else(|| last.as_ref().map(|last| last.threshold)));
    let trust = why.threshold.as_ref().and_then(|threshold| threshold["trust"].as_f64());
    let page = DevicePage {
        platform: super::devices::platform(frame, &device),
        user,
        withheld: why.withheld.map(devices::Withheld::as_str),
        score,
        trust: written(frame, trust.or_else(|| last.as_ref().map(|last| last.trust))),
        accumulated: why.accumulated.map(|sum| frame.decimal(&f64::from(sum), 1)),
        parts: parts(frame, &explanation),
        features: features(frame, &explanation),
        suspicions: words(frame, "suspicion", &explanation["checks"]),
        context: explanation["context"].as_str().map(|word| frame.word("motion", word)),
        history,
        attestation: written(frame, Some(why.attestation_score)),
        checks: checks(why.attestation_report.as_ref()),
        lock: why.lock,
        locks,
        commands,
        moments,
        next: viewer.query.next(&format!("/devices/{}", device.id), next),
        news: format!("/devices/{}/live?seen={seen}", device.id),
        last,
        device,
        frame: viewer.frame.clone(),
    };
    show_as(StatusCode::OK, &page)
}

/// Says when the phone is another than the one shown.
pub(crate) async fn live(
    State(services): State<Shared>,
    viewer: Viewer,
    Named(id): Named<Device>,
    standing: web::Standing,
) -> Result<axum::response::Response, Failure> {
    let news = services.devices.news(&viewer.actor).await?;
    let seen = viewer.query.get("seen").parse().ok();
    let read = {
        let (services, viewer) = (services.clone(), std::sync::Arc::new(viewer));
        move || {
            let (services, viewer) = (services.clone(), viewer.clone());
            async move { Ok(Known::of(&services, &viewer, id).await?.digest()) }
        }
    };
    Ok(follow(&services, standing, news, seen, read))
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn words(frame: &Frame, kind: &str, value: &Json) -> Vec<String> {
    list(value).iter().filter_map(Json::as_str).map(|word| frame.word(kind, word)).collect()
}

fn parts(frame: &Frame, explanation: &Json) -> Vec<Part> {
    let part = |part: &Json| Part {
        word: frame.word("part", part["name"].as_str().unwrap_or_default()),
        value: Gauge::of(frame, part["value"].as_f64(), None),
        weight: written(frame, part["weight"].as_f64()),
        contribution: written(frame, part["contribution"].as_f64()),
    };
    list(&explanation["parts"]).iter().map(part).collect()
}

fn features(frame: &Frame, explanation: &Json) -> Vec<Feature> {
    let feature = |feature: &Json| Feature {
        name: feature["name"].as_str().unwrap_or_default().to_owned(),
        value: written(frame, feature["value"].as_f64()),
        usual: written(frame, feature["usual"].as_f64()),
        deviations: feature["z"].as_f64().map_or_else(|| "–".to_owned(), |z| frame.decimal(&z, 1)),
    };
    list(&explanation["features"]).iter().take(FEATURES).map(feature).collect()
}

fn checks(report: Option<&Json>) -> Vec<Check> {
    let report = report.map_or(&Json::Null, |report| &report["checks"]);
    list(report).iter().filter_map(|check| serde_json::from_value(check.clone()).ok()).collect()
}

/// The scores that changed something, and the newest one.
fn history(frame: &Frame, moments: &[Moment], last: Option<&Sample>) -> Option<Plot> {
    let point = |moment: &Moment| {
        let evidence = &moment.detail["evidence"];
        let score = moment.detail["score"].as_f64().or_else(|| evidence["explanation"]["global_score"].as_f64())?;
        let limit = moment.detail["threshold"].as_f64().or_else(|| evidence["threshold"].as_f64())?;
        Some(Point { at: moment.created_at.micros(), score, limit })
    };
    let newest = last.and_then(|last| Some(Point { at: last.at.micros(), score: last.score?, limit: last.threshold }));
    let mut points: Vec<Point> = moments.iter().filter_map(point).chain(newest).collect();
    points.sort_by_key(|point| point.at);
    let ends = [points.first()?.at, points.last()?.at];
    over_time(&points, ends.map(|at| frame.plain(&Time::from_micros(at))).to_vec())
}

/// What an entry of the timeline tells beyond its name.
fn told(frame: &Frame, moment: &Moment) -> String {
    let detail = &moment.detail;
    let mut parts: Vec<String> = Vec::new();
    if let (Some(from), Some(to)) = (detail["from"].as_str(), detail["to"].as_str()) {
        parts.push(format!("{} → {}", frame.word("posture", from), frame.word("posture", to)));
    }
    for (name, kind) in [("cause", "lock_cause"), ("withheld", "withheld"), ("outcome", "outcome"), ("kind", "command")] {
        parts.extend(detail[name].as_str().map(|word| frame.word(kind, word)));
    }
    for name in ["reason", "message"] {
        parts.extend(detail[name].as_str().map(str::to_owned));
    }
    if let Some(score) = detail["score"].as_f64() {
        parts.push(format!("{} {}", frame.say("devices.score"), frame.decimal(&score, 2)));
    }
    parts.extend(detail["failed"].as_array().map(|failed| failed.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ")));
    parts.join(" · ")
}

/// JSON as it is read by people.
fn pretty(value: &Json) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

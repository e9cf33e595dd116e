//! Live progress: the latest word under `scan:progress:{scan_id}`, each word on the bus channel of that name.
//! Invariant: at most ten words a second per scan; the last word is never dropped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backends::Backends;
use base::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::activity::Activity;
use crate::model::{Scan, ScanId, ScanState};

/// How long the last word of a scan stays readable.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// Words of one run; the run's number stands above them, so that a later run's words are later.
const WORDS_PER_RUN: i64 = 1 << 32;
const LONGEST_MESSAGE: usize = 300;

/// How far a scan is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScanProgress)]
pub struct Progress {
    /// The scan.
    pub scan_id: ScanId,
    /// Where it stands.
    pub state: ScanState,
    /// The stage at work.
    #[schema(max_length = 64)]
    pub stage: Option<String>,
    /// How far it is, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub fraction: f32,
    /// What it is doing, in a few words.
    #[schema(max_length = 300)]
    pub message: String,
    /// What it is doing, as facts; absent between stages and of a scan that is not running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// Open ports found so far.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub open_ports: u64,
    /// Weaknesses seen so far.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub issues: u64,
    /// When this was said.
    pub at: Time,
    /// Rises with every word of the scan.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub sequence: i64,
}

impl Progress {
    /// What the row alone tells, when nothing livelier is known.
    pub(crate) fn of(scan: &Scan) -> Self {
        Self {
            scan_id: scan.id,
            state: scan.state,
            stage: scan.stage.clone(),
            fraction: scan.progress,
            message: scan.error.clone().unwrap_or_default().chars().take(LONGEST_MESSAGE).collect(),
            activity: None,
            open_ports: 0,
            issues: scan.summary.map_or(0, |summary| summary.findings_open),
            at: scan.finished_at.or(scan.started_at).unwrap_or(scan.created_at),
            sequence: 0,
        }
    }
}

/// Key and channel of a scan's progress.
pub(crate) fn channel(id: ScanId) -> String {
    format!("scan:progress:{id}")
}

/// Reads the last word; none when nobody spoke or the hot store is away.
pub(crate) async fn last(backends: &Backends, id: ScanId) -> Option<Progress> {
    let bytes = backends.hot.get(&channel(id)).await.ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// Says a word to whoever listens. Progress is a courtesy: a store that is away never stops a scan.
pub(crate) async fn say(backends: &Backends, word: &Progress) {
    let Ok(body) = serde_json::to_vec(word) else { return };
    let channel = channel(word.scan_id);
    if let Err(error) = backends.hot.set(&channel, &body, Some(KEPT_FOR)).await {
        tracing::debug!(scan = %word.scan_id, %error, "progress cannot be kept");
    }
    if let Err(error) = backends.bus.publish(&channel, body).await {
        tracing::debug!(scan = %word.scan_id, %error, "progress cannot be told");
    }
}

/// Says how a scan stands after its row changed, following on whatever was said before.
pub(crate) async fn say_state(backends: &Backends, scan: &Scan) {
    let before = last(backends, scan.id).await;
    let mut word = Progress::of(scan);
    word.at = backends.clock.now();
    if let Some(before) = before {
        word.open_ports = before.open_ports;
        word.issues = word.issues.max(before.issues);
        word.sequence = before.sequence;
    }
    word.sequence += 1;
    say(backends, &word).await;
}

/// One run's voice: stages set what they know, the run's watch says it at a bearable pace.
pub(crate) struct Reporter {
    word: Mutex<Progress>,
    is_news: AtomicBool,
}

/// The part of the bar a stage fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) from: f32,
    pub(crate) width: f32,
}

impl Reporter {
    pub(crate) fn new(scan: &Scan, attempt: u32) -> Self {
        let mut word = Progress::of(scan);
        word.sequence = i64::from(attempt) * WORDS_PER_RUN;
        Self { word: Mutex::new(word), is_news: AtomicBool::new(true) }
    }

    fn word(&self) -> MutexGuard<'_, Progress> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.word());
        self.is_news.store(true, Ordering::Release);
    }

    pub(crate) fn stage(&self, name: &str, share: Share) {
        self.change(|word| {
            word.state = ScanState::Running;
            word.stage = Some(name.to_owned());
            word.fraction = word.fraction.max(share.from);
            word.message.clear();
            word.activity = None;
        });
    }

    /// Moves the bar within a stage; it never moves back.
    pub(crate) fn within(&self, share: Share, fraction: f32, activity: Option<Activity>) {
        self.change(|word| {
            word.fraction = word.fraction.max(share.from + share.width * fraction.clamp(0.0, 1.0));
            if activity.is_some() {
                word.message = activity.as_ref().map(Activity::to_string).unwrap_or_default();
                word.activity = activity;
            }
        });
    }

    pub(crate) fn open_port(&self) {
        self.change(|word| word.open_ports += 1);
    }

    pub(crate) fn issues(&self, more: u64) {
        self.change(|word| word.issues += more);
    }

    /// What is to be said now, if anything is new.
    pub(crate) fn news(&self, now: Time) -> Option<Progress> {
        if !self.is_news.swap(false, Ordering::AcqRel) {
            return None;
        }
        let mut word = self.word();
        word.sequence += 1;
        word.at = now;
        Some(word.clone())
    }
}

//! Somebody who locks phones and lets them go again while everything else happens, and who knows what may not be granted meanwhile:
//! nothing that was asked for after the lock was acknowledged and before its release was ordered.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::Result;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::dice::Dice;
use crate::errors;
use crate::plan::Locking;
use crate::server::Reply;
use crate::stage::Stage;

/// How long a lock lasts, in seconds.
const HELD: [f64; 2] = [3.0, 8.0];
/// Between two tries of an order.
const PAUSE: Duration = Duration::from_millis(300);

/// What is known of one phone's lock.
#[derive(Debug, Default)]
struct Known {
    locked_since: Option<Instant>,
    is_touched: bool,
    /// Tokens given out before this moment are revoked.
    revoked_at: Option<Instant>,
}

/// One phone in the eyes of whoever locks it.
#[derive(Debug)]
pub(crate) struct Ward {
    device: String,
    known: Mutex<Known>,
}

impl Ward {
    pub(crate) fn new(device: &str) -> Arc<Self> {
        Arc::new(Self { device: device.to_owned(), known: Mutex::default() })
    }

    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether what was asked at that moment, and granted now, should not have been.
    pub(crate) fn forbids(&self, asked: Instant) -> bool {
        self.with(|known| known.locked_since.is_some_and(|since| since < asked))
    }

    /// Whether tokens that were given out at that moment are revoked.
    pub(crate) fn revoked(&self, given: Instant) -> bool {
        self.with(|known| known.revoked_at.is_some_and(|revoked| given < revoked))
    }
}

/// How locking went.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Locked {
    /// Locks that were acknowledged.
    pub locks: u64,
    /// Releases that were.
    pub releases: u64,
    /// Orders that had to be given again because no answer came.
    pub repeated: u64,
    /// Phones that were locked at least once.
    pub phones: usize,
    /// Requests of locked phones, and with revoked tokens.
    pub tries: u64,
    /// Of them granted: there must be none.
    pub granted: u64,
    /// Commands that the server holds for these phones.
    pub commands: u64,
    /// Of them without the phone's answer: there must be none.
    pub unanswered: u64,
    /// Phones that did not carry out each command once.
    pub astray: usize,
}

impl Locked {
    /// Whether nothing was granted and nothing lost.
    pub(crate) fn is_good(&self) -> bool {
        self.locks > 0 && self.tries > 0 && self.granted == 0 && self.unanswered == 0 && self.astray == 0
    }
}

/// Gives orders until `until`, and releases everybody at the end.
pub(crate) async fn lock(stage: Arc<Stage>, locking: Locking, wards: Vec<Arc<Ward>>, until: Instant) -> Result<Locked> {
    let mut dice = Dice::of(stage.seed, usize::MAX);
    let mut locked = Locked::default();
    let mut held: Vec<(Instant, Arc<Ward>)> = Vec::new();
    let mut next = Instant::now() + locking.every;
    loop {
        let due = held.iter().map(|(release, _)| *release).min().map_or(next, |release| release.min(next));
        sleep_until(due.min(until)).await;
        let now = Instant::now();
        let is_over = now >= until;
        let (over, kept) = std::mem::take(&mut held).into_iter().partition(|(release, _)| is_over || *release <= now);
        held = kept;
        for (_, ward) in over {
            release(&stage, &locking, &ward, &mut locked).await?;
        }
        if is_over {
            break;
        }
        if now >= next {
            next = now + locking.every;
            if let Some(ward) = wards.get(dice.below(wards.len())).filter(|ward| !ward.with(|known| known.locked_since.is_some())) {
                let quarantine = dice.uniform() < 0.5;
                lay(&stage, &locking, ward, quarantine, &mut locked).await?;
                held.push((Instant::now() + Duration::from_secs_f64(dice.between(HELD[0], HELD[1])), Arc::clone(ward)));
            }
        }
    }
    locked.phones = wards.iter().filter(|ward| ward.with(|known| known.is_touched)).count();
    Ok(locked)
}

async fn lay(stage: &Stage, locking: &Locking, ward: &Ward, quarantine: bool, locked: &mut Locked) -> Result<()> {
    ward.with(|known| known.is_touched = true);
    let body = json!({ "reason": "a drill", "quarantine": quarantine });
    let path = format!("devices/{}/lock", ward.device);
    let reply = insist(stage, locking, Method::POST, &path, Some(&body), locked).await?;
    if !reply.is_ok() {
        return Err(errors::order(reply.code(), reply.detail()));
    }
    ward.with(|known| {
        let now = Instant::now();
        known.locked_since = Some(now);
        if quarantine {
            known.revoked_at = Some(now);
        }
    });
    locked.locks += 1;
    Ok(())
}

async fn release(stage: &Stage, locking: &Locking, ward: &Ward, locked: &mut Locked) -> Result<()> {
    ward.with(|known| known.locked_since = None);
    let path = format!("devices/{}/unlock", ward.device);
    insist(stage, locking, Method::POST, &path, Some(&json!({ "reason": "the drill is over" })), locked).await?;
    locked.releases += 1;
    Ok(())
}

/// Asks node after node until one answers for good.
async fn insist(stage: &Stage, locking: &Locking, method: Method, path: &str, body: Option<&Json>, locked: &mut Locked) -> Result<Reply> {
    let mut node = 0;
    loop {
        match stage.node(node).order(method.clone(), path, locking.token.expose(), body).await? {
            Ok(reply) if reply.is_ok() || (400..429).contains(&reply.status) => return Ok(reply),
            _ => {
                node += 1;
                locked.repeated += 1;
                sleep(PAUSE).await;
            }
        }
    }
}

/// What became of the commands of the phones that were locked; `done` says for each phone how many commands it carried out.
pub(crate) async fn audit(stage: &Stage, locking: &Locking, lives: &[(Arc<Ward>, u64)], locked: &mut Locked) -> Result<()> {
    for (ward, done) in lives.iter().filter(|(ward, _)| ward.with(|known| known.is_touched)) {
        let path = format!("devices/{}/commands?limit=200", ward.device);
        let reply = insist(stage, locking, Method::GET, &path, None, locked).await?;
        let items: &[Json] = reply.body["items"].as_array().map_or(&[], Vec::as_slice);
        let count = items.len() as u64;
        locked.commands += count;
        let unanswered = items.iter().filter(|item| item["outcome"] != "done").count();
        locked.unanswered += unanswered as u64;
        let mut numbers: Vec<i64> = items.iter().filter_map(|item| item["sequence"].as_i64()).collect();
        numbers.sort_unstable();
        let is_whole = numbers.iter().zip(1..).all(|(number, expected)| *number == expected);
        if !is_whole || *done != count || unanswered > 0 {
            tracing::warn!(device = ward.device, done, count, unanswered, ?numbers, "commands went astray");
            locked.astray += 1;
        }
    }
    Ok(())
}

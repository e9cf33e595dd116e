//! A fleet from the first enrolment to the report: all phones in one process, each a task of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backends::Clock;
use base::{Error, Result};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use threat::Posture;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::locksmith::{self, Locked, Ward};
use crate::phone::{Life, Phone};
use crate::plan::{Attack, Plan};
use crate::siege::Siege;
use crate::stage::Stage;
use crate::tally::Traffic;

/// Phones that enrol at once.
const AT_ONCE: usize = 32;

/// What became of the phones nobody attacked.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Honest {
    /// How many there were.
    pub devices: usize,
    /// Locked or quarantined at any time: there must be none.
    pub locked: usize,
    /// Asked to step up at most.
    pub stepped_up: usize,
    /// Restricted at most.
    pub restricted: usize,
    /// Why they were locked.
    pub causes: BTreeMap<String, usize>,
}

/// What became of one attack.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Which.
    pub attack: Attack,
    /// Whether it had to be borne, not caught.
    pub mishap: bool,
    /// On how many phones it began.
    pub devices: usize,
    /// Caught, or borne.
    pub caught: usize,
    /// Times that something was granted which must never be.
    pub breached: usize,
    /// What these phones may do at the end.
    pub postures: BTreeMap<String, usize>,
    /// Why they are locked.
    pub causes: BTreeMap<String, usize>,
    /// Seconds until it was caught or over: half of the phones, and the slowest.
    pub median_seconds: Option<f64>,
    /// The slowest.
    pub slowest_seconds: Option<f64>,
}

/// How a simulation ended.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// With which its chance can be repeated, on another server.
    pub seed: u64,
    /// Phones.
    pub devices: usize,
    /// Seconds it took to enrol them.
    pub enrolment_seconds: f64,
    /// Seconds they lived after that.
    pub seconds: f64,
    /// Phones nobody attacked.
    pub honest: Honest,
    /// Attacks and mishaps.
    pub attacks: Vec<Outcome>,
    /// Locks by a person meanwhile.
    pub locking: Option<Locked>,
    /// What was asked and answered.
    pub traffic: Traffic,
    /// No honest phone was locked by itself, every attack was caught, every mishap was borne, and what a person locked was not served.
    pub passed: bool,
}

/// Runs a simulation.
///
/// # Errors
/// `Invalid` naming what makes no sense, `Unavailable` when the server is not there, and the refusal of an enrolment.
pub async fn run(plan: &Plan, clock: Clock) -> Result<Report> {
    let assignment = plan.assign()?;
    let stage = Arc::new(Stage::new(plan, assignment.storm, clock)?);
    let begun = Instant::now();
    let sieges = assignment.victims.into_iter().map(|victim| victim.map(|(attack, after)| Siege::new(attack, after)));
    let mut waiting = plan.codes.iter().zip(sieges).enumerate();
    // The first one alone: what is wrong is said once.
    let mut phones = Vec::with_capacity(plan.codes.len());
    if let Some((number, (code, siege))) = waiting.next() {
        phones.push(Phone::enrol(&stage, number, code, siege).await?);
        stage.reached();
    }
    let others = futures::stream::iter(waiting.map(|(number, (code, siege))| Phone::enrol(&stage, number, code, siege)));
    phones.extend(others.buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?);
    let enrolment = begun.elapsed();
    tracing::info!(phones = phones.len(), seconds = enrolment.as_secs_f64(), "enrolled");

    let begun = Instant::now();
    let wards: Vec<Arc<Ward>> = phones.iter().map(|phone| Arc::clone(&phone.ward)).collect();
    let mut locksmith = JoinSet::new();
    if let Some(locking) = plan.locking.clone() {
        // The last ones released must have time to hear of it.
        let until = begun + plan.life.mul_f64(0.75);
        locksmith.spawn(locksmith::lock(Arc::clone(&stage), locking, wards, until));
    }
    let mut tasks = JoinSet::new();
    for phone in phones {
        tasks.spawn(phone.live(Arc::clone(&stage), begun));
    }
    let mut lives = Vec::with_capacity(plan.codes.len());
    while let Some(ended) = tasks.join_next().await {
        lives.push(ended.map_err(|cause| Error::internal("a phone's task ended badly").because(cause))??);
    }
    let lived = begun.elapsed();
    let mut locked = None;
    if let (Some(ended), Some(locking)) = (locksmith.join_next().await, &plan.locking) {
        let mut told = ended.map_err(|cause| Error::internal("locking ended badly").because(cause))??;
        let lives: Vec<(Arc<Ward>, u64)> = lives.iter().map(|life| (Arc::clone(&life.ward), life.obeyed)).collect();
        locksmith::audit(&stage, locking, &lives, &mut told).await?;
        (told.tries, told.granted) = stage.tally.barred();
        locked = Some(told);
    }
    Ok(report(plan, &stage, &lives, enrolment, lived, locked))
}

fn word(posture: Posture) -> String {
    serde_json::to_value(posture).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn report(plan: &Plan, stage: &Stage, lives: &[Life], enrolment: Duration, lived: Duration, locking: Option<Locked>) -> Report {
    let attack_of = |life: &Life| life.siege.as_ref().and_then(|siege| siege.attack);
    let mut honest = Honest::default();
    for life in lives.iter().filter(|life| attack_of(life).is_none()) {
        honest.devices += 1;
        match life.worst {
            Posture::Observe => {}
            Posture::StepUp => honest.stepped_up += 1,
            Posture::Restrict => honest.restricted += 1,
            Posture::Lock | Posture::Quarantine => {
                honest.locked += 1;
                *honest.causes.entry(life.cause.clone().unwrap_or_default()).or_default() += 1;
            }
        }
    }
    let mut attacks: Vec<Attack> = plan.strikes.iter().map(|strike| strike.attack).collect();
    attacks.sort();
    attacks.dedup();
    let attacks: Vec<Outcome> = attacks
        .into_iter()
        .map(|attack| match attack {
            Attack::ReconnectStorm => storm(lives),
            attack => {
                let struck: Vec<&Life> = lives.iter().filter(|life| attack_of(life) == Some(attack)).collect();
                let began = |life: &&&Life| life.siege.as_ref().is_some_and(Siege::has_begun);
                let took = struck.iter().filter_map(|life| life.siege.as_ref()?.caught);
                let is_borne = |life: &&&Life| !attack.is_mishap() || life.worst < Posture::Lock;
                let breached = struck.iter().filter(|life| life.siege.as_ref().is_some_and(|siege| siege.breached)).count();
                let caught = struck.iter().filter(is_borne).filter(|life| life.siege.as_ref().is_some_and(|siege| siege.caught.is_some()));
                let caught = caught.count();
                outcome(attack, struck.iter().filter(began).count(), caught, breached, &struck, took.collect())
            }
        })
        .collect();
    let is_kept = locking.as_ref().is_none_or(Locked::is_good);
    let passed =
        is_kept && honest.locked == 0 && attacks.iter().all(|one| one.caught == one.devices && one.devices > 0 && one.breached == 0);
    Report {
        seed: plan.seed,
        devices: lives.len(),
        enrolment_seconds: enrolment.as_secs_f64(),
        seconds: lived.as_secs_f64(),
        honest,
        attacks,
        locking,
        traffic: stage.tally.close(lived),
        passed,
    }
}

fn storm(lives: &[Life]) -> Outcome {
    let struck: Vec<&Life> = lives.iter().filter(|life| life.worst < Posture::Lock || life.stormed.is_some()).collect();
    let took: Vec<Duration> = struck.iter().filter_map(|life| life.stormed).collect();
    outcome(Attack::ReconnectStorm, struck.len(), took.len(), 0, &struck, took)
}

fn outcome(attack: Attack, devices: usize, caught: usize, breached: usize, struck: &[&Life], mut took: Vec<Duration>) -> Outcome {
    took.sort();
    let (mut postures, mut causes) = (BTreeMap::new(), BTreeMap::new());
    for life in struck {
        *postures.entry(word(life.posture)).or_default() += 1;
        if let Some(cause) = &life.cause {
            *causes.entry(cause.clone()).or_default() += 1;
        }
    }
    Outcome {
        attack,
        mishap: attack.is_mishap(),
        devices,
        caught,
        breached,
        postures,
        causes,
        median_seconds: took.get(took.len() / 2).map(Duration::as_secs_f64),
        slowest_seconds: took.last().map(Duration::as_secs_f64),
    }
}

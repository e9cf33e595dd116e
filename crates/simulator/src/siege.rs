//! Attacks on a phone, each as somebody outside would carry it out: with stolen tokens, copied keys, recorded or invented readings.
//! Nothing here can do what the public protocol does not let it do.

use std::collections::VecDeque;
use std::time::Duration;

use base::Result;
use bytes::Bytes;
use reqwest::Method;
use serde_json::json;
use threat::Posture;
use tokio::time::Instant;

use crate::handset::{Ask, Handset};
use crate::motion::Stretch;
use crate::phone::{Phone, moved};
use crate::plan::Attack;
use crate::stage::Stage;

/// Phone time of readings that a replay has at hand, microseconds.
const RECORDED: i64 = 15_000_000;
/// How often a spent nonce is brought again.
const REPLAYS: usize = 12;
/// An hour, in microseconds.
const SKEW: i64 = 3_600_000_000;

/// An attack on one phone and how it went.
#[derive(Debug, Default)]
pub(crate) struct Siege {
    pub(crate) attack: Option<Attack>,
    after: Duration,
    begun: Option<Instant>,
    /// The posture that shows that it was caught.
    telling: Posture,
    /// How long it lasted until it was caught, or a mishap was over.
    pub(crate) caught: Option<Duration>,
    /// Something was granted that must never be.
    pub(crate) breached: bool,
    /// The newest readings, for a replay.
    recorded: VecDeque<Stretch>,
    /// A copied refresh token.
    copied: Option<String>,
}

impl Siege {
    pub(crate) fn new(attack: Attack, after: Duration) -> Self {
        Self { attack: Some(attack), after, ..Self::default() }
    }

    /// Whether it began.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    fn is(&self, attack: Attack) -> bool {
        self.attack == Some(attack)
    }

    fn catch(&mut self) {
        if let Some(begun) = self.begun {
            self.caught.get_or_insert(begun.elapsed());
        }
    }

    /// The phone learned what it may do.
    pub(crate) fn noticed(&mut self, posture: Posture) {
        let is_mishap = self.attack.is_some_and(Attack::is_mishap);
        if self.begun.is_some() && !is_mishap && posture >= self.telling {
            self.catch();
        }
    }

    /// A batch was taken, wholly or in part.
    pub(crate) fn accepted(&mut self, wholly: bool) {
        if wholly && self.is(Attack::ClockSkew) {
            self.catch();
        }
    }

    /// What is sent instead of what the sensors gave.
    pub(crate) fn replace(&mut self, stretch: Stretch) -> Stretch {
        if !self.is(Attack::ReplayedWindow) {
            return stretch;
        }
        let start = |stretch: &Stretch| stretch.accelerometer.first().map(|reading| reading.t);
        if self.begun.is_none() {
            self.recorded.push_back(stretch.clone());
            while let (Some(second), Some(now)) = (self.recorded.get(1).and_then(start), start(&stretch))
                && now - second > RECORDED
            {
                self.recorded.pop_front();
            }
            return stretch;
        }
        let Some(old) = self.recorded.pop_front() else { return stretch };
        let by = start(&stretch).zip(start(&old)).map_or(0, |(now, then)| now - then);
        let again = Stretch { accelerometer: moved(&old.accelerometer, by), gyroscope: moved(&old.gyroscope, by) };
        self.recorded.push_back(old);
        again
    }
}

impl Phone {
    /// Begins the attack when its time has come, and goes on with it.
    pub(crate) async fn press(&mut self, stage: &Stage, stage_begun: Instant) -> Result<()> {
        let posture = self.posture;
        let Some(siege) = &mut self.siege else { return Ok(()) };
        let Some(attack) = siege.attack else { return Ok(()) };
        if siege.begun.is_some() {
            return if siege.is(Attack::Clone) && siege.caught.is_none() { self.bring_copy(stage).await } else { Ok(()) };
        }
        if stage_begun.elapsed() < siege.after || posture >= Posture::Lock {
            return Ok(());
        }
        siege.begun = Some(Instant::now());
        siege.telling = match posture {
            _ if attack.locks() => Posture::Lock,
            // Who is watched closely already shows nothing new by that.
            Posture::Observe => Posture::StepUp,
            _ => Posture::Restrict,
        };
        tracing::debug!(phone = self.number, %attack, "begins");
        match attack {
            Attack::Takeover => self.motion.swap_person(self.number, &stage.tracks),
            Attack::SensorInjection => self.motion.inject(),
            Attack::ClockSkew => {
                self.motion.skew(SKEW);
                self.handset.skew = SKEW / 1_000_000;
            }
            Attack::TokenTheft => self.steal(stage).await?,
            Attack::NonceReplay => self.replay_nonce(stage).await?,
            Attack::Clone => {
                siege.copied = Some(self.tokens.refresh.clone());
                self.refresh(stage).await?;
            }
            Attack::ReplayedWindow | Attack::ReconnectStorm => {}
        }
        Ok(())
    }

    fn breach(&mut self, what: &str) {
        tracing::warn!(phone = self.number, what, "something was granted that must never be");
        if let Some(siege) = &mut self.siege {
            siege.breached = true;
        }
    }

    /// A stranger with a key of his own brings the phone's refresh token.
    async fn steal(&mut self, stage: &Stage) -> Result<()> {
        let body = Bytes::from(json!({ "refresh_token": self.tokens.refresh }).to_string());
        let own = std::mem::replace(&mut self.handset, Handset::new()?);
        let answer = self.ask(stage, crate::tally::Kind::Refresh, Ask::keyed(&Method::POST, "device/token", Some(&body))).await;
        self.handset = own;
        if answer?.is_some_and(|reply| reply.is_ok()) {
            self.breach("a refresh token was exchanged with another key");
        }
        self.look(stage).await
    }

    /// Something on the phone brings a spent nonce again, each time with something else.
    async fn replay_nonce(&mut self, stage: &Stage) -> Result<()> {
        let Some(nonce) = self.nonce(stage).await? else { return Ok(()) };
        self.attest(stage, &nonce, "", false).await?;
        for replay in 0..REPLAYS {
            let Some(reply) = self.attest(stage, &nonce, &format!("replay {replay}"), false).await? else { return Ok(()) };
            if reply.is_ok() {
                self.breach("a spent nonce was taken");
            }
            self.look(stage).await?;
            if self.posture >= Posture::Lock {
                break;
            }
        }
        Ok(())
    }

    /// The copy brings the token it was made with, until nobody believes it is a lost reply.
    async fn bring_copy(&mut self, stage: &Stage) -> Result<()> {
        let Some(token) = self.siege.as_ref().and_then(|siege| siege.copied.clone()) else { return Ok(()) };
        match self.bring(stage, &token).await? {
            Some(reply) if !reply.is_ok() => self.look(stage).await,
            _ => Ok(()),
        }
    }
}

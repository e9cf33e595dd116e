//! A phone's life: it enrols, sends what its sensors give, keeps its tokens fresh, obeys genuine commands, and comes back with patience
//! and jitter when the server is away. An honest phone never does more than this.

use std::sync::Arc;
use std::time::Duration;

use base::Result;
use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value as Json, json};
use threat::{Posture, Reading};
use tokio::time::Instant;

use crate::dice::Dice;
use crate::errors;
use crate::handset::{Ask, Handset, Tokens};
use crate::line::Receipt;
use crate::locksmith::Ward;
use crate::motion::{Motion, Stretch};
use crate::orders::Orders;
use crate::patience::{exchange, persist};
use crate::server::Reply;
use crate::siege::Siege;
use crate::stage::Stage;
use crate::talk::Talk;
use crate::tally::Kind;

/// The first pause after a failure, and the longest.
pub(crate) const PAUSES: [f64; 2] = [0.5, 30.0];
/// How often an enrolment is tried when the server is busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// A refresh without an answer is repeated for so long. Later it could be taken for a theft: the key is proven instead.
const LOST_REPLY: Duration = Duration::from_secs(4);
/// Phones open their first lines within this time.
const FIRST_LINES: Duration = Duration::from_secs(5);
/// What phones say of themselves: fleets are never of one kind, and locks of one kind stop themselves.
const SYSTEMS: [&str; 5] = ["14", "15", "15.1", "16", "17"];
const APPLICATIONS: [&str; 4] = ["3.0", "3.1", "3.2", "4.0"];

/// A phone.
pub(crate) struct Phone {
    pub(crate) handset: Handset,
    pub(crate) tokens: Tokens,
    pub(crate) motion: Motion,
    pub(crate) dice: Dice,
    pub(crate) number: usize,
    /// What it may do, as it was told last.
    pub(crate) posture: Posture,
    pub(crate) worst: Posture,
    pub(crate) cause: Option<String>,
    pub(crate) siege: Option<Siege>,
    pub(crate) orders: Orders,
    pub(crate) talk: Talk,
    pub(crate) ward: Arc<Ward>,
    pub(crate) refresh_at: Instant,
    pub(crate) ends: Instant,
    turns: u64,
    stormed: Option<Duration>,
    /// When the tokens were given out.
    pub(crate) given: Instant,
    /// An access token that was revoked since.
    pub(crate) spent: Option<String>,
}

/// What became of a phone.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) siege: Option<Siege>,
    pub(crate) posture: Posture,
    pub(crate) worst: Posture,
    pub(crate) cause: Option<String>,
    /// How long after the storm it was served again.
    pub(crate) stormed: Option<Duration>,
    pub(crate) ward: Arc<Ward>,
    /// Commands that were carried out.
    pub(crate) obeyed: u64,
}

impl Phone {
    /// Enrols a phone with its code; the lives of all begin together, later.
    pub(crate) async fn enrol(stage: &Stage, number: usize, code: &str, siege: Option<Siege>) -> Result<Self> {
        let mut dice = Dice::of(stage.seed, number);
        let mut handset = Handset::new()?;
        handset.node = number % stage.nodes();
        let ends = Instant::now() + PATIENCE;
        let ask = |path, body| Ask { method: &Method::POST, path, token: None, code: Some(code), body };
        let told = exchange(stage, &mut handset, &mut dice, ends, Kind::Enrol, ask("device/nonce", None)).await?;
        let body = Bytes::from(
            json!({
                "key": handset.jwk(), "platform": "none", "nonce": told.body["nonce"], "model": "virtual phone",
                "os_version": SYSTEMS[number % SYSTEMS.len()], "app_version": APPLICATIONS[number % APPLICATIONS.len()],
            })
            .to_string(),
        );
        let enrolled = exchange(stage, &mut handset, &mut dice, ends, Kind::Enrol, ask("device/enrol", Some(&body))).await?.body;
        let tokens = Tokens::read(&enrolled["tokens"]).ok_or_else(|| errors::answer(stage.node(handset.node).base(), "no tokens"))?;
        let id = enrolled["device"]["id"].as_str().unwrap_or_default();
        let at = stage.clock.now().micros();
        let motion = Motion::new(dice.clone(), number, &stage.tracks, stage.activity, stage.rate, at);
        let orders = Orders::new(id, &enrolled["command_keys"]);
        let (posture, now) = (Posture::Observe, Instant::now());
        Ok(Self {
            handset,
            tokens,
            motion,
            dice,
            number,
            posture,
            worst: posture,
            cause: None,
            siege,
            orders,
            talk: Talk::new(now),
            ward: Ward::new(id),
            refresh_at: now,
            ends: now,
            turns: 0,
            stormed: None,
            given: now,
            spent: None,
        })
    }

    /// Lives until the stage ends.
    pub(crate) async fn live(mut self, stage: Arc<Stage>, begun: Instant) -> Result<Life> {
        self.ends = begun + stage.life;
        self.plan_refresh(&stage);
        let mut storm = stage.storm.map(|after| begun + after);
        let mut next = begun + stage.every.mul_f64(self.dice.uniform());
        self.talk.hold_off(begun + FIRST_LINES.min(stage.every).mul_f64(self.dice.uniform()));
        // The clock of the first batch counts: a phone that will make readings faster than life says how far ahead it will be.
        self.announce(&stage).await?;
        loop {
            let due = storm.map_or(next, |storm| storm.min(next));
            if due >= self.ends {
                break;
            }
            self.rest(&stage, due).await?;
            if storm == Some(due) {
                storm = None;
                self.weather(&stage, due).await?;
                continue;
            }
            self.turn(&stage, begun).await?;
            // Who was held up does not hurry afterwards: neither do its neighbours.
            let now = Instant::now();
            next += stage.every;
            if next < now {
                next = now + stage.every.mul_f64(self.dice.uniform());
            }
        }
        self.hang_up(&stage);
        // What was ordered at last is fetched and answered when everything is over.
        if !stage.is_silent || self.posture >= Posture::Lock {
            self.look(&stage).await?;
        }
        Ok(Life {
            siege: self.siege,
            posture: self.posture,
            worst: self.worst,
            cause: self.cause,
            stormed: self.stormed,
            ward: self.ward,
            obeyed: self.orders.carried_out(),
        })
    }

    async fn turn(&mut self, stage: &Stage, begun: Instant) -> Result<()> {
        self.turns += 1;
        self.press(stage, begun).await?;
        if stage.is_defiant {
            self.defy(stage).await?;
        }
        if self.posture >= Posture::Lock {
            self.look(stage).await?;
            if self.posture < Posture::Lock {
                // The lock is over; what was held before died with it.
                self.prove(stage, true).await?;
            }
            return Ok(());
        }
        if Instant::now() >= self.refresh_at {
            self.refresh(stage).await?;
        }
        if stage.is_silent {
            return Ok(());
        }
        let stretch = self.stretch(stage);
        if stage.carrier.is_line() {
            return self.tell(stage, &stretch).await;
        }
        self.send(stage, &stretch).await?;
        if self.turns.is_multiple_of(4) { self.obey(stage).await } else { Ok(()) }
    }

    /// What the sensors gave since the last time, or what an attacker gives instead.
    pub(crate) fn stretch(&mut self, stage: &Stage) -> Stretch {
        let length = (stage.every.as_secs_f64() * stage.speed * 1e6) as i64;
        let stretch = self.motion.advance(length);
        match &mut self.siege {
            Some(siege) => siege.replace(stretch),
            None => stretch,
        }
    }

    /// Readings faster than life come from a clock that runs ahead: one reading without values says how far it will go.
    async fn announce(&mut self, stage: &Stage) -> Result<()> {
        if stage.speed <= 1.0 || stage.is_silent {
            return Ok(());
        }
        let ahead = (stage.life.as_secs_f64() * stage.speed * 1e6) as i64 + 60_000_000;
        let body = Bytes::from(json!({ "accelerometer": [[self.motion.at() + ahead, null, null, null]] }).to_string());
        let token = self.tokens.access.clone();
        let ask = Ask { method: &Method::POST, path: "device/signals", token: Some(&token), code: None, body: Some(&body) };
        self.ask(stage, Kind::Signals, ask).await.map(drop)
    }

    /// Sends a batch, again with fresh tokens when the old ones are over.
    async fn send(&mut self, stage: &Stage, stretch: &Stretch) -> Result<()> {
        let body = Bytes::from(stretch.to_json());
        for is_last in [false, true] {
            let (token, asked) = (self.tokens.access.clone(), Instant::now());
            let ask = Ask { method: &Method::POST, path: "device/signals", token: Some(&token), code: None, body: Some(&body) };
            let Some(reply) = self.ask(stage, Kind::Signals, ask).await? else { return Ok(()) };
            match (reply.status, reply.code()) {
                (200, _) => {
                    self.granted(stage, asked, "readings");
                    return self.received(stage, Receipt::from_json(&reply.body)).await;
                }
                (403, _) => return self.look(stage).await,
                (401, _) if !is_last => self.refresh(stage).await?,
                _ => return Ok(()),
            }
            if self.posture >= Posture::Lock {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Learns what came of readings.
    pub(crate) async fn received(&mut self, stage: &Stage, receipt: Receipt) -> Result<()> {
        stage.tally.readings(receipt.received, receipt.refused);
        if let Some(posture) = receipt.posture {
            self.notice(posture, None);
        }
        if let Some(siege) = &mut self.siege {
            siege.accepted(receipt.received > 0 && receipt.refused == 0);
        }
        // A genuine phone answers a challenge; that its user is the owner it cannot prove.
        if receipt.attest_now { self.prove(stage, false).await } else { Ok(()) }
    }

    /// Exchanges the refresh token; asks for new tokens by the key when that is refused.
    pub(crate) async fn refresh(&mut self, stage: &Stage) -> Result<()> {
        let (asked, whole) = (Instant::now(), self.ends);
        self.ends = whole.min(asked + LOST_REPLY);
        let reply = self.bring(stage, &self.tokens.refresh.clone()).await;
        self.ends = whole;
        let Some(reply) = reply? else {
            return if asked + LOST_REPLY < whole { self.prove(stage, true).await } else { Ok(()) };
        };
        match Tokens::read(&reply.body).filter(|_| reply.is_ok()) {
            Some(tokens) => {
                self.granted(stage, asked, "tokens");
                self.take(stage, tokens);
                self.renew(stage).await?;
            }
            None if reply.status == 401 => {
                self.look(stage).await?;
                if self.posture < Posture::Lock {
                    self.prove(stage, true).await?;
                }
            }
            None => self.look(stage).await?,
        }
        Ok(())
    }

    /// Brings a refresh token, with the phone's own key.
    pub(crate) async fn bring(&mut self, stage: &Stage, token: &str) -> Result<Option<Reply>> {
        let body = Bytes::from(json!({ "refresh_token": token }).to_string());
        self.ask(stage, Kind::Refresh, Ask::keyed(&Method::POST, "device/token", Some(&body))).await
    }

    pub(crate) fn take(&mut self, stage: &Stage, tokens: Tokens) {
        self.tokens = tokens;
        self.given = Instant::now();
        self.plan_refresh(stage);
    }

    fn plan_refresh(&mut self, stage: &Stage) {
        let life = Duration::from_secs(self.tokens.expires_in);
        // Phones that enrolled together must not refresh together for ever.
        let share = self.dice.between(0.7, 0.9);
        let pause = stage.refresh_every.unwrap_or(life).mul_f64(if stage.refresh_every.is_some() { share / 0.8 } else { share });
        self.refresh_at = Instant::now() + pause;
    }

    /// A nonce to attest, by the phone's key.
    pub(crate) async fn nonce(&mut self, stage: &Stage) -> Result<Option<String>> {
        let reply = self.ask(stage, Kind::Attest, Ask::keyed(&Method::POST, "device/nonce", None)).await?;
        Ok(reply.and_then(|reply| reply.body["nonce"].as_str().map(str::to_owned)))
    }

    /// Attests with a nonce.
    pub(crate) async fn attest(&mut self, stage: &Stage, nonce: &str, evidence: &str, wants_tokens: bool) -> Result<Option<Reply>> {
        let body = Bytes::from(json!({ "nonce": nonce, "evidence": evidence, "wants_tokens": wants_tokens }).to_string());
        self.ask(stage, Kind::Attest, Ask::keyed(&Method::POST, "device/attest", Some(&body))).await
    }

    /// Proves its key anew, for new tokens or because it was asked to.
    async fn prove(&mut self, stage: &Stage, wants_tokens: bool) -> Result<()> {
        let Some(nonce) = self.nonce(stage).await? else { return Ok(()) };
        let reply = self.attest(stage, &nonce, "", wants_tokens).await?;
        if let Some(tokens) = reply.and_then(|reply| Tokens::read(&reply.body["tokens"])) {
            self.take(stage, tokens);
            self.renew(stage).await?;
        }
        Ok(())
    }

    /// Asks what it may do and why; gets its commands when that changed.
    pub(crate) async fn look(&mut self, stage: &Stage) -> Result<()> {
        let Some(reply) = self.ask(stage, Kind::Why, Ask::keyed(&Method::GET, "device/why", None)).await? else { return Ok(()) };
        if let Ok(posture) = serde_json::from_value(reply.body["posture"].clone()) {
            self.notice(posture, reply.body["cause"].as_str());
        }
        self.obey(stage).await
    }

    /// Learns what it may do, and why where that was told; a lock counts as one when its cause is known and no person laid it.
    pub(crate) fn notice(&mut self, posture: Posture, cause: Option<&str>) {
        if let Some(cause) = cause {
            self.cause = Some(cause.to_owned());
        }
        self.posture = posture;
        if posture < Posture::Lock || cause.is_some_and(|cause| cause != "operator") {
            self.worst = self.worst.max(posture);
        }
        if let Some(siege) = &mut self.siege {
            siege.noticed(posture);
        }
    }

    /// Gets commands, carries out the genuine ones once, and says so.
    async fn obey(&mut self, stage: &Stage) -> Result<()> {
        let path = format!("device/commands?after={}", self.orders.done());
        let Some(reply) = self.ask(stage, Kind::Commands, Ask::keyed(&Method::GET, &path, None)).await? else { return Ok(()) };
        let items: Vec<Json> = reply.body["items"].as_array().cloned().unwrap_or_default();
        for item in items {
            let Some(sequence) = self.carry_out(stage, item["token"].as_str().unwrap_or_default()) else { continue };
            let path = format!("device/commands/{sequence}/acknowledge");
            let body = Bytes::from_static(b"{\"outcome\":\"done\"}");
            self.ask(stage, Kind::Commands, Ask::keyed(&Method::POST, &path, Some(&body))).await?;
        }
        Ok(())
    }

    /// Carries out a genuine command, once; the number to answer with.
    pub(crate) fn carry_out(&mut self, stage: &Stage, token: &str) -> Option<i64> {
        let Some(order) = self.orders.take(token, stage.clock.now().seconds()) else {
            stage.tally.forged();
            return None;
        };
        if !order.is_repeated {
            stage.tally.obeyed();
            tracing::debug!(phone = self.number, command = order.kind, sequence = order.sequence, "obeyed");
        }
        Some(order.sequence)
    }

    /// Every connection is gone: back at once, as careless clients come.
    async fn weather(&mut self, stage: &Stage, since: Instant) -> Result<()> {
        stage.drop_connections()?;
        if self.posture >= Posture::Lock {
            return Ok(());
        }
        let is_back = if stage.carrier.is_line() {
            self.weather_line(stage).await?
        } else {
            self.refresh(stage).await?;
            let stretch = self.stretch(stage);
            self.send(stage, &stretch).await?;
            true
        };
        self.stormed = is_back.then(|| since.elapsed());
        Ok(())
    }

    /// Asks until there is an answer that would not change by asking again; nothing when life is over before.
    pub(crate) async fn ask(&mut self, stage: &Stage, kind: Kind, ask: Ask<'_>) -> Result<Option<Reply>> {
        persist(stage, &mut self.handset, &mut self.dice, self.ends, kind, ask).await
    }
}

/// Readings under other times.
pub(crate) fn moved(readings: &[Reading], by: i64) -> Vec<Reading> {
    readings.iter().map(|reading| Reading { t: reading.t + by, ..*reading }).collect()
}

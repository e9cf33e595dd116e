//! A phone that holds a line: it opens it, hears what comes, says what its sensors give, and when the line ends it comes back with
//! jitter, not before the moment the server named.

use std::time::Duration;

use base::Result;
use threat::Posture;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::dice::Dice;
use crate::line::{Came, End, Line, Refused, Said, Told};
use crate::motion::Stretch;
use crate::phone::{PAUSES, Phone};
use crate::stage::Stage;
use crate::tally::Kind;

/// How long an answer on a line may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// A line that held for so long was a good one: the next pause is short again.
const STABLE: Duration = Duration::from_secs(60);

/// A phone's line and what it knows of it.
pub(crate) struct Talk {
    line: Option<Line>,
    /// Number of the last message.
    number: u32,
    /// What the server said at last, and when, in microseconds since 1970.
    farewell: Option<(End, i64)>,
    opened: Instant,
    /// Not to be opened before.
    open_at: Instant,
    ceiling: f64,
}

impl Talk {
    pub(crate) fn new(now: Instant) -> Self {
        Self { line: None, number: 0, farewell: None, opened: now, open_at: now, ceiling: PAUSES[0] }
    }

    /// Keeps away until then.
    pub(crate) fn hold_off(&mut self, until: Instant) {
        self.open_at = until;
    }

    /// Full jitter below a ceiling that doubles, on top of what the server asked for.
    fn back_off(&mut self, dice: &mut Dice, asked: Duration) {
        self.open_at = Instant::now() + asked + Duration::from_secs_f64(dice.between(0.02, self.ceiling));
        self.ceiling = (2.0 * self.ceiling).min(PAUSES[1]);
    }
}

impl Phone {
    /// Waits until then; who has a line listens to it meanwhile, and opens it when it is not open.
    pub(crate) async fn rest(&mut self, stage: &Stage, until: Instant) -> Result<()> {
        if !stage.carrier.is_line() {
            sleep_until(until).await;
            return Ok(());
        }
        loop {
            let Some(line) = &mut self.talk.line else {
                if self.posture >= Posture::Lock || self.talk.open_at >= until {
                    sleep_until(until).await;
                    return Ok(());
                }
                sleep_until(self.talk.open_at).await;
                self.open(stage).await?;
                continue;
            };
            let Ok(came) = timeout_at(until, line.hear()).await else { return Ok(()) };
            match came {
                Came::Told(_, told) => self.hear(stage, told).await?,
                Came::Ended(end) => self.part(stage, end),
            }
        }
    }

    /// Opens the line, once.
    async fn open(&mut self, stage: &Stage) -> Result<()> {
        let asked = Instant::now();
        let token = self.tokens.access.clone();
        let node = stage.node(self.handset.node);
        match stage.opener.open(node, &stage.clock, &mut self.handset, &token, self.orders.done()).await? {
            Ok(line) => {
                stage.tally.answered(Kind::Open, asked.elapsed());
                self.granted(stage, asked, "a line");
                self.talk.opened = Instant::now();
                self.talk.line = Some(line);
            }
            Err(Refused::Silent) => {
                stage.tally.refused("unreachable");
                stage.tally.retried();
                self.handset.node += 1;
                self.talk.back_off(&mut self.dice, Duration::ZERO);
            }
            Err(Refused::Told(reply)) => {
                stage.tally.refused(reply.code());
                self.talk.back_off(&mut self.dice, reply.retry_after.unwrap_or_default());
                match reply.status {
                    401 => self.refresh(stage).await?,
                    403 => self.look(stage).await?,
                    _ => stage.tally.retried(),
                }
            }
        }
        Ok(())
    }

    /// Opens the line until it is open, may not be opened, or life is over.
    async fn insist(&mut self, stage: &Stage) -> Result<bool> {
        while self.talk.line.is_none() {
            if self.posture >= Posture::Lock || self.talk.open_at >= self.ends {
                return Ok(false);
            }
            sleep_until(self.talk.open_at).await;
            self.open(stage).await?;
        }
        Ok(true)
    }

    /// Sends readings; what cannot be sent now is not sent at all.
    pub(crate) async fn tell(&mut self, stage: &Stage, stretch: &Stretch) -> Result<()> {
        if self.talk.line.is_none() {
            if self.talk.open_at > Instant::now() {
                return Ok(());
            }
            self.open(stage).await?;
        }
        let asked = Instant::now();
        match self.say(stage, &Said::Readings(stretch)).await? {
            Some(Told::Receipt(receipt)) => {
                stage.tally.answered(Kind::Signals, asked.elapsed());
                self.granted(stage, asked, "readings on a line");
                self.received(stage, receipt).await
            }
            Some(Told::Refusal { code, nonce }) => {
                stage.tally.refused(&code);
                self.handset.learn(nonce.as_deref());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Gives the line a newer token, so that it stays open.
    pub(crate) async fn renew(&mut self, stage: &Stage) -> Result<()> {
        for _ in 0..2 {
            if self.talk.line.is_none() {
                break;
            }
            let (method, target) = stage.opener.target(stage.node(self.handset.node))?;
            let token = self.tokens.access.clone();
            let proof = self.handset.proof(&stage.clock, &method, target.as_str(), Some(&token))?;
            match self.say(stage, &Said::Renewal { token: &token, proof: &proof }).await? {
                Some(Told::Renewed(nonce)) => {
                    self.handset.learn(Some(&nonce));
                    break;
                }
                Some(Told::Refusal { code, nonce }) => {
                    stage.tally.refused(&code);
                    self.handset.learn(nonce.as_deref());
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Says something and waits for the answer to it; nothing when the line ended before.
    async fn say(&mut self, stage: &Stage, said: &Said<'_>) -> Result<Option<Told>> {
        self.talk.number = self.talk.number.wrapping_add(1).max(1);
        let number = self.talk.number;
        let Some(line) = &mut self.talk.line else { return Ok(None) };
        // What the other side said last is heard even when nothing can be said any more.
        line.say(number, said).await;
        let until = Instant::now() + PATIENCE;
        loop {
            let Some(line) = &mut self.talk.line else { return Ok(None) };
            match timeout_at(until, line.hear()).await {
                Ok(Came::Told(answered, told)) if answered == number => return Ok(Some(told)),
                Ok(Came::Told(_, told)) => self.hear(stage, told).await?,
                Ok(Came::Ended(end)) => self.part(stage, end),
                Err(_) => self.part(stage, End::named("unanswered")),
            }
        }
    }

    /// Hears something nobody asked for.
    async fn hear(&mut self, stage: &Stage, told: Told) -> Result<()> {
        match told {
            Told::Welcome { posture, nonce } => {
                self.handset.learn(Some(&nonce));
                self.noticed(posture);
            }
            Told::Standing(posture) => self.noticed(posture),
            Told::Renewed(nonce) => self.handset.learn(Some(&nonce)),
            Told::Receipt(receipt) => stage.tally.readings(receipt.received, receipt.refused),
            Told::Refusal { code, nonce } => {
                stage.tally.refused(&code);
                self.handset.learn(nonce.as_deref());
            }
            Told::Command(token) => {
                let done = self.carry_out(stage, &token);
                self.talk.number = self.talk.number.wrapping_add(1).max(1);
                if let (Some(sequence), Some(line)) = (done, &mut self.talk.line) {
                    line.say(self.talk.number, &Said::Done(sequence)).await;
                }
            }
            Told::Farewell { code, wait } => self.talk.farewell = Some((End { code, wait }, stage.clock.now().micros())),
            Told::Other => {}
        }
        Ok(())
    }

    fn noticed(&mut self, posture: Option<Posture>) {
        if let Some(posture) = posture {
            self.notice(posture, None);
        }
    }

    /// The line ended: when to come back, and with what.
    fn part(&mut self, stage: &Stage, end: End) {
        // The phone knows since it was told, not since the line was closed after its last words.
        let (end, at) = self.talk.farewell.take().unwrap_or_else(|| (end, stage.clock.now().micros()));
        self.talk.line = None;
        stage.tally.ended(&end.code, at);
        match end.code.as_str() {
            // Why, and until when, it asks at its next turn: nobody else's lock ends sooner by hurry.
            "devices.locked" | "devices.stopped" => self.notice(Posture::Lock, None),
            "devices.token" | "devices.revoked" => self.refresh_at = Instant::now(),
            "cut" | "unanswered" => self.handset.node += 1,
            _ => {}
        }
        if self.talk.opened.elapsed() >= STABLE {
            self.talk.ceiling = PAUSES[0];
        }
        self.talk.back_off(&mut self.dice, end.wait);
    }

    /// The phone itself leaves.
    pub(crate) fn hang_up(&mut self, stage: &Stage) {
        if self.talk.line.take().is_some() {
            stage.tally.ended("left", stage.clock.now().micros());
        }
    }

    /// Every connection is gone: the line is opened anew, with jitter, until it stands and readings are taken on it.
    pub(crate) async fn weather_line(&mut self, stage: &Stage) -> Result<bool> {
        self.hang_up(stage);
        self.talk.back_off(&mut self.dice, Duration::ZERO);
        if !self.insist(stage).await? {
            return Ok(false);
        }
        if !stage.is_silent {
            let stretch = self.stretch(stage);
            self.tell(stage, &stretch).await?;
        }
        Ok(self.talk.line.is_some())
    }
}

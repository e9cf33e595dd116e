//! One phone's open line, whatever carries it: what it says is attended to in order, what concerns it is told at once, and it ends as
//! soon as the phone may no longer be served.

mod attend;
mod end;
mod look;
mod pace;

use std::sync::Arc;
use std::time::Duration;

use base::Error;

use crate::hub::{Link, why};
use crate::service::{Admitted, Devices, Opening};
use crate::vocabulary::Posture;
use crate::wire::{Refusal, Said, Told, What, Word};

pub(crate) use end::End;
use pace::Pace;

/// Between two pings.
const PING: Duration = Duration::from_secs(30);
/// A line on which so many pings were not answered is dead.
const UNANSWERED: u8 = 2;
/// How long answers to commands are listened to when a line ends because the phone is barred.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// A phone that does not take a message for this long is given up; what it was not told waits for it in the database.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What a carrier hears.
pub(crate) enum Heard {
    /// A message.
    Said(Said),
    /// A sign of life.
    Alive,
    /// Something that is no message.
    Garbled(Error),
    /// Something larger than is taken; nothing after it can be read.
    TooLarge,
    /// The phone is gone.
    Gone,
}

/// What carries a line: a WebSocket or a gRPC stream.
pub(crate) trait Carrier: Send {
    /// Its name in logs and metrics.
    const NAME: &'static str;
    /// Whether it can be pinged; the others have their own way of noticing that nobody is there.
    const PINGS: bool;

    /// The next thing; dropping this loses nothing.
    fn hear(&mut self) -> impl Future<Output = Heard> + Send;

    /// Hands a message on.
    fn tell(&mut self, told: Told) -> impl Future<Output = Result<(), End>> + Send;

    /// Asks for a sign of life.
    fn ping(&mut self) -> impl Future<Output = Result<(), End>> + Send;

    /// Closes, saying why where the carrier has words for it.
    fn end(self, end: &End) -> impl Future<Output = ()> + Send;
}

/// What follows from something that happened.
#[derive(Default)]
struct Turn {
    told: Vec<Told>,
    ping: bool,
    end: Option<End>,
}

impl From<End> for Turn {
    fn from(end: End) -> Self {
        Self { end: Some(end), ..Self::default() }
    }
}

impl From<Told> for Turn {
    fn from(told: Told) -> Self {
        Self { told: vec![told], ..Self::default() }
    }
}

/// An open line.
pub(crate) struct Line {
    devices: Devices,
    admitted: Admitted,
    opening: Opening,
    link: Arc<Link>,
    /// Number of the last command told.
    after: i64,
    posture: Posture,
    pace: Pace,
    /// Pings since anything came.
    pings: u8,
    heard: u64,
}

enum Happening {
    Stop,
    Woken(u8),
    Heard(Heard),
}

impl Line {
    /// A line that is about to open. `after` is the number of the last command the phone got.
    pub(crate) fn new(devices: &Devices, admitted: Admitted, opening: Opening, after: i64) -> Self {
        let device = &admitted.phone.device;
        // A lock that this node has not heard of yet when it lets the phone in: the next reading of the database wakes the line.
        let known = device.version - i64::from(device.posture >= Posture::Lock);
        Self {
            posture: device.posture,
            pace: Pace::default(),
            link: Link::new(devices.backends().ids.next(), known),
            devices: devices.clone(),
            admitted,
            opening,
            after,
            pings: 0,
            heard: 0,
        }
    }

    /// Carries the line until it ends.
    pub(crate) async fn run<C: Carrier>(mut self, mut carrier: C) {
        let device = self.admitted.phone.device.id;
        let begun = self.devices.now();
        let hub = &self.devices.inner.hub;
        hub.join(device, &self.link);
        metrics::gauge!("device_lines", "carrier" => C::NAME).increment(1.0);
        self.devices.tell_joined(device, self.link.id).await;
        tracing::debug!(%device, line = %self.link.id, carrier = C::NAME, "line opens");
        let end = self.converse(&mut carrier).await;
        self.devices.inner.hub.leave(device, &self.link);
        if end.has_words() {
            let _ = carrier.tell(Told::unasked(end.farewell())).await;
        }
        if matches!(&end, End::Error(_)) {
            let _ = tokio::time::timeout(LAST_WORDS, self.hear_out(&mut carrier)).await;
        }
        carrier.end(&end).await;
        metrics::gauge!("device_lines", "carrier" => C::NAME).decrement(1.0);
        metrics::counter!("device_line_ends_total", "carrier" => C::NAME, "code" => end.code()).increment(1);
        let origin = &self.admitted.phone.actor.origin;
        tracing::info!(
            %device, line = %self.link.id, carrier = C::NAME, code = end.code(), detail = %end.detail(), messages = self.heard,
            seconds = self.devices.now().since(begun).as_secs(), ip = ?origin.ip, correlation_id = origin.correlation_id.as_deref(),
            "line ended"
        );
    }

    async fn converse<C: Carrier>(&mut self, carrier: &mut C) -> End {
        let stop = self.devices.backends().tasks.stop();
        // Boxed: what a turn needs is freed before the line waits again, and most lines wait most of the time.
        let mut turn = Box::pin(self.greet()).await;
        loop {
            for told in turn.told {
                if let Err(end) = carrier.tell(told).await {
                    return end;
                }
            }
            if let Some(end) = turn.end {
                return end;
            }
            if turn.ping
                && let Err(end) = carrier.ping().await
            {
                return end;
            }
            let happening = tokio::select! {
                biased;
                () = stop.cancelled() => Happening::Stop,
                why = self.link.woken() => Happening::Woken(why),
                heard = carrier.hear() => Happening::Heard(heard),
            };
            turn = match happening {
                Happening::Stop => End::Restart(end::spread(self.link.id)).into(),
                Happening::Woken(why) if why & why::REPLACED != 0 => End::Replaced.into(),
                Happening::Woken(why) => Box::pin(self.look(why, C::PINGS)).await,
                Happening::Heard(heard) => Box::pin(self.heard(heard)).await,
            };
        }
    }

    async fn heard(&mut self, heard: Heard) -> Turn {
        let said = match heard {
            Heard::Gone => return End::Gone.into(),
            Heard::TooLarge => return End::TooLarge.into(),
            Heard::Alive => None,
            Heard::Garbled(error) => Some(Err(error)),
            Heard::Said(said) => Some(Ok(said)),
        };
        let now = self.devices.now();
        self.pings = 0;
        if let Err(end) = self.pace.take(now, self.devices.config().requests_per_minute) {
            return end.into();
        }
        let Some(said) = said else { return Turn::default() };
        self.heard += 1;
        match said {
            Ok(said) => self.attend(said).await,
            Err(error) => Told::unasked(Word::Refusal(Refusal::of(&error))).into(),
        }
    }

    /// A barred phone may still say what became of its commands.
    async fn hear_out<C: Carrier>(&mut self, carrier: &mut C) {
        loop {
            match carrier.hear().await {
                Heard::Gone | Heard::TooLarge => return,
                Heard::Said(said) if matches!(said.what, What::Acknowledgement { .. }) => {
                    for told in Box::pin(self.heard(Heard::Said(said))).await.told {
                        let _ = carrier.tell(told).await;
                    }
                }
                Heard::Said(_) | Heard::Alive | Heard::Garbled(_) => {}
            }
        }
    }
}

//! Why lines end, in the words of each carrier.

use std::time::Duration;

use base::{Error, Kind};

use crate::hub::LinkId;
use crate::wire::{Word, millis};

/// Lines that end because a process stops come back within this time, each at its own moment.
const SPREAD: Duration = Duration::from_secs(20);

/// Why a line ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The phone went away.
    Gone,
    /// The phone opened a newer line.
    Replaced,
    /// Nothing came any more.
    Silent,
    /// The phone does not take what it is told.
    Slow,
    /// A message was larger than is taken.
    TooLarge,
    /// This process stops; come back after this time.
    Restart(Duration),
    /// The phone may not be served, or asked too often.
    Error(Error),
}

impl End {
    /// Its stable name.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Replaced => "replaced",
            Self::Silent => "silent",
            Self::Slow => "slow",
            Self::TooLarge => "too_large",
            Self::Restart(_) => "restart",
            Self::Error(error) => error.code(),
        }
    }

    /// In words.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Gone => "the device went away".to_owned(),
            Self::Replaced => "the device opened a newer line".to_owned(),
            Self::Silent => "nothing came for too long".to_owned(),
            Self::Slow => "the device does not take what it is told".to_owned(),
            Self::TooLarge => "a message was larger than is taken".to_owned(),
            Self::Restart(wait) => format!("the server restarts; retry_after_ms={}", wait.as_millis()),
            Self::Error(error) if error.kind() == Kind::Internal => "something went wrong here".to_owned(),
            Self::Error(error) => error.detail().to_owned(),
        }
    }

    /// When to come back.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Restart(wait) => Some(*wait),
            Self::Error(error) => error.wait(),
            Self::Gone | Self::Replaced | Self::Silent | Self::Slow | Self::TooLarge => None,
        }
    }

    /// Whether anybody is there to be told.
    pub(crate) fn has_words(&self) -> bool {
        !matches!(self, Self::Gone | Self::Slow)
    }

    /// The last word.
    pub(crate) fn farewell(&self) -> Word {
        let retry_after_ms = self.wait().map(millis).unwrap_or_default();
        Word::Farewell { code: self.code().to_owned(), detail: self.detail(), retry_after_ms }
    }

    /// The close code of a WebSocket: RFC 6455 and the registry where they have one, else 4000 and the HTTP status.
    pub(crate) fn close_code(&self) -> u16 {
        match self {
            Self::Gone => 1000,
            Self::Replaced => 4409,
            Self::Silent | Self::Slow => 4408,
            Self::TooLarge => 1009,
            Self::Restart(_) => 1012,
            Self::Error(error) => match error.kind() {
                Kind::Unauthenticated => 4401,
                Kind::Forbidden => 4403,
                Kind::TooMany => 4429,
                Kind::Timeout | Kind::Unavailable => 1013,
                Kind::Invalid | Kind::NotFound | Kind::Conflict => 1008,
                Kind::Internal => 1011,
            },
        }
    }
}

/// A moment of its own for each line, so that phones do not come back all at once.
pub(super) fn spread(line: LinkId) -> Duration {
    let chance = line.uuid().as_u64_pair().1;
    Duration::from_millis(500 + chance % millis(SPREAD))
}

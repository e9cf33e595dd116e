//! Tells all nodes at once, and forgets: who was away is told that messages are missing and reads the
//! database again. Nothing is only on the bus.

mod hub;
mod redis;

use std::sync::Arc;

use base::Result;

use self::hub::{Hub, Member};
use self::redis::Redis;
use crate::tls::Authorities;
use crate::{Tasks, errors};

/// Carries messages between everything that subscribed, in this process or in all.
#[derive(Clone)]
pub struct Bus {
    engine: Engine,
}

#[derive(Clone)]
enum Engine {
    Memory(Arc<Hub>),
    Redis(Redis),
}

/// What a subscriber gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Somebody published this.
    Received {
        /// Where.
        channel: Arc<str>,
        /// What.
        body: Arc<[u8]>,
    },
    /// Messages were lost (the subscriber was slow, or the server away): read the state again.
    Lagged,
}

impl Message {
    /// What was published, unless messages were lost.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        match self {
            Self::Received { body, .. } => Some(body),
            Self::Lagged => None,
        }
    }
}

/// A subscription; dropping it ends it.
pub struct Subscription {
    member: Member,
}

impl Subscription {
    /// The next message; `None` when the bus has stopped. Safe to drop and call again.
    pub async fn next(&mut self) -> Option<Message> {
        self.member.next().await
    }
}

impl Bus {
    /// Opens the engine the URL names: `memory:`, `redis://…` or `rediss://…`.
    ///
    /// # Errors
    /// `Invalid` for a URL that names none, `Unavailable` when the server does not answer.
    pub async fn connect(url: &str, tasks: &Tasks, authorities: &Authorities) -> Result<Self> {
        let engine = match url.split_once(':') {
            Some(("memory", "")) => Engine::Memory(Arc::default()),
            Some(("redis" | "rediss" | "redis+sentinel" | "redis+cluster" | "rediss+sentinel" | "rediss+cluster", _)) => {
                Engine::Redis(Redis::connect(url, tasks, authorities).await?)
            }
            _ => return Err(errors::unknown_engine("bus", url, "`memory:`, `redis://…`, `rediss://…`")),
        };
        Ok(Self { engine })
    }

    /// Tells everybody who subscribed to the channel.
    ///
    /// # Errors
    /// `Unavailable` when the server does not answer; the message may have gone out all the same.
    pub async fn publish(&self, channel: &str, body: Vec<u8>) -> Result<()> {
        match &self.engine {
            Engine::Memory(hub) => {
                hub.deliver(channel, body.into());
                Ok(())
            }
            Engine::Redis(redis) => redis.publish(channel, &body).await,
        }
    }

    /// Subscribes: everything published after this returns is received, or a [`Message::Lagged`] says it was not.
    ///
    /// # Errors
    /// `Unavailable` when the server does not confirm the subscription.
    pub async fn subscribe(&self, channel: &str) -> Result<Subscription> {
        let member = match &self.engine {
            Engine::Memory(hub) => Hub::join(hub, channel),
            Engine::Redis(redis) => redis.subscribe(channel).await?,
        };
        Ok(Subscription { member })
    }

    /// Which uninterrupted stretch of hearing this is; nothing while messages cannot be heard. Whoever was subscribed and reads state within one
    /// session misses no message of the same session.
    #[must_use]
    pub fn session(&self) -> Option<u64> {
        match &self.engine {
            Engine::Memory(_) => Some(0),
            Engine::Redis(redis) => redis.session(),
        }
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        match &self.engine {
            Engine::Memory(_) => Ok(()),
            Engine::Redis(redis) => redis.ping().await,
        }
    }
}

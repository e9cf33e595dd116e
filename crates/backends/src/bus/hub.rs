//! Fans messages out inside this process. A channel exists while somebody listens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::Message;

/// How many messages a subscriber may be behind.
const CAPACITY: usize = 1024;

type Channels = HashMap<Arc<str>, broadcast::Sender<Message>>;

/// All channels of this process.
#[derive(Default)]
pub(super) struct Hub {
    channels: Mutex<Channels>,
    /// Told about channels nobody listens to any more.
    forsaken: Mutex<Option<Forsaken>>,
}

type Forsaken = Box<dyn Fn(&str) + Send + Sync>;

/// One listener of one channel.
pub(super) struct Member {
    channel: Arc<str>,
    hub: Weak<Hub>,
    // Taken out on drop, before the listeners that are left are counted.
    receiver: Option<broadcast::Receiver<Message>>,
}

impl Hub {
    /// Calls `forsaken` with every channel whose last listener has gone.
    pub(super) fn on_forsaken(&self, forsaken: impl Fn(&str) + Send + Sync + 'static) {
        *self.forsaken.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(forsaken));
    }

    /// A new listener.
    pub(super) fn join(hub: &Arc<Self>, channel: &str) -> Member {
        let channel: Arc<str> = channel.into();
        let mut channels = hub.channels();
        let sender = channels.entry(Arc::clone(&channel)).or_insert_with(|| broadcast::channel(CAPACITY).0);
        let receiver = Some(sender.subscribe());
        Member { channel, hub: Arc::downgrade(hub), receiver }
    }

    /// Gives a message to all listeners of the channel.
    pub(super) fn deliver(&self, channel: &str, body: Arc<[u8]>) {
        let channels = self.channels();
        if let Some((channel, sender)) = channels.get_key_value(channel) {
            // Fails only when the last listener is just leaving.
            drop(sender.send(Message::Received { channel: Arc::clone(channel), body }));
        }
    }

    /// Tells every listener of every channel that messages were lost.
    pub(super) fn lag(&self) {
        for sender in self.channels().values() {
            drop(sender.send(Message::Lagged));
        }
    }

    /// The channels somebody listens to.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.channels().keys().cloned().collect()
    }

    /// Whether somebody listens.
    pub(super) fn has(&self, channel: &str) -> bool {
        self.channels().contains_key(channel)
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        // Entries are put in and taken out whole.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    pub(super) async fn next(&mut self) -> Option<Message> {
        match self.receiver.as_mut()?.recv().await {
            Ok(message) => Some(message),
            Err(RecvError::Lagged(_)) => Some(Message::Lagged),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let Some(hub) = self.hub.upgrade() else { return };
        let mut channels = hub.channels();
        self.receiver = None;
        if channels.get(&self.channel).is_none_or(|sender| sender.receiver_count() > 0) {
            return;
        }
        channels.remove(&self.channel);
        drop(channels);
        let forsaken = hub.forsaken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(forsaken) = forsaken.as_ref() {
            forsaken(&self.channel);
        }
    }
}

//! The bus over a Redis server. Subscriptions live on a connection of their own (shared with commands,
//! the library can hand one command another's reply); after every loss they are made again and every
//! subscriber is told that messages are missing.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::Result;
use futures::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, RedisResult, cmd};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::hub::{Hub, Member};
use crate::link::{self, Link};
use crate::tls::Authorities;
use crate::{Tasks, errors};

/// How long the server may take for one order.
const ORDER: Duration = Duration::from_secs(2);
/// How long a subscriber waits, reconnection included.
const PATIENCE: Duration = Duration::from_secs(5);
const PROBE: Duration = Duration::from_secs(2);

/// The Redis engine.
#[derive(Clone)]
pub(super) struct Redis {
    link: Link,
    hub: Arc<Hub>,
    orders: mpsc::UnboundedSender<Order>,
    sessions: Arc<AtomicU64>,
}

enum Order {
    Subscribe(Arc<str>, oneshot::Sender<()>),
    Leave(Arc<str>),
}

impl Redis {
    pub(super) async fn connect(url: &str, tasks: &Tasks, authorities: &Authorities) -> Result<Self> {
        let link = Link::connect(url, tasks, authorities).await?;
        let client = link::client(url, authorities)?;
        let (orders, inbox) = mpsc::unbounded_channel();
        let hub = Arc::new(Hub::default());
        // Weak: the hub must not keep the inbox open once every handle on the bus is gone.
        let leaving = orders.downgrade();
        hub.on_forsaken(move |channel| {
            if let Some(orders) = leaving.upgrade() {
                drop(orders.send(Order::Leave(channel.into())));
            }
        });
        let sessions = Arc::new(AtomicU64::new(0));
        let listener = Listener { client, server: link.server().to_owned(), hub: Arc::clone(&hub), inbox, sessions: Arc::clone(&sessions) };
        tasks.spawn("bus.listener", listener.run(tasks.stop()));
        Ok(Self { link, hub, orders, sessions })
    }

    pub(super) async fn publish(&self, channel: &str, body: &[u8]) -> Result<()> {
        self.link.run(cmd("PUBLISH").arg(channel).arg(body)).await
    }

    pub(super) async fn subscribe(&self, channel: &str) -> Result<Member> {
        let member = Hub::join(&self.hub, channel);
        let (done, confirmed) = oneshot::channel();
        let sent = self.orders.send(Order::Subscribe(channel.into(), done));
        match timeout(PATIENCE, confirmed).await {
            Ok(Ok(())) if sent.is_ok() => Ok(member),
            _ => Err(errors::redis_unavailable(self.link.server())),
        }
    }

    pub(super) fn session(&self) -> Option<u64> {
        let sessions = self.sessions.load(Ordering::SeqCst);
        (sessions % 2 == 1).then_some(sessions)
    }

    pub(super) async fn ping(&self) -> Result<()> {
        self.link.ping().await
    }
}

/// The task that owns the subscribing connection.
struct Listener {
    client: Client,
    server: String,
    hub: Arc<Hub>,
    inbox: mpsc::UnboundedReceiver<Order>,
    /// Connections made and lost so far: odd while there is one.
    sessions: Arc<AtomicU64>,
}

/// Why a connection was left.
enum End {
    Lost,
    Stopped,
}

impl Listener {
    async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.listen() => {}
        }
    }

    async fn listen(&mut self) {
        let mut is_first = true;
        loop {
            let mut waits = link::backoff();
            let mut session = loop {
                match self.open().await {
                    Ok(session) => break session,
                    Err(cause) => {
                        tracing::debug!(server = self.server, %cause, "the bus cannot subscribe yet");
                        sleep(waits.next().unwrap_or(PROBE)).await;
                    }
                }
            };
            if !is_first {
                metrics::counter!("bus_reconnects_total").increment(1);
                self.hub.lag();
            }
            is_first = false;
            self.sessions.fetch_add(1, Ordering::SeqCst);
            let end = self.serve(&mut session).await;
            self.sessions.fetch_add(1, Ordering::SeqCst);
            match end {
                End::Stopped => return,
                End::Lost => tracing::warn!(server = self.server, "the bus lost its connection"),
            }
        }
    }

    /// Connects and makes the subscriptions of everybody who listens.
    async fn open(&self) -> RedisResult<Session> {
        let connection = limited(self.client.get_async_pubsub()).await?;
        let (mut sink, stream) = connection.split();
        let names = self.hub.names();
        for name in &names {
            limited(sink.subscribe(&**name)).await?;
        }
        Ok(Session { sink, stream, subscribed: names.into_iter().collect() })
    }

    async fn serve(&mut self, session: &mut Session) -> End {
        loop {
            tokio::select! {
                message = session.stream.next() => match message {
                    Some(message) => self.hub.deliver(message.get_channel_name(), message.get_payload_bytes().into()),
                    None => return End::Lost,
                },
                order = self.inbox.recv() => match order {
                    Some(order) => if session.obey(order, &self.hub).await.is_err() { return End::Lost },
                    None => return End::Stopped,
                },
                () = sleep(PROBE) => if limited(session.sink.ping::<redis::Value>()).await.is_err() { return End::Lost },
            }
        }
    }
}

/// One connection and what it is subscribed to.
struct Session {
    sink: PubSubSink,
    stream: PubSubStream,
    subscribed: HashSet<Arc<str>>,
}

impl Session {
    async fn obey(&mut self, order: Order, hub: &Hub) -> RedisResult<()> {
        match order {
            Order::Subscribe(channel, done) => {
                if !self.subscribed.contains(&channel) {
                    limited(self.sink.subscribe(&*channel)).await?;
                    self.subscribed.insert(channel);
                }
                // Whoever asked may have given up; leaving is announced separately.
                let _ = done.send(());
            }
            // Somebody may have come back between the announcement and now.
            Order::Leave(channel) => {
                if !hub.has(&channel) && self.subscribed.remove(&channel) {
                    limited(self.sink.unsubscribe(&*channel)).await?;
                }
            }
        }
        Ok(())
    }
}

async fn limited<T>(order: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match timeout(ORDER, order).await {
        Ok(outcome) => outcome,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

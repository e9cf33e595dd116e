//! One supervised connection to a Redis server. The client library never notices a hung server, so
//! time-outs are counted here: after three in a row, or one broken connection, callers fail at once
//! and a supervisor connects anew. Never used for subscriptions: those have their own connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use base::{Error, Result};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, InfoDict, IntoConnectionInfo, RedisError, RedisResult, ScriptInvocation,
    ServerErrorKind, TlsCertificates, cmd,
};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::tls::Authorities;
use crate::{Tasks, errors};

const COMMAND: Duration = Duration::from_secs(1);
const CONNECT: Duration = Duration::from_secs(2);
/// How often an idle connection is asked whether it lives.
const PROBE: Duration = Duration::from_secs(1);
const MISSES: u32 = 3;
/// How long `connect` tries before it reports that the server is down.
const PATIENCE: Duration = Duration::from_secs(5);

/// A handle on the connection; clones share it.
#[derive(Clone)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    /// Host and port, for messages: the URL may hold a password.
    server: String,
    state: Mutex<State>,
    wake: Notify,
}

struct State {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late failure of an old one does not condemn its successor.
    generation: u64,
    /// Time-outs in a row.
    misses: u32,
    /// `run_id` of the server the connection leads, or last led, to.
    run: Arc<str>,
}

impl Link {
    /// Connects, or fails when the server does not answer within five seconds.
    pub(crate) async fn connect(url: &str, tasks: &Tasks, authorities: &Authorities) -> Result<Self> {
        let client = client(url, authorities)?;
        let server = client.get_connection_info().addr().to_string();
        let (connection, run) = first(&client, &server).await?;
        let state = Mutex::new(State { connection: Some(connection), generation: 0, misses: 0, run });
        let shared = Arc::new(Shared { client, server, state, wake: Notify::new() });
        tasks.spawn("redis.supervisor", supervise(Arc::downgrade(&shared), tasks.stop()));
        Ok(Self { shared })
    }

    /// Host and port.
    pub(crate) fn server(&self) -> &str {
        &self.shared.server
    }

    /// Names the process the connection leads to: another one after a restart or a fail-over, the same for every client of it.
    /// Empty where the server does not tell.
    pub(crate) fn life(&self) -> Arc<str> {
        Arc::clone(&self.shared.state().run)
    }

    /// Runs one command.
    pub(crate) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let (mut connection, generation) = self.shared.take()?;
        let start = Instant::now();
        let answer = command.query_async(&mut connection).await;
        self.shared.judge(generation, start, answer)
    }

    /// Runs one script; a server that does not know it yet is taught.
    pub(crate) async fn invoke<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T> {
        let (mut connection, generation) = self.shared.take()?;
        let start = Instant::now();
        let answer = script.invoke_async(&mut connection).await;
        self.shared.judge(generation, start, answer)
    }

    /// Whether the server answers.
    pub(crate) async fn ping(&self) -> Result<()> {
        self.run(&cmd("PING")).await
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Each field is written whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, or an immediate refusal while there is none.
    fn take(&self) -> Result<(MultiplexedConnection, u64)> {
        let state = self.state();
        match &state.connection {
            Some(connection) => Ok((connection.clone(), state.generation)),
            None => Err(errors::redis_unavailable(&self.server)),
        }
    }

    /// Draws the conclusions from how a command ended.
    fn judge<T>(&self, generation: u64, start: Instant, answer: RedisResult<T>) -> Result<T> {
        metrics::histogram!("redis_command_seconds").record(start.elapsed().as_secs_f64());
        match answer {
            Ok(value) => {
                let mut state = self.state();
                if state.generation == generation {
                    state.misses = 0;
                }
                Ok(value)
            }
            Err(cause) => {
                metrics::counter!("redis_errors_total").increment(1);
                self.suspect(generation, &cause);
                Err(self.explain(cause))
            }
        }
    }

    /// Gives the connection up when `cause` says that it is broken or hung.
    fn suspect(&self, generation: u64, cause: &RedisError) {
        let mut state = self.state();
        if state.generation != generation {
            return;
        }
        let is_broken = if cause.is_timeout() {
            state.misses += 1;
            state.misses >= MISSES
        } else {
            is_connection_trouble(cause)
        };
        if is_broken && state.connection.take().is_some() {
            drop(state);
            tracing::warn!(server = self.server, %cause, "lost the connection to redis");
            self.wake.notify_one();
        }
    }

    fn explain(&self, cause: RedisError) -> Error {
        let is_passing = cause.is_timeout()
            || is_connection_trouble(&cause)
            || matches!(
                cause.kind(),
                ErrorKind::Server(
                    ServerErrorKind::BusyLoading | ServerErrorKind::TryAgain | ServerErrorKind::ClusterDown | ServerErrorKind::ExecAbort
                )
            )
            || cause.code() == Some("OOM");
        if is_passing { errors::redis_unavailable(&self.server).because(cause) } else { errors::redis_refused(&self.server, cause) }
    }

    fn restore(&self, connection: MultiplexedConnection, run: Arc<str>) {
        let mut state = self.state();
        state.connection = Some(connection);
        state.run = run;
        state.generation += 1;
        state.misses = 0;
    }

    fn is_up(&self) -> bool {
        self.state().connection.is_some()
    }

    /// Asks the server for a sign of life until it gives one or the connection is given up.
    async fn probe(&self) {
        while let Ok((mut connection, generation)) = self.take() {
            let answer: RedisResult<()> = cmd("PING").query_async(&mut connection).await;
            if self.judge(generation, Instant::now(), answer).is_ok() {
                return;
            }
        }
    }
}

/// A demoted master must be left as a broken connection is: the name may lead to the new one.
fn is_connection_trouble(cause: &RedisError) -> bool {
    let kind = cause.kind();
    (cause.is_io_error() && !cause.is_timeout())
        || cause.is_unrecoverable_error()
        || matches!(kind, ErrorKind::Parse | ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown))
}

async fn supervise(link: Weak<Shared>, stop: CancellationToken) {
    // Holding only a weak handle, the supervisor ends soon after the last `Link` is gone.
    while let Some(shared) = link.upgrade() {
        let work = async {
            if shared.is_up() {
                // Told early when a caller finds the connection broken.
                drop(timeout(PROBE, shared.wake.notified()).await);
                shared.probe().await;
            } else {
                reconnect(&shared, &link).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = work => {}
        }
    }
}

async fn reconnect(shared: &Arc<Shared>, link: &Weak<Shared>) {
    for wait in backoff() {
        match open(&shared.client).await {
            Ok((connection, run)) => {
                shared.restore(connection, run);
                metrics::counter!("redis_reconnects_total").increment(1);
                tracing::info!(server = shared.server, "connected to redis again");
                return;
            }
            Err(cause) => tracing::debug!(server = shared.server, %cause, "redis is still away"),
        }
        if link.strong_count() <= 1 {
            return;
        }
        sleep(wait).await;
    }
}

/// Waits between attempts: 50 ms doubling to 2 s, each with jitter so that nodes do not come at once.
pub(crate) fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(2))
        .with_jitter()
        .without_max_times()
        .build()
}

/// A connection that answers, and the server's `run_id`.
async fn open(client: &Client) -> RedisResult<(MultiplexedConnection, Arc<str>)> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(COMMAND));
    // The library's own time-out covers the dial; ours also the greeting of a server that hangs.
    let connected = timeout(CONNECT, client.get_multiplexed_async_connection_with_config(&config)).await;
    let mut connection = connected.map_err(|_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut)))??;
    cmd("PING").query_async::<()>(&mut connection).await?;
    let run = match cmd("INFO").arg("server").query_async::<InfoDict>(&mut connection).await {
        Ok(about) => about.get::<String>("run_id").unwrap_or_default(),
        Err(cause) if is_connection_trouble(&cause) || cause.is_timeout() => return Err(cause),
        Err(cause) => {
            tracing::warn!(%cause, "the redis user may not ask INFO: what a restart of the server forgets is not noticed");
            String::new()
        }
    };
    Ok((connection, run.into()))
}

async fn first(client: &Client, server: &str) -> Result<(MultiplexedConnection, Arc<str>)> {
    let start = Instant::now();
    for wait in backoff() {
        match open(client).await {
            Ok(opened) => return Ok(opened),
            Err(cause) if is_password(&cause) => return Err(errors::redis_password(server, cause)),
            Err(cause) if start.elapsed() > PATIENCE => return Err(errors::redis_unavailable(server).because(cause)),
            Err(_) => sleep(wait).await,
        }
    }
    Err(errors::redis_unavailable(server))
}

fn is_password(cause: &RedisError) -> bool {
    cause.kind() == ErrorKind::AuthenticationFailed || matches!(cause.code(), Some("NOAUTH" | "WRONGPASS"))
}

/// A client for the URL, with the settings the library gets wrong.
pub(crate) fn client(url: &str, authorities: &Authorities) -> Result<Client> {
    let scheme = url.split(':').next().unwrap_or_default();
    if scheme.contains('+') {
        return Err(errors::redis_url(&format!("`{scheme}` (cluster and sentinel) comes later; use redis:// or rediss://")));
    }
    let information = url.into_connection_info().map_err(|cause| errors::redis_url(&cause.to_string()))?;
    let settings = information.tcp_settings().clone().set_nodelay(true);
    let information = information.set_tcp_settings(settings);
    let opened = match authorities.own() {
        Some(pem) if scheme == "rediss" => {
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.to_vec()) };
            Client::build_with_tls(information, certificates)
        }
        _ => Client::open(information),
    };
    opened.map_err(|cause| errors::redis_url(&cause.to_string()))
}

//! The only way to connect: guard, rate limit, time-outs and counting in one place.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use nix::errno::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::guard::{Guard, Refusal};
use crate::pace::Pace;
use crate::plan::Limits;
use crate::wire::WireError;

/// Refusals kept word by word; a refused network would otherwise fill the memory.
const REFUSALS_KEPT: usize = 4096;

/// How long to wait for a descriptor, and how often.
const STALL: Duration = Duration::from_millis(50);
const STALLS_BORNE: usize = 40;
/// Most bytes one datagram can have.
const DATAGRAM_CAP: usize = 64 * 1024;

/// A connection; it occupies one of the plan's places until it is dropped.
/// Whoever holds one must not wait for another, or all might wait for each other.
pub(crate) struct Connection {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

/// A UDP socket that talks to one permitted address only; it occupies a place like a connection does.
pub(crate) struct Datagrams {
    socket: UdpSocket,
    _place: OwnedSemaphorePermit,
}

impl Datagrams {
    /// Sends one datagram and takes the next one that comes back.
    pub(crate) async fn ask(&self, question: &[u8], wait: Duration) -> Result<Vec<u8>, WireError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::ConnectionRefused => WireError::Closed,
            _ => WireError::Failed(error.to_string()),
        };
        self.socket.send(question).await.map_err(failed)?;
        self.next(wait).await
    }

    /// Takes another datagram.
    pub(crate) async fn next(&self, wait: Duration) -> Result<Vec<u8>, WireError> {
        let mut reply = vec![0; DATAGRAM_CAP];
        match timeout(wait, self.socket.recv(&mut reply)).await {
            Err(_) => Err(WireError::Timeout),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Err(WireError::Closed),
            Ok(Err(error)) => Err(WireError::Failed(error.to_string())),
            Ok(Ok(length)) => {
                reply.truncate(length);
                Ok(reply)
            }
        }
    }
}

/// Why a connection was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DialError {
    #[error("refused by the guard: {0}")]
    Refused(String),
    #[error("connection timed out")]
    Timeout,
    #[error("connection failed: {0}")]
    Failed(String),
}

pub(crate) struct Dialer {
    guard: Arc<dyn Guard>,
    pub(crate) pace: Option<Pace>,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) retries: u8,
    slots: Arc<Semaphore>,
    connections: AtomicU64,
    refused: Mutex<BTreeMap<String, String>>,
}

impl Dialer {
    pub(crate) fn new(guard: Arc<dyn Guard>, limits: &Limits) -> Self {
        Self {
            guard,
            pace: limits.rate_per_second.map(Pace::new),
            connect_timeout: limits.connect_timeout,
            read_timeout: limits.read_timeout,
            retries: limits.retries,
            slots: Arc::new(Semaphore::new(limits.concurrency.clamp(1, Semaphore::MAX_PERMITS))),
            connections: AtomicU64::new(0),
            refused: Mutex::new(BTreeMap::new()),
        }
    }

    /// Asks the guard for an address and remembers a refusal.
    pub(crate) fn permit(&self, address: SocketAddr) -> Result<(), Refusal> {
        self.guard.permit(address).inspect_err(|refusal| self.remember(address.to_string(), refusal))
    }

    /// Asks the guard for a URL and remembers a refusal.
    pub(crate) fn permit_url(&self, url: &Url) -> Result<(), Refusal> {
        self.guard.permit_url(url).inspect_err(|refusal| self.remember(url.to_string(), refusal))
    }

    fn remember(&self, what: String, refusal: &Refusal) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < REFUSALS_KEPT {
            refused.insert(what, refusal.reason.clone());
        }
    }

    /// Counts one connection attempt that passed the guard.
    pub(crate) fn count(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn refused(&self) -> Vec<(String, String)> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(what, reason)| (what.clone(), reason.clone())).collect()
    }

    /// Connects, trying again only after a time-out or when this process had no descriptor left.
    pub(crate) async fn connect(&self, address: SocketAddr) -> Result<Connection, DialError> {
        let place = Arc::clone(&self.slots).acquire_owned().await.map_err(|error| DialError::Failed(error.to_string()))?;
        self.dial(address, place).await
    }

    /// Connects for a conversation that holds a place already: it never waits for another, or those who hold would wait for
    /// each other.
    pub(crate) async fn connect_beside(&self, address: SocketAddr) -> Result<Connection, DialError> {
        let place = Arc::clone(&self.slots).try_acquire_owned();
        let place = place.map_err(|_| DialError::Failed("no second connection is allowed at the moment".to_owned()))?;
        self.dial(address, place).await
    }

    async fn dial(&self, address: SocketAddr, place: OwnedSemaphorePermit) -> Result<Connection, DialError> {
        let mut timeouts = 0;
        let mut stalls = 0;
        loop {
            self.permit(address).map_err(|refusal| DialError::Refused(refusal.reason))?;
            if let Some(pace) = &self.pace {
                pace.wait().await;
            }
            self.count();
            match timeout(self.connect_timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Best effort: without it small probes wait for Nagle's algorithm.
                    let _ = stream.set_nodelay(true);
                    return Ok(Connection { stream, _place: place });
                }
                Ok(Err(error)) if is_exhaustion(&error) && stalls < STALLS_BORNE => {
                    stalls += 1;
                    sleep(STALL).await;
                }
                Ok(Err(error)) => return Err(DialError::Failed(error.to_string())),
                Err(_) if timeouts < self.retries => timeouts += 1,
                Err(_) => return Err(DialError::Timeout),
            }
        }
    }
}

impl Dialer {
    /// A UDP socket for one address, under the same guard, rate and places as a connection.
    pub(crate) async fn datagrams(&self, address: SocketAddr) -> Result<Datagrams, DialError> {
        let failed = |error: io::Error| DialError::Failed(error.to_string());
        let place = Arc::clone(&self.slots).acquire_owned().await.map_err(|error| DialError::Failed(error.to_string()))?;
        self.permit(address).map_err(|refusal| DialError::Refused(refusal.reason))?;
        if let Some(pace) = &self.pace {
            pace.wait().await;
        }
        self.count();
        let own: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(own).await.map_err(failed)?;
        // Only datagrams of this peer reach a connected socket.
        socket.connect(address).await.map_err(failed)?;
        Ok(Datagrams { socket, _place: place })
    }
}

fn is_exhaustion(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(code, Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM))
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

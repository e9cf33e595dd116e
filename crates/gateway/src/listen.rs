//! Listeners of our own: bounded connections, of which one address gets a share, limits on how long a client may take to begin and to
//! send headers, TLS if configured, drained at shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use backends::Tasks;
use base::Result;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use web::{Linger, PeerCertificate};

use crate::certificates::{acceptor, mutual_acceptor};
use crate::config::{Config, MutualTls};
use crate::errors;
use crate::opening::Opening;
use crate::origin::PeerAddress;
use crate::places::{Place, Places, Shared};

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long an HTTP/2 connection may be silent before it is pinged, and how long the answer may take.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(20);
/// How long open exchanges may go on after shutdown began.
const DRAIN: Duration = Duration::from_secs(20);

/// A bound address, not yet serving.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    places: Places,
    header_timeout: Duration,
}

/// Takes `address`; `outside` listeners use the configured certificate and give one address a share of the connections. The others are for
/// gateways and operators, who bring the connections of many.
///
/// # Errors
/// `Unavailable` naming the address and what to do, `Invalid` naming a certificate file that cannot be used.
pub async fn bind(address: SocketAddr, config: &Config, outside: bool) -> Result<Listener> {
    let tls = match &config.tls {
        Some(files) if outside => Some(acceptor(files)?),
        _ => None,
    };
    let shared = outside.then(|| shared(config));
    take(address, config, tls, shared).await
}

/// Takes `address` for clients that show a certificate of the given authorities; everybody else is refused in the handshake. What was
/// shown stands in each request as [`PeerCertificate`].
///
/// # Errors
/// As [`bind`].
pub async fn bind_mutual(address: SocketAddr, config: &Config, files: &MutualTls) -> Result<Listener> {
    take(address, config, Some(mutual_acceptor(files)?), Some(shared(config))).await
}

fn shared(config: &Config) -> Shared {
    Shared::new(config.maximum_connections_per_address, &config.trusted_proxies)
}

async fn take(address: SocketAddr, config: &Config, tls: Option<TlsAcceptor>, shared: Option<Shared>) -> Result<Listener> {
    let tcp = TcpListener::bind(address).await.map_err(|cause| errors::address_taken(address, &cause))?;
    let places = Places::new(config.maximum_connections, shared);
    Ok(Listener { tcp, tls, places, header_timeout: Duration::from_secs(config.header_timeout_seconds) })
}

impl Listener {
    /// The address taken, with the port the system chose when 0 was asked for.
    ///
    /// # Errors
    /// `Internal` when the socket does not know.
    pub fn address(&self) -> Result<SocketAddr> {
        self.tcp.local_addr().map_err(|cause| base::Error::internal("a listener has no address").because(cause))
    }

    /// Serves `router` until shutdown, then lets open exchanges end.
    pub fn serve(self, router: Router, tasks: &Tasks) {
        tasks.spawn("gateway.listener", self.run(router, tasks.clone()));
    }

    async fn run(self, router: Router, tasks: Tasks) {
        let stop = tasks.stop();
        let (graceful, linger) = (GracefulShutdown::new(), Linger::new(&tasks));
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.header_timeout).max_buf_size(64 * 1024);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(128)
            .max_header_list_size(64 * 1024)
            // Also while no stream is open: who does not answer loses the connection.
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG);
        let builder = Arc::new(builder);
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&self.tcp, &self.places) => accepted,
            };
            let Some((stream, peer, place)) = accepted else { continue };
            let stream = linger.over(stream);
            let begin = self.header_timeout;
            let (builder, router, tls, watcher) = (builder.clone(), router.clone(), self.tls.clone(), graceful.watcher());
            tasks.spawn("gateway.connection", async move {
                match tls {
                    None => connection(&builder, router, Opening::new(stream, begin), (peer, None), watcher).await,
                    Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                        Ok(Ok(stream)) => {
                            let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                            let shown = shown.map(|leaf| PeerCertificate(Arc::from(leaf.as_ref())));
                            connection(&builder, router, Opening::new(stream, begin), (peer, shown), watcher).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
                        Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
                    },
                }
                drop(place);
            });
        }
        drop(self.tcp);
        if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!("some exchanges were cut off at shutdown");
        }
    }
}

/// A place is given back when the exchange of requests ends. A socket it was upgraded to holds none: whoever opened one has shown who
/// they are, and phones keep theirs for days.
type Accepted = (TcpStream, SocketAddr, Place);

async fn accept(tcp: &TcpListener, places: &Places) -> Option<Accepted> {
    let one = places.free().await?;
    match tcp.accept().await {
        Ok((stream, peer)) => {
            let Some(place) = places.give(one, peer.ip()) else {
                metrics::counter!("connections_refused_total").increment(1);
                tracing::debug!(%peer, "the address has too many connections");
                return None;
            };
            // Answers are small and wanted at once.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            // Out of file descriptors: give the open ones time to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn connection<S>(
    builder: &Builder<TokioExecutor>,
    router: Router,
    stream: S,
    (peer, shown): (SocketAddr, Option<PeerCertificate>),
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = router.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer));
        if let Some(shown) = &shown {
            request.extensions_mut().insert(shown.clone());
        }
        request.map(axum::body::Body::new)
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "connection ended badly");
    }
}

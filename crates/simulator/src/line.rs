//! The open line of a phone: a WebSocket or a gRPC stream that carries the same messages. Whoever is refused is told before it opens.

mod grpc;
mod socket;
mod words;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backends::{Authorities, Clock};
use base::{Error, Result};
use futures::future::BoxFuture;
use reqwest::Method;
use rustls::ClientConfig;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use url::Url;

use crate::errors;
use crate::handset::Handset;
use crate::plan::{Carrier, Plan};
use crate::server::{Reply, Server};

pub(crate) use words::{Receipt, Said, Told};

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came down a line.
#[derive(Debug)]
pub(crate) enum Came {
    /// A message, and the number of what it answers.
    Told(u32, Told),
    /// Nothing will come any more.
    Ended(End),
}

/// How a line ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) code: String,
    /// When the server wants the phone back.
    pub(crate) wait: Duration,
}

impl End {
    pub(crate) fn named(code: &str) -> Self {
        Self { code: code.to_owned(), wait: Duration::ZERO }
    }
}

/// Why there is no line.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The server said so.
    Told(Reply),
    /// Nobody said anything.
    Silent,
}

/// An open line.
pub(crate) enum Line {
    Socket(Box<socket::Socket>),
    Stream(Box<grpc::Stream>),
}

impl Line {
    /// Says something; false when the line is broken.
    pub(crate) async fn say(&mut self, number: u32, said: &Said<'_>) -> bool {
        match self {
            Self::Socket(socket) => socket.say(number, said).await,
            Self::Stream(stream) => stream.say(number, said).await,
        }
    }

    /// The next message, or the end; dropping this loses nothing.
    pub(crate) async fn hear(&mut self) -> Came {
        match self {
            Self::Socket(socket) => socket.hear().await,
            Self::Stream(stream) => stream.hear().await,
        }
    }
}

/// How phones open lines.
pub(crate) struct Opener {
    carrier: Carrier,
    bind: Option<IpAddr>,
    tls: Arc<ClientConfig>,
    grpc: Option<Url>,
}

impl Opener {
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        let mut tls = Authorities::load(plan.authority.as_deref())?.client()?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut grpc = None;
        if plan.carrier == Carrier::Grpc {
            let door = plan.grpc.as_ref().ok_or_else(|| errors::option("--grpc", "says where the gRPC listener is"))?;
            tls.alpn_protocols = vec![b"h2".to_vec()];
            tls.client_auth_cert_resolver = Arc::new(certificate(&door.certificate, &door.key)?);
            grpc = Some(door.address.clone());
        }
        Ok(Self { carrier: plan.carrier, bind: plan.bind, tls: Arc::new(tls), grpc })
    }

    /// Method and address that proofs about the line name.
    pub(crate) fn target(&self, server: &Server) -> Result<(Method, Url)> {
        match &self.grpc {
            Some(grpc) => Ok((Method::POST, grpc.join(grpc::STREAM).map_err(|cause| errors::option("--grpc", cause))?)),
            None => Ok((Method::GET, server.url("device/stream")?)),
        }
    }

    /// Opens the line of a phone that carried out commands up to number `after`; once more when the server wants its newest nonce.
    pub(crate) fn open<'a>(
        &'a self,
        server: &'a Server,
        clock: &'a Clock,
        handset: &'a mut Handset,
        token: &'a str,
        after: i64,
    ) -> BoxFuture<'a, Result<Result<Line, Refused>>> {
        // Boxed: most of the time a phone does not open a line, and its life need not have room for it.
        Box::pin(self.try_open(server, clock, handset, token, after))
    }

    async fn try_open(
        &self,
        server: &Server,
        clock: &Clock,
        handset: &mut Handset,
        token: &str,
        after: i64,
    ) -> Result<Result<Line, Refused>> {
        let (method, target) = self.target(server)?;
        for is_last in [false, true] {
            let proof = handset.proof(clock, &method, target.as_str(), Some(token))?;
            let opening: BoxFuture<'_, _> = match self.carrier {
                Carrier::Grpc => Box::pin(grpc::open(self, &target, token, &proof, after)),
                carrier => Box::pin(socket::open(self, &target, carrier == Carrier::SocketJson, token, &proof, after)),
            };
            match timeout(PATIENCE, opening).await.unwrap_or(Err(Refused::Silent)) {
                Err(Refused::Told(reply)) if !is_last && reply.code() == "devices.use_dpop_nonce" => handset.learn(reply.nonce.as_deref()),
                opened => return Ok(opened),
            }
        }
        Ok(Err(Refused::Silent))
    }

    /// A connection to where an address leads.
    fn connect(&self, address: &Url) -> BoxFuture<'static, std::io::Result<TcpStream>> {
        let port = address.port_or_known_default().unwrap_or(443);
        let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        Box::pin(reach(host, port, self.bind))
    }
}

async fn reach(host: String, port: u16, own: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let place = tokio::net::lookup_host((host, port)).await?.next().ok_or(std::io::ErrorKind::NotFound)?;
    let socket = if place.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(own) = own {
        socket.bind((own, 0).into())?;
    }
    let stream = socket.connect(place).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn certificate(chain: &Path, key: &Path) -> Result<rustls::sign::SingleCertAndKey> {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};

    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|cause| errors::option("--certificate", cause))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|cause| errors::option("--key", cause))?;
    let provider = rustls::crypto::CryptoProvider::get_default().ok_or_else(|| Error::internal("no TLS provider is installed"))?;
    let certified = rustls::sign::CertifiedKey::from_der(certificates, key, provider).map_err(|cause| errors::option("--key", cause))?;
    Ok(certified.into())
}

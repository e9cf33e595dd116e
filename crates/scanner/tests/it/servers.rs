//! Small servers of the tests' own: what no package of the lab can be made to say.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion};

/// A server that lives as long as this value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _connections: JoinSet<()>,
}

/// Serves every connection with `serve`.
pub(crate) async fn serve<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    serve_at("127.0.0.1:0", serve).await
}

/// Serves every connection at an address with `serve`.
pub(crate) async fn serve_at<F>(address: &str, serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut connections = JoinSet::new();
    connections.spawn(async move {
        let mut open = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.spawn(serve(stream));
        }
    });
    Server { address, _connections: connections }
}

/// TLS for `name`, valid now, in these versions.
pub(crate) fn acceptor(name: &str, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A server that speaks TLS 1.3 only and then says nothing.
pub(crate) async fn modern_only(name: &str) -> Server {
    let acceptor = acceptor(name, &[&TLS13]);
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let mut lines = BufReader::new(stream).lines();
                while matches!(lines.next_line().await, Ok(Some(_))) {}
            }
        }
    })
    .await
}

/// A mail server with STARTTLS that takes mail from anybody for anybody when `relays`.
pub(crate) async fn mail(name: &str, relays: bool) -> Server {
    let acceptor = acceptor(name, tokio_rustls::rustls::ALL_VERSIONS);
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let _ = talk(stream, &acceptor, relays).await;
        }
    })
    .await
}

async fn talk(stream: TcpStream, acceptor: &TlsAcceptor, relays: bool) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.example ESMTP Exim 4.96 ready\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let verb = line.split([' ', ':']).next().unwrap_or_default().trim().to_ascii_uppercase();
        let reply: &[u8] = match verb.as_str() {
            "EHLO" => b"250-mail.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n",
            "STARTTLS" => {
                stream.write_all(b"220 go ahead\r\n").await?;
                let mut secure = acceptor.accept(stream.into_inner()).await?;
                return secure.shutdown().await;
            }
            "RCPT" if !relays => b"454 4.7.1 <tyrian-scan@example.org>: Relay access denied\r\n",
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply).await?;
        line.clear();
    }
    Ok(())
}

//! The gRPC door behind its own listener: certificates in the handshake, tokens and proofs in the metadata, the same line as a WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use devices::v1::device_service_client::DeviceServiceClient;
use devices::v1::stream_request::Said;
use devices::v1::stream_response::Told;
use devices::v1::{Acknowledgement, BindCertificateRequest, Outcome, Readings, Renewal, StreamRequest, StreamResponse};
use gateway::{Config, MutualTls, RateConfig, Upstreams};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};

use crate::authorities::{Authority, Identity, self_signed, write};
use crate::handset::Handset;
use crate::judging::{OWNER, Walk, patient};
use crate::stage::{Stage, config};
use crate::written::readings;

const STREAM: &str = "/tyrian.v1.DeviceService/Stream";
const BIND: &str = "/tyrian.v1.DeviceService/BindCertificate";

struct Door {
    address: SocketAddr,
    authority: Authority,
    _folder: tempfile::TempDir,
}

impl Door {
    async fn open(stage: &Stage) -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        let server = authority.server();
        let files = MutualTls {
            certificate: write(folder.path(), "server.pem", &server.pem),
            key: write(folder.path(), "server.key", &server.key),
            authorities: write(folder.path(), "authorities.pem", &authority.pem),
            revocations: Some(write(folder.path(), "revoked.pem", &authority.revoking(77))),
        };
        let rate = RateConfig { burst: 10_000, per_minute: 10_000 };
        let config = Config {
            maximum_body_bytes: 1_000,
            maximum_connections: 50,
            maximum_connections_per_address: 40,
            header_timeout_seconds: 5,
            request_timeout_seconds: 5,
            rate_per_address: rate,
            rate_per_user: rate,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            tls: None,
            upstreams: Upstreams::new(),
        };
        let listener = gateway::bind_mutual("127.0.0.1:0".parse().unwrap(), &config, &files).await.unwrap();
        let address = listener.address().unwrap();
        let backends = &stage.world.backends;
        listener.serve(gateway::calls(devices::grpc(&stage.devices).await.unwrap(), backends, &config), &backends.tasks);
        Self { address, authority, _folder: folder }
    }

    /// A connection that shows this certificate, or none.
    async fn connect(&self, identity: Option<&Identity>) -> Result<Channel, tonic::transport::Error> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(rustls_pki_types::pem::PemObject::from_pem_slice(self.authority.pem.as_bytes()).unwrap()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            Some(identity) => builder.with_client_auth_cert(vec![identity.certificate()], identity.private_key()).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, address) = (TlsConnector::from(Arc::new(config)), self.address);
        let connect = tower::service_fn(move |_: http::Uri| {
            let connector = connector.clone();
            async move {
                let stream = TcpStream::connect(address).await?;
                connector.connect("phones.test".try_into().unwrap(), stream).await.map(TokioIo::new)
            }
        });
        Endpoint::from_static("https://phones.test").connect_with_connector(connect).await
    }

    async fn client(&self, identity: &Identity) -> DeviceServiceClient<Channel> {
        DeviceServiceClient::new(self.connect(Some(identity)).await.unwrap())
    }
}

/// A call as a phone with a key makes it.
fn proven<T>(phone: &Handset, path: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let proof = phone.proof("POST", path, Some(&phone.access), |_| {});
    request.metadata_mut().insert("authorization", format!("DPoP {}", phone.access).parse().unwrap());
    request.metadata_mut().insert("dpop", proof.parse().unwrap());
    request
}

fn bearing<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// Both directions of a stream.
struct Line {
    up: mpsc::Sender<StreamRequest>,
    down: Streaming<StreamResponse>,
}

impl Line {
    async fn open(
        client: &mut DeviceServiceClient<Channel>,
        ask: impl FnOnce(futures::stream::BoxStream<'static, StreamRequest>) -> Request<futures::stream::BoxStream<'static, StreamRequest>>,
    ) -> Result<Self, Status> {
        let (up, waiting) = mpsc::channel(16);
        let said = futures::stream::unfold(waiting, async |mut waiting| waiting.recv().await.map(|said| (said, waiting)));
        let down = client.stream(ask(Box::pin(said))).await?.into_inner();
        Ok(Self { up, down })
    }

    async fn say(&self, number: u32, said: Said) {
        self.up.send(StreamRequest { number, said: Some(said) }).await.unwrap();
    }

    async fn told(&mut self) -> Result<Told, Status> {
        let next = tokio::time::timeout(std::time::Duration::from_secs(30), self.down.message()).await.expect("something comes");
        next.map(|message| message.expect("not the end").told.unwrap())
    }
}

fn code(status: &Status) -> (Code, &str) {
    (status.code(), status.metadata().get("tyrian-code").map_or("", |code| code.to_str().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_good_certificate_is_refused_in_the_handshake() {
    let stage = Stage::new(Engine::Embedded).await;
    let door = Door::open(&stage).await;
    let phone = stage.phone(json!({})).await;
    phone.knocks(&stage).await;
    let authority = &door.authority;
    let own = [
        None,
        Some(self_signed()),
        Some(Authority::new().client()),
        Some(authority.expired()),
        Some(authority.server()),
        Some(authority.numbered(77)),
    ];
    for (number, identity) in own.iter().enumerate() {
        let reached = match door.connect(identity.as_ref()).await {
            // With TLS 1.3 a client learns of the refusal with its first bytes.
            Ok(channel) => {
                DeviceServiceClient::new(channel).bind_certificate(proven(&phone, BIND, BindCertificateRequest {})).await.is_ok()
            }
            Err(_) => false,
        };
        assert!(!reached, "certificate {number}");
    }
    assert_eq!(stage.world.count("devices").await, 1);
    let good = door.authority.numbered(78);
    let mut client = door.client(&good).await;
    client.bind_certificate(proven(&phone, BIND, BindCertificateRequest {})).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_a_line_like_any_other() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        stage.devices.start();
        let door = Door::open(&stage).await;
        let phone = stage.phone(json!({})).await;
        let identity = door.authority.client();
        let client = door.client(&identity).await;
        let mut client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
        phone.learn("an old one");
        let refused = Line::open(&mut client, |said| proven(&phone, STREAM, said)).await.err().unwrap();
        assert_eq!(code(&refused), (Code::Unauthenticated, "devices.use_dpop_nonce"));
        phone.learn(refused.metadata().get("dpop-nonce").unwrap().to_str().unwrap());
        let elsewhere = Line::open(&mut client, |said| proven(&phone, BIND, said)).await.err().unwrap();
        assert_eq!(code(&elsewhere), (Code::Unauthenticated, "devices.proof"), "the proof is about another call");
        let mut line = Line::open(&mut client, |said| proven(&phone, STREAM, said)).await.unwrap();
        assert!(matches!(line.told().await.unwrap(), Told::Welcome(_)));
        let mut walk = Walk::new(21);
        for number in 1..=3 {
            stage.pass(5);
            let mut batch = walk.batch(OWNER);
            batch["accelerometer"][7][1] = Json::Null;
            line.say(number, Said::Readings(readings(&batch))).await;
            let Told::Receipt(receipt) = line.told().await.unwrap() else { panic!("no receipt") };
            assert_eq!((receipt.received, receipt.refused), (1_000, 1));
        }
        line.say(9, Said::Acknowledgement(Acknowledgement { sequence: 1, outcome: 0 })).await;
        let Told::Refusal(refusal) = line.told().await.unwrap() else { panic!("no refusal") };
        assert_eq!((refusal.code.as_str(), refusal.field.as_str()), ("devices.field", "/acknowledgement/outcome"));
        stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(json!({ "reason": "lost" }))).await;
        let Told::Command(command) = line.told().await.unwrap() else { panic!("no command") };
        line.say(10, Said::Acknowledgement(Acknowledgement { sequence: command.sequence, outcome: Outcome::Done.into() })).await;
        let Told::Farewell(farewell) = line.told().await.unwrap() else { panic!("no farewell") };
        assert_eq!(farewell.code, "devices.locked");
        assert!(matches!(line.told().await.unwrap(), Told::Acknowledged(_)));
        assert_eq!(code(&line.told().await.unwrap_err()), (Code::PermissionDenied, "devices.locked"));
        let refused = Line::open(&mut client, |said| proven(&phone, STREAM, said)).await.err().unwrap();
        assert_eq!(code(&refused), (Code::PermissionDenied, "devices.locked"));
        let statement = backends::sql("SELECT source FROM audit_logs WHERE action_taken = 'devices.acknowledge'");
        let entry = stage.world.backends.db.one(statement).await.unwrap().unwrap();
        assert_eq!(entry.get::<String>("source").unwrap(), "grpc");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_bound_to_the_certificate_counts_with_that_one_alone() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.devices.start();
        let door = Door::open(&stage).await;
        let mut phone = stage.phone(json!({})).await;
        phone.knocks(&stage).await;
        let (own, other) = (door.authority.client(), door.authority.client());
        let mut client = door.client(&own).await;
        let bound = client.bind_certificate(proven(&phone, BIND, BindCertificateRequest {})).await.unwrap().into_inner();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(bound.access_token.split('.').nth(1).unwrap()).unwrap();
        let claims: Json = serde_json::from_slice(&claims).unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &own.certificate());
        assert_eq!(claims["cnf"], json!({ "x5t#S256": crate::handset::encode(digest) }), "RFC 8705 §3.1");
        let mut line = Line::open(&mut client, |said| bearing(&bound.access_token, said)).await.unwrap();
        assert!(matches!(line.told().await.unwrap(), Told::Welcome(_)));
        let mut strangers = door.client(&other).await;
        let stolen = Line::open(&mut strangers, |said| bearing(&bound.access_token, said)).await.err().unwrap();
        assert_eq!(code(&stolen), (Code::Unauthenticated, "devices.token"));
        let unbound = Line::open(&mut client, |said| bearing(&phone.access, said)).await.err().unwrap();
        assert_eq!(code(&unbound), (Code::Unauthenticated, "devices.proof"), "a token bound to the key needs its proof");
        let (key_bound, refresh) = (std::mem::replace(&mut phone.access, bound.access_token.clone()), phone.refresh.clone());
        assert_eq!(phone.knocks(&stage).await.code(), "devices.token", "without the certificate it is nothing");
        let again = client.bind_certificate(bearing(&bound.access_token, BindCertificateRequest {})).await.unwrap().into_inner();
        assert_eq!(again.expires_at, bound.expires_at, "nobody makes its life longer");
        stage.pass(200);
        let tokens = phone.exchange(&stage, &refresh).await;
        phone.take(&tokens.body);
        phone.knocks(&stage).await;
        let newer = client.bind_certificate(proven(&phone, BIND, BindCertificateRequest {})).await.unwrap().into_inner();
        line.say(1, Said::Renewal(Renewal { access_token: key_bound, proof: String::new() })).await;
        assert!(matches!(line.told().await.unwrap(), Told::Refusal(refusal) if refusal.code == "devices.proof"));
        line.say(2, Said::Renewal(Renewal { access_token: newer.access_token, proof: String::new() })).await;
        assert!(matches!(line.told().await.unwrap(), Told::Renewed(_)));
        stage.pass(140);
        line.say(3, Said::Readings(Readings::default())).await;
        assert!(matches!(line.told().await.unwrap(), Told::Receipt(_)));
        stage.pass(200);
        assert!(matches!(line.told().await.unwrap(), Told::Farewell(farewell) if farewell.code == "devices.token"));
        assert_eq!(code(&line.told().await.unwrap_err()), (Code::Unauthenticated, "devices.token"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_brings_too_much_ends() {
    let stage = Stage::with(Engine::Embedded, devices::Config { requests_per_minute: 8, ..config() }).await;
    stage.devices.start();
    let door = Door::open(&stage).await;
    let (loud, large) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
    let mut client = door.client(&door.authority.client()).await;
    let mut line = Line::open(&mut client, |said| proven(&loud, STREAM, said)).await.unwrap();
    for number in 1..=9 {
        line.say(number, Said::Readings(Readings::default())).await;
    }
    let refused = loop {
        if let Err(status) = line.told().await {
            break status;
        }
    };
    assert_eq!(code(&refused), (Code::ResourceExhausted, "devices.too_often"));
    assert!(refused.metadata().get("grpc-retry-pushback-ms").is_some());
    let mut line = Line::open(&mut client, |said| proven(&large, STREAM, said)).await.unwrap();
    let series = devices::v1::Series { t: vec![1; 400_000], x: vec![0.5; 400_000], y: vec![0.5; 400_000], z: vec![0.5; 400_000] };
    line.say(1, Said::Readings(Readings { accelerometer: Some(series), ..Readings::default() })).await;
    let refused = loop {
        if let Err(status) = line.told().await {
            break status;
        }
    };
    assert_eq!(code(&refused), (Code::OutOfRange, "too_large"));
}

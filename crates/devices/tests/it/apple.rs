//! App Attest through the routes: objects of an authority made for one test, about our nonce and the phone's key, then assertions by the
//! attested key whose counter only rises.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value;
use devices::{Apple, Config};
use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::json;
use testkit::{Engine, engines};

use crate::handset::{Ask, Handset, Reply};
use crate::stage::{Stage, config};

const APPLICATION: &str = "TEAM123456.com.example.app";
const NONCE: &[u64] = &[1, 2, 840, 113_635, 100, 8, 2];
const PRODUCTION: [u8; 16] = *b"appattest\0\0\0\0\0\0\0";
const DEVELOPMENT: [u8; 16] = *b"appattestdevelop";

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA256, &parts.concat()).as_ref().to_vec()
}

fn encoded(value: &Value) -> String {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    STANDARD.encode(bytes)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn params(name: &str, is_authority: bool) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2030, 1, 1));
    params.is_ca = if is_authority { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
    params
}

fn pair() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

/// What an application says of the phone's key: our nonce and the key's name.
fn client_data(nonce: &str, phone: &Handset) -> Vec<u8> {
    format!("{nonce}.{}", phone.thumbprint()).into_bytes()
}

/// Apple, as far as one phone needs it.
struct Authority {
    root: CertificateParams,
    key: KeyPair,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let (root, key, folder) = (params("root", true), pair(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("root.pem"), root.self_signed(&key).unwrap().pem()).unwrap();
        Self { root, key, folder }
    }

    fn config(&self) -> Config {
        let roots = Some(self.folder.path().join("root.pem"));
        let apple = Apple { roots, application: APPLICATION.to_owned(), development: false };
        Config { apple, software_keys: false, ..config() }
    }

    /// An attestation object around a key of the enclave.
    fn attestation(&self, key: &KeyPair, client_data: &[u8], environment: [u8; 16]) -> String {
        let point = key.public_key_raw().to_vec();
        let id = sha256(&[&point]);
        let coordinates = [(-2, &point[1..33]), (-3, &point[33..])].map(|(name, bytes)| (name.into(), Value::Bytes(bytes.to_vec())));
        let cose =
            Value::Map([vec![(1.into(), 2.into()), (3.into(), (-7).into()), ((-1).into(), 1.into())], coordinates.to_vec()].concat());
        let mut key_bytes = Vec::new();
        ciborium::into_writer(&cose, &mut key_bytes).unwrap();
        let head = [sha256(&[APPLICATION.as_bytes()]), vec![0x40, 0, 0, 0, 0]].concat();
        let data = [&head[..], &environment, &32_u16.to_be_bytes(), &id, &key_bytes].concat();
        let nonce = sha256(&[&data, &sha256(&[client_data])]);

        let (middle, middle_key) = (params("intermediate", true), pair());
        let authority = Issuer::new(self.root.clone(), KeyPair::try_from(self.key.serialize_der()).unwrap());
        let middle_der = middle.signed_by(&middle_key, &authority).unwrap().der().to_vec();
        let mut leaf = params("leaf", false);
        // SEQUENCE { [1] { OCTET STRING of 32 bytes } }
        let extension = [&[0x30, 0x24, 0xa1, 0x22, 0x04, 0x20][..], &nonce].concat();
        leaf.custom_extensions = vec![CustomExtension::from_oid_content(NONCE, extension)];
        let leaf_der = leaf.signed_by(key, &Issuer::new(middle, middle_key)).unwrap().der().to_vec();

        let chain = Value::Array(vec![Value::Bytes(leaf_der), Value::Bytes(middle_der)]);
        let statement = Value::Map(vec![(text("x5c"), chain), (text("receipt"), Value::Bytes(vec![1, 2, 3]))]);
        let members = vec![(text("fmt"), text("apple-appattest")), (text("attStmt"), statement), (text("authData"), Value::Bytes(data))];
        encoded(&Value::Map(members))
    }

    async fn enrol(&self, stage: &Stage, phone: &Handset, code: &str, make: impl FnOnce(&str) -> String) -> Reply {
        let nonce = stage.nonce(phone, code).await;
        let body = json!({ "key": phone.jwk, "platform": "app-attest", "nonce": nonce, "evidence": make(&nonce) });
        phone.ask(stage, Ask { method: "POST", path: "/device/enrol", token: None, code: Some(code), body: Some(body) }).await
    }
}

/// An assertion by a key of the enclave.
fn assertion(key: &KeyPair, client_data: &[u8], counter: u32) -> String {
    let data = [sha256(&[APPLICATION.as_bytes()]), vec![0x40], counter.to_be_bytes().to_vec()].concat();
    let message = sha256(&[&data, &sha256(&[client_data])]);
    let signer = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.serialize_der()).unwrap();
    let signature = signer.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec();
    encoded(&Value::Map(vec![(text("signature"), Value::Bytes(signature)), (text("authenticatorData"), Value::Bytes(data))]))
}

#[tokio::test]
async fn an_attested_application_enrols_its_phone_and_vouches_on_with_a_rising_counter() {
    for engine in engines() {
        let authority = Authority::new();
        let stage = Stage::with(engine, authority.config()).await;
        let code = stage.code(json!({})).await;
        let (key, mut phone) = (pair(), Handset::new());
        let reply =
            authority.enrol(&stage, &phone, &code, |nonce| authority.attestation(&key, &client_data(nonce, &phone), PRODUCTION)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
        phone.id = reply.body["device"]["id"].as_str().unwrap().to_owned();
        phone.take(&reply.body["tokens"]);
        let shown = stage.shown(&phone).await;
        assert_eq!((shown["attestation_state"].as_str(), shown["attestation_level"].as_str()), (Some("passed"), Some("strong")));
        assert_eq!(phone.knocks(&stage).await.status, StatusCode::OK);

        let attest = async |key: &KeyPair, counter: u32, about: &dyn Fn(&str) -> Vec<u8>| {
            let nonce = phone.challenge(&stage).await;
            let body = json!({ "nonce": nonce, "evidence": assertion(key, &about(&nonce), counter) });
            phone.keyed(&stage, "POST", "/device/attest", Some(body)).await
        };
        let own = |nonce: &str| client_data(nonce, &phone);
        for counter in [1, 7] {
            let passed = attest(&key, counter, &own).await;
            assert_eq!((passed.status, passed.body["level"].as_str()), (StatusCode::OK, Some("strong")), "{}", passed.body);
        }
        let stranger = Handset::new();
        let refusals = [
            ("counter", attest(&key, 7, &own).await),
            ("signature", attest(&pair(), 8, &own).await),
            ("signature", attest(&key, 8, &|nonce| client_data(nonce, &stranger)).await),
        ];
        for (check, refused) in refusals {
            assert_eq!(refused.code(), "devices.attestation", "{check}");
            assert!(refused.body["detail"].as_str().unwrap().contains(check), "{check}: {}", refused.body);
        }
        assert_eq!(attest(&key, 9, &own).await.status, StatusCode::OK, "an older counter spoils nothing");
    }
}

#[tokio::test]
async fn an_application_vouches_for_no_other_nonce_key_authority_or_environment() {
    let (authority, other) = (Authority::new(), Authority::new());
    let stage = Stage::with(Engine::Embedded, authority.config()).await;
    let code = stage.code(json!({})).await;
    let (key, phone, stranger) = (pair(), Handset::new(), Handset::new());
    let old = stage.nonce(&phone, &code).await;
    let refused = async |check: &str, make: &dyn Fn(&str) -> String| {
        let reply = authority.enrol(&stage, &phone, &code, make).await;
        assert_eq!(reply.code(), "devices.attestation", "{check}: {}", reply.body);
        assert!(reply.body["detail"].as_str().unwrap().contains(check), "{check}: {}", reply.body);
    };
    refused("nonce", &|_| authority.attestation(&key, &client_data(&old, &phone), PRODUCTION)).await;
    refused("nonce", &|nonce| authority.attestation(&key, &client_data(nonce, &stranger), PRODUCTION)).await;
    // Of the same name as the authority that counts, with another key.
    refused("signatures", &|nonce| other.attestation(&key, &client_data(nonce, &phone), PRODUCTION)).await;
    refused("environment", &|nonce| authority.attestation(&key, &client_data(nonce, &phone), DEVELOPMENT)).await;
    assert_eq!(stage.world.count("devices").await, 0);
}

//! Access tokens: what is in them, every way to forge one, and the keys behind them.

use auth::{Algorithm, Auth, Config};
use backends::Algorithm as KeyAlgorithm;
use base::Role;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use testkit::World;

use crate::stage::{PASSWORD, Stage, attempt, cheap};

fn parts(token: &str) -> (Value, Value, String) {
    let parts: Vec<&str> = token.split('.').collect();
    let read = |part: &str| serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap();
    (read(parts[0]), read(parts[1]), parts[2].to_owned())
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

/// A token whose claims we choose, signed by the world's own key.
async fn signed(world: &World, header: &Value, claims: &Value) -> String {
    let keys = &world.backends.keys;
    let signer = keys.signer("jwt", KeyAlgorithm::Es256).await.unwrap();
    let text = unsigned(header, claims);
    let signature = keys.sign(&signer, text.as_bytes()).await.unwrap();
    format!("{text}.{}", BASE64.encode(signature))
}

fn with(value: &Value, key: &str, new: Value) -> Value {
    let mut value = value.clone();
    value[key] = new;
    value
}

fn without(value: &Value, key: &str) -> Value {
    let mut value = value.clone();
    value.as_object_mut().unwrap().remove(key);
    value
}

#[tokio::test]
async fn every_forged_access_token_is_refused() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let world = &stage.world;
        let good = stage.bearer("ada").await;
        let (header, claims, signature) = parts(&good);
        assert_eq!(header["alg"], "ES256");
        for claim in ["user_id", "username", "roles", "permissions", "exp", "iat", "nbf", "iss", "aud", "jti", "tenant"] {
            assert!(!claims[claim].is_null(), "{claim}");
        }
        stage.knows(&good).await.unwrap();
        stage.knows(&signed(world, &header, &claims).await).await.expect("the forge itself works");

        let now = world.backends.clock.now().seconds();
        let eve = stage.stranger().await;
        let public = &world.backends.keys.public("jwt").await.unwrap()[0];
        let hmac = |key: &[u8]| {
            let text = unsigned(&with(&header, "alg", json!("HS256")), &claims);
            let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key), text.as_bytes());
            format!("{text}.{}", BASE64.encode(tag))
        };
        let other_world = World::new(engine).await;
        let text = unsigned(&header, &claims);
        let with_signature = |bytes: &[u8]| format!("{text}.{}", BASE64.encode(bytes));
        let mut forged = vec![
            ("empty", String::new()),
            ("two parts", text.clone()),
            ("no signature", format!("{text}.")),
            ("alg none", format!("{}.", unsigned(&with(&header, "alg", json!("none")), &claims))),
            ("alg none, old signature", format!("{}.{signature}", unsigned(&with(&header, "alg", json!("none")), &claims))),
            ("alg None", format!("{}.", unsigned(&with(&header, "alg", json!("None")), &claims))),
            ("HS256 with the public key", hmac(&public.spki)),
            ("HS256 with an empty key", hmac(b"")),
            ("HS256 with the x coordinate", hmac(public.jwk["x"].as_str().unwrap().as_bytes())),
            ("another algorithm for the key", format!("{}.{signature}", unsigned(&with(&header, "alg", json!("RS256")), &claims))),
            ("r = s = 0", with_signature(&[0; 64])),
            (
                "r = s = 1",
                with_signature(&{
                    let mut one = [0; 64];
                    one[31] = 1;
                    one[63] = 1;
                    one
                }),
            ),
            ("short signature", with_signature(&[1; 63])),
            ("tampered payload", format!("{}.{signature}", unsigned(&header, &with(&claims, "username", json!("root"))))),
            ("key of somebody else under our kid", signed(&other_world, &header, &claims).await),
            ("trailing part", format!("{good}.e30")),
            ("bearer of a megabyte", "a.".repeat(500_000)),
        ];
        for (name, header) in [
            ("unknown kid", with(&header, "kid", json!("nobody"))),
            ("no kid", without(&header, "kid")),
            ("kid as a path", with(&header, "kid", json!("../../etc/passwd"))),
            ("own key in the header", with(&with(&header, "kid", json!("mine")), "jwk", public.jwk.clone())),
            ("type JWT", with(&header, "typ", json!("JWT"))),
            ("no type", without(&header, "typ")),
            ("critical extension", with(&header, "crit", json!(["exp"]))),
        ] {
            forged.push((name, signed(world, &header, &claims).await));
        }
        for (name, claims) in [
            ("wrong issuer", with(&claims, "iss", json!("elsewhere"))),
            ("no issuer", without(&claims, "iss")),
            ("wrong audience", with(&claims, "aud", json!("elsewhere"))),
            ("no audience", without(&claims, "aud")),
            ("expired", with(&claims, "exp", json!(now - 31))),
            ("no expiry", without(&claims, "exp")),
            ("expiry as text", with(&claims, "exp", json!("2099-01-01"))),
            ("a life of years", with(&claims, "exp", json!(now + 100_000_000))),
            ("not yet", with(&claims, "nbf", json!(now + 31))),
            ("no start", without(&claims, "nbf")),
            ("made in the future", with(&claims, "iat", json!(now + 31))),
            ("no id", without(&claims, "jti")),
            ("older generation", with(&claims, "gen", json!(0))),
            ("subject and user differ", with(&claims, "sub", json!(eve.id))),
            ("another tenant", with(&claims, "tenant", json!(eve.tenant_id))),
            ("nobody", with(&with(&claims, "sub", json!(uuid::Uuid::from_u128(1))), "user_id", json!(uuid::Uuid::from_u128(1)))),
        ] {
            forged.push((name, signed(world, &header, &claims).await));
        }
        for (name, token) in &forged {
            let error = stage.knows(token).await.err().unwrap_or_else(|| panic!("{name} passed on {engine:?}"));
            assert_eq!(error.code(), "auth.token", "{name}");
        }
        // More than the roles hold, in a token signed by our key, is still not given.
        let bob = stage.add(&admin, "bob", &[Role::Viewer]).await;
        let (_, bobs, _) = parts(&stage.bearer("bob").await);
        let greedy = signed(world, &header, &with(&bobs, "permissions", json!(["write:users"]))).await;
        assert_eq!(stage.knows(&greedy).await.unwrap().permissions, bob.permissions());
    }
}

#[tokio::test]
async fn an_access_token_ends_in_time_and_by_signing_out() {
    for engine in testkit::engines() {
        let (stage, _) = Stage::with_admin(engine).await;
        let (kept, left) = (stage.bearer("ada").await, stage.bearer("ada").await);
        let actor = stage.knows(&left).await.unwrap();
        stage.knows(&kept).await.unwrap();
        stage.auth.sign_out(&actor).await.unwrap();
        assert_eq!(stage.knows(&left).await.unwrap_err().code(), "auth.token");
        stage.pass(900 + 29);
        stage.knows(&kept).await.unwrap();
        stage.pass(1);
        assert_eq!(stage.knows(&kept).await.unwrap_err().code(), "auth.token");
    }
}

#[tokio::test]
async fn a_rotated_key_is_published_first_and_the_old_one_verifies_until_its_deadline() {
    for engine in testkit::engines() {
        let (stage, admin) = Stage::with_admin(engine).await;
        let old = stage.bearer("ada").await;
        let kid = |token: &str| parts(token).0["kid"].as_str().unwrap().to_owned();
        let rotated = stage.auth.rotate_keys(&admin).await.unwrap();
        assert_eq!(rotated.previous, kid(&old));
        let published = |set: &Value| -> Vec<String> {
            set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
        };
        let set = stage.auth.jwks().await.unwrap();
        assert!(published(&set).contains(&rotated.next) && published(&set).contains(&rotated.previous));
        assert!(
            set["keys"].as_array().unwrap().iter().all(|key| key["alg"] == "ES256" && key["use"] == "sig" && key["d"].is_null()),
            "{set}"
        );
        assert_eq!(kid(&stage.bearer("ada").await), rotated.previous, "not before everybody knows the new one");

        stage.pass(600);
        let just_before = stage.world.backends.clock.now();
        let new = stage.bearer("ada").await;
        assert!(just_before >= rotated.signs_from);
        assert_eq!(kid(&new), rotated.next);
        stage.knows(&old).await.unwrap();
        stage.knows(&new).await.unwrap();
        stage.pass(3600);
        assert_eq!(published(&stage.auth.jwks().await.unwrap()), [rotated.next]);
    }
}

#[tokio::test]
async fn rs256_by_configuration_signs_and_verifies() {
    let (stage, _) = Stage::with_admin(testkit::Engine::Embedded).await;
    let es256 = stage.bearer("ada").await;
    let auth = Auth::new(&stage.world.backends, Config { algorithm: Algorithm::RS256, ..cheap() });
    let token = auth.access_token(attempt("ada", PASSWORD), &base::Origin::default()).await.unwrap().token;
    assert_eq!(parts(token.expose()).0["alg"], "RS256");
    stage.knows(token.expose()).await.unwrap();
    auth.authenticate(auth::Credentials::Bearer(&es256), &base::Origin::default()).await.unwrap();
}

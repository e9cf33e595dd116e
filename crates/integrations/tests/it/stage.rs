//! What every story begins with: a world whose receivers are on this machine, phones to lock, and somebody who looks after streams.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use backends::{Authorities, Handlers, Outbound, OutboundConfig, sql};
use base::{Actor, Result, Role, Secret, UserId};
use devices::{DeviceId, Devices, LockOrder, NewSwitch, People, Reach, SwitchScope};
use futures::future::BoxFuture;
use http::{Request, StatusCode};
use integrations::{Config, Integrations};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value as Json, json};
use testkit::{Engine, World};
use tower::ServiceExt;

pub(crate) const ISSUER: &str = "https://tyrian.test";
pub(crate) const PUSH: &str = "urn:ietf:rfc:8935";
pub(crate) const POLL: &str = "urn:ietf:rfc:8936";

struct Nobody;

impl People for Nobody {
    fn prove<'a>(&'a self, _: &'a Actor, _: &'a Secret<String>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn is_home(&self, _: base::TenantId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    fn is_welcome(&self, _: base::TenantId, _: base::UserId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async { Ok(true) })
    }
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) integrations: Integrations,
    pub(crate) operator: Actor,
    devices: Devices,
    router: Router,
}

impl Stage {
    pub(crate) async fn new(engine: Engine) -> Self {
        let mut world = World::new(engine).await;
        let config = OutboundConfig { allow: vec!["127.0.0.1".to_owned()], ..OutboundConfig::default() };
        world.backends.outbound = Outbound::new(&config, &Authorities::load(None).unwrap()).unwrap();
        let devices = Devices::new(&world.backends, devices::Config::default(), Arc::new(Nobody)).unwrap();
        let (integrations, router) = service(&world);
        let operator = world.actor(&[Role::Admin]);
        let stage = Self { world, integrations, operator, devices, router };
        stage.world.backends.subscriptions.set(&stage.jobs());
        stage
    }

    /// The same installation after its process ended: nothing is left but what is stored.
    pub(crate) fn restarted(self) -> Self {
        let (integrations, router) = service(&self.world);
        let stage = Self { integrations, router, ..self };
        stage.world.backends.subscriptions.set(&stage.jobs());
        stage
    }

    fn jobs(&self) -> Handlers {
        devices::jobs(&self.devices).merge(integrations::jobs(&self.integrations))
    }

    /// Runs everything that is due; what went wrong.
    pub(crate) async fn work(&self) -> Vec<base::Error> {
        backends::jobs::drain(&self.world.backends, &self.jobs()).await.unwrap().errors
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.world.backends.clock.advance(Duration::from_secs(seconds));
    }

    /// A phone of the operator's organisation, carried by somebody. How phones enrol is another context's story.
    pub(crate) async fn phone(&self) -> (DeviceId, UserId) {
        let backends = &self.world.backends;
        let (id, user, now): (DeviceId, UserId, _) = (backends.ids.next(), backends.ids.next(), backends.clock.now());
        let statement = "INSERT INTO devices (id, tenant_id, user_id, name, platform, ownership, plan, public_key, thumbprint, posture, \
            generation, attestation_state, attestation_level, attested_counter, allow_listed, command_sequence, enrolled_at, changed_at, \
            version) VALUES ($1, $2, $3, 'phone', 'none', 'corporate', 'free', '{}', $1, 'observe', 1, 'never', 'none', 0, $4, 0, $5, $5, 1)";
        let mut tx = backends.db.begin().await.unwrap();
        tx.run(sql(statement).bind(id).bind(self.operator.tenant).bind(user).bind(false).bind(now)).await.unwrap();
        tx.commit().await.unwrap();
        (id, user)
    }

    pub(crate) async fn lock(&self, phone: DeviceId, reason: &str) {
        let order = LockOrder { reason: reason.to_owned(), quarantine: false, reach: Reach::Application, seconds: None };
        self.devices.lock(&self.operator, phone, order).await.unwrap();
    }

    pub(crate) async fn unlock(&self, phone: DeviceId, reason: &str) {
        self.devices.unlock(&self.operator, phone, reason).await.unwrap();
    }

    /// Throws the kill switch of the organisation, or of one phone, and releases it.
    pub(crate) async fn stop(&self, phone: Option<DeviceId>, reason: &str) {
        let scope = if phone.is_some() { SwitchScope::Device } else { SwitchScope::Tenant };
        let new = NewSwitch { scope, device_id: phone, reason: reason.to_owned(), seconds: None };
        let switch = self.devices.propose_switch(&self.operator, new).await.unwrap();
        self.devices.confirm_switch(&self.operator, switch.id, Some(&Secret::new(String::new()))).await.unwrap();
        self.work().await;
        self.devices.release_switch(&self.operator, switch.id, "over").await.unwrap();
        self.work().await;
    }

    /// What somebody asks.
    pub(crate) async fn ask(&self, actor: Option<&Actor>, method: &str, path: &str, body: Option<Json>) -> (StatusCode, Json) {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        if let Some(actor) = actor {
            request = request.extension(actor.clone());
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 22).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null))
    }

    /// As the operator, who is answered.
    pub(crate) async fn order(&self, method: &str, path: &str, body: Option<Json>) -> Json {
        let (status, answer) = self.ask(Some(&self.operator), method, path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    /// A stream; its id.
    pub(crate) async fn stream(&self, delivery: Json) -> String {
        let made = self.order("POST", "/ssf/stream", Some(json!({ "delivery": delivery }))).await;
        made["stream_id"].as_str().unwrap().to_owned()
    }

    /// What waits in a stream, without waiting for more.
    pub(crate) async fn poll(&self, id: &str, more: Json) -> Json {
        let mut body = json!({ "returnImmediately": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.order("POST", &format!("/ssf/poll/{id}"), Some(body)).await
    }

    /// The header and claims of a token that our published keys signed for this stream.
    pub(crate) async fn verified(&self, id: &str, token: &str) -> (Json, Json) {
        let (status, keys) = self.ask(None, "GET", "/.well-known/ssf-jwks.json", None).await;
        assert_eq!(status, StatusCode::OK);
        let keys: JwkSet = serde_json::from_value(keys).unwrap();
        let header = decode_header(token).unwrap();
        let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[format!("{ISSUER}/ssf/streams/{id}")]);
        validation.set_required_spec_claims(&["iss", "aud"]);
        validation.validate_exp = false;
        let claims = decode::<Json>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims;
        (serde_json::to_value(header).unwrap(), claims)
    }
}

/// The last part of the one event type a token is about.
pub(crate) fn kind(claims: &Json) -> String {
    let events = claims["events"].as_object().unwrap();
    assert_eq!(events.len(), 1, "one event each");
    integrations::name(events.keys().next().unwrap()).to_owned()
}

/// What the one event of a token says.
pub(crate) fn said(claims: &Json) -> &Json {
    claims["events"].as_object().unwrap().values().next().unwrap()
}

fn service(world: &World) -> (Integrations, Router) {
    let config = Config { issuer: ISSUER.to_owned(), poll_seconds: 5, ..Config::default() };
    let integrations = Integrations::new(&world.backends, config).unwrap();
    let (router, _) = integrations::routes(&integrations).split_for_parts();
    let router = router.merge(integrations::discovery(&integrations)).layer(axum::middleware::from_fn(web::problems));
    (integrations, router)
}

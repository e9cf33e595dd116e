//! What every story begins with: a world, the service, its routes, an operator, and phones that enrolled.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use backends::Backends;
use base::{Actor, Error, Result, Role, Secret};
use devices::{Config, Devices, People};
use futures::future::BoxFuture;
use http::{Request, StatusCode};
use serde_json::{Value as Json, json};
use testkit::{Engine, World};
use tower::ServiceExt;

use crate::handset::Handset;

/// The password everybody has.
pub(crate) const PASSWORD: &str = "seven vultures on a fence";

/// The first organisation: that of the operator.
const HOME: base::TenantId = base::TenantId::from_uuid(uuid::Uuid::from_u128(1 << 64));

/// What is known of people: the password of all, the organisation of the first, and who is kept out.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashSet<base::UserId>>>);

impl Known {
    pub(crate) fn bar(&self, user: base::UserId) {
        self.0.lock().unwrap().insert(user);
    }

    pub(crate) fn welcome(&self, user: base::UserId) {
        self.0.lock().unwrap().remove(&user);
    }
}

impl People for Known {
    fn prove<'a>(&'a self, _: &'a Actor, password: &'a Secret<String>) -> BoxFuture<'a, Result<()>> {
        let is_right = password.expose() == PASSWORD;
        Box::pin(async move { if is_right { Ok(()) } else { Err(Error::unauthenticated("auth.credentials", "the password is wrong")) } })
    }

    fn is_home(&self, tenant: base::TenantId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move { Ok(tenant == HOME) })
    }

    fn is_welcome(&self, _: base::TenantId, user: base::UserId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move { Ok(!self.0.lock().unwrap().contains(&user)) })
    }
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) devices: Devices,
    pub(crate) router: Router,
    pub(crate) operator: Actor,
    pub(crate) people: Known,
}

pub(crate) fn config() -> Config {
    Config { software_keys: true, requests_per_minute: 50_000, ..Config::default() }
}

pub(crate) fn service(backends: &Backends, config: Config, people: &Known) -> Devices {
    Devices::new(backends, config, Arc::new(people.clone())).unwrap()
}

/// Why no service can be made of this configuration.
pub(crate) fn refusal_of(backends: &Backends, config: Config) -> Error {
    Devices::new(backends, config, Arc::new(Known::default())).err().unwrap()
}

impl Stage {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, config()).await
    }

    pub(crate) async fn with(engine: Engine, config: Config) -> Self {
        let world = World::new(engine).await;
        let people = Known::default();
        let devices = service(&world.backends, config, &people);
        world.backends.subscriptions.set(&devices::jobs(&devices));
        let router = routes(&devices);
        let operator = world.actor(&[Role::Admin]);
        Self { world, devices, router, operator, people }
    }

    /// Another process of the same installation: its service and its routes.
    pub(crate) fn node(&self) -> (Devices, Router) {
        let devices = service(&self.world.backends, config(), &self.people);
        devices.start();
        let router = routes(&devices);
        (devices, router)
    }

    /// The same installation as another process sees it, over these backends.
    pub(crate) fn elsewhere(self, backends: &Backends, config: Config) -> Self {
        let devices = service(backends, config, &self.people);
        let router = routes(&devices);
        Self { devices, router, ..self }
    }

    /// The same installation after its process ended, with another hot store.
    pub(crate) async fn restarted(self, hot: String) -> Self {
        let Self { mut world, devices, router, operator, people } = self;
        drop((devices, router));
        let clock = world.backends.clock.clone();
        // The database belongs to one process: the old handles must be gone before the new ones come.
        let placeholder = World::new(Engine::Embedded).await;
        std::mem::replace(&mut world.backends, placeholder.backends.clone()).close(Duration::from_secs(5)).await;
        let config = backends::Config { hot, ..world.config.clone() };
        world.backends = Backends::connect_with(&config, clock).await.unwrap();
        let devices = service(&world.backends, self::config(), &people);
        let router = routes(&devices);
        Self { world, devices, router, operator, people }
    }

    /// What a person asks.
    pub(crate) async fn ask(&self, actor: &Actor, method: &str, path: &str, body: Option<Json>) -> (StatusCode, Json) {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json").extension(actor.clone());
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 22).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null))
    }

    /// As the operator, who is answered.
    pub(crate) async fn order(&self, method: &str, path: &str, body: Option<Json>) -> Json {
        let (status, answer) = self.ask(&self.operator, method, path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    pub(crate) async fn code(&self, more: Json) -> String {
        let mut body = json!({ "name": "phone" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.order("POST", "/devices/codes", Some(body)).await["code"].as_str().unwrap().to_owned()
    }

    /// A nonce for whoever holds the code.
    pub(crate) async fn nonce(&self, handset: &Handset, code: &str) -> String {
        let reply = handset.coded(self, "/device/nonce", code, None).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        reply.body["nonce"].as_str().unwrap().to_owned()
    }

    /// A phone without attestation hardware, enrolled.
    pub(crate) async fn phone(&self, more: Json) -> Handset {
        let code = self.code(more).await;
        let mut handset = Handset::new();
        let reply = handset.enrols(self, &code).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
        handset.id = reply.body["device"]["id"].as_str().unwrap().to_owned();
        handset.take(&reply.body["tokens"]);
        handset
    }

    /// What the operator sees of a phone.
    pub(crate) async fn shown(&self, handset: &Handset) -> Json {
        self.order("GET", &format!("/devices/{}", handset.id), None).await["device"].clone()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.world.backends.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn work(&self) {
        let drained = backends::jobs::drain(&self.world.backends, &devices::jobs(&self.devices)).await.unwrap();
        assert!(drained.errors.is_empty(), "{:?}", drained.errors);
    }

    /// Actions in the audit log, of every organisation.
    pub(crate) async fn logged(&self, action: &str) -> i64 {
        let statement = backends::sql("SELECT COUNT(*) AS n FROM audit_logs WHERE action_taken = $1").bind(action);
        self.world.backends.db.one(statement).await.unwrap().unwrap().get("n").unwrap()
    }
}

fn routes(devices: &Devices) -> Router {
    let (router, _) = devices::routes(devices).split_for_parts();
    router.layer(axum::middleware::from_fn(web::problems))
}

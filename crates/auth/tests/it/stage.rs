//! What every story begins with: a fresh world, the service, its routes behind the layer, and a first administrator.

use std::time::Duration;

use auth::{Auth, Config, Credentials, NewAdmin, NewUser, SignIn, User};
use axum::Router;
use axum::body::{Body, to_bytes};
use base::{Actor, Language, Origin, Result, Role, Secret, Source, TenantId};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use testkit::{Engine, World};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "seven vultures on a fence";

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) auth: Auth,
    pub(crate) router: Router,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// The cost of a hash is not what these stories are about.
pub(crate) fn cheap() -> Config {
    Config { password_memory_kib: 64, password_passes: 1, attempts_per_minute: 1_000, ..Config::default() }
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub(crate) fn attempt(username: &str, password: &str) -> SignIn {
    SignIn { username: username.to_owned(), password: secret(password) }
}

impl Stage {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with_config(engine, cheap()).await
    }

    pub(crate) async fn with_config(engine: Engine, config: Config) -> Self {
        let world = World::new(engine).await;
        let auth = Auth::new(&world.backends, config);
        let (routes, _) = auth::routes(&auth).split_for_parts();
        let router = routes.layer(auth::layer(auth.clone())).layer(axum::middleware::from_fn(web::problems));
        Self { world, auth, router }
    }

    /// With an administrator called `ada`.
    pub(crate) async fn with_admin(engine: Engine) -> (Self, Actor) {
        let stage = Self::new(engine).await;
        stage.first_admin().await;
        let actor = stage.enter("ada").await;
        (stage, actor)
    }

    /// Makes the first administrator.
    pub(crate) async fn first_admin(&self) {
        let token = self.auth.first_admin_token().await.unwrap().unwrap();
        self.auth.create_first_admin(token.expose(), ada(), &Origin::default()).await.unwrap();
    }

    /// Signs in and comes back with the session's actor.
    pub(crate) async fn enter(&self, username: &str) -> Actor {
        let session = self.auth.sign_in(attempt(username, PASSWORD), &Origin::default()).await.unwrap();
        self.auth.authenticate(Credentials::Session(session.token.expose()), &Origin::default()).await.unwrap()
    }

    pub(crate) async fn bearer(&self, username: &str) -> String {
        self.auth.access_token(attempt(username, PASSWORD), &Origin::default()).await.unwrap().token.expose().clone()
    }

    pub(crate) async fn knows(&self, token: &str) -> Result<Actor> {
        self.auth.authenticate(Credentials::Bearer(token), &Origin::default()).await
    }

    pub(crate) async fn add(&self, admin: &Actor, username: &str, roles: &[Role]) -> User {
        let new = NewUser {
            username: username.to_owned(),
            email: format!("{username}@example.org"),
            roles: roles.to_vec(),
            units: Vec::new(),
            password: Some(secret(PASSWORD)),
            language: Language::English,
        };
        self.auth.create_user(admin, new).await.unwrap().user
    }

    /// Another organisation with an administrator called `eve`.
    pub(crate) async fn stranger(&self) -> User {
        let nowhere = Actor::system(TenantId::from_uuid(uuid::Uuid::from_u128(9)), Source::Cli);
        let other = self.auth.create_tenant(&nowhere, "Elsewhere").await.unwrap();
        self.add(&Actor::system(other.id, Source::Cli), "eve", &[Role::Admin]).await
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.world.backends.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }
}

pub(crate) fn ada() -> NewAdmin {
    NewAdmin {
        organisation: "Analytical Engines".to_owned(),
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        password: secret(PASSWORD),
    }
}

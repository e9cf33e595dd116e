//! The pages on real services and embedded storage, behind the auth layer, as a browser without scripts sees them.

use std::sync::Arc;

use audit::Audit;
use auth::{Auth, NewAdmin, NewUser, SignIn};
use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use base::{Actor, Origin, Result, Role, Secret, Source};
use console::Services;
use devices::{Devices, People};
use futures::future::BoxFuture;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use integrations::Integrations;
use reports::Reports;
use results::Results;
use scans::Scans;
use search::Search;
use targets::Targets;
use testkit::{Engine, World};
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "a sentence nobody guesses 9";

pub(crate) struct Stage {
    pub(crate) search: Search,
    pub(crate) devices: Devices,
    pub(crate) auth: Auth,
    pub(crate) world: World,
    router: Router,
}

/// The password again, as the binary asks for it.
struct Passwords(Auth);

impl People for Passwords {
    fn prove<'a>(&'a self, actor: &'a Actor, password: &'a Secret<String>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.0.prove_password(actor, password))
    }

    fn is_home(&self, tenant: base::TenantId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move { Ok(self.0.home_tenant().await? == tenant) })
    }

    fn is_welcome(&self, tenant: base::TenantId, user: base::UserId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(self.0.is_welcome(tenant, user))
    }
}

/// What came back.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) policy: String,
    pub(crate) body: String,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let world = World::new(Engine::Embedded).await;
        let backends = &world.backends;
        let auth = Auth::new(backends, auth::Config::default());
        let targets = Targets::new(backends);
        let scans = Scans::new(backends, &targets, scans::Config::default());
        let results = Results::new(backends, &scans, &targets);
        let reports = Reports::new(backends, &results, &targets, &scans, reports::Config { typeset_command: "tyrian".into() });
        let audit = Audit::new(backends);
        let search = Search::new(backends, &audit, &targets, &scans, &results);
        let config = devices::Config { global_operators: vec!["ada".to_owned(), "bea".to_owned()], ..devices::Config::default() };
        let devices = Devices::new(backends, config, Arc::new(Passwords(auth.clone()))).unwrap();
        let services = Services {
            auth: auth.clone(),
            audit,
            targets,
            scans,
            results,
            reports,
            search: search.clone(),
            devices: devices.clone(),
            integrations: Integrations::new(
                backends,
                integrations::Config { issuer: "https://tyrian.test".to_owned(), ..Default::default() },
            )
            .unwrap(),
            tasks: backends.tasks.clone(),
            blobs: backends.blobs.clone(),
            clock: backends.clock.clone(),
            version: "0",
        };
        let router = console::pages(services).layer(from_fn_with_state(auth.clone(), auth::identify));
        Self { search, devices, auth, router, world }
    }

    /// Makes the first administrator and gives back their cookie.
    pub(crate) async fn first_admin(&self) -> String {
        let token = self.auth.first_admin_token().await.unwrap().unwrap();
        let admin = NewAdmin {
            organisation: "Home".to_owned(),
            username: "ada".to_owned(),
            email: "ada@example.org".to_owned(),
            password: Secret::new(PASSWORD.to_owned()),
        };
        self.auth.create_first_admin(token.expose(), admin, &Origin::default()).await.unwrap();
        self.sign_in("ada").await
    }

    /// Adds a person and gives back their cookie.
    pub(crate) async fn person(&self, username: &str, role: Role) -> String {
        let system = Actor::system(self.auth.home_tenant().await.unwrap(), Source::Cli);
        let new = NewUser {
            username: username.to_owned(),
            email: format!("{username}@example.org"),
            roles: vec![role],
            units: Vec::new(),
            language: base::Language::English,
            password: Some(Secret::new(PASSWORD.to_owned())),
        };
        self.auth.create_user(&system, new).await.unwrap();
        self.sign_in(username).await
    }

    async fn sign_in(&self, username: &str) -> String {
        let attempt = SignIn { username: username.to_owned(), password: Secret::new(PASSWORD.to_owned()) };
        let session = self.auth.sign_in(attempt, &Origin::default()).await.unwrap();
        format!("{}={}", auth::SECURE_NAME, session.token.expose())
    }

    pub(crate) async fn get(&self, path: &str, cookie: Option<&str>) -> Seen {
        self.send("GET", path, cookie, "").await
    }

    /// The token that every page of this session carries.
    async fn token(&self, cookie: &str) -> String {
        let page = self.get("/", Some(cookie)).await.body;
        page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
    }

    /// Sends a form with the token that a page of this session carries.
    pub(crate) async fn post(&self, path: &str, cookie: &str, form: &str) -> Seen {
        let csrf = self.token(cookie).await;
        self.send("POST", path, Some(cookie), &format!("csrf={csrf}&{form}")).await
    }

    /// Sends a form with a file the same way.
    pub(crate) async fn upload(&self, path: &str, cookie: &str, fields: &[(&str, &str)], file: Option<(&str, &str)>) -> Seen {
        let csrf = self.token(cookie).await;
        self.send_file(path, cookie, Some(&csrf), fields, file).await
    }

    /// The same with any token, or none.
    pub(crate) async fn send_file(
        &self,
        path: &str,
        cookie: &str,
        csrf: Option<&str>,
        fields: &[(&str, &str)],
        file: Option<(&str, &str)>,
    ) -> Seen {
        let part = |name: &str, value: &str| format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        let mut body: String =
            csrf.into_iter().map(|csrf| ("csrf", csrf)).chain(fields.iter().copied()).map(|(name, value)| part(name, value)).collect();
        if let Some((name, content)) = file {
            body.push_str(&part(&format!("file\"; filename=\"{name}"), content));
        }
        body.push_str("--part--\r\n");
        let request = Request::builder().method("POST").uri(path).header(header::ACCEPT, "text/html").header(header::COOKIE, cookie);
        self.seen(request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=part").body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, cookie: Option<&str>, form: &str) -> Seen {
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "text/html");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if method == "POST" {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        self.seen(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// The router itself, for answers that do not end.
    pub(crate) async fn open(&self, path: &str, cookie: &str) -> http::Response<Body> {
        let request = Request::builder().uri(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn seen(&self, request: Request<Body>) -> Seen {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let (location, policy) = (text(header::LOCATION), text(header::CONTENT_SECURITY_POLICY));
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Seen { status, location, policy, body: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

//! Console sessions: the cookie, the proof that our page asked, and their end.

use auth::{Config, Credentials};
use base::Origin;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::stage::{PASSWORD, Stage, attempt, cheap, secret};

const NEW_TOKEN: &str = r#"{"name":"ci","scopes":["read:targets"]}"#;
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn what_a_session_changes_needs_the_csrf_token() {
    for engine in testkit::engines() {
        let (stage, _) = Stage::with_admin(engine).await;
        let session = stage.auth.sign_in(attempt("ada", PASSWORD), &Origin::default()).await.unwrap();
        let set = stage.auth.cookie(&HeaderMap::new(), &session).unwrap();
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Host-tyrian=") && set.contains("; HttpOnly") && set.contains("; Secure"), "{set}");
        assert!(set.contains("; SameSite=Lax") && set.contains("; Path=/") && !set.contains("Domain"), "{set}");
        let cookie = ("cookie", set.split(';').next().unwrap());

        let me = stage.ask("GET", "/auth/me", &[cookie], "").await;
        assert_eq!((me.status, &me.body["user"]["username"]), (StatusCode::OK, &serde_json::json!("ada")));
        assert_eq!(me.headers["cache-control"], "no-store");

        let bare = stage.ask("POST", "/tokens", &[cookie, JSON], NEW_TOKEN).await;
        assert_eq!((bare.status, &bare.body["code"]), (StatusCode::FORBIDDEN, &serde_json::json!("auth.csrf")));
        let wrong = stage.ask("POST", "/tokens", &[cookie, JSON, ("x-csrf-token", "guess")], NEW_TOKEN).await;
        assert_eq!(wrong.status, StatusCode::FORBIDDEN);
        let right = stage.ask("POST", "/tokens", &[cookie, JSON, ("x-csrf-token", &session.csrf)], NEW_TOKEN).await;
        assert_eq!(right.status, StatusCode::CREATED, "{}", right.body);
        let strange = [cookie, JSON, ("x-csrf-token", &session.csrf), ("sec-fetch-site", "cross-site")];
        assert_eq!(stage.ask("POST", "/tokens", &strange, NEW_TOKEN).await.body["code"], "auth.cross_site");

        let form = ("content-type", "application/x-www-form-urlencoded");
        let signed_out = stage.ask("POST", "/auth/logout", &[cookie, form], &format!("a=b&csrf={}", session.csrf)).await;
        assert_eq!(signed_out.status, StatusCode::NO_CONTENT, "{}", signed_out.body);
        assert!(signed_out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        let after = stage.ask("GET", "/auth/me", &[cookie], "").await;
        assert_eq!(after.status, StatusCode::UNAUTHORIZED);
        assert!(after.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"), "the browser forgets an ended session");
    }
}

#[tokio::test]
async fn a_browser_behind_a_proxy_that_speaks_https_gets_the_safe_cookie_also_on_loopback() {
    let stage = Stage::with_config(testkit::Engine::Embedded, Config { secure_cookies: false, ..cheap() }).await;
    stage.first_admin().await;
    let session = stage.auth.sign_in(attempt("ada", PASSWORD), &Origin::default()).await.unwrap();
    let proxied =
        |proto: &'static str| HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static(proto))]);
    let set = |asked: &HeaderMap| stage.auth.cookie(asked, &session).unwrap().to_str().unwrap().to_owned();
    for asked in [HeaderMap::new(), proxied("http")] {
        let plain = set(&asked);
        assert!(plain.starts_with("tyrian=") && !plain.contains("Secure"), "{plain}");
    }
    for proto in ["https", "HTTPS", "https, http"] {
        let safe = set(&proxied(proto));
        assert!(safe.starts_with("__Host-tyrian=") && safe.contains("; Secure"), "{safe}");
    }
    let by_https = ("x-forwarded-proto", "https");
    let (plain, safe) = (set(&HeaderMap::new()), set(&proxied("https")));
    let (plain, safe) = (("cookie", plain.split(';').next().unwrap()), ("cookie", safe.split(';').next().unwrap()));
    assert_eq!(stage.ask("GET", "/auth/me", &[plain], "").await.status, StatusCode::OK);
    assert_eq!(stage.ask("GET", "/auth/me", &[safe, by_https], "").await.status, StatusCode::OK);
    let refused = stage.ask("GET", "/auth/me", &[plain, by_https], "").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "another host of the same site may have set that name");
    stage
        .auth
        .sign_out(&stage.auth.authenticate(Credentials::Session(session.token.expose()), &Origin::default()).await.unwrap())
        .await
        .unwrap();
    let ended = stage.ask("GET", "/auth/me", &[safe, by_https], "").await;
    assert!(ended.headers["set-cookie"].to_str().unwrap().starts_with("__Host-tyrian=;"), "{:?}", ended.headers);
}

#[tokio::test]
async fn a_session_costs_one_read_and_then_none_and_ends_in_time() {
    for engine in testkit::engines() {
        let (stage, _) = Stage::with_admin(engine).await;
        let origin = Origin::default();
        let session = stage.auth.sign_in(attempt("ada", PASSWORD), &origin).await.unwrap();
        let credentials = Credentials::Session(session.token.expose());
        let db = &stage.world.backends.db;
        let before = db.statements();
        stage.auth.authenticate(credentials, &origin).await.unwrap();
        stage.auth.authenticate(credentials, &origin).await.unwrap();
        assert_eq!(db.statements() - before, 1);
        // What the hot store holds opens only in its own place.
        let hot = &stage.world.backends.hot;
        let key =
            |secret: &str| format!("session:{}", hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes())));
        let stolen = hot.get(&key(session.token.expose())).await.unwrap().unwrap();
        hot.set(&key("mine"), &stolen, None).await.unwrap();
        assert!(stage.auth.authenticate(Credentials::Session("mine"), &origin).await.is_err());
        // A session is no bearer token.
        assert!(stage.auth.authenticate(Credentials::Bearer(session.token.expose()), &origin).await.is_err());
        stage.pass(12 * 3600 + 1);
        assert_eq!(stage.auth.authenticate(credentials, &origin).await.unwrap_err().code(), "auth.session");
    }
}

#[tokio::test]
async fn a_new_password_ends_other_sessions_and_access_tokens_at_once() {
    for engine in testkit::engines() {
        let (stage, here) = Stage::with_admin(engine).await;
        let origin = Origin::default();
        let elsewhere = stage.auth.sign_in(attempt("ada", PASSWORD), &origin).await.unwrap();
        let bearer = stage.bearer("ada").await;
        stage.auth.authenticate(Credentials::Session(elsewhere.token.expose()), &origin).await.unwrap();
        stage.knows(&bearer).await.unwrap();
        assert_eq!(stage.auth.sessions(&here).await.unwrap().iter().filter(|entry| entry.current).count(), 1);

        let new = secret("a heron stands in the rain");
        assert_eq!(stage.auth.change_password(&here, &secret("wrong"), &new).await.unwrap_err().code(), "auth.credentials");
        stage.auth.change_password(&here, &secret(PASSWORD), &new).await.unwrap();
        assert_eq!(
            stage.auth.authenticate(Credentials::Session(elsewhere.token.expose()), &origin).await.unwrap_err().code(),
            "auth.session"
        );
        assert_eq!(stage.knows(&bearer).await.unwrap_err().code(), "auth.token");
        assert_eq!(stage.auth.sessions(&here).await.unwrap().len(), 1, "this one stays");
        assert!(stage.auth.sign_in(attempt("ada", PASSWORD), &origin).await.is_err());
        stage.auth.sign_in(attempt("ada", "a heron stands in the rain"), &origin).await.unwrap();
    }
}

#[tokio::test]
async fn expired_rows_are_swept_and_nothing_else() {
    for engine in testkit::engines() {
        let (stage, _) = Stage::with_admin(engine).await;
        stage.pass(13 * 3600);
        stage.enter("ada").await;
        let home = stage.auth.home_tenant().await.unwrap();
        let system = base::Actor::system(home, base::Source::Job);
        assert_eq!(stage.auth.sweep(&system).await.unwrap(), 1);
        assert_eq!(stage.auth.sweep(&system).await.unwrap(), 0);
        assert_eq!(stage.world.count("sessions").await, 1);
    }
}

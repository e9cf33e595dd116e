//! The routes as a program meets them.

use http::StatusCode;
use serde_json::json;

use crate::stage::{PASSWORD, Stage};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn every_route_but_the_public_ones_refuses_the_unknown() {
    let stage = Stage::new(testkit::Engine::Embedded).await;
    let document = serde_json::to_value(auth::routes(&stage.auth).into_openapi()).unwrap();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = path.replace("{id}", &uuid::Uuid::from_u128(5).to_string());
            let is_public = operation["security"] == json!([{}]);
            assert_eq!(is_public, ["/auth/login", "/auth/invitation"].contains(&path.as_str()), "{method} {path}");
            for headers in [vec![JSON], vec![JSON, ("authorization", "Bearer nonsense")], vec![JSON, ("authorization", "Basic YTpi")]] {
                let reply = stage.ask(&method.to_uppercase(), &path, &headers, "{}").await;
                let expected = if is_public && headers.len() == 1 { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
                assert_eq!(reply.status, expected, "{method} {path} {headers:?} {}", reply.body);
                assert_eq!(reply.headers["content-type"], "application/problem+json");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 21);
}

#[tokio::test]
async fn a_program_signs_in_makes_a_token_and_adds_a_person() {
    for engine in testkit::engines() {
        let (stage, _) = Stage::with_admin(engine).await;
        let login = json!({ "username": "ada", "password": PASSWORD }).to_string();
        let reply = stage.ask("POST", "/auth/login", &[JSON], &login).await;
        assert_eq!((reply.status, &reply.body["token_type"], &reply.body["expires_in"]), (StatusCode::OK, &json!("Bearer"), &json!(900)));
        let bearer = format!("Bearer {}", reply.body["access_token"].as_str().unwrap());
        let made = stage
            .ask("POST", "/tokens", &[JSON, ("authorization", &bearer)], r#"{"name":"ci","scopes":["read:users","write:users"]}"#)
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let program = format!("bearer {}", made.body["token"].as_str().unwrap());
        let headers = [JSON, ("authorization", program.as_str())];

        let beyond = json!({ "username": "bob", "email": "bob@example.org", "roles": ["admin"], "password": PASSWORD }).to_string();
        let beyond = stage.ask("POST", "/users", &headers, &beyond).await;
        assert_eq!(
            (beyond.status, &beyond.body["code"]),
            (StatusCode::FORBIDDEN, &json!("auth.role")),
            "a narrow token makes no administrator"
        );
        let bearer_headers = [JSON, ("authorization", bearer.as_str())];
        let added =
            stage.ask("POST", "/users", &bearer_headers, r#"{"username":"bob","email":"bob@example.org","roles":["viewer"]}"#).await;
        assert_eq!((added.status, &added.body["state"]), (StatusCode::CREATED, &json!("invited")), "{}", added.body);
        assert!(added.body["invitation"]["token"].is_string() && added.headers["location"].to_str().unwrap().starts_with("users/"));
        let unknown = stage
            .ask("POST", "/users", &bearer_headers, r#"{"username":"bob","email":"b@example.org","roles":["viewer"],"is_root":true}"#)
            .await;
        assert_eq!((unknown.status, &unknown.body["errors"][0]["pointer"]), (StatusCode::BAD_REQUEST, &json!("#/is_root")));

        let eve = stage.stranger().await;
        let foreign = stage.ask("GET", &format!("/users/{}", eve.id), &headers, "").await;
        assert_eq!((foreign.status, &foreign.body["code"]), (StatusCode::NOT_FOUND, &json!("auth.no_user")));
        let listed = stage.ask("GET", "/users?limit=1", &headers, "").await;
        assert_eq!((listed.status, listed.body["items"].as_array().unwrap().len()), (StatusCode::OK, 1));
        assert!(!listed.body.to_string().contains("password") && !listed.body.to_string().contains("argon2"));
    }
}

#[tokio::test]
async fn the_document_has_no_loose_ends() {
    let stage = Stage::new(testkit::Engine::Embedded).await;
    let document = serde_json::to_value(web::openapi::complete(auth::routes(&stage.auth).into_openapi())).unwrap();
    let mut places = vec![("", &document)];
    while let Some((key, value)) = places.pop() {
        if let (Some(reference), "$ref") = (value.as_str(), key) {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
        }
        if value["type"] == "string" && value["enum"].is_null() {
            assert!(value["maxLength"].is_u64(), "a string without a limit: {value}");
        }
        if value["type"] == "array" {
            assert!(value["maxItems"].is_u64(), "a list without a limit: {value}");
        }
        places.extend(value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value)));
        places.extend(value.as_array().into_iter().flatten().map(|value| ("", value)));
    }
    if let Some(path) = option_env!("DUMP_OPENAPI") {
        std::fs::write(path, document.to_string()).unwrap();
    }
}

//! A world with the services and a few findings, and somebody who asks.

use std::io::{Seek, Write};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use base::{Actor, Role};
use graphql::Services;
use results::{ImportOptions, ImportRequest, Results};
use scans::Scans;
use serde_json::{Value as Json, json};
use targets::{NewTarget, Target, TargetKind, Targets};
use testkit::{Engine, World};
use tower::ServiceExt;

pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) services: Services,
    pub(crate) actor: Actor,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) media: String,
    pub(crate) body: Json,
}

impl Story {
    pub(crate) async fn new(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let scans = Scans::new(&world.backends, &targets, scans::Config::default());
        let results = Results::new(&world.backends, &scans, &targets);
        let actor = world.actor(&[Role::Admin]);
        let services = Services { backends: world.backends.clone(), targets, scans, results };
        Self { world, services, actor }
    }

    pub(crate) async fn target(&self, name: &str) -> Target {
        self.services.targets.create(&self.actor, NewTarget::named(name, TargetKind::Host)).await.unwrap()
    }

    /// One finding per number, all of one target.
    pub(crate) async fn findings(&self, target: &Target, numbers: std::ops::Range<u32>) {
        let mut file = tempfile::tempfile().unwrap();
        for number in numbers {
            let line = json!({
                "template-id": format!("t-{number}"), "info": { "name": format!("N {number}"), "severity": "high" },
                "type": "http", "host": "http://a.example", "matched-at": format!("http://a.example/{}", target.name),
            });
            writeln!(file, "{line}").unwrap();
        }
        file.rewind().unwrap();
        let request = ImportRequest {
            format: None,
            filename: None,
            target_id: Some(target.id),
            idempotency_key: None,
            dry_run: false,
            options: ImportOptions::default(),
            file,
        };
        Box::pin(self.services.results.import(&self.actor, request)).await.unwrap();
    }

    /// As many packages with one vulnerability each, found by a tool of this name.
    pub(crate) async fn packages(&self, target: &Target, tool: &str, count: u32) {
        let results: Vec<Json> = (0..count)
            .map(|number| json!({
                "ruleId": format!("CVE-2024-{:04}", 1000 + number), "level": "error", "message": { "text": "vulnerable" },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "lib.rs" }, "region": { "startLine": number + 1 } } }],
                "properties": { "tags": ["external/cwe/cwe-079"] },
            }))
            .collect();
        let rules: Vec<Json> = (0..count)
            .map(|number| json!({ "id": format!("CVE-2024-{:04}", 1000 + number), "properties": { "tags": ["external/cwe/cwe-079"] } }))
            .collect();
        let log = json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": tool, "rules": rules } }, "results": results }] });
        let mut file = tempfile::tempfile().unwrap();
        write!(file, "{log}").unwrap();
        file.rewind().unwrap();
        let request = ImportRequest {
            format: Some(importers::Format::Sarif),
            filename: None,
            target_id: Some(target.id),
            idempotency_key: None,
            dry_run: false,
            options: ImportOptions::default(),
            file,
        };
        Box::pin(self.services.results.import(&self.actor, request)).await.unwrap();
    }

    pub(crate) fn router(&self, actor: &Actor) -> Router {
        graphql::routes(&self.services).layer(axum::Extension(actor.clone()))
    }

    /// Asks with POST; the answer's `data`, which must be there without any error.
    pub(crate) async fn data(&self, query: &str, variables: Json) -> Json {
        let answer = self.post(&self.actor, &json!({ "query": query, "variables": variables })).await;
        assert!(answer.status == StatusCode::OK && answer.body["errors"].is_null(), "{}", answer.body);
        answer.body["data"].clone()
    }

    pub(crate) async fn post(&self, actor: &Actor, body: &Json) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/graphql-response+json, application/json;q=0.9");
        self.send(actor, request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn send(&self, actor: &Actor, request: Request<Body>) -> Answer {
        let response = self.router(actor).oneshot(request).await.unwrap();
        let status = response.status();
        let media = response.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, media, body: serde_json::from_slice(&bytes).unwrap_or(Json::Null) }
    }
}

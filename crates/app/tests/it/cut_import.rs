//! The cord is pulled in the middle of a large import: afterwards there is the whole run or none of it, and asking again
//! under the same key completes it, once.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use testkit::servers::{Durability, Postgres, fresh_redis};
use testkit::{Engine, engines};

use crate::server::{PASSWORD, Server, create_admin, http};

/// Findings of one run; enough for several chunks of every kind of row.
const FINDINGS: u64 = 3_000;
/// In which parts of the time one import takes the cord is pulled, in hundredths; the last is after most answers.
const STRETCHES: &[(u64, u64)] = &[(2, 20), (20, 45), (45, 70), (70, 90), (90, 120)];

/// A run of a tool; every second finding says what the other runs say of it, the rest is this run's own.
fn file(run: u64) -> String {
    (0..FINDINGS)
        .map(|number| {
            let check = if number % 2 == 0 { format!("check-{number}") } else { format!("check-{run}-{number}") };
            let line = json!({
                "template-id": check, "info": { "name": format!("Finding {number} of {run}"), "severity": "high", "description": "what was found" },
                "type": "http", "host": "https://x.example", "matched-at": format!("https://x.example/{}", number % 50),
                "matcher-status": true, "timestamp": "2026-01-02T03:04:05Z",
            });
            format!("{line}\n")
        })
        .collect()
}

/// Somebody who imports by the plain API, as a script does.
struct Script {
    server: Server,
    http: reqwest::Client,
    token: String,
}

impl Script {
    async fn new(server: Server) -> Self {
        let mut script = Self { server, http: http(), token: String::new() };
        script.sign_in().await;
        script
    }

    fn url(&self, path: &str) -> url::Url {
        self.server.base.join("/api/v1/").unwrap().join(path).unwrap()
    }

    async fn sign_in(&mut self) {
        let words = json!({ "username": "ada", "password": PASSWORD });
        let answer: Json = self.http.post(self.url("auth/login")).json(&words).send().await.unwrap().json().await.unwrap();
        self.token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    }

    async fn get(&self, path: &str) -> Json {
        self.http.get(self.url(path)).bearer_auth(&self.token).send().await.unwrap().json().await.unwrap()
    }

    /// Sends a run; the answer, if there was one.
    async fn import(&self, run: u64, text: &str, service: &str, wait: bool) -> Option<Json> {
        let path = format!("imports?format=nuclei&filename=run.jsonl&service={service}&wait={wait}&close_old=never");
        let request = self.http.post(self.url(&path)).bearer_auth(&self.token).header("idempotency-key", format!("{service}-{run}"));
        request.body(text.to_owned()).send().await.ok()?.json().await.ok()
    }

    /// The same once more. The key of a request that was cut off is free again some seconds later, as the refusal says.
    async fn ask_again(&self, run: u64, text: &str, wait: bool) -> Json {
        let begun = Instant::now();
        loop {
            let answer = self.import(run, text, "cut", wait).await.unwrap();
            if answer["code"] != "web.in_flight" || begun.elapsed() > Duration::from_secs(60) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn known(&self, service: &str) -> u64 {
        self.get(&format!("findings/summary?service={service}")).await["total"].as_u64().unwrap()
    }

    /// The import once it is done. A job whose worker died is taken up when its lease runs out, after half a minute.
    async fn ended(&self, id: &str) -> Json {
        let begun = Instant::now();
        loop {
            let import = self.get(&format!("imports/{id}")).await;
            if import["state"] == "done" {
                return import;
            }
            assert!(import["state"] == "queued" && begun.elapsed() < Duration::from_secs(120), "it never ended: {import}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// As a power cut and the morning after it.
    async fn cut(&mut self) {
        self.server.kill();
        self.server.restart();
        self.sign_in().await;
    }
}

/// A moment within a stretch of what one import takes, by chance.
fn moment((from, to): (u64, u64), takes: Duration) -> Duration {
    let chance = u64::from(uuid::Uuid::new_v4().into_bytes()[0]);
    takes * u32::try_from(from + (to - from) * chance / 256).unwrap() / 100
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_cut_off_is_there_whole_or_not_at_all_and_is_completed_once() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display().to_string();
        let postgres = (engine == Engine::Distributed).then(|| Postgres::start(Durability::Safe));
        let database = postgres.as_ref().map(Postgres::fresh_database);
        let redis = fresh_redis();
        let environment: Vec<(&str, &str)> = match &database {
            Some(database) => {
                vec![("TYRIAN__BACKENDS__DB", database.url()), ("TYRIAN__BACKENDS__HOT", &redis), ("TYRIAN__BACKENDS__BUS", &redis)]
            }
            None => Vec::new(),
        };
        create_admin(&["--data", &data], &environment, "ada");
        let mut ada = Script::new(Server::start(&["--data", &data], &environment)).await;

        // How long one takes when nobody disturbs it; what it brings is known to every later run.
        let text = file(0);
        let begun = Instant::now();
        let whole = ada.import(0, &text, "cut", true).await.unwrap();
        let takes = begun.elapsed();
        assert_eq!(whole["summary"]["created"], FINDINGS, "{whole}");
        let mut expected = FINDINGS;

        for (run, stretch) in (1..).zip(STRETCHES) {
            let text = file(run);
            let after = moment(*stretch, takes);
            // One half is taken in before the answer, the other by a job that goes on by itself.
            let wait = run % 2 == 1;
            let patience = if wait { after } else { Duration::from_secs(30) };
            let answered = tokio::time::timeout(patience, ada.import(run, &text, "cut", wait)).await.ok().flatten();
            if !wait {
                tokio::time::sleep(after).await;
            }
            ada.cut().await;
            let found = ada.known("cut").await;
            let told = format!("{engine:?}, run {run} cut after {after:?} of {takes:?}, answered {}", answered.is_some());
            assert!(found == expected || found == expected + FINDINGS / 2, "{told}: {found} findings of {expected} and {}", FINDINGS / 2);
            if answered.as_ref().is_some_and(|answer| answer["state"] == "done") {
                assert_eq!(found, expected + FINDINGS / 2, "{told}: acknowledged is there");
            }
            let again = ada.ask_again(run, &text, wait).await;
            let id = again["id"].as_str().unwrap_or_else(|| panic!("{told}: {again}")).to_owned();
            if let Some(first) = answered.as_ref().and_then(|answer| answer["id"].as_str()) {
                assert_eq!(first, id, "{told}: the same key is the same import");
            }
            let import = ada.ended(&id).await;
            assert_eq!(
                (&import["summary"]["created"], &import["summary"]["unchanged"]),
                (&json!(FINDINGS / 2), &json!(FINDINGS / 2)),
                "{told}: {import}"
            );
            expected += FINDINGS / 2;
            assert_eq!(ada.known("cut").await, expected, "{told}");
            // Asking once more changes nothing, neither findings nor what was seen of them.
            let twice = ada.ask_again(run, &text, wait).await;
            assert_eq!((&twice["id"], ada.known("cut").await), (&json!(id), expected), "{told}: {twice}");
        }
        let imports = ada.get("imports?limit=100").await;
        let done = imports["items"].as_array().unwrap().iter().filter(|import| import["state"] == "done").count();
        assert_eq!(done, STRETCHES.len() + 1, "{engine:?}: one import for each run: {imports}");
        let shared = ada.get("findings?check=check-0&service=cut&limit=10").await;
        assert_eq!(shared["items"].as_array().unwrap().len(), 1, "{engine:?}");
        assert_eq!(shared["items"][0]["times_seen"], STRETCHES.len() + 1, "{engine:?}: seen once by each run: {shared}");
        assert!(ada.server.stop());
    }
}

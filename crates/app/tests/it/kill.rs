//! Power cuts: whatever was acknowledged is there afterwards, work goes on, the log verifies.

use std::time::Duration;

use client::Client;
use serde_json::{Value as Json, json};
use testkit::servers::{Durability, Postgres, fresh_redis};
use testkit::{Engine, Lab, engines};

use crate::server::{Server, authorized_target, create_admin, ended, rendered, stderr, stdout, tyrian};

/// One cut falls at random into each of ten stretches, in milliseconds after the work began: from the first row to the last report.
const STRETCHES: &[(u64, u64)] =
    &[(10, 60), (60, 120), (120, 180), (180, 250), (250, 350), (350, 450), (450, 600), (600, 800), (800, 1_000), (1_000, 1_400)];

/// When the cord is pulled in this run.
fn cuts() -> Vec<u64> {
    let chance = uuid::Uuid::new_v4().into_bytes();
    STRETCHES.iter().zip(chance).map(|((from, to), chance)| from + (to - from) * u64::from(chance) / 256).collect()
}

/// What the server said it has done.
#[derive(Default)]
struct Acknowledged {
    scans: Vec<Json>,
    imports: u64,
    reports: Vec<Json>,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let lab = Lab::weak();
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
        let mut server = Server::start(&["--data", &data], &environment);
        let ada = server.sign_in("ada").await;
        let target = authorized_target(&ada, &lab.address().to_string()).await;
        let mut done = Acknowledged::default();
        let cuts = cuts();
        println!("{engine:?}: the cord is pulled after {cuts:?} ms");
        for cut in cuts {
            let ada = server.sign_in("ada").await;
            // The work is dropped with its connection when the time is up: what it recorded was acknowledged.
            drop(tokio::time::timeout(Duration::from_millis(cut), work(&ada, &lab, &target, &mut done)).await);
            server.kill();
            server.restart();
        }
        let ada = server.sign_in("ada").await;
        for scan in &done.scans {
            let scan = ended(&ada, scan).await;
            assert_eq!(scan["state"], "completed", "{engine:?}: {scan}");
        }
        for report in &done.reports {
            assert_eq!(rendered(&ada, report).await["state"], "ready", "{engine:?}");
        }
        let findings = ada.all("findings").await.unwrap();
        for number in 0..done.imports {
            let name = format!("imported-{number}");
            let known = findings.iter().filter(|finding| finding["check"].as_str().is_some_and(|check| check.ends_with(&name))).count();
            assert_eq!(known, 1, "{engine:?}: {name} is there once");
        }
        assert!(!done.scans.is_empty() && done.imports > 0 && !done.reports.is_empty(), "the cuts left some work to be acknowledged");
        assert!(server.stop());
        let arguments = ["--data", &data, "audit", "verify"];
        let verified = tyrian(&arguments, &environment, "");
        assert!(verified.status.success(), "{engine:?}: {}{}", stdout(&verified), stderr(&verified));
    }
}

/// Starts a scan, imports a file, orders a report, again and again.
async fn work(ada: &Client, lab: &Lab, target: &Json, done: &mut Acknowledged) {
    loop {
        let order = json!({ "target_id": target["id"], "scan_type": "quick", "ports": lab.http_port().to_string() });
        let Ok(scan) = ada.post::<Json>("scans", &order).await else { return };
        done.scans.push(scan.clone());
        let line = format!(
            r#"{{"template-id":"imported-{}","info":{{"name":"Imported","severity":"low"}},"type":"http","host":"http://{1}","matched-at":"http://{1}/"}}"#,
            done.imports,
            lab.address()
        );
        if ada.upload::<Json>("imports?format=nuclei&filename=a.jsonl", line.into_bytes(), "application/octet-stream").await.is_err() {
            return;
        }
        done.imports += 1;
        let wanted = json!({ "title": "Cut", "scan_id": scan["id"], "language": "en" });
        let Ok(report) = ada.post::<Json>("reports", &wanted).await else { return };
        done.reports.push(report);
    }
}

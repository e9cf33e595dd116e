//! The same binary as two processes on PostgreSQL and Redis.

use serde_json::{Value as Json, json};
use testkit::Lab;
use testkit::servers::{Redis, fresh_database};

use crate::server::{Server, authorized_target, create_admin, ended};

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_asked_of_one_process_is_run_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let (database, redis) = (fresh_database(), Redis::start());
    let below = |name: &str| format!("file:{}", folder.path().join(name).display());
    let (blobs, keys, redis_url) = (below("blobs"), below("keys"), redis.url());
    let mut environment = vec![
        ("TYRIAN__BACKENDS__DB", database.url()),
        ("TYRIAN__BACKENDS__HOT", redis_url.as_str()),
        ("TYRIAN__BACKENDS__BUS", redis_url.as_str()),
        ("TYRIAN__BACKENDS__BLOBS", blobs.as_str()),
        ("TYRIAN__BACKENDS__KEYS", keys.as_str()),
    ];
    create_admin(&[], &environment, "ada");
    // Roles other than the gateway listen on their own ports, on an address nobody else uses here.
    let upstream = |port: u16| format!("http://127.0.0.9:{port}");
    let (scans, results) = (upstream(8003), upstream(8004));
    let worker_environment = [environment.as_slice(), &[("TYRIAN__GATEWAY__TRUSTED_PROXIES", "127.0.0.1/32")]].concat();
    let worker = Server::roles("scans,results", "127.0.0.9:1", &worker_environment);
    environment.extend([("TYRIAN__GATEWAY__UPSTREAMS__SCANS", scans.as_str()), ("TYRIAN__GATEWAY__UPSTREAMS__RESULTS", results.as_str())]);
    let front = Server::start(&["--role", "gateway,auth,targets,reports,console"], &environment);

    let ada = front.sign_in("ada").await;
    let lab = Lab::weak();
    let target = authorized_target(&ada, &lab.address().to_string()).await;
    let scan: Json =
        ada.post("scans", &json!({ "target_id": target["id"], "scan_type": "quick", "ports": lab.http_port().to_string() })).await.unwrap();
    let scan = ended(&ada, &scan).await;
    assert_eq!(scan["state"], "completed", "{scan}");
    assert!(!ada.all("findings").await.unwrap().is_empty());
    let covered: Json = ada.get(&format!("coverage/{}", scan["id"].as_str().unwrap())).await.unwrap();
    assert!(covered.to_string().contains("tyrian"), "what was tested is told by the role that keeps it: {covered}");

    drop(worker);
    let down = ada.get::<Json>("scans").await.unwrap_err();
    assert_eq!(down.kind(), base::Kind::Unavailable, "a role that is away is named: {}", down.detail());
    assert!(ada.get::<Json>("targets").await.is_ok(), "the others go on");
}

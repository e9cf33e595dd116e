//! The disk fills up while the server runs: it says so, goes on reading, and goes on writing when there is space again.

use std::path::PathBuf;
use std::process::Command;

use base::Kind;
use serde_json::{Value as Json, json};

use crate::server::{Server, create_admin, stderr};

/// Small enough to fill at once, large enough to start.
const MEGABYTES: u32 = 24;

/// Mounts a small disk over the data, in a namespace that ends with the server, and becomes the server. A file takes space that can be freed.
const SMALL_DISK: &str = r#"set -e
cp -a "$0/." "$0.copy" && mount -t tmpfs -o "size=$1m" tmpfs "$0" && cp -a "$0.copy/." "$0" && head -c 6m /dev/zero > "$0/ballast"
shift
exec "$@""#;

/// The same with nothing left.
const FULL_DISK: &str = r#"set -e
cp -a "$0/." "$0.copy" && mount -t tmpfs -o "size=$1m" tmpfs "$0" && cp -a "$0.copy/." "$0"
cat /dev/zero > "$0/ballast" 2>/dev/null || true
shift
exec "$@""#;

#[test]
fn who_starts_on_a_full_disk_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    create_admin(&["--data", &data], &[], "ada");
    let size = MEGABYTES.to_string();
    let launcher = ["--user", "--map-root-user", "--mount", "sh", "-c", FULL_DISK, &data, &size];
    let output = Command::new("unshare").args(launcher).args([env!("CARGO_BIN_EXE_tyrian"), "findings", "list", "--data", &data]).output();
    let output = output.unwrap();
    let told = stderr(&output);
    assert!(!output.status.success() && told.contains("is full"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_named_and_work_goes_on_when_there_is_space_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    create_admin(&["--data", &data], &[], "ada");
    let size = MEGABYTES.to_string();
    let launcher = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, &data, &size].map(str::to_owned);
    let mut server = Server::launched(&launcher, &["--data", &data]);
    let ada = server.sign_in("ada").await;
    let target: Json = ada.post("targets", &json!({ "name": "127.0.0.1", "type": "host" })).await.unwrap();

    let mut acknowledged = 0;
    let refused = loop {
        let noise: String = (0..30_000).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect();
        let line = format!(r#"{{"template-id":"t-{acknowledged}","info":{{"name":"{noise}","severity":"low"}},"type":"http","host":"a"}}"#);
        match ada.upload::<Json>("imports?format=nuclei&filename=a.jsonl", line.into_bytes(), "application/octet-stream").await {
            Ok(_) => acknowledged += 1,
            Err(refused) => break refused,
        }
        assert!(acknowledged < 2 * MEGABYTES, "the disk never filled");
    };
    assert_eq!(refused.kind(), Kind::Unavailable, "{}", refused.detail());
    assert!(refused.detail().contains("is full"), "{}", refused.detail());
    let path = format!("targets/{}", target["id"].as_str().unwrap());
    ada.get::<Json>(&path).await.expect("what is there can be read");

    // The disk of another namespace is reached through its process.
    std::fs::remove_file(PathBuf::from(format!("/proc/{}/root{data}/ballast", server.id()))).unwrap();
    testkit::eventually("there is space again", async || {
        ada.post::<Json>("targets", &json!({ "name": "127.0.0.2", "type": "host" })).await.is_ok()
    })
    .await;
    let findings = ada.all("findings").await.unwrap();
    assert_eq!(findings.len(), acknowledged as usize, "what was acknowledged is there, what was refused is not half there");
    assert!(server.stop());
}

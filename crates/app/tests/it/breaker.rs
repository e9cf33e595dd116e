//! The breaker around scoring, under a load that is more than it is allowed to take: it opens, says so, and closes once when there is calm.

use crate::server::{Server, http, logged};
use crate::simulate::{simulate, stage};

/// A number of the server's metrics.
async fn metric(server: &Server, name: &str) -> Option<f64> {
    let metrics = http().get(server.management.join("/metrics").unwrap()).send().await.unwrap().text().await.unwrap();
    let line = metrics.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_breaker_opens_under_load_and_closes_once_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let limits = [
        ("TYRIAN__DEVICES__BREAKER__RUNTIME_MILLISECONDS", "1"),
        ("TYRIAN__DEVICES__BREAKER__QUEUE_MILLISECONDS", "60000"),
        ("TYRIAN__DEVICES__BREAKER__THROUGHPUT_PERCENT", "1"),
        ("TYRIAN__LOG__LEVEL", "warn"),
    ];
    let (server, token) = stage(folder.path(), &limits).await;
    let (opened, closed) = ("scoring cannot keep up", "scoring keeps up again");
    let before = (logged(opened), logged(closed));
    let words = ["--devices", "6", "--seconds", "9", "--every", "0.4", "--rate", "400", "--speed", "10"];
    let load = async { simulate(&server, &token, &words).await };
    let open = testkit::eventually("the breaker opens", async || metric(&server, "device_breaker_open").await == Some(1.0));
    let ((_, report), ()) = tokio::join!(load, open);
    assert_eq!(report["honest"]["locked"], 0, "{report}");
    testkit::eventually("the breaker closes", async || metric(&server, "device_breaker_open").await == Some(0.0)).await;
    for to in ["open", "closed"] {
        assert_eq!(metric(&server, &format!("device_breaker_changes_total{{to=\"{to}\"}}")).await, Some(1.0), "it does not flap: {to}");
    }
    assert!(logged(opened) > before.0 && logged(closed) > before.1, "both are in the log");
}

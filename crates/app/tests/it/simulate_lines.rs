//! Virtual phones that hold lines: over WebSockets in both forms and over gRPC they are attacked, cut off, locked and sent away as over
//! requests, and nobody who is barred is served.

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use serde_json::{Value as Json, json};

use crate::server::{Server, http};
use crate::simulate::{simulate, simulate_at, stage};

fn count(report: &Json, path: &str) -> u64 {
    report.pointer(path).and_then(Json::as_u64).unwrap_or(0)
}

/// How many lines the server holds, as its metrics say.
async fn lines(server: &Server) -> u64 {
    let metrics = http().get(server.management.join("/metrics").unwrap()).send().await.unwrap().text().await.unwrap();
    let values = metrics.lines().filter(|line| line.starts_with("device_lines{")).filter_map(|line| line.rsplit(' ').next());
    values.filter_map(|value| value.parse::<u64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_on_sockets_bear_a_storm_and_a_theft_ends_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let (server, token) = stage(folder.path(), &[]).await;
    let words = ["--line", "socket", "--devices", "8", "--seconds", "14", "--every", "1", "--attack", "token-theft@4s,reconnect-storm@8s"];
    let (code, report) = simulate(&server, &token, &words).await;
    assert_eq!((code, &report["passed"]), (Some(0), &json!(true)), "{report}");
    assert_eq!((count(&report, "/attacks/0/postures/lock"), count(&report, "/attacks/1/caught")), (1, 7), "{report}");
    assert_eq!((count(&report, "/traffic/commands_obeyed"), count(&report, "/traffic/commands_forged")), (1, 0), "{report}");
    // Eight lines at first and seven after the storm; the robbed phone's ended by its server's word.
    assert_eq!((count(&report, "/traffic/requests/open/count"), count(&report, "/traffic/line_ends/left/count")), (15, 14), "{report}");
    assert!(report["traffic"]["line_ends"]["devices.revoked"].is_object() || report["traffic"]["line_ends"]["devices.locked"].is_object());
    assert!(count(&report, "/traffic/readings") > 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_on_sockets_come_back_when_a_stopped_server_told_them_to() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, token) = stage(folder.path(), &[]).await;
    let (base, words) = (server.base.clone(), ["--line", "socket-json", "--devices", "5", "--seconds", "34", "--every", "2"]);
    let run = tokio::spawn(async move { simulate_at(&base, &token, &words).await });
    testkit::eventually("all lines are open", async || lines(&server).await == 5).await;
    let stopping = tokio::task::spawn_blocking(move || {
        assert!(server.stop());
        server.restart();
        server
    });
    let server = stopping.await.unwrap();
    let (code, report) = run.await.unwrap();
    assert_eq!((code, &report["passed"]), (Some(0), &json!(true)), "{report}");
    assert_eq!((count(&report, "/traffic/line_ends/restart/count"), count(&report, "/traffic/line_ends/left/count")), (5, 5), "{report}");
    assert_eq!(count(&report, "/traffic/requests/open/count"), 10, "nobody tries before its moment: {report}");
    drop(server);
}

/// Files for a gRPC listener on the loopback address, and for a phone that calls it: an authority, a certificate and a key for each.
fn certificates(folder: &std::path::Path) -> [String; 5] {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let give = |usage| {
        let own = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        (params.signed_by(&own, &issuer).unwrap().pem(), own.serialize_pem())
    };
    let (server, phone) = (give(ExtendedKeyUsagePurpose::ServerAuth), give(ExtendedKeyUsagePurpose::ClientAuth));
    [
        write("authority.pem", root),
        write("server.pem", server.0),
        write("server.key", server.1),
        write("phone.pem", phone.0),
        write("phone.key", phone.1),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_on_grpc_are_locked_and_released_and_never_served_while_locked() {
    let folder = tempfile::tempdir().unwrap();
    let [authority, certificate, key, own, own_key] = certificates(folder.path());
    let door = format!("127.0.0.1:{}", testkit::free_port([127, 0, 0, 1].into()));
    let environment = [
        ("TYRIAN__DEVICES__GRPC__LISTEN", door.as_str()),
        ("TYRIAN__DEVICES__GRPC__CERTIFICATE", &certificate),
        ("TYRIAN__DEVICES__GRPC__KEY", &key),
        ("TYRIAN__DEVICES__GRPC__AUTHORITIES", &authority),
    ];
    let (server, token): (Server, String) = stage(folder.path(), &environment).await;
    let door = format!("https://{door}");
    let words = [
        "--line",
        "grpc",
        "--grpc",
        &door,
        "--certificate",
        &own,
        "--key",
        &own_key,
        "--authority",
        &authority,
        "--devices",
        "6",
        "--seconds",
        "24",
        "--every",
        "0.5",
        "--lock-every",
        "1",
    ];
    let (code, report) = simulate(&server, &token, &words).await;
    assert_eq!((code, &report["passed"]), (Some(0), &json!(true)), "{report}");
    let locking = &report["locking"];
    assert_eq!((&locking["granted"], &locking["astray"], &locking["unanswered"]), (&json!(0), &json!(0), &json!(0)), "{report}");
    assert!(locking["locks"].as_u64() >= Some(3) && locking["locks"] == locking["releases"], "{report}");
    assert_eq!(locking["commands"], report["traffic"]["commands_obeyed"], "{report}");
    assert!(count(&report, "/traffic/line_ends/devices.locked/count") > 0, "{report}");
}

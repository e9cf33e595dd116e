//! `tyrian simulate` against a real server: every attack is caught as documented, honest phones go on, and a server that only watches
//! does not pass.

use serde_json::{Value as Json, json};

use crate::server::{PASSWORD, Server, create_admin, http, stderr, stdout, tyrian};

/// A server that takes phones without attestation hardware, and a token of its administrator.
pub(crate) async fn stage(folder: &std::path::Path, more: &[(&str, &str)]) -> (Server, String) {
    let data = folder.display().to_string();
    create_admin(&["--data", &data], &[], "ada");
    let environment = [&[("TYRIAN__DEVICES__SOFTWARE_KEYS", "true"), ("TYRIAN__DEVICES__GRACE_SECONDS", "2")], more].concat();
    let server = Server::start(&["--data", &data], &environment);
    let words = json!({ "username": "ada", "password": PASSWORD });
    let url = server.base.join("/api/v1/auth/login").unwrap();
    let answer: Json = http().post(url).json(&words).send().await.unwrap().json().await.unwrap();
    (server, answer["access_token"].as_str().unwrap().to_owned())
}

/// Runs a simulation; the exit code and its report.
pub(crate) async fn simulate(server: &Server, token: &str, words: &[&str]) -> (Option<i32>, Json) {
    simulate_at(&server.base, token, words).await
}

/// The same against a server that somebody else stops and starts.
pub(crate) async fn simulate_at(base: &url::Url, token: &str, words: &[&str]) -> (Option<i32>, Json) {
    let base = base.to_string();
    let words: Vec<String> =
        ["--json", "--server", &base, "--token", token, "simulate"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    let run = move || tyrian(&words.iter().map(String::as_str).collect::<Vec<_>>(), &[], "");
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let report = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}{}", stdout(&output), stderr(&output)));
    (output.status.code(), report)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_simulated_attack_is_caught_as_documented_and_no_honest_phone_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let (server, token) = stage(folder.path(), &[]).await;
    let attacks =
        "token-theft@4s,nonce-replay@5s,clone@6s,clock-skew@7s,reconnect-storm@9s,replayed-window@12s,sensor-injection@24s,takeover@26s";
    let words = ["--devices", "14", "--seconds", "40", "--speed", "12", "--every", "1.5", "--attack", attacks];
    let (code, report) = simulate(&server, &token, &words).await;
    let attack = |name: &str| report["attacks"].as_array().unwrap().iter().find(|one| one["attack"] == name).unwrap().clone();
    for (name, posture, cause) in [
        ("token-theft", "lock", "refresh_reuse"),
        ("clone", "lock", "refresh_reuse"),
        ("nonce-replay", "quarantine", "repeated_failures"),
        ("replayed-window", "lock", "replayed_readings"),
    ] {
        let outcome = attack(name);
        assert_eq!(
            (&outcome["caught"], &outcome["postures"][posture], &outcome["causes"][cause]),
            (&json!(1), &json!(1), &json!(1)),
            "{report}"
        );
    }
    for name in ["sensor-injection", "takeover"] {
        let outcome = attack(name);
        assert_eq!((&outcome["caught"], &outcome["causes"]), (&json!(1), &json!({})), "behaviour alone never locks: {report}");
        assert!(outcome["postures"]["restrict"] == 1 || outcome["postures"]["step_up"] == 1, "{report}");
    }
    assert_eq!((&attack("clock-skew")["caught"], &attack("clock-skew")["causes"]), (&json!(1), &json!({})), "{report}");
    let storm = attack("reconnect-storm");
    assert_eq!(storm["caught"], storm["devices"], "everybody is served again: {report}");
    assert_eq!((&report["honest"]["devices"], &report["honest"]["locked"]), (&json!(7), &json!(0)), "{report}");
    assert_eq!((code, &report["passed"]), (Some(0), &json!(true)), "{report}");
    // One command for each lock, verified and carried out once; the operator sees what the phones were told.
    assert_eq!((&report["traffic"]["commands_obeyed"], &report["traffic"]["commands_forged"]), (&json!(4), &json!(0)), "{report}");
    let ada = server.sign_in("ada").await;
    for (posture, count) in [("lock", 3), ("quarantine", 1)] {
        assert_eq!(ada.all(&format!("devices?posture={posture}")).await.unwrap().len(), count, "{posture}");
    }

    // Where the organisation only watches, a theft is no lock: the simulation says so.
    let _: Json = ada.patch("devices/policy", &json!({ "shadow": true })).await.unwrap();
    let (code, report) =
        simulate(&server, &token, &["--devices", "2", "--seconds", "3", "--every", "0.5", "--attack", "token-theft@1s"]).await;
    assert_eq!((code, &report["passed"], &report["attacks"][0]["caught"]), (Some(13), &json!(false), &json!(0)), "{report}");
    // And where phones must attest, none of these can enrol.
    let _: Json = ada.patch("devices/policy", &json!({ "software_keys": false })).await.unwrap();
    let (code, report) = simulate(&server, &token, &["--devices", "2", "--seconds", "3"]).await;
    assert_eq!(code, Some(4), "{report}");
    assert!(report["error"]["detail"].as_str().unwrap().contains("allow software keys"), "{report}");
}

#[test]
fn what_a_simulation_lacks_is_named() {
    let silent = format!("http://127.0.0.1:{}", testkit::free_port([127, 0, 0, 1].into()));
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("readings.csv");
    std::fs::write(&recording, "subject,t,ax,ay\n1,2,3,4\n").unwrap();
    let recording = recording.display().to_string();
    for (words, code, says) in [
        (&["simulate"][..], 3, "--server"),
        (&["--server", &silent, "simulate"], 3, "--enrol-code"),
        (&["--server", &silent, "simulate", "--enrol-code", "x"], 6, "tyrian serve"),
        (&["--server", &silent, "--token", "x", "simulate"], 6, "tyrian serve"),
        (&["--server", &silent, "simulate", "--enrol-code", "x", "--replay", &recording], 3, "no column"),
        (&["--server", &silent, "--token", "x", "simulate", "--attack", "clone@90s"], 3, "more --seconds"),
        (&["--server", &silent, "--token", "x", "simulate", "--attack", "theft"], 2, "token-theft"),
        (&["--server", &silent, "--token", "x", "simulate", "--devices", "0"], 3, "at least one phone"),
    ] {
        let output = tyrian(words, &[], "");
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{words:?}: {}", stderr(&output));
    }
}

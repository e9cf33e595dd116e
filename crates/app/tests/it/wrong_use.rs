//! Wrong use: a clear message that names the thing, and the documented exit code.

use std::net::TcpListener;

use crate::server::{Server, stderr, stdout, tyrian};

struct Wrong<'a> {
    words: &'a [&'a str],
    environment: &'a [(&'a str, &'a str)],
    code: i32,
    says: &'a [&'a str],
}

#[test]
fn mistakes_are_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let data = path("data");
    std::fs::write(path("wrong.toml"), "[gateway]\nmaximum_conections = 3\n").unwrap();
    std::fs::write(path("noise.bin"), [0_u8, 159, 146, 150]).unwrap();
    std::fs::write(path("cut.xml"), "<?xml version=\"1.0\"?><nmaprun scanner=\"nmap\"><host><address addr=").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let silent = testkit::free_port([127, 0, 0, 1].into());
    let down = format!("postgres://tyrian:hunter2@127.0.0.1:{silent}/tyrian");
    let nowhere = format!("http://127.0.0.1:{silent}");
    for wrong in [
        Wrong { words: &["--data", &data, "scan", "127.0.0.1"], environment: &[], code: 4, says: &["127.0.0.1", "--i-own-this"] },
        Wrong {
            words: &["--data", &data, "scan", "127.0.0.1", "--i-own-this", ""],
            environment: &[],
            code: 2,
            says: &["--i-own-this", "REASON"],
        },
        Wrong {
            words: &["--data", &data, "scan", "127.0.0.1", "--i-own-this", "mine", "--profile", "gentle"],
            environment: &[],
            code: 3,
            says: &["gentle", "quick"],
        },
        Wrong {
            words: &["--data", &data, "scan", "no-such-host.invalid", "--i-own-this", "mine", "--no-report"],
            environment: &[],
            code: 6,
            says: &["no-such-host.invalid"],
        },
        Wrong {
            words: &["--config", &path("wrong.toml"), "config", "check"],
            environment: &[],
            code: 3,
            says: &["gateway.maximum_conections", "wrong.toml"],
        },
        Wrong { words: &["--config", &path("missing.toml"), "config", "check"], environment: &[], code: 3, says: &["missing.toml"] },
        Wrong { words: &["--data", &data, "serve", "--listen", &address], environment: &[], code: 6, says: &[&address, "another program"] },
        Wrong {
            words: &["serve"],
            environment: &[("TYRIAN__BACKENDS__DB", &down)],
            code: 6,
            says: &[&silent.to_string(), "Connection refused"],
        },
        Wrong { words: &["serve", "--role", "scans"], environment: &[], code: 3, says: &["scans", "backends.db"] },
        Wrong { words: &["import", "--dry-run", &path("noise.bin")], environment: &[], code: 3, says: &["noise.bin", "--format"] },
        Wrong { words: &["import", "--dry-run", &path("cut.xml")], environment: &[], code: 3, says: &["cut.xml"] },
        Wrong { words: &["import", "--dry-run", &path("missing.xml")], environment: &[], code: 3, says: &["missing.xml"] },
        Wrong { words: &["--server", &nowhere, "findings", "list"], environment: &[], code: 6, says: &[&nowhere, "tyrian serve"] },
        Wrong { words: &["audit", "verify", &path("missing.jsonl")], environment: &[], code: 3, says: &["missing.jsonl"] },
    ] {
        let output = tyrian(wrong.words, wrong.environment, "");
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(wrong.code), "{:?}: {told}", wrong.words);
        for word in wrong.says {
            assert!(told.contains(word), "{:?} does not say {word}: {told}", wrong.words);
        }
        assert!(!told.contains("hunter2"), "a password is told: {told}");
    }
}

#[test]
fn the_doctor_names_what_is_down_and_looks_at_the_rest() {
    let down = format!("postgres://tyrian@127.0.0.1:{}/tyrian", testkit::free_port([127, 0, 0, 1].into()));
    let sick = tyrian(&["doctor"], &[("TYRIAN__BACKENDS__DB", &down)], "");
    assert_eq!(sick.status.code(), Some(6), "{}", stderr(&sick));
    let told = stdout(&sick);
    assert!(told.lines().any(|line| line.starts_with("FAILED") && line.contains("Connection refused")), "{told}");
    assert!(told.contains("nmap") && told.contains("sslscan"), "{told}");
}

#[test]
fn a_second_process_on_the_same_folder_is_told_to_use_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let _server = Server::embedded(folder.path());
    let refused = tyrian(&["--data", &folder.path().display().to_string(), "findings", "list"], &[], "");
    assert_eq!(refused.status.code(), Some(7), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--server"));
    let as_json = tyrian(&["--json", "--data", &folder.path().display().to_string(), "findings", "list"], &[], "");
    let document: serde_json::Value = serde_json::from_str(&stdout(&as_json)).unwrap();
    assert_eq!(document["error"]["code"], "db.in_use");
}

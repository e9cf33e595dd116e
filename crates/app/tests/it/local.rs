//! The command line without a server.

use serde_json::{Value as Json, json};
use testkit::Lab;

use crate::server::{stderr, stdout, tyrian};

#[test]
fn one_command_scans_and_writes_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab::weak();
    let (data, output) = (folder.path().join("data").display().to_string(), folder.path().join("out"));
    let address = lab.https_url();
    let place = output.display().to_string();
    let words =
        ["--data", &data, "--json", "scan", &address, "--i-own-this", "the lab is ours", "--output", &place, "--fail-on", "critical"];
    let scanned = tyrian(&words, &[], "");
    let document: Json = serde_json::from_slice(&scanned.stdout).unwrap_or_else(|_| panic!("{}{}", stdout(&scanned), stderr(&scanned)));
    assert!(matches!(scanned.status.code(), Some(0 | 10)), "{}", stderr(&scanned));
    assert_eq!(document["scan"]["state"], "completed", "{document}");
    assert!(!document["findings"].as_array().unwrap().is_empty());
    for format in ["html", "pdf", "json"] {
        assert!(output.join(format!("report.{format}")).metadata().unwrap().len() > 1_000, "{format}");
    }
    // What was found stays for the next command.
    let listed = tyrian(&["--data", &data, "findings", "list"], &[], "");
    assert!(stdout(&listed).contains("SEVERITY"), "{}", stderr(&listed));
    let verified = tyrian(&["--data", &data, "audit", "verify"], &[], "");
    assert!(verified.status.success(), "{}{}", stdout(&verified), stderr(&verified));
}

#[test]
fn an_import_can_be_tried_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.jsonl");
    let line = r#"{"template-id":"exposed-git","info":{"name":"Exposed .git","severity":"medium"},"type":"http","host":"http://127.0.0.2","matched-at":"http://127.0.0.2/.git/HEAD"}"#;
    std::fs::write(&file, format!("{line}\nnot json\n")).unwrap();
    let tried = tyrian(&["import", "--dry-run", "--json", &file.display().to_string()], &[], "");
    let document: Json = serde_json::from_slice(&tried.stdout).unwrap_or_else(|_| panic!("{}{}", stdout(&tried), stderr(&tried)));
    assert_eq!((document["format"].as_str(), document["findings"].as_u64()), (Some("nuclei"), Some(1)), "{document}");
    assert_eq!(document["by_severity"]["medium"], 1);
    assert_eq!(document["warnings"].as_array().unwrap().len(), 1, "the broken line is told: {document}");
}

#[test]
fn what_a_list_leaves_out_is_not_looked_for_unless_it_is_everything() {
    let folder = tempfile::tempdir().unwrap();
    let leak = |file: &str| json!({ "RuleID": "aws-access-token", "Description": "AWS", "StartLine": 1, "EndLine": 1, "Match": file, "Secret": file, "File": file });
    let write = |name: &str, leaks: &[Json]| {
        let path = folder.path().join(name);
        std::fs::write(&path, serde_json::to_string(leaks).unwrap()).unwrap();
        path.display().to_string()
    };
    let (old, new) = (write("old.json", &[leak("a/key.tf"), leak("b/key.tf")]), write("new.json", &[leak("b/key.tf")]));
    let careful = tyrian(&["diff", &old, &new], &[], "");
    assert!(stdout(&careful).ends_with("0 would be closed, 1 not looked for\n"), "{}{}", stdout(&careful), stderr(&careful));
    assert!(stderr(&careful).contains("--close-old complete"), "{}", stderr(&careful));
    let whole = tyrian(&["diff", "--close-old", "complete", &old, &new], &[], "");
    assert!(stdout(&whole).ends_with("1 would be closed, 0 not looked for\n"), "{}{}", stdout(&whole), stderr(&whole));
}

//! `tyrian threat evaluate`, as a person types it.

use std::process::{Command, Output};

fn evaluate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tyrian")).args(["threat", "evaluate"]).args(arguments).output().unwrap()
}

#[test]
fn columns_come_from_the_header_or_the_command_line_and_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..2_400)
        .map(|row| {
            let (session, place) = (row / 600, row % 600);
            let turn = f64::from(row) * 0.11;
            format!("ana,s{session},walking,{:.3},{:.4},9.{},1.5,0.1,{:.4},0.2\n", f64::from(place) * 0.01, turn.sin(), row % 7, turn.cos())
        })
        .collect();
    let columns = "subject,session,activity,t,ax,ay,az,gx,gy,gz";
    let path = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (with, without) = (path("with.csv", format!("{columns}\n{rows}")), path("without.csv", rows.clone()));
    for arguments in [&["--csv", with.as_str()][..], &["--csv", columns, &without], &["--csv", columns, &with], &[&with]] {
        let output = evaluate(&[arguments, &["--json", "--device-days", "1"]].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["rows"], &report["subjects"], &report["rows_unread"]), (&2_400.into(), &1.into(), &0.into()), "{arguments:?}");
        assert!(report["user_swap"].is_null() && report["false_locks"]["locks"] == 0);
    }
    let headless = evaluate(&["--csv", &without]);
    assert_eq!(headless.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&headless.stderr).contains("no column subject, session, t, ax, ay, az"));
}

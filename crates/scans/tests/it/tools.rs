//! Programs of others: missing, broken, talkative.

use std::time::Duration;

use importers::{CoverageStatus, Record};
use scans::{Config, Profile, ScanState, StageState};
use testkit::{Engine, Lab};

use crate::stage::{Stage, config_with, fake, listener, observations};

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_tool_is_named_with_its_package_and_never_fatal() {
    let lab = Lab::hardened();
    let empty = tempfile::tempdir().unwrap();
    let config = Config { tool_folders: vec![empty.path().to_owned()], ..Config::default() };
    assert!(scans::installed(&config).iter().all(|tool| tool.file.is_none()));
    let stage = Stage::new(Engine::Embedded, config).await;
    let target = stage.host(&lab.address().to_string()).await;
    let scan = stage.start(&target, Profile::Deep, &lab.ports()).await;
    stage.drain().await;
    let scan = stage.get(&scan).await;
    assert_eq!(scan.state, ScanState::Completed);
    let records = stage.records(&scan).await;
    for (number, tool) in [(1, "nmap"), (2, "sslscan")] {
        assert_eq!(scan.stages[number].state, StageState::Skipped);
        let reason = scan.stages[number].reason.as_deref().unwrap();
        assert_eq!(reason, format!("{tool} is not installed: install the package `{tool}`"));
        assert!(matches!(&records[tool][..], [Record::Coverage(coverage)]
            if coverage.status == CoverageStatus::Skipped && coverage.reason.as_deref() == Some(reason)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_tool_said_before_it_broke_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _) = listener("127.0.0.1").await;
    let xml = format!(
        r#"<?xml version="1.0"?><nmaprun scanner="nmap" version="7"><host><status state="up"/><address addr="127.0.0.1" addrtype="ipv4"/><ports><port protocol="tcp" portid="{}"><state state="open"/><service name="http"/></port></ports></host><host><stat"#,
        address.port()
    );
    fake(folder.path(), "nmap", &format!("[ \"$1\" = --version ] && exit 1\ncat <<'E'\n{xml}\nE\necho 'out of luck' >&2\nexit 7"));
    let stage = Stage::new(Engine::Embedded, config_with(folder.path())).await;
    let target = stage.host("127.0.0.1").await;
    let scan = stage.start(&target, Profile::Deep, &[address.port()]).await;
    stage.drain().await;
    let scan = stage.get(&scan).await;
    assert_eq!((scan.state, scan.stages[1].state), (ScanState::Completed, StageState::Failed), "{scan:#?}");
    let reason = scan.stages[1].reason.as_deref().unwrap();
    assert!(reason.contains("status 7") && reason.contains("out of luck"), "{reason}");
    let records = stage.records(&scan).await;
    assert_eq!(observations(&records["nmap"]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_answers_on_no_port_is_no_clean_host() {
    // A full queue makes the kernel drop further SYNs, as a host does that is not there.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.7:0".parse().unwrap()).unwrap();
    let silent = socket.listen(0).unwrap();
    let address = silent.local_addr().unwrap();
    let fillers: Vec<_> = (0..4).map(|_| tokio::spawn(tokio::net::TcpStream::connect(address))).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;

    let stage = Stage::new(Engine::Embedded, Config::default()).await;
    let target = stage.host("127.0.0.7").await;
    let scan = stage.start(&target, Profile::Quick, &[address.port()]).await;
    stage.drain().await;
    let scan = stage.get(&scan).await;
    assert_eq!((scan.state, scan.stages[0].state), (ScanState::Failed, StageState::Failed));
    assert!(scan.error.as_ref().unwrap().starts_with("no port answered"), "{:?}", scan.error);
    for language in [base::Language::Portuguese, base::Language::Spanish] {
        assert_ne!(scans::reason(scan.error.as_ref().unwrap(), language), *scan.error.as_ref().unwrap());
    }
    fillers.iter().for_each(tokio::task::JoinHandle::abort);
}

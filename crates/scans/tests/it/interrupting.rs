//! Stopping and dying: a cancel is quick and final, a dead worker's scan goes on where it was.

use std::path::Path;
use std::time::{Duration, Instant};

use base::Kind;
use scans::{Config, NewScan, Profile, ScanState, StageState};
use testkit::{Engine, engines, eventually};

use crate::stage::{Stage, config_with, fake, listener};

/// Tells its process id and that of a child, then hangs and ignores a polite end.
fn hanging_nmap(folder: &Path) {
    let pids = folder.join("pids");
    let script = format!(
        "if [ \"$1\" = --version ]; then echo 'Nmap version 7.0'; exit; fi\n\
         trap '' TERM\nsleep 600 &\necho \"$$ $!\" > {0}.part && mv {0}.part {0}\n\
         echo '<?xml version=\"1.0\"?><nmaprun scanner=\"nmap\">'\nwhile :; do sleep 1; done",
        pids.display()
    );
    fake(folder, "nmap", &script);
}

fn is_alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn pids(folder: &Path) -> Vec<String> {
    let file = folder.join("pids");
    eventually("the tool runs", async || file.exists()).await;
    let pids = std::fs::read_to_string(&file).unwrap().split_whitespace().map(str::to_owned).collect();
    std::fs::remove_file(file).unwrap();
    pids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_the_tool_and_its_children_within_two_seconds() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        hanging_nmap(folder.path());
        let stage = Stage::new(engine, config_with(folder.path())).await;
        let (address, _) = listener("127.0.0.1").await;
        let target = stage.host("127.0.0.1").await;
        let scan = stage.start(&target, Profile::Deep, &[address.port()]).await;
        let work = stage.work();
        let pids = pids(folder.path()).await;
        assert!(pids.len() == 2 && pids.iter().all(|pid| is_alive(pid)));
        let asked = Instant::now();
        stage.scans.cancel(&stage.ana, scan.id).await.unwrap();
        eventually("the scan is cancelled", async || stage.get(&scan).await.state == ScanState::Cancelled).await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        eventually("the tool and its child are gone", async || !pids.iter().any(|pid| is_alive(pid))).await;
        work.await.unwrap();
        let scan = stage.get(&scan).await;
        let states: Vec<StageState> = scan.stages.iter().map(|stage| stage.state).collect();
        assert_eq!(states, [StageState::Done, StageState::Stopped, StageState::Skipped]);
        assert_eq!(stage.scans.cancel(&stage.ana, scan.id).await.unwrap_err().kind(), Kind::Conflict);
        assert!(stage.records(&scan).await.contains_key("tyrian"), "what was found before is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_our_own_probes_and_a_waiting_scan() {
    for engine in engines() {
        let stage = Stage::new(engine, Config::default()).await;
        let target = stage.host("127.0.0.1").await;
        let waiting = stage.start(&target, Profile::Quick, &[9]).await;
        assert_eq!(stage.scans.cancel(&stage.ana, waiting.id).await.unwrap().state, ScanState::Cancelled);
        stage.drain().await;
        assert_eq!(stage.get(&waiting).await.started_at, None);
        let mut new = NewScan::of(target.id, Profile::Quick);
        (new.ports, new.rate_per_second) = (Some("20000-30000".into()), Some(5));
        let scan = stage.scans.start(&stage.ana, new).await.unwrap();
        let work = stage.work();
        eventually("the scan runs", async || stage.get(&scan).await.state == ScanState::Running).await;
        let asked = Instant::now();
        stage.scans.cancel(&stage.ana, scan.id).await.unwrap();
        work.await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        assert_eq!(stage.get(&scan).await.state, ScanState::Cancelled);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_workers_scan_goes_on_and_repeats_no_finished_stage() {
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        hanging_nmap(folder.path());
        let stage = Stage::new(engine, config_with(folder.path())).await;
        let (address, count) = listener("127.0.0.1").await;
        let target = stage.host("127.0.0.1").await;
        let scan = stage.start(&target, Profile::Deep, &[address.port()]).await;
        let work = stage.work();
        let pids = pids(folder.path()).await;
        let before = stage.get(&scan).await;
        let connections = count.load(std::sync::atomic::Ordering::SeqCst);
        work.abort();
        eventually("the dead worker's tool is gone", async || !pids.iter().any(|pid| is_alive(pid))).await;
        fake(
            folder.path(),
            "nmap",
            "echo 'Nmap version 7.0'; echo '<?xml version=\"1.0\"?><nmaprun scanner=\"nmap\"><runstats/></nmaprun>'",
        );

        // The lease still holds: nobody else may begin.
        stage.drain().await;
        assert_eq!(stage.get(&scan).await.state, ScanState::Running);
        stage.world.backends.clock.advance(Duration::from_secs(31));
        let drained = stage.drain().await;
        assert!(drained.errors.is_empty(), "{:?}", drained.errors);
        let after = stage.get(&scan).await;
        assert_eq!(after.state, ScanState::Completed, "{after:#?}");
        assert_eq!(after.stages[0], before.stages[0]);
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), connections, "our own probes ran once");
        assert_eq!(stage.world.count("events WHERE name = 'scan.started'").await, 1);
        assert_eq!(stage.world.count("events WHERE name = 'scan.completed'").await, 1);
        let artifacts = stage.world.count("scan_artifacts").await;
        assert_eq!(artifacts, stage.world.count("events WHERE name = 'scan.stage_finished'").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_job_is_gone_is_ended_by_the_sweep() {
    let stage = Stage::new(Engine::Embedded, Config::default()).await;
    let target = stage.host("127.0.0.1").await;
    let scan = stage.start(&target, Profile::Quick, &[9]).await;
    let mut tx = stage.world.backends.db.begin().await.unwrap();
    tx.run(backends::sql("UPDATE jobs SET state = 'dead', error = 'the worker died in every try'")).await.unwrap();
    tx.commit().await.unwrap();
    stage.drain().await;
    assert_eq!(stage.get(&scan).await.state, ScanState::Queued);
    stage.world.backends.clock.advance(Duration::from_secs(121));
    stage.drain().await;
    let scan = stage.get(&scan).await;
    assert_eq!(scan.state, ScanState::Failed);
    assert!(scan.error.unwrap().contains("died in every try"));
}

/// Set in the process that is to be killed: the folder with the program that hangs.
const HANG: &str = "TYRIAN_TEST_HANG";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_takes_its_tool_along() {
    let folder = tempfile::tempdir().unwrap();
    hanging_nmap(folder.path());
    let mut process = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interrupting::the_process_that_is_killed"])
        .env(HANG, folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pids = pids(folder.path()).await;
    assert!(is_alive(&pids[0]));
    process.kill().unwrap();
    process.wait().unwrap();
    eventually("the tool is gone with its worker", async || !is_alive(&pids[0])).await;
    // The shell's own child is not ours to know; nmap has none.
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pids[1].parse().unwrap()), nix::sys::signal::Signal::SIGKILL).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_that_is_killed() {
    let Ok(folder) = std::env::var(HANG) else { return };
    let stage = Stage::new(Engine::Embedded, config_with(Path::new(&folder))).await;
    let (address, _) = listener("127.0.0.1").await;
    let target = stage.host("127.0.0.1").await;
    stage.start(&target, Profile::Deep, &[address.port()]).await;
    stage.drain().await;
}

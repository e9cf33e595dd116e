//! No test without permission: at the start, at execution, in the middle, and after a redirect.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base::{Kind, Role};
use futures::StreamExt;
use scans::{Config, NewScan, Profile, Progress, ScanState, StageState};
use targets::TargetKind;
use testkit::{Engine, engines, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stage::{Stage, listener};

#[tokio::test]
async fn without_an_authorization_nothing_starts_and_the_refusal_is_on_record() {
    for engine in engines() {
        let stage = Stage::new(engine, Config::default()).await;
        let target = stage.target("127.0.0.1", TargetKind::Host).await;
        let refused = stage.scans.start(&stage.ana, NewScan::of(target.id, Profile::Quick)).await.unwrap_err();
        assert_eq!((refused.kind(), refused.code(), refused.field()), (Kind::Forbidden, "targets.not_authorized", Some("/target_id")));
        assert_eq!(stage.world.count("scans").await, 0);
        assert_eq!(stage.world.count("audit_logs WHERE action_taken = 'scans.refuse'").await, 1);

        stage.authorize(&target, |_| ()).await;
        let mut new = NewScan::of(target.id, Profile::Quick);
        new.profile.0 = "full".into();
        assert!(stage.scans.start(&stage.ana, new).await.unwrap_err().detail().contains("quick, standard, deep"));
        let viewer = stage.world.actor(&[Role::Viewer]);
        let new = NewScan::of(target.id, Profile::Quick);
        assert_eq!(stage.scans.start(&viewer, new.clone()).await.unwrap_err().kind(), Kind::Forbidden);
        let eve = stage.world.other(&[Role::Admin]);
        assert_eq!(stage.scans.start(&eve, new.clone()).await.unwrap_err().kind(), Kind::NotFound);
        let scan = stage.scans.start(&stage.ana, new).await.unwrap();
        assert_eq!(stage.scans.get(&eve, scan.id).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(stage.scans.cancel(&eve, scan.id).await.unwrap_err().kind(), Kind::NotFound);
        assert!(stage.scans.progress(&eve, scan.id, None).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_that_ended_before_the_worker_came_stops_the_scan_before_its_first_connection() {
    for engine in engines() {
        let stage = Stage::new(engine, Config::default()).await;
        let (address, count) = listener("127.0.0.1").await;
        let target = stage.target("127.0.0.1", TargetKind::Host).await;
        let until = stage.world.backends.clock.now() + Duration::from_secs(600);
        stage.authorize(&target, |new| new.valid_until = until).await;
        let scan = stage.start(&target, Profile::Quick, &[address.port()]).await;
        stage.world.backends.clock.advance(Duration::from_secs(601));
        stage.drain().await;
        let scan = stage.get(&scan).await;
        assert_eq!(scan.state, ScanState::Failed);
        assert!(scan.error.unwrap().contains(&until.to_string()));
        assert_eq!(count.load(Ordering::SeqCst), 0);
        assert_eq!(stage.world.count("events WHERE name = 'scan.failed'").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorization_that_ends_in_the_middle_ends_the_scan_and_says_so() {
    for engine in engines() {
        let stage = Stage::new(engine, Config::default()).await;
        let target = stage.target("127.0.0.1", TargetKind::Host).await;
        let until = stage.world.backends.clock.now() + Duration::from_secs(5);
        stage.authorize(&target, |new| new.valid_until = until).await;
        let mut new = NewScan::of(target.id, Profile::Quick);
        // What is left is refused within one poll of the watch: that must not look like a scan that is done.
        (new.ports, new.rate_per_second) = (Some("20000-20200".into()), Some(100));
        let scan = stage.scans.start(&stage.ana, new).await.unwrap();
        let work = stage.work();
        eventually("the scan runs", async || stage.get(&scan).await.stages[0].state == StageState::Running).await;
        stage.world.backends.clock.advance(Duration::from_secs(5));
        work.await.unwrap();
        let scan = stage.get(&scan).await;
        assert_eq!((scan.state, scan.stages[0].state), (ScanState::Failed, StageState::Stopped));
        assert!(scan.error.unwrap().contains(&until.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_stops_a_scan_at_work() {
    let stage = Stage::new(Engine::Embedded, Config::default()).await;
    let target = stage.target("127.0.0.1", TargetKind::Host).await;
    let granted = stage.authorize(&target, |_| ()).await;
    let mut new = NewScan::of(target.id, Profile::Quick);
    (new.ports, new.rate_per_second) = (Some("20000-21000".into()), Some(2));
    let scan = stage.scans.start(&stage.ana, new).await.unwrap();
    let work = stage.work();
    eventually("the scan runs", async || stage.get(&scan).await.state == ScanState::Running).await;
    stage.targets.revoke(&stage.ana, granted.id, "incident 12").await.unwrap();
    tokio::time::timeout(Duration::from_secs(4), work).await.expect("the scan stops within seconds").unwrap();
    let scan = stage.get(&scan).await;
    assert_eq!(scan.state, ScanState::Failed);
    assert!(scan.error.unwrap().contains("incident 12"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_out_of_scope_is_not_followed() {
    let stage = Stage::new(Engine::Embedded, Config::default()).await;
    let (elsewhere, count) = listener("127.0.0.9").await;
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = server.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            tokio::spawn(async move {
                let mut request = [0_u8; 4096];
                while let Ok(1..) = stream.read(&mut request).await {
                    let reply = format!("HTTP/1.1 302 Found\r\nServer: x\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
                    if stream.write_all(reply.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let target = stage.target(&format!("http://{here}/"), TargetKind::Web).await;
    stage.authorize(&target, |_| ()).await;
    let scan = stage.start(&target, Profile::Quick, &[here.port()]).await;
    stage.drain().await;
    assert_eq!(stage.get(&scan).await.state, ScanState::Completed);
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_one_port_means_that_one() {
    let stage = Stage::new(Engine::Embedded, Config::default()).await;
    let (named, _) = listener("127.0.0.77").await;
    // One of the hundred that the quick profile tries on a whole host.
    let beside = tokio::net::TcpListener::bind("127.0.0.77:8080").await.unwrap();
    let target = stage.host(&named.to_string()).await;
    let scan = stage.scans.start(&stage.ana, NewScan::of(target.id, Profile::Quick)).await.unwrap();
    let following = stage.scans.progress(&stage.ana, scan.id, None).await.unwrap();
    let work = stage.work();
    let words: Vec<Progress> = following.collect().await;
    work.await.unwrap();
    assert_eq!(words.last().unwrap().open_ports, 1, "{words:#?}");
    drop(beside);
}

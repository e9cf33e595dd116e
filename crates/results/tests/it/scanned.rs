//! What a real scan of a real listener brings, through the jobs: taken in once, closed by the next scan that looked.

use std::time::Duration;

use backends::jobs;
use base::{Language, Result};
use results::{Filter, Status};
use scans::{ArtifactId, NewScan, Profile, Scan, ScanId, ScanState};
use targets::{NewAuthorization, Target};
use testkit::engines;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::story::Story;

/// A web server without a single security header, until the handle is dropped.
fn serve(listener: TcpListener) -> tokio::task::AbortHandle {
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 2048];
                let _ = stream.read(&mut buffer).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
                    .await;
            });
        }
    });
    task.abort_handle()
}

async fn scan(story: &Story, target: &Target, ports: &str) -> Scan {
    let handlers = scans::jobs(&story.scans).merge(results::jobs(&story.results));
    story.world.backends.subscriptions.set(&handlers);
    let mut new = NewScan::of(target.id, Profile::Quick);
    new.ports = Some(ports.to_owned());
    let scan = story.scans.start(&story.actor, new).await.unwrap();
    let drained = jobs::drain(&story.world.backends, &handlers).await.unwrap();
    assert!(drained.errors.is_empty(), "{:?}", drained.errors);
    story.scans.get(&story.actor, scan.id).await.unwrap()
}

async fn artifacts(story: &Story, scan: ScanId) -> Vec<ArtifactId> {
    let rows = story.world.backends.db.all(backends::sql("SELECT id FROM scan_artifacts WHERE scan_id = $1").bind(scan)).await.unwrap();
    rows.iter().map(|row| row.get("id")).collect::<Result<_>>().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_fills_findings_once_and_the_next_one_closes_what_is_gone() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = serve(listener);
        let target = story.target("127.0.0.1").await;
        let until = story.world.backends.clock.now() + Duration::from_secs(3600);
        story.targets.authorize(&story.actor, NewAuthorization::for_target(target.id, "CISO", "contract 7", until)).await.unwrap();

        let first = scan(&story, &target, &port.to_string()).await;
        let summary = first.summary.unwrap();
        assert_eq!(first.state, ScanState::Completed, "{first:?}");
        let findings = story.findings().await;
        assert!(
            findings.iter().any(|finding| finding.check == "ports.open")
                && findings.iter().any(|finding| finding.check.starts_with("http."))
        );
        assert_eq!((summary.findings_new, summary.findings_open), (findings.len() as u64, findings.len() as u64));
        assert!(findings.iter().all(|finding| finding.last_scan == Some(first.id) && finding.target_id == Some(target.id)));
        assert!(!story.results.coverage(&story.actor, first.id).await.unwrap().is_empty());
        let open = findings.iter().find(|finding| finding.check == "ports.open").unwrap();
        let detail = story.results.finding(&story.actor, open.id).await.unwrap();
        assert_eq!((detail.observations.len(), detail.coverage.len(), detail.coverage[0].check_set.as_str()), (1, 1, "ports"));
        let (extent, reason) = (&detail.coverage[0].extent, &detail.coverage[0].reason);
        assert_eq!((extent, reason), (&importers::Extent::Ports([port].into_iter().collect()), &None));

        // What our own engine says reaches readers in their language: every text, from what was stored.
        for (finding, language) in findings.iter().flat_map(|finding| [(finding, Language::Portuguese), (finding, Language::Spanish)]) {
            let (voice, remediation) = (finding.voice(), finding.remediation.as_deref().unwrap());
            assert_ne!(voice.title(&finding.title, language), finding.title, "{language:?} {}", finding.check);
            assert_ne!(voice.description(&finding.description, language), finding.description, "{language:?} {}", finding.check);
            assert_ne!(voice.remediation(remediation, language), remediation, "{language:?} {}", finding.check);
        }

        // Jobs may run again; nothing is counted twice.
        let rows = story.world.count("observations").await;
        for artifact in artifacts(&story, first.id).await {
            story.results.ingest(&story.actor, first.id, artifact, None).await.unwrap();
        }
        assert_eq!(story.world.count("observations").await, rows);

        story.world.backends.clock.advance(Duration::from_secs(60));
        let second = scan(&story, &target, &port.to_string()).await;
        assert_eq!(second.summary.unwrap().findings_new, 0);
        assert!(story.findings().await.iter().all(|finding| finding.times_seen == 2));
        assert_eq!(story.results.summary(&story.actor, &Filter::of_scan(second.id)).await.unwrap().total, findings.len() as u64);

        server.abort();
        story.world.backends.clock.advance(Duration::from_secs(60));
        let third = scan(&story, &target, &port.to_string()).await;
        assert_eq!(third.state, ScanState::Completed);
        for finding in story.findings().await {
            let expected = if finding.check == "ports.open" { Status::Fixed } else { Status::NotRetested };
            assert_eq!(finding.status, expected, "{} on {engine:?}", finding.check);
        }
        let log = audit::Audit::new(&story.world.backends);
        let system = base::Actor::system(story.actor.tenant, base::Source::Cli);
        assert!(log.verify(&system, audit::verify::Trust::default()).await.unwrap().is_intact());
    }
}

/// A service that is gone from a host that otherwise answers took its weaknesses with it; where nothing answers, who knows.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_a_port_that_is_closed_now_is_fixed() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let [staying, leaving] = [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
        let [kept, gone] = [&staying, &leaving].map(|listener| listener.local_addr().unwrap().port());
        let (_server, leaver) = (serve(staying), serve(leaving));
        let target = story.target("127.0.0.1").await;
        let until = story.world.backends.clock.now() + Duration::from_secs(3600);
        story.targets.authorize(&story.actor, NewAuthorization::for_target(target.id, "CISO", "contract 7", until)).await.unwrap();
        let ports = format!("{kept},{gone}");
        scan(&story, &target, &ports).await;
        let at_gone = |finding: &results::Finding| finding.location.port == Some(gone) && finding.check.starts_with("http.");
        assert!(story.findings().await.iter().any(at_gone));

        leaver.abort();
        story.world.backends.clock.advance(Duration::from_secs(60));
        scan(&story, &target, &ports).await;
        for finding in story.findings().await {
            let expected = if finding.location.port == Some(gone) { Status::Fixed } else { Status::Open };
            assert_eq!(finding.status, expected, "{} on {engine:?}", finding.check);
        }
    }
}

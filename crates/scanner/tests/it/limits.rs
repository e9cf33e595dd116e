//! Limits are kept: the guard, the rate, time, cancellation, descriptors.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use scanner::{CoverageStatus, Event, Limits, Plan, PortSet, Stages, Target};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::scene::{PORTS_ONLY, Watch, now_unix, plan, run, run_with};

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn the_guard_is_asked_for_every_connection_and_its_no_is_kept() {
    let (allowed, allowed_port) = listener().await;
    let (forbidden, forbidden_port) = listener().await;
    let guard = Watch::new(move |address| address.port() == allowed_port);
    let plan = Plan { stages: Stages::default(), ..plan("127.0.0.1", &[allowed_port, forbidden_port]) };
    let hang_up = async {
        loop {
            drop(allowed.accept().await);
        }
    };
    let (outcome, _) = tokio::select! {
        () = hang_up => unreachable!(),
        result = run_with(plan, guard.clone(), CancellationToken::new()) => result.unwrap(),
    };
    let touched = tokio::time::timeout(Duration::from_millis(50), forbidden.accept()).await;
    assert!(touched.is_err(), "the forbidden port was connected to");
    assert_eq!(outcome.open, [SocketAddr::from(([127, 0, 0, 1], allowed_port))]);
    assert_eq!(outcome.refused, [(format!("127.0.0.1:{forbidden_port}"), "outside the authorisation".to_owned())]);
    assert!(guard.addresses.lock().unwrap().len() as u64 > outcome.connections);
}

#[tokio::test]
async fn a_redirect_out_of_the_authorisation_is_not_followed() {
    let (server, port) = listener().await;
    let serve = async {
        loop {
            let (mut stream, _) = server.accept().await.unwrap();
            let mut request = [0; 2048];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
            let answer = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    };
    let target = Target::Url(format!("http://127.0.0.1:{port}/start").parse().unwrap());
    let guard = Watch::loopback();
    let plan = Plan { target, stages: Stages { ports: false, ..Stages::default() }, ..plan("127.0.0.1", &[port]) };
    let (outcome, events) = tokio::select! {
        () = serve => unreachable!(),
        result = run_with(plan, guard.clone(), CancellationToken::new()) => result.unwrap(),
    };
    assert!(outcome.refused.iter().any(|(what, _)| what.starts_with("http://169.254.169.254/")));
    assert!(guard.addresses.lock().unwrap().iter().all(|address| address.ip().is_loopback()));
    assert!(events.iter().any(|event| matches!(event, Event::Note { message } if message.contains("169.254.169.254"))));
}

#[tokio::test]
async fn the_rate_limit_is_met_and_not_passed() {
    let ports = PortSet::parse("20000-21999").unwrap();
    let limits = Limits { rate_per_second: Some(1000), ..Limits::default() };
    let plan = Plan { ports, limits, stages: PORTS_ONLY, ..plan("127.0.0.9", &[1]) };
    let mut best = 0.0_f64;
    // A machine that stands still for a moment may miss the rate; passing it is never excused.
    for _ in 0..3 {
        let started = Instant::now();
        let outcome = run(plan.clone()).await;
        let rate = outcome.connections as f64 / started.elapsed().as_secs_f64();
        assert_eq!(outcome.connections, 2000);
        assert!(rate <= 1000.5, "{rate} per second");
        best = best.max(rate);
        if best >= 970.0 {
            break;
        }
    }
    assert!(best >= 970.0, "{best} per second");
}

#[tokio::test]
async fn a_cancelled_scan_stops_at_once_and_keeps_what_it_found() {
    let (_silent, port) = listener().await;
    let cancel = CancellationToken::new();
    let limits = Limits { read_timeout: Duration::from_secs(60), total: Duration::from_secs(600), ..Limits::default() };
    let plan = Plan { limits, ..plan("127.0.0.1", &[port]) };
    let stop = cancel.clone();
    let canceller = async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.cancel();
        Instant::now()
    };
    let (result, cancelled_at) = tokio::join!(run_with(plan, Watch::loopback(), cancel), canceller);
    let (outcome, _) = result.unwrap();
    assert!(cancelled_at.elapsed() < Duration::from_secs(1));
    assert!(outcome.cancelled && !outcome.timed_out);
    assert_eq!(outcome.open.len(), 1);
    let services = outcome.coverage.iter().find(|covered| covered.check_set == "services").unwrap();
    assert_eq!((services.status, services.reason.as_deref()), (CoverageStatus::Skipped, Some("the scan was cancelled")));
}

#[tokio::test]
async fn a_scan_that_takes_too_long_ends_as_timed_out() {
    let (_silent, port) = listener().await;
    let limits = Limits { read_timeout: Duration::from_secs(60), total: Duration::from_millis(400), ..Limits::default() };
    let outcome = run(Plan { limits, ..plan("127.0.0.1", &[port]) }).await;
    assert!(outcome.timed_out && !outcome.cancelled);
    assert!(outcome.coverage.iter().any(|covered| covered.status == CoverageStatus::Timeout));
}

#[tokio::test]
async fn a_name_and_a_network_are_scanned_at_their_addresses() {
    let (_server, port) = listener().await;
    let by_name = run(Plan { stages: PORTS_ONLY, ..plan("localhost", &[port]) }).await;
    assert!(by_name.resolved.iter().any(|address| address.to_string() == "127.0.0.1"));
    assert!(by_name.open.contains(&SocketAddr::from(([127, 0, 0, 1], port))));
    let network = Plan {
        target: Target::Network("127.0.0.0/29".parse().unwrap()),
        ports: PortSet::parse(&port.to_string()).unwrap(),
        stages: PORTS_ONLY,
        ..Plan::new(Target::Host(String::new()), now_unix())
    };
    let outcome = run(network).await;
    assert_eq!((outcome.resolved.len(), outcome.open.len()), (6, 1));
}

#[tokio::test]
async fn an_address_of_version_six_is_scanned() {
    let server = TcpListener::bind("[::1]:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let outcome = run(Plan { stages: PORTS_ONLY, ..plan("::1", &[port, 1]) }).await;
    assert_eq!(outcome.open, [server.local_addr().unwrap()]);
}

#[tokio::test]
async fn a_port_is_told_closed_by_a_host_that_still_serves_another() {
    let server = crate::servers::serve(|mut stream| async move { drop(stream.write_all(b"SSH-2.0-Test\r\n").await) }).await;
    let (closing, closed) = listener().await;
    drop(closing);
    let outcome = run(plan("127.0.0.1", &[server.address.port(), closed])).await;
    assert_eq!(outcome.closed, [(server.address.ip(), vec![closed])]);
    // Something on the way may refuse for a host that is not heard.
    assert!(run(plan("127.0.0.1", &[closed])).await.closed.is_empty());
}

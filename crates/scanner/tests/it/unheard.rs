//! Servers that do not answer for themselves: what they did not say is not counted as tested.

use std::sync::atomic::{AtomicUsize, Ordering};

use scanner::{CoverageStatus, Covered, Intrusiveness, Outcome, Plan};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{plan, run};
use crate::servers::{Server, acceptor, serve, serve_at};

const PAGE: &str = "<html><body>hello</body></html>";

/// Status and body for a path.
type Answer = fn(&str) -> (u16, &'static str);

/// A web server of `status` and body for each path.
async fn web(answer: Answer) -> Server {
    web_at("127.0.0.1:0", answer).await
}

async fn web_at(address: &str, answer: Answer) -> Server {
    patchy_web_at(address, |_| false, answer).await
}

/// As [`web_at`], with paths that get no answer ever.
async fn patchy_web_at(address: &str, is_silent: fn(&str) -> bool, answer: Answer) -> Server {
    serve_at(address, move |mut stream| async move {
        let mut request = [0; 4096];
        let Ok(count @ 1..) = stream.read(&mut request).await else { return };
        let head = String::from_utf8_lossy(&request[..count]).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        if is_silent(path) {
            std::future::pending::<()>().await;
        }
        let (status, body) = answer(path);
        let length = body.len();
        let reply =
            format!("HTTP/1.1 {status} Said\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        let _ = stream.write_all(reply.as_bytes()).await;
    })
    .await
}

async fn scan(server: &Server) -> Outcome {
    run(Plan { intrusiveness: Intrusiveness::Intrusive, ..plan("127.0.0.1", &[server.address.port()]) }).await
}

/// Whether a check counts as made at a path: it or its set is done there, and nothing says otherwise.
pub(crate) fn is_tested(outcome: &Outcome, set: &str, check: &str, path: &str) -> bool {
    let is_page = |covered: &Covered| covered.url.as_ref().is_none_or(|url| url.path() == path);
    let is_place = |covered: &Covered| is_page(covered) && covered.parameter.as_deref().is_none_or(|place| place == path);
    let is_site = |covered: &Covered| covered.url.as_ref().is_some_and(|url| url.path() == "/");
    let (done, left): (Vec<&Covered>, Vec<&Covered>) = outcome
        .coverage
        .iter()
        .filter(|covered| [set, check].contains(&covered.check_set))
        .partition(|covered| covered.status == CoverageStatus::Done);
    done.into_iter().any(is_place) && !left.into_iter().any(|covered| is_place(covered) || is_site(covered))
}

fn reason(outcome: &Outcome, set: &str) -> (CoverageStatus, Option<String>) {
    let covered = outcome.coverage.iter().find(|covered| covered.check_set == set).unwrap();
    (covered.status, covered.reason.clone())
}

#[tokio::test]
async fn a_server_that_is_out_of_order_or_refuses_everything_was_not_tested() {
    let walls: [Answer; 5] = [|_| (503, PAGE), |_| (500, PAGE), |_| (429, PAGE), |_| (403, PAGE), |_| (502, "")];
    for answer in walls {
        let server = web(answer).await;
        let outcome = scan(&server).await;
        let status = answer("/").0;
        let expected = (CoverageStatus::Error, Some(format!("the server answered {status}")));
        assert_eq!(reason(&outcome, "http.passive"), expected);
        assert_eq!(reason(&outcome, "exposures.safe"), expected);
        assert_eq!(reason(&outcome, "http.intrusive"), expected);
        for (check, path) in [
            ("http.exposed-git", "/.git/HEAD"),
            ("http.directory-listing", "/backup/"),
            ("http.path-traversal", "/download"),
            ("http.reflected-input", "/search"),
            ("http.open-redirect", "/go"),
            ("http.cookie-not-secure", "/login"),
            ("http.cors-null-origin", "/api"),
            ("http.stack-trace", "/debug"),
            ("http.csp-missing", "/"),
        ] {
            let set = scanner::catalogue().iter().find(|known| known.id == check).unwrap().check_set;
            assert!(!is_tested(&outcome, set, check, path), "{status}: {check}");
        }
    }
}

#[tokio::test]
async fn a_site_that_tells_its_pages_apart_is_tested_and_a_refusal_of_one_page_is_its_answer() {
    let server = web(|path| match path {
        "/" => (200, PAGE),
        "/.git/HEAD" | "/uploads/" => (403, PAGE),
        "/.env" | "/login" => (502, PAGE),
        path if path.contains("etc/passwd") => (403, PAGE),
        _ => (404, PAGE),
    })
    .await;
    let outcome = scan(&server).await;
    for set in ["http.active", "exposures.safe"] {
        assert_eq!(reason(&outcome, set), (CoverageStatus::Done, None), "{set}");
    }
    assert!(is_tested(&outcome, "http.active", "http.exposed-git", "/.git/HEAD"), "the repository is refused to strangers");
    assert!(is_tested(&outcome, "http.passive", "http.directory-listing", "/uploads/"), "the list is refused to strangers");
    assert!(!is_tested(&outcome, "http.active", "http.exposed-dotenv", "/.env"), "nobody knows what is there");
    assert!(is_tested(&outcome, "http.active", "http.exposed-dotenv", "/.env.local"));
    assert!(!is_tested(&outcome, "http.pages", "http.path-traversal", "/download"), "a wall read the question");
    assert!(!is_tested(&outcome, "http.passive", "http.cookie-no-same-site", "/login"));
    assert!(is_tested(&outcome, "http.passive", "http.cookie-no-same-site", "/"));
}

#[tokio::test]
async fn a_front_page_that_may_not_be_listed_is_the_answer_of_a_site_that_tells_its_pages_apart() {
    let server = web(|path| if path == "/" { (403, PAGE) } else { (404, PAGE) }).await;
    let outcome = scan(&server).await;
    assert!(is_tested(&outcome, "http.passive", "http.server-version", "/"));
    assert!(!is_tested(&outcome, "http.passive", "http.csp-missing", "/"), "the page itself was not shown");
}

#[tokio::test]
async fn who_is_shut_out_on_the_way_has_not_tested_what_was_refused_since() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let server = web(|path| match ASKED.fetch_add(1, Ordering::Relaxed) {
        0..150 if path == "/" => (200, PAGE),
        0..150 => (404, PAGE),
        _ => (403, PAGE),
    })
    .await;
    let outcome = scan(&server).await;
    for set in ["http.pages", "http.active", "http.intrusive", "exposures.safe"] {
        assert_eq!(reason(&outcome, set), (CoverageStatus::Error, Some("the server answered 403".to_owned())), "{set}");
    }
    assert!(is_tested(&outcome, "http.passive", "http.csp-missing", "/"), "the first page came before");
}

#[tokio::test]
async fn an_empty_page_half_a_page_and_a_question_for_a_password_decide_nothing_of_what_a_page_shows() {
    let empty = web(|path| if path == "/" { (200, "") } else { (404, PAGE) }).await;
    let outcome = scan(&empty).await;
    assert!(!is_tested(&outcome, "http.passive", "http.csp-missing", "/"));
    assert!(is_tested(&outcome, "http.passive", "http.hsts-missing", "/"));

    let guarded = web(|path| if path == "/" { (401, PAGE) } else { (404, PAGE) }).await;
    let outcome = scan(&guarded).await;
    assert!(!is_tested(&outcome, "http.passive", "http.csp-missing", "/"));

    let half = serve(|mut stream| async move {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<html>").await;
    })
    .await;
    let outcome = scan(&half).await;
    assert_eq!(reason(&outcome, "http.passive"), (CoverageStatus::Error, Some("the page broke off".to_owned())));
}

#[tokio::test]
async fn a_scan_that_may_only_look_has_not_looked_for_further_pages() {
    // Where nothing may be asked, the port alone suggests the web.
    let server = web_at("127.0.0.19:8080", |path| if path == "/" { (200, PAGE) } else { (404, PAGE) }).await;
    let outcome = run(Plan { intrusiveness: Intrusiveness::Passive, ..plan("127.0.0.19", &[server.address.port()]) }).await;
    assert!(is_tested(&outcome, "http.passive", "http.csp-missing", "/"));
    assert!(!is_tested(&outcome, "http.passive", "http.directory-listing", "/backup/"));
}

#[tokio::test]
async fn a_server_that_says_nothing_to_the_question_for_a_proxy_is_not_known_to_be_none() {
    let server = patchy_web_at("127.0.0.1:0", |path| path.starts_with("http://"), |_| (404, "")).await;
    let mut plan = plan("127.0.0.1", &[server.address.port()]);
    plan.limits.read_timeout = std::time::Duration::from_millis(500);
    let outcome = run(plan).await;
    assert!(is_tested(&outcome, "exposures.safe", "exposure.docker", "/version"));
    assert!(!is_tested(&outcome, "exposures.safe", "exposure.open-proxy", "/"));
}

#[tokio::test]
async fn a_scan_that_ends_while_it_looks_for_further_pages_has_not_looked_for_them() {
    let server = patchy_web_at("127.0.0.1:0", |path| path != "/", |_| (200, PAGE)).await;
    let mut plan = plan("127.0.0.1", &[server.address.port()]);
    (plan.limits.read_timeout, plan.limits.total) = (std::time::Duration::from_secs(20), std::time::Duration::from_secs(10));
    let outcome = run(plan).await;
    assert!(outcome.timed_out && is_tested(&outcome, "http.passive", "http.csp-missing", "/"));
    assert!(!is_tested(&outcome, "http.passive", "http.directory-listing", "/backup/"));
}

/// A service that is known by its words, and what it answers to the questions behind.
struct Full {
    service: &'static str,
    greeting: &'static [u8],
    set: &'static str,
    answer: fn(&[u8]) -> Option<&'static [u8]>,
    /// Why its checks are not done; none where it refuses, which is an answer.
    reason: Option<&'static str>,
}

fn starts(request: &[u8], words: &str) -> bool {
    request.starts_with(words.as_bytes())
}

const MYSQL: &[u8] = b"\x4a\x00\x00\x00\x0a8.0.36\x00\x01\x00\x00\x00abcdefgh\x00\xff\xf7\xff\x02\x00\xff\xff\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00ijklmnopqrst\x00mysql_native_password\x00";
const SSL: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];

const FULL: &[Full] = &[
    Full {
        service: "redis",
        greeting: b"",
        set: "exposures.safe",
        answer: |request| match request {
            _ if request.windows(4).any(|word| word == b"INFO") => Some(b"-ERR max number of clients reached\r\n"),
            _ if request.windows(4).any(|word| word == b"PING") => Some(b"+PONG\r\n"),
            _ => None,
        },
        reason: Some("the service answered -ERR max number of clients reached"),
    },
    Full {
        service: "redis",
        greeting: b"",
        set: "exposures.safe",
        answer: |request| {
            request.windows(4).any(|word| word == b"INFO" || word == b"PING").then_some(b"-NOAUTH Authentication required.\r\n")
        },
        reason: None,
    },
    Full {
        service: "memcached",
        greeting: b"",
        set: "exposures.safe",
        // Anything but the version ends the conversation.
        answer: |request| if starts(request, "version") { Some(b"VERSION 1.6.21\r\n") } else { Some(b"") },
        reason: Some("connection closed"),
    },
    Full {
        service: "mysql",
        greeting: MYSQL,
        set: "exposures.intrusive",
        answer: |_| Some(b"\x17\x00\x00\x02\xff\x10\x04#08004Too many connections"),
        reason: Some("the service answered #08004Too many connections"),
    },
    Full {
        service: "mysql",
        greeting: MYSQL,
        set: "exposures.intrusive",
        answer: |_| Some(b"\x17\x00\x00\x02\xff\x15\x04#28000Access denied"),
        reason: None,
    },
    Full {
        service: "postgresql",
        greeting: b"",
        set: "exposures.intrusive",
        answer: |request| match request {
            _ if request == SSL => Some(b"N"),
            [0, 0, 0, _, 0, 3, ..] => Some(b"E\x00\x00\x00\x22SFATAL\x00C53300\x00Mtoo many clients\x00\x00"),
            _ => None,
        },
        reason: Some("the service answered SFATAL C53300 Mtoo many clients"),
    },
    Full {
        service: "postgresql",
        greeting: b"",
        set: "exposures.intrusive",
        answer: |request| match request {
            _ if request == SSL => Some(b"N"),
            [0, 0, 0, _, 0, 3, ..] => Some(b"E\x00\x00\x00\x22SFATAL\x00C28000\x00Mno entry for host\x00\x00"),
            _ => None,
        },
        reason: None,
    },
    Full {
        service: "ftp",
        greeting: b"220 FTP ready\r\n",
        set: "exposures.safe",
        answer: |request| starts(request, "USER").then_some(b"421 Too many users\r\n"),
        reason: Some("the service answered 421 Too many users"),
    },
    Full {
        service: "smtp",
        greeting: b"220 mail ESMTP\r\n",
        set: "exposures.safe",
        answer: |request| starts(request, "EHLO").then_some(b"421 too busy\r\n"),
        reason: Some("the service answered 421 too busy"),
    },
];

#[tokio::test]
async fn a_service_that_is_full_has_answered_nothing_and_one_that_refuses_has() {
    let mut servers = Vec::new();
    for full in FULL {
        let serving = serve(move |mut stream| async move {
            let _ = stream.write_all(full.greeting).await;
            let mut request = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut request).await {
                match (full.answer)(&request[..count]) {
                    Some(b"") => return,
                    Some(answer) => drop(stream.write_all(answer).await),
                    None => {}
                }
            }
        });
        servers.push(serving.await);
    }
    let ports: Vec<u16> = servers.iter().map(|server| server.address.port()).collect();
    let mut plan = Plan { intrusiveness: Intrusiveness::Intrusive, ..plan("127.0.0.1", &ports) };
    plan.limits.read_timeout = std::time::Duration::from_millis(500);
    let outcome = run(plan).await;
    for (full, server) in FULL.iter().zip(&servers) {
        let service = outcome.services.iter().find(|service| service.address == server.address).unwrap();
        assert_eq!(service.service, full.service);
        let covered =
            outcome.coverage.iter().find(|covered| covered.check_set == full.set && covered.address == Some(server.address)).unwrap();
        let expected = if full.reason.is_some() { CoverageStatus::Error } else { CoverageStatus::Done };
        assert_eq!((covered.status, covered.reason.as_deref()), (expected, full.reason), "{}", full.service);
    }
}

/// A server of TLS 1.3 that treats hellos as `manner` says, by the version of the hello.
async fn tls(manner: fn(u8) -> Manner) -> Server {
    let acceptor = acceptor("localhost", &[&tokio_rustls::rustls::version::TLS13]);
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut hello = [0; 11];
            while stream.peek(&mut hello).await.is_ok_and(|length| (1..11).contains(&length)) {
                tokio::task::yield_now().await;
            }
            match manner(if hello[0] == 22 { hello[10] } else { u8::MAX }) {
                Manner::Serve => {
                    if let Ok(mut stream) = acceptor.accept(stream).await {
                        let _ = stream.read(&mut [0; 64]).await;
                    }
                }
                Manner::HangUp => {}
                Manner::Wait => std::future::pending().await,
            }
        }
    })
    .await
}

enum Manner {
    Serve,
    HangUp,
    Wait,
}

#[tokio::test]
async fn a_version_is_declined_by_a_server_that_is_heard() {
    let scan = async |server: &Server| {
        let mut plan = plan("localhost", &[server.address.port()]);
        plan.limits.read_timeout = std::time::Duration::from_millis(500);
        run(plan).await
    };
    let hangs_up = tls(|version| if version < 3 { Manner::HangUp } else { Manner::Serve }).await;
    let outcome = scan(&hangs_up).await;
    assert_eq!(reason(&outcome, "tls"), (CoverageStatus::Done, None), "it still serves, so that hanging up was a word");
    assert!(is_tested(&outcome, "tls", "tls.tls1.0", "/"));

    let waits = tls(|version| if version == 1 { Manner::Wait } else { Manner::Serve }).await;
    let outcome = scan(&waits).await;
    assert_eq!(reason(&outcome, "tls"), (CoverageStatus::Timeout, Some("no reply in time".to_owned())));
    let found: Vec<&str> = outcome.issues.iter().map(|issue| issue.check).collect();
    assert!(found.contains(&"tls.certificate-self-signed"), "what was seen is told all the same: {found:?}");

    static SINCE: AtomicUsize = AtomicUsize::new(0);
    let leaves = tls(|version| {
        // Only the survey offers SSL 3, and all versions at once; then one suite after the other.
        let is_survey = version == 0 || SINCE.load(Ordering::Relaxed) > 0;
        if is_survey && SINCE.fetch_add(1, Ordering::Relaxed) > 6 { Manner::HangUp } else { Manner::Serve }
    })
    .await;
    let outcome = scan(&leaves).await;
    assert_eq!(reason(&outcome, "tls"), (CoverageStatus::Error, Some("connection closed".to_owned())));
    assert!(outcome.issues.iter().all(|issue| issue.check != "tls.no-tls1.3"), "nobody knows what it offers");
}

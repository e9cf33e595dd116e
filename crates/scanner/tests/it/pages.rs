//! Web servers whose pages differ from run to run: what was not asked this time is not counted as tested.

use scanner::{Intrusiveness, Outcome, Plan};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{plan, run};
use crate::servers::{Server, serve};
use crate::unheard::is_tested;

/// Status, headers with their line ends and body for a path.
type Answer = fn(&str) -> (u16, &'static str, &'static str);

async fn web(answer: Answer) -> Server {
    serve(move |mut stream| async move {
        let mut request = [0; 4096];
        let Ok(count @ 1..) = stream.read(&mut request).await else { return };
        let head = String::from_utf8_lossy(&request[..count]).into_owned();
        let path = head.split([' ', '?']).nth(1).unwrap_or_default();
        let (status, headers, body) = answer(path);
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} Said\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}");
        let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes()).await;
    })
    .await
}

async fn scan(answer: Answer) -> Outcome {
    let server = web(answer).await;
    run(Plan { intrusiveness: Intrusiveness::Intrusive, ..plan("127.0.0.1", &[server.address.port()]) }).await
}

const LISTING: &str = "<html><head><title>Index of /old/</title></head><body><h1>Index of /old/</h1></body></html>";

#[tokio::test]
async fn a_directory_that_no_page_names_was_not_asked() {
    let checks = [
        ("http.passive", "http.directory-listing", "/old/"),
        ("http.passive", "http.basic-over-plain", "/old/"),
        ("http.pages", "http.alias-traversal", "/old"),
        ("http.intrusive", "http.default-credentials", "/old/"),
        ("http.intrusive", "http.upload-by-put", "/old/"),
    ];
    let linked = scan(|path| match path {
        "/" => (200, "", "<html><a href=\"/old/a\">old</a></html>"),
        "/old/" => (200, "", LISTING),
        _ => (404, "", ""),
    })
    .await;
    let unlinked = scan(|path| match path {
        "/" => (200, "", "<html>hello</html>"),
        "/old/" => (200, "", LISTING),
        _ => (404, "", ""),
    })
    .await;
    assert!(linked.issues.iter().any(|issue| issue.check == "http.directory-listing"), "{:?}", linked.issues);
    for (set, check, path) in checks {
        assert!(is_tested(&linked, set, check, path), "{check}: {:#?}", linked.coverage);
        assert!(!is_tested(&unlinked, set, check, path), "{check}");
        assert!(is_tested(&unlinked, set, check, &path.replace("old", "backup")), "{check}");
    }
}

#[tokio::test]
async fn a_first_page_that_lies_elsewhere_now_is_the_only_one_that_was_judged() {
    let moved = scan(|path| match path {
        "/" => (302, "Location: /welcome\r\nServer: lab/1.2\r\n", ""),
        "/welcome" => (200, "Server: lab/1.2\r\n", "<html>hello</html>"),
        _ => (404, "", ""),
    })
    .await;
    assert!(is_tested(&moved, "http.passive", "http.csp-missing", "/welcome"));
    assert!(is_tested(&moved, "http.passive", "http.csp-missing", "/"), "a page that leads on shows nothing");
    assert!(!is_tested(&moved, "http.passive", "http.server-version", "/"), "it still gives its version away, told of the first page");
    assert!(!is_tested(&moved, "http.passive", "http.csp-missing", "/home"), "the first page of another run");
    assert!(is_tested(&moved, "http.pages", "http.method-trace", "/welcome"));
    assert!(!is_tested(&moved, "http.pages", "http.method-trace", "/home"));
    assert!(!is_tested(&moved, "http.passive", "http.no-https-redirect", "/welcome"), "no HTTPS was met that it could lead to");
}

#[tokio::test]
async fn a_page_behind_the_first_find_was_not_asked() {
    let outcome = scan(|path| match path {
        "/" => (200, "", "<html>hello</html>"),
        "/api/" => (200, "Access-Control-Allow-Origin: null\r\nAccess-Control-Allow-Credentials: true\r\n", ""),
        "/file" => (200, "", "root:x:0:0:root:/root:/bin/sh"),
        _ => (404, "", ""),
    })
    .await;
    for (check, before, after) in [("http.cors-null-origin", "/api", "/graphql"), ("http.path-traversal", "/", "/download")] {
        assert!(outcome.issues.iter().any(|issue| issue.check == check), "{check}");
        assert!(is_tested(&outcome, "http.pages", check, before), "{check}");
        assert!(!is_tested(&outcome, "http.pages", check, after), "{check}");
    }
}

#[tokio::test]
async fn a_protected_place_without_a_try_is_not_known_to_have_a_good_password() {
    let outcome = scan(|path| match path {
        "/" => (200, "", "<html>hello</html>"),
        "/admin/" | "/backup/" | "/data/" | "/private/" => (401, "WWW-Authenticate: Basic realm=lab\r\n", ""),
        _ => (404, "", ""),
    })
    .await;
    let is_tried = |path| is_tested(&outcome, "http.intrusive", "http.default-credentials", path);
    assert!(is_tried("/admin/") && is_tried("/backup/") && is_tried("/data/") && is_tried("/tmp/"));
    assert!(!is_tried("/private/"));
    // Of the places that ask for passwords in the open one is told; of the others it is not known to be repaired.
    let is_closed = |path| is_tested(&outcome, "http.passive", "http.basic-over-plain", path);
    assert!(is_closed("/admin/") && is_closed("/tmp/") && !is_closed("/backup/"));
}

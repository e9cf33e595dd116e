//! Judges the page an origin leads to: headers, cookies, listings, leaks.

use super::Landing;
use super::client::{Client, Page};
use super::cookies;
use crate::catalogue::{Check, http};
use crate::report::Issue;

/// Text that only an unhandled error of a framework prints.
const TRACES: &[&[&str]] = &[
    &["Traceback (most recent call last)", "File "],
    &["java.lang.", "at ", ".java:"],
    &["Fatal error</b>:", " on line <b>"],
    &["Exception Details:", "Stack Trace:"],
    &["Whitelabel Error Page", "Exception"],
    &["DEBUG = True", "Django"],
    &["Werkzeug Debugger"],
    &["goroutine ", "runtime/panic.go"],
    &["at Object.", ".js:", "node_modules"],
];

/// Marks of generated lists, in lower case; both stand in the page.
const LISTINGS: &[(&str, &str)] = &[
    ("<title>index of /", "<h1>index of /"),
    ("<title>index of /", "<h2>index of /"),
    ("<title>directory listing of ", "<h1>"),
    ("<title>files within", "<h1>"),
    ("<title>directory listing for /", "<h1>directory listing for /"),
    ("directory listing for [", "<h1>directory listing for"),
    ("[to parent directory]", "<pre><a href="),
    ("<title>listing of /", "<h1>"),
    ("<title>directory: /", "directory: /"),
    // Caddy names the directory only.
    ("https://caddyserver.com", "<div class=\"listing\">"),
    ("https://caddyserver.com", "<div id=\"summary\">"),
];

/// Rules for showing a page, which only a page that is shown can have or lack.
const SHOWN: &[&Check] =
    &[&http::CSP_MISSING, &http::CSP_WEAK, &http::SNIFFING, &http::FRAMING, &http::REFERRER_POLICY, &http::PERMISSIONS_POLICY];
/// What stands in the text of a page.
const WRITTEN: &[&Check] = &[&http::DIRECTORY_LISTING, &http::STACK_TRACE, &http::PASSWORD_OVER_HTTP];
/// What every answer may set, whatever it shows.
pub(super) const COOKIES: &[&Check] =
    &[&http::COOKIE_NOT_SECURE, &http::COOKIE_NOT_HTTP_ONLY, &http::COOKIE_NO_SAME_SITE, &http::COOKIE_SAME_SITE_NONE];

/// The checks that the first page and those on the way to it are put to. Whether plain HTTP should lead to HTTPS is known only where
/// HTTPS was met.
pub(super) fn made(landing: &Landing, https_elsewhere: bool) -> Vec<&'static Check> {
    let is_known = https_elsewhere || leads_to_https(landing);
    http::PASSIVE.iter().filter(|check| is_known || check.id != http::NO_HTTPS_REDIRECT.id).collect()
}

/// What a page that was passed on the way to the first one has, and is told of that one only.
pub(super) fn untold(client: &Client<'_>, hop: &Page, https_elsewhere: bool) -> Vec<Issue> {
    let passed = Landing { page: hop.clone(), leaves_to: None, hops: Vec::new() };
    let is_told = |issue: &Issue| COOKIES.iter().any(|check| check.id == issue.check);
    judge(client, &passed, https_elsewhere).into_iter().filter(|issue| !is_told(issue)).collect()
}

/// Checks that the first page does not decide although it is whole, and why.
pub(super) fn undecided(page: &Page) -> Vec<(&'static Check, &'static str)> {
    let of = |checks: &[&'static Check], reason| checks.iter().map(|check| (*check, reason)).collect();
    match page.status {
        // Nothing is there any more, so nothing is shown.
        404 | 410 => Vec::new(),
        400..500 => of(SHOWN, "the first page was not shown"),
        200 if page.body.is_empty() => of(&[SHOWN, WRITTEN].concat(), "the first page is empty"),
        _ => Vec::new(),
    }
}

pub(super) fn judge(client: &Client<'_>, landing: &Landing, https_elsewhere: bool) -> Vec<Issue> {
    let page = &landing.page;
    let mut issues = Vec::new();
    for passed in landing.hops.iter().chain([page]) {
        cookies_of(client, passed, &mut issues);
    }
    leaks(client, page, &mut issues);
    if client.tls {
        transport_security(client, page, &mut issues);
        if let Some(away) = landing.leaves_to.as_ref().filter(|url| url.scheme() == "http") {
            issues.push(issue(client, page, &http::DOWNGRADE).about("location").evidence("location", away.as_str()));
        }
    } else {
        plain(client, landing, https_elsewhere, &mut issues);
    }
    // Only a page that a browser would show is in need of rules for showing it.
    if page.is_html() && (200..300).contains(&page.status) {
        headers(client, page, &mut issues);
        issues.extend(listing(client, page));
    }
    issues
}

pub(super) fn issue(client: &Client<'_>, page: &Page, check: &Check) -> Issue {
    Issue::new(check, client.endpoint.address, &client.endpoint.host).at(&page.url).evidence("status", page.status.to_string())
}

/// True when the body is a generated list of a directory's files.
pub(super) fn listing(client: &Client<'_>, page: &Page) -> Option<Issue> {
    let text = page.text();
    let lower = text.to_ascii_lowercase();
    let mark = LISTINGS.iter().find(|(title, rest)| lower.contains(title) && lower.contains(rest)).map(|(title, _)| *title);
    let mark = mark.or_else(|| is_go_listing(&lower).then_some("<pre> <a href="))?;
    Some(
        issue(client, page, &http::DIRECTORY_LISTING)
            .evidence("marker", mark)
            .evidence("excerpt", text.chars().take(300).collect::<String>()),
    )
}

/// Go's file server writes a list of links and nothing else.
fn is_go_listing(lower: &str) -> bool {
    let body = lower.trim_start();
    let body = body.strip_prefix("<!doctype html>").unwrap_or(body).trim_start();
    let body = body.strip_prefix("<meta name=\"viewport\" content=\"width=device-width\">").unwrap_or(body).trim_start();
    body.starts_with("<pre>\n<a href=\"") && body.trim_end().ends_with("</a>\n</pre>")
}

fn headers(client: &Client<'_>, page: &Page, issues: &mut Vec<Issue>) {
    let policy = page.all("content-security-policy").join(", ").to_ascii_lowercase();
    if policy.is_empty() {
        issues.push(issue(client, page, &http::CSP_MISSING).about("content-security-policy"));
    } else if let Some(weak) = weak_script_source(&policy) {
        issues.push(
            issue(client, page, &http::CSP_WEAK)
                .about("content-security-policy")
                .evidence("source", weak)
                .evidence("content-security-policy", &policy),
        );
    }
    let sniffing = page.header("x-content-type-options").is_some_and(|value| value.trim().eq_ignore_ascii_case("nosniff"));
    if !sniffing {
        issues.push(issue(client, page, &http::SNIFFING).about("x-content-type-options"));
    }
    let framing = page.header("x-frame-options").map(str::to_ascii_lowercase);
    let framed = policy.contains("frame-ancestors") || framing.is_some_and(|value| matches!(value.trim(), "deny" | "sameorigin"));
    if !framed {
        issues.push(issue(client, page, &http::FRAMING).about("x-frame-options"));
    }
    if page.header("referrer-policy").is_none() {
        issues.push(issue(client, page, &http::REFERRER_POLICY).about("referrer-policy"));
    }
    if page.header("permissions-policy").is_none() {
        issues.push(issue(client, page, &http::PERMISSIONS_POLICY).about("permissions-policy"));
    }
}

/// The source that lets a policy run foreign or inline scripts, if there is one.
fn weak_script_source(policy: &str) -> Option<&'static str> {
    let directives: Vec<Vec<&str>> = policy.split([';', ',']).map(|directive| directive.split_whitespace().collect()).collect();
    let named = |name: &str| directives.iter().find(|words| words.first() == Some(&name)).map(|words| words.get(1..).unwrap_or_default());
    let Some(sources) = named("script-src").or_else(|| named("default-src")) else {
        return Some("no script-src");
    };
    // A nonce or hash makes browsers ignore 'unsafe-inline'.
    let guarded = sources.iter().any(|source| source.starts_with("'nonce-") || source.starts_with("'sha"));
    ["'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:"]
        .into_iter()
        .find(|weak| sources.contains(weak) && !(guarded && *weak == "'unsafe-inline'"))
}

/// True when a browser would show the page or follow it; interfaces for programs need no rules for browsers.
fn is_for_browsers(page: &Page) -> bool {
    let text = || page.header("content-type").is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/"));
    page.is_html() || page.is_redirect() || page.is_success() && text()
}

fn transport_security(client: &Client<'_>, page: &Page, issues: &mut Vec<Issue>) {
    let Some(value) = page.header("strict-transport-security") else {
        if !is_for_browsers(page) {
            return;
        }
        issues.push(issue(client, page, &http::HSTS_MISSING).about("strict-transport-security"));
        return;
    };
    let seconds = value
        .to_ascii_lowercase()
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("max-age=")?.trim_matches('"').parse::<u64>().ok())
        .next()
        .unwrap_or(0);
    if seconds < 15_552_000 {
        issues.push(issue(client, page, &http::HSTS_SHORT).about("strict-transport-security").evidence("strict-transport-security", value));
    }
}

fn plain(client: &Client<'_>, landing: &Landing, https_elsewhere: bool, issues: &mut Vec<Issue>) {
    let page = &landing.page;
    if https_elsewhere && !leads_to_https(landing) && page.status < 400 {
        issues.push(issue(client, page, &http::NO_HTTPS_REDIRECT));
    }
    passwords(client, page, issues);
}

fn leads_to_https(landing: &Landing) -> bool {
    landing.leaves_to.as_ref().is_some_and(|url| url.scheme() == "https")
}

/// Ways of asking for a password that send it readable.
pub(super) fn passwords(client: &Client<'_>, page: &Page, issues: &mut Vec<Issue>) {
    if client.tls {
        return;
    }
    if asks_for_basic(page) {
        issues.push(
            issue(client, page, &http::BASIC_OVER_HTTP)
                .about("www-authenticate")
                .evidence("www-authenticate", page.header("www-authenticate").unwrap_or_default()),
        );
    }
    let text = page.text().to_ascii_lowercase();
    if page.is_html() && (text.contains("type=\"password\"") || text.contains("type='password'") || text.contains("type=password")) {
        issues.push(issue(client, page, &http::PASSWORD_OVER_HTTP).sure(85));
    }
}

/// True when the page asks for a name and a password that any program can send.
pub(super) fn asks_for_basic(page: &Page) -> bool {
    page.status == 401 && page.all("www-authenticate").iter().any(|value| value.to_ascii_lowercase().starts_with("basic"))
}

/// What is wrong with the cookies a page sets.
pub(super) fn cookies_of(client: &Client<'_>, page: &Page, issues: &mut Vec<Issue>) {
    for line in page.all("set-cookie").into_iter().take(50) {
        let verdict = cookies::judge(line, client.tls);
        for check in verdict.checks {
            issues.push(issue(client, page, check).about(&verdict.name).evidence("set-cookie", &verdict.line));
        }
    }
}

/// What a page gives away about its making.
pub(super) fn leaks(client: &Client<'_>, page: &Page, issues: &mut Vec<Issue>) {
    if let Some(server) = page.header("server")
        && server.contains(|character: char| character.is_ascii_digit())
    {
        issues.push(issue(client, page, &http::SERVER_VERSION).about("server").evidence("server", server));
    }
    for name in ["x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator"] {
        if let Some(value) = page.header(name) {
            issues.push(issue(client, page, &http::POWERED_BY).about(name).evidence(name, value));
        }
    }
    let text = page.text();
    if let Some(marks) = TRACES.iter().find(|marks| marks.iter().all(|mark| text.contains(mark))) {
        let mark = marks.first().copied().unwrap_or_default();
        let at = text.find(mark).unwrap_or(0);
        let excerpt: String = text.get(at..).unwrap_or_default().chars().take(300).collect();
        issues.push(issue(client, page, &http::STACK_TRACE).evidence("excerpt", excerpt).sure(90));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_links_is_told_from_a_page_with_links() {
        assert!(is_go_listing("<pre>\n<a href=\"a.txt\">a.txt</a>\n<a href=\"b/\">b/</a>\n</pre>\n"));
        assert!(is_go_listing(
            "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n<a href=\"a\">a</a>\n</pre>\n"
        ));
        assert!(!is_go_listing("<html><pre>\n<a href=\"a\">a</a>\n</pre>"));
    }

    #[test]
    fn a_policy_is_weak_only_where_scripts_are() {
        assert_eq!(weak_script_source("default-src 'self'; style-src 'unsafe-inline'"), None);
        assert_eq!(weak_script_source("script-src 'self' 'unsafe-inline'"), Some("'unsafe-inline'"));
        assert_eq!(weak_script_source("script-src 'nonce-abc' 'unsafe-inline'"), None);
        assert_eq!(weak_script_source("frame-ancestors 'none'"), Some("no script-src"));
    }
}

//! Requests a browser would not make: methods, origins, redirects and files.
//! Invariant: nothing is written, and a catch-all page proves nothing.

use std::collections::BTreeSet;

use hyper::Method;
use url::Url;

use super::Landing;
use super::asked::Asked;
use super::client::{Client, Fetch, Page};
use super::files::{FILES, File};
use super::heard::{Doubtful, Doubts, ERROR, Flaw, Refusal, wall};
use super::inputs;
use super::page::{COOKIES, asks_for_basic, cookies_of, issue, leaks, listing, passwords};
use crate::catalogue::{Check, http};
use crate::report::Issue;
use crate::session::Session;

/// An origin that nobody owns.
pub(super) const FOREIGN: &str = "https://tyrian-origin-test.invalid";
/// Pages where applications ask who comes.
const LOGIN_PATHS: &[&str] =
    &["/login", "/signin", "/login.php", "/login.html", "/user/login", "/users/sign_in", "/auth/login", "/wp-login.php"];
/// Where applications answer programs, whose answers need more care than a front page.
const INTERFACE_PATHS: &[&str] = &["/api", "/api/", "/api/v1/", "/api/users", "/api/me", "/graphql"];
const METHODS: &[&Check] = &[&http::TRACE, &http::WRITE_METHODS];
const ORIGINS: &[&Check] = &[&http::CORS_REFLECTED, &http::CORS_NULL, &http::CORS_WILDCARD];
/// What a page that does not exist gives away.
const LEAKS: &[&Check] = &[&http::SERVER_VERSION, &http::POWERED_BY, &http::STACK_TRACE];
/// How a page asks for a password.
const PASSWORDS: &[&Check] = &[&http::BASIC_OVER_HTTP, &http::PASSWORD_OVER_HTTP];
/// Failed requests after which an origin is believed to be gone.
const FAILURES_BORNE: usize = 8;

pub(super) async fn probe(
    session: &Session,
    client: &Client<'_>,
    landing: &Landing,
    directories: &[String],
    doubts: &mut Doubts,
    asked: &mut Asked,
) -> Result<(), String> {
    let mut found = Vec::new();
    let result = all(session, client, landing, directories, &mut found, doubts, asked).await;
    let mut told = BTreeSet::new();
    for issue in found {
        // One version banner per origin is enough.
        let place = issue.url.as_ref().map(|url| url.path().to_owned());
        let key = match issue.check {
            "http.server-version" | "http.powered-by" => None,
            _ => place,
        };
        if told.insert((issue.check, key, issue.parameter.clone())) {
            session.issue(issue).await;
        }
    }
    result
}

async fn all(
    session: &Session,
    client: &Client<'_>,
    landing: &Landing,
    directories: &[String],
    found: &mut Vec<Issue>,
    doubts: &mut Doubts,
    asked: &mut Asked,
) -> Result<(), String> {
    // A server that leaves one question unanswered may well answer the next; what it left is said in the end.
    let missing = missing_page(client, landing, found, asked).await;
    // An error of the application is a page of its own.
    let unheard: Vec<Doubtful> = client.doubtful().into_iter().filter(|doubtful| doubtful.flaw != ERROR).collect();
    doubts.note(LEAKS, &unheard, Refusal::LeavesOpen);
    // A server that refuses pages nobody has named refuses everything, and a refusal tells nothing of a page.
    let refusal = match missing {
        Ok(Some(Flaw::Forbidden)) => Refusal::LeavesOpen,
        _ => Refusal::Decides,
    };
    let first = missing.clone().ok().flatten();
    let mut outcomes = vec![missing.map(|_| ())];
    // To refuse a method or an origin is the repair.
    outcomes.push(methods(client, landing, found, asked).await);
    doubts.note(METHODS, &client.doubtful(), refusal);
    outcomes.push(origins(client, landing, found, asked).await);
    doubts.note(ORIGINS, &client.doubtful(), refusal);
    outcomes.push(inputs::probe(session, client, landing, directories, found, doubts, asked).await);
    outcomes.push(files(session, client, found, doubts, refusal).await);
    outcomes.push(listings(session, client, landing, directories, found, asked).await);
    doubts.note(&[&http::DIRECTORY_LISTING, &http::BASIC_OVER_HTTP, &http::PASSWORD_OVER_HTTP], &client.doubtful(), refusal);
    outcomes.push(logins(client, landing, found, asked).await);
    doubts.note(&[COOKIES, PASSWORDS].concat(), &client.doubtful(), Refusal::LeavesOpen);
    // Who asks so much may be shut out on the way, and the refusals since were none of the pages.
    outcomes.push(match wall(session, client).await {
        Ok(Some(flaw)) if first.is_none() => Err(flaw.reason()),
        last => last.map(|_| ()),
    });
    outcomes.into_iter().collect()
}

async fn methods(client: &Client<'_>, landing: &Landing, found: &mut Vec<Issue>, asked: &mut Asked) -> Result<(), String> {
    let url = &landing.page.url;
    let traced = client.fetch(Fetch::get(url).method(Method::TRACE).with("x-tyrian-trace", "echo-me")).await?;
    if traced.status == 200 && crate::wire::contains(&traced.body.to_ascii_lowercase(), b"x-tyrian-trace: echo-me") {
        found.push(issue(client, &traced, &http::TRACE).evidence("echo", "x-tyrian-trace: echo-me"));
    }
    let options = client.fetch(Fetch::get(url).method(Method::OPTIONS)).await?;
    let allowed = options.all("allow").join(", ").to_ascii_uppercase();
    let writing: Vec<&str> = allowed.split([',', ' ']).filter(|method| matches!(*method, "PUT" | "DELETE")).collect();
    if options.status < 400 && !writing.is_empty() {
        found.push(issue(client, &options, &http::WRITE_METHODS).about(writing.join(",")).evidence("allow", &allowed).sure(60));
    }
    asked.page(METHODS, url);
    Ok(())
}

async fn origins(client: &Client<'_>, landing: &Landing, found: &mut Vec<Issue>, asked: &mut Asked) -> Result<(), String> {
    let interfaces = INTERFACE_PATHS.iter().map(|path| client.url(path)).collect::<Result<Vec<Url>, String>>()?;
    // One page shows what the server does with origins; those behind it are not asked, and count as little.
    for url in [&landing.page.url].into_iter().chain(&interfaces) {
        let is_found = origins_at(client, url, found).await?;
        asked.page(ORIGINS, url);
        if is_found {
            break;
        }
    }
    Ok(())
}

/// True when something was found.
async fn origins_at(client: &Client<'_>, url: &Url, found: &mut Vec<Issue>) -> Result<bool, String> {
    let before = found.len();
    for (origin, check) in [(FOREIGN, &http::CORS_REFLECTED), ("null", &http::CORS_NULL)] {
        let page = client.fetch(Fetch::get(url).with("origin", origin)).await?;
        let allowed = page.header("access-control-allow-origin").unwrap_or_default();
        let credentials = page.header("access-control-allow-credentials").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let check = match allowed {
            "*" => &http::CORS_WILDCARD,
            same if same == origin => check,
            _ => continue,
        };
        if credentials {
            found.push(
                issue(client, &page, check)
                    .about("access-control-allow-origin")
                    .evidence("origin", origin)
                    .evidence("access-control-allow-origin", allowed)
                    .evidence("access-control-allow-credentials", "true"),
            );
        }
    }
    Ok(found.len() > before)
}

/// Pages where visitors log in get their session, wherever the landing page leads.
async fn logins(client: &Client<'_>, landing: &Landing, found: &mut Vec<Issue>, asked: &mut Asked) -> Result<(), String> {
    let mut known = Vec::new();
    for page in landing.hops.iter().chain([&landing.page]) {
        cookies_of(client, page, &mut known);
        passwords(client, page, &mut known);
    }
    let paths: Vec<String> = LOGIN_PATHS.iter().map(|path| (*path).to_owned()).collect();
    for page in client.get_all(&paths).await {
        let page = page?;
        let mut seen = Vec::new();
        cookies_of(client, &page, &mut seen);
        passwords(client, &page, &mut seen);
        let mut untold = Vec::new();
        for issue in seen {
            let is_shown = page.is_success() || COOKIES.iter().any(|check| check.id == issue.check);
            if is_shown && !known.iter().any(|one| one.check == issue.check && one.parameter == issue.parameter) {
                known.push(issue.clone());
                found.push(issue);
            } else {
                untold.push(issue);
            }
        }
        asked.judged(&[COOKIES, PASSWORDS].concat(), &page.url, &untold);
    }
    Ok(())
}

/// A page that does not exist shows how the server answers errors, and whether it answers at all. Every run asks a place for the same
/// name, so that what it gave away can be seen to be gone.
async fn missing_page(client: &Client<'_>, landing: &Landing, found: &mut Vec<Issue>, asked: &mut Asked) -> Result<Option<Flaw>, String> {
    let url = client.url(&format!("/{}", word(&format!("{} page", client.endpoint.address))))?;
    let page = client.fetch(Fetch::get(&url)).await?;
    let mut given_away = Vec::new();
    leaks(client, &page, &mut given_away);
    // What the landing page already tells is reported there.
    let is_new = |issue: &Issue| issue.parameter.as_deref().is_none_or(|name| landing.page.header(name) != page.header(name));
    let (told, untold): (Vec<Issue>, Vec<Issue>) = given_away.into_iter().partition(is_new);
    asked.judged(LEAKS, &page.url, &untold);
    found.extend(told);
    Ok(Doubtful::of(&page).map(|doubtful| doubtful.flaw))
}

async fn files(
    session: &Session,
    client: &Client<'_>,
    found: &mut Vec<Issue>,
    doubts: &mut Doubts,
    refusal: Refusal,
) -> Result<(), String> {
    let mut failures = Vec::new();
    for batch in FILES.chunks(FAILURES_BORNE) {
        let paths: Vec<String> = batch.iter().map(|file| file.path.to_owned()).collect();
        for (file, answer) in batch.iter().zip(client.get_all(&paths).await) {
            match answer {
                Ok(page) => {
                    if page.is_success() && file.proof.holds(&page.body) && !is_catch_all(session, client, file).await? {
                        found.push(exposed(client, file, &page));
                    }
                    doubts.note(&[file.check], Doubtful::of(&page).as_slice(), refusal);
                }
                Err(error) => failures.push(error),
            }
        }
        if failures.len() >= FAILURES_BORNE {
            break;
        }
    }
    // Each answer was looked at with its file.
    client.doubtful();
    answered(&failures)
}

async fn listings(
    session: &Session,
    client: &Client<'_>,
    landing: &Landing,
    directories: &[String],
    found: &mut Vec<Issue>,
    asked: &mut Asked,
) -> Result<(), String> {
    let mut failures = Vec::new();
    let mut basic = asks_for_basic(&landing.page);
    let mut listings = Vec::new();
    for page in client.get_all(directories).await {
        let page = match page {
            // The landing page was judged already.
            Ok(page) if page.url == landing.page.url => continue,
            Ok(page) => page,
            Err(error) => {
                failures.push(error);
                continue;
            }
        };
        if page.is_success() {
            listings.extend(listing(client, &page));
        }
        asked.page(&[&http::DIRECTORY_LISTING], &page.url);
        let mut seen = Vec::new();
        passwords(client, &page, &mut seen);
        // One place that asks for passwords is enough.
        if asks_for_basic(&page) && !basic {
            basic = true;
            found.append(&mut seen);
        }
        if !client.tls {
            asked.judged(PASSWORDS, &page.url, &seen);
        }
    }
    if !listings.is_empty() && !lists_anything(session, client).await? {
        found.extend(listings);
    }
    answered(&failures)
}

/// What was not answered was not tested, and must not count as clean.
fn answered(failures: &[String]) -> Result<(), String> {
    match failures.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} requests failed, the first for {first}", failures.len())),
    }
}

fn exposed(client: &Client<'_>, file: &File, page: &Page) -> Issue {
    // Contents are secrets: length and digest prove them without spreading them.
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &page.body);
    issue(client, page, file.check)
        .about(file.path)
        .evidence("length", page.body.len().to_string())
        .evidence("content-type", page.header("content-type").unwrap_or("none"))
        .evidence("sha256", hex::encode(digest.as_ref()))
}

/// True when a file that cannot exist, in the same place and with the same ending, is answered with the same proof.
async fn is_catch_all(session: &Session, client: &Client<'_>, file: &File) -> Result<bool, String> {
    let (directory, name) = file.path.rsplit_once('/').unwrap_or(("", file.path));
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let word = unlikely(session, client, file.path);
    let siblings = [format!("{directory}/{word}.{ending}"), format!("/{word}{}", file.path)];
    for sibling in siblings {
        let page = client.get(&sibling).await?;
        if page.is_success() && file.proof.holds(&page.body) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// True when a directory that cannot exist is listed too: the server shows one listing for every path.
async fn lists_anything(session: &Session, client: &Client<'_>) -> Result<bool, String> {
    let page = client.get(&format!("/{}/", unlikely(session, client, "directory"))).await?;
    Ok(page.is_success() && listing(client, &page).is_some())
}

/// A word nobody has used as a file name, different for each place and run.
pub(super) fn unlikely(session: &Session, client: &Client<'_>, salt: &str) -> String {
    word(&format!("{} {salt} {}", client.endpoint.address, session.plan.now_unix))
}

fn word(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let word = hex::encode(digest.as_ref());
    word.get(..20).unwrap_or(&word).to_owned()
}

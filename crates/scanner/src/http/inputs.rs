//! What a server does with what it is given: redirects, echoes, errors and paths.

use std::collections::BTreeSet;

use super::Landing;
use super::active::{FOREIGN, unlikely};
use super::asked::Asked;
use super::client::{Client, Fetch};
use super::files::Proof;
use super::heard::{Doubtful, Doubts, ERROR, Refusal};
use super::page::{issue, leaks};
use crate::catalogue::http;
use crate::report::Issue;
use crate::session::Session;

/// Parameters that redirecting pages use.
const REDIRECT_PARAMETERS: &[&str] = &["url", "next", "redirect", "redirect_uri", "return", "returnTo", "to", "dest"];
const REDIRECT_PATHS: &[&str] = &["/", "/redirect", "/go", "/out", "/login", "/logout"];
/// Parameters that pages tend to show again.
const SHOWN_PARAMETERS: &[&str] = &["q", "s", "search", "query", "name", "id", "message", "error"];
const SHOWN_PATHS: &[&str] = &["/search", "/find"];
/// Pages that developers leave behind.
const ERROR_PATHS: &[&str] = &["/debug", "/error", "/trace", "/test"];
/// Parameters that name files, and pages that take them.
const FILE_PARAMETERS: &[&str] = &["file", "filename", "path", "page", "name", "template", "doc", "include", "download", "f"];
const FILE_PATHS: &[&str] = &["/", "/file", "/download", "/view", "/read", "/page", "/include", "/index.php", "/static", "/api/file"];
/// Paths that leave the site unless they are resolved before they are judged; sent as they stand.
const WAYS_OUT: &[&str] = &[
    "/../../../../../../../../etc/passwd",
    "/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/cgi-bin/.%2e/.%2e/.%2e/.%2e/.%2e/.%2e/.%2e/etc/passwd",
    "/icons/.%2e/.%2e/.%2e/.%2e/.%2e/.%2e/.%2e/etc/passwd",
    "/static/../../../../../../../../etc/passwd",
];
/// Files above a directory, and what proves them.
const ABOVE: &[(&str, Proof)] =
    &[(".git/HEAD", Proof::GitHead), (".env", Proof::Assignments), ("etc/passwd", Proof::Text(&["root:", ":0:0:"]))];

pub(super) async fn probe(
    session: &Session,
    client: &Client<'_>,
    landing: &Landing,
    directories: &[String],
    found: &mut Vec<Issue>,
    doubts: &mut Doubts,
    asked: &mut Asked,
) -> Result<(), String> {
    // A wall that refuses a question for its words says nothing of the page behind it.
    let mut note = |check, answers: Vec<Doubtful>| doubts.note(&[check], &answers, Refusal::LeavesOpen);
    redirects(client, found).await?;
    note(&http::OPEN_REDIRECT, client.doubtful());
    echoes(session, client, landing, found, asked).await?;
    note(&http::REFLECTED_INPUT, client.doubtful());
    errors(client, found, asked).await?;
    // An error of the application is what was asked for.
    note(&http::STACK_TRACE, client.doubtful().into_iter().filter(|doubtful| doubtful.flaw != ERROR).collect());
    outside(client, found, asked).await?;
    note(&http::PATH_TRAVERSAL, client.doubtful());
    traversals(client, directories, found, asked).await?;
    note(&http::ALIAS_TRAVERSAL, client.doubtful());
    Ok(())
}

async fn redirects(client: &Client<'_>, found: &mut Vec<Issue>) -> Result<(), String> {
    let query: String = REDIRECT_PARAMETERS.iter().map(|name| format!("{name}={FOREIGN}/")).collect::<Vec<_>>().join("&");
    for path in REDIRECT_PATHS {
        let url = client.url(&format!("{path}?{query}"))?;
        let page = client.fetch(Fetch::get(&url)).await?;
        let away = page
            .is_redirect()
            .then(|| page.header("location"))
            .flatten()
            .and_then(|location| url.join(location).ok())
            .filter(|next| next.host_str() == Some(FOREIGN.trim_start_matches("https://")));
        if let Some(away) = away {
            let parameter = guilty(client, path).await?;
            found.push(issue(client, &page, &http::OPEN_REDIRECT).about(parameter).evidence("location", away.as_str()));
        }
    }
    Ok(())
}

/// Which of the parameters sends the visitor away.
async fn guilty(client: &Client<'_>, path: &str) -> Result<String, String> {
    for name in REDIRECT_PARAMETERS {
        let page = client.get(&format!("{path}?{name}={FOREIGN}/")).await?;
        if page.header("location").is_some_and(|location| location.starts_with(FOREIGN)) {
            return Ok((*name).to_owned());
        }
    }
    Ok("several".to_owned())
}

async fn echoes(
    session: &Session,
    client: &Client<'_>,
    landing: &Landing,
    found: &mut Vec<Issue>,
    asked: &mut Asked,
) -> Result<(), String> {
    let word = unlikely(session, client, "echo");
    let marks: Vec<(&str, String)> =
        SHOWN_PARAMETERS.iter().enumerate().map(|(number, name)| (*name, format!("<{word}{number}>"))).collect();
    let own = landing.page.url.path();
    for path in SHOWN_PATHS.iter().copied().chain([own]) {
        let mut url = client.url(path)?;
        url.query_pairs_mut().extend_pairs(&marks);
        let page = client.fetch(Fetch::get(&url)).await?;
        asked.page(&[&http::REFLECTED_INPUT], &page.url);
        let text = page.text();
        // Nobody is shown the page of a redirect.
        if page.is_redirect() || !page.is_html() || !text.contains(&word) {
            continue;
        }
        if let Some((name, mark)) = first_shown(&text, &marks) {
            found.push(issue(client, &page, &http::REFLECTED_INPUT).about(name).evidence("shown", mark).sure(95));
            continue;
        }
        // Some servers show the query as it came; browsers escape it, other clients need not.
        let query = marks.iter().map(|(name, mark)| format!("{name}={mark}")).collect::<Vec<_>>().join("&");
        let raw = client.fetch_unescaped(path, &query).await?;
        // The head repeats the query too, as the address of a redirect, and no browser runs that.
        let Some((_, body)) = raw.split_once("\r\n\r\n").filter(|(head, _)| head.get(9..10) != Some("3")) else { continue };
        if let Some((name, mark)) = first_shown(body, &marks) {
            found.push(issue(client, &page, &http::REFLECTED_INPUT).about(name).evidence("shown", mark).sure(60));
        }
    }
    Ok(())
}

fn first_shown<'a>(text: &str, marks: &'a [(&'a str, String)]) -> Option<(&'a str, &'a str)> {
    marks.iter().find(|(_, mark)| text.contains(mark.as_str())).map(|(name, mark)| (*name, mark.as_str()))
}

async fn errors(client: &Client<'_>, found: &mut Vec<Issue>, asked: &mut Asked) -> Result<(), String> {
    let paths: Vec<String> = ERROR_PATHS.iter().map(|path| (*path).to_owned()).collect();
    for page in client.get_all(&paths).await {
        let (page, mut given_away) = (page?, Vec::new());
        leaks(client, &page, &mut given_away);
        asked.page(&[&http::STACK_TRACE], &page.url);
        found.extend(given_away.into_iter().filter(|issue| issue.check == http::STACK_TRACE.id));
    }
    Ok(())
}

/// Asks for a file that every Unix has, by ways out of the site that careless servers leave open.
async fn outside(client: &Client<'_>, found: &mut Vec<Issue>, asked: &mut Asked) -> Result<(), String> {
    let way = "../".repeat(8);
    let query: String = FILE_PARAMETERS.iter().map(|name| format!("{name}={way}etc/passwd")).collect::<Vec<_>>().join("&");
    let ways = FILE_PATHS.iter().map(|path| (*path, query.as_str())).chain(WAYS_OUT.iter().map(|path| (*path, "")));
    // One way shows that there is a hole; those behind it are not asked, and count as little.
    for (path, query) in ways {
        let reply = client.fetch_unescaped(path, query).await?;
        match query {
            "" => asked.about(&http::PATH_TRAVERSAL, path),
            _ => asked.page(&[&http::PATH_TRAVERSAL], &client.url(path)?),
        }
        let Some((head, body)) = reply.split_once("\r\n\r\n") else { continue };
        if head.get(9..12) == Some("200") && body.contains("root:") && body.contains(":0:0:") {
            let way = match query {
                "" => path,
                _ => "parameter",
            };
            found.push(
                Issue::new(&http::PATH_TRAVERSAL, client.endpoint.address, &client.endpoint.host)
                    .at(&client.url(path)?)
                    .about(way)
                    .evidence("file", "/etc/passwd")
                    .sure(99),
            );
            break;
        }
    }
    Ok(())
}

async fn traversals(client: &Client<'_>, directories: &[String], found: &mut Vec<Issue>, asked: &mut Asked) -> Result<(), String> {
    let directories = directories.iter().map(|path| path.trim_end_matches('/')).filter(|path| !path.is_empty());
    let tried: Vec<(&str, &(&str, Proof))> = directories.flat_map(|directory| ABOVE.iter().map(move |above| (directory, above))).collect();
    let paths: Vec<String> = tried.iter().map(|(directory, (file, _))| format!("{directory}../{file}")).collect();
    let mut guilty = BTreeSet::new();
    for ((directory, (file, proof)), page) in tried.into_iter().zip(client.get_all(&paths).await) {
        let page = page?;
        asked.about(&http::ALIAS_TRAVERSAL, directory);
        if page.status != 200 || !proof.holds(&page.body) || guilty.contains(directory) {
            continue;
        }
        // The same beside a directory that cannot exist: a page for everything proves nothing.
        let control = client.get(&format!("{directory}-tyrian../{file}")).await?;
        if control.status != 200 || !proof.holds(&control.body) {
            guilty.insert(directory);
            found.push(issue(client, &page, &http::ALIAS_TRAVERSAL).about(directory).evidence("file", file));
        }
    }
    Ok(())
}

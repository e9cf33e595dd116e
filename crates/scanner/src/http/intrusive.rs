//! Trying what should not work: well-known credentials and storing a file, which is removed again.

use hyper::Method;

use super::active::unlikely;
use super::asked::Asked;
use super::client::{Client, Fetch};
use super::heard::{Doubts, Refusal, wall};
use super::page::{asks_for_basic, issue};
use crate::catalogue::http;
use crate::report::{CoverageStatus, Covered};
use crate::session::Session;

/// What is stored; said so that whoever finds it knows.
const CONTENT: &str = "stored by a security scan; may be deleted\n";
/// `name:password` in Base64, as Basic authentication sends it.
const CREDENTIALS: &[(&str, &str)] = &[
    ("admin:admin", "YWRtaW46YWRtaW4="),
    ("admin:password", "YWRtaW46cGFzc3dvcmQ="),
    ("admin:123456", "YWRtaW46MTIzNDU2"),
    ("admin:", "YWRtaW46"),
    ("root:root", "cm9vdDpyb290"),
    ("tomcat:tomcat", "dG9tY2F0OnRvbWNhdA=="),
    ("guest:guest", "Z3Vlc3Q6Z3Vlc3Q="),
    ("tomcat:s3cret", "dG9tY2F0OnMzY3JldA=="),
    ("admin:tomcat", "YWRtaW46dG9tY2F0"),
    ("admin:changeme", "YWRtaW46Y2hhbmdlbWU="),
    ("test:test", "dGVzdDp0ZXN0"),
    ("user:user", "dXNlcjp1c2Vy"),
    ("user:password", "dXNlcjpwYXNzd29yZA=="),
    ("root:password", "cm9vdDpwYXNzd29yZA=="),
    ("nagiosadmin:nagios", "bmFnaW9zYWRtaW46bmFnaW9z"),
];
/// Consoles that ask for credentials and lie in no directory of their own.
const CONSOLES: &[&str] = &["/manager/html", "/host-manager/html", "/manager/status", "/api/whoami", "/jmx-console/", "/nagios/"];
/// Protected places that are tried, so that nobody is locked out of everything.
const PLACES: usize = 3;

pub(super) async fn probe(
    session: &Session,
    client: &Client<'_>,
    directories: &[String],
    doubts: &mut Doubts,
    asked: &mut Asked,
) -> Result<(), String> {
    let consoles: Vec<String> = CONSOLES.iter().map(|path| (*path).to_owned()).collect();
    let mut asking: Vec<&String> = Vec::new();
    for (path, page) in consoles.iter().chain(directories).zip(client.get_all(&[&consoles, directories].concat()).await) {
        match asks_for_basic(&page?) {
            true => asking.push(path),
            false => asked.about(&http::DEFAULT_CREDENTIALS, path),
        }
    }
    // Where strangers are refused without being asked for a password, none opens the place.
    doubts.note(&[&http::DEFAULT_CREDENTIALS], &client.doubtful(), Refusal::Decides);
    for (number, path) in asking.into_iter().enumerate() {
        if number < PLACES {
            credentials(session, client, path).await?;
            asked.about(&http::DEFAULT_CREDENTIALS, path);
        } else {
            let (parameter, reason) = (Some(path.clone()), Some(format!("passwords were tried at {PLACES} other places")));
            let skipped = Covered::at(http::DEFAULT_CREDENTIALS.id, client.endpoint, CoverageStatus::Skipped);
            session.tell_covered(Covered { parameter, reason, ..skipped }).await;
        }
    }
    // Who guesses too often is locked out, and the next guess was none.
    doubts.note(&[&http::DEFAULT_CREDENTIALS], &client.doubtful(), Refusal::LeavesOpen);
    for directory in directories {
        upload(session, client, directory).await?;
        asked.about(&http::UPLOAD, directory);
    }
    // To refuse the method is the repair.
    doubts.note(&[&http::UPLOAD], &client.doubtful(), Refusal::Decides);
    match wall(session, client).await? {
        Some(flaw) => Err(flaw.reason()),
        None => Ok(()),
    }
}

async fn credentials(session: &Session, client: &Client<'_>, directory: &str) -> Result<(), String> {
    let url = client.url(directory)?;
    // A server that lets nonsense in does not check credentials at all.
    let nonsense = client.fetch(Fetch::get(&url).with("authorization", "Basic dHlyaWFuOnR5cmlhbi1ub25zZW5zZQ==")).await?;
    if nonsense.status != 401 {
        return Ok(());
    }
    for (shown, encoded) in CREDENTIALS {
        let page = client.fetch(Fetch::get(&url).with("authorization", format!("Basic {encoded}"))).await?;
        if (200..300).contains(&page.status) {
            let found = issue(client, &page, &http::DEFAULT_CREDENTIALS).about(directory).evidence("credentials", shown);
            session.issue(found.sure(98)).await;
            return Ok(());
        }
    }
    Ok(())
}

async fn upload(session: &Session, client: &Client<'_>, directory: &str) -> Result<(), String> {
    let name = format!("{directory}{}.txt", unlikely(session, client, directory));
    let url = client.url(&name)?;
    let mut put = Fetch::get(&url).method(Method::PUT);
    put.body = CONTENT;
    let stored = client.fetch(put).await?;
    if !matches!(stored.status, 200 | 201 | 204) {
        return Ok(());
    }
    let back = client.get(&name).await?;
    let removed = client.fetch(Fetch::get(&url).method(Method::DELETE)).await;
    if back.status == 200 && back.body == CONTENT.as_bytes() {
        let gone = matches!(removed, Ok(page) if (200..300).contains(&page.status));
        let found = issue(client, &stored, &http::UPLOAD)
            .about(directory)
            .evidence("stored as", &name)
            .evidence("removed again", if gone { "yes" } else { "no" });
        session.issue(found.sure(99)).await;
    }
    Ok(())
}

//! Databases and control planes that are reached by HTTP: a table.

use hyper::Method;

use super::{Found, Subject};
use crate::catalogue::{Check, exposures};
use crate::http::client::{Client, Fetch};
use crate::wire::WireError;

struct Interface {
    path: &'static str,
    /// Sent by POST when it is not empty.
    question: &'static str,
    /// All of these stand in the answer.
    proof: &'static [&'static str],
    check: &'static Check,
    /// Taken as evidence when it stands in the answer.
    shows: &'static str,
}

const INTERFACES: &[Interface] = &[
    Interface {
        path: "/_cat/indices?format=json",
        question: "",
        proof: &["[", "\"docs.count\"", "\"store.size\""],
        check: &exposures::ELASTICSEARCH,
        shows: "index",
    },
    Interface {
        path: "/",
        question: "",
        proof: &["\"cluster_name\"", "\"lucene_version\"", "\"tagline\""],
        check: &exposures::ELASTICSEARCH,
        shows: "number",
    },
    Interface {
        path: "/version",
        question: "",
        proof: &["\"ApiVersion\"", "\"MinAPIVersion\"", "\"GitCommit\""],
        check: &exposures::DOCKER,
        shows: "Version",
    },
    Interface {
        path: "/v3/kv/range",
        question: "{\"key\":\"AA==\",\"limit\":1,\"keys_only\":true}",
        proof: &["\"header\"", "\"cluster_id\"", "\"raft_term\""],
        check: &exposures::ETCD,
        shows: "cluster_id",
    },
    Interface { path: "/_all_dbs", question: "", proof: &["[", "\"_users\""], check: &exposures::COUCHDB, shows: "" },
];

pub(super) async fn interfaces(subject: &Subject<'_>) -> Found {
    let client = Client::new(subject.session, subject.endpoint, subject.service.tls);
    let mut found: Vec<crate::report::Issue> = Vec::new();
    for interface in INTERFACES {
        if found.iter().any(|issue| issue.check == interface.check.id) {
            continue;
        }
        let url = client.url(interface.path).map_err(WireError::Failed)?;
        let fetch = match interface.question {
            "" => Fetch::get(&url),
            question => Fetch::question(&url, question),
        };
        let method = fetch.method.clone();
        let page = client.fetch(fetch).await.map_err(WireError::Failed)?;
        let text = page.text();
        let proved = page.status == 200
            && !page.is_html()
            && text.trim_start().starts_with(['{', '['])
            && interface.proof.iter().all(|word| text.contains(word));
        if !proved {
            continue;
        }
        let mut issue = subject
            .issue(interface.check)
            .at(&url)
            .evidence("request", format!("{method} {}", interface.path))
            .evidence("length", text.len().to_string());
        if let Some(value) = json_text(&text, interface.shows) {
            issue = issue.evidence(interface.shows, value);
        }
        found.push(issue.sure(if method == Method::GET { 97 } else { 95 }));
    }
    Ok(found)
}

/// The first text that stands behind this key; a glance for evidence, not a parser.
fn json_text<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    if key.is_empty() {
        return None;
    }
    let (_, rest) = text.split_once(&format!("\"{key}\""))?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    rest.split('"').next()
}

//! Databases and control planes that are reached by HTTP: a table.

use hyper::Method;
use url::Url;

use super::Subject;
use crate::catalogue::{Check, exposures, interfaces};
use crate::http::client::{Client, Fetch, Page};
use crate::http::heard::{Doubtful, Doubts, Refusal, wall};
use crate::report::Issue;
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
    Interface {
        path: "/v1/agent/self",
        question: "",
        proof: &["\"Config\"", "\"Datacenter\"", "\"NodeName\""],
        check: &interfaces::CONSUL,
        shows: "NodeName",
    },
    Interface {
        path: "/query?q=SHOW%20DATABASES",
        question: "",
        proof: &["\"results\"", "\"series\"", "\"databases\""],
        check: &interfaces::INFLUXDB,
        shows: "",
    },
    Interface {
        path: "/api/v1/status/config",
        question: "",
        proof: &["\"status\":\"success\"", "\"yaml\"", "global:"],
        check: &interfaces::PROMETHEUS,
        shows: "",
    },
    Interface {
        path: "/varz",
        question: "",
        proof: &["\"server_id\"", "\"max_payload\"", "\"connections\""],
        check: &exposures::NATS_MONITOR,
        shows: "server_name",
    },
    Interface {
        path: "/api/v1/namespaces",
        question: "",
        proof: &["\"NamespaceList\"", "\"items\""],
        check: &interfaces::KUBERNETES_API,
        shows: "resourceVersion",
    },
    Interface { path: "/v2/_catalog", question: "", proof: &["\"repositories\""], check: &interfaces::REGISTRY, shows: "" },
    Interface {
        path: "/api/contents",
        question: "",
        proof: &["\"content\"", "\"mimetype\"", "\"type\": \"directory\""],
        check: &interfaces::JUPYTER,
        shows: "",
    },
    Interface {
        path: "/api/json",
        question: "",
        proof: &["\"_class\":\"hudson.model.Hudson\"", "\"jobs\""],
        check: &interfaces::JENKINS_READABLE,
        shows: "mode",
    },
    Interface { path: "/api/org", question: "", proof: &["\"id\"", "\"name\"", "\"address\""], check: &interfaces::GRAFANA, shows: "name" },
    Interface { path: "/v2/keys/", question: "", proof: &["\"action\":\"get\"", "\"node\""], check: &exposures::ETCD, shows: "" },
    Interface {
        path: "/v1/agent/self",
        question: "",
        proof: &["\"config\"", "\"member\"", "\"stats\"", "nomad"],
        check: &interfaces::NOMAD,
        shows: "",
    },
    Interface {
        path: "/ws/v1/cluster/info",
        question: "",
        proof: &["\"clusterInfo\"", "\"hadoopVersion\""],
        check: &interfaces::HADOOP,
        shows: "hadoopVersion",
    },
    Interface {
        path: "/config",
        question: "",
        proof: &["\"flink-version\"", "\"flink-revision\""],
        check: &interfaces::FLINK,
        shows: "flink-version",
    },
    Interface {
        path: "/collections",
        question: "",
        proof: &["\"result\"", "\"collections\"", "\"status\":\"ok\""],
        check: &interfaces::QDRANT,
        shows: "",
    },
    Interface {
        path: "/_api/version",
        question: "",
        proof: &["\"server\":\"arango\"", "\"version\""],
        check: &interfaces::ARANGODB,
        shows: "version",
    },
    Interface {
        path: "/api/rawdata",
        question: "",
        proof: &["\"routers\"", "\"services\"", "@internal"],
        check: &interfaces::GATEWAY_ADMINISTRATION,
        shows: "",
    },
    Interface {
        path: "/server_info",
        question: "",
        proof: &["\"command_line_options\"", "\"hot_restart_version\""],
        check: &interfaces::GATEWAY_ADMINISTRATION,
        shows: "version",
    },
    Interface {
        path: "/",
        question: "",
        proof: &["\"tagline\":\"Welcome to kong\""],
        check: &interfaces::GATEWAY_ADMINISTRATION,
        shows: "version",
    },
    Interface {
        path: "/status",
        question: "",
        proof: &["\"ready\"", "\"message\"", "Selenium"],
        check: &interfaces::SELENIUM,
        shows: "message",
    },
    Interface {
        path: "/solr/admin/cores?wt=json",
        question: "",
        proof: &["\"responseHeader\"", "\"initFailures\""],
        check: &interfaces::SOLR,
        shows: "instanceDir",
    },
];

/// Pages that only an administrator should see: path, what they say, check. A page that repeats its path must not do.
const PAGES: &[(&str, &[&str], &Check)] = &[
    ("/script", &["Script Console", "Jenkins"], &interfaces::JENKINS),
    ("/console", &["Interactive Console", "EVALEX"], &interfaces::WERKZEUG_CONSOLE),
    ("/h2-console/", &["H2 Console"], &interfaces::DATABASE_PAGE),
    ("/phpmyadmin/", &["phpMyAdmin", "pma_"], &interfaces::DATABASE_PAGE),
    ("/phpMyAdmin/", &["phpMyAdmin", "pma_"], &interfaces::DATABASE_PAGE),
    ("/adminer.php", &["Adminer", "auth[driver]"], &interfaces::DATABASE_PAGE),
    ("/", &["<title>Supervisor Status</title>"], &interfaces::SUPERVISOR),
    ("/", &["Ollama is running"], &interfaces::OLLAMA),
    ("/", &["<ListAllMyBucketsResult"], &interfaces::BUCKETS),
    ("/", &["<ListBucketResult"], &interfaces::BUCKETS),
    ("/", &["Statistics Report for HAProxy"], &interfaces::BALANCER_STATISTICS),
    ("/haproxy?stats", &["Statistics Report for HAProxy"], &interfaces::BALANCER_STATISTICS),
    ("/haproxy_stats", &["Statistics Report for HAProxy"], &interfaces::BALANCER_STATISTICS),
    ("/haproxy/stats", &["Statistics Report for HAProxy"], &interfaces::BALANCER_STATISTICS),
    ("/haproxy-status", &["Statistics Report for HAProxy"], &interfaces::BALANCER_STATISTICS),
    ("/admin?stats", &["Statistics Report for HAProxy"], &interfaces::BALANCER_STATISTICS),
    ("/stats", &["Statistics Report for HAProxy"], &interfaces::BALANCER_STATISTICS),
];
/// A query whose answer no page contains by chance.
const CLICKHOUSE_QUERY: &str = "/?query=SELECT%20concat(%27tyrian-%27,toString(6*7))";

/// Questions left unanswered after which a server is asked no more.
const FAILURES_BORNE: usize = 3;

pub(super) async fn interfaces(subject: &Subject<'_>, found: &mut Vec<Issue>, doubts: &mut Doubts) -> Result<(), WireError> {
    let client = Client::new(subject.session, subject.endpoint, subject.service.tls);
    let mut failures = Vec::new();
    let known = |found: &[Issue], check: &Check| found.iter().any(|issue| issue.check == check.id);
    for interface in INTERFACES {
        if failures.len() >= FAILURES_BORNE {
            break;
        }
        if known(found, interface.check) {
            continue;
        }
        match ask(&client, interface).await {
            Ok(Some((url, text))) => found.push(interface.exposed(subject, &url, &text)),
            Ok(None) => {}
            Err(error) => failures.push(error),
        }
        // To refuse strangers is the repair.
        doubts.note(&[interface.check], &client.doubtful(), Refusal::Decides);
    }
    // Pages are asked for once, whatever they may turn out to be.
    let mut asked: Option<(&str, Page)> = None;
    for (path, words, check) in PAGES {
        if failures.len() >= FAILURES_BORNE {
            break;
        }
        if known(found, check) {
            continue;
        }
        if asked.as_ref().is_none_or(|(last, _)| last != path) {
            match client.get(path).await {
                Ok(page) => asked = Some((path, page)),
                Err(error) => failures.push(error),
            }
            client.doubtful();
        }
        if let Some((last, page)) = &asked
            && last == path
        {
            doubts.note(&[check], Doubtful::of(page).as_slice(), Refusal::Decides);
        }
        if let Some((last, page)) = &asked
            && last == path
            && page.status == 200
        {
            let text = page.text();
            if words.iter().all(|word| text.contains(word)) {
                found.push(subject.issue(check).at(&page.url).evidence("marker", words.join(", ")));
            }
        }
    }
    match client.get(CLICKHOUSE_QUERY).await {
        Ok(page) if page.status == 200 && page.text().trim() == "tyrian-42" => {
            found.push(subject.issue(&interfaces::CLICKHOUSE).evidence("query", "answered").sure(99));
        }
        Ok(page) => doubts.note(&[&interfaces::CLICKHOUSE], Doubtful::of(&page).as_slice(), Refusal::Decides),
        Err(error) => failures.push(error),
    }
    match failures.into_iter().next() {
        Some(first) => Err(WireError::Failed(first)),
        // Where everything is refused, a refusal tells nothing of an interface.
        None => match wall(subject.session, &client).await.map_err(WireError::Failed)? {
            Some(flaw) => Err(WireError::Failed(flaw.reason())),
            None => Ok(()),
        },
    }
}

/// The address and the answer, when it proves that strangers are served.
async fn ask(client: &Client<'_>, interface: &Interface) -> Result<Option<(Url, String)>, String> {
    let url = client.url(interface.path)?;
    let fetch = match interface.question {
        "" => Fetch::get(&url),
        question => Fetch::question(&url, question),
    };
    let page = client.fetch(fetch).await?;
    let text = page.text();
    let proved = page.status == 200
        && !page.is_html()
        && text.trim_start().starts_with(['{', '['])
        && interface.proof.iter().all(|word| text.contains(word));
    Ok(proved.then_some((url, text)))
}

impl Interface {
    fn exposed(&self, subject: &Subject<'_>, url: &Url, text: &str) -> Issue {
        let (method, sure) = match self.question {
            "" => (Method::GET, 97),
            _ => (Method::POST, 95),
        };
        let issue = subject
            .issue(self.check)
            .at(url)
            .evidence("request", format!("{method} {}", self.path))
            .evidence("length", text.len().to_string())
            .sure(sure);
        match json_text(text, self.shows) {
            Some(value) => issue.evidence(self.shows, value),
            None => issue,
        }
    }
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

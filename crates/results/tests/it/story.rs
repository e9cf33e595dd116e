//! The few words the stories share: a nuclei-like file in memory, and a world with the services.

use std::fs::File;
use std::io::{Seek, Write};

use base::{Actor, PageRequest, Result, Role};
use importers::Format;
use results::{Filter, Finding, Import, ImportRequest, Results, Sort};
use scans::Scans;
use serde_json::{Value as Json, json};
use targets::{NewTarget, Target, Targets};
use testkit::{Engine, World};

pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) results: Results,
    pub(crate) scans: Scans,
    pub(crate) targets: Targets,
    pub(crate) actor: Actor,
}

impl Story {
    pub(crate) async fn new(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let scans = Scans::new(&world.backends, &targets, scans::Config::default());
        let results = Results::new(&world.backends, &scans, &targets);
        let actor = world.actor(&[Role::Admin]);
        Self { world, results, scans, targets, actor }
    }

    pub(crate) async fn target(&self, name: &str) -> Target {
        let new: NewTarget = serde_json::from_value(json!({ "name": name, "type": "host" })).unwrap();
        self.targets.create(&self.actor, new).await.unwrap()
    }

    pub(crate) async fn import(&self, text: &str, target: Option<&Target>) -> Result<Import> {
        self.request(request(text, target)).await
    }

    pub(crate) async fn request(&self, request: ImportRequest) -> Result<Import> {
        Box::pin(self.results.import(&self.actor, request)).await
    }

    /// Every finding, by title.
    pub(crate) async fn findings(&self) -> Vec<Finding> {
        let page = PageRequest { cursor: None, limit: Some(500) };
        self.results.findings(&self.actor, &Filter::default(), Sort::Title, &page).await.unwrap().items
    }

    pub(crate) async fn titled(&self, title: &str) -> Finding {
        self.findings().await.into_iter().find(|finding| finding.title == title).unwrap()
    }

    /// Everything that an undo must restore.
    pub(crate) async fn picture(&self) -> Vec<[String; 5]> {
        let mut all: Vec<_> = self
            .findings()
            .await
            .into_iter()
            .map(|finding| {
                let place = serde_json::to_string(&finding.location).unwrap();
                let decision = finding.decision.as_ref().map(|decision| decision.id.to_string()).unwrap_or_default();
                let said = format!("{} {} {:?} {:?}", finding.title, finding.severity, finding.tags, finding.cluster);
                let life = format!("{} {} {} {:?}", finding.status, finding.last_seen, finding.times_seen, finding.fixed_at);
                [finding.id.to_string(), said, life, place, decision]
            })
            .collect();
        all.sort();
        all
    }

    /// How many rows there are beside the findings: what tools said, names in use, turns, statements, copies.
    pub(crate) async fn rows(&self) -> [i64; 6] {
        let mut rows = [0; 6];
        let tables =
            ["observations", "finding_keys WHERE retired_by IS NULL", "finding_history", "coverage", "finding_before", "finding_reviews"];
        for (slot, table) in rows.iter_mut().zip(tables) {
            *slot = self.world.count(table).await;
        }
        rows
    }

    /// The kept figures, which must be what counting one by one comes to.
    pub(crate) async fn assert_tallies(&self) {
        let told = self.results.summary(&self.actor, &Filter::default()).await.unwrap();
        let mut by_status: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
        let mut by_severity: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
        for finding in self.findings().await {
            *by_status.entry(finding.status.as_str()).or_default() += 1;
            if finding.is_open() {
                *by_severity.entry(finding.severity.to_string()).or_default() += 1;
            }
        }
        let of = &told.by_status;
        let named = [
            ("open", of.open),
            ("not_retested", of.not_retested),
            ("accepted", of.accepted),
            ("out_of_scope", of.out_of_scope),
            ("mitigated", of.mitigated),
            ("false_positive", of.false_positive),
            ("fixed", of.fixed),
        ];
        for (name, count) in named {
            assert_eq!(by_status.get(name).copied().unwrap_or(0), count, "{name}: {told:?}");
        }
        for (name, count) in told.by_severity.named() {
            assert_eq!(by_severity.get(name).copied().unwrap_or(0), count, "{name}: {told:?}");
        }
        assert_eq!(by_status.values().sum::<u64>(), told.total);
    }

    /// Title and status of every finding.
    pub(crate) async fn standing(&self) -> Vec<(String, &'static str)> {
        self.findings().await.into_iter().map(|finding| (finding.title, finding.status.as_str())).collect()
    }
}

pub(crate) fn file(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

pub(crate) fn request(text: &str, target: Option<&Target>) -> ImportRequest {
    ImportRequest {
        format: Some(Format::Nuclei),
        filename: Some("results.jsonl".into()),
        target_id: target.map(|target| target.id),
        idempotency_key: None,
        dry_run: false,
        options: results::ImportOptions::default(),
        file: file(text),
    }
}

/// A request with what [`nmap`] wrote.
pub(crate) fn nmap_request(text: &str) -> ImportRequest {
    ImportRequest { format: Some(Format::Nmap), filename: Some("scan.xml".into()), ..request(text, None) }
}

/// One nuclei result.
pub(crate) fn hit(template: &str, severity: &str, url: &str) -> Json {
    json!({
        "template-id": template, "info": { "name": template, "severity": severity, "description": "d" },
        "type": "http", "host": url, "matched-at": url, "matcher-status": true, "timestamp": "2026-01-02T03:04:05Z",
    })
}

/// The same check at the same place, run without a match.
pub(crate) fn miss(template: &str, url: &str) -> Json {
    let mut line = hit(template, "info", url);
    line["matcher-status"] = false.into();
    line
}

pub(crate) fn lines(lines: &[Json]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// An nmap run over ports with these open.
pub(crate) fn nmap(host: &str, searched: &str, open: &[u16]) -> String {
    let ports: String = open
        .iter()
        .map(|port| format!(r#"<port protocol="tcp" portid="{port}"><state state="open" reason="syn-ack"/><service name="http"/></port>"#))
        .collect();
    format!(
        r#"<?xml version="1.0"?><nmaprun scanner="nmap" start="1767323045"><scaninfo type="connect" protocol="tcp" services="{searched}"/><host starttime="1767323045" endtime="1767323046"><status state="up" reason="syn-ack"/><address addr="{host}" addrtype="ipv4"/><ports>{ports}</ports></host><runstats><finished time="1767323046" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>"#
    )
}

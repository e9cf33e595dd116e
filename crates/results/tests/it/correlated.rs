//! What findings have to do with each other: one fix for many, ways inwards, patterns over time; in few statements.

use std::time::Duration;

use base::Kind;
use importers::Format;
use results::{CauseFilter, CauseKind, EdgeKind, ImportRequest, PatternFilter, PatternKind, StepRole};
use serde_json::{Value as Json, json};
use targets::Target;
use testkit::engines;

use crate::risk::{bring, get, work, world};
use crate::story::{Story, hit, lines, miss, nmap, request};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn target(story: &Story, new: Json) -> Target {
    story.targets.create(&story.actor, serde_json::from_value(new).unwrap()).await.unwrap()
}

#[tokio::test]
async fn one_fix_closes_many_findings() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let flaw = |id: &str, fixed: &str| json!({ "VulnerabilityID": id, "PkgName": "lodash", "InstalledVersion": "4.17.1", "FixedVersion": fixed, "Severity": "HIGH" });
        let report = json!({ "SchemaVersion": 2, "ArtifactName": "app", "ArtifactType": "filesystem", "Results": [{ "Target": "package-lock.json",
            "Class": "lang-pkgs", "Type": "npm", "Vulnerabilities": [flaw("CVE-2020-1", "4.17.12"), flaw("CVE-2020-2", "4.17.21")] }] });
        for name in ["one.example", "two.example"] {
            let target = story.target(name).await;
            let request = ImportRequest { format: Some(Format::Trivy), filename: None, ..request(&report.to_string(), Some(&target)) };
            story.request(request).await.unwrap();
        }
        story.import(&lines(&[hit("hsts", "low", "https://a.example/"), hit("hsts", "low", "https://b.example/")]), None).await.unwrap();
        let before = story.world.backends.db.statements();
        let found = story.results.causes(&story.actor, &CauseFilter::default()).await.unwrap();
        assert_eq!(story.world.backends.db.statements() - before, 1, "one statement for five thousand findings");
        assert_eq!((found.looked_at, found.is_complete), (6, true));
        let told: Vec<_> = found.causes.iter().map(|cause| (cause.kind, cause.name.as_str(), cause.findings, cause.targets)).collect();
        assert_eq!(told, [(CauseKind::Package, "lodash", 4, 2), (CauseKind::Configuration, "hsts", 2, 1)]);
        assert!(found.causes[0].fix.as_deref().unwrap().contains("4.17.21"));
        let packages = get(&story, "/findings/causes?kind=package").await;
        assert_eq!(packages["causes"].as_array().unwrap().len(), 1);
        let wrong = CauseFilter { kind: Some("weather".into()), ..CauseFilter::default() };
        assert_eq!(story.results.causes(&story.actor, &wrong).await.unwrap_err().kind(), Kind::Invalid);
    }
}

#[tokio::test]
async fn a_way_from_the_internet_to_a_login_is_told_edge_by_edge() {
    for engine in engines() {
        let story = world(engine).await;
        let web = target(&story, json!({ "name": "shop", "type": "host", "address": "198.51.100.5", "tags": ["exposure:internet"] })).await;
        let vault =
            json!({ "name": "vault", "type": "host", "address": "198.51.100.7", "criticality": "critical", "tags": ["exposure:internal"] });
        let vault = target(&story, vault).await;
        let far = target(&story, json!({ "name": "far", "type": "host", "address": "10.9.9.9", "criticality": "critical" })).await;
        let mut entry = hit("rce", "high", "https://198.51.100.5/login");
        entry["info"]["classification"] = json!({ "cve-id": ["CVE-2024-0002"] });
        let mut secret = hit("leaked-key", "medium", "https://198.51.100.5/.env");
        secret["info"]["classification"] = json!({ "cwe-id": ["cwe-798"] });
        story.import(&lines(&[entry, secret, hit("banner", "info", "https://198.51.100.5/")]), Some(&web)).await.unwrap();
        for (host, to) in [("198.51.100.7", &vault), ("10.9.9.9", &far)] {
            let request = ImportRequest { format: Some(Format::Nmap), filename: None, ..request(&nmap(host, "22", &[22]), Some(to)) };
            story.request(request).await.unwrap();
        }
        work(&story).await;
        let paths = story.results.paths(&story.actor).await.unwrap().paths;
        assert!(paths.is_empty(), "nothing says that it can be exploited: {paths:?}");

        let kev = r#"{"catalogVersion":"1","dateReleased":"2026-01-01T00:00:00Z","vulnerabilities":[
            {"cveID":"CVE-2024-0002","vendorProject":"V","product":"P","vulnerabilityName":"N","dateAdded":"2025-12-01","dueDate":"2026-01-20"}]}"#;
        assert!(bring(&story, "kev", kev, &story.actor).await.0.is_success());
        work(&story).await;
        let before = story.world.backends.db.statements();
        let paths = story.results.paths(&story.actor).await.unwrap().paths;
        assert!(story.world.backends.db.statements() - before <= 4);
        assert_eq!(paths.len(), 1, "{paths:?}");
        let steps: Vec<_> = paths[0].steps.iter().map(|step| (step.role, step.edge, step.place.as_str())).collect();
        assert_eq!(
            steps,
            [
                (StepRole::Entry, None, "198.51.100.5"),
                (StepRole::Credential, Some(EdgeKind::SamePlace), "198.51.100.5"),
                (StepRole::Login, Some(EdgeKind::SameNetwork), "198.51.100.7"),
            ]
        );
        assert_eq!(paths[0].steps[0].because, "reachable from the internet; CVE-2024-0002 is known to be exploited");
        assert_eq!(paths[0].steps[2].because, "both addresses are in 198.51.100.0/24; ssh takes logins on port 22");
        assert_eq!(get(&story, "/findings/paths").await["paths"][0]["steps"][2]["role"], "login");
    }
}

#[tokio::test]
async fn what_comes_back_and_what_comes_all_at_once_is_a_pattern() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let found = |n: u32| hit("back", "high", &format!("https://x.example/{n}"));
        let clock = &story.world.backends.clock;
        for report in [found(1), miss("back", "https://x.example/1"), found(1), miss("back", "https://x.example/1"), found(1)] {
            story.import(&lines(&[report]), None).await.unwrap();
            clock.advance(DAY);
        }
        clock.advance(DAY * 20);
        let loud: Vec<Json> = (0..10).map(|n| hit("loud", "low", &format!("https://y{n}.example/"))).collect();
        story.import(&lines(&loud), None).await.unwrap();
        let patterns = story.results.patterns(&story.actor, &PatternFilter::default()).await.unwrap();
        let told: Vec<_> = patterns.iter().map(|one| (one.kind, one.check.as_str(), one.count, one.findings, one.expected)).collect();
        assert_eq!(told, [(PatternKind::Recurring, "back", 2, 1, None), (PatternKind::Burst, "loud", 10, 10, Some(0.0))]);
        assert_eq!(get(&story, "/findings/patterns?days=14").await.as_array().unwrap().len(), 1, "the older one is out of sight");
        let wrong = PatternFilter { days: Some(3) };
        assert_eq!(story.results.patterns(&story.actor, &wrong).await.unwrap_err().kind(), Kind::Invalid);
    }
}

#[tokio::test]
async fn the_first_import_of_all_is_no_burst() {
    let story = Story::new(testkit::Engine::Embedded).await;
    let loud: Vec<Json> = (0..30).map(|n| hit("loud", "low", &format!("https://y{n}.example/"))).collect();
    story.import(&lines(&loud), None).await.unwrap();
    assert_eq!(story.results.patterns(&story.actor, &PatternFilter::default()).await.unwrap(), []);
}

//! Findings of several tools about the same weakness meet, whatever each calls it, and stay where people put them.

use base::PageRequest;
use importers::Format;
use results::{ClusterJoin, ClusterMove, Finding, ImportRequest};
use serde_json::{Value as Json, json};
use targets::Target;
use testkit::engines;

use crate::risk::{work, world};
use crate::story::{Story, request};

const GHSA: &str = "GHSA-AAAA-BBBB-CCCC";
const CVE: &str = "CVE-2021-12345";

fn trivy(id: &str, package: &str, description: &str) -> Json {
    json!({ "SchemaVersion": 2, "ArtifactName": "app", "ArtifactType": "filesystem", "Results": [{
        "Target": "requirements.txt", "Class": "lang-pkgs", "Type": "pip", "Vulnerabilities": [{
            "VulnerabilityID": id, "PkgName": package, "InstalledVersion": "3.0", "Severity": "HIGH", "Description": description }] }] })
}

fn grype(id: &str) -> Json {
    json!({ "matches": [{ "vulnerability": { "id": id, "severity": "High" }, "relatedVulnerabilities": [],
        "matchDetails": [{ "type": "exact-direct-match" }], "artifact": { "name": "Django", "version": "3.0", "type": "python", "locations": [] } }],
        "descriptor": { "name": "grype" } })
}

fn pip_audit() -> Json {
    json!({ "dependencies": [{ "name": "django", "version": "3.0", "vulns": [{
        "id": "PYSEC-2021-9", "fix_versions": ["3.1"], "aliases": [CVE, GHSA], "description": "d" }] }] })
}

async fn import(story: &Story, format: Format, report: &Json, target: &Target) {
    let request = ImportRequest { format: Some(format), filename: None, ..request(&report.to_string(), Some(target)) };
    story.request(request).await.unwrap();
    work(story).await;
}

async fn of(story: &Story, source: &str, target: &Target) -> Finding {
    story.findings().await.into_iter().find(|finding| finding.source == source && finding.target_id == Some(target.id)).unwrap()
}

async fn cluster(story: &Story, source: &str, target: &Target) -> (String, String) {
    let cluster = of(story, source, target).await.cluster.unwrap();
    (cluster.id, cluster.reason)
}

#[tokio::test]
async fn what_one_tool_knows_of_names_links_what_others_found_before() {
    for engine in engines() {
        let story = world(engine).await;
        let (one, two, three) = (story.target("one.example").await, story.target("two.example").await, story.target("three.example").await);
        import(&story, Format::Trivy, &trivy(GHSA, "django", "d"), &one).await;
        import(&story, Format::Trivy, &trivy(GHSA, "django", "d"), &two).await;
        import(&story, Format::AnchoreGrype, &grype(CVE), &one).await;
        assert_ne!(cluster(&story, "trivy", &one).await.0, cluster(&story, "grype", &one).await.0, "nobody knows that they are the same");

        import(&story, Format::PipAudit, &pip_audit(), &three).await;
        let (name, reason) = cluster(&story, "trivy", &one).await;
        assert_eq!(cluster(&story, "grype", &one).await.0, name);
        assert_eq!(reason, format!("{CVE} ({GHSA}, PYSEC-2021-9) in django"));
        assert!(cluster(&story, "trivy", &two).await.1.starts_with(CVE), "on other targets too");
        let clusters = story.results.clusters(&story.actor, &PageRequest::default()).await.unwrap().items;
        assert_eq!((clusters.len(), clusters[0].members, clusters[0].sources), (1, 2, 2));

        // Said in other words and taken in again: the link holds.
        import(&story, Format::Trivy, &trivy(GHSA, "django", "in other words"), &one).await;
        assert_eq!(cluster(&story, "trivy", &one).await.0, name);
        // Another organisation learned nothing.
        let stranger = story.world.other(&[base::Role::Admin]);
        assert!(story.results.clusters(&stranger, &PageRequest::default()).await.unwrap().items.is_empty());
    }
}

#[tokio::test]
async fn what_people_join_split_and_release_is_remembered() {
    for engine in engines() {
        let story = world(engine).await;
        let target = story.target("one.example").await;
        import(&story, Format::Trivy, &trivy(CVE, "django", "d"), &target).await;
        import(&story, Format::AnchoreGrype, &grype(CVE), &target).await;
        let (together, _) = cluster(&story, "trivy", &target).await;
        let id = of(&story, "trivy", &target).await.id;

        story.results.move_to_cluster(&story.actor, id, ClusterMove { join: None, reason: "another cause".into() }).await.unwrap();
        import(&story, Format::Trivy, &trivy(CVE, "django", "in other words"), &target).await;
        assert_ne!(cluster(&story, "trivy", &target).await.0, together, "split by hand");
        let back = story.results.release_from_cluster(&story.actor, id).await.unwrap().cluster.unwrap();
        assert_eq!((back.id, back.by_hand), (together.clone(), false));

        let pip = pip_audit().to_string().replace(CVE, "CVE-2022-1").replace(GHSA, "GHSA-DDDD-EEEE-FFFF");
        import(&story, Format::PipAudit, &serde_json::from_str(&pip).unwrap(), &target).await;
        let (other, _) = cluster(&story, "pip-audit", &target).await;
        let join = |into: &str| ClusterJoin { into: into.into(), reason: "one bug".into() };
        let members = story.results.join_clusters(&story.actor, &other, join(&together)).await.unwrap();
        assert_eq!(members.len(), 3);
        let reworded: Json = serde_json::from_str(&pip.replace("\"d\"", "\"e\"")).unwrap();
        import(&story, Format::PipAudit, &reworded, &target).await;
        assert_eq!(cluster(&story, "pip-audit", &target).await.0, together, "for what comes later too");
        let refused = async |name: &str, into: &str| story.results.join_clusters(&story.actor, name, join(into)).await.unwrap_err().code();
        assert_eq!(refused(&together, &together).await, "results.same_cluster");
        assert_eq!(refused(&together, "nobody").await, "results.cluster_not_found");
    }
}

#[tokio::test]
async fn linking_costs_few_statements() {
    for engine in engines() {
        let story = world(engine).await;
        let target = story.target("one.example").await;
        let flaws: Vec<Json> = (0..2000)
            .map(|n| {
                json!({ "VulnerabilityID": format!("CVE-2024-{:05}", n), "VendorIDs": [format!("GHSA-{n}")], "PkgName": format!("p{n}"),
                "InstalledVersion": "1", "Severity": "LOW" })
            })
            .collect();
        let report = json!({ "SchemaVersion": 2, "ArtifactName": "app", "ArtifactType": "filesystem", "Results": [{
            "Target": "requirements.txt", "Class": "lang-pkgs", "Type": "pip", "Vulnerabilities": flaws }] });
        let request = ImportRequest { format: Some(Format::Trivy), filename: None, ..request(&report.to_string(), Some(&target)) };
        let import = story.request(request).await.unwrap();
        let before = story.world.backends.db.statements();
        story.results.link(&story.actor, import.id).await.unwrap();
        let cost = story.world.backends.db.statements() - before;
        assert!(cost <= 30, "{engine:?}: {cost} statements for two thousand findings with names nobody knew");
        let before = story.world.backends.db.statements();
        assert_eq!(story.results.link(&story.actor, import.id).await.unwrap(), 0);
        let cost = story.world.backends.db.statements() - before;
        assert!(cost <= 6, "{engine:?}: {cost} statements when there is nothing new");
    }
}

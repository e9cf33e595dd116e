//! What is exported as JSON comes back as it was: into an empty place with life and decisions, into its own place as nothing new.

use std::time::Duration;

use base::Actor;
use futures::TryStreamExt;
use importers::Format;
use results::{DecisionKind, DecisionScope, ExportFormat, Filter, ImportRequest, NewDecision, Policy};
use serde_json::Value as Json;
use testkit::engines;

use crate::story::{Story, hit, lines, miss, nmap, nmap_request, request};

const SITE: &str = "https://x.example/";

async fn export(story: &Story, actor: &Actor, filter: Filter, format: ExportFormat) -> String {
    let parts: Vec<_> = story.results.export(actor, filter, format).unwrap().try_collect().await.unwrap();
    String::from_utf8(parts.concat()).unwrap()
}

/// Everything but what belongs to the place: ids, and what is computed there.
fn plain(export: &str) -> Vec<Json> {
    let document: Json = serde_json::from_str(export).unwrap();
    let mut findings = document["findings"].as_array().unwrap().clone();
    for finding in &mut findings {
        for name in ["id", "target_id", "risk", "due_at", "overdue", "cluster", "last_scan"] {
            finding.as_object_mut().unwrap().remove(name);
        }
        if let Some(decision) = finding["decision"].as_object_mut() {
            for name in ["id", "finding_id", "batch_id", "decided_by"] {
                decision.remove(name);
            }
        }
    }
    findings.sort_by_key(|finding| finding["identity"][0]["digest"].to_string());
    findings
}

fn taken(text: &str) -> ImportRequest {
    ImportRequest { format: None, filename: Some("findings.json".into()), ..request(text, None) }
}

#[tokio::test]
async fn an_export_moves_to_another_instance_with_its_life_and_decisions() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let mut proven = hit("a", "high", SITE);
        proven["extracted-results"] = serde_json::json!(["tab\there", "line\nbreak \u{1F980}"]);
        proven["info"]["classification"] = serde_json::json!({ "cve-id": ["CVE-2021-44228"], "cwe-id": ["CWE-79"], "cvss-metrics": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H" });
        let all =
            [proven, hit("b", "low", SITE), hit("c", "info", SITE), hit("d", "critical", SITE), hit("e", "low", "https://other.example/")];
        story.import(&lines(&all), None).await.unwrap();
        story.request(nmap_request(&nmap("192.0.2.7", "1-1000", &[80, 443]))).await.unwrap();
        clock.advance(Duration::from_secs(3600));
        story.import(&lines(&[miss("b", SITE), hit("c", "info", SITE)]), None).await.unwrap();
        let decide = async |title: &str, kind, valid_until| {
            let finding = story.titled(title).await;
            let new = NewDecision { kind, reason: format!("why {title}"), valid_until, scope: DecisionScope::Finding };
            story.results.decide(&story.actor, finding.id, new).await.unwrap();
        };
        decide("c", DecisionKind::FalsePositive, None).await;
        decide("d", DecisionKind::Accepted, Some(clock.now() + Duration::from_secs(24 * 3600))).await;
        for text in ["asked the team\nthey are on holiday", "they will mend it"] {
            let note = results::NewNote { text: text.to_owned() };
            story.results.note(&story.actor, story.titled("c").await.id, &note).await.unwrap();
        }
        clock.advance(Duration::from_secs(60));
        let original = export(&story, &story.actor, Filter::default(), ExportFormat::Json).await;
        assert_eq!(plain(&original).len(), 7);
        assert_eq!(original.matches("they are on holiday").count(), 1);

        // Where they are known already an export is nothing new: it does not even count as a sighting.
        let (picture, rows) = (story.picture().await, story.rows().await);
        let known = story.request(taken(&original)).await.unwrap();
        assert_eq!(
            (known.format.as_str(), known.summary.created, known.summary.unchanged, known.summary.reopened),
            ("tyrian", 0, 7, 0),
            "{engine:?}"
        );
        assert_eq!((story.picture().await, story.rows().await), (picture, rows), "{engine:?}");

        // Elsewhere it is all there is.
        let stranger = story.world.other(&[base::Role::Admin]);
        let moved = Box::pin(story.results.import(&stranger, taken(&original))).await.unwrap();
        assert_eq!((moved.summary.created, moved.summary.findings), (7, 7), "{:?}", moved.summary);
        let copy = export(&story, &stranger, Filter::default(), ExportFormat::Json).await;
        assert_eq!(plain(&copy), plain(&original), "{engine:?}");
        // The next run of a tool knows them under their names, and closes what it looked for.
        let again = Box::pin(
            story.results.import(&stranger, request(&lines(&[miss("a", SITE), hit("b", "low", SITE), hit("d", "critical", SITE)]), None)),
        )
        .await
        .unwrap();
        assert_eq!(
            (again.summary.created, again.summary.closed, again.summary.reopened, again.summary.unchanged),
            (0, 1, 1, 1),
            "{:?}",
            again.summary
        );
        story.results.undo(&stranger, again.id).await.unwrap();
        story.results.undo(&stranger, moved.id).await.unwrap();
        assert_eq!(plain(&export(&story, &stranger, Filter::default(), ExportFormat::Json).await).len(), 0);
        assert_eq!(story.results.decisions(&stranger, None, None, &base::PageRequest::default()).await.unwrap().items.len(), 0);

        // Where two people must agree, a file is not one of them.
        story.results.set_policy(&stranger, Policy { four_eyes: true }).await.unwrap();
        Box::pin(story.results.import(&stranger, taken(&original))).await.unwrap();
        let accepted = Filter { status: vec!["accepted".into()], ..Filter::default() };
        assert_eq!(story.results.summary(&stranger, &accepted).await.unwrap().total, 0);
        let waiting =
            story.results.decisions(&stranger, Some(results::DecisionState::Proposed), None, &base::PageRequest::default()).await.unwrap();
        assert_eq!(waiting.items.len(), 1);
    }
}

#[tokio::test]
async fn taking_a_run_back_restores_the_dates_that_came_over() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let stranger = story.world.other(&[base::Role::Admin]);
        let run = |other: &str| lines(&[hit("a", "high", SITE), hit("b", "low", SITE), hit("past", "low", SITE), miss(other, SITE)]);
        let there = lines(&[hit("a", "high", SITE), hit("b", "low", SITE)]);
        Box::pin(story.results.import(&stranger, request(&there, None))).await.unwrap();
        let there = export(&story, &stranger, Filter::default(), ExportFormat::Json).await;

        clock.advance(Duration::from_secs(24 * 3600));
        story.request(taken(&there)).await.unwrap();
        // A report of the past brings the dates of the tool.
        let past = results::ImportOptions { is_past: true, ..results::ImportOptions::default() };
        let past = ImportRequest { options: past, ..request(&lines(&[hit("past", "low", SITE)]), None) };
        story.request(past).await.unwrap();
        let carried = story.picture().await;
        assert!(story.findings().await.iter().all(|finding| finding.last_seen < clock.now()), "{engine:?}");

        clock.advance(Duration::from_secs(3600));
        let first = story.import(&run("x"), None).await.unwrap();
        assert_eq!((first.summary.unchanged, first.summary.reopened), (2, 1), "{engine:?} {:?}", first.summary);
        let seen = story.picture().await;
        assert!(story.findings().await.iter().all(|finding| finding.last_seen == clock.now()), "{engine:?}");
        let copies = story.world.count("finding_before").await;
        clock.advance(Duration::from_secs(3600));
        let second = story.import(&run("y"), None).await.unwrap();
        assert_eq!(story.world.count("finding_before").await, copies, "seen here once, it needs no copy any more");

        story.results.undo(&story.actor, second.id).await.unwrap();
        assert_eq!(story.picture().await, seen, "{engine:?}");
        story.results.undo(&story.actor, first.id).await.unwrap();
        assert_eq!(story.picture().await, carried, "{engine:?}");
        let again = story.import(&run("x"), None).await.unwrap();
        assert_eq!((again.summary, story.findings().await.len()), (first.summary, 3), "{engine:?}");
    }
}

#[tokio::test]
async fn sarif_and_vex_carry_what_they_have_room_for() {
    let story = Story::new(testkit::Engine::Embedded).await;
    let stranger = story.world.other(&[base::Role::Admin]);
    let bill = serde_json::json!({ "dependencies": [
        { "name": "flask", "version": "0.5", "vulns": [{ "id": "PYSEC-2019-179", "fix_versions": ["1.0"], "aliases": ["CVE-2019-1010083"], "description": "Memory is used up." }] },
        { "name": "jinja2", "version": "2.0", "vulns": [{ "id": "PYSEC-2019-217", "fix_versions": [], "aliases": ["CVE-2019-10906"], "description": "Out of the sandbox." }] },
    ], "fixes": [] });
    let pip = ImportRequest { format: Some(Format::PipAudit), filename: None, ..request(&bill.to_string(), None) };
    story.request(pip).await.unwrap();
    let code = serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "linter", "rules": [
        { "id": "r1", "properties": { "security-severity": "8.1", "tags": ["external/cwe/cwe-079"] } }] } },
        "results": [{ "ruleId": "r1", "message": { "text": "Not escaped" }, "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": "src/a.c" }, "region": { "startLine": 7, "snippet": { "text": "echo(x);" } } } }] }] }] });
    story.request(ImportRequest { format: Some(Format::Sarif), filename: None, ..request(&code.to_string(), None) }).await.unwrap();

    let told = async |actor: &Actor| {
        let page = base::PageRequest { cursor: None, limit: Some(100) };
        let findings = story.results.findings(actor, &Filter::default(), results::Sort::Title, &page).await.unwrap().items;
        let mut told: Vec<_> = findings
            .into_iter()
            .map(|finding| {
                let place = finding.location;
                let component = place.component.map(|component| (component.purl, component.version));
                (finding.cves, finding.cwes, finding.severity, component, place.file, place.line, place.snippet)
            })
            .collect();
        told.sort_by_key(|one| format!("{one:?}"));
        told
    };
    let original = told(&story.actor).await;
    let only = |source: &str| Filter { source: Some(source.to_owned()), ..Filter::default() };
    let vex = export(&story, &story.actor, only("pip-audit"), ExportFormat::Vex).await;
    Box::pin(story.results.import(&stranger, ImportRequest { format: Some(Format::Cyclonedx), ..taken(&vex) })).await.unwrap();
    let sarif = export(&story, &story.actor, only("sarif:linter"), ExportFormat::Sarif).await;
    Box::pin(story.results.import(&stranger, ImportRequest { format: Some(Format::Sarif), ..taken(&sarif) })).await.unwrap();
    assert_eq!(told(&stranger).await, original);
}

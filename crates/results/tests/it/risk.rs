//! Risk: feeds brought by hand, findings sorted and explained by what they say, due dates by policy.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use backends::jobs;
use base::{Actor, Role, Time};
use importers::Format;
use results::{DecisionKind, DecisionScope, Feed, FeedKind, Finding, ImportRequest, NewDecision};
use serde_json::{Value as Json, json};
use testkit::{Engine, data, engines};

use crate::routes::ask;
use crate::story::{Story, file, hit, lines, miss, request};

const EPSS: &str = "#model_version:v2025.03.14,score_date:2026-01-01T00:00:00Z\ncve,epss,percentile\n\
    CVE-2024-0001,0.9,0.99\nCVE-2024-0002,0.0001,0.05\nCVE-2024-0009,0.5,0.8\n";
const KEV: &str = r#"{"catalogVersion":"2026.01.01","dateReleased":"2026-01-01T00:00:00Z","vulnerabilities":[
{"cveID":"CVE-2024-0002","vendorProject":"V","product":"P","vulnerabilityName":"N","dateAdded":"2025-12-01","dueDate":"2026-01-20","knownRansomwareCampaignUse":"Known"},
{"cveID":"CVE-2024-0003","vendorProject":"V","product":"P","vulnerabilityName":"N","dateAdded":"2025-12-01","dueDate":"2025-12-20"}]}"#;

fn vulnerable(template: &str, severity: &str, cve: &str) -> Json {
    let mut hit = hit(template, severity, "https://x.example/");
    hit["info"]["classification"] = json!({ "cve-id": [cve] });
    hit
}

pub(crate) async fn work(story: &Story) {
    let drained = jobs::drain(&story.world.backends, &results::jobs(&story.results)).await.unwrap();
    assert!(drained.errors.is_empty(), "{:?}", drained.errors);
}

pub(crate) async fn world(engine: Engine) -> Story {
    let story = Story::new(engine).await;
    story.world.backends.subscriptions.set(&results::jobs(&story.results));
    story
}

pub(crate) async fn get(story: &Story, path: &str) -> Json {
    let (status, body) = ask(story, Method::GET, path, Body::empty(), Some(&story.actor)).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

pub(crate) async fn bring(story: &Story, kind: &str, text: &str, actor: &Actor) -> (StatusCode, Json) {
    ask(story, Method::POST, &format!("/feeds/{kind}?filename=f"), Body::from(text.to_owned()), Some(actor)).await
}

async fn titles(story: &Story, query: &str) -> Vec<String> {
    let page = get(story, &format!("/findings?{query}")).await;
    page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn feeds_move_findings_and_say_why() {
    for engine in engines() {
        let story = world(engine).await;
        let text = lines(&[
            vulnerable("likely", "medium", "cve-2024-0001"),
            vulnerable("exploited", "medium", "CVE-2024-0002"),
            vulnerable("unheard", "high", "CVE-2024-0004"),
            hit("plain", "low", "https://x.example/"),
        ]);
        story.import(&text, None).await.unwrap();
        assert_eq!(story.titled("likely").await.risk, None, "not assessed yet");
        work(&story).await;
        assert_eq!(titles(&story, "sort=risk").await, ["unheard", "exploited", "likely", "plain"]);
        let never = get(&story, &format!("/findings/{}", story.titled("likely").await.id)).await;
        assert_eq!((never["risk"]["kev"].as_str(), never["risk"]["epss"].as_str()), (Some("never_checked"), Some("never_checked")));
        let feeds = get(&story, "/feeds").await;
        assert_eq!(
            (feeds[0]["kind"].as_str(), feeds[0]["entries"].as_u64(), &feeds[1]["updated_at"]),
            (Some("epss"), Some(0), &Json::Null)
        );

        let (status, brought) = bring(&story, "epss", EPSS, &story.actor).await;
        assert_eq!((status, brought["changed"].as_u64(), brought["removed"].as_u64()), (StatusCode::OK, Some(3), Some(0)), "{brought}");
        bring(&story, "kev", KEV, &story.actor).await;
        work(&story).await;
        assert_eq!(titles(&story, "sort=risk").await, ["exploited", "unheard", "likely", "plain"], "{engine:?}");

        let exploited = story.titled("exploited").await;
        let detail = get(&story, &format!("/findings/{}", exploited.id)).await;
        let risk = &detail["risk"];
        assert_eq!(risk["score"].as_f64(), exploited.risk);
        assert_eq!((risk["kev"].as_str(), risk["kev_due"].as_str()), (Some("listed"), Some("2026-01-20")));
        assert_eq!((risk["epss"].as_str(), risk["epss_probability"].as_f64()), (Some("listed"), Some(0.0001)));
        let keys: Vec<_> = risk["factors"].as_array().unwrap().iter().map(|factor| factor["key"].as_str().unwrap()).collect();
        assert!(keys.starts_with(&["start_severity", "kev_ransomware"]) && keys.contains(&"epss_listed"), "{keys:?}");
        assert!(risk["sentence"].as_str().unwrap().contains("known to be exploited by ransomware"), "{risk}");
        let unheard = get(&story, &format!("/findings/{}", story.titled("unheard").await.id)).await;
        assert_eq!((unheard["risk"]["kev"].as_str(), unheard["risk"]["epss"].as_str()), (Some("not_listed"), Some("not_listed")));
        let plain = get(&story, &format!("/findings/{}", story.titled("plain").await.id)).await;
        assert_eq!(plain["risk"]["epss"].as_str(), Some("no_vulnerability"));

        // Pages follow each other without repeating.
        let first = get(&story, "/findings?sort=risk&limit=2").await;
        let rest = get(&story, &format!("/findings?sort=risk&limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
        assert_eq!((first["items"][1]["title"].as_str(), rest["items"][0]["title"].as_str()), (Some("unheard"), Some("likely")));
    }
}

#[tokio::test]
async fn a_feed_is_taken_in_whole_and_only_what_changed_is_written() {
    for engine in engines() {
        let story = world(engine).await;
        let (_, first) = bring(&story, "epss", EPSS, &story.actor).await;
        assert_eq!((first["feed"]["version"].as_str(), first["feed"]["released"].as_str()), (Some("v2025.03.14"), Some("2026-01-01")));
        let (_, same) = bring(&story, "epss", EPSS, &story.actor).await;
        assert_eq!((same["changed"].as_u64(), same["removed"].as_u64(), same["feed"]["revision"].as_i64()), (Some(0), Some(0), Some(2)));
        let other = EPSS.replace("0.9,0.99", "0.8,0.98").replace("CVE-2024-0009", "CVE-2024-0010");
        let (_, moved) = bring(&story, "epss", &other, &story.actor).await;
        assert_eq!((moved["changed"].as_u64(), moved["removed"].as_u64()), (Some(2), Some(1)));
        assert_eq!(story.world.count("epss").await, 3);

        let (status, broken) = bring(&story, "epss", &EPSS.replace("0.5", "half"), &story.actor).await;
        assert_eq!((status, broken["code"].as_str()), (StatusCode::BAD_REQUEST, Some("results.feed_unreadable")));
        assert!(broken["detail"].as_str().unwrap().contains("line 5"), "{broken}");
        assert_eq!(bring(&story, "kev", EPSS, &story.actor).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(bring(&story, "cvss", EPSS, &story.actor).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(bring(&story, "epss", EPSS, &story.world.actor(&[Role::Viewer])).await.0, StatusCode::FORBIDDEN);
        let feeds = story.results.feeds(&story.actor).await.unwrap();
        assert!(matches!(&feeds[..], [Feed { revision: 3, entries: 3, .. }, Feed { kind: FeedKind::Kev, revision: 0, .. }]), "{feeds:?}");
        // Another organisation has its own.
        assert_eq!(story.results.feeds(&story.world.other(&[Role::Viewer])).await.unwrap()[0].revision, 0);

        let Some(catalogue) = data("vuln/cisa-kev/known_exploited_vulnerabilities.json") else { return };
        let brought = story.results.update_feed(&story.actor, FeedKind::Kev, None, std::fs::File::open(catalogue).unwrap()).await.unwrap();
        assert_eq!((brought.changed, brought.feed.released.as_deref()), (1404, Some("2025-08-25")));
        let less = story.results.update_feed(&story.actor, FeedKind::Kev, None, file(KEV)).await.unwrap();
        assert_eq!((less.changed, less.removed, story.world.count("kev").await), (2, 1404, 2));
    }
}

#[tokio::test]
async fn due_dates_follow_severity_unit_target_and_catalogue() {
    for engine in engines() {
        let story = world(engine).await;
        let mut shop: Json = json!({ "name": "shop.example", "type": "host", "unit": "payments/cards", "criticality": "critical" });
        let target = story.targets.create(&story.actor, serde_json::from_value(shop.take()).unwrap()).await.unwrap();
        story
            .import(&lines(&[hit("a", "high", "https://shop.example/"), hit("b", "info", "https://shop.example/")]), Some(&target))
            .await
            .unwrap();
        story.import(&lines(&[hit("c", "high", "https://y.example/"), vulnerable("d", "low", "CVE-2024-0003")]), None).await.unwrap();
        bring(&story, "kev", KEV, &story.actor).await;
        work(&story).await;
        let now = story.world.backends.clock.now();
        let days = |finding: &Finding| finding.due_at.map(|due| due.since(now).as_secs() / 86_400);
        let due = async |title: &str| days(&story.titled(title).await);
        assert_eq!([due("a").await, due("b").await, due("c").await, due("d").await], [Some(15), None, Some(30), Some(3)], "{engine:?}");
        assert_eq!(titles(&story, "sort=due").await, ["d", "a", "c"]);

        let policy = json!({ "days": { "high": 2 }, "kev_caps": false, "kev_least_days": 0, "soon_days": 1 });
        let set = |unit: &str, policy: &Json| {
            let (path, body) = (format!("/sla-policies/{unit}"), Body::from(policy.to_string()));
            let story = &story;
            async move { ask(story, Method::PUT, &path, body, Some(&story.actor)).await }
        };
        assert_eq!(set("Payments", &policy).await.0, StatusCode::OK);
        let (status, refused) =
            set("payments", &json!({ "days": { "high": 9999 }, "kev_caps": true, "kev_least_days": 0, "soon_days": 0 })).await;
        assert_eq!((status, refused["code"].as_str()), (StatusCode::BAD_REQUEST, Some("results.sla_days")));
        work(&story).await;
        assert_eq!((due("a").await, due("c").await), (Some(2), Some(30)));
        let policies = get(&story, "/sla-policies").await;
        assert_eq!((policies[0]["unit"].as_str(), policies[1]["unit"].as_str()), (Some(""), Some("payments")));

        story.world.backends.clock.advance(Duration::from_secs(3 * 86_400));
        let late = story.titled("a").await;
        assert!(late.overdue && !story.titled("c").await.overdue);
        let detail = get(&story, &format!("/findings/{}", late.id)).await;
        assert_eq!(
            (detail["risk"]["due"]["standing"].as_str(), detail["risk"]["due"]["unit"].as_str()),
            (Some("breached"), Some("payments"))
        );
        let drop = |actor: Actor| {
            let story = &story;
            async move { ask(story, Method::DELETE, "/sla-policies/payments", Body::empty(), Some(&actor)).await.0 }
        };
        assert_eq!(drop(story.world.actor(&[Role::Viewer])).await, StatusCode::FORBIDDEN);
        assert_eq!(drop(story.actor.clone()).await, StatusCode::NO_CONTENT);
        assert_eq!(drop(story.actor.clone()).await, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn what_came_back_is_due_from_then_on() {
    for engine in engines() {
        let story = world(engine).await;
        let clock = &story.world.backends.clock;
        let site = "https://x.example/";
        let first = clock.now();
        story.import(&lines(&[hit("a", "high", site)]), None).await.unwrap();
        work(&story).await;
        clock.advance(Duration::from_secs(100 * 86_400));
        story.import(&lines(&[miss("a", site)]), None).await.unwrap();
        work(&story).await;
        clock.advance(Duration::from_secs(86_400));
        let since = clock.now();
        let back = story.import(&lines(&[hit("a", "critical", site)]), None).await.unwrap();
        work(&story).await;
        let days = |finding: &Finding, from: Time| finding.due_at.map(|due| due.since(from).as_secs() / 86_400);
        let found = story.titled("a").await;
        assert_eq!((days(&found, since), found.overdue), (Some(7), false), "{engine:?}");
        let detail = get(&story, &format!("/findings/{}", found.id)).await;
        assert_eq!(detail["risk"]["due"]["standing"].as_str(), Some("within"), "{engine:?} {detail}");
        // Taken back, it counts from where it counted before, and is as grave as it was.
        story.results.undo(&story.actor, back.id).await.unwrap();
        work(&story).await;
        let again = story.titled("a").await;
        assert_eq!(days(&again, first), Some(30), "{engine:?}");
        assert!(again.risk < found.risk, "{engine:?}");
    }
}

#[tokio::test]
async fn who_calls_a_finding_fixed_that_is_there_gains_no_time() {
    for engine in engines() {
        let story = world(engine).await;
        let clock = &story.world.backends.clock;
        let site = "https://x.example/";
        story.import(&lines(&[hit("a", "high", site)]), None).await.unwrap();
        work(&story).await;
        let due = story.titled("a").await.due_at;
        clock.advance(Duration::from_secs(20 * 86_400));
        let fixed = NewDecision { kind: DecisionKind::Fixed, reason: "really".into(), valid_until: None, scope: DecisionScope::Finding };
        story.results.decide(&story.actor, story.titled("a").await.id, fixed).await.unwrap();
        clock.advance(Duration::from_secs(60));
        let again = story.import(&lines(&[hit("a", "high", site), miss("b", site)]), None).await.unwrap();
        assert_eq!(again.summary.reopened, 1, "{engine:?}");
        work(&story).await;
        assert_eq!((story.titled("a").await.due_at, due.is_some()), (due, true), "{engine:?}");
    }
}

#[tokio::test]
async fn feeds_know_a_vulnerability_by_its_other_names() {
    for engine in engines() {
        let story = world(engine).await;
        let target = story.target("one.example").await;
        bring(&story, "epss", EPSS, &story.actor).await;
        bring(&story, "kev", KEV, &story.actor).await;
        let trivy = json!({ "SchemaVersion": 2, "ArtifactName": "app", "ArtifactType": "filesystem", "Results": [{
            "Target": "requirements.txt", "Class": "lang-pkgs", "Type": "pip", "Vulnerabilities": [{
                "VulnerabilityID": "GHSA-aaaa-bbbb-cccc", "PkgName": "django", "InstalledVersion": "3.0", "Severity": "HIGH" }] }] });
        let pip = json!({ "dependencies": [{ "name": "flask", "version": "3.0", "vulns": [{
            "id": "PYSEC-2021-9", "fix_versions": ["3.1"], "aliases": ["CVE-2024-0002", "GHSA-aaaa-bbbb-cccc"], "description": "d" }] }] });
        let take = async |format: Format, report: &Json| {
            story
                .request(ImportRequest { format: Some(format), filename: None, ..request(&report.to_string(), Some(&target)) })
                .await
                .unwrap();
            work(&story).await;
        };
        take(Format::Trivy, &trivy).await;
        let found = async || story.findings().await.into_iter().find(|finding| finding.source == "trivy").unwrap();
        let before = found().await;
        let listed = async || {
            let detail = get(&story, &format!("/findings/{}", before.id)).await;
            [detail["risk"]["kev"].clone(), detail["risk"]["epss"].clone()]
        };
        assert_eq!(listed().await, ["no_vulnerability", "no_vulnerability"], "{engine:?}");
        // Another tool knows what it is called elsewhere.
        take(Format::PipAudit, &pip).await;
        assert_eq!(listed().await, ["listed", "listed"], "{engine:?}");
        assert!(found().await.risk > before.risk, "{engine:?}");
    }
}

#[tokio::test]
async fn days_that_go_by_raise_risks_in_every_organisation() {
    for engine in engines() {
        let story = world(engine).await;
        story.import(&lines(&[hit("a", "high", "https://x.example/")]), None).await.unwrap();
        work(&story).await;
        let before = story.titled("a").await.risk.unwrap();
        story.world.backends.clock.advance(Duration::from_secs(200 * 86_400));
        assert_eq!(story.results.assess_everyone().await.unwrap(), 1);
        assert!(story.titled("a").await.risk.unwrap() > before);
        assert_eq!(story.results.assess_everyone().await.unwrap(), 0, "nothing changed");
    }
}

#[tokio::test]
async fn a_thousand_findings_are_assessed_in_a_pinned_number_of_statements() {
    for engine in engines() {
        let story = world(engine).await;
        bring(&story, "epss", EPSS, &story.actor).await;
        let many: Vec<_> = (0..1000).map(|number| vulnerable(&format!("t-{number}"), "high", &format!("CVE-2025-{number:04}"))).collect();
        let import = story.import(&lines(&many), None).await.unwrap();
        let db = &story.world.backends.db;
        let before = db.statements();
        assert_eq!(story.results.assess(&story.actor, Some(import.id)).await.unwrap(), 1000);
        let first = db.statements() - before;
        let before = db.statements();
        assert_eq!(story.results.assess(&story.actor, None).await.unwrap(), 0);
        // Feeds, policies, the page, likelihoods, exploited, the page after; and to write: begin, update, audit, commit.
        assert_eq!((first, db.statements() - before), (10, 6), "{engine:?}");
    }
}

//! Taking back, asking people, deciding for rules and for many, linking across tools, and writing it all out again.

use std::time::Duration;

use base::{Kind, PageRequest, Role};
use futures::TryStreamExt;
use importers::Format;
use results::{
    BulkDecision, ClusterMove, DecisionKind, DecisionScope, DecisionState, ExportFormat, Filter, ImportRequest, ImportState, NewDecision,
    Policy, Resolution, Status,
};
use testkit::engines;

use crate::story::{Story, hit, lines, miss, nmap, nmap_request, request};

const SITE: &str = "https://x.example/";

fn decision(kind: DecisionKind, scope: DecisionScope) -> NewDecision {
    NewDecision { kind, reason: "looked at it".into(), valid_until: None, scope }
}

#[tokio::test]
async fn an_undone_import_leaves_everything_as_it_was() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.request(nmap_request(&nmap("192.0.2.7", "1-10000", &[80, 8080]))).await.unwrap();
        let all = ["a", "b", "c", "e"].map(|name| hit(name, if name == "a" { "high" } else { "low" }, SITE));
        story.import(&lines(&all), None).await.unwrap();
        for (title, kind) in [("c", DecisionKind::FalsePositive), ("e", DecisionKind::Fixed)] {
            let finding = story.titled(title).await;
            story.results.decide(&story.actor, finding.id, decision(kind, DecisionScope::Finding)).await.unwrap();
        }
        let before = story.picture().await;
        story.world.backends.clock.advance(Duration::from_secs(60));
        let mut reworded = hit("b", "critical", SITE);
        reworded["info"]["name"] = "other words".into();
        let said = [miss("a", SITE), reworded, hit("c", "low", SITE), hit("d", "high", SITE), hit("e", "low", SITE)];
        let web = story.import(&lines(&said), None).await.unwrap();
        let summary = &web.summary;
        assert_eq!((summary.closed, summary.created, summary.unchanged, summary.reopened), (1, 1, 2, 1), "{engine:?}");
        story.world.backends.clock.advance(Duration::from_secs(60));
        let moved = story.request(nmap_request(&nmap("192.0.2.7", "1-10000", &[80, 9090]))).await.unwrap();
        assert_eq!((moved.summary.moved, moved.summary.unchanged), (1, 1), "{:?}", moved.summary);

        let refused = story.results.undo(&story.actor, web.id).await.unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (Kind::Conflict, "results.not_undoable"));
        assert!(refused.detail().contains(&moved.id.to_string()), "{refused}");
        assert_eq!(story.results.undo(&story.actor, moved.id).await.unwrap().state, ImportState::Undone);
        story.results.undo(&story.actor, web.id).await.unwrap();
        assert_eq!(story.picture().await, before, "{engine:?}");
        assert_eq!(story.results.undo(&story.actor, web.id).await.unwrap_err().code(), "results.not_undoable");
        // The same files again do the same again: the names were restored too.
        let again = story.request(nmap_request(&nmap("192.0.2.7", "1-10000", &[80, 9090]))).await.unwrap();
        assert_eq!((again.repeated, again.summary.moved, again.summary.created), (false, 1, 0), "{:?}", again.summary);
    }
}

#[tokio::test]
async fn what_people_decided_about_keeps_an_import_from_being_undone() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let import = story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        let a = story.titled("a").await;
        story.results.decide(&story.actor, a.id, decision(DecisionKind::Confirmed, DecisionScope::Finding)).await.unwrap();
        let refused = story.results.undo(&story.actor, import.id).await.unwrap_err();
        assert!(refused.detail().contains("decided"), "{refused}");
        let viewer = story.world.actor(&[Role::Viewer]);
        assert_eq!(story.results.undo(&viewer, import.id).await.unwrap_err().kind(), Kind::Forbidden);
    }
}

#[tokio::test]
async fn a_person_says_which_of_several_a_finding_is_and_the_next_run_knows() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.request(nmap_request(&nmap("192.0.2.8", "1-10000", &[8080]))).await.unwrap();
        let old = story.findings().await.remove(0);
        story.results.decide(&story.actor, old.id, decision(DecisionKind::Accepted, DecisionScope::Finding)).await.unwrap();
        let both = story.request(nmap_request(&nmap("192.0.2.8", "1-10000", &[7001, 7002]))).await.unwrap();
        assert_eq!((both.summary.ambiguous, both.summary.closed), (2, 1));
        let reviews = story.results.reviews(&story.actor, &PageRequest::default()).await.unwrap().items;
        assert_eq!((reviews.len(), reviews[0].candidates.as_slice()), (2, &[old.id][..]));
        let stray = Resolution { same_as: Some(reviews[1].finding_id) };
        assert_eq!(story.results.resolve(&story.actor, reviews[0].id, stray).await.unwrap_err().code(), "results.no_candidate");
        let same = story.results.resolve(&story.actor, reviews[0].id, Resolution { same_as: Some(old.id) }).await.unwrap();
        assert_eq!((same.id, same.status), (old.id, Status::Accepted));
        assert_ne!(same.location.port, Some(8080));
        let new = story.results.resolve(&story.actor, reviews[1].id, Resolution { same_as: None }).await.unwrap();
        assert!(!new.ambiguous);
        assert_eq!(
            story.results.resolve(&story.actor, reviews[1].id, Resolution { same_as: None }).await.unwrap_err().kind(),
            Kind::NotFound
        );
        assert!(story.results.reviews(&story.actor, &PageRequest::default()).await.unwrap().items.is_empty());
        story.world.backends.clock.advance(Duration::from_secs(60));
        let again = story.request(nmap_request(&nmap("192.0.2.8", "1-9999", &[7001, 7002]))).await.unwrap();
        assert_eq!((again.summary.unchanged, again.summary.created, again.summary.closed), (2, 0, 0), "{:?}", again.summary);
        assert_eq!(story.findings().await.len(), 2);
    }
}

#[tokio::test]
async fn a_ruling_holds_for_findings_yet_to_come_where_its_scope_says() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let other = "https://other.example/";
        story.import(&lines(&[hit("a", "high", SITE), hit("a", "high", other)]), None).await.unwrap();
        let here = story.findings().await.into_iter().find(|finding| finding.location.url.as_deref() == Some(SITE)).unwrap();
        let on_asset = decision(DecisionKind::OutOfScope, DecisionScope::RuleOnAsset);
        assert_eq!(story.results.decide(&story.actor, here.id, on_asset).await.unwrap().status, Status::OutOfScope);
        let page = format!("{SITE}new");
        story
            .import(&lines(&[hit("a", "high", SITE), hit("a", "high", &page), hit("b", "low", SITE), hit("a", "high", other)]), None)
            .await
            .unwrap();
        let count = async |status: Status| story.findings().await.iter().filter(|finding| finding.status == status).count();
        assert_eq!((count(Status::OutOfScope).await, count(Status::Open).await), (2, 2), "{engine:?}");

        // Everywhere is wider, and leaves the narrower one alone.
        let elsewhere = story.findings().await.into_iter().find(|finding| finding.location.url.as_deref() == Some(other)).unwrap();
        let everywhere = decision(DecisionKind::FalsePositive, DecisionScope::Rule);
        story.results.decide(&story.actor, elsewhere.id, everywhere).await.unwrap();
        assert_eq!((count(Status::OutOfScope).await, count(Status::FalsePositive).await, count(Status::Open).await), (2, 1, 1));
        let third = "https://third.example/";
        story.import(&lines(&[hit("a", "high", third)]), None).await.unwrap();
        assert_eq!(count(Status::FalsePositive).await, 2);

        // One finding may be the exception.
        let back = story.results.decide(&story.actor, here.id, decision(DecisionKind::Reopen, DecisionScope::Finding)).await.unwrap();
        assert_eq!((back.status.as_str(), back.decision), ("open", None));
        // Taken back on the asset, the wider one shows.
        story.results.decide(&story.actor, here.id, decision(DecisionKind::Reopen, DecisionScope::RuleOnAsset)).await.unwrap();
        assert_eq!((count(Status::OutOfScope).await, count(Status::FalsePositive).await), (0, 3));
        story.results.decide(&story.actor, elsewhere.id, decision(DecisionKind::Reopen, DecisionScope::Rule)).await.unwrap();
        assert_eq!(count(Status::FalsePositive).await, 0);
        let wrong = decision(DecisionKind::Fixed, DecisionScope::Rule);
        assert_eq!(story.results.decide(&story.actor, here.id, wrong).await.unwrap_err().code(), "results.scope");
    }
}

#[tokio::test]
async fn accepting_a_risk_waits_for_a_second_person_where_the_tenant_wants_it() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        let id = story.titled("a").await.id;
        let analyst = story.world.actor(&[Role::SecurityAnalyst]);
        assert_eq!(story.results.set_policy(&analyst, Policy { four_eyes: true }).await.unwrap_err().kind(), Kind::Forbidden);
        story.results.set_policy(&story.actor, Policy { four_eyes: true }).await.unwrap();
        let asked = story.results.decide(&story.actor, id, decision(DecisionKind::Accepted, DecisionScope::Finding)).await.unwrap();
        assert_eq!(asked.status, Status::Open);
        let waiting = story.results.decisions(&story.actor, Some(DecisionState::Proposed), None, &PageRequest::default()).await.unwrap();
        let waiting = waiting.items[0].id;
        assert_eq!(story.results.approve(&story.actor, waiting, true).await.unwrap_err().code(), "results.same_person");
        let second = base::Actor { user: Some(story.world.backends.ids.next()), username: "second".into(), ..story.actor.clone() };
        let approved = story.results.approve(&second, waiting, true).await.unwrap();
        assert_eq!((approved.status, approved.decision.unwrap().approved_by_name.as_deref()), (Status::Accepted, Some("second")));
        assert_eq!(story.results.approve(&second, waiting, true).await.unwrap_err().kind(), Kind::NotFound);
        for (kind, stands) in [(DecisionKind::Accepted, DecisionState::Proposed), (DecisionKind::Fixed, DecisionState::InForce)] {
            let bulk = BulkDecision { ids: vec![id], filter: None, kind, reason: "together".into(), valid_until: None };
            assert_eq!(story.results.decide_all(&story.actor, bulk).await.unwrap().state, stands, "{engine:?}");
        }
    }
}

#[tokio::test]
async fn a_bulk_decision_is_taken_back_in_one_go() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE), hit("b", "low", SITE), hit("c", "low", SITE)]), None).await.unwrap();
        let b = story.titled("b").await;
        story.results.decide(&story.actor, b.id, decision(DecisionKind::Confirmed, DecisionScope::Finding)).await.unwrap();
        let bulk = |ids: Vec<_>, filter| BulkDecision {
            ids,
            filter,
            kind: DecisionKind::Mitigated,
            reason: "behind a proxy".into(),
            valid_until: None,
        };
        let low = Filter { severity: vec!["low".into()], ..Filter::default() };
        let done = story.results.decide_all(&story.actor, bulk(Vec::new(), Some(low))).await.unwrap();
        assert_eq!((done.decided, done.skipped, done.state), (2, 0, DecisionState::InForce));
        let mut standing = story.standing().await;
        standing.sort();
        assert_eq!(standing, [("a".into(), "open"), ("b".into(), "mitigated"), ("c".into(), "mitigated")]);
        assert_eq!(story.results.undo_decisions(&story.actor, done.batch_id).await.unwrap(), 2);
        assert!(story.standing().await.iter().all(|(_, status)| *status == "open"));
        assert_eq!(story.titled("b").await.decision.unwrap().kind, DecisionKind::Confirmed, "what was said before holds again");
        assert_eq!(story.results.undo_decisions(&story.actor, done.batch_id).await.unwrap_err().code(), "results.batch_not_found");
        assert_eq!(story.results.decide_all(&story.actor, bulk(Vec::new(), None)).await.unwrap_err().code(), "results.bulk");
    }
}

#[tokio::test]
async fn findings_of_one_weakness_are_linked_until_a_person_parts_them() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let flaw = |template: &str| {
            let mut line = hit(template, "high", SITE);
            line["info"]["classification"] = serde_json::json!({ "cve-id": ["CVE-2021-44228"] });
            line
        };
        story.import(&lines(&[flaw("one"), flaw("two"), hit("three", "low", SITE)]), None).await.unwrap();
        let clusters = story.results.clusters(&story.actor, &PageRequest::default()).await.unwrap().items;
        assert_eq!((clusters.len(), clusters[0].members), (1, 2));
        assert!(clusters[0].reason.contains("CVE-2021-44228"), "{}", clusters[0].reason);
        let one = story.titled("one").await;
        assert_eq!(story.results.finding(&story.actor, one.id).await.unwrap().cluster.len(), 1);
        story.results.move_to_cluster(&story.actor, one.id, ClusterMove { join: None, reason: "another cause".into() }).await.unwrap();
        story.import(&lines(&[flaw("one"), flaw("two")]), None).await.unwrap();
        assert!(story.results.clusters(&story.actor, &PageRequest::default()).await.unwrap().items.is_empty(), "remembered");
        let three = story.titled("three").await;
        let joined = ClusterMove { join: Some(three.id), reason: "the same cause".into() };
        story.results.move_to_cluster(&story.actor, one.id, joined).await.unwrap();
        let clusters = story.results.clusters(&story.actor, &PageRequest::default()).await.unwrap().items;
        assert_eq!(story.results.cluster(&story.actor, &clusters[0].id).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn what_is_exported_comes_back_as_itself() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let text: Vec<_> = (0..7).map(|number| hit(&format!("t-{number}"), ["high", "low"][number % 2], SITE)).collect();
        story.import(&lines(&text), None).await.unwrap();
        let export = async |filter: Filter, format: ExportFormat| {
            let parts: Vec<_> = story.results.export(&story.actor, filter, format).unwrap().try_collect().await.unwrap();
            String::from_utf8(parts.concat()).unwrap()
        };
        let sarif = export(Filter::default(), ExportFormat::Sarif).await;
        let target = story.target("192.0.2.1").await;
        let taken = |text: &str| ImportRequest { format: Some(Format::Sarif), filename: None, ..request(text, Some(&target)) };
        let first = story.request(taken(&sarif)).await.unwrap();
        assert_eq!(
            (first.summary.created, first.summary.by_severity.high, first.summary.by_severity.low),
            (7, 4, 3),
            "{:?}",
            first.summary
        );
        let of_target = Filter::of_target(target.id);
        let second = story.request(taken(&export(of_target.clone(), ExportFormat::Sarif).await)).await.unwrap();
        assert_eq!((second.summary.created, second.summary.closed), (0, 0), "{:?}", second.summary);
        let json: serde_json::Value = serde_json::from_str(&export(of_target.clone(), ExportFormat::Json).await).unwrap();
        assert_eq!(json["findings"].as_array().unwrap().len(), 7);
        let vex: serde_json::Value = serde_json::from_str(&export(of_target.clone(), ExportFormat::Vex).await).unwrap();
        assert_eq!((vex["bomFormat"].as_str(), vex["vulnerabilities"].as_array().unwrap().len()), (Some("CycloneDX"), 7));
        assert_eq!(export(of_target, ExportFormat::Csv).await.lines().count(), 8);
        let nothing = Filter { source: Some("nobody".into()), ..Filter::default() };
        let empty: serde_json::Value = serde_json::from_str(&export(nothing, ExportFormat::Sarif).await).unwrap();
        assert_eq!(empty["runs"].as_array().unwrap().len(), 0);
    }
}

//! Who is bound to business units: what hangs on other targets does not exist for them.

use base::{Actor, Kind, PageRequest, Role};
use results::{DecisionKind, DecisionScope, ExportFormat, Filter, FindingId, NewDecision, SlaPolicy, Sort};
use serde_json::json;
use targets::{NewTarget, Target, TargetPatch};

use crate::story::{Story, hit, lines, request};

impl Story {
    async fn target_of(&self, name: &str, unit: &str) -> Target {
        let new: NewTarget = serde_json::from_value(json!({ "name": name, "type": "host", "unit": unit })).unwrap();
        self.targets.create(&self.actor, new).await.unwrap()
    }

    fn bound(&self, unit: &str) -> Actor {
        Actor { units: vec![unit.parse().unwrap()], ..self.world.actor(&[Role::Admin]) }
    }
}

fn line(check: &str, severity: &str) -> String {
    lines(&[hit(check, severity, "https://host.example/")])
}

fn decision(scope: DecisionScope) -> NewDecision {
    NewDecision { kind: DecisionKind::FalsePositive, reason: "looked at".into(), valid_until: None, scope }
}

#[tokio::test]
async fn other_units_do_not_exist_for_who_is_bound_to_one() {
    for engine in testkit::engines() {
        let story = Story::new(engine).await;
        let (shop, bank) = (story.target_of("shop", "Retail/Web").await, story.target_of("bank", "retail_banking").await);
        story.import(&line("Old server", "high"), Some(&shop)).await.unwrap();
        story.import(&line("Weak key", "critical"), Some(&bank)).await.unwrap();
        story.import(&line("Of nobody", "low"), None).await.unwrap();
        let retail = story.bound("retail");
        let page = PageRequest::default();
        for (unit, severity, expected) in
            [("retail", "high", 1), ("retail/web", "low", 0), ("retail_banking", "critical", 1), ("ret", "high", 0)]
        {
            let filter = Filter { unit: Some(unit.parse().unwrap()), ..Filter::default() };
            let graded = Filter { severity: vec![severity.to_owned()], ..filter.clone() };
            let listed = story.results.findings(&story.actor, &graded, Sort::Severity, &page).await.unwrap().items;
            assert_eq!(
                (listed.len(), story.results.summary(&story.actor, &graded).await.unwrap().total),
                (expected, expected as u64),
                "{unit}"
            );
            let elsewhere = story.results.summary(&retail, &filter).await.unwrap().total;
            assert_eq!(elsewhere, u64::from(unit.starts_with("retail") && !unit.contains('_')), "{unit}");
        }

        let seen = story.results.findings(&retail, &Filter::default(), Sort::Severity, &page).await.unwrap().items;
        assert_eq!(seen.iter().map(|finding| finding.title.as_str()).collect::<Vec<_>>(), ["Old server"]);
        assert_eq!(story.results.summary(&retail, &Filter::default()).await.unwrap().total, 1);
        let words = Filter { q: Some("e".into()), ..Filter::default() };
        assert_eq!(story.results.summary(&retail, &words).await.unwrap().total, 1);
        assert_eq!(story.results.imports(&retail, &page).await.unwrap().items.len(), 1);
        let listed = story.targets.list(&retail, targets::Filter::default(), page.clone()).await.unwrap().items;
        assert_eq!(listed, std::slice::from_ref(&shop));
        assert_eq!(story.targets.units(&retail).await.unwrap().last().unwrap().unit, "retail/web");

        let all = story.findings().await;
        let weak: FindingId = all.iter().find(|finding| finding.title == "Weak key").unwrap().id;
        let gone = |kind: Kind| assert_eq!(kind, Kind::NotFound);
        gone(story.results.finding(&retail, weak).await.unwrap_err().kind());
        gone(story.results.decide(&retail, weak, decision(DecisionScope::Finding)).await.unwrap_err().kind());
        gone(story.targets.get(&retail, bank.id).await.unwrap_err().kind());
        // Once more, now that the other kind of reader has put it into the cache.
        story.targets.get(&story.actor, bank.id).await.unwrap();
        gone(story.targets.get(&retail, bank.id).await.unwrap_err().kind());
        gone(story.targets.delete(&retail, bank.id).await.unwrap_err().kind());
        gone(Box::pin(story.results.import(&retail, request(&line("More", "low"), Some(&bank)))).await.unwrap_err().kind());

        assert!(story.results.decide(&retail, seen[0].id, decision(DecisionScope::Finding)).await.is_ok());
        let ruling = story.results.decide(&retail, seen[0].id, decision(DecisionScope::Rule)).await.unwrap_err();
        assert_eq!(ruling.code(), "results.ruling_beyond_units");
        let nowhere = Box::pin(story.results.import(&retail, request(&line("Else", "low"), None))).await.unwrap_err();
        assert_eq!(nowhere.code(), "results.import_without_target");
        let exported: Vec<_> =
            futures::TryStreamExt::try_collect(story.results.export(&retail, Filter::default(), ExportFormat::Csv).unwrap()).await.unwrap();
        let exported = String::from_utf8(exported.concat()).unwrap();
        assert!(exported.contains("Old server") && !exported.contains("Weak key"), "{exported}");
    }
}

#[tokio::test]
async fn what_concerns_everybody_is_not_for_who_is_bound_and_targets_stay_within_reach() {
    for engine in testkit::engines() {
        let story = Story::new(engine).await;
        let shop = story.target_of("shop", "retail").await;
        let retail = story.bound("retail");
        assert_eq!(story.results.clusters(&retail, &PageRequest::default()).await.unwrap_err().code(), "auth.bound_to_units");
        assert_eq!(story.results.drop_sla_policy(&retail, "retail").await.unwrap_err().code(), "auth.bound_to_units");

        let new = |unit: Option<&str>| serde_json::from_value::<NewTarget>(json!({ "name": "x", "type": "host", "unit": unit })).unwrap();
        for unit in [None, Some("retailers"), Some("staff")] {
            assert_eq!(story.targets.create(&retail, new(unit)).await.unwrap_err().code(), "targets.unit_outside");
        }
        assert!(story.targets.create(&retail, new(Some("retail/new"))).await.is_ok());
        let away: TargetPatch = serde_json::from_value(json!({ "unit": null })).unwrap();
        assert_eq!(story.targets.patch(&retail, shop.id, away).await.unwrap_err().code(), "targets.unit_outside");
    }
}

#[tokio::test]
async fn a_unit_without_a_policy_follows_the_one_it_lies_in() {
    for engine in testkit::engines() {
        let story = Story::new(engine).await;
        let shop = story.target_of("shop", "retail/web/checkout").await;
        story.import(&line("Old server", "high"), Some(&shop)).await.unwrap();
        let organisation = story.results.sla_policies(&story.actor).await.unwrap().remove(0).policy;
        let policy = SlaPolicy { soon_days: 1, ..organisation };
        story.results.set_sla_policy(&story.actor, "Retail", policy).await.unwrap();
        let finding = story.findings().await[0].id;
        let due = story.results.finding(&story.actor, finding).await.unwrap().risk.due.unwrap();
        assert_eq!(due.unit, "retail");
    }
}

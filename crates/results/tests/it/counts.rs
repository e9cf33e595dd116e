//! Figures that are kept instead of counted: after every kind of change they are what counting comes to.

use std::time::Duration;

use base::PageRequest;
use results::{BulkDecision, DecisionKind, DecisionScope, Filter, NewDecision, Sort};
use testkit::engines;

use crate::story::{Story, hit, lines, miss};

const SITE: &str = "https://x.example/";

#[tokio::test]
async fn kept_figures_follow_imports_decisions_time_and_undo() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let target = story.target("192.0.2.1").await;
        let many: Vec<_> =
            (0..40).map(|number| hit(&format!("t-{number}"), ["info", "low", "high", "critical"][number % 4], SITE)).collect();
        story.import(&lines(&many), None).await.unwrap();
        story.import(&lines(&many[..10]), Some(&target)).await.unwrap();
        story.assert_tallies().await;
        let clock = &story.world.backends.clock;
        let findings = story.findings().await;
        let until = Some(clock.now() + Duration::from_secs(60));
        let accepted =
            NewDecision { kind: DecisionKind::Accepted, reason: "for now".into(), valid_until: until, scope: DecisionScope::Finding };
        story.results.decide(&story.actor, findings[0].id, accepted).await.unwrap();
        let low = Filter { severity: vec!["low".into()], ..Filter::default() };
        let bulk = BulkDecision {
            ids: Vec::new(),
            filter: Some(low.clone()),
            kind: DecisionKind::Mitigated,
            reason: "a proxy".into(),
            valid_until: None,
        };
        let batch = story.results.decide_all(&story.actor, bulk).await.unwrap().batch_id;
        story.assert_tallies().await;
        assert_eq!(story.results.summary(&story.actor, &low).await.unwrap().by_status.mitigated, 13);
        let of_target = Filter { status: vec!["open".into()], ..Filter::of_target(target.id) };
        assert_eq!(story.results.summary(&story.actor, &of_target).await.unwrap().total, 7, "{engine:?}");

        // The acceptance is over before any job says so, and after.
        clock.advance(Duration::from_secs(61));
        story.assert_tallies().await;
        story.results.expire().await.unwrap();
        story.assert_tallies().await;
        story.results.undo_decisions(&story.actor, batch).await.unwrap();
        let mut rescored = many.clone();
        rescored[2]["info"]["severity"] = "info".into();
        rescored[3] = miss("t-3", SITE);
        let again = story.import(&lines(&rescored), None).await.unwrap();
        assert_eq!((again.summary.closed, again.summary.unchanged), (1, 39));
        story.assert_tallies().await;
        // The day's figures sum them up.
        clock.advance(Duration::from_secs(24 * 3600));
        story.results.record_trends().await.unwrap();
        story.assert_tallies().await;
        story.results.undo(&story.actor, again.id).await.unwrap();
        story.assert_tallies().await;

        let counted = Filter { check: Some("t-5".into()), ..Filter::default() };
        let matching = story.results.matching(&story.actor, &counted).await.unwrap();
        assert_eq!((matching.count, matching.more), (2, false));
        assert_eq!(story.results.matching(&story.actor, &Filter::default()).await.unwrap().count, 50);
    }
}

#[tokio::test]
async fn what_few_findings_have_is_listed_page_by_page_in_every_order() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let many: Vec<_> = (0..30).map(|number| hit(&format!("t-{number}"), ["info", "low", "high"][number % 3], SITE)).collect();
        story.import(&lines(&many), None).await.unwrap();
        let low = Filter { severity: vec!["low".into()], ..Filter::default() };
        let bulk =
            BulkDecision { ids: Vec::new(), filter: Some(low), kind: DecisionKind::Mitigated, reason: "a proxy".into(), valid_until: None };
        story.results.decide_all(&story.actor, bulk).await.unwrap();
        let status = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let filters = [
            (Filter { status: status(&["mitigated"]), ..Filter::default() }, 10),
            (Filter { status: status(&["mitigated", "accepted"]), ..Filter::default() }, 10),
            (Filter { status: status(&["mitigated", "open"]), ..Filter::default() }, 30),
            (Filter { status: status(&["accepted"]), ..Filter::default() }, 0),
            (Filter { source: Some("nuclei".into()), ..Filter::default() }, 30),
            (Filter { source: Some("nobody".into()), ..Filter::default() }, 0),
            (Filter { service: Some("shop".into()), ..Filter::default() }, 0),
            (Filter { service: Some(String::new()), ..Filter::default() }, 30),
        ];
        for (filter, wanted) in filters {
            for sort in [Sort::Severity, Sort::Newest, Sort::LastSeen, Sort::Title, Sort::Risk] {
                let (mut ids, mut cursor) = (Vec::new(), None);
                loop {
                    let request = PageRequest { cursor, limit: Some(4) };
                    let page = story.results.findings(&story.actor, &filter, sort, &request).await.unwrap();
                    ids.extend(page.items.iter().map(|finding| finding.id));
                    cursor = page.next_cursor;
                    if cursor.is_none() {
                        break;
                    }
                }
                let listed = ids.len();
                ids.sort_unstable();
                ids.dedup();
                assert_eq!((listed, ids.len()), (wanted, wanted), "{engine:?} {filter:?} {sort}");
            }
        }
    }
}

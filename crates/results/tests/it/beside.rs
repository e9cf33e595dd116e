//! What a list shows before and after a finding, for people who walk through it one by one.

use base::PageRequest;
use results::{DecisionKind, DecisionScope, Filter, FindingId, NewDecision, Sort};
use testkit::engines;

use crate::story::{Story, hit, lines};

const SITE: &str = "https://x.example/";
const ORDERS: [Sort; 6] = [Sort::Severity, Sort::Newest, Sort::LastSeen, Sort::Title, Sort::Risk, Sort::Due];

async fn listed(story: &Story, filter: &Filter, sort: Sort) -> Vec<FindingId> {
    let page = PageRequest { cursor: None, limit: Some(100) };
    story.results.findings(&story.actor, filter, sort, &page).await.unwrap().items.iter().map(|finding| finding.id).collect()
}

async fn neighbours(story: &Story, filter: &Filter, sort: Sort, id: FindingId) -> [Option<FindingId>; 2] {
    let finding = story.results.finding(&story.actor, id).await.unwrap().finding;
    let beside = story.results.beside(&story.actor, filter, sort, &finding).await.unwrap();
    [beside.before, beside.after].map(|finding| finding.map(|finding| finding.id))
}

#[tokio::test]
async fn beside_a_finding_stands_what_the_list_shows_before_and_after_it_in_every_order() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let many: Vec<_> = (0..12).map(|number| hit(&format!("t-{number}"), ["info", "low", "high"][number % 3], SITE)).collect();
        let import = story.import(&lines(&many), None).await.unwrap();
        // Due dates and risks come with the assessment.
        story.results.assess(&story.actor, Some(import.id)).await.unwrap();
        let filters = [
            Filter::default(),
            Filter { severity: vec!["low".into(), "high".into()], ..Filter::default() },
            Filter { source: Some("nuclei".into()), status: vec!["open".into()], ..Filter::default() },
        ];
        for filter in filters {
            for sort in ORDERS {
                let ids = listed(&story, &filter, sort).await;
                assert!(ids.len() >= 4, "{engine:?} {filter:?} {sort}");
                for (index, id) in ids.iter().enumerate() {
                    let expected = [index.checked_sub(1).map(|before| ids[before]), ids.get(index + 1).copied()];
                    assert_eq!(neighbours(&story, &filter, sort, *id).await, expected, "{engine:?} {filter:?} {sort} {index}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_finding_that_has_left_the_list_still_stands_between_the_others() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let many: Vec<_> = (0..6).map(|number| hit(&format!("t-{number}"), "high", SITE)).collect();
        let import = story.import(&lines(&many), None).await.unwrap();
        // Due dates and risks come with the assessment.
        story.results.assess(&story.actor, Some(import.id)).await.unwrap();
        let open = Filter { status: vec!["open".into()], ..Filter::default() };
        for sort in ORDERS {
            let ids = listed(&story, &open, sort).await;
            let decided =
                NewDecision { kind: DecisionKind::Mitigated, reason: "a proxy".into(), valid_until: None, scope: DecisionScope::Finding };
            story.results.decide(&story.actor, ids[1], decided).await.unwrap();
            assert_eq!(listed(&story, &open, sort).await.len(), 5);
            assert_eq!(neighbours(&story, &open, sort, ids[1]).await, [Some(ids[0]), Some(ids[2])], "{engine:?} {sort}");
            assert_eq!(neighbours(&story, &open, sort, ids[0]).await, [None, Some(ids[2])], "{engine:?} {sort}");
            let again = NewDecision { kind: DecisionKind::Reopen, reason: "no".into(), valid_until: None, scope: DecisionScope::Finding };
            story.results.decide(&story.actor, ids[1], again).await.unwrap();
        }
    }
}

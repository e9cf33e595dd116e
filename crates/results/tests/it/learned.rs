//! What past decisions tell about new findings: nothing until there are enough, and never a status.

use base::Role;
use results::{BulkDecision, DecisionKind, DecisionScope, Finding, NewDecision};
use testkit::engines;

use crate::risk::get;
use crate::story::{Story, hit, lines};

async fn decide(story: &Story, finding: &Finding, kind: DecisionKind) {
    let new = NewDecision { kind, reason: "looked at it".into(), valid_until: None, scope: DecisionScope::Finding };
    story.results.decide(&story.actor, finding.id, new).await.unwrap();
}

#[tokio::test]
async fn enough_decisions_make_estimates_with_reasons_that_change_no_status() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let hits: Vec<_> = (0..31)
            .flat_map(|n| {
                [
                    hit("noisy", "low", &format!("https://x.example/tests/{n}a")),
                    hit("solid", "high", &format!("https://x.example/app/{n}a")),
                ]
            })
            .collect();
        story.import(&lines(&hits), None).await.unwrap();
        let all = story.findings().await;
        let (noisy, solid): (Vec<_>, Vec<_>) = all.into_iter().partition(|finding| finding.check == "noisy");
        for finding in &noisy[..20] {
            decide(&story, finding, DecisionKind::FalsePositive).await;
        }
        assert_eq!(story.results.learn_false_positives().await.unwrap(), 1);
        let learning = get(&story, "/findings/false-positives").await;
        assert_eq!((learning["is_on"].as_bool(), learning["decisions"].as_u64()), (Some(false), Some(20)), "{learning}");
        assert_eq!(learning["why_not"], "20 of 50 decisions");
        assert!(story.results.finding(&story.actor, noisy[30].id).await.unwrap().false_positive.is_none());

        for finding in &noisy[20..29] {
            decide(&story, finding, DecisionKind::FalsePositive).await;
        }
        for (index, finding) in solid[..29].iter().enumerate() {
            // One in five was wrong after all: nothing is certain.
            decide(&story, finding, if index % 5 == 4 { DecisionKind::FalsePositive } else { DecisionKind::Confirmed }).await;
        }
        assert_eq!(story.results.learn_false_positives().await.unwrap(), 1);
        assert_eq!(story.results.learn_false_positives().await.unwrap(), 0, "nobody decided since");
        let learning = get(&story, "/findings/false-positives").await;
        assert!(learning["is_on"] == true && learning["brier"].as_f64() < learning["brier_of_mean"].as_f64(), "{learning}");
        let detail = story.results.finding(&story.actor, noisy[30].id).await.unwrap();
        let estimate = detail.false_positive.unwrap();
        assert!(estimate.probability > 0.8, "{estimate:?}");
        assert!(
            estimate.reasons.iter().any(|reason| reason.message == "29 of 29 decisions about this rule were false positives"),
            "{estimate:?}"
        );
        assert_eq!(detail.finding.status.as_str(), "open");
        let other = story.results.finding(&story.actor, solid[30].id).await.unwrap().false_positive.unwrap();
        assert!(other.probability < 0.4, "{other:?}");

        let stranger = story.world.other(&[Role::Admin]);
        assert!(!story.results.false_positive_learning(&stranger).await.unwrap().is_on, "decisions stay in their organisation");
    }
}

#[tokio::test]
async fn a_thousand_rows_ticked_at_once_are_one_thought() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let hits: Vec<_> = (0..60).map(|n| hit("noisy", "low", &format!("https://x.example/tests/{n}a"))).collect();
        story.import(&lines(&hits), None).await.unwrap();
        let ids = story.findings().await.iter().map(|finding| finding.id).collect();
        let bulk = BulkDecision { ids, filter: None, kind: DecisionKind::FalsePositive, reason: "all of them".into(), valid_until: None };
        story.results.decide_all(&story.actor, bulk).await.unwrap();
        story.results.learn_false_positives().await.unwrap();
        let learning = story.results.false_positive_learning(&story.actor).await.unwrap();
        assert_eq!((learning.is_on, learning.decisions), (false, 20));
    }
}

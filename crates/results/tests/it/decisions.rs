//! What people say, how long it holds, and what it survives.

use std::time::Duration;

use base::{Kind, Role};
use results::{DecisionKind, Filter, HappeningKind, NewDecision};
use testkit::engines;

use crate::story::{Story, hit, lines, miss};

fn decision(kind: DecisionKind) -> NewDecision {
    NewDecision { kind, reason: "looked at it".into(), valid_until: None, scope: results::DecisionScope::Finding }
}

#[tokio::test]
async fn a_decision_survives_new_scans_until_it_is_taken_back() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let found = hit("a", "high", "https://x.example/");
        story.import(&lines(std::slice::from_ref(&found)), None).await.unwrap();
        let id = story.findings().await[0].id;
        let decided = story.results.decide(&story.actor, id, decision(DecisionKind::FalsePositive)).await.unwrap();
        assert_eq!((decided.status.as_str(), decided.decision.unwrap().reason.as_str()), ("false_positive", "looked at it"));
        let mut rescored = found.clone();
        rescored["info"]["severity"] = "critical".into();
        story.import(&lines(&[rescored]), None).await.unwrap();
        assert_eq!(story.findings().await[0].status.as_str(), "false_positive");
        story.results.decide(&story.actor, id, decision(DecisionKind::Reopen)).await.unwrap();
        let refused = story.results.decide(&story.actor, id, decision(DecisionKind::Reopen)).await.unwrap_err();
        assert_eq!(refused.code(), "results.nothing_to_reopen");
        let detail = story.results.finding(&story.actor, id).await.unwrap();
        assert_eq!((detail.finding.status.as_str(), detail.finding.decision, detail.decisions.len()), ("open", None, 2));
        assert_eq!(story.world.count("audit_logs").await, 4);
    }
}

#[tokio::test]
async fn an_acceptance_ends_by_itself_even_before_the_job_says_so() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", "https://x.example/")]), None).await.unwrap();
        let id = story.findings().await[0].id;
        let clock = &story.world.backends.clock;
        let until = clock.now() + Duration::from_secs(3600);
        let accepted = NewDecision { valid_until: Some(until), ..decision(DecisionKind::Accepted) };
        assert_eq!(story.results.decide(&story.actor, id, accepted).await.unwrap().status.as_str(), "accepted");
        let open = Filter { status: vec!["open".into()], ..Filter::default() };
        assert_eq!(story.results.summary(&story.actor, &open).await.unwrap().total, 0);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(story.results.summary(&story.actor, &open).await.unwrap().total, 1);
        let finding = &story.findings().await[0];
        assert_eq!((finding.status.as_str(), finding.decision.is_none()), ("open", true));
        assert_eq!(story.results.expire().await.unwrap(), 1);
        assert_eq!(story.results.expire().await.unwrap(), 0);
        let detail = story.results.finding(&story.actor, id).await.unwrap();
        assert_eq!((detail.finding.status.as_str(), detail.history[0].kind), ("open", HappeningKind::Expired));
    }
}

#[tokio::test]
async fn fixed_holds_until_a_tool_sees_it_again() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let found = hit("a", "high", "https://x.example/");
        story.import(&lines(std::slice::from_ref(&found)), None).await.unwrap();
        let id = story.findings().await[0].id;
        story.world.backends.clock.advance(Duration::from_secs(60));
        assert_eq!(story.results.decide(&story.actor, id, decision(DecisionKind::Fixed)).await.unwrap().status.as_str(), "fixed");
        story.world.backends.clock.advance(Duration::from_secs(60));
        story.import(&lines(&[miss("a", "https://x.example/")]), None).await.unwrap();
        assert_eq!(story.findings().await[0].status.as_str(), "fixed");
        let back = story.import(&lines(&[found, hit("b", "low", "https://x.example/")]), None).await.unwrap();
        assert_eq!(back.summary.reopened, 1);
        assert_eq!(story.findings().await[0].status.as_str(), "open");
    }
}

#[tokio::test]
async fn a_decision_without_reason_end_or_permission_is_refused() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", "https://x.example/")]), None).await.unwrap();
        let id = story.findings().await[0].id;
        let now = story.world.backends.clock.now();
        let wrong = [
            (NewDecision { reason: "  ".into(), ..decision(DecisionKind::Accepted) }, "results.reason"),
            (NewDecision { valid_until: Some(now), ..decision(DecisionKind::Accepted) }, "results.valid_until"),
            (NewDecision { valid_until: Some(now + Duration::from_secs(60)), ..decision(DecisionKind::Fixed) }, "results.valid_until"),
        ];
        for (new, code) in wrong {
            assert_eq!(story.results.decide(&story.actor, id, new).await.unwrap_err().code(), code);
        }
        let viewer = story.world.actor(&[Role::Viewer]);
        assert_eq!(story.results.decide(&viewer, id, decision(DecisionKind::Fixed)).await.unwrap_err().kind(), Kind::Forbidden);
        let stranger = story.world.other(&[Role::Admin]);
        assert_eq!(story.results.decide(&stranger, id, decision(DecisionKind::Fixed)).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(story.results.finding(&stranger, id).await.unwrap_err().kind(), Kind::NotFound);
    }
}

//! What holds once a decision ends, is spent or is taken back: what is wider and still in force, never what was withdrawn.

use std::time::Duration;

use base::PageRequest;
use results::{BatchId, BulkDecision, DecisionKind, DecisionScope, DecisionState, Finding, NewDecision, Policy, Resolution, Status};
use testkit::engines;

use crate::story::{Story, hit, lines, nmap, nmap_request};

const SITE: &str = "https://x.example/";
const HOUR: Duration = Duration::from_secs(3600);

impl Story {
    async fn at(&self, url: &str) -> Finding {
        self.findings().await.into_iter().find(|finding| finding.location.url.as_deref() == Some(url)).unwrap()
    }

    async fn say(&self, finding: &Finding, kind: DecisionKind, scope: DecisionScope) -> base::Result<Finding> {
        let new = NewDecision { kind, reason: "looked at it".into(), valid_until: None, scope };
        self.results.decide(&self.actor, finding.id, new).await
    }

    async fn accept_for(&self, finding: &Finding, time: Duration) {
        let valid_until = Some(self.world.backends.clock.now() + time);
        let new = NewDecision { kind: DecisionKind::Accepted, reason: "for now".into(), valid_until, scope: DecisionScope::Finding };
        self.results.decide(&self.actor, finding.id, new).await.unwrap();
    }

    async fn say_of_all(&self, findings: &[&Finding], kind: DecisionKind) -> BatchId {
        let ids = findings.iter().map(|finding| finding.id).collect();
        let bulk = BulkDecision { ids, filter: None, kind, reason: "all of them".into(), valid_until: None };
        self.results.decide_all(&self.actor, bulk).await.unwrap().batch_id
    }

    /// Status and kind of the decision in force.
    async fn holds(&self, url: &str) -> (Status, Option<DecisionKind>) {
        let finding = self.at(url).await;
        (finding.status, finding.decision.map(|decision| decision.kind))
    }
}

#[tokio::test]
async fn what_ends_gives_way_to_what_holds_for_its_rule() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let other = "https://other.example/";
        story.import(&lines(&[hit("a", "high", SITE), hit("a", "high", other)]), None).await.unwrap();
        let (here, there) = (story.at(SITE).await, story.at(other).await);
        story.accept_for(&here, HOUR).await;
        story.accept_for(&there, HOUR).await;
        story.say(&here, DecisionKind::FalsePositive, DecisionScope::Rule).await.unwrap();
        story.say(&there, DecisionKind::OutOfScope, DecisionScope::RuleOnAsset).await.unwrap();
        assert_eq!(story.holds(SITE).await, (Status::Accepted, Some(DecisionKind::Accepted)));
        clock.advance(HOUR);
        assert_eq!(story.results.expire().await.unwrap(), 2);
        assert_eq!(story.holds(SITE).await, (Status::FalsePositive, Some(DecisionKind::FalsePositive)), "{engine:?}");
        assert_eq!(story.holds(other).await, (Status::OutOfScope, Some(DecisionKind::OutOfScope)), "{engine:?}");
        story.assert_tallies().await;
    }
}

#[tokio::test]
async fn a_spent_decision_is_in_no_rulings_way() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let ended = "https://ended.example/";
        story.import(&lines(&[hit("a", "high", SITE), hit("a", "high", ended)]), None).await.unwrap();
        let here = story.at(SITE).await;
        story.say(&here, DecisionKind::Fixed, DecisionScope::Finding).await.unwrap();
        story.accept_for(&story.at(ended).await, HOUR).await;
        clock.advance(HOUR);
        // A tool sees it again; and no job has told yet that the acceptance is over.
        story.import(&lines(&[hit("a", "high", SITE), hit("b", "low", SITE)]), None).await.unwrap();
        story.say(&here, DecisionKind::FalsePositive, DecisionScope::Rule).await.unwrap();
        for url in [SITE, ended] {
            let held =
                story.findings().await.into_iter().filter(|finding| finding.location.url.as_deref() == Some(url) && finding.title == "a");
            let held: Vec<_> = held.map(|finding| (finding.status, finding.decision.map(|decision| decision.kind))).collect();
            assert_eq!(held, [(Status::FalsePositive, Some(DecisionKind::FalsePositive))], "{engine:?} {url}");
        }
    }
}

#[tokio::test]
async fn taking_a_ruling_back_is_no_ruling_and_needs_no_finding_that_holds_it() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        let here = story.at(SITE).await;
        story.say(&here, DecisionKind::OutOfScope, DecisionScope::RuleOnAsset).await.unwrap();
        // The exception: nothing holds the ruling any more, and yet it is in force.
        story.say(&here, DecisionKind::Confirmed, DecisionScope::Finding).await.unwrap();
        story.say(&here, DecisionKind::Reopen, DecisionScope::RuleOnAsset).await.unwrap();
        let again = story.say(&here, DecisionKind::Reopen, DecisionScope::RuleOnAsset).await.unwrap_err();
        assert_eq!(again.code(), "results.nothing_to_reopen");
        let born = format!("{SITE}born");
        story.import(&lines(&[hit("a", "high", &born)]), None).await.unwrap();
        assert_eq!(story.holds(&born).await, (Status::Open, None), "{engine:?}");
        story.say(&here, DecisionKind::FalsePositive, DecisionScope::Rule).await.unwrap();
        assert_eq!(story.holds(&born).await, (Status::FalsePositive, Some(DecisionKind::FalsePositive)), "{engine:?}");
        let later = format!("{SITE}later");
        story.import(&lines(&[hit("a", "high", &later)]), None).await.unwrap();
        assert_eq!(story.holds(&later).await, (Status::FalsePositive, Some(DecisionKind::FalsePositive)), "{engine:?}");
    }
}

#[tokio::test]
async fn taking_a_batch_back_revives_nothing_that_was_taken_back_before() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let other = "https://other.example/";
        story.import(&lines(&[hit("a", "high", SITE), hit("b", "high", other)]), None).await.unwrap();
        let (here, there) = (story.at(SITE).await, story.at(other).await);
        let first = story.say_of_all(&[&here, &there], DecisionKind::Mitigated).await;
        let second = story.say_of_all(&[&here], DecisionKind::FalsePositive).await;
        assert_eq!(story.results.undo_decisions(&story.actor, first).await.unwrap(), 1);
        assert_eq!(story.results.undo_decisions(&story.actor, second).await.unwrap(), 1);
        assert_eq!(story.holds(SITE).await, (Status::Open, None), "{engine:?}");

        // Between the two there was one that ended meanwhile.
        story.accept_for(&here, HOUR).await;
        let batch = story.say_of_all(&[&here], DecisionKind::FalsePositive).await;
        clock.advance(HOUR);
        story.results.undo_decisions(&story.actor, batch).await.unwrap();
        assert_eq!(story.holds(SITE).await, (Status::Open, None), "{engine:?}");

        // What holds for the rule since then holds for it too.
        let batch = story.say_of_all(&[&here], DecisionKind::Confirmed).await;
        story.say(&here, DecisionKind::OutOfScope, DecisionScope::Rule).await.unwrap();
        story.results.undo_decisions(&story.actor, batch).await.unwrap();
        assert_eq!(story.holds(SITE).await, (Status::OutOfScope, Some(DecisionKind::OutOfScope)), "{engine:?}");
    }
}

#[tokio::test]
async fn taking_a_batch_back_leaves_what_people_said_meanwhile() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        let here = story.at(SITE).await;
        story.say(&here, DecisionKind::FalsePositive, DecisionScope::Finding).await.unwrap();
        let reopened = story.say_of_all(&[&here], DecisionKind::Reopen).await;
        story.say(&here, DecisionKind::Confirmed, DecisionScope::Finding).await.unwrap();
        story.say(&here, DecisionKind::Reopen, DecisionScope::Finding).await.unwrap();
        let refused = story.results.undo_decisions(&story.actor, reopened).await.unwrap_err();
        assert_eq!((refused.code(), story.holds(SITE).await), ("results.batch_not_found", (Status::Open, None)), "{engine:?}");
    }
}

#[tokio::test]
async fn taking_back_what_was_approved_revives_nothing_that_was_taken_back_while_it_waited() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        let here = story.at(SITE).await;
        story.results.set_policy(&story.actor, Policy { four_eyes: true }).await.unwrap();
        story.say(&here, DecisionKind::FalsePositive, DecisionScope::Finding).await.unwrap();
        let batch = story.say_of_all(&[&here], DecisionKind::Accepted).await;
        story.say(&here, DecisionKind::Reopen, DecisionScope::Finding).await.unwrap();
        let page = PageRequest::default();
        let waiting = story.results.decisions(&story.actor, Some(DecisionState::Proposed), None, &page).await.unwrap().items;
        let second = base::Actor { user: Some(story.world.backends.ids.next()), username: "second".into(), ..story.actor.clone() };
        story.results.approve(&second, waiting[0].id, true).await.unwrap();
        assert_eq!(story.holds(SITE).await, (Status::Accepted, Some(DecisionKind::Accepted)), "{engine:?}");
        story.results.undo_decisions(&story.actor, batch).await.unwrap();
        assert_eq!(story.holds(SITE).await, (Status::Open, None), "{engine:?}");
    }
}

#[tokio::test]
async fn of_two_findings_that_become_one_the_last_word_about_either_holds() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let ports = |open: &[u16]| nmap_request(&nmap("192.0.2.8", "1-10000", open));
        story.request(ports(&[8080])).await.unwrap();
        let old = story.findings().await.remove(0);
        let before = story.say_of_all(&[&old], DecisionKind::Accepted).await;
        clock.advance(HOUR);
        story.request(ports(&[7001, 7002])).await.unwrap();
        let reviews = story.results.reviews(&story.actor, &PageRequest::default()).await.unwrap().items;
        let newer = story.results.finding(&story.actor, reviews[0].finding_id).await.unwrap().finding;
        let since = story.say_of_all(&[&newer], DecisionKind::FalsePositive).await;
        let same = story.results.resolve(&story.actor, reviews[0].id, Resolution { same_as: Some(old.id) }).await.unwrap();
        assert_eq!((same.id, same.status), (old.id, Status::FalsePositive), "{engine:?}");
        // Both batches speak of this one finding now.
        story.results.undo_decisions(&story.actor, since).await.unwrap();
        let status = async || story.results.finding(&story.actor, old.id).await.unwrap().finding.status;
        assert_eq!(status().await, Status::Accepted, "{engine:?}");
        story.results.undo_decisions(&story.actor, before).await.unwrap();
        assert_eq!(status().await, Status::Open, "{engine:?}");
    }
}

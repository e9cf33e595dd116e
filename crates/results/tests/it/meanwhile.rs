//! People decide while an import runs: it may write what it read before, but never over what they said.

use std::time::Duration;

use backends::{Sql, sql};
use results::{DecisionKind, DecisionScope, FindingId, Import, NewDecision};
use scans::{NewScan, Profile};
use targets::NewAuthorization;
use testkit::{Engine, engines, eventually};

use crate::risk::{work, world};
use crate::story::{Story, hit, lines, miss};

const SITE: &str = "https://x.example/";

/// Until somebody waits for what somebody else holds.
async fn waits(story: &Story) {
    let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("somebody waits", async || story.world.count(waiting).await == 1).await;
}

/// Does work that comes to write a finding which somebody is calling a false positive.
async fn overtaken<T>(story: &Story, title: &str, work: impl Future<Output = T>) -> T {
    let now = story.world.backends.clock.now();
    let mut person = story.world.backends.db.begin().await.unwrap();
    person.run(sql("UPDATE vulnerabilities SET id = id WHERE title = $1").bind(title)).await.unwrap();
    let (done, ()) = tokio::join!(work, async {
        waits(story).await;
        let said =
            sql("UPDATE vulnerabilities SET decision_id = 'd', decision_kind = 'false_positive', decision_until = NULL, decision_at = $2,
                 status = 'false_positive', status_until = NULL, base_status = 'false_positive' WHERE title = $1");
        person.run(said.bind(title).bind(now)).await.unwrap();
        person.commit().await.unwrap();
    });
    done
}

/// Takes a file in; people speak once it has read what it knows and is about to write this table for the first time.
async fn import_while(story: &Story, text: &str, table: &str, people: impl AsyncFnOnce()) -> Import {
    let db = &story.world.backends.db;
    if !db.is_shared() {
        // The only writer is the import: what people say waits for it.
        let import = story.import(text, None).await.unwrap();
        people().await;
        return import;
    }
    let mut held = db.begin().await.unwrap();
    held.run(Sql::built(format!("LOCK TABLE {table} IN SHARE MODE"))).await.unwrap();
    let (import, ()) = tokio::join!(story.import(text, None), async {
        waits(story).await;
        people().await;
        held.commit().await.unwrap();
    });
    import.unwrap()
}

async fn decide(story: &Story, title: &str, kind: DecisionKind, valid_for: Option<Duration>) {
    let finding = story.titled(title).await;
    let valid_until = valid_for.map(|time| story.world.backends.clock.now() + time);
    let new = NewDecision { kind, reason: "looked at it".into(), valid_until, scope: DecisionScope::Finding };
    story.results.decide(&story.actor, finding.id, new).await.unwrap();
}

async fn decide_of(story: &Story, id: FindingId, kind: DecisionKind, scope: DecisionScope) {
    let new = NewDecision { kind, reason: "looked at it".into(), valid_until: None, scope };
    story.results.decide(&story.actor, id, new).await.unwrap();
}

async fn rule(story: &Story, title: &str, kind: DecisionKind, scope: DecisionScope) {
    decide_of(story, story.titled(title).await.id, kind, scope).await;
}

/// What somebody decides about a rule on one host, from a finding that is not there.
async fn narrow(story: &Story, check: &str, host: &str) {
    let mut person = story.world.backends.db.begin().await.unwrap();
    let said = sql("INSERT INTO decisions (id, tenant_id, finding_id, kind, reason, decided_by_name, decided_at, scope, source, check_id, asset)
         SELECT '0190b8a0-0000-7000-8000-00000000000d', tenant_id, id, 'out_of_scope', 'not ours', 'somebody', $3, 'rule_on_asset', source, check_id, $4
         FROM vulnerabilities WHERE check_id = $2 AND tenant_id = $1 LIMIT 1");
    let (tenant, now) = (story.actor.tenant, story.world.backends.clock.now());
    person.run(said.bind(tenant).bind(check).bind(now).bind(format!("\n{host}"))).await.unwrap();
    person.commit().await.unwrap();
}

async fn sorted(story: &Story) -> Vec<(String, &'static str)> {
    let mut standing = story.standing().await;
    standing.sort_unstable();
    standing
}

fn reworded(name: &str) -> serde_json::Value {
    let mut line = hit(name, "high", SITE);
    line["info"]["description"] = "other words".into();
    line
}

#[tokio::test]
async fn what_people_decide_while_an_import_runs_holds() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let names = ["back", "for now", "gone", "left", "mended", "reworded", "trusted", "untouched"];
        story.import(&lines(&names.map(|name| hit(name, "high", SITE))), None).await.unwrap();
        decide(&story, "trusted", DecisionKind::FalsePositive, None).await;
        clock.advance(Duration::from_secs(60));
        let others = names.iter().filter(|name| **name != "back").map(|name| hit(name, "high", SITE));
        story.import(&lines(&others.chain([miss("back", SITE)]).collect::<Vec<_>>()), None).await.unwrap();
        clock.advance(Duration::from_secs(60));

        let said = ["for now", "mended", "reworded", "trusted", "untouched"].map(reworded);
        let text = lines(&[&said[..], &[miss("gone", SITE), hit("back", "high", SITE)]].concat());
        let import = import_while(&story, &text, "finding_before", async || {
            clock.advance(Duration::from_secs(60));
            decide(&story, "back", DecisionKind::OutOfScope, None).await;
            decide(&story, "for now", DecisionKind::Accepted, Some(Duration::from_secs(3600))).await;
            decide(&story, "gone", DecisionKind::FalsePositive, None).await;
            decide(&story, "left", DecisionKind::Mitigated, None).await;
            decide(&story, "mended", DecisionKind::Fixed, None).await;
            decide(&story, "reworded", DecisionKind::FalsePositive, None).await;
            decide(&story, "trusted", DecisionKind::Reopen, None).await;
        })
        .await;
        let summary = &import.summary;
        assert_eq!((summary.closed, summary.not_retested, summary.reopened, summary.created), (1, 1, 1, 0), "{engine:?}");
        let standing = [
            ("back", "out_of_scope"),
            ("for now", "accepted"),
            ("gone", "false_positive"),
            ("left", "mitigated"),
            ("mended", "fixed"),
            ("reworded", "false_positive"),
            ("trusted", "open"),
            ("untouched", "open"),
        ];
        let standing = standing.map(|(name, status)| (name.to_owned(), status));
        assert_eq!(story.standing().await, standing, "{engine:?}");
        story.assert_tallies().await;
        // The import goes, what people said stays.
        story.results.undo(&story.actor, import.id).await.unwrap();
        assert_eq!(story.standing().await, standing, "{engine:?}");
        clock.advance(Duration::from_secs(3600));
        assert_eq!(story.standing().await[1], ("for now".to_owned(), "open"), "{engine:?}");
        story.assert_tallies().await;
    }
}

#[tokio::test]
async fn what_is_decided_about_a_rule_while_an_import_runs_holds_for_what_it_brings() {
    for engine in engines() {
        let story = world(engine).await;
        // Elsewhere, so that the run does not write the finding that somebody decides from.
        let other = "https://other.example/";
        let born = |name: &str| hit("a", "high", &format!("{other}{name}"));
        story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        work(&story).await;
        import_while(&story, &lines(&[born("one"), born("two"), hit("b", "low", other)]), "observations", async || {
            rule(&story, "a", DecisionKind::FalsePositive, DecisionScope::Rule).await;
        })
        .await;
        work(&story).await;
        let standing =
            ["a", "a", "a", "b"].map(str::to_owned).into_iter().zip(["false_positive", "false_positive", "false_positive", "open"]);
        assert_eq!(story.standing().await, standing.collect::<Vec<_>>(), "{engine:?}");
        story.assert_tallies().await;
    }
}

#[tokio::test]
async fn a_ruling_that_is_withdrawn_or_narrowed_while_an_import_runs_does_not_hold_for_what_it_brings() {
    for engine in engines() {
        let story = world(engine).await;
        let other = "https://other.example/";
        story.import(&lines(&["a", "b"].map(|name| hit(name, "high", SITE))), None).await.unwrap();
        for title in ["a", "b"] {
            rule(&story, title, DecisionKind::FalsePositive, DecisionScope::Rule).await;
        }
        work(&story).await;
        let born = ["a", "b"].map(|name| hit(name, "high", &format!("{other}born")));
        import_while(&story, &lines(&born), "observations", async || {
            rule(&story, "a", DecisionKind::Reopen, DecisionScope::Rule).await;
            narrow(&story, "b", "other.example").await;
        })
        .await;
        work(&story).await;
        let standing = [("a", "open"), ("a", "open"), ("b", "false_positive"), ("b", "out_of_scope")];
        assert_eq!(sorted(&story).await, standing.map(|(name, status)| (name.to_owned(), status)), "{engine:?}");
        story.assert_tallies().await;
    }
}

#[tokio::test]
async fn a_spent_fixed_gives_way_to_the_ruling_that_holds() {
    for engine in engines() {
        let story = world(engine).await;
        let clock = &story.world.backends.clock;
        let other = "https://other.example/";
        story.import(&lines(&[hit("a", "high", SITE), hit("a", "high", other)]), None).await.unwrap();
        let finding = story.findings().await.into_iter().find(|finding| finding.location.url.as_deref() == Some(SITE)).unwrap();
        decide_of(&story, finding.id, DecisionKind::FalsePositive, DecisionScope::Rule).await;
        decide_of(&story, finding.id, DecisionKind::Fixed, DecisionScope::Finding).await;
        clock.advance(Duration::from_secs(60));
        story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        work(&story).await;
        assert!(story.standing().await.iter().all(|(_, status)| *status == "false_positive"), "{engine:?} {:?}", story.standing().await);
        story.assert_tallies().await;
    }
}

#[tokio::test]
async fn fixed_said_while_an_import_sees_it_as_it_was_holds_until_the_next_one_sees_it() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let text = |other: &str| lines(&[hit("a", "high", SITE), miss(other, SITE)]);
        story.import(&text("b"), None).await.unwrap();
        clock.advance(Duration::from_secs(60));
        let import = import_while(&story, &text("c"), "observations", async || {
            clock.advance(Duration::from_secs(60));
            decide(&story, "a", DecisionKind::Fixed, None).await;
        })
        .await;
        assert_eq!((import.summary.unchanged, import.summary.reopened), (1, 0), "{engine:?}");
        assert_eq!(story.standing().await, [("a".to_owned(), "fixed")], "{engine:?}");
        clock.advance(Duration::from_secs(60));
        assert_eq!(story.import(&text("d"), None).await.unwrap().summary.reopened, 1, "{engine:?}");
        assert_eq!(story.standing().await, [("a".to_owned(), "open")], "{engine:?}");
        story.assert_tallies().await;
    }
}

#[tokio::test]
async fn what_a_scan_left_out_stands_as_somebody_says_at_that_moment() {
    // One engine has but one writer.
    let story = Story::new(Engine::Distributed).await;
    let clock = &story.world.backends.clock;
    let target = story.target("x.example").await;
    story.import(&lines(&[hit("a", "high", SITE), hit("b", "high", SITE)]), Some(&target)).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let until = clock.now() + Duration::from_secs(3600);
    story.targets.authorize(&story.actor, NewAuthorization::for_target(target.id, "CISO", "contract 7", until)).await.unwrap();
    let scan = story.scans.start(&story.actor, NewScan::of(target.id, Profile::Quick)).await.unwrap();
    let mut tx = story.world.backends.db.begin().await.unwrap();
    let tested = sql("INSERT INTO coverage (id, tenant_id, import_id, scan_id, target_id, created_at, source, check_set, location, status)
         VALUES ('c', $1, 'i', $2, $3, $4, 'nuclei', 'others', '{}', 'done')");
    tx.run(tested.bind(story.actor.tenant).bind(scan.id).bind(target.id).bind(clock.now())).await.unwrap();
    tx.commit().await.unwrap();
    let marked = overtaken(&story, "a", story.results.settle(&story.actor, scan.id)).await.unwrap();
    assert_eq!(marked, 2);
    assert_eq!(story.standing().await, [("a".to_owned(), "false_positive"), ("b".to_owned(), "not_retested")]);
    story.assert_tallies().await;
}

#[tokio::test]
async fn an_import_about_which_somebody_is_deciding_is_not_taken_back() {
    let story = Story::new(Engine::Distributed).await;
    let import = story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
    let (id, now) = (story.findings().await[0].id, story.world.backends.clock.now());
    let mut person = story.world.backends.db.begin().await.unwrap();
    person.run(sql("UPDATE vulnerabilities SET id = id WHERE id = $1").bind(id)).await.unwrap();
    let said = sql("INSERT INTO decisions (id, tenant_id, finding_id, kind, reason, decided_by_name, decided_at)
         VALUES ('d', $1, $2, 'confirmed', 'it is one', 'somebody', $3)");
    person.run(said.bind(story.actor.tenant).bind(id).bind(now)).await.unwrap();
    let (undone, ()) = tokio::join!(story.results.undo(&story.actor, import.id), async {
        waits(&story).await;
        person.commit().await.unwrap();
    });
    assert!(undone.unwrap_err().detail().contains("decided"));
    assert_eq!(story.findings().await.len(), 1);
}

#[tokio::test]
async fn an_import_is_taken_back_once_however_many_ask_at_once() {
    let story = Story::new(Engine::Distributed).await;
    let import = story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
    let id = story.findings().await[0].id;
    let mut held = story.world.backends.db.begin().await.unwrap();
    held.run(sql("UPDATE vulnerabilities SET id = id WHERE id = $1").bind(id)).await.unwrap();
    let (one, other, ()) = tokio::join!(story.results.undo(&story.actor, import.id), story.results.undo(&story.actor, import.id), async {
        let waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("both wait", async || story.world.count(waiting).await == 2).await;
        held.commit().await.unwrap();
    });
    let refused = [one, other].into_iter().filter_map(Result::err).map(|error| error.code()).collect::<Vec<_>>();
    assert_eq!(refused, ["results.not_undoable"]);
}

#[tokio::test]
async fn the_end_of_an_acceptance_takes_no_newer_decision_away() {
    let story = Story::new(Engine::Distributed).await;
    let clock = &story.world.backends.clock;
    story.import(&lines(&[hit("a", "high", SITE), hit("b", "high", SITE)]), None).await.unwrap();
    for title in ["a", "b"] {
        decide(&story, title, DecisionKind::Accepted, Some(Duration::from_secs(60))).await;
    }
    clock.advance(Duration::from_secs(60));
    assert_eq!(overtaken(&story, "a", story.results.expire()).await.unwrap(), 1);
    assert_eq!(story.standing().await, [("a".to_owned(), "false_positive"), ("b".to_owned(), "open")]);
    story.assert_tallies().await;
}

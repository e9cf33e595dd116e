//! What commits together, and what a change costs.

use audit::{Audit, Change, Filter};
use backends::{Event, Handlers, Job, Run, jobs, sql};
use base::{Kind, PageRequest, Result, Role};
use serde::{Deserialize, Serialize};
use serde_json::json;
use testkit::{World, engines};

use crate::thing::{RENAME, reader, table, write};

#[derive(Serialize, Deserialize)]
struct Shout {
    name: String,
}

impl Job for Shout {
    const NAME: &'static str = "things.shout";
    const QUEUE: &'static str = "things";
    const ON: &'static [&'static str] = &["thing.renamed"];
    type Service = ();

    async fn run(self, (): &(), _: &Run) -> Result<()> {
        Ok(())
    }
}

#[derive(Serialize)]
struct Renamed {
    name: String,
}

impl Event for Renamed {
    const NAME: &'static str = "thing.renamed";

    fn subject(&self) -> String {
        self.name.clone()
    }
}

#[tokio::test]
async fn row_job_event_and_entry_commit_together_or_not_at_all() {
    for engine in engines() {
        let world = World::new(engine).await;
        table(&world).await;
        let handlers = Handlers::new().add::<Shout>(());
        world.backends.subscriptions.set(&handlers);
        let actor = reader(&world);
        for commits in [false, true] {
            let mut change = Change::begin(&world.backends, &actor, RENAME).await.unwrap();
            change.run(sql("INSERT INTO things (id, name) VALUES ('1', 'one')")).await.unwrap();
            change.enqueue(&Shout { name: "direct".into() }).await.unwrap();
            change.publish(&Renamed { name: "one".into() }).await.unwrap();
            if commits {
                change.subject("thing", 1);
                change.commit().await.unwrap();
            } else {
                let refused = change.commit().await.unwrap_err();
                assert!(refused.detail().contains("things.rename has no subject"), "{refused}");
            }
            let expected = i64::from(commits);
            for (table, rows) in [("things", 1), ("jobs", 2), ("events", 1), ("audit_logs", 1), ("audit_pending", 1)] {
                assert_eq!(world.count(table).await, rows * expected, "{table} on {engine:?}");
            }
        }
        assert_eq!(jobs::drain(&world.backends, &handlers).await.unwrap().ran, 2);
    }
}

#[tokio::test]
async fn a_change_needs_the_permission_of_its_action_and_leaves_nothing_when_dropped() {
    for engine in engines() {
        let world = World::new(engine).await;
        table(&world).await;
        let refused = write(&world, &world.actor(&[Role::Viewer]), "1", "one").await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
        let mut change = Change::begin(&world.backends, &reader(&world), RENAME).await.unwrap();
        change.run(sql("INSERT INTO things (id, name) VALUES ('1', 'one')")).await.unwrap();
        change.subject("thing", 1);
        drop(change);
        assert_eq!((world.count("things").await, world.count("audit_logs").await), (0, 0));
    }
}

#[tokio::test]
async fn a_thousand_audited_writes_cost_four_thousand_statements() {
    for engine in engines() {
        let world = World::new(engine).await;
        table(&world).await;
        let audit = Audit::new(&world.backends);
        let actor = reader(&world);
        let before = world.backends.db.statements();
        for number in 0..1000 {
            write(&world, &actor, &number.to_string(), "name").await.unwrap();
        }
        // BEGIN, the row, its entry, COMMIT.
        assert_eq!(world.backends.db.statements() - before, 4000);
        let before = world.backends.db.statements();
        assert_eq!(audit.sequence().await.unwrap(), 1000);
        let sequencing = world.backends.db.statements() - before;
        assert!(sequencing <= 25, "{sequencing} statements to sequence");
    }
}

#[tokio::test]
async fn entries_hold_every_field_and_are_found_by_each_filter() {
    for engine in engines() {
        let world = World::new(engine).await;
        table(&world).await;
        let audit = Audit::new(&world.backends);
        let actor = reader(&world);
        let mut change = Change::begin(&world.backends, &actor, RENAME).await.unwrap();
        change.subject("thing", "1");
        change.detail(json!({ "name": "nul \u{0} and “quotes”" }));
        change.reason("because\0of");
        change.threat(0.1, Some("verified".into()));
        change.commit().await.unwrap();
        world.backends.clock.advance(std::time::Duration::from_secs(60));
        audit.record(&actor, audit::actions::READ, ("scan", "2"), json!({}), Some("no authorisation")).await.unwrap();
        audit.record(&world.other(&[Role::Admin]), audit::actions::READ, ("scan", "3"), json!({}), None).await.unwrap();

        let page = PageRequest::default();
        let all = audit.entries(&actor, &Filter::default(), &page).await.unwrap().items;
        assert_eq!(all.iter().map(|entry| entry.subject_id.as_str()).collect::<Vec<_>>(), ["2", "1"]);
        let entry = &all[1];
        assert_eq!(
            (entry.threat_score, entry.attestation_state.as_deref(), entry.decision_reason.as_deref()),
            (Some(0.1), Some("verified"), Some("because\u{FFFD}of"))
        );
        assert_eq!((entry.user_id, entry.jti.as_deref(), entry.ip.as_deref()), (actor.user, Some("jti-1"), Some("127.0.0.1")));
        assert_eq!((entry.source.as_str(), entry.correlation_id.as_deref()), ("http", Some("correlation-1")));
        assert_eq!(entry.detail, json!({ "name": "nul \u{0} and “quotes”" }));

        let filters = [
            Filter { action: Some("things.rename".into()), ..Filter::default() },
            Filter { subject_kind: Some("thing".into()), ..Filter::default() },
            Filter { subject_id: Some("1".into()), user: actor.user, ..Filter::default() },
            Filter { to: Some(all[0].created_at), ..Filter::default() },
        ];
        for filter in filters {
            let found = audit.entries(&actor, &filter, &page).await.unwrap().items;
            assert_eq!(found.iter().map(|entry| entry.id).collect::<Vec<_>>(), [entry.id], "{filter:?}");
        }
        let first = audit.entries(&actor, &Filter::default(), &PageRequest { limit: Some(1), cursor: None }).await.unwrap();
        let second = audit.entries(&actor, &Filter::default(), &PageRequest { limit: Some(1), cursor: first.next_cursor }).await.unwrap();
        assert_eq!((second.items[0].id, second.next_cursor), (entry.id, None));
        let refused = audit.entries(&world.actor(&[Role::Viewer]), &Filter::default(), &page).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
    }
}

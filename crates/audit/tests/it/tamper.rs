//! Somebody with the database's password changes history; verification names what they did.

use audit::Audit;
use audit::verify::{ProblemKind, Report, Trust};
use backends::Sql;
use base::{Actor, Source};
use serde_json::json;
use testkit::{Engine, World, engines};

use crate::log::export;
use crate::thing::reader;

const TABLES: [&str; 5] = ["audit_logs", "audit_leaves", "audit_tiles", "audit_checkpoints", "audit_keys"];
const ASSIGNMENTS: [&str; 5] = ["username = 'eve'", "tenant_id = 'x'", "tile_index = 9", "created_at = 1", "first_used_at = 1"];

async fn run(world: &World, statement: String) -> base::Result<u64> {
    let mut tx = world.backends.db.begin().await?;
    let touched = tx.run(Sql::built(statement)).await?;
    tx.commit().await?;
    Ok(touched)
}

/// What an owner of the database can do and the application cannot.
async fn disarm(world: &World, engine: Engine) {
    for table in TABLES {
        match engine {
            Engine::Embedded => {
                for verb in ["update", "delete"] {
                    run(world, format!("DROP TRIGGER {table}_no_{verb}")).await.unwrap();
                }
            }
            Engine::Distributed => {
                run(world, format!("ALTER TABLE {table} DISABLE TRIGGER {table}_no_change")).await.unwrap();
            }
        }
    }
}

async fn log(engine: Engine) -> (World, Audit, Actor) {
    let world = World::new(engine).await;
    let audit = Audit::new(&world.backends);
    let actor = reader(&world);
    for number in 0..20 {
        audit.record(&actor, audit::actions::READ, ("thing", &number.to_string()), json!({}), None).await.unwrap();
        if number % 5 == 4 {
            audit.sequence().await.unwrap();
        }
    }
    let system = Actor::system(actor.tenant, Source::Cli);
    (world, audit, system)
}

fn kinds(report: &Report) -> Vec<ProblemKind> {
    report.problems.iter().map(|problem| problem.kind).collect()
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_log() {
    for engine in engines() {
        let (world, audit, system) = log(engine).await;
        for (table, assignment) in TABLES.into_iter().zip(ASSIGNMENTS) {
            let statements = [format!("UPDATE {table} SET {assignment}"), format!("DELETE FROM {table}")];
            for statement in statements {
                let rows = world.count(table).await;
                let outcome = run(&world, statement.clone()).await;
                // Tiles appear only from 256 leaves on; SQLite's triggers fire per row.
                assert!(outcome.is_err() || rows == 0, "{statement} on {engine:?}");
            }
            if engine == Engine::Distributed {
                assert!(run(&world, format!("TRUNCATE {table}")).await.is_err());
            }
        }
        assert!(audit.verify(&system, Trust::default()).await.unwrap().is_intact());
    }
}

#[tokio::test]
async fn a_changed_or_deleted_entry_is_named() {
    for engine in engines() {
        let (world, audit, system) = log(engine).await;
        disarm(&world, engine).await;
        run(&world, "UPDATE audit_logs SET username = 'eve' WHERE subject_id = '7'".into()).await.unwrap();
        let report = audit.verify(&system, Trust::default()).await.unwrap();
        assert_eq!(kinds(&report), [ProblemKind::Changed]);
        assert!(report.problems[0].message.contains("thing 7") && report.problems[0].entry.is_some(), "{report:?}");

        run(&world, "UPDATE audit_logs SET username = 'user-1' WHERE subject_id = '7'".into()).await.unwrap();
        assert!(audit.verify(&system, Trust::default()).await.unwrap().is_intact());
        run(&world, "DELETE FROM audit_logs WHERE subject_id = '7'".into()).await.unwrap();
        let report = audit.verify(&system, Trust::default()).await.unwrap();
        assert_eq!((kinds(&report), report.problems[0].index), (vec![ProblemKind::Missing], Some(7)));
        let own = audit.verify(&reader(&world), Trust::default()).await.unwrap();
        assert_eq!(kinds(&own), [ProblemKind::Missing], "the tenant sees it without seeing others");
    }
}

#[tokio::test]
async fn a_cut_tail_is_seen_by_the_log_itself_or_by_a_checkpoint_kept_elsewhere() {
    for engine in engines() {
        let (world, audit, system) = log(engine).await;
        let kept = audit.checkpoint(&system).await.unwrap();
        let keys = match &export(&audit, &system).await[0] {
            audit::verify::Line::Log { keys, .. } => keys.clone(),
            other => panic!("{other:?}"),
        };
        disarm(&world, engine).await;
        run(&world, "DELETE FROM audit_logs WHERE id IN (SELECT entry_id FROM audit_leaves WHERE leaf_index >= 15)".into()).await.unwrap();
        run(&world, "DELETE FROM audit_leaves WHERE leaf_index >= 15".into()).await.unwrap();
        let report = audit.verify(&system, Trust::default()).await.unwrap();
        assert!(kinds(&report).contains(&ProblemKind::Truncated), "{report:?}");

        // A careful attacker rewinds everything the database knows; the next entry is then signed over a shorter history.
        run(&world, "DELETE FROM audit_checkpoints WHERE tree_size > 15".into()).await.unwrap();
        audit.record(&reader(&world), audit::actions::READ, ("thing", "after"), json!({}), None).await.unwrap();
        assert_eq!(audit.sequence().await.unwrap_err().code(), "audit.inconsistent", "the tree's edge still knows better");
        let trust = Trust { keys, known_checkpoint: Some(kept) };
        let report = audit.verify(&system, trust).await.unwrap();
        assert_eq!(report.known_checkpoint_confirmed, Some(false));
    }
}

#[tokio::test]
async fn an_entry_kept_out_of_the_tree_is_named() {
    for engine in engines() {
        let (world, audit, system) = log(engine).await;
        audit.record(&reader(&world), audit::actions::READ, ("thing", "hidden"), json!({}), None).await.unwrap();
        run(&world, "DELETE FROM audit_pending".into()).await.unwrap();
        assert!(audit.verify(&system, Trust::default()).await.unwrap().is_intact(), "a fresh entry may still wait");
        world.backends.clock.advance(std::time::Duration::from_secs(120));
        let report = audit.verify(&system, Trust::default()).await.unwrap();
        assert_eq!(kinds(&report), [ProblemKind::NeverSequenced]);
        assert!(report.problems[0].entry.is_some());
    }
}

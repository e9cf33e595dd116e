//! The index follows the database: what is made, changed and removed, on its own and anew.

use base::Kind;
use search::{IndexName, Question};
use testkit::engines;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_found_changed_and_gone_again() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.search.prepare().await.unwrap();
        stage.import(0, 3, "high").await;
        stage.target("db.example.org").await;
        assert_eq!(stage.find(IndexName::Vulnerabilities, "").await.total, 0, "not before it is carried over");
        assert!(stage.search.catch_up().await.unwrap() > 0);
        assert_eq!(stage.search.catch_up().await.unwrap(), 0);
        let titles = stage.shown(IndexName::Vulnerabilities, "severity:high host:x.example", "title").await;
        assert_eq!(titles, ["finding t-0", "finding t-1", "finding t-2"], "{engine:?}");
        assert_eq!(stage.find(IndexName::ScanResults, "\"finding t 1\"").await.total, 1);
        assert_eq!(stage.shown(IndexName::Assets, "address:db.example.org", "name").await, ["db.example.org"]);
        assert_eq!(stage.find(IndexName::AuditLogs, "action:targets.*").await.total, 1);

        stage.import(0, 2, "low").await;
        stage.search.catch_up().await.unwrap();
        assert_eq!(stage.shown(IndexName::Vulnerabilities, "severity:<=low", "title").await, ["finding t-0", "finding t-1"]);
        assert_eq!(stage.find(IndexName::Vulnerabilities, "severity:high").await.total, 1);

        let target = stage.find(IndexName::Assets, "").await.items.remove(0).id;
        stage.targets.delete(&stage.actor, target.parse().unwrap()).await.unwrap();
        assert!(stage.find(IndexName::Assets, "").await.items.is_empty(), "a hit the database no longer has is not shown");
        stage.search.catch_up().await.unwrap();
        assert_eq!(stage.find(IndexName::Assets, "").await.total, 0);
        assert_eq!(stage.world.count("search_pending").await, 0);

        let stranger = stage.world.other(&[base::Role::Admin]);
        assert_eq!(stage.search.find(&stranger, &Question::default()).await.unwrap().total, 0, "another organisation sees nothing");
        let viewer = stage.world.actor(&[base::Role::Viewer]);
        let refused = stage.search.find(&viewer, &Question { index: IndexName::AuditLogs, ..Question::default() }).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_made_anew_while_it_answers_and_changes_go_on() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.import(0, 50, "high").await;
        stage.search.prepare().await.unwrap();
        assert_eq!(stage.find(IndexName::Vulnerabilities, "").await.total, 50);
        let (rebuilt, ()) = tokio::join!(stage.search.rebuild_now(IndexName::Vulnerabilities), async {
            for round in 0..5 {
                stage.import(50 + round * 10, 60 + round * 10, "low").await;
                stage.search.catch_up().await.unwrap();
                assert!(stage.find(IndexName::Vulnerabilities, "severity:high").await.total == 50, "it answers meanwhile");
            }
        });
        assert!(rebuilt.unwrap() >= 50);
        stage.search.catch_up().await.unwrap();
        assert_eq!(stage.find(IndexName::Vulnerabilities, "").await.total, 100, "{engine:?}");
        assert_eq!(stage.find(IndexName::Vulnerabilities, "severity:low").await.total, 50);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_installation_makes_its_indices_by_itself() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.import(0, 3, "high").await;
        let away = stage.search.find(&stage.actor, &Question::default()).await.unwrap_err();
        assert_eq!((away.kind(), away.code()), (Kind::Unavailable, "search.missing"));
        for _ in 0..3 {
            stage.search.catch_up().await.unwrap();
        }
        let handlers = search::jobs(&stage.search);
        let drained = backends::jobs::drain(&stage.world.backends, &handlers).await.unwrap();
        assert_eq!(drained.errors.len(), 0);
        stage.search.catch_up().await.unwrap();
        assert_eq!(stage.find(IndexName::Vulnerabilities, "").await.total, 3, "{engine:?}");
        assert!(stage.search.indices(&stage.actor).await.unwrap().iter().all(|index| index.ready && index.pending == 0));
    }
}

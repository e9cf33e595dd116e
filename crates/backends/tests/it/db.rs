//! Both databases keep the same promises.

use backends::{Backends, Clock, Config, Db, Value, sql};
use base::{Kind, Time};
use testkit::{Engine, World, engines, eventually};

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    for engine in engines() {
        let world = World::new(engine).await;
        let db = &world.backends.db;
        let mut tx = db.begin().await.unwrap();
        tx.run(sql("CREATE TABLE sample (a TEXT, b BIGINT, c DOUBLE PRECISION, d BOOLEAN, e BYTEA)")).await.unwrap();
        tx.run(
            sql("INSERT INTO sample VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)")
                .bind("text ü")
                .bind(i64::MAX)
                .bind(0.1)
                .bind(true)
                .bind(vec![0_u8, 255])
                .bind(None::<String>)
                .bind(None::<i64>)
                .bind(None::<f64>)
                .bind(None::<bool>)
                .bind(None::<Vec<u8>>),
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let rows = db.all(sql("SELECT * FROM sample ORDER BY b")).await.unwrap();
        let full = rows.iter().find(|row| row.get::<Option<String>>("a").unwrap().is_some()).unwrap();
        assert_eq!(full.get::<String>("a").unwrap(), "text ü");
        assert_eq!(full.get::<i64>("b").unwrap(), i64::MAX);
        assert!((full.get::<f64>("c").unwrap() - 0.1).abs() < f64::EPSILON);
        assert!(full.get::<bool>("d").unwrap());
        assert_eq!(full.get::<Vec<u8>>("e").unwrap(), [0, 255]);
        let empty = rows.iter().find(|row| row.get::<Option<String>>("a").unwrap().is_none()).unwrap();
        assert_eq!(empty.get::<Option<i64>>("b").unwrap(), None);
        assert_eq!(empty.get::<Option<Vec<u8>>>("e").unwrap(), None);
    }
}

#[tokio::test]
async fn a_read_cannot_write_and_a_dropped_transaction_leaves_nothing() {
    for engine in engines() {
        let world = World::new(engine).await;
        let db = &world.backends.db;
        assert!(db.all(sql("DELETE FROM jobs")).await.is_err(), "{engine:?}");
        let mut tx = db.begin().await.unwrap();
        tx.run(sql("INSERT INTO job_schedules VALUES ('x', 1)")).await.unwrap();
        drop(tx);
        assert_eq!(world.count("job_schedules").await, 0);
        let mut tx = db.begin().await.unwrap();
        tx.run(sql("INSERT INTO job_schedules VALUES ('x', 1)")).await.unwrap();
        let twin = tx.run(sql("INSERT INTO job_schedules VALUES ('x', 2)")).await.unwrap_err();
        assert_eq!((twin.kind(), twin.code()), (Kind::Conflict, "db.duplicate"));
    }
}

#[tokio::test]
async fn cancelled_begins_lose_no_acknowledged_write() {
    for engine in engines() {
        let world = World::new(engine).await;
        let db = world.backends.db.clone();
        for round in 0..200_i64 {
            let begin = db.begin();
            // Dropped at a different point each round: the connection must come back clean.
            let _ = tokio::time::timeout(std::time::Duration::from_micros(u64::try_from(round % 40).unwrap() * 10), begin).await;
            let mut tx = db.begin().await.unwrap();
            tx.run(sql("INSERT INTO job_schedules VALUES ($1, $2)").bind(format!("row {round}")).bind(round)).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(world.count("job_schedules").await, 200, "{engine:?}");
    }
}

#[tokio::test]
async fn several_processes_may_migrate_postgres_at_once() {
    let database = testkit::servers::fresh_database();
    let clock = Clock::fixed(Time::default());
    let starts = (0..6).map(|_| Db::connect(database.url(), 2, &clock));
    let started = futures::future::join_all(starts).await;
    assert!(started.iter().all(Result::is_ok), "{:?}", started.iter().filter_map(|start| start.as_ref().err()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_second_process_on_one_sqlite_file_is_told_what_to_do() {
    let world = World::new(Engine::Embedded).await;
    let refused = Backends::connect(&world.config).await.err().unwrap();
    assert_eq!(refused.code(), "db.in_use");
    assert!(refused.detail().contains("--server"), "{}", refused.detail());
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::embedded(folder.path());
    let port = testkit::free_port([127, 0, 0, 1].into());
    config.db = format!("postgres://tyrian:hunter2@127.0.0.1:{port}/tyrian");
    let refused = Backends::connect(&config).await.err().unwrap();
    assert_eq!(refused.kind(), Kind::Unavailable);
    assert!(refused.detail().contains(&port.to_string()) && !refused.detail().contains("hunter2"), "{}", refused.detail());
    config.db = "mysql://tyrian:hunter2@127.0.0.1/x".into();
    let refused = Backends::connect(&config).await.err().unwrap();
    assert_eq!(refused.code(), "config.db");
    assert!(!refused.detail().contains("hunter2"), "{}", refused.detail());
}

#[tokio::test]
async fn the_embedded_engine_has_no_known_corruption_bug() {
    let world = World::new(Engine::Embedded).await;
    let version = world.backends.db.version().await.unwrap();
    let numbers: Vec<u32> = version.trim_start_matches("SQLite ").split('.').map(|part| part.parse().unwrap()).collect();
    assert!(numbers >= vec![3, 51, 3], "{version}: older ones can lose a write-ahead log");
}

#[tokio::test]
async fn the_embedded_engine_plans_by_what_its_tables_hold_once_they_have_grown() {
    let world = World::new(Engine::Embedded).await;
    let db = &world.backends.db;
    let mut tx = db.begin().await.unwrap();
    tx.run(sql("CREATE TABLE sample (number BIGINT, owner TEXT)")).await.unwrap();
    tx.run(sql("CREATE INDEX sample_by_owner ON sample (owner)")).await.unwrap();
    tx.run(sql("CREATE INDEX sample_by_number ON sample (number)")).await.unwrap();
    tx.commit().await.unwrap();
    let rows = "INSERT INTO sample WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 20000)
         SELECT n, 'one' FROM series";
    let mut tx = db.begin().await.unwrap();
    tx.run(sql(rows)).await.unwrap();
    tx.commit().await.unwrap();
    let known = "SELECT idx FROM sqlite_stat1 WHERE tbl = 'sample'";
    eventually("both indexes are known", async || db.all(sql(known)).await.unwrap().len() == 2).await;
    let asked = "EXPLAIN QUERY PLAN SELECT owner FROM sample WHERE owner = 'one' AND number = 7";
    let plan: Vec<String> = db.all(sql(asked)).await.unwrap().iter().map(|row| row.get("detail").unwrap()).collect();
    assert!(plan.concat().contains("sample_by_number"), "{plan:?}");
}

#[test]
fn null_keeps_its_type() {
    assert!(matches!(Value::from(None::<i64>), Value::Int(None)));
}

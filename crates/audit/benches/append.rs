//! Audit appends by 32 writers on a PostgreSQL that flushes to disk, beside plain single-row commits
//! in turns under the same load: prints the rates, the ratio and what the log says afterwards.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, measures and stops at the first failure")]

use std::time::{Duration, Instant};

use audit::{Audit, Change};
use backends::{Backends, Config, sql};
use base::{Action, Actor, Permission, Role};
use serde_json::json;
use testkit::servers::{Durability, Postgres};
use testkit::{Engine, World};

const WRITERS: usize = 32;
/// As many as may wait for one commit: what grouping does when nobody's turn bounds it.
const MANY: usize = 256;
const ROUNDS: usize = 5;
const TIME: Duration = Duration::from_secs(3);
const RENAME: Action = Action::new("things.rename", Permission::WriteTargets);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let server = Postgres::start(Durability::Safe);
    let database = server.fresh_database();
    let folder = tempfile::tempdir().expect("a folder");
    let config = Config { db: database.url().to_owned(), db_connections: 40, ..Config::embedded(folder.path()) };
    let backends = Backends::connect(&config).await.expect("backends");
    let mut tx = backends.db.begin().await.expect("begin");
    tx.run(sql("CREATE TABLE plain (id TEXT PRIMARY KEY, body TEXT NOT NULL)")).await.expect("create");
    tx.commit().await.expect("commit");
    let audit = Audit::new(&backends);
    audit.start();
    let actor = World::new(Engine::Embedded).await.actor(&[Role::Admin]);

    let mut rounds: [Vec<f64>; 5] = Default::default();
    for _ in 0..ROUNDS {
        rounds[0].push(rate(1, || plain(&backends)).await);
        rounds[1].push(rate(WRITERS, || append(&audit, &actor)).await);
        rounds[2].push(rate(WRITERS, || plain(&backends)).await);
        rounds[3].push(rate(WRITERS, || change(&backends, &actor)).await);
        rounds[4].push(rate(MANY, || append(&audit, &actor)).await);
    }
    let [single, appended, many, changed, crowd] = rounds.map(median);
    println!("one connection, one row per commit, no audit   {single:>7.0}/s   1.00");
    println!("audit append, {WRITERS} writers                       {appended:>7.0}/s  {:>5.2}", appended / single);
    println!("audit append, {MANY} writers                      {crowd:>7.0}/s  {:>5.2}", crowd / single);
    println!("{WRITERS} connections, one row per commit, no audit   {many:>7.0}/s  {:>5.2}", many / single);
    println!("{WRITERS} writers, a row and its audit entry          {changed:>7.0}/s  {:>5.2}", changed / single);

    let begun = Instant::now();
    let left = audit.sequence().await.expect("sequence");
    println!("{left} entries still waited; they got their place in {:.2} s", begun.elapsed().as_secs_f64());
    let system = Actor::system(actor.tenant, base::Source::Cli);
    let report = audit.verify(&system, audit::verify::Trust::default()).await.expect("verify");
    println!("the log of {} entries verifies: {}", report.entries, report.is_intact());
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Completed writes per second of all writers together, each waiting for its write before the next.
async fn rate<F: Future<Output = ()>>(writers: usize, write: impl Fn() -> F) -> f64 {
    let begun = Instant::now();
    let writer = || async {
        let mut written = 0_u64;
        while begun.elapsed() < TIME {
            write().await;
            written += 1;
        }
        written
    };
    let written: u64 = futures::future::join_all((0..writers).map(|_| writer())).await.into_iter().sum();
    written as f64 / begun.elapsed().as_secs_f64()
}

async fn plain(backends: &Backends) {
    let mut tx = backends.db.begin().await.expect("begin");
    let id = backends.ids.next::<Audit>();
    tx.run(sql("INSERT INTO plain (id, body) VALUES ($1, $2)").bind(id).bind("{\"name\":\"a row like any other\"}")).await.expect("insert");
    tx.commit().await.expect("commit");
}

async fn append(audit: &Audit, actor: &Actor) {
    let detail = json!({ "name": "a row like any other" });
    audit.record(actor, audit::actions::READ, ("thing", "1"), detail, None).await.expect("append");
}

async fn change(backends: &Backends, actor: &Actor) {
    let mut change = Change::begin(backends, actor, RENAME).await.expect("begin");
    let id = change.id::<Audit>();
    change
        .run(sql("INSERT INTO plain (id, body) VALUES ($1, $2)").bind(id).bind("{\"name\":\"a row like any other\"}"))
        .await
        .expect("insert");
    change.subject("thing", id);
    change.detail(json!({ "name": "a row like any other" }));
    change.commit().await.expect("commit");
}

//! Audit appends against plain single-row commits: 32 writers on PostgreSQL, both in one run, the ratio at the end.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, measures and stops at the first failure")]

use std::time::{Duration, Instant};

use audit::Audit;
use backends::sql;
use base::{Actor, Role};
use serde_json::json;
use testkit::{Engine, World};

const WRITERS: usize = 32;
const ROUNDS: usize = 3;
const TIME: Duration = Duration::from_secs(4);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let world = World::new(Engine::Distributed).await;
    let mut tx = world.backends.db.begin().await.expect("begin");
    tx.run(sql("CREATE TABLE plain (id TEXT PRIMARY KEY, body TEXT NOT NULL)")).await.expect("create");
    tx.commit().await.expect("commit");
    let audit = Audit::new(&world.backends);
    audit.start();
    let actor = world.actor(&[Role::Admin]);
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let plain = rate(|| plain(&world)).await;
        let appended = rate(|| append(&audit, &actor)).await;
        ratios.push(appended / plain);
        println!("round {round}: single-row commits {plain:.0}/s, audit appends {appended:.0}/s, ratio {:.2}", appended / plain);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} with {WRITERS} writers (goal: at least 3)", ratios[ROUNDS / 2]);
    let begun = Instant::now();
    let left = audit.sequence().await.expect("sequence");
    println!("{left} entries still waited; they got their place in {:.2} s", begun.elapsed().as_secs_f64());
    let report = audit.verify(&Actor::system(actor.tenant, base::Source::Cli), audit::verify::Trust::default()).await.expect("verify");
    println!("the log of {} entries verifies: {}", report.entries, report.is_intact());
}

/// Completed writes per second of all writers together.
async fn rate<F: Future<Output = ()>>(write: impl Fn() -> F) -> f64 {
    let begun = Instant::now();
    let writer = || async {
        let mut written = 0_u64;
        while begun.elapsed() < TIME {
            write().await;
            written += 1;
        }
        written
    };
    let written: u64 = futures::future::join_all((0..WRITERS).map(|_| writer())).await.into_iter().sum();
    written as f64 / begun.elapsed().as_secs_f64()
}

async fn plain(world: &World) {
    let mut tx = world.backends.db.begin().await.expect("begin");
    let id = world.backends.ids.next::<World>();
    tx.run(sql("INSERT INTO plain (id, body) VALUES ($1, $2)").bind(id).bind("{\"name\":\"a row like any other\"}")).await.expect("insert");
    tx.commit().await.expect("commit");
}

async fn append(audit: &Audit, actor: &Actor) {
    let detail = json!({ "name": "a row like any other" });
    audit.record(actor, audit::actions::READ, ("thing", "1"), detail, None).await.expect("append");
}

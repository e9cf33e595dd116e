//! A job runs to its end exactly when its cause committed, whatever dies in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use backends::jobs::{self, Concurrency, Worker};
use backends::{Handlers, Job, Run, Schedule, events, sql};
use base::{Error, Result, Role};
use serde::{Deserialize, Serialize};
use testkit::{World, engines, eventually};

#[derive(Clone, Default)]
struct Tally {
    ran: Arc<AtomicUsize>,
    fail_first: usize,
}

#[derive(Serialize, Deserialize)]
struct Add {
    number: usize,
}

impl Job for Add {
    const NAME: &'static str = "test.add";
    const QUEUE: &'static str = "test_queue";
    const ON: &'static [&'static str] = &["number.came"];
    type Service = Tally;

    async fn run(self, tally: &Tally, run: &Run) -> Result<()> {
        if (run.attempt as usize) <= tally.fail_first {
            return Err(Error::unavailable("test.later", "not yet"));
        }
        tally.ran.fetch_add(self.number, Ordering::SeqCst);
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Sweep {}

impl Job for Sweep {
    const NAME: &'static str = "test.sweep";
    const QUEUE: &'static str = "test_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(60)));
    type Service = Tally;

    async fn run(self, tally: &Tally, _: &Run) -> Result<()> {
        tally.ran.fetch_add(1_000, Ordering::SeqCst);
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Wait {}

impl Job for Wait {
    const NAME: &'static str = "test.wait";
    const QUEUE: &'static str = "wait_queue";
    type Service = Tally;

    async fn run(self, tally: &Tally, run: &Run) -> Result<()> {
        tally.ran.fetch_add(1, Ordering::SeqCst);
        run.cancel.cancelled().await;
        Err(Error::timeout("test.cancelled", "stopped"))
    }
}

#[derive(Serialize)]
struct NumberCame {
    number: usize,
}

impl backends::Event for NumberCame {
    const NAME: &'static str = "number.came";

    fn subject(&self) -> String {
        self.number.to_string()
    }
}

#[tokio::test]
async fn a_job_exists_only_when_its_cause_committed() {
    for engine in engines() {
        let world = World::new(engine).await;
        let (backends, actor) = (&world.backends, world.actor(&[Role::Admin]));
        let tally = Tally::default();
        let handlers = Handlers::new().add::<Add>(tally.clone());
        backends.subscriptions.set(&handlers);

        let mut tx = backends.db.begin().await.unwrap();
        jobs::enqueue(backends, &mut tx, &actor, &Add { number: 1 }, None, None).await.unwrap();
        events::publish(backends, &mut tx, &actor, &NumberCame { number: 2 }).await.unwrap();
        drop(tx);
        assert_eq!(jobs::drain(backends, &handlers).await.unwrap().ran, 0);

        let mut tx = backends.db.begin().await.unwrap();
        jobs::enqueue(backends, &mut tx, &actor, &Add { number: 1 }, None, Some("once")).await.unwrap();
        jobs::enqueue(backends, &mut tx, &actor, &Add { number: 1 }, None, Some("once")).await.unwrap();
        let hint = events::publish(backends, &mut tx, &actor, &NumberCame { number: 5 }).await.unwrap();
        tx.commit().await.unwrap();
        assert!(hint.has_listeners());
        events::announce(backends, &[hint]).await;
        let drained = jobs::drain(backends, &handlers).await.unwrap();
        assert_eq!((drained.ran, tally.ran.load(Ordering::SeqCst)), (2, 6), "{engine:?}");
        let replay = events::since(&backends.db, actor.tenant, None, 10).await.unwrap();
        assert_eq!(replay.len(), 1);
        assert!(events::since(&backends.db, actor.tenant, Some(replay[0].id), 10).await.unwrap().is_empty());
        assert!(events::since(&backends.db, world.other(&[]).tenant, None, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_failing_job_waits_and_is_dead_after_its_last_try() {
    for engine in engines() {
        let world = World::new(engine).await;
        let (backends, actor) = (&world.backends, world.actor(&[Role::Admin]));
        let handlers = Handlers::new().add::<Add>(Tally { fail_first: 99, ..Tally::default() });
        let mut tx = backends.db.begin().await.unwrap();
        let job = jobs::enqueue(backends, &mut tx, &actor, &Add { number: 1 }, None, None).await.unwrap();
        tx.commit().await.unwrap();
        for attempt in 1..=5 {
            let drained = jobs::drain(backends, &handlers).await.unwrap();
            assert_eq!(drained.errors.len(), 1, "attempt {attempt}");
            assert_eq!(jobs::drain(backends, &handlers).await.unwrap().ran, 0, "it waits before the next try");
            backends.clock.advance(Duration::from_secs(600));
        }
        let (state, error) = jobs::state(&backends.db, actor.tenant, job).await.unwrap().unwrap();
        assert_eq!(state, "dead");
        assert!(error.unwrap().contains("not yet"));
    }
}

#[tokio::test]
async fn a_dead_workers_job_is_taken_up_and_its_late_effects_are_refused() {
    for engine in engines() {
        let world = World::new(engine).await;
        let (backends, actor) = (&world.backends, world.actor(&[Role::Admin]));
        let tally = Tally::default();
        let handlers = Handlers::new().add::<Add>(tally.clone());
        let mut tx = backends.db.begin().await.unwrap();
        let job = jobs::enqueue(backends, &mut tx, &actor, &Add { number: 1 }, None, None).await.unwrap();
        // What a worker that died right after claiming leaves behind.
        tx.run(
            sql("UPDATE jobs SET state = 'running', attempts = 1, fence = 1, lease_until = $2 WHERE id = $1")
                .bind(job)
                .bind(backends.clock.now() + Duration::from_secs(30)),
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(jobs::drain(backends, &handlers).await.unwrap().ran, 0, "the lease still holds");
        backends.clock.advance(Duration::from_secs(31));
        assert_eq!(jobs::drain(backends, &handlers).await.unwrap().ran, 1);
        let (state, _) = jobs::state(&backends.db, actor.tenant, job).await.unwrap().unwrap();
        assert_eq!((state.as_str(), tally.ran.load(Ordering::SeqCst)), ("done", 1));
    }
}

#[tokio::test]
async fn a_schedule_fires_once_per_period() {
    for engine in engines() {
        let world = World::new(engine).await;
        let tally = Tally::default();
        let handlers = Handlers::new().add::<Sweep>(tally.clone());
        for _ in 0..3 {
            jobs::drain(&world.backends, &handlers).await.unwrap();
        }
        assert_eq!(tally.ran.load(Ordering::SeqCst), 1_000);
        world.backends.clock.advance(Duration::from_secs(61));
        jobs::drain(&world.backends, &handlers).await.unwrap();
        assert_eq!(tally.ran.load(Ordering::SeqCst), 2_000);
    }
}

#[tokio::test]
async fn a_running_job_can_be_cancelled_and_shutdown_gives_work_back() {
    for engine in engines() {
        let world = World::new(engine).await;
        let (backends, actor) = (&world.backends, world.actor(&[Role::Admin]));
        let tally = Tally::default();
        let handlers = Handlers::new().add::<Wait>(tally.clone());
        Worker::start(backends, &handlers, &Concurrency::default()).await.unwrap();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let mut tx = backends.db.begin().await.unwrap();
            ids.push(jobs::enqueue(backends, &mut tx, &actor, &Wait {}, None, None).await.unwrap());
            tx.commit().await.unwrap();
        }
        jobs::wake(backends);
        eventually("both jobs run", async || tally.ran.load(Ordering::SeqCst) == 2).await;
        let mut tx = backends.db.begin().await.unwrap();
        jobs::cancel(&mut tx, actor.tenant, ids[0], backends.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        let state = async |id| jobs::state(&backends.db, actor.tenant, id).await.unwrap().unwrap().0;
        eventually("the job is cancelled", async || state(ids[0]).await == "cancelled").await;
        assert!(backends.tasks.drain(Duration::from_secs(10)).await, "workers end when asked");
        assert_eq!(state(ids[1]).await, "ready", "shutdown is not a failed try");
    }
}

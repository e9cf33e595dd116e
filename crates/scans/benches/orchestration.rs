//! How much longer nmap takes as a stage of a scan than alone, on the same ports of the lab, best of three each.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark runs the program by hand, tells what it measured and stops at the first failure"
)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use backends::{Backends, jobs};
use base::{Actor, Source, TenantId};
use scans::{Config, NewScan, Profile, Scans, StageState};
use targets::{NewAuthorization, NewTarget, TargetKind, Targets};
use testkit::Lab;

const ROUNDS: usize = 3;

#[tokio::main]
async fn main() {
    let lab = Lab::hardened();
    let folder = tempfile::tempdir().unwrap();
    let backends = Backends::connect(&backends::Config::embedded(folder.path())).await.unwrap();
    let targets = Targets::new(&backends);
    let scans = Scans::new(&backends, &targets, Config::default());
    let handlers = scans::jobs(&scans);
    let actor = Actor::system(TenantId::from_uuid(uuid::Uuid::from_u128(1)), Source::Cli);
    let target = targets.create(&actor, NewTarget::named(lab.address().to_string(), TargetKind::Host)).await.unwrap();
    let until = backends.clock.now() + Duration::from_secs(3600);
    targets.authorize(&actor, NewAuthorization::for_target(target.id, "bench", "own machine", until)).await.unwrap();
    let ports: Vec<String> = lab.ports().iter().map(u16::to_string).collect();
    let (mut alone, mut staged) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let mut new = NewScan::of(target.id, Profile::Deep);
        new.ports = Some(ports.join(","));
        let scan = scans.start(&actor, new).await.unwrap();
        jobs::drain(&backends, &handlers).await.unwrap();
        let stage = scans.get(&actor, scan.id).await.unwrap().stages.swap_remove(1);
        assert_eq!(stage.state, StageState::Done, "{stage:?}");
        staged = staged.min(stage.finished_at.unwrap().since(stage.started_at.unwrap()));
        let begun = Instant::now();
        Command::new(&stage.argv[0][0]).args(&stage.argv[0][1..]).stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        alone = alone.min(begun.elapsed());
    }
    let overhead = staged.as_secs_f64() / alone.as_secs_f64() - 1.0;
    println!("nmap -sV alone {alone:.2?}, as a stage {staged:.2?}, overhead {:.2} %", overhead * 100.0);
}

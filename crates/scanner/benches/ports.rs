//! All 65,535 loopback ports, beside nmap in the same run: prints both times and their ratio.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench starts its rival and prints what it measured")]

use std::error::Error;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scanner::{Guard, Limits, Plan, PortSet, Refusal, Stages, Target};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

const ROUNDS: usize = 5;

struct Loopback;

impl Guard for Loopback {
    fn permit(&self, address: SocketAddr) -> Result<(), Refusal> {
        match address.ip().is_loopback() {
            true => Ok(()),
            false => Err(Refusal::new("not this host")),
        }
    }

    fn permit_url(&self, _url: &Url) -> Result<(), Refusal> {
        Err(Refusal::new("ports only"))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let plan = Plan {
            ports: PortSet::all(),
            stages: Stages { ports: true, services: false, tls: false, http: false, exposures: false },
            limits: Limits { concurrency: 4096, connect_timeout: Duration::from_millis(500), ..Limits::default() },
            ..Plan::new(Target::Host("127.0.0.1".to_owned()), 0)
        };
        let (events, mut received) = mpsc::channel(1024);
        let started = Instant::now();
        let outcome = runtime.block_on(async {
            let (outcome, ()) = tokio::join!(scanner::run(plan, Arc::new(Loopback), events, CancellationToken::new()), async {
                while received.recv().await.is_some() {}
            });
            outcome
        })?;
        let ours = started.elapsed();
        let started = Instant::now();
        Command::new("nmap").args(["-sT", "-T4", "-n", "-Pn", "-p-", "127.0.0.1"]).output()?;
        let theirs = started.elapsed();
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        println!("{} connections, {} open: {ours:?}; nmap {theirs:?}; ratio {ratio:.2}", outcome.connections, outcome.open.len());
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios.get(ROUNDS / 2).copied().unwrap_or_default());
    Ok(())
}

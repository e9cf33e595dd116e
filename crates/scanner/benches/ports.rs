//! All 65,535 loopback ports, beside nmap in turns: times, their ratio and whether both saw the same
//! open ports; then how closely a rate limit is met.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench starts its rival and prints what it measured")]

use std::collections::BTreeSet;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scanner::{Guard, Limits, Outcome, Plan, PortSet, Refusal, Stages, Target};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// The open ports of one pair of runs: ours, nmap's.
type Found = (BTreeSet<u16>, BTreeSet<u16>);

const ROUNDS: usize = 7;
/// Open for the whole bench, so that there is something to find.
const LISTENERS: usize = 20;

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
    let listeners: Vec<TcpListener> = (0..LISTENERS).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let (mut ours, mut theirs, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (outcome, elapsed) = native(&runtime, PortSet::all(), Limits::default())?;
        ours.push(elapsed);
        let (open, elapsed) = nmap()?;
        theirs.push(elapsed);
        seen.push((outcome.open.iter().map(SocketAddr::port).collect::<BTreeSet<u16>>(), open));
    }
    // Other programs of the machine open and close ports meanwhile; only those open all the time are judged.
    let lasting = |side: fn(&Found) -> &BTreeSet<u16>| {
        let sets = seen.iter().map(side).cloned();
        sets.reduce(|all, next| &all & &next).unwrap_or_default()
    };
    let (found, rival) = (lasting(|pair| &pair.0), lasting(|pair| &pair.1));
    let complete = listeners.iter().all(|listener| listener.local_addr().is_ok_and(|address| found.contains(&address.port())));
    let (mine, nmaps) = (median(ours), median(theirs));
    println!("65,535 ports, {ROUNDS} pairs, medians: native {mine:.2} s, nmap -sT -T4 -p- {nmaps:.2} s, ratio {:.2}", mine / nmaps);
    println!("open all the time: {} native, {} nmap, same: {}, every planted one: {complete}", found.len(), rival.len(), found == rival);
    for rate in [200, 2_000, 8_000] {
        let limits = Limits { rate_per_second: Some(rate), ..Limits::default() };
        let last = u16::try_from(rate * 4)?;
        let (outcome, elapsed) = native(&runtime, PortSet::parse(&format!("1-{last}"))?, limits)?;
        let kept = outcome.connections as f64 / elapsed.as_secs_f64();
        println!("rate limit {rate}/s over {} connections: {kept:.1}/s, {:.1} %", outcome.connections, 100.0 * kept / f64::from(rate));
    }
    Ok(())
}

fn native(runtime: &Runtime, ports: PortSet, limits: Limits) -> Result<(Outcome, Duration), Box<dyn Error>> {
    let plan = Plan {
        ports,
        stages: Stages { ports: true, services: false, tls: false, http: false, exposures: false },
        limits,
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
    Ok((outcome, started.elapsed()))
}

/// Open ports by nmap's normal output (`8000/tcp open http-alt`).
fn nmap() -> Result<(BTreeSet<u16>, Duration), Box<dyn Error>> {
    let started = Instant::now();
    let output = Command::new("nmap").args(["-sT", "-T4", "-n", "-Pn", "-p-", "127.0.0.1"]).output()?;
    let elapsed = started.elapsed();
    let text = String::from_utf8_lossy(&output.stdout);
    let open = text.lines().filter_map(|line| {
        let (port, rest) = line.split_once("/tcp")?;
        rest.trim_start().starts_with("open").then(|| port.parse().ok())?
    });
    Ok((open.collect(), elapsed))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64)
}

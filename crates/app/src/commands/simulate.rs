//! `tyrian simulate`: a fleet of virtual phones against a running server, and what became of it. Also the race whose history a checker judges.

use std::process::ExitCode;
use std::time::Duration;

use backends::Clock;
use base::{Result, Secret};
use client::Client;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value as Json, json};
use simulator::{Grpc, Locking, Outcome, Plan, Report};
use url::Url;

use crate::cli::{Cli, Race, Simulate};
use crate::{errors, output};

/// Enrolment codes made at once.
const AT_ONCE: usize = 8;

/// Runs the simulation.
pub(super) async fn run(simulate: &Simulate, cli: &Cli) -> Result<ExitCode> {
    let server = server(cli)?;
    let tracks = match &simulate.replay {
        Some(path) => {
            let recordings = super::threat::recordings(path)?;
            recordings.tracks().map_err(|failure| errors::recordings(path, &failure.to_string()))?
        }
        None => Vec::new(),
    };
    let mut plan = Plan {
        server: server.clone(),
        nodes: simulate.nodes.clone(),
        carrier: simulate.line.into(),
        grpc: grpc(simulate),
        bind: simulate.bind,
        is_silent: simulate.silent,
        locking: simulate.lock_every.map(|every| locking(every, cli)).transpose()?,
        authority: cli.authority.clone(),
        codes: vec![String::new(); if simulate.codes.is_empty() { simulate.devices } else { simulate.codes.len() }],
        life: seconds("--seconds", simulate.seconds)?,
        speed: simulate.speed,
        every: seconds("--every", simulate.every)?,
        rate: simulate.rate,
        activity: simulate.activity.into(),
        refresh_every: simulate.refresh_every.map(|every| seconds("--refresh-every", every)).transpose()?,
        tracks,
        strikes: simulate.attacks.clone(),
        seed: simulate.seed.unwrap_or_else(|| Clock::system().now().micros().unsigned_abs()),
    };
    // What makes no sense is said before codes are made that nobody would use.
    plan.check()?;
    plan.codes = if simulate.codes.is_empty() { codes(cli, &server, plan.codes.len()).await? } else { simulate.codes.clone() };
    if !cli.json {
        output::note(&format!("{} phones enrol at {server} and live for {} s", plan.codes.len(), simulate.seconds));
    }
    let report = simulator::run(&plan, Clock::system()).await?;
    if cli.json {
        output::document(&report)?;
    } else {
        print(&report);
    }
    Ok(if report.passed { ExitCode::SUCCESS } else { ExitCode::from(output::UNCAUGHT) })
}

/// Runs a race and writes its history.
pub(super) async fn race(race: &Race, cli: &Cli) -> Result<ExitCode> {
    let first = race.nodes.first().ok_or_else(|| errors::usage("--node is missing"))?;
    // Each phone serves about a hundred operations; codes that are left over are never used.
    let phones = usize::try_from(race.operations / 60).unwrap_or(usize::MAX) + 2 * race.clients;
    let raced = simulator::race(
        simulator::Race {
            nodes: race.nodes.clone(),
            codes: codes(cli, first, phones).await?,
            clients: race.clients,
            operations: race.operations,
            longest: Duration::from_secs(race.seconds),
            grace: Duration::from_secs(race.grace),
            history: race.history.clone(),
            seed: race.seed,
        },
        Clock::system(),
    )
    .await?;
    output::document(&raced)?;
    Ok(ExitCode::SUCCESS)
}

fn server(cli: &Cli) -> Result<Url> {
    match &cli.server {
        Some(server) => Ok(server.clone()),
        None => Err(errors::usage("phones need a server: tyrian simulate --server http://127.0.0.1:8000 --token TOKEN")),
    }
}

fn seconds(name: &str, value: f64) -> Result<Duration> {
    let is_sound = value > 0.0 && value <= 1e6;
    if is_sound { Ok(Duration::from_secs_f64(value)) } else { Err(errors::usage(format!("{name} is more than zero seconds"))) }
}

fn grpc(simulate: &Simulate) -> Option<Grpc> {
    let (address, certificate, key) = (simulate.grpc.clone()?, simulate.certificate.clone()?, simulate.key.clone()?);
    Some(Grpc { address, certificate, key })
}

fn locking(every: f64, cli: &Cli) -> Result<Locking> {
    let token = cli.token.clone().ok_or_else(|| errors::usage("--lock-every needs --token of somebody who may lock phones"))?;
    Ok(Locking { token: Secret::new(token), every: seconds("--lock-every", every)? })
}

/// An enrolment code for each phone.
async fn codes(cli: &Cli, server: &Url, count: usize) -> Result<Vec<String>> {
    let Some(token) = cli.token.clone() else {
        return Err(errors::usage("phones need codes: give --token of somebody who may make them, or --enrol-code for each phone"));
    };
    let client = Client::new(server, Some(Secret::new(token)), cli.authority.as_deref())?;
    let made = futures::stream::iter(0..count).map(|number| {
        let client = &client;
        async move {
            let code: Json = client.post("devices/codes", &json!({ "name": format!("virtual phone {number}") })).await?;
            Ok(code["code"].as_str().unwrap_or_default().to_owned())
        }
    });
    made.buffered(AT_ONCE).try_collect().await
}

fn print(report: &Report) {
    output::line(&format!("{} phones enrolled in {:.1} s and lived {:.0} s", report.devices, report.enrolment_seconds, report.seconds));
    let honest = &report.honest;
    output::line(&format!(
        "honest: {} phones, {} locked, {} restricted, {} asked to step up",
        honest.devices, honest.locked, honest.restricted, honest.stepped_up
    ));
    for (cause, count) in &honest.causes {
        output::line(&format!("  locked by {cause}: {count}"));
    }
    if !report.attacks.is_empty() {
        output::line(&format!("{:<17} {:>7} {:>7} {:>10} {:>10}  {}", "ATTACK", "PHONES", "CAUGHT", "MEDIAN", "SLOWEST", "HOW"));
    }
    report.attacks.iter().for_each(attack);
    let traffic = &report.traffic;
    output::line(&format!(
        "{:<17} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "REQUESTS", "COUNT", "PER S", "P50 MS", "P95 MS", "P99 MS", "SLOWEST"
    ));
    for (name, figures) in &traffic.requests {
        output::line(&format!(
            "{name:<17} {:>7} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9.1}",
            figures.count, figures.per_second, figures.p50_ms, figures.p95_ms, figures.p99_ms, figures.slowest_ms
        ));
    }
    output::line(&format!(
        "{} readings, {} of them refused; {} commands obeyed, {} forged; {} requests repeated",
        traffic.readings, traffic.readings_refused, traffic.commands_obeyed, traffic.commands_forged, traffic.retries
    ));
    if !traffic.line_ends.is_empty() {
        let ends: Vec<String> = traffic.line_ends.iter().map(|(code, ends)| format!("{code} {}", ends.count)).collect();
        output::line(&format!("ends of lines: {}", ends.join(", ")));
    }
    if let Some(locked) = &report.locking {
        output::line(&format!(
            "{} locks and {} releases of {} phones: {} of {} tries of barred phones granted; {} commands, {} unanswered, {} phones astray",
            locked.locks, locked.releases, locked.phones, locked.granted, locked.tries, locked.commands, locked.unanswered, locked.astray
        ));
    }
    if !traffic.refusals.is_empty() {
        let refusals: Vec<String> = traffic.refusals.iter().map(|(code, count)| format!("{code} {count}")).collect();
        output::line(&format!("refusals: {}", refusals.join(", ")));
    }
    output::line(if report.passed {
        "passed: no honest phone was locked, every attack was caught"
    } else {
        "FAILED: an honest phone was locked, or an attack was not caught"
    });
}

fn attack(outcome: &Outcome) {
    let time = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1} s"));
    let told = |counts: &std::collections::BTreeMap<String, usize>| {
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    let mut how = told(&outcome.postures);
    if !outcome.causes.is_empty() {
        how = format!("{how} ({})", told(&outcome.causes));
    }
    if outcome.mishap {
        how = format!("borne; {how}");
    }
    if outcome.breached > 0 {
        how = format!("{how}; BREACHED {} times", outcome.breached);
    }
    output::line(&format!(
        "{:<17} {:>7} {:>7} {:>10} {:>10}  {how}",
        outcome.attack.as_str(),
        outcome.devices,
        outcome.caught,
        time(outcome.median_seconds),
        time(outcome.slowest_seconds)
    ));
}

//! Our own probes: from a profile to a `scanner` plan, from what the scanner found to records.

mod records;

use base::Result;
use scanner::{Event, Outcome, ScanError};
use targets::{Address, Intrusiveness};
use tokio::sync::mpsc;

use super::{Brought, Config, Stage};
use crate::activity::{Activity, ActivityKind};
use crate::errors;
use crate::model::{OpenPort, StageState};
use crate::profile::Ports;

/// The source that observations of our own probes name.
pub const NATIVE: &str = "tyrian";
/// Why a scan of a host that is silent on every port has failed.
const NOBODY: &str = "no port answered: the host is down, or something on the way drops everything. Check the address and the way to it";
/// Events on their way; the scanner waits rather than lose one that matters.
const EVENTS: usize = 1024;

pub(super) async fn run(stage: &Stage<'_>) -> Result<Brought> {
    let plan = plan(stage)?;
    let (sender, mut events) = mpsc::channel(EVENTS);
    let mut bar = Bar::default();
    let scan = scanner::run(plan, stage.guard.clone(), sender, stage.halt.token.clone());
    let mut scan = std::pin::pin!(scan);
    let mut is_heard = false;
    let outcome = loop {
        tokio::select! {
            outcome = &mut scan => break outcome,
            event = events.recv(), if !is_heard => match event {
                Some(event) => bar.hear(stage, &event),
                None => is_heard = true,
            },
        }
    };
    while let Ok(event) = events.try_recv() {
        bar.hear(stage, &event);
    }
    let tool_version = Some(env!("CARGO_PKG_VERSION").to_owned());
    match outcome {
        Ok(outcome) => brought(stage, outcome, tool_version),
        Err(error) => {
            let mut brought = Brought::skipped(NATIVE, stage.place(), error.to_string())?;
            brought.state = StageState::Failed;
            brought.tool_version = tool_version;
            // A refusal that is really the halt has the halt's name.
            if matches!(error, ScanError::Refused { .. }) && stage.halt.reason().is_some() {
                brought.state = StageState::Stopped;
            }
            Ok(brought)
        }
    }
}

fn brought(stage: &Stage<'_>, outcome: Outcome, tool_version: Option<String>) -> Result<Brought> {
    let mut sheet = crate::artifact::Sheet::new()?;
    let surface = surface(&outcome);
    let halted = stage.halt.reason().map(crate::watch::Reason::words);
    // Refused one by one since the halt, the rest may have been over before anybody heard of it.
    let (state, reason) = if outcome.cancelled || halted.is_some() {
        (StageState::Stopped, halted)
    } else if outcome.timed_out {
        (StageState::TimedOut, Some("the profile's time was up".to_owned()))
    } else if outcome.silent.is_empty() {
        (StageState::Done, None)
    } else if !is_network(stage) && is_bare(&outcome) && outcome.silent.len() >= outcome.resolved.len() {
        // Nothing found is no good news where nothing could be looked at; a network may be empty.
        (StageState::Failed, Some(NOBODY.to_owned()))
    } else {
        (StageState::Done, Some(format!("no port answered at {} of {} addresses", outcome.silent.len(), outcome.resolved.len())))
    };
    records::write(&outcome, stage.backends.clock.now(), &mut sheet);
    Ok(Brought { state, reason, tool_version, argv: Vec::new(), sheet, raw: None, surface: Some(surface) })
}

fn is_network(stage: &Stage<'_>) -> bool {
    matches!(stage.permit.target.endpoint(), Some(Address::Network(_)))
}

/// Whether nothing at all was found.
fn is_bare(outcome: &Outcome) -> bool {
    outcome.open.is_empty() && outcome.services.is_empty() && outcome.issues.is_empty()
}

/// What later stages build on.
fn surface(outcome: &Outcome) -> Vec<OpenPort> {
    let mut surface: Vec<OpenPort> = outcome
        .services
        .iter()
        .filter(|service| service.transport == "tcp")
        .map(|service| OpenPort {
            address: service.address,
            host: service.host.clone(),
            service: service.service.to_owned(),
            tls: service.tls,
        })
        .collect();
    for address in &outcome.open {
        if !surface.iter().any(|port| port.address == *address) {
            surface.push(OpenPort { address: *address, host: address.ip().to_string(), service: "unknown".to_owned(), tls: false });
        }
    }
    surface
}

fn plan(stage: &Stage<'_>) -> Result<scanner::Plan> {
    let profile = stage.scan.profile.plan();
    let address = stage.permit.target.endpoint().ok_or_else(|| errors::not_scannable(stage.scan.profile))?;
    let mut ports = match stage.scan.options.port_set()? {
        Some(ports) => ports,
        None => match profile.ports {
            Ports::Top(count) => scanner::PortSet::top(count),
            Ports::All => scanner::PortSet::all(),
        },
    };
    // Where every rule names one port, asking the others would only fill the list of refusals.
    if let Some(only) = stage.permit.ports() {
        ports = scanner::PortSet::parse(&list(&only)).map_err(errors::ports)?;
    } else if let Address::Host { port: Some(port), .. } = &address
        && stage.scan.options.ports.is_none()
    {
        // Who names one port means that one.
        ports = scanner::PortSet::parse(&list(&[*port])).map_err(errors::ports)?;
    }
    let target = match address {
        Address::Host { host: url_host, .. } => scanner::Target::Host(bare(&url_host.to_string()).to_owned()),
        Address::Network(network) => scanner::Target::Network(network),
        Address::Url(url) => scanner::Target::Url(url),
    };
    let mut plan = scanner::Plan::new(target, stage.backends.clock.now().seconds());
    plan.ports = ports;
    plan.stages = scanner::Stages { ports: true, services: profile.services, tls: true, http: true, exposures: profile.exposures };
    plan.limits = limits(stage.config, stage);
    plan.resolver = stage.config.resolver;
    plan.intrusiveness = match profile.up_to.min(stage.permit.intrusiveness) {
        Intrusiveness::Passive => scanner::Intrusiveness::Passive,
        Intrusiveness::Safe => scanner::Intrusiveness::Safe,
        Intrusiveness::Intrusive => scanner::Intrusiveness::Intrusive,
    };
    Ok(plan)
}

fn limits(config: &Config, stage: &Stage<'_>) -> scanner::Limits {
    scanner::Limits {
        concurrency: config.concurrency,
        rate_per_second: config.rate(stage.scan.options.rate_per_second),
        total: stage.scan.profile.plan().longest,
        addresses: config.addresses,
        ..scanner::Limits::default()
    }
}

/// An IPv6 address without the brackets a URL needs.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",")
}

/// The bar: finding ports is the first half, looking at what answers the second.
#[derive(Default)]
struct Bar {
    phase: Phase,
}

#[derive(Default, Clone, Copy)]
enum Phase {
    #[default]
    Ports,
    Services,
    Audits,
}

impl Bar {
    fn hear(&mut self, stage: &Stage<'_>, event: &Event) {
        match event {
            Event::Stage { name, total } => {
                self.phase = match *name {
                    "ports" => Phase::Ports,
                    "services" => Phase::Services,
                    _ => Phase::Audits,
                };
                stage.reporter.within(stage.share, self.part(0, 1), self.activity(*total));
            }
            Event::Progress { done, total, .. } => stage.reporter.within(stage.share, self.part(*done, *total), None),
            Event::OpenPort { .. } => stage.reporter.open_port(),
            Event::Issue(issue) if issue.severity > scanner::Severity::Info => stage.reporter.issues(1),
            Event::Note { message } => tracing::debug!(scan = %stage.scan.id, message, "scanner"),
            Event::Service(_) | Event::Issue(_) | Event::Coverage(_) => {}
        }
    }

    fn part(&self, done: usize, total: usize) -> f32 {
        let part = done as f32 / total.max(1) as f32;
        match self.phase {
            Phase::Ports => part * 0.5,
            Phase::Services => 0.5 + part * 0.15,
            Phase::Audits => 0.65 + part * 0.35,
        }
    }

    /// What there is to do; nothing where nothing is open.
    fn activity(&self, total: usize) -> Option<Activity> {
        let kind = match self.phase {
            Phase::Ports => ActivityKind::FindingPorts,
            Phase::Services => ActivityKind::NamingServices,
            Phase::Audits => ActivityKind::RunningChecks,
        };
        (total > 0).then(|| Activity::new(kind, total, ""))
    }
}

//! What the stories share: a guard that remembers, plans for a lab, and a run to its end.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use scanner::{Event, Guard, Intrusiveness, Issue, Limits, Outcome, Plan, PortSet, Refusal, ScanError, Severity, Stages, Target};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Permits what its rule permits and remembers every question.
pub(crate) struct Watch {
    rule: Box<dyn Fn(SocketAddr) -> bool + Send + Sync>,
    pub(crate) addresses: Mutex<Vec<SocketAddr>>,
    pub(crate) urls: Mutex<Vec<Url>>,
}

impl Watch {
    pub(crate) fn new(rule: impl Fn(SocketAddr) -> bool + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { rule: Box::new(rule), addresses: Mutex::default(), urls: Mutex::default() })
    }

    pub(crate) fn loopback() -> Arc<Self> {
        Self::new(|address| address.ip().is_loopback())
    }
}

impl Guard for Watch {
    fn permit(&self, address: SocketAddr) -> Result<(), Refusal> {
        self.addresses.lock().unwrap().push(address);
        match (self.rule)(address) {
            true => Ok(()),
            false => Err(Refusal::new("outside the authorisation")),
        }
    }

    fn permit_url(&self, url: &Url) -> Result<(), Refusal> {
        self.urls.lock().unwrap().push(url.clone());
        match url.host_str() {
            Some(host) if host.starts_with("127.") || host == "localhost" || host == "[::1]" => Ok(()),
            _ => Err(Refusal::new("outside the authorisation")),
        }
    }
}

pub(crate) fn now_unix() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64
}

/// A plan for these ports of a host, everything on, short waits.
pub(crate) fn plan(host: &str, ports: &[u16]) -> Plan {
    let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    Plan {
        ports: PortSet::parse(&list).unwrap(),
        intrusiveness: Intrusiveness::Safe,
        limits: Limits {
            connect_timeout: Duration::from_secs(2),
            read_timeout: Duration::from_secs(3),
            total: Duration::from_secs(120),
            ..Limits::default()
        },
        ..Plan::new(Target::Host(host.to_owned()), now_unix())
    }
}

pub(crate) const PORTS_ONLY: Stages = Stages { ports: true, services: false, tls: false, http: false, exposures: false };

pub(crate) async fn run(plan: Plan) -> Outcome {
    run_with(plan, Watch::loopback(), CancellationToken::new()).await.unwrap().0
}

/// Runs a plan and keeps its events.
pub(crate) async fn run_with(plan: Plan, guard: Arc<Watch>, cancel: CancellationToken) -> Result<(Outcome, Vec<Event>), ScanError> {
    let (sender, mut receiver) = mpsc::channel(64);
    let collect = async move {
        let mut events = Vec::new();
        while let Some(event) = receiver.recv().await {
            events.push(event);
        }
        events
    };
    let (outcome, events) = tokio::join!(scanner::run(plan, guard, sender, cancel), collect);
    Ok((outcome?, events))
}

/// Identifiers of the checks that found something at a port.
pub(crate) fn checks_at(outcome: &Outcome, port: u16) -> Vec<&'static str> {
    let mut checks: Vec<&str> = outcome.issues.iter().filter(|issue| issue.address.port() == port).map(|issue| issue.check).collect();
    checks.sort_unstable();
    checks.dedup();
    checks
}

/// Issues that ask for a repair.
pub(crate) fn weaknesses(outcome: &Outcome) -> Vec<&Issue> {
    outcome.issues.iter().filter(|issue| issue.severity > Severity::Info).collect()
}

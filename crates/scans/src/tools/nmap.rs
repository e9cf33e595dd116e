//! nmap: service versions on the ports our own probes found open. It gets addresses the permit allows, never names.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use base::Result;
use importers::Format;
use scanner::Guard;

use super::adapter::{Setting, Spelling};
use super::process::{Ending, Invocation};
use super::runner::{self, Collector};
use super::{Adapter, Brought, Stage};
use crate::activity::{Activity, ActivityKind};
use crate::model::{OpenPort, StageState};

/// Addresses given to one run.
const PER_RUN: usize = 64;
/// Seconds after which one host is given up.
const HOST_SECONDS: u32 = 900;

/// Connect scan without raw sockets, no name service, no guess whether hosts are up, versions, progress, XML to stdout.
pub(crate) static ADAPTER: Adapter = Adapter {
    name: "nmap",
    package: "nmap",
    version: &["--version"],
    always: &[
        "-n",
        "-Pn",
        "-sT",
        "-sV",
        "--unprivileged",
        "-T4",
        "--max-retries",
        "2",
        "--stats-every",
        "2s",
        "--no-stylesheet",
        "-oX",
        "-",
    ],
    settings: &[
        (Setting::Ports, Spelling::Apart("-p")),
        (Setting::Rate, Spelling::Apart("--max-rate")),
        (Setting::HostTimeout, Spelling::Suffixed("--host-timeout", "s")),
        (Setting::ReadTimeout, Spelling::Unsupported("nmap has no time limit for one answer")),
        (Setting::ServerName, Spelling::Unsupported("nmap asks TLS servers by the name of its target only")),
    ],
    end_of_options: Some("--"),
    format: Format::Nmap,
};

/// Hosts that have the same ports open, so that no port is tried where it was not found.
type Groups = BTreeMap<(bool, Vec<u16>), Vec<IpAddr>>;

fn groups<'a>(open: impl Iterator<Item = &'a OpenPort>) -> Groups {
    let mut ports: BTreeMap<IpAddr, Vec<u16>> = BTreeMap::new();
    for port in open {
        ports.entry(port.address.ip()).or_default().push(port.address.port());
    }
    let mut groups = Groups::new();
    for (ip, mut open) in ports {
        open.sort_unstable();
        open.dedup();
        groups.entry((ip.is_ipv6(), open)).or_default().push(ip);
    }
    groups
}

/// The last share `nmap` told in this piece of output, for the bar only.
fn told_share(piece: &[u8]) -> Option<f32> {
    let text = String::from_utf8_lossy(piece);
    let (_, after) = text.rsplit_once("<taskprogress ")?;
    let (_, after) = after.split_once("percent=\"")?;
    after.split('"').next()?.parse::<f32>().ok().map(|percent| percent / 100.0)
}

pub(super) async fn run(stage: &Stage<'_>) -> Result<Brought> {
    let allowed = || stage.surface.iter().filter(|port| stage.guard.permit(port.address).is_ok());
    let Some(program) = stage.config.find(ADAPTER.name) else {
        return Brought::skipped(ADAPTER.name, stage.place(), format!("nmap is not installed: install the package `{}`", ADAPTER.package));
    };
    let groups = groups(allowed());
    if groups.is_empty() {
        return Brought::skipped(ADAPTER.name, stage.place(), "there is no open port to look at".to_owned());
    }
    let tool_version = runner::version(stage.config, &ADAPTER, program.clone(), &stage.halt.token).await;
    let runs: Vec<_> = groups.iter().flat_map(|(ports, hosts)| hosts.chunks(PER_RUN).map(move |hosts| (ports, hosts))).collect();
    let mut collector = Collector::new()?;
    let mut state = StageState::Done;
    let mut troubles = Vec::new();
    let mut remarks = BTreeSet::new();
    let total = runs.len();
    for (index, ((is_v6, ports), hosts)) in runs.into_iter().enumerate() {
        let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        let mut settings = vec![(Setting::Ports, list), (Setting::HostTimeout, HOST_SECONDS.to_string())];
        settings.extend(stage.config.rate(stage.scan.options.rate_per_second).map(|rate| (Setting::Rate, rate.to_string())));
        let operands: Vec<String> = hosts.iter().map(IpAddr::to_string).collect();
        let mut line = ADAPTER.arguments(&settings, &operands)?;
        remarks.extend(line.unsupported.iter().copied());
        if *is_v6 {
            line.arguments.insert(0, "-6".to_owned());
        }
        let invocation = Invocation::new(stage.config, program.clone(), line.arguments);
        let activity = Activity::new(ActivityKind::Nmap, ports.len() * hosts.len(), format!("{}/{total}", index + 1));
        let share = |part: f32| (index as f32 + part) / total as f32;
        stage.reporter.within(stage.share, share(0.0), Some(activity));
        let before = collector.sheet.observed;
        let hear = |piece: &[u8]| {
            if let Some(part) = told_share(piece) {
                stage.reporter.within(stage.share, share(part), None);
            }
        };
        let (collected, ran) = collector.run(stage.config, &invocation, ADAPTER.format, &stage.halt.token, hear).await?;
        collector = collected;
        stage.reporter.issues(weaknesses(&collector.sheet.observed).saturating_sub(weaknesses(&before)));
        troubles.extend(ran.trouble);
        match ran.ending {
            Ending::Exited(0) if troubles.is_empty() => {}
            Ending::Halted => {
                state = StageState::Stopped;
                break;
            }
            Ending::TimedOut => state = StageState::TimedOut,
            _ => state = StageState::Failed,
        }
    }
    let reason = super::reason(troubles, remarks);
    let (sheet, raw, argv) = collector.finish()?;
    Ok(Brought { state, reason, tool_version, argv, sheet, raw: Some(raw), surface: None })
}

/// What is worse than worth knowing.
pub(super) fn weaknesses(seen: &crate::model::BySeverity) -> u64 {
    seen.critical + seen.high + seen.medium + seen.low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(address: &str) -> OpenPort {
        OpenPort { address: address.parse().unwrap(), host: String::new(), service: String::new(), tls: false }
    }

    #[test]
    fn hosts_with_the_same_ports_share_a_run_and_no_port_is_tried_elsewhere() {
        let surface = ["10.0.0.1:22", "10.0.0.1:80", "10.0.0.2:80", "10.0.0.2:22", "10.0.0.3:80", "[::1]:80"].map(open);
        let groups = groups(surface.iter());
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(groups.len(), 3);
        assert_eq!(groups[&(false, vec![22, 80])], [ip("10.0.0.1"), ip("10.0.0.2")]);
        assert_eq!(groups[&(false, vec![80])], [ip("10.0.0.3")]);
        assert_eq!(groups[&(true, vec![80])], [ip("::1")]);
    }

    #[test]
    fn the_command_line_is_what_the_adapter_declares() {
        let settings =
            [(Setting::Ports, "22,80".to_owned()), (Setting::Rate, "50".to_owned()), (Setting::ServerName, "a.example".to_owned())];
        let line = ADAPTER.arguments(&settings, &["10.0.0.1".to_owned(), "::1".to_owned()]).unwrap();
        assert!(line.arguments.join(" ").ends_with("-oX - -p 22,80 --max-rate 50 -- 10.0.0.1 ::1"), "{:?}", line.arguments);
        assert_eq!(line.unsupported.len(), 1);
    }

    #[test]
    fn the_bar_follows_what_nmap_tells() {
        assert_eq!(told_share(br#"<taskprogress task="Service scan" time="1" percent="25.00"/>"#), Some(0.25));
        assert_eq!(told_share(b"<host>"), None);
    }
}

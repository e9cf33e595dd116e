//! sslscan: a second opinion on every TLS service our own probes found. It gets addresses the permit allows, and the name to ask for.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use base::Result;
use importers::Format;
use scanner::Guard;

use super::adapter::{Setting, Spelling};
use super::nmap::weaknesses;
use super::process::{Ending, Invocation};
use super::runner::{self, Collector};
use super::{Adapter, Brought, Stage};
use crate::activity::{Activity, ActivityKind};
use crate::model::StageState;

/// Longest look at one service, in seconds.
const SERVICE_SECONDS: u64 = 300;
/// Seconds a silent server is waited for.
const ANSWER_SECONDS: u32 = 5;

/// Everything but certificate revocation, which would ask third parties.
pub(crate) static ADAPTER: Adapter = Adapter {
    name: "sslscan",
    package: "sslscan",
    version: &["--version"],
    always: &["--no-colour", "--xml=-"],
    settings: &[
        (Setting::Ports, Spelling::Unsupported("sslscan takes the port with the address")),
        (Setting::Rate, Spelling::Unsupported("sslscan has no rate, only a pause")),
        (Setting::HostTimeout, Spelling::Unsupported("sslscan has no time limit for a host")),
        (Setting::ReadTimeout, Spelling::Joined("--timeout=")),
        (Setting::ServerName, Spelling::Joined("--sni-name=")),
    ],
    end_of_options: None,
    format: Format::Sslscan,
};

pub(super) async fn run(stage: &Stage<'_>) -> Result<Brought> {
    let Some(program) = stage.config.find(ADAPTER.name) else {
        let reason = format!("sslscan is not installed: install the package `{}`", ADAPTER.package);
        return Brought::skipped(ADAPTER.name, stage.place(), reason);
    };
    let mut services: Vec<(SocketAddr, Option<String>)> = stage
        .surface
        .iter()
        .filter(|port| port.tls && stage.guard.permit(port.address).is_ok())
        .map(|port| (port.address, (port.host.parse::<std::net::IpAddr>().is_err() && !port.host.is_empty()).then(|| port.host.clone())))
        .collect();
    services.sort();
    services.dedup();
    if services.is_empty() {
        return Brought::skipped(ADAPTER.name, stage.place(), "there is no TLS service to look at".to_owned());
    }
    let tool_version = runner::version(stage.config, &ADAPTER, program.clone(), &stage.halt.token).await;
    let mut collector = Collector::new()?;
    let mut state = StageState::Done;
    let mut troubles = Vec::new();
    let mut remarks = BTreeSet::new();
    let total = services.len();
    for (index, (address, name)) in services.into_iter().enumerate() {
        let mut settings = vec![(Setting::ReadTimeout, ANSWER_SECONDS.to_string())];
        settings.extend(name.map(|name| (Setting::ServerName, name)));
        settings.extend(stage.config.rate(stage.scan.options.rate_per_second).map(|rate| (Setting::Rate, rate.to_string())));
        let line = ADAPTER.arguments(&settings, &[address.to_string()])?;
        remarks.extend(line.unsupported.iter().copied());
        let mut invocation = Invocation::new(stage.config, program.clone(), line.arguments);
        invocation.wall = invocation.wall.min(std::time::Duration::from_secs(SERVICE_SECONDS));
        stage.reporter.within(stage.share, index as f32 / total as f32, Some(Activity::new(ActivityKind::Sslscan, 1, address.to_string())));
        let before = collector.sheet.observed;
        let (collected, ran) = collector.run(stage.config, &invocation, ADAPTER.format, &stage.halt.token, |_| ()).await?;
        collector = collected;
        stage.reporter.issues(weaknesses(&collector.sheet.observed).saturating_sub(weaknesses(&before)));
        troubles.extend(ran.trouble.map(|trouble| format!("{address}: {trouble}")));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_what_the_adapter_declares() {
        let settings = [(Setting::ReadTimeout, "5".to_owned()), (Setting::ServerName, "a.example".to_owned())];
        let line = ADAPTER.arguments(&settings, &["[::1]:443".to_owned()]).unwrap();
        assert_eq!(line.arguments, ["--no-colour", "--xml=-", "--timeout=5", "--sni-name=a.example", "[::1]:443"]);
    }
}

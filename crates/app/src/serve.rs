//! `serve`: bind, run, drain. What cannot work is refused before anything listens.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use backends::jobs::{Concurrency, Worker};
use backends::{Backends, Handlers};
use base::{Error, Result};
use gateway::{Door, MutualTls};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Settings;
use crate::roles::{Role, runs};
use crate::services::Services;
use crate::{api, errors, memory};

/// Runs until SIGTERM or SIGINT, then drains.
pub(crate) async fn serve(mut settings: Settings) -> Result<()> {
    refuse_what_cannot_work(&settings)?;
    if is_plain_loopback(&settings) {
        // Not every browser takes a `Secure` cookie over plain HTTP, not even from its own machine.
        settings.auth.secure_cookies = false;
    }
    let backends = Backends::connect(&settings.backends).await?;
    let drain = Duration::from_secs(settings.server.drain_seconds);
    let outcome = run(&settings, &backends).await;
    if !backends.close(drain).await {
        tracing::warn!("some tasks did not end in time; their work is taken up again at the next start");
    }
    outcome
}

async fn run(settings: &Settings, backends: &Backends) -> Result<()> {
    let metrics = gateway::install_recorder(&backends.tasks)?;
    let services = Services::build(backends.clone(), settings).await?;
    let management = gateway::bind(settings.server.management, &settings.gateway, false).await?;
    let management_address = management.address()?;
    let internal = gateway::management(backends, metrics, auth::internal_routes(&services.auth));
    let mut listeners = listeners(settings, &services).await?;
    listeners.extend(calls(settings, &services).await?);
    let addresses = listeners.iter().map(|(listener, _)| listener.address()).collect::<Result<Vec<_>>>()?;
    // The sockets are bound: whoever reads the greeting can connect, and whoever finds the process healthy can read the greeting.
    announce(settings, &services, &addresses, management_address).await?;
    name_missing_operators(settings, &services).await?;
    services.audit.start();
    if runs(&settings.roles, Role::Results) {
        services.search.start();
    }
    if runs(&settings.roles, Role::Devices) {
        services.devices.start();
    }
    Worker::start(backends, &jobs(settings, &services), &Concurrency { each: settings.jobs.concurrency, ..Concurrency::default() }).await?;
    for (listener, router) in listeners {
        listener.serve(router, &backends.tasks);
    }
    management.serve(internal, &backends.tasks);
    memory::start(&backends.tasks);
    wait_for_signal().await
}

/// A name nobody has looks like a person who could stop everything, and is none.
async fn name_missing_operators(settings: &Settings, services: &Services) -> Result<()> {
    for name in &settings.devices.global_operators {
        if !services.auth.has_at_home(name).await? {
            tracing::warn!(name, "devices.global_operators names somebody who has no account in the first organisation");
        }
    }
    Ok(())
}

/// The edge when the gateway role runs here, else one plain listener per context role on its own port.
async fn listeners(settings: &Settings, services: &Services) -> Result<Vec<(gateway::Listener, Router)>> {
    let roles = &settings.roles;
    let wrap = |router: Router, door: Door| {
        gateway::edge(router, &services.backends, &settings.gateway, door, |router| router.layer(auth::layer(services.auth.clone())))
    };
    if runs(roles, Role::Gateway) {
        let described = services.clone();
        let mut router = api::api(services, roles, &settings.gateway.upstreams)?.merge(gateway::docs(move || api::document(&described)));
        router = router.merge(integrations::discovery(&services.integrations));
        router = router.merge(graphql::routes(&graphql::Services {
            backends: services.backends.clone(),
            targets: services.targets.clone(),
            scans: services.scans.clone(),
            results: services.results.clone(),
        }));
        if runs(roles, Role::Console) {
            router = router.merge(console::pages(console::Services {
                auth: services.auth.clone(),
                audit: services.audit.clone(),
                targets: services.targets.clone(),
                scans: services.scans.clone(),
                results: services.results.clone(),
                reports: services.reports.clone(),
                search: services.search.clone(),
                devices: services.devices.clone(),
                integrations: services.integrations.clone(),
                tasks: services.backends.tasks.clone(),
                blobs: services.backends.blobs.clone(),
                clock: services.backends.clock.clone(),
                version: env!("CARGO_PKG_VERSION"),
            }));
        }
        let listener = gateway::bind(settings.server.listen, &settings.gateway, true).await?;
        return Ok(vec![(listener, wrap(router, Door::Outside(&[graphql::PATH])))]);
    }
    let mut listeners = Vec::new();
    for (role, address) in doors(settings) {
        let router = api::api(services, &[role], &gateway::Upstreams::new())?;
        listeners.push((gateway::bind(address, &settings.gateway, false).await?, wrap(router, Door::Role)));
    }
    Ok(listeners)
}

/// The listener for phones that speak gRPC, where it is configured.
async fn calls(settings: &Settings, services: &Services) -> Result<Option<(gateway::Listener, Router)>> {
    let grpc = &settings.devices.grpc;
    let Some(address) = grpc.address()?.filter(|_| runs(&settings.roles, Role::Devices)) else { return Ok(None) };
    let files = MutualTls {
        certificate: grpc.certificate.clone(),
        key: grpc.key.clone(),
        authorities: grpc.authorities.clone(),
        revocations: grpc.revocations.clone(),
    };
    let listener = gateway::bind_mutual(address, &settings.gateway, &files).await?;
    let router = gateway::calls(devices::grpc(&services.devices).await?, &services.backends, &settings.gateway);
    Ok(Some((listener, router)))
}

fn jobs(settings: &Settings, services: &Services) -> Handlers {
    Role::CONTEXTS
        .iter()
        .filter(|role| runs(&settings.roles, **role))
        .fold(Handlers::new(), |jobs, role| jobs.merge(role.parts(services).jobs))
}

/// Whether browsers reach this process unencrypted and only from this machine: not where a proxy stands before it.
fn is_plain_loopback(settings: &Settings) -> bool {
    settings.gateway.tls.is_none()
        && settings.server.listen.ip().is_loopback()
        && !settings.server.base_url.starts_with("https:")
        && settings.gateway.trusted_proxies.is_empty()
}

/// The listeners of a process that has no edge: one for each of its roles.
fn doors(settings: &Settings) -> impl Iterator<Item = (Role, SocketAddr)> {
    let own = Role::CONTEXTS.iter().copied().filter(|role| runs(&settings.roles, *role));
    own.filter_map(|role| Some((role, SocketAddr::new(settings.server.listen.ip(), role.port()?))))
}

/// Where a process of this configuration is to be reached.
pub(crate) fn places(settings: &Settings) -> Vec<SocketAddr> {
    if runs(&settings.roles, Role::Gateway) { vec![settings.server.listen] } else { doors(settings).map(|(_, address)| address).collect() }
}

/// Several processes need engines that several processes can share.
pub(crate) fn refuse_what_cannot_work(settings: &Settings) -> Result<()> {
    if settings.roles.is_empty() {
        return Err(errors::config_combination("`roles` is empty: name \"all\" or some roles"));
    }
    let private = settings.backends.private_engines();
    let is_whole = settings.roles.contains(&Role::All);
    if let Some((key, url)) = private.first().filter(|_| !is_whole) {
        let roles: Vec<&str> = settings.roles.iter().map(|role| role.name()).collect();
        return Err(errors::config_combination(&format!(
            "running only {} means several processes, but backends.{key} = \"{url}\" belongs to one; give db, hot and bus URLs of servers, or run all roles",
            roles.join(", ")
        )));
    }
    let is_private = |wanted: &str| private.iter().any(|(key, _)| *key == wanted);
    if is_private("bus") != is_private("hot") {
        return Err(errors::config_combination("backends.hot and backends.bus must both belong to this process or both be shared"));
    }
    Ok(())
}

/// Says where to go; on a fresh installation with the link that makes the first admin.
async fn announce(settings: &Settings, services: &Services, addresses: &[SocketAddr], management: SocketAddr) -> Result<()> {
    let scheme = if settings.gateway.tls.is_some() { "https" } else { "http" };
    let base = match (settings.server.base_url.trim_end_matches('/'), addresses.first()) {
        ("", Some(address)) => format!("{scheme}://{address}"),
        (base, _) => base.to_owned(),
    };
    tracing::info!(?addresses, %management, "serving");
    if settings.sends_mail() && settings.letters_link_to().is_empty() {
        tracing::warn!("invitations are not sent by mail: server.base_url does not say how people reach the console");
    }
    let mut lines = vec![format!(
        "Tyrian {} at {base} (API documentation at {base}/docs, management at http://{management})",
        env!("CARGO_PKG_VERSION")
    )];
    if runs(&settings.roles, Role::Auth)
        && let Some(token) = services.auth.first_admin_token().await?
    {
        lines.push(format!("Create the first administrator: {base}/first-run?token={}", token.expose()));
    }
    let text = lines.join("\n");
    let around = if std::io::stdout().is_terminal() { "\n" } else { "" };
    crate::output::line(&format!("{around}{text}{around}"));
    Ok(())
}

async fn wait_for_signal() -> Result<()> {
    let trap = |kind| signal(kind).map_err(|cause| Error::internal("signals cannot be heard").because(cause));
    let (mut terminate, mut interrupt) = (trap(SignalKind::terminate())?, trap(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new work, open exchanges may end");
    Ok(())
}

//! What a command talks to: a server elsewhere, or the whole platform in this process on local storage.

use std::time::Duration;

use axum::Extension;
use backends::Backends;
use backends::jobs::{Concurrency, Worker};
use base::{Actor, Origin, Result, Secret, Source};
use client::Client;

use crate::api;
use crate::cli::Cli;
use crate::config::Settings;
use crate::roles::Role;
use crate::services::Services;

/// An open line to the API.
pub(crate) struct Session {
    /// The API.
    pub(crate) client: Client,
    local: Option<Box<Services>>,
}

impl Session {
    /// The server named on the command line, or local storage.
    pub(crate) async fn open(cli: &Cli, settings: &Settings) -> Result<Self> {
        let Some(server) = &cli.server else { return Box::pin(Self::local(settings)).await };
        let token = cli.token.clone().map(Secret::new);
        let client = Client::new(server, token, cli.authority.as_deref())?;
        Ok(Self { client, local: None })
    }

    /// The platform in this process: same routes, same workers, no socket.
    async fn local(settings: &Settings) -> Result<Self> {
        let backends = Backends::connect(&settings.backends).await?;
        let services = Services::build(backends.clone(), settings).await?;
        let mut actor = Actor::system(services.auth.home_tenant().await?, Source::Cli);
        actor.username = local_user();
        let origin = Origin { source: Source::Cli, ..Origin::default() };
        let router = api::api(&services, &[Role::All], &gateway::Upstreams::new())?.layer(Extension(actor)).layer(Extension(origin));
        services.audit.start();
        Worker::start(&backends, &services.jobs(), &Concurrency::default()).await?;
        Ok(Self { client: Client::local(router)?, local: Some(Box::new(services)) })
    }

    /// The services of this process, for what only the owner of the storage may do.
    pub(crate) fn services(&self) -> Result<&Services> {
        self.local
            .as_deref()
            .ok_or_else(|| crate::errors::usage("this command works on local storage; run it where the server runs, without --server"))
    }

    /// Ends background work and closes the storage.
    pub(crate) async fn close(self) {
        if let Some(services) = self.local {
            services.backends.close(Duration::from_secs(20)).await;
        }
    }
}

/// Who sits at the keyboard, for the audit log.
fn local_user() -> String {
    std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "local".to_owned())
}

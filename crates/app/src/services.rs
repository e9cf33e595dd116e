//! Every service, built top to bottom: the constructor arguments are the dependency graph.

use std::sync::Arc;

use audit::Audit;
use auth::Auth;
use backends::{Backends, Handlers};
use base::{Actor, Result, Secret, TenantId, UserId};
use devices::Devices;
use futures::future::BoxFuture;
use integrations::Integrations;
use reports::Reports;
use results::Results;
use scans::Scans;
use search::Search;
use targets::Targets;

use crate::config::Settings;

/// One of each.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) backends: Backends,
    pub(crate) audit: Audit,
    pub(crate) auth: Auth,
    pub(crate) targets: Targets,
    pub(crate) scans: Scans,
    pub(crate) results: Results,
    pub(crate) reports: Reports,
    pub(crate) search: Search,
    pub(crate) devices: Devices,
    pub(crate) integrations: Integrations,
}

/// What the phones' context asks about those who carry them and those who command them.
struct People(Auth);

impl devices::People for People {
    fn prove<'a>(&'a self, actor: &'a Actor, password: &'a Secret<String>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.0.prove_password(actor, password))
    }

    fn is_home(&self, tenant: TenantId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move { Ok(self.0.home_tenant().await? == tenant) })
    }

    fn is_welcome(&self, tenant: TenantId, user: UserId) -> BoxFuture<'_, Result<bool>> {
        Box::pin(self.0.is_welcome(tenant, user))
    }
}

impl Services {
    /// Builds them all, whatever roles this process runs.
    pub(crate) async fn build(backends: Backends, settings: &Settings) -> Result<Self> {
        let audit = Audit::new(&backends);
        let auth = Auth::new(&backends, auth::Config { letters_link_to: settings.letters_link_to(), ..settings.auth.clone() });
        let targets = Targets::new(&backends);
        let scans = Scans::new(&backends, &targets, settings.scans.clone());
        let results = Results::new(&backends, &scans, &targets);
        let typeset_command =
            std::env::current_exe().map_err(|cause| base::Error::internal("this program does not know where it lies").because(cause))?;
        let reports = Reports::new(&backends, &results, &targets, &scans, reports::Config { typeset_command });
        let search = Search::new(&backends, &audit, &targets, &scans, &results);
        let devices = Devices::new(&backends, settings.devices.clone(), Arc::new(People(auth.clone())))?;
        let integrations = Integrations::new(&backends, settings.integrations())?;
        let services = Self { backends, audit, auth, targets, scans, results, reports, search, devices, integrations };
        services.backends.subscriptions.set(&services.jobs());
        Ok(services)
    }

    /// Every job of every context.
    pub(crate) fn jobs(&self) -> Handlers {
        audit::jobs(&self.audit)
            .merge(auth::jobs(&self.auth))
            .merge(scans::jobs(&self.scans))
            .merge(results::jobs(&self.results))
            .merge(reports::jobs(&self.reports))
            .merge(search::jobs(&self.search))
            .merge(devices::jobs(&self.devices))
            .merge(integrations::jobs(&self.integrations))
    }
}

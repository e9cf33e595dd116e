//! The web pages in the binary: server-rendered, three languages, usable without scripts. Pages call services,
//! never SQL and never the HTTP API; what a page may show is what its viewer's actor may read.

mod assets;
mod catalogue;
mod chart;
mod errors;
mod failure;
mod fields;
mod gauge;
mod live;
mod page;
mod pages;
mod plot;
mod preferences;
mod request;
mod upload;

use audit::Audit;
use auth::Auth;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use backends::{Blobs, Clock, Tasks};
use devices::Devices;
use integrations::Integrations;
use reports::Reports;
use results::Results;
use scans::Scans;
use search::Search;
use targets::Targets;

/// What the pages stand on.
pub struct Services {
    /// People, sessions, tokens.
    pub auth: Auth,
    /// The audit log.
    pub audit: Audit,
    /// Targets and authorisations.
    pub targets: Targets,
    /// Scans.
    pub scans: Scans,
    /// Findings and imports.
    pub results: Results,
    /// Reports.
    pub reports: Reports,
    /// Search.
    pub search: Search,
    /// Phones.
    pub devices: Devices,
    /// What other systems are told.
    pub integrations: Integrations,
    /// Keeps a file between its preview and its taking in.
    pub blobs: Blobs,
    /// Ends streams when the process stops.
    pub tasks: Tasks,
    /// Tells what is past and what is to come.
    pub clock: Clock,
    /// Shown at the foot of every page.
    pub version: &'static str,
}

/// As each handler and layer gets them, several times for one request.
pub(crate) type Shared = Arc<Services>;

/// Every page, mounted at the root behind the edge and the auth layer.
pub fn pages(services: Services) -> Router {
    let services = Shared::new(services);
    pages::routes()
        .fallback(failure::no_page)
        .layer(from_fn(preferences::keep))
        .layer(from_fn_with_state(services.clone(), failure::dress))
        .merge(assets::routes())
        .with_state(services)
}

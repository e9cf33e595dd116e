//! Routes of this context, relative to the API's root: `/devices` for people, `/device` for phones.

mod batch;
mod open;
mod operators;
mod phones;
mod presented;
mod switches;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use web::{OpenApiRouter, routes};

use crate::service::Devices;

/// Largest batch of signals taken, in bytes, whatever carries it.
pub(crate) const LARGEST_BATCH: usize = 2 * 1024 * 1024;

/// The routes under `/devices` and `/device`.
pub fn routes(devices: &Devices) -> OpenApiRouter {
    let people = OpenApiRouter::new()
        .routes(routes!(operators::list))
        .routes(routes!(operators::codes, operators::create_code))
        .routes(routes!(operators::policy, operators::patch_policy))
        .routes(routes!(operators::resume))
        .routes(routes!(switches::list, switches::propose))
        .routes(routes!(switches::confirm))
        .routes(routes!(switches::release))
        .routes(routes!(operators::get, operators::patch))
        .routes(routes!(operators::timeline))
        .routes(routes!(operators::why))
        .routes(routes!(operators::locks))
        .routes(routes!(operators::commands))
        .routes(routes!(operators::lock))
        .routes(routes!(operators::confirm_lock))
        .routes(routes!(operators::unlock))
        .routes(routes!(operators::overlay))
        .with_state(devices.clone());
    let phones = OpenApiRouter::new()
        .routes(routes!(phones::nonce))
        .routes(routes!(phones::enrol))
        .routes(routes!(phones::attest))
        .routes(routes!(phones::token))
        .routes(routes!(phones::signals))
        .routes(routes!(phones::commands))
        .routes(routes!(phones::acknowledge))
        .routes(routes!(phones::why))
        .route("/device/stream", get(open::open))
        .layer(DefaultBodyLimit::max(LARGEST_BATCH))
        .layer(from_fn_with_state(devices.clone(), presented::tell_nonce))
        .with_state(devices.clone());
    people.merge(phones)
}

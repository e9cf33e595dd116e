//! The public API put together: one set of handlers under `/api/v1`, `/api/v2` and `/api`, and the document that describes it.

use axum::Router;
use base::Result;
use gateway::Upstreams;
use utoipa::OpenApi;
use utoipa::openapi::{ContactBuilder, LicenseBuilder, ServerBuilder};
use web::OpenApiRouter;

use crate::roles::{Role, runs};
use crate::services::Services;

/// Newest first. The unversioned path answers as v1 and is kept for the documents' load test.
const PREFIXES: &[&str] = &["/api/v1", "/api/v2", "/api"];

#[derive(OpenApi)]
#[openapi(info(
    title = "Tyrian",
    description = "Purple team platform: targets, authorised scans, findings, reports, and the audit log of all of it."
))]
struct Document;

/// Routes of the roles in this process, once, without prefix.
fn local(services: &Services, roles: &[Role]) -> OpenApiRouter {
    Role::CONTEXTS
        .iter()
        .filter(|role| runs(roles, **role))
        .fold(OpenApiRouter::with_openapi(Document::openapi()), |router, role| router.merge(role.parts(services).routes))
}

/// The API of this process; `upstreams` stand in for contexts it does not run.
///
/// # Errors
/// `Invalid` naming an upstream that cannot be used.
pub(crate) fn api(services: &Services, roles: &[Role], upstreams: &Upstreams) -> Result<Router> {
    let (routes, _) = local(services, roles).split_for_parts();
    let mut router = Router::new();
    for prefix in PREFIXES {
        router = router.nest(prefix, routes.clone());
        for role in Role::CONTEXTS.iter().filter(|role| !runs(roles, **role)) {
            let Some(base) = upstreams.get(role.name()) else { continue };
            for path in role.paths() {
                let away = gateway::forward(role.name(), base, &services.backends.tasks)?;
                router = router.nest(&format!("{prefix}/{path}"), away);
            }
        }
    }
    Ok(router)
}

/// The OpenAPI 3.1 document of the whole API.
pub(crate) fn document(services: &Services) -> utoipa::openapi::OpenApi {
    let (_, mut document) = local(services, &[Role::All]).split_for_parts();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.info.license =
        Some(LicenseBuilder::new().name("AGPL-3.0-or-later").url(Some("https://www.gnu.org/licenses/agpl-3.0.html")).build());
    document.info.contact = Some(
        ContactBuilder::new()
            .name(Some("Tyrian maintainers"))
            .url(Some("https://tyrian.example/contact"))
            .email(Some("maintainers@tyrian.example"))
            .build(),
    );
    document.servers =
        Some(vec![ServerBuilder::new().url("/api/v1").description(Some("This server, in production or on a local machine")).build()]);
    web::openapi::complete(document)
}

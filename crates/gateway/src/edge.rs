//! The order of the layers every request passes.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use backends::Backends;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tower::util::MapRequestLayer;
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::timeout::TimeoutLayer;

use crate::config::Config;
use crate::headers::{Encrypted, protect};
use crate::limit::{Limit, per_address, per_user};
use crate::origin::{Marking, mark, name_route};

/// Bytes of an answer below which a packet more or less is not worth a compressor, which costs more than most answers.
const WORTH_COMPRESSING: u16 = 1_024;

/// Which door a router stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The outside: limits count, repeated POSTs are answered from the first answer, but for those to these paths, which only read.
    Outside(&'static [&'static str]),
    /// A role's own listener behind a gateway, which has counted and remembered already.
    Role,
}

/// Wraps `router` in the edge. `authenticate` turns credentials into an actor; what counts per user stands behind it.
pub fn edge(router: Router, backends: &Backends, config: &Config, door: Door, authenticate: impl FnOnce(Router) -> Router) -> Router {
    let limit = |rate| Limit { hot: backends.hot.clone(), rate };
    let mut router = whole(router.layer(MapRequestLayer::new(name_route)));
    if let Door::Outside(reading) = door {
        router = router.layer(web::idempotency::layer(backends, reading)).layer(from_fn_with_state(limit(config.rate_per_user), per_user));
    }
    // Outermost first: the first layer named sees the request before all others.
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(marking(backends, config), mark))
        .layer(from_fn_with_state(Encrypted(config.tls.is_some()), protect))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(SizeAbove::new(WORTH_COMPRESSING))))
        .layer(from_fn(web::problems))
        .layer(cors(&config.cors_origins))
        .layer(CatchPanicLayer::custom(panicked))
        .option_layer(matches!(door, Door::Outside(_)).then(|| from_fn_with_state(limit(config.rate_per_address), per_address)))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(config.request_timeout_seconds)))
        // The body limit is the default; routes that take files set their own.
        .layer(DefaultBodyLimit::max(config.maximum_body_bytes));
    whole(layers.service(authenticate(router)))
}

/// Wraps gRPC services: marked, measured and counted per address like everything else; answers and their ends stay as they are.
pub fn calls(router: Router, backends: &Backends, config: &Config) -> Router {
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(marking(backends, config), mark))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Limit { hot: backends.hot.clone(), rate: config.rate_per_address }, per_address));
    whole(layers.service(router.layer(MapRequestLayer::new(name_route))))
}

/// A router that hands everything to `service`. A layer of a router with routes is put around each of them, and every request copies
/// what is around its route at each layer; around a whole router layers stand once.
fn whole<S>(service: S) -> Router
where
    S: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static,
{
    Router::new().fallback_service(service)
}

fn marking(backends: &Backends, config: &Config) -> Marking {
    Marking { ids: backends.ids.clone(), trusted: config.trusted_proxies.clone().into() }
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> http::Response<axum::body::Body> {
    // The panic hook has logged it already; the problem layer makes this a document.
    let mut response = http::Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return CorsLayer::new();
    }
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-request-id"),
        ])
        .expose_headers([header::LOCATION, header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
        .max_age(Duration::from_secs(600))
}

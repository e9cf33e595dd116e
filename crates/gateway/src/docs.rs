//! `/openapi.json` and `/docs`: the contract, and a page to read it by, from files in the binary.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base::Error;
use bytes::Bytes;
use http::{HeaderValue, header};
use tokio::sync::OnceCell;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};
use web::Problem;

/// The reader sets styles at run time, so inline styles are allowed here and nowhere else.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

/// The document and how to make it. Its parts take twenty times the memory of its text, and few servers are asked for it: it is
/// made at the first request, and only the text is kept.
struct Document<F> {
    describe: F,
    text: OnceCell<Bytes>,
}

/// Both routes; `describe` makes the document.
pub fn docs<F: Fn() -> OpenApi + Send + Sync + 'static>(describe: F) -> Router {
    let reader = SwaggerUi::new("/docs").config(Config::from("/openapi.json"));
    Router::new()
        .route("/openapi.json", get(document::<F>))
        .with_state(Arc::new(Document { describe, text: OnceCell::new() }))
        .merge(reader)
        .layer(from_fn(policy))
}

async fn document<F: Fn() -> OpenApi>(State(document): State<Arc<Document<F>>>) -> Result<impl IntoResponse, Problem> {
    let write = async || serde_json::to_vec(&(document.describe)()).map(Bytes::from);
    let text =
        document.text.get_or_try_init(write).await.map_err(|cause| Error::internal("the API document cannot be written").because(cause))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text.clone()))
}

async fn policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

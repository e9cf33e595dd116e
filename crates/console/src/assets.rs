//! Style sheets, scripts and pictures in the binary, served under a path that changes with their content, so that browsers
//! may keep them for ever.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const ASSETS: [Asset; 3] = [
    Asset { name: "console.css", content_type: "text/css; charset=utf-8", bytes: include_bytes!("../static/console.css") },
    Asset { name: "console.js", content_type: "text/javascript; charset=utf-8", bytes: include_bytes!("../static/console.js") },
    Asset { name: "icon.svg", content_type: "image/svg+xml", bytes: include_bytes!("../static/icon.svg") },
];

static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let hash = |bytes| hex::encode(digest(&SHA256, bytes)).chars().take(16).collect::<String>();
    ASSETS.iter().map(|asset| format!("/assets/{}/{}", hash(asset.bytes), asset.name)).collect()
});

/// Where an asset lies now.
pub(crate) fn path(name: &str) -> &'static str {
    let found = ASSETS.iter().position(|asset| asset.name == name).and_then(|index| PATHS.get(index));
    found.map_or("", String::as_str)
}

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{hash}/{name}", get(serve))
}

async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let wanted = format!("/assets/{hash}/{name}");
    // An old page asks for an old asset: the new one under the old name would be kept for ever.
    let found = ASSETS.iter().zip(PATHS.iter()).find(|(_, path)| **path == wanted);
    match found {
        Some((asset, _)) => {
            let headers = [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (headers, asset.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

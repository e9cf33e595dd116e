//! Shapes of the importers' words for the OpenAPI document; the importers themselves know nothing of it.
#![expect(dead_code, reason = "only their schema is used")]

use serde::Serialize;
use utoipa::ToSchema;

/// How grave, from least to most.
#[derive(ToSchema)]
#[schema(as = Severity, rename_all = "snake_case")]
pub(crate) enum SeveritySchema {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// How testing one thing ended.
#[derive(ToSchema)]
#[schema(as = CoverageStatus, rename_all = "snake_case")]
pub(crate) enum CoverageStatusSchema {
    Done,
    Partial,
    Skipped,
    Error,
    Timeout,
    AuthLost,
}

/// How much of a place a statement about coverage is about. Ports are spelled as ascending ranges, `1-1024,8080`, with `…` behind them
/// where others may be meant that nobody named.
#[derive(Serialize, ToSchema)]
#[schema(as = Extent)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ExtentSchema {
    /// Whoever told did not say.
    Untold,
    /// Everything at the place and below it.
    Whole,
    /// The place alone: one page, a host without its services.
    Itself,
    /// Of the host, these ports only, and only whether they are open.
    Ports {
        #[schema(max_length = 32768)]
        ports: String,
    },
    /// Of the host, these ports, which were found closed: what was there is gone.
    Closed {
        #[schema(max_length = 32768)]
        ports: String,
    },
}

/// Where something is; as many parts as the tool gave.
#[derive(ToSchema)]
#[schema(as = Location)]
pub(crate) struct LocationSchema {
    #[schema(max_length = 256)]
    host: Option<String>,
    #[schema(max_length = 64)]
    ip: Option<String>,
    #[schema(minimum = 0, maximum = 65535)]
    port: Option<u16>,
    #[schema(max_length = 16)]
    protocol: Option<String>,
    #[schema(max_length = 256)]
    service: Option<String>,
    #[schema(max_length = 8192)]
    url: Option<String>,
    #[schema(max_length = 32)]
    method: Option<String>,
    #[schema(max_length = 1024)]
    parameter: Option<String>,
    component: Option<ComponentSchema>,
    #[schema(max_length = 4096)]
    file: Option<String>,
    #[schema(minimum = 0)]
    line: Option<u32>,
    #[schema(max_length = 65536)]
    snippet: Option<String>,
    #[schema(max_length = 4096)]
    logical: Option<String>,
    #[schema(max_length = 4096)]
    artifact: Option<String>,
}

/// A package or product.
#[derive(ToSchema)]
#[schema(as = Component)]
pub(crate) struct ComponentSchema {
    #[schema(max_length = 512)]
    name: String,
    #[schema(max_length = 256)]
    version: Option<String>,
    #[schema(max_length = 1024)]
    purl: Option<String>,
}

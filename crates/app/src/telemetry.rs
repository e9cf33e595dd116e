//! Logs to stderr (JSON or text) and, where an endpoint is configured, traces over OTLP.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use backends::Authorities;
use base::{Error, Result};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat, Traces};
use crate::errors;

/// How long a collector may take to accept what is sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends the export of traces when dropped.
pub(crate) struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts logging, and tracing when configured.
    ///
    /// # Errors
    /// `Invalid` for a log filter or endpoint that cannot be used.
    pub(crate) fn start(log: &Log, traces: &Traces, authorities: Option<&Path>) -> Result<Self> {
        // Drivers speak below our events; their chatter drowns ours.
        let filter = EnvFilter::try_new(format!("sqlx=warn,hyper=warn,h2=warn,rustls=warn,{}", log.level))
            .map_err(|cause| errors::config_key("log.level", &cause.to_string(), "the configuration"))?;
        let provider = if traces.endpoint.is_empty() { None } else { Some(provider(traces, authorities)?) };
        let spans = provider.as_ref().map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("tyrian")));
        let registry = tracing_subscriber::registry().with(filter).with(spans);
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let started = if is_text(log.format) {
            registry.with(lines.with_target(false)).try_init()
        } else {
            registry.with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false)).try_init()
        };
        started.map_err(|cause| Error::internal("logging was started twice").because(cause))?;
        Ok(Self { traces: provider })
    }

    /// Sends what is left; off the runtime, because the exporter waits for it.
    pub(crate) async fn stop(mut self) {
        if let Some(provider) = self.traces.take() {
            let ended = tokio::task::spawn_blocking(move || provider.shutdown());
            if tokio::time::timeout(Duration::from_secs(5), ended).await.is_err() {
                tracing::warn!("the last traces could not be sent");
            }
        }
    }
}

fn is_text(format: LogFormat) -> bool {
    match format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Text => true,
    }
}

fn provider(traces: &Traces, authorities: Option<&Path>) -> Result<SdkTracerProvider> {
    let authorities = Authorities::load(authorities)?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(&traces.endpoint)
        .with_http_client(client(&authorities)?)
        .build()
        .map_err(|cause| errors::config_key("traces.endpoint", &cause.to_string(), "the configuration"))?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(traces.sample))))
        .with_resource(Resource::builder().with_service_name("tyrian").build())
        .build())
}

/// Spans are sent by a thread of their own, which waits: a client that may only be made, and used, off the runtime.
fn client(authorities: &Authorities) -> Result<reqwest::blocking::Client> {
    let tls = authorities.client()?;
    let built = std::thread::spawn(move || reqwest::blocking::Client::builder().timeout(PATIENCE).tls_backend_preconfigured(tls).build());
    match built.join() {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(cause)) => Err(Error::internal("the client that sends traces cannot be made").because(cause)),
        Err(_) => Err(Error::internal("the client that sends traces cannot be made")),
    }
}

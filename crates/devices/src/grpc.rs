//! The door for phones that speak gRPC. Behind a listener that has seen their certificate; the token and its proof stand in the metadata.

mod carrier;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request as HttpRequest;
use axum::middleware::{Next, from_fn};
use axum::response::Response as HttpResponse;
use base::{Error, Origin, Result, Source};
use futures::StreamExt;
use futures::stream::BoxStream;
use http::{Extensions, header};
use tokio::sync::mpsc;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::metadata::MetadataMap;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use self::carrier::GrpcStream;
use crate::http::LARGEST_BATCH;
use crate::line::Line;
use crate::service::{Admitted, Devices, Opening};
use crate::wire::DESCRIPTORS;
use crate::wire::v1::device_service_server::{DeviceService, DeviceServiceServer};
use crate::wire::v1::{BindCertificateRequest, BindCertificateResponse, StreamRequest, StreamResponse};

/// Messages for a phone that wait for its window to open.
const WAITING: usize = 4;
const STREAM: &str = "/tyrian.v1.DeviceService/Stream";
const BIND_CERTIFICATE: &str = "/tyrian.v1.DeviceService/BindCertificate";

/// `:authority` of a request, which proofs are about.
#[derive(Debug, Clone)]
struct Authority(String);

#[derive(Clone)]
struct Door {
    devices: Devices,
}

/// The gRPC services: phones, health, and reflection where it is configured. The listener puts [`web::PeerCertificate`] into requests.
///
/// # Errors
/// `Internal` when the contract's own descriptors cannot be read.
pub async fn grpc(devices: &Devices) -> Result<Router> {
    let service = DeviceServiceServer::new(Door { devices: devices.clone() })
        .accept_compressed(Gzip)
        .send_compressed(Gzip)
        .max_decoding_message_size(LARGEST_BATCH)
        .max_encoding_message_size(LARGEST_BATCH);
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<DeviceServiceServer<Door>>().await;
    let mut routes = Routes::new(service).add_service(health);
    if devices.config().grpc.reflection {
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .map_err(|cause| Error::internal("the contract cannot be shown").because(cause))?;
        routes = routes.add_service(reflection);
    }
    let stop = devices.backends().tasks.stop();
    devices.backends().tasks.spawn("devices.grpc_health", async move {
        stop.cancelled().await;
        reporter.set_not_serving::<DeviceServiceServer<Door>>().await;
        reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    });
    Ok(routes.into_axum_router().layer(from_fn(mark)))
}

async fn mark(mut request: HttpRequest, next: Next) -> HttpResponse {
    let host = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    if let Some(authority) = request.uri().authority().map(ToString::to_string).or_else(host) {
        request.extensions_mut().insert(Authority(authority));
    }
    next.run(request).await
}

fn text(metadata: &MetadataMap, name: &str) -> Option<String> {
    let mut values = metadata.get_all(name).iter();
    match (values.next(), values.next()) {
        // Two proofs are none: it could not be told which one was meant.
        (Some(value), None) => value.to_str().ok().map(str::to_owned),
        _ => None,
    }
}

impl Door {
    /// The phone behind a call, or why there is none.
    async fn admit(&self, metadata: &MetadataMap, extensions: &Extensions, path: &str) -> Result<(Admitted, Opening), Status> {
        let token = text(metadata, "authorization").and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            ["dpop", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then(|| token.trim().to_owned())
        });
        let opening = Opening {
            method: "POST",
            host: extensions.get::<Authority>().map(|authority| authority.0.clone()),
            path: path.to_owned(),
            is_direct: true,
            certificate: extensions.get::<web::PeerCertificate>().map(|shown| Arc::clone(&shown.0)),
        };
        let origin = Origin { source: Source::Grpc, ..extensions.get::<Origin>().cloned().unwrap_or_default() };
        let presented = opening.presented(token.unwrap_or_default(), text(metadata, "dpop"));
        match self.devices.admit(&presented, opening.certificate.as_deref(), &origin).await {
            Ok(admitted) => Ok((admitted, opening)),
            Err(error) => Err(status::with_nonce(&error, self.devices.proof_nonce().await.ok())),
        }
    }
}

#[tonic::async_trait]
impl DeviceService for Door {
    type StreamStream = BoxStream<'static, Result<StreamResponse, Status>>;

    async fn bind_certificate(&self, request: Request<BindCertificateRequest>) -> Result<Response<BindCertificateResponse>, Status> {
        let (admitted, opening) = self.admit(request.metadata(), request.extensions(), BIND_CERTIFICATE).await?;
        let bound = self.devices.bind(&admitted, opening.certificate.as_deref()).await;
        let (access_token, expires_at) = bound.map_err(|error| status::of(&error))?;
        Ok(Response::new(BindCertificateResponse { access_token, expires_at: expires_at.micros() }))
    }

    async fn stream(&self, request: Request<Streaming<StreamRequest>>) -> Result<Response<Self::StreamStream>, Status> {
        self.devices.has_room().map_err(|error| status::of(&error))?;
        let (admitted, opening) = self.admit(request.metadata(), request.extensions(), STREAM).await?;
        let after = text(request.metadata(), "after").and_then(|after| after.parse().ok()).unwrap_or(0_i64).max(0);
        let (out, waiting) = mpsc::channel(WAITING);
        let line = Line::new(&self.devices, admitted, opening, after);
        let carrier = GrpcStream { incoming: request.into_inner(), out };
        self.devices.backends().tasks.spawn("devices.grpc_line", line.run(carrier));
        let told = futures::stream::unfold(waiting, async |mut waiting| waiting.recv().await.map(|told| (told, waiting)));
        Ok(Response::new(told.boxed()))
    }
}

//! A batch of signals in the body: JSON, or protobuf as `tyrian.v1.Readings`; the same limits and answers either way.

use axum::extract::{FromRequest, Request};
use http::header;
use utoipa::ToSchema;
use web::{Body, Problem};

use crate::service::{Devices, SignalBatch};
use crate::wire;

/// A serialised `tyrian.v1.Readings`, as `proto/tyrian/v1/device.proto` says.
#[derive(ToSchema)]
#[schema(as = SignalBytes, value_type = String, format = Binary, max_length = 2_097_152)]
pub(super) struct SignalBytes(#[expect(dead_code, reason = "stands for the bytes in the document")] Vec<u8>);

/// The batch, however it was written.
pub(super) struct Batch(pub(super) SignalBatch);

impl FromRequest<Devices> for Batch {
    type Rejection = Problem;

    async fn from_request(request: Request, devices: &Devices) -> Result<Self, Problem> {
        let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim();
        if !["application/x-protobuf", "application/protobuf"].iter().any(|known| essence.eq_ignore_ascii_case(known)) {
            return Body::from_request(request, devices).await.map(|Body(batch)| Self(batch));
        }
        let bytes = web::read_body(request, devices).await?;
        Ok(Self(wire::decode(&bytes)?))
    }
}

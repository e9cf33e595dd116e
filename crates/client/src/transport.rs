//! The two ways a request travels: over the network, or straight into a router of this process.

use axum::Router;
use axum::body::Body;
use base::{Error, Result};
use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::{Request, StatusCode};
use tower::ServiceExt;
use url::Url;

use crate::errors;

#[derive(Clone)]
pub(crate) enum Transport {
    Remote(reqwest::Client),
    Local(Router),
}

/// What is sent: bytes in memory, or as they are read.
pub(crate) enum Outgoing {
    Whole(Vec<u8>),
    Stream(Body),
}

/// What came back; the body is read as it arrives.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: BoxStream<'static, Result<Bytes>>,
}

impl Answer {
    /// The whole body.
    pub(crate) async fn bytes(self) -> Result<Vec<u8>> {
        let whole = self.body.try_fold(BytesMut::new(), |mut whole, chunk| async move {
            whole.extend_from_slice(&chunk);
            Ok(whole)
        });
        Ok(whole.await?.to_vec())
    }
}

impl Transport {
    pub(crate) async fn exchange(&self, base: &Url, request: Request<Outgoing>) -> Result<Answer> {
        match self {
            Self::Remote(http) => {
                let request = request.map(|body| match body {
                    Outgoing::Whole(body) => reqwest::Body::from(body),
                    Outgoing::Stream(body) => reqwest::Body::wrap_stream(body.into_data_stream()),
                });
                let request =
                    reqwest::Request::try_from(request).map_err(|cause| Error::internal("a request cannot be built").because(cause))?;
                let response = http.execute(request).await.map_err(|cause| errors::unreachable(base, cause))?;
                let (status, base) = (response.status(), base.clone());
                Ok(Answer { status, body: response.bytes_stream().map_err(move |cause| errors::unreachable(&base, cause)).boxed() })
            }
            Self::Local(router) => {
                let response = router
                    .clone()
                    .oneshot(request.map(|body| match body {
                        Outgoing::Whole(body) => Body::from(body),
                        Outgoing::Stream(body) => body,
                    }))
                    .await
                    .unwrap_or_else(|never| match never {});
                let status = response.status();
                let body = response.into_body().into_data_stream();
                Ok(Answer { status, body: body.map_err(|cause| Error::internal("an answer broke off").because(cause)).boxed() })
            }
        }
    }
}

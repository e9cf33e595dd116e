//! A gRPC stream as the carrier of a line.

use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use super::status;
use crate::line::{Carrier, End, Heard, PATIENCE};
use crate::wire::Told;
use crate::wire::v1::{StreamRequest, StreamResponse};

/// Both directions of a stream.
pub(super) struct GrpcStream {
    pub(super) incoming: Streaming<StreamRequest>,
    pub(super) out: mpsc::Sender<Result<StreamResponse, Status>>,
}

impl GrpcStream {
    async fn send(&mut self, told: Result<StreamResponse, Status>) -> Result<(), End> {
        match tokio::time::timeout(PATIENCE, self.out.send(told)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }
}

impl Carrier for GrpcStream {
    const NAME: &'static str = "grpc";
    /// HTTP/2 pings the connection itself.
    const PINGS: bool = false;

    async fn hear(&mut self) -> Heard {
        match self.incoming.message().await {
            Ok(Some(request)) => match request.try_into() {
                Ok(said) => Heard::Said(said),
                Err(error) => Heard::Garbled(error),
            },
            Ok(None) => Heard::Gone,
            Err(status) if status.code() == Code::OutOfRange => Heard::TooLarge,
            Err(_) => Heard::Gone,
        }
    }

    async fn tell(&mut self, told: Told) -> Result<(), End> {
        self.send(Ok(told.into())).await
    }

    async fn ping(&mut self) -> Result<(), End> {
        Ok(())
    }

    async fn end(mut self, end: &End) {
        if let Some(status) = status::of_end(end) {
            let _ = self.send(Err(status)).await;
        }
    }
}

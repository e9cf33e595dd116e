//! What went wrong, as gRPC says it: one status for each kind of error, with our stable code beside it.

use std::time::Duration;

use base::{Error, Kind};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use crate::line::End;

/// The status of an error; faults of our own are logged and not told.
pub(super) fn of(error: &Error) -> Status {
    let code = match error.kind() {
        Kind::Invalid => Code::InvalidArgument,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::Forbidden => Code::PermissionDenied,
        Kind::NotFound => Code::NotFound,
        Kind::Conflict => Code::FailedPrecondition,
        Kind::TooMany => Code::ResourceExhausted,
        Kind::Timeout => Code::DeadlineExceeded,
        Kind::Unavailable => Code::Unavailable,
        Kind::Internal => Code::Internal,
    };
    if code == Code::Internal {
        tracing::error!(%error, "a call failed");
        return Status::internal("something went wrong here");
    }
    spoken(code, error.detail(), error.code(), error.wait())
}

/// The same, with the nonce that the next proof must carry.
pub(super) fn with_nonce(error: &Error, nonce: Option<String>) -> Status {
    let mut status = of(error);
    if error.kind() == Kind::Unauthenticated
        && let Some(nonce) = nonce
    {
        add(status.metadata_mut(), "dpop-nonce", &nonce);
    }
    status
}

/// How a stream ends; nothing when nobody is there.
pub(super) fn of_end(end: &End) -> Option<Status> {
    let code = match end {
        End::Gone => return None,
        End::Error(error) => return Some(of(error)),
        End::Replaced => Code::Aborted,
        End::Silent | End::Slow => Code::DeadlineExceeded,
        End::TooLarge => Code::OutOfRange,
        End::Restart(_) => Code::Unavailable,
    };
    Some(spoken(code, &end.detail(), end.code(), end.wait()))
}

fn spoken(code: Code, detail: &str, word: &'static str, wait: Option<Duration>) -> Status {
    let mut metadata = MetadataMap::new();
    add(&mut metadata, "tyrian-code", word);
    if let Some(wait) = wait {
        add(&mut metadata, "grpc-retry-pushback-ms", &wait.as_millis().to_string());
    }
    Status::with_metadata(code, detail, metadata)
}

fn add(metadata: &mut MetadataMap, name: &'static str, value: &str) {
    if let Ok(value) = MetadataValue::try_from(value) {
        metadata.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_our_code_and_no_fault_of_ours() {
        let refused = of(&crate::errors::too_often(Duration::from_millis(1_500)));
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert_eq!(refused.metadata().get("tyrian-code").unwrap(), "devices.too_often");
        assert_eq!(refused.metadata().get("grpc-retry-pushback-ms").unwrap(), "1500");
        let fault = of(&Error::internal("the disk is on fire"));
        assert!(!fault.message().contains("fire"));
        assert_eq!(with_nonce(&crate::errors::use_nonce(), Some("n".to_owned())).metadata().get("dpop-nonce").unwrap(), "n");
        assert!(of_end(&End::Gone).is_none());
    }
}

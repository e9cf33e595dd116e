//! File servers that hang up: one that is full, and one that declines.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scanner::{CoverageStatus, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{plan, run};
use crate::servers::{Server, serve};

/// A negotiation of SMB 2 that succeeds and requires signatures.
const NEGOTIATED: [u8; 76] = {
    let mut reply = [0; 76];
    (reply[3], reply[4], reply[5], reply[6], reply[7], reply[70]) = (72, 0xfe, b'S', b'M', b'B', 2);
    reply
};
/// Where SMB 2 names its command; a negotiation is 0.
const COMMAND: usize = 4 + 12;

/// Answers so many negotiations of SMB 2 and hangs up on everything else of SMB.
async fn smb(negotiations: usize) -> Server {
    let left = Arc::new(AtomicUsize::new(negotiations));
    serve(move |mut stream| {
        let left = left.clone();
        async move {
            let mut request = [0; 512];
            while let Ok(count @ 1..) = stream.read(&mut request).await {
                let request = &request[..count];
                let is_negotiation = request.get(4..8) == Some(b"\xfeSMB") && request.get(COMMAND) == Some(&0);
                let take = |left: usize| left.checked_sub(1);
                if is_negotiation && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                    let _ = stream.write_all(&NEGOTIATED).await;
                } else if request.get(5..8) == Some(b"SMB") {
                    return;
                }
            }
        }
    })
    .await
}

async fn scan(server: &Server) -> Outcome {
    let mut plan = plan("127.0.0.1", &[server.address.port()]);
    plan.limits.read_timeout = std::time::Duration::from_millis(500);
    let outcome = run(plan).await;
    assert_eq!(outcome.services.first().map(|service| service.service), Some("smb"));
    outcome
}

fn told<'o>(outcome: &'o Outcome, check: &str) -> Option<(CoverageStatus, Option<&'o str>)> {
    let covered = outcome.coverage.iter().find(|covered| covered.check_set == check)?;
    Some((covered.status, covered.reason.as_deref()))
}

#[tokio::test]
async fn a_file_server_that_hangs_up_on_everything_has_declined_nothing() {
    let full = smb(1).await;
    assert_eq!(told(&scan(&full).await, "exposures.safe"), Some((CoverageStatus::Error, Some("connection closed"))));
}

#[tokio::test]
async fn a_login_that_ends_without_a_word_leaves_guests_undecided_and_nothing_else() {
    let curt = smb(usize::MAX).await;
    let outcome = scan(&curt).await;
    assert_eq!(told(&outcome, "exposures.safe"), Some((CoverageStatus::Done, None)), "SMB 1 was declined by a server that is heard");
    assert_eq!(told(&outcome, "exposure.smb-guest"), Some((CoverageStatus::Error, Some("connection closed"))));
}

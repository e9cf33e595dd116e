//! Talking bytes with an untrusted peer: every read has one deadline and a cap, whatever the peer drips.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

/// Most bytes one reply may have.
pub(crate) const REPLY_CAP: usize = 64 * 1024;

/// A connection, plain or wrapped in TLS.
pub(crate) trait Flow: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Flow for T {}

/// Why a conversation stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error("no reply in time")]
    Timeout,
    #[error("connection closed")]
    Closed,
    #[error("{0}")]
    Failed(String),
}

pub(crate) struct Wire {
    flow: Box<dyn Flow>,
    wait: Duration,
}

impl Wire {
    pub(crate) fn new(flow: impl Flow + 'static, wait: Duration) -> Self {
        Self { flow: Box::new(flow), wait }
    }

    pub(crate) fn into_flow(self) -> Box<dyn Flow> {
        self.flow
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let deadline = Instant::now() + self.wait;
        match timeout_at(deadline, async {
            self.flow.write_all(bytes).await?;
            self.flow.flush().await
        })
        .await
        {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(WireError::Failed(error.to_string())),
            Err(_) => Err(WireError::Timeout),
        }
    }

    /// Reads until `enough` is satisfied, the peer closes, the cap is reached or time is over.
    pub(crate) async fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, WireError> {
        let deadline = Instant::now() + self.wait;
        let mut reply = Vec::new();
        let mut chunk = [0_u8; 4096];
        loop {
            let end = match timeout_at(deadline, self.flow.read(&mut chunk)).await {
                Ok(Ok(0)) => WireError::Closed,
                Ok(Ok(count)) => {
                    reply.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    if reply.len() >= REPLY_CAP || enough(&reply) {
                        return Ok(reply);
                    }
                    continue;
                }
                Ok(Err(error)) => WireError::Failed(error.to_string()),
                Err(_) => WireError::Timeout,
            };
            return match reply.is_empty() {
                true => Err(end),
                false => Ok(reply),
            };
        }
    }

    /// Reads whatever comes first.
    pub(crate) async fn read_some(&mut self) -> Result<Vec<u8>, WireError> {
        self.read_until(|_| true).await
    }

    /// Reads one line of text.
    pub(crate) async fn read_line(&mut self) -> Result<String, WireError> {
        let reply = self.read_until(|bytes| bytes.ends_with(b"\n")).await?;
        Ok(String::from_utf8_lossy(&reply).into_owned())
    }

    /// Reads one reply of FTP or SMTP: all lines up to `NNN text`.
    pub(crate) async fn read_status(&mut self) -> Result<(u16, String), WireError> {
        let reply = self.read_until(is_whole_status).await?;
        let text = String::from_utf8_lossy(&reply).into_owned();
        let code = text
            .lines()
            .last()
            .and_then(|line| line.get(..3))
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| WireError::Failed("the reply has no status code".to_owned()))?;
        Ok((code, text))
    }

    /// Sends a command and reads the status reply.
    pub(crate) async fn command(&mut self, line: &str) -> Result<(u16, String), WireError> {
        self.send(format!("{line}\r\n").as_bytes()).await?;
        self.read_status().await
    }
}

fn is_whole_status(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n")
        && bytes
            .trim_ascii_end()
            .rsplit(|byte| *byte == b'\n')
            .next()
            .is_some_and(|last| last.get(3).is_none_or(|separator| *separator != b'-'))
}

/// True when `needle` occurs in `haystack`.
pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_peer_that_drips_cannot_hold_a_reader() {
        let (near, mut far) = tokio::io::duplex(64);
        let dripping = async move {
            loop {
                if far.write_all(b"x").await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let mut wire = Wire::new(near, Duration::from_millis(60));
        let started = Instant::now();
        tokio::select! {
            () = dripping => {}
            reply = wire.read_until(|_| false) => assert!(!reply.unwrap().is_empty()),
        }
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test]
    async fn a_status_of_several_lines_is_read_whole() {
        let (near, mut far) = tokio::io::duplex(256);
        far.write_all(b"250-mail.example\r\n250-SIZE 1\r\n").await.unwrap();
        far.write_all(b"250 STARTTLS\r\n").await.unwrap();
        let mut wire = Wire::new(near, Duration::from_secs(1));
        let (code, text) = wire.read_status().await.unwrap();
        assert_eq!((code, text.lines().count()), (250, 3));
    }
}

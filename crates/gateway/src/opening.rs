//! How long a connection may leave open which protocol it speaks. HTTP/1 gives a client time for its headers and HTTP/2 pings it, but
//! both start only when the first bytes told them apart, and a peer that sends none would keep its place for ever.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// What a client of HTTP/2 sends first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream that fails with `TimedOut` when its peer did not tell its protocol in time.
pub(crate) struct Opening<S> {
    stream: S,
    /// Until what was read is the whole preface or no longer its beginning.
    undecided: Option<Undecided>,
}

struct Undecided {
    deadline: Pin<Box<Sleep>>,
    /// How much of the preface was read.
    read: usize,
}

impl<S> Opening<S> {
    pub(crate) fn new(stream: S, within: Duration) -> Self {
        Self { stream, undecided: Some(Undecided { deadline: Box::pin(sleep(within)), read: 0 }) }
    }
}

impl Undecided {
    /// Whether `bytes` leave it open.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let rest = &PREFACE[self.read..];
        self.read += bytes.len();
        !bytes.is_empty() && bytes.len() < rest.len() && rest.starts_with(bytes)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        let Some(undecided) = &mut this.undecided else { return Pin::new(&mut this.stream).poll_read(context, buffer) };
        if undecided.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the peer did not begin to speak")));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        if !undecided.take(&buffer.filled()[before..]) {
            this.undecided = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_the_protocol_open_only_while_they_begin_the_preface() {
        let open = |parts: &[&[u8]]| {
            let mut undecided = Undecided { deadline: Box::pin(sleep(Duration::from_secs(1))), read: 0 };
            parts.iter().all(|part| undecided.take(part))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _within = runtime.enter();
        assert!(open(&[b"P"]) && open(&[b"PRI", b" * HTTP/2.0\r\n\r\nSM\r\n\r"]));
        assert!(!open(&[PREFACE]) && !open(&[b"P", b"OST"]) && !open(&[b"GET / HTTP/1.1"]) && !open(&[b""]));
        assert!(!open(&[&[PREFACE, b"more"].concat()]));
    }
}

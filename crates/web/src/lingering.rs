//! Connections whose last word arrives. A socket closed with unread bytes is reset, and the reset overtakes what was written before: the
//! `413` for a body that is too large, the farewell on a line that said too much. So the writing half ends first, and what the peer still
//! sends is read and forgotten until it ends too, falls silent, or has gone on for long enough (RFC 9112 §9.6).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use backends::Tasks;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// A peer that sends nothing for this long has nothing more to say.
const SILENCE: Duration = Duration::from_secs(2);
/// A peer that goes on for longer than this is cut off.
const AT_MOST: Duration = Duration::from_secs(10);
/// Bytes read and forgotten at a time.
const GULP: usize = 16 * 1024;

/// Connections that linger at once. They count for no other limit; more of them are closed and perhaps reset.
const PLACES: usize = 2048;

/// Where the connections of a listener linger.
#[derive(Clone)]
pub struct Linger {
    tasks: Tasks,
    places: Arc<Semaphore>,
}

impl Linger {
    /// Connections linger as some of `tasks`.
    #[must_use]
    pub fn new(tasks: &Tasks) -> Self {
        Self { tasks: tasks.clone(), places: Arc::new(Semaphore::new(PLACES)) }
    }

    /// Lets `stream` linger when its time comes.
    #[must_use]
    pub fn over(&self, stream: TcpStream) -> Lingering {
        Lingering { stream: Some(stream), ended: false, linger: self.clone() }
    }
}

/// A TCP connection that lingers when it is dropped before its peer ended it.
pub struct Lingering {
    /// Gone only while being dropped.
    stream: Option<TcpStream>,
    /// Whether the peer ended, or failed: nothing of it can be unread.
    ended: bool,
    linger: Linger,
}

impl Lingering {
    fn open(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        // Without a runtime the process is about to end.
        if !self.ended
            && Handle::try_current().is_ok()
            && let Ok(place) = self.linger.places.clone().try_acquire_owned()
        {
            self.linger.tasks.spawn("web.lingering", async move {
                let _ = tokio::time::timeout(AT_MOST, hear_out(stream)).await;
                drop(place);
            });
        }
    }
}

async fn hear_out(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    loop {
        tokio::time::timeout(SILENCE, stream.readable()).await??;
        if has_ended(&stream)? {
            return Ok(());
        }
    }
}

/// Forgets what is there. Its buffer is not kept while waiting: thousands of connections may end at once.
fn has_ended(stream: &TcpStream) -> io::Result<bool> {
    match stream.try_read(&mut [0; GULP]) {
        Ok(read) => Ok(read == 0),
        Err(nothing) if nothing.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(failure) => Err(failure),
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let read = self.open()?.poll_read(context, buffer);
        self.ended |= match &read {
            Poll::Ready(Ok(())) => room > 0 && buffer.filled().len() == before,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        read
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.open()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.open()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open()?.poll_shutdown(context)
    }
}

//! Server-sent events as a stream.

use base::Result;
use futures::{Stream, StreamExt};
use http::Method;
use serde_json::Value as Json;

use crate::Client;

/// One update the server sent.
#[derive(Debug, Clone)]
pub struct Update {
    /// Event name.
    pub name: String,
    /// Its document.
    pub body: Json,
}

impl Client {
    /// Follows `path` until the server ends the stream.
    ///
    /// # Errors
    /// The server's; an interruption is the last item.
    pub async fn follow(&self, path: &str) -> Result<impl Stream<Item = Result<Update>> + use<>> {
        let chunks = self.send(Method::GET, path, None).await?.body;
        Ok(futures::stream::unfold((chunks, Frames::default()), |(mut chunks, mut frames)| async move {
            loop {
                if let Some(update) = frames.next() {
                    return Some((Ok(update), (chunks, frames)));
                }
                match chunks.next().await? {
                    Ok(chunk) => frames.buffer.extend_from_slice(&chunk),
                    Err(error) => return Some((Err(error), (chunks, frames))),
                }
            }
        }))
    }
}

/// Bytes that have come, cut into frames at empty lines (WHATWG HTML §9.2; our server ends lines with LF).
#[derive(Default)]
struct Frames {
    buffer: Vec<u8>,
}

impl Frames {
    fn next(&mut self) -> Option<Update> {
        loop {
            let end = self.buffer.windows(2).position(|pair| pair == b"\n\n")?;
            let frame: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&frame);
            let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_start().to_owned());
            // Comments keep the line alive and carry nothing.
            let Some(data) = field("data:") else { continue };
            let body = serde_json::from_str(&data).unwrap_or(Json::String(data));
            return Some(Update { name: field("event:").unwrap_or_else(|| "message".to_owned()), body });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_across_chunks_and_comments_skipped() {
        let mut frames = Frames::default();
        frames.buffer.extend_from_slice(b": alive\n\nevent: progress\nid: 1\ndata: {\"fraction\"");
        assert!(frames.next().is_none());
        frames.buffer.extend_from_slice(b":0.5}\n\n");
        let update = frames.next().unwrap();
        assert_eq!((update.name.as_str(), update.body["fraction"].as_f64()), ("progress", Some(0.5)));
    }
}

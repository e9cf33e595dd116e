//! One exchange: send, check, read.

use axum::body::Body;
use base::{Error, Result};
use bytes::Bytes;
use futures::Stream;
use http::{Method, Request, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use url::Url;

use crate::transport::{Answer, Outgoing};
use crate::{Client, errors};

/// A body and its media type.
type Content = (Outgoing, String);

impl Client {
    /// Reads `path` (relative to the API root).
    ///
    /// # Errors
    /// The server's, or `Unavailable` when it cannot be reached.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        read(path, self.send(Method::GET, path, None).await?).await
    }

    /// Sends `body` to `path`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        read(path, self.send(Method::POST, path, Some(json(body)?)).await?).await
    }

    /// Changes what is at `path`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        read(path, self.send(Method::PATCH, path, Some(json(body)?)).await?).await
    }

    /// Puts `content`, as it is written, at `path`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn put<T: DeserializeOwned>(&self, path: &str, content: Vec<u8>, content_type: &str) -> Result<T> {
        read(path, self.send(Method::PUT, path, Some((Outgoing::Whole(content), content_type.to_owned()))).await?).await
    }

    /// Removes what is at `path`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.send(Method::DELETE, path, None).await.map(drop)
    }

    /// Sends a file to `path`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn upload<T: DeserializeOwned>(&self, path: &str, content: Vec<u8>, content_type: &str) -> Result<T> {
        read(path, self.send(Method::POST, path, Some((Outgoing::Whole(content), content_type.to_owned()))).await?).await
    }

    /// Sends a file to `path` as it is read, so that its size does not matter.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn upload_stream<T, S>(&self, path: &str, content: S, content_type: &str) -> Result<T>
    where
        T: DeserializeOwned,
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    {
        let body = Outgoing::Stream(Body::from_stream(content));
        read(path, self.send(Method::POST, path, Some((body, content_type.to_owned()))).await?).await
    }

    /// Reads `path` as it arrives.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn download(&self, path: &str) -> Result<impl Stream<Item = Result<Bytes>> + use<>> {
        Ok(self.send(Method::GET, path, None).await?.body)
    }

    /// Reads `path` as bytes.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        self.send(Method::GET, path, None).await?.bytes().await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, content: Option<Content>) -> Result<Answer> {
        let root: Url = self.base.join("/api/v1/").map_err(|cause| errors::answer(path, cause))?;
        let url = root.join(path.trim_start_matches('/')).map_err(|cause| errors::answer(path, cause))?;
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let body = match content {
            Some((body, media_type)) => {
                request = request.header(header::CONTENT_TYPE, media_type);
                body
            }
            None => Outgoing::Whole(Vec::new()),
        };
        let request = request.body(body).map_err(|cause| Error::internal("a request cannot be built").because(cause))?;
        let answer = self.transport.exchange(&self.base, request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let status = answer.status;
        Err(refused(status, &answer.bytes().await.unwrap_or_default()))
    }
}

fn json(body: &impl Serialize) -> Result<Content> {
    let body = serde_json::to_vec(body).map_err(|cause| Error::internal("a body cannot be written as JSON").because(cause))?;
    Ok((Outgoing::Whole(body), "application/json".to_owned()))
}

fn refused(status: StatusCode, body: &[u8]) -> Error {
    let problem: Json = serde_json::from_slice(body).unwrap_or_default();
    match (problem["code"].as_str(), problem["detail"].as_str()) {
        (Some(code), Some(detail)) => errors::problem(status, code, detail),
        _ => errors::problem(status, "no problem document", &format!("the server answered {status}")),
    }
}

async fn read<T: DeserializeOwned>(path: &str, answer: Answer) -> Result<T> {
    let body = answer.bytes().await?;
    // An answer without content reads as null.
    let body: &[u8] = if body.is_empty() { b"null" } else { &body };
    serde_json::from_slice(body).map_err(|cause| errors::answer(path, cause))
}

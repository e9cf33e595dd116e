//! A receiver of pushed events: a server of its own that keeps what came and answers as it is told.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

/// One request that came.
#[derive(Clone)]
pub(crate) struct Came {
    pub(crate) headers: HeaderMap,
    pub(crate) token: String,
}

#[derive(Clone, Default)]
struct Desk {
    came: Arc<Mutex<Vec<Came>>>,
    /// Answers to give before it takes everything.
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
}

pub(crate) struct Receiver {
    address: SocketAddr,
    desk: Desk,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::on(0).await
    }

    /// On this port.
    pub(crate) async fn on(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Desk::default();
        let router = Router::new().route("/events", post(take)).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, desk }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// How the next requests are answered; after them everything is taken.
    pub(crate) fn answer(&self, answers: &[(u16, &'static str)]) {
        self.desk.answers.lock().unwrap().extend(answers);
    }

    /// What came since the last look.
    pub(crate) fn take(&self) -> Vec<Came> {
        std::mem::take(&mut *self.desk.came.lock().unwrap())
    }
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
    desk.came.lock().unwrap().push(Came { headers, token: String::from_utf8(body.to_vec()).unwrap() });
    let (status, body) = desk.answers.lock().unwrap().pop_front().unwrap_or((202, ""));
    (StatusCode::from_u16(status).unwrap(), body)
}

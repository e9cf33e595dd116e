//! Routes on a port of their own, over connections like those of the edge.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use backends::Tasks;
use tokio::net::TcpListener;
use web::{Linger, Lingering};

struct Listener {
    tcp: TcpListener,
    linger: Linger,
}

impl axum::serve::Listener for Listener {
    type Io = Lingering;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Lingering, SocketAddr) {
        loop {
            if let Ok((stream, peer)) = self.tcp.accept().await {
                return (self.linger.over(stream), peer);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Serves `router` on a free port of the loopback until the runtime ends.
///
/// # Panics
/// Where no port is free.
pub async fn serve(router: Router) -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = tcp.local_addr().expect("a bound address");
    tokio::spawn(async move { axum::serve(Listener { tcp, linger: Linger::new(&Tasks::default()) }, router).await });
    address
}

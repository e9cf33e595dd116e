//! Ports nobody listens on, from below the kernel's ephemeral range so that an outgoing connection
//! cannot take one between the choice and the server's bind.

use std::net::{IpAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 15_000;
const COUNT: u32 = 17_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port on `address` that is free now and that this process will not hand out again soon.
///
/// # Panics
/// When every port of the range is taken.
pub fn free_port(address: IpAddr) -> u16 {
    let start = std::process::id().wrapping_mul(97) % COUNT;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let candidate = FIRST + (start + step) % COUNT;
        let port = u16::try_from(candidate).expect("the range fits a port");
        if TcpListener::bind((address, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on {address}");
}

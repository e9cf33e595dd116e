//! TCP connect scan: many non-blocking connects from one task, no task or timer for ports that answer at once.
//! Invariant: every attempt passed the guard and the rate limit; only time-outs are tried again.
//!
//! A port that refuses a connection is closed: what answered there is gone, and its weaknesses with it. Whether the refusal is
//! the host's own word is for the caller to judge; silence, and every other error, says nothing of a port.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use nix::errno::Errno;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use super::closed::Closed;
use super::window::Window;
use crate::report::CoverageStatus;
use crate::resolve::Pinned;
use crate::session::{Endpoint, Session};

const STAGE: &str = "ports";
/// Attempts made before the executor gets its thread back.
const BURST: usize = 128;
/// How long to wait for descriptors or local ports, and how often before a port is given up.
const STALL: Duration = Duration::from_millis(20);
const STALLS_BORNE: u32 = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Open,
    /// The host refused the connection.
    Closed,
    /// It failed otherwise.
    Unclear,
    Filtered,
    Exhausted,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    host: usize,
    port: u16,
    number: u8,
}

enum Launch {
    Answered(Answer),
    Waiting(Socket),
}

/// What became of the ports of all addresses.
pub(crate) struct Scanned {
    pub(crate) open: Vec<Endpoint>,
    /// By address, in the order of the addresses.
    pub(crate) closed: Vec<Closed>,
}

/// Tries every port of every address.
pub(crate) async fn scan(session: &Session, pinned: &[Pinned], ports: &[u16]) -> Scanned {
    let total = ports.len() * pinned.len();
    session.stage(STAGE, total).await;
    for host in pinned {
        session.begin(STAGE, &whole(host));
    }
    let dialer = &session.dialer;
    let mut window = Window::new(session.plan.limits.concurrency, dialer.connect_timeout);
    let mut fresh = 0..total;
    let mut again: VecDeque<Attempt> = VecDeque::new();
    let mut in_flight = FuturesUnordered::new();
    let mut slot: Option<Instant> = None;
    let mut exhausted_until: Option<Instant> = None;
    let mut stalls = 0;
    let mut next: Option<Attempt> = None;
    let mut tally = Tally::new(pinned.len());
    let mut open: Vec<Endpoint> = Vec::new();

    loop {
        let mut burst = 0;
        while in_flight.len() < window.size() && burst < BURST {
            if exhausted_until.is_some_and(|until| Instant::now() < until) {
                break;
            }
            exhausted_until = None;
            if next.is_none() {
                next = again.pop_front().or_else(|| {
                    // Hosts take turns, so that no single one gets the whole burst.
                    let index = fresh.next()?;
                    let port = *ports.get(index / pinned.len())?;
                    Some(Attempt { host: index % pinned.len(), port, number: 0 })
                });
            }
            let Some(attempt) = next else { break };
            if let Some(pace) = &dialer.pace {
                let now = Instant::now();
                if *slot.get_or_insert_with(|| pace.reserve(now)) > now {
                    break;
                }
            }
            next = None;
            burst += 1;
            let Some(host) = pinned.get(attempt.host) else {
                continue;
            };
            let address = SocketAddr::new(host.address, attempt.port);
            if dialer.permit(address).is_err() {
                tally.refused(attempt.host);
                continue;
            }
            slot = None;
            dialer.count();
            let answer = match launch(address) {
                Launch::Answered(answer) => answer,
                Launch::Waiting(socket) => {
                    let wait = dialer.connect_timeout;
                    in_flight.push(async move { (attempt, settle(socket, wait).await) });
                    continue;
                }
            };
            if answer == Answer::Exhausted && stalls < STALLS_BORNE {
                // With connections in flight one of them will give its descriptor back.
                stalls += u32::from(in_flight.is_empty());
                window.exhausted(in_flight.len());
                exhausted_until = Some(Instant::now() + STALL);
                again.push_back(attempt);
                break;
            }
            tally.done += 1;
            match answer {
                Answer::Filtered => tally.filtered(attempt.host),
                Answer::Exhausted => tally.starved(attempt.host),
                Answer::Closed => {
                    window.answered();
                    tally.closed(attempt);
                }
                Answer::Unclear => window.answered(),
                Answer::Open => {
                    window.answered();
                    open.push(found(session, host, attempt.port).await);
                }
            }
            if answer != Answer::Exhausted {
                stalls = 0;
            }
        }

        let more = next.is_some() || !again.is_empty() || !fresh.is_empty();
        if in_flight.is_empty() && !more {
            break;
        }
        let ready_at = exhausted_until.or(slot);
        let may_launch = more && in_flight.len() < window.size();
        let settled = tokio::select! {
            biased;
            settled = in_flight.next(), if !in_flight.is_empty() => settled,
            () = resume_at(ready_at), if may_launch => None,
        };
        if let Some((attempt, answer)) = settled {
            let retry = session.dialer.retries > attempt.number;
            match answer {
                Answer::Filtered if retry => again.push_back(Attempt { number: attempt.number + 1, ..attempt }),
                Answer::Exhausted => {
                    window.exhausted(in_flight.len());
                    exhausted_until = Some(Instant::now() + STALL);
                    again.push_back(attempt);
                }
                Answer::Open | Answer::Closed | Answer::Unclear | Answer::Filtered => {
                    tally.done += 1;
                    if answer == Answer::Closed {
                        tally.closed(attempt);
                    }
                    match answer {
                        Answer::Filtered => tally.filtered(attempt.host),
                        _ if attempt.number > 0 => window.lost(Instant::now()),
                        _ => window.answered(),
                    }
                    if let (Answer::Open, Some(host)) = (answer, pinned.get(attempt.host)) {
                        open.push(found(session, host, attempt.port).await);
                    }
                }
            }
        }
        tally.tell(session, total);
    }

    for (index, host) in pinned.iter().enumerate() {
        if tally.is_silent(index, ports.len()) {
            session.outcome().silent.push(host.address);
        }
        let (status, reason, unanswered) = tally.verdict(index, ports.len());
        session.searched(STAGE, &whole(host), status, unanswered, reason).await;
    }
    Scanned { open, closed: tally.closed }
}

fn whole(host: &Pinned) -> Endpoint {
    Endpoint { address: SocketAddr::new(host.address, 0), host: host.host.clone() }
}

async fn found(session: &Session, host: &Pinned, port: u16) -> Endpoint {
    let address = SocketAddr::new(host.address, port);
    session.open_port(address).await;
    Endpoint { address, host: host.host.clone() }
}

async fn resume_at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => tokio::task::yield_now().await,
    }
}

/// Starts one connect; on loopback and on many errors the kernel has the answer at once.
fn launch(address: SocketAddr) -> Launch {
    let domain = Domain::for_address(address);
    let socket = match Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP)) {
        Ok(socket) => socket,
        Err(error) => return Launch::Answered(verdict(&error)),
    };
    match socket.connect(&address.into()) {
        Ok(()) => Launch::Answered(connected(&socket)),
        Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => match socket.take_error() {
            Ok(Some(error)) => Launch::Answered(verdict(&error)),
            Ok(None) if socket.peer_addr().is_ok() => Launch::Answered(connected(&socket)),
            _ => Launch::Waiting(socket),
        },
        Err(error) => Launch::Answered(verdict(&error)),
    }
}

async fn settle(socket: Socket, wait: Duration) -> Answer {
    let stream = match TcpStream::from_std(socket.into()) {
        Ok(stream) => stream,
        Err(error) => return verdict(&error),
    };
    match timeout(wait, stream.writable()).await {
        Err(_) => Answer::Filtered,
        Ok(Err(error)) => verdict(&error),
        Ok(Ok(())) => match stream.take_error() {
            Ok(Some(error)) | Err(error) => verdict(&error),
            Ok(None) if stream.peer_addr().is_ok() => connected(&SockRef::from(&stream)),
            Ok(None) => Answer::Filtered,
        },
    }
}

/// A connection stands; one that met itself is no service.
fn connected(socket: &Socket) -> Answer {
    // A reset instead of TIME_WAIT: a full scan would otherwise use up the local ports.
    let _ = socket.set_linger(Some(Duration::ZERO));
    let ends = (socket.local_addr(), socket.peer_addr());
    if let (Ok(local), Ok(peer)) = ends
        && local.as_socket() == peer.as_socket()
    {
        return Answer::Closed;
    }
    Answer::Open
}

fn verdict(error: &io::Error) -> Answer {
    let Some(code) = error.raw_os_error() else {
        return Answer::Unclear;
    };
    match Errno::from_raw(code) {
        Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM | Errno::EADDRNOTAVAIL | Errno::EAGAIN => Answer::Exhausted,
        Errno::ETIMEDOUT | Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EACCES | Errno::EPERM => Answer::Filtered,
        Errno::ECONNREFUSED => Answer::Closed,
        _ => Answer::Unclear,
    }
}

struct Tally {
    done: usize,
    told: usize,
    refused: Vec<usize>,
    filtered: Vec<usize>,
    /// Ports this machine had no descriptor or port of its own left for.
    starved: Vec<usize>,
    closed: Vec<Closed>,
}

impl Tally {
    fn new(hosts: usize) -> Self {
        Self {
            done: 0,
            told: 0,
            refused: vec![0; hosts],
            filtered: vec![0; hosts],
            starved: vec![0; hosts],
            closed: vec![Closed::default(); hosts],
        }
    }

    fn refused(&mut self, host: usize) {
        self.done += 1;
        if let Some(count) = self.refused.get_mut(host) {
            *count += 1;
        }
    }

    fn filtered(&mut self, host: usize) {
        if let Some(count) = self.filtered.get_mut(host) {
            *count += 1;
        }
    }

    fn closed(&mut self, attempt: Attempt) {
        if let Some(closed) = self.closed.get_mut(attempt.host) {
            closed.add(attempt.port);
        }
    }

    fn starved(&mut self, host: usize) {
        if let Some(count) = self.starved.get_mut(host) {
            *count += 1;
        }
    }

    fn tell(&mut self, session: &Session, total: usize) {
        if self.done == total || self.done > self.told + total / 100 {
            self.told = self.done;
            session.progress(STAGE, self.done, total);
        }
    }

    /// True when ports were tried and none of them answered.
    fn is_silent(&self, host: usize, ports: usize) -> bool {
        let [refused, filtered] = [&self.refused, &self.filtered].map(|of| of.get(host).copied().unwrap_or_default());
        filtered > 0 && filtered + refused >= ports
    }

    /// How the search ended and why, and of how many ports nobody knows.
    fn verdict(&self, host: usize, ports: usize) -> (CoverageStatus, Option<String>, usize) {
        let refused = self.refused.get(host).copied().unwrap_or_default();
        let filtered = self.filtered.get(host).copied().unwrap_or_default();
        let starved = self.starved.get(host).copied().unwrap_or_default();
        if refused == ports {
            return (CoverageStatus::Skipped, Some("refused by the guard".to_owned()), ports);
        }
        let mut reasons = Vec::new();
        if filtered > 0 {
            reasons.push(format!("ports without an answer: {filtered}"));
        }
        if starved > 0 {
            reasons.push(format!("ports not asked for want of descriptors or local ports: {starved}"));
        }
        if refused > 0 {
            reasons.push(format!("ports refused by the guard: {refused}"));
        }
        (CoverageStatus::Done, (!reasons.is_empty()).then(|| reasons.join("; ")), filtered + starved + refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_network_are_told_from_errors_of_this_host() {
        let of = |code: Errno| verdict(&io::Error::from_raw_os_error(code as i32));
        assert_eq!(of(Errno::ECONNREFUSED), Answer::Closed);
        assert_eq!(of(Errno::ECONNABORTED), Answer::Unclear);
        assert_eq!(of(Errno::EHOSTUNREACH), Answer::Filtered);
        assert_eq!(of(Errno::EMFILE), Answer::Exhausted);
    }

    #[tokio::test]
    async fn a_socket_that_meets_itself_is_not_an_open_port() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let own = socket.local_addr().unwrap();
        socket.connect(&own).unwrap();
        assert_eq!(connected(&socket), Answer::Closed);
    }
}

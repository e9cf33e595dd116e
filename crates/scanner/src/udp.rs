//! Services that answer by UDP: one small question each, where the plan's ports suggest them.
//! Invariant: silence proves nothing, and only permitted addresses get a datagram.

mod questions;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;

use crate::dial::DialError;
use crate::plan::Intrusiveness;
use crate::report::{CoverageStatus, Issue, ServiceReport, UDP, printable};
use crate::resolve::Pinned;
use crate::session::{Endpoint, Session};
use crate::wire::WireError;
use questions::{QUESTIONS, Question};

pub(crate) const CHECK_SET: &str = "exposures.datagrams";
/// With so few ports in the plan somebody chose them, and each is asked everything.
const CHOSEN: usize = 32;
/// How long a datagram is waited for.
const PATIENCE: Duration = Duration::from_millis(1200);
/// Sockets at once.
const AT_ONCE: usize = 32;

/// Asks every host its questions, reports what answers, and returns the DNS servers among them.
pub(crate) async fn survey(session: &Session, pinned: &[Pinned], ports: &[u16]) -> Vec<Endpoint> {
    let whole = |host: &Pinned| Endpoint { address: SocketAddr::new(host.address, 0), host: host.host.clone() };
    if !session.may(Intrusiveness::Safe) {
        for host in pinned {
            session.unplanned(CHECK_SET, &whole(host)).await;
        }
        return Vec::new();
    }
    let due: Vec<(u16, &Question)> = ports
        .iter()
        .flat_map(|port| QUESTIONS.iter().map(move |question| (*port, question)))
        .filter(|(port, question)| question.ports.contains(port) || ports.len() <= CHOSEN && question.anywhere)
        .filter(|(_, question)| session.may(question.level))
        .collect();
    let mut answers: Vec<BoxFuture<'_, Option<Endpoint>>> = Vec::new();
    for host in pinned {
        session.begin(CHECK_SET, &whole(host));
        for (port, question) in &due {
            let endpoint = Endpoint { address: SocketAddr::new(host.address, *port), host: host.host.clone() };
            answers.push(Box::pin(async move {
                let reply = ask(session, &endpoint, question).await?;
                report(session, &endpoint, question, &reply).await;
                Some(endpoint).filter(|_| question.service == "dns")
            }));
        }
    }
    let servers: Vec<Option<Endpoint>> = futures::stream::iter(answers).buffer_unordered(AT_ONCE).collect().await;
    for host in pinned {
        let asked: HashSet<u16> = due.iter().map(|(port, _)| *port).collect();
        session.covered(CHECK_SET, &whole(host), CoverageStatus::Done, Some(format!("{} ports by UDP", asked.len()))).await;
    }
    servers.into_iter().flatten().collect()
}

async fn ask(session: &Session, endpoint: &Endpoint, question: &Question) -> Option<Vec<u8>> {
    let socket = match session.dialer.datagrams(endpoint.address).await {
        Ok(socket) => socket,
        Err(DialError::Refused(_) | DialError::Timeout | DialError::Failed(_)) => return None,
    };
    let wait = session.dialer.read_timeout.min(PATIENCE);
    match socket.ask(question.says, wait).await {
        Ok(reply) => Some(reply).filter(|reply| (question.proves)(reply)),
        Err(WireError::Timeout | WireError::Closed | WireError::Failed(_)) => None,
    }
}

async fn report(session: &Session, endpoint: &Endpoint, question: &Question, reply: &[u8]) {
    let is_known = session.outcome().services.iter().any(|known| known.address == endpoint.address && known.transport == UDP);
    if !is_known {
        session
            .service(ServiceReport {
                address: endpoint.address,
                host: endpoint.host.clone(),
                service: question.service,
                transport: UDP,
                tls: false,
                product: None,
                version: None,
                cpe: None,
                banner: None,
                confidence: 95,
            })
            .await;
    }
    if let Some(check) = question.check {
        let mut issue = Issue::new(check, endpoint.address, &endpoint.host);
        issue.transport = UDP;
        if !question.about.is_empty() {
            issue = issue.about(question.about);
        }
        let is_told = |told: &Issue| (told.check, told.address, &told.parameter) == (issue.check, issue.address, &issue.parameter);
        if session.outcome().issues.iter().any(is_told) {
            return;
        }
        let shown = (question.shows)(reply);
        issue = issue.evidence("length of the reply", reply.len().to_string());
        if !shown.is_empty() {
            issue = issue.evidence("reply", printable(&shown, 200));
        }
        session.issue(issue.sure(95)).await;
    }
}

//! Services that answer by UDP: one small question each, where the plan's ports suggest them.
//! Invariants: silence proves nothing, so that only what answered, or was refused, counts as looked at; and only permitted
//! addresses get a datagram.

mod questions;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;

use crate::catalogue::Check;
use crate::plan::Intrusiveness;
use crate::report::{CoverageStatus, Issue, ServiceReport, UDP, printable};
use crate::resolve::Pinned;
use crate::session::{Endpoint, Session};
use crate::wire::WireError;
use questions::{QUESTIONS, Question};

/// What a host is told to have been asked; no check is of it, each is told at the port that answered.
const DATAGRAMS: &str = "datagrams";
/// With so few ports in the plan somebody chose them, and each is asked everything.
const CHOSEN: usize = 32;
/// How long a datagram is waited for.
const PATIENCE: Duration = Duration::from_millis(1200);
/// Ports asked at once, each up to a handful of questions.
const AT_ONCE: usize = 16;

/// What became of one question.
enum Answer {
    /// It proves what the question asks for.
    Proof(Vec<u8>),
    /// Something else came back.
    Other,
    /// Nobody listens there, says the host.
    Closed,
    Silence,
    /// It was not sent.
    Unasked,
}

/// What became of all questions at one port.
#[derive(Default)]
struct Heard {
    speaks: bool,
    is_dns: bool,
}

/// Asks every host its questions, reports what answers, and returns the DNS servers among them.
pub(crate) async fn survey(session: &Session, pinned: &[Pinned], ports: &[u16]) -> Vec<Endpoint> {
    let at = |host: &Pinned, port| Endpoint { address: SocketAddr::new(host.address, port), host: host.host.clone() };
    if !session.may(Intrusiveness::Safe) {
        for host in pinned {
            session.unplanned(DATAGRAMS, &at(host, 0)).await;
        }
        return Vec::new();
    }
    let mut due: BTreeMap<u16, Vec<&Question>> = BTreeMap::new();
    for port in ports {
        let is_meant = |question: &&Question| question.ports.contains(port) || ports.len() <= CHOSEN && question.anywhere;
        let questions: Vec<&Question> = QUESTIONS.iter().filter(is_meant).filter(|question| session.may(question.level)).collect();
        if !questions.is_empty() {
            due.insert(*port, questions);
        }
    }
    for host in pinned {
        session.begin(DATAGRAMS, &at(host, 0));
    }
    let mut asked: Vec<BoxFuture<'_, (Heard, Endpoint)>> = Vec::new();
    for host in pinned {
        for (port, questions) in &due {
            let endpoint = at(host, *port);
            asked.push(Box::pin(async move { (hear(session, &endpoint, questions).await, endpoint) }));
        }
    }
    let heard: Vec<(Heard, Endpoint)> = futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
    for host in pinned {
        let speaking = heard.iter().filter(|(heard, endpoint)| heard.speaks && endpoint.address.ip() == host.address).count();
        let (status, reason) = match due.len() {
            0 => (CoverageStatus::Skipped, "none of the ports is known for a service by UDP".to_owned()),
            asked => (CoverageStatus::Done, format!("{speaking} of {asked} ports answered by UDP, and silence proves nothing")),
        };
        session.covered(DATAGRAMS, &at(host, 0), status, Some(reason)).await;
    }
    heard.into_iter().filter(|(heard, _)| heard.is_dns).map(|(_, endpoint)| endpoint).collect()
}

/// Asks a port everything at once, reports what is proved, and tells which checks were made there: where anything came back,
/// those whose questions it did not prove. What was silent among them is asked once more, for a datagram gets lost.
async fn hear(session: &Session, endpoint: &Endpoint, questions: &[&Question]) -> Heard {
    let mut answers = futures::future::join_all(questions.iter().map(|question| ask(session, endpoint, question))).await;
    let came = |answer: &Answer| matches!(answer, Answer::Proof(_) | Answer::Other | Answer::Closed);
    if !answers.iter().any(came) {
        return Heard::default();
    }
    for (question, answer) in questions.iter().zip(&mut answers).filter(|(_, answer)| matches!(answer, Answer::Silence)) {
        *answer = ask(session, endpoint, question).await;
    }
    for (question, answer) in questions.iter().zip(&answers) {
        if let Answer::Proof(reply) = answer {
            report(session, endpoint, question, reply).await;
        }
    }
    let mut made: BTreeMap<(&'static str, &'static str), (&'static Check, bool)> = BTreeMap::new();
    for (question, answer) in questions.iter().zip(&answers) {
        if let Some(check) = question.check {
            made.entry((check.id, question.about)).or_insert((check, true)).1 &= !matches!(answer, Answer::Unasked);
        }
    }
    for ((_, about), (check, _)) in made.into_iter().filter(|(_, (_, is_made))| *is_made) {
        session.answered(check, endpoint, UDP, about).await;
    }
    let is_dns = questions.iter().zip(&answers).any(|(question, answer)| question.service == "dns" && matches!(answer, Answer::Proof(_)));
    Heard { speaks: true, is_dns }
}

async fn ask(session: &Session, endpoint: &Endpoint, question: &Question) -> Answer {
    let Ok(socket) = session.dialer.datagrams(endpoint.address).await else { return Answer::Unasked };
    let wait = session.dialer.read_timeout.min(PATIENCE);
    match socket.ask(question.says, wait).await {
        Ok(reply) if (question.proves)(&reply) => Answer::Proof(reply),
        Ok(_) => Answer::Other,
        Err(WireError::Closed) => Answer::Closed,
        Err(WireError::Timeout) => Answer::Silence,
        Err(WireError::Failed(_)) => Answer::Unasked,
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

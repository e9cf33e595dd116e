//! Services that answer whoever asks: each is asked one harmless question of its own protocol.
//! Invariant: a refusal is an answer; a service that is full, busy or starting has given none.

mod databases;
mod direct;
mod files;
mod mail;
mod messaging;
mod passwords;
mod proxy;
mod refusal;
mod remote;
mod web;
mod windows;

use crate::catalogue::{Check, exposures};
use crate::http::heard::Doubts;
use crate::plan::Intrusiveness;
use crate::report::{CoverageStatus, Issue, ServiceReport};
use crate::session::{Endpoint, Session};
use crate::tls;
use crate::wire::{Wire, WireError};

pub(crate) const SAFE_SET: &str = "exposures.safe";
pub(crate) const INTRUSIVE_SET: &str = "exposures.intrusive";

/// What a question needs: the place, the service and a way to it.
pub(crate) struct Subject<'a> {
    session: &'a Session,
    endpoint: &'a Endpoint,
    service: &'a ServiceReport,
}

type Found = Result<Vec<Issue>, WireError>;

/// True when there is a question for this service.
pub(crate) fn concerns(service: &str) -> bool {
    has_safe(service) || has_intrusive(service)
}

fn has_safe(service: &str) -> bool {
    direct::asks(service)
        || matches!(
            service,
            "redis"
                | "memcached"
                | "mongodb"
                | "ftp"
                | "rsync"
                | "telnet"
                | "vnc"
                | "ssh"
                | "mqtt"
                | "ldap"
                | "http"
                | "smtp"
                | "imap"
                | "pop3"
                | "smb"
                | "socks"
                | "nats"
        )
}

fn has_intrusive(service: &str) -> bool {
    matches!(service, "redis" | "mysql" | "postgresql" | "smtp" | "ftp" | "amqp")
}

/// The sets of checks that are due for a service, each with how far it goes.
fn due(service: &str) -> impl Iterator<Item = (&'static str, Intrusiveness)> {
    let safe = has_safe(service).then_some((SAFE_SET, Intrusiveness::Safe));
    let intrusive = has_intrusive(service).then_some((INTRUSIVE_SET, Intrusiveness::Intrusive));
    safe.into_iter().chain(intrusive)
}

/// The sets of checks that are due for a service.
pub(crate) fn sets(service: &str) -> impl Iterator<Item = &'static str> {
    due(service).map(|(set, _)| set)
}

/// Asks the questions a service has, as far as the plan allows.
pub(crate) async fn probe(session: &Session, endpoint: &Endpoint, service: &ServiceReport) {
    let subject = Subject { session, endpoint, service };
    for (set, level) in due(service.service) {
        if !session.may(level) {
            session.unplanned(set, endpoint).await;
            continue;
        }
        let mut found = Vec::new();
        let mut doubts = Doubts::default();
        let end = match level {
            Intrusiveness::Intrusive => subject.intrusive(&mut found).await,
            _ => subject.safe(&mut found, &mut doubts).await,
        };
        // What was found before the end counts, however the questions ended.
        for issue in found {
            session.issue(issue).await;
        }
        let (status, reason) = match end {
            Ok(()) => (CoverageStatus::Done, None),
            Err(error) => (unheard(&error), Some(error.to_string())),
        };
        doubts.tell(session, endpoint).await;
        session.covered(set, endpoint, status, reason).await;
    }
}

/// A service that hangs up on a question has not answered it: it may be full, or have us shut out.
fn unheard(error: &WireError) -> CoverageStatus {
    match error {
        WireError::Timeout => CoverageStatus::Timeout,
        WireError::Closed | WireError::Failed(_) => CoverageStatus::Error,
    }
}

impl Subject<'_> {
    async fn safe(&self, found: &mut Vec<Issue>, doubts: &mut Doubts) -> Result<(), WireError> {
        if self.service.service == "http" {
            let asked = web::interfaces(self, found, doubts).await;
            found.extend(proxy::http(self).await?);
            return asked;
        }
        let more = match self.service.service {
            "redis" => databases::redis(self).await,
            "memcached" => databases::memcached(self).await,
            "mongodb" => databases::mongodb(self).await,
            "ftp" => files::ftp(self).await,
            "rsync" => files::rsync(self).await,
            "telnet" => Ok(remote::telnet(self)),
            "ssh" => Ok(remote::ssh(self)),
            "vnc" => remote::vnc(self).await,
            "mqtt" => messaging::mqtt(self).await,
            "ldap" => messaging::ldap(self).await,
            "smtp" => mail::smtp(self).await,
            "imap" => mail::imap(self).await,
            "pop3" => mail::pop3(self).await,
            "smb" => windows::smb(self).await,
            "socks" => proxy::socks(self).await,
            "nats" => direct::nats(self).await,
            _ => direct::ask(self).await,
        }?;
        found.extend(more);
        Ok(())
    }

    async fn intrusive(&self, found: &mut Vec<Issue>) -> Result<(), WireError> {
        let first = match self.service.service {
            "redis" => databases::redis_passwords(self).await,
            "mysql" => databases::mysql(self).await,
            "postgresql" => databases::postgresql(self).await,
            "smtp" => messaging::smtp_relay(self).await,
            "ftp" => files::ftp_write(self).await,
            "amqp" => passwords::amqp(self).await,
            _ => Ok(Vec::new()),
        };
        // Who lets everybody in need not be asked for passwords.
        let open = first.as_ref().is_ok_and(|first| !first.is_empty());
        if open && matches!(self.service.service, "mysql" | "postgresql") {
            let (check, reason) = (&exposures::DATABASE_DEFAULT_PASSWORD, "the server asks nobody for a password".to_owned());
            self.session.undecided(check.id, self.endpoint, None, CoverageStatus::Skipped, reason).await;
        }
        found.extend(first?);
        found.extend(match self.service.service {
            "mysql" if !open => passwords::mysql(self).await,
            "postgresql" if !open => passwords::postgresql(self).await,
            "ftp" => passwords::ftp(self).await,
            _ => Ok(Vec::new()),
        }?);
        Ok(())
    }

    /// Opens a conversation, wrapped in TLS when the service is.
    async fn open(&self) -> Result<Wire, WireError> {
        let failed = |error: String| WireError::Failed(error);
        let dialer = &self.session.dialer;
        let stream = dialer.connect(self.endpoint.address).await.map_err(|error| failed(error.to_string()))?;
        let wait = dialer.read_timeout;
        match self.service.tls {
            true => {
                let flow = tls::client::connect(stream, &self.endpoint.host, wait).await.map_err(failed)?;
                Ok(Wire::new(flow, wait))
            }
            false => Ok(Wire::new(stream, wait)),
        }
    }

    /// Leaves checks open that got no deciding answer, whatever becomes of their set.
    async fn undecided(&self, checks: &[&'static Check], error: &WireError) {
        for check in checks {
            self.session.undecided(check.id, self.endpoint, None, unheard(error), error.to_string()).await;
        }
    }

    fn issue(&self, check: &Check) -> Issue {
        Issue::new(check, self.endpoint.address, &self.endpoint.host)
    }
}

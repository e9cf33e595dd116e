//! Letters to people. The log engine writes them to the log, for a trial on one machine.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use base::{Error, Result};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::tls::Authorities;
use crate::{Clock, errors};

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

const PATIENCE: Duration = Duration::from_secs(30);

/// Sends letters.
#[derive(Clone)]
pub struct Mail {
    engine: Engine,
    from: Mailbox,
    clock: Clock,
}

#[derive(Clone)]
enum Engine {
    Log,
    Smtp(Smtp),
}

/// One letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// `name@example.org` or `Name <name@example.org>`.
    pub to: String,
    /// One line.
    pub subject: String,
    /// For every reader.
    pub text: String,
    /// For readers that show HTML.
    pub html: Option<String>,
}

impl Mail {
    /// Opens the engine the URL names: `log:`, `smtp://user:password@host:port` (STARTTLS, unless the
    /// host is this machine or `?tls=none` says otherwise) or `smtps://…`.
    ///
    /// # Errors
    /// `Invalid` for a URL or sender that cannot be used.
    pub fn connect(url: &str, from: &str, clock: &Clock, authorities: &Authorities) -> Result<Self> {
        let from = mailbox(from).map_err(|reason| errors::mail_settings(format!("mail_from {reason}")))?;
        let engine = match url.split_once(':') {
            Some(("log", "")) => Engine::Log,
            Some(("smtp" | "smtps", _)) => Engine::Smtp(transport(url, authorities)?),
            _ => return Err(errors::unknown_engine("mail", url, "`log:`, `smtp://…`, `smtps://…`")),
        };
        Ok(Self { engine, from, clock: clock.clone() })
    }

    /// Sends the letter; when this returns the server has taken responsibility for it.
    ///
    /// # Errors
    /// `Invalid` when it can never be sent, `Unavailable` when trying later may work.
    pub async fn send(&self, letter: Letter) -> Result<()> {
        let message = self.message(&letter)?;
        match &self.engine {
            Engine::Log => tracing::info!(to = letter.to, subject = letter.subject, text = letter.text, "mail"),
            Engine::Smtp(smtp) => {
                smtp.send(message)
                    .await
                    .map_err(|cause| if cause.is_permanent() { errors::mail_refused(cause) } else { errors::mail_unavailable(cause) })?;
            }
        }
        Ok(())
    }

    fn message(&self, letter: &Letter) -> Result<Message> {
        let to = mailbox(&letter.to).map_err(|reason| errors::mail_letter(format!("the recipient {reason}")))?;
        if letter.subject.chars().any(char::is_control) {
            return Err(errors::mail_letter("the subject has a control character"));
        }
        let now = UNIX_EPOCH + Duration::from_micros(u64::try_from(self.clock.now().micros()).unwrap_or(0));
        let builder = Message::builder().from(self.from.clone()).to(to).subject(&letter.subject).date(now).message_id(None);
        let built = match &letter.html {
            None => builder.singlepart(SinglePart::plain(letter.text.clone())),
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(letter.text.clone(), html.clone())),
        };
        built.map_err(|cause| errors::mail_letter(format!("the letter cannot be written: {cause}")))
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match &self.engine {
            Engine::Log => "log",
            Engine::Smtp(_) => "smtp",
        };
        write!(formatter, "Mail({engine}, from {})", self.from)
    }
}

fn mailbox(text: &str) -> std::result::Result<Mailbox, String> {
    if text.chars().any(char::is_control) {
        return Err("has a control character".to_owned());
    }
    text.parse().map_err(|cause| format!("is not a mail address: {cause}"))
}

fn transport(text: &str, authorities: &Authorities) -> Result<Smtp> {
    let url = Url::parse(text).map_err(|cause| errors::mail_settings(format!("mail is not a URL: {cause}")))?;
    let host = url.host_str().ok_or_else(|| errors::mail_settings("mail has no host"))?.trim_matches(['[', ']']).to_owned();
    let is_wrapped = url.scheme() == "smtps";
    let tls = match url.query() {
        _ if is_wrapped => Tls::Wrapper(parameters(&host, authorities)?),
        None if is_this_machine(&url) => Tls::None,
        Some("tls=none") => Tls::None,
        None | Some("tls=required") => Tls::Required(parameters(&host, authorities)?),
        Some(other) => return Err(errors::mail_settings(format!("mail has `?{other}`, not `?tls=required` or `?tls=none`"))),
    };
    let port = url.port().unwrap_or(match tls {
        Tls::Wrapper(_) => 465,
        Tls::Required(_) => 587,
        _ => 25,
    });
    let mut builder = Smtp::builder_dangerous(&host).port(port).tls(tls).timeout(Some(PATIENCE));
    if !url.username().is_empty() {
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let password = url.password().map(decoded).unwrap_or_default();
        builder = builder.credentials(Credentials::new(decoded(url.username()), password));
    }
    Ok(builder.build())
}

fn is_this_machine(url: &Url) -> bool {
    // `smtp` is no scheme the URL standard knows, so addresses come as text.
    let host = url.host_str().and_then(|host| Host::parse(host).ok());
    match host {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn parameters(host: &str, authorities: &Authorities) -> Result<TlsParameters> {
    let failed = |cause: lettre::transport::smtp::Error| -> Error { errors::mail_settings(format!("mail over TLS: {cause}")) };
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities.own() {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(failed)?);
    }
    builder.build_rustls().map_err(failed)
}

//! The one error: nine kinds, a stable code, a detail that may be shown and a source that may not.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Shorthand used by every crate that speaks [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure; mapped once to HTTP and once to gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input is wrong and will stay wrong.
    Invalid,
    /// Nobody is known to be asking.
    Unauthenticated,
    /// Somebody is asking who may not.
    Forbidden,
    /// No such thing, or not in this tenant.
    NotFound,
    /// The thing is in a state that forbids this.
    Conflict,
    /// Asked too often or for too much.
    TooMany,
    /// It took too long.
    Timeout,
    /// Something this needs is down; asking again later may work.
    Unavailable,
    /// Our fault.
    Internal,
}

impl Kind {
    /// The text form used in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::TooMany => "too_many",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

/// A failure with a stable code. `detail` may be shown to the caller unless the kind is `Internal`; `source` is only logged.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: Kind,
    code: &'static str,
    detail: String,
    field: Option<String>,
    arguments: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

macro_rules! constructors {
    ($($name:ident = $kind:ident),+ $(,)?) => {
        $(
            #[doc = concat!("An error of kind `", stringify!($kind), "`.")]
            #[must_use]
            pub fn $name(code: &'static str, detail: impl Into<String>) -> Self {
                Self::new(Kind::$kind, code, detail)
            }
        )+
    };
}

impl Error {
    /// An error of the given kind; `code` is `context.reason`, `detail` names the thing.
    #[must_use]
    pub fn new(kind: Kind, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                code,
                detail: detail.into(),
                field: None,
                arguments: Vec::new(),
                retry_after: None,
                source: None,
            }),
        }
    }

    constructors! {
        invalid = Invalid,
        unauthenticated = Unauthenticated,
        forbidden = Forbidden,
        not_found = NotFound,
        conflict = Conflict,
        too_many = TooMany,
        timeout = Timeout,
        unavailable = Unavailable,
    }

    /// Our fault: `what` is for the log, the caller sees only the kind.
    #[must_use]
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(Kind::Internal, "internal", what)
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Names the input field at fault (a JSON pointer or query parameter).
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.inner.field = Some(field.into());
        self
    }

    /// Names one thing the detail tells of, so that the same can be told in another language. May be shown, as the detail may.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.inner.arguments.push((name, value.into()));
        self
    }

    /// Says when asking again may work.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.inner.retry_after = Some(wait);
        self
    }

    /// What sort of failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// The stable code, documented in `docs/errors.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.inner.code
    }

    /// What happened, naming the thing. Never shown for `Internal`.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.inner.detail
    }

    /// The input field at fault.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.inner.field.as_deref()
    }

    /// What the detail tells of, by name.
    #[must_use]
    pub fn arguments(&self) -> &[(&'static str, String)] {
        &self.inner.arguments
    }

    /// When asking again may work.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.inner.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.inner.detail, self.inner.code)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_cause_apart_from_what_it_shows() {
        let error =
            Error::unavailable("db.down", "the database does not answer").because("connection refused").at("/id").with("database", "main");
        assert_eq!(error.to_string(), "the database does not answer (db.down)");
        assert_eq!(StdError::source(&error).unwrap().to_string(), "connection refused");
        assert_eq!(error.field(), Some("/id"));
        assert_eq!(error.arguments(), [("database", "main".to_owned())]);
        assert_eq!(std::mem::size_of::<Error>(), 8);
    }
}

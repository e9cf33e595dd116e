//! The closed lists of words this context speaks: types, criticalities, levels of intrusiveness.

use base::{Error, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::errors;

macro_rules! words {
    ($(#[$about:meta])* $name:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $text:tt),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        $(#[$about])*
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The text form used in JSON and tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let all: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    errors::field($what, format!("`{}` is not one of {}", text.chars().take(40).collect::<String>(), all.join(", ")))
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What sort of thing a target is.
    TargetKind, "/type" {
        /// A web site or application.
        Web = "web",
        /// A programming interface over HTTP.
        Api = "api",
        /// One machine.
        Host = "host",
        /// A range of addresses.
        Network = "network",
        /// An app for phones.
        Mobile = "mobile",
        /// A source code repository.
        Repository = "repository",
        /// An account or project with a cloud provider.
        Cloud = "cloud",
    }
}

words! {
    /// How much the organisation would lose with the target.
    Criticality, "/criticality" {
        /// Little.
        Low = "low",
        /// Something.
        Medium = "medium",
        /// Much.
        High = "high",
        /// Everything.
        Critical = "critical",
    }
}

words! {
    /// How far a test may go, from looking to trying.
    Intrusiveness, "/intrusiveness" {
        /// Looking only: what a visitor would do.
        Passive = "passive",
        /// Harmless requests that change nothing.
        Safe = "safe",
        /// Tries that may be noticed or disturb.
        Intrusive = "intrusive",
    }
}

//! The closed lists of words this context speaks: types, criticalities, levels of intrusiveness.

use base::words;

use crate::errors;

words! {
    errors::word;
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

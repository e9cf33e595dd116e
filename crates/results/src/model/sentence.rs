//! Sentences that answers hold as a name and the words in it, so that who shows them can say them in another language.

use base::words;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::errors;

words! {
    errors::word;
    /// Which sentence.
    SentenceKind, "sentence" {
        /// The internet reaches it.
        Reachable = "reachable",
        /// A secret lies at the same place.
        SamePlace = "same_place",
        /// Both addresses are in the network of the first word.
        SameNetwork = "same_network",
        /// Both targets carry the label of the first word.
        SameLabel = "same_label",
        /// The secret's own words name the place of the first word.
        Named = "named",
        /// The vulnerability of the first word is known to be exploited.
        Exploited = "exploited",
        /// That of the first word is likely to be, by the percentage of the second.
        Likely = "likely",
        /// Its vector asks for the network only.
        Remote = "remote",
        /// The tool calls it critical and is sure.
        Sure = "sure",
        /// Of the weakness class of the first word: a credential lies there.
        SecretClass = "secret_class",
        /// The tool of the first word looks for credentials only.
        SecretTool = "secret_tool",
        /// The rule is about the thing of the first word.
        SecretWord = "secret_word",
        /// The service of the first word takes logins on the port of the second.
        Login = "login",
        /// Rebuild the image of the first word.
        Rebuild = "rebuild",
        /// Upgrade or replace the package of the first word; no tool names a version.
        Replace = "replace",
        /// Upgrade the package of the first word to a version that closes all that the second, the tools' own words, tells.
        UpgradeAll = "upgrade_all",
    }
}

/// A sentence; its text form is English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sentence {
    /// Which.
    pub kind: SentenceKind,
    /// The words in it, in order.
    #[schema(max_items = 2)]
    pub words: Vec<String>,
}

impl Sentence {
    pub(crate) fn new<const N: usize>(kind: SentenceKind, words: [&str; N]) -> Self {
        Self { kind, words: words.map(str::to_owned).to_vec() }
    }

    /// One of its words; nothing where there is none.
    #[must_use]
    pub fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", String::as_str)
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, two) = (self.word(0), self.word(1));
        match self.kind {
            SentenceKind::Reachable => formatter.write_str("reachable from the internet"),
            SentenceKind::SamePlace => formatter.write_str("it lies at the same place"),
            SentenceKind::SameNetwork => write!(formatter, "both addresses are in {one}"),
            SentenceKind::SameLabel => write!(formatter, "both targets are labelled {one}"),
            SentenceKind::Named => write!(formatter, "the secret's own words name {one}"),
            SentenceKind::Exploited => write!(formatter, "{one} is known to be exploited"),
            SentenceKind::Likely => write!(formatter, "{one} is {two} % likely to be exploited within 30 days"),
            SentenceKind::Remote => formatter.write_str("its CVSS vector asks for the network only and no privileges"),
            SentenceKind::Sure => formatter.write_str("the tool calls it critical and is sure"),
            SentenceKind::SecretClass => write!(formatter, "{one}: a credential or key lies there"),
            SentenceKind::SecretTool => write!(formatter, "{one} looks for credentials only"),
            SentenceKind::SecretWord => write!(formatter, "the rule is about a {one}"),
            SentenceKind::Login => write!(formatter, "{one} takes logins on port {two}"),
            SentenceKind::Rebuild => write!(formatter, "Rebuild {one} on a newer base, or update its system packages."),
            SentenceKind::Replace => write!(formatter, "Upgrade or replace {one}; no tool names a version without these."),
            SentenceKind::UpgradeAll => write!(formatter, "Upgrade {one} to a version that closes all: {two}"),
        }
    }
}

//! The letter that brings an invitation.

use backends::Letter;
use base::{Error, Language, Result, Time, fill};
use serde::Deserialize;

use crate::model::User;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    subject: String,
    text: String,
}

fn words(language: Language) -> Result<Words> {
    let source = match language {
        Language::English => include_str!("../locales/en.toml"),
        Language::Portuguese => include_str!("../locales/pt-BR.toml"),
        Language::Spanish => include_str!("../locales/es.toml"),
    };
    toml::from_str(source).map_err(|cause| Error::internal("the words of letters cannot be read").because(cause))
}

/// What an invitation's letter has to tell.
pub(crate) struct Told<'a> {
    pub(crate) to: &'a User,
    pub(crate) organisation: &'a str,
    /// Who sent it: a person's name, or the product's.
    pub(crate) inviter: &'a str,
    pub(crate) link: &'a str,
    pub(crate) until: Time,
}

/// Writes the letter.
pub(crate) fn invitation(language: Language, told: &Told) -> Result<Letter> {
    let words = words(language)?;
    let until = told.until.to_chrono().format("%Y-%m-%d %H:%M").to_string();
    let values = [
        ("organisation", told.organisation),
        ("inviter", told.inviter),
        ("username", &told.to.username),
        ("until", &until),
        ("link", told.link),
    ];
    Ok(Letter { to: told.to.email.clone(), subject: fill(&words.subject, &values), text: fill(&words.text, &values), html: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_tells_everything() {
        for language in Language::ALL {
            let words = words(language).unwrap();
            assert!(words.subject.contains("{organisation}"));
            for name in ["{organisation}", "{inviter}", "{username}", "{until}", "{link}"] {
                assert!(words.text.contains(name), "{language:?} {name}");
            }
        }
    }
}

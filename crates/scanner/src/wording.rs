//! What checks say in the languages of readers. English is the catalogue itself, the others are files beside it.
//! Invariant: a language is read when somebody first asks for it, never before.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::catalogue::{Check, OPEN_PORT, catalogue};

/// What a check says in one language; `{port}` and `{service}` of an open port stand for what answers there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wording {
    /// Short name of the weakness.
    pub title: &'static str,
    /// What the weakness is.
    pub description: &'static str,
    /// How to repair it.
    pub remediation: &'static str,
}

/// What a check says in the language of a BCP 47 tag; nothing for a check or a language that is not known.
pub fn wording(check: &str, language: &str) -> Option<Wording> {
    match texts(language) {
        Some(texts) => texts.checks.get(check).map(|said| Wording {
            title: &said.title,
            description: &said.description,
            remediation: &said.remediation,
        }),
        None if language == "en" => {
            known(check).map(|check| Wording { title: check.title, description: check.description, remediation: check.remediation })
        }
        None => None,
    }
}

/// A single word of ours, such as the label of a piece of evidence, in another language; nothing where it is no word or needs none.
pub fn word(english: &str, language: &str) -> Option<&'static str> {
    texts(language)?.words.get(english).map(String::as_str)
}

fn known(id: &str) -> Option<&'static Check> {
    static PORT: Check = OPEN_PORT;
    let place = catalogue().binary_search_by_key(&id, |check| check.id).ok();
    place.and_then(|place| catalogue().get(place)).or((id == PORT.id).then_some(&PORT))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    words: BTreeMap<String, String>,
    checks: BTreeMap<String, Said>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    title: String,
    description: String,
    remediation: String,
}

const PORTUGUESE: &str = include_str!("../locales/checks.pt-BR.toml");
const SPANISH: &str = include_str!("../locales/checks.es.toml");

fn texts(language: &str) -> Option<&'static Texts> {
    // A file that cannot be read fails the tests; at run time readers would get English.
    static IN_PORTUGUESE: LazyLock<Texts> = LazyLock::new(|| toml::from_str(PORTUGUESE).unwrap_or_default());
    static IN_SPANISH: LazyLock<Texts> = LazyLock::new(|| toml::from_str(SPANISH).unwrap_or_default());
    match language {
        "pt-BR" => Some(&IN_PORTUGUESE),
        "es" => Some(&IN_SPANISH),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LANGUAGES: [(&str, &str); 2] = [("pt-BR", PORTUGUESE), ("es", SPANISH)];

    fn parts(wording: Wording) -> [&'static str; 3] {
        [wording.title, wording.description, wording.remediation]
    }

    /// `{port}`, `{service}` and whatever else stands in braces.
    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_check_says_something_of_its_own_in_every_language_and_nothing_else_is_said() {
        let mut known: BTreeSet<&str> = catalogue().iter().map(|check| check.id).collect();
        assert!(known.insert(OPEN_PORT.id), "open ports are in no set of the catalogue");
        for (language, source) in LANGUAGES {
            let texts: Texts = toml::from_str(source).unwrap();
            let translated: BTreeSet<&str> = texts.checks.keys().map(String::as_str).collect();
            let missing: Vec<_> = known.difference(&translated).collect();
            assert!(missing.is_empty(), "no text in {language} for {missing:?}");
            let surplus: Vec<_> = translated.difference(&known).collect();
            assert!(surplus.is_empty(), "no check says {surplus:?} of {language}");
            for id in &known {
                let (english, own) = (wording(id, "en").unwrap(), wording(id, language).unwrap());
                for (english, own) in parts(english).into_iter().zip(parts(own)) {
                    assert!(!own.trim().is_empty() && own.trim() == own, "{language} {id}: `{own}`");
                    assert_ne!(own, english, "{language} {id} is still English");
                    assert_eq!(holes(own), holes(english), "{language} {id}: `{own}`");
                    assert_eq!(own.ends_with('.'), english.ends_with('.'), "{language} {id}: `{own}`");
                }
            }
        }
    }

    #[test]
    fn the_files_are_sorted_by_check_so_that_two_people_add_lines_at_different_places() {
        for (language, source) in LANGUAGES {
            let ids: Vec<&str> = source.lines().filter_map(|line| line.strip_prefix("[checks.\"")?.strip_suffix("\"]")).collect();
            assert!(ids.is_sorted(), "{language}");
        }
    }

    /// Commands, header names, options and standards are the same in every language.
    #[test]
    fn what_is_typed_or_looked_up_is_kept_letter_by_letter() {
        let is_literal = |word: &str| {
            let inside = &word[word.chars().next().map_or(0, char::len_utf8)..];
            word.contains(['=', '_', '/', '`']) || inside.contains(|letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit())
        };
        let words = |text: &'static str| -> BTreeSet<&'static str> {
            let split = text.split(|letter: char| letter.is_whitespace() || "(),;:".contains(letter));
            split.map(|word| word.trim_end_matches('.')).filter(|word| is_literal(word)).collect()
        };
        // Written otherwise by those who speak the language, or put into words.
        let spelt = ["64-bit", "ACLs", "APIs"];
        for (language, _) in LANGUAGES {
            for check in catalogue() {
                let (english, own) = (wording(check.id, "en").unwrap(), wording(check.id, language).unwrap());
                for (english, own) in parts(english).into_iter().zip(parts(own)) {
                    for word in words(english).into_iter().filter(|word| !spelt.contains(word)) {
                        assert!(own.contains(word), "{language} {}: `{word}` is missing in `{own}`", check.id);
                    }
                }
            }
        }
    }

    /// Labels of evidence that are names of headers, fields and record types, or words that all three languages share.
    const NAMES: &str = "CAA DNSKEY DS NS access-control-allow-credentials access-control-allow-origin allow banner base bind bits connack \
        content-security-policy content-type renegotiation_info server set-cookie sha256 starttls strict-transport-security version.bind \
        www-authenticate";

    #[test]
    fn every_label_of_evidence_that_is_a_word_is_translated_and_no_other_word_is() {
        let texts = |source: &str| toml::from_str::<Texts>(source).unwrap().words;
        let (portuguese, spanish) = (texts(PORTUGUESE), texts(SPANISH));
        assert!(portuguese.keys().eq(spanish.keys()));
        assert!(portuguese.values().chain(spanish.values()).all(|word| !word.trim().is_empty()));
        let sources = testkit::sources(concat!(env!("CARGO_MANIFEST_DIR"), "/src"), "wording.rs");
        let literal = |rest: &'_ str| rest.trim_start().strip_prefix('"').and_then(|rest| Some(rest.split_once('"')?.0.to_owned()));
        let labels: BTreeSet<String> = sources.split(".evidence(").skip(1).filter_map(literal).collect();
        assert!(labels.len() > 50);
        let names: BTreeSet<&str> = NAMES.split_whitespace().collect();
        let untold: Vec<_> = labels.iter().filter(|label| !portuguese.contains_key(*label) && !names.contains(label.as_str())).collect();
        assert!(untold.is_empty(), "no word for {untold:?}; the name of a header or field belongs into the list above");
        let unsaid: Vec<_> = portuguese.keys().filter(|word| !sources.contains(&format!("\"{word}\""))).collect();
        // The two that are told of every open port, by who makes observations of what is found.
        assert!(unsaid.iter().all(|word| ["product", "version"].contains(&word.as_str())), "nothing says {unsaid:?}");
        assert_eq!((word("reply", "pt-BR"), word("reply", "es"), word("reply", "en")), (Some("resposta"), Some("respuesta"), None));
        assert_eq!(word("set-cookie", "es"), None, "the name of a header is no word");
    }

    #[test]
    fn nobody_is_answered_in_a_language_we_do_not_speak() {
        assert_eq!(wording("tls.ssl3", "fr"), None);
        assert_eq!(wording("no.such-check", "es"), None);
        assert_eq!(wording("tls.ssl3", "en").unwrap().title, "SSL 3.0 is offered");
        assert_eq!(wording("ports.open", "pt-BR").unwrap().title, "Porta {port}/tcp aberta ({service})");
    }
}

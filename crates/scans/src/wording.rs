//! What a scan says of itself, in the languages of readers: the names of its stages, and why something was not looked at.
//!
//! Both are stored in English, as they were told. They are replaced where they are shown, and only where they are known word for word:
//! what a tool or an operating system said stays.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use base::Language;
use serde::Deserialize;

use crate::model::Profile;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    stages: BTreeMap<String, String>,
    reasons: BTreeMap<String, String>,
}

const PORTUGUESE: &str = include_str!("../locales/pt-BR.toml");
const SPANISH: &str = include_str!("../locales/es.toml");

fn texts(language: Language) -> Option<&'static Texts> {
    // A file that cannot be read fails the tests; at run time readers would get English.
    static IN_PORTUGUESE: LazyLock<Texts> = LazyLock::new(|| toml::from_str(PORTUGUESE).unwrap_or_default());
    static IN_SPANISH: LazyLock<Texts> = LazyLock::new(|| toml::from_str(SPANISH).unwrap_or_default());
    match language {
        Language::English => None,
        Language::Portuguese => Some(&IN_PORTUGUESE),
        Language::Spanish => Some(&IN_SPANISH),
    }
}

/// The name of a stage for a reader of this language; a name that no profile has stays.
#[must_use]
pub fn stage_name(name: &str, language: Language) -> Cow<'_, str> {
    match texts(language) {
        Some(texts) => Cow::Borrowed(texts.stages.get(name).map_or(name, String::as_str)),
        None if is_stage(name) => Cow::Owned(name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect()),
        None => Cow::Borrowed(name),
    }
}

/// Reports name sets of checks in the same place, which are no words.
fn is_stage(name: &str) -> bool {
    Profile::ALL.iter().flat_map(|profile| profile.plan().stages).any(|stage| stage.name == name)
}

/// Why something was not looked at, for a reader of this language; several reasons are told one after the other.
#[must_use]
pub fn reason(told: &str, language: Language) -> Cow<'_, str> {
    let Some(texts) = texts(language) else { return Cow::Borrowed(told) };
    let parts: Vec<Option<String>> = told.split("; ").map(|part| one_of_several(part, texts)).collect();
    if parts.iter().all(Option::is_none) {
        // What is named may hold the mark itself.
        return whole(told, texts).map_or(Cow::Borrowed(told), Cow::Owned);
    }
    let said = told.split("; ").zip(parts).map(|(part, said)| said.unwrap_or_else(|| part.to_owned()));
    Cow::Owned(said.collect::<Vec<_>>().join("; "))
}

/// A reason, perhaps behind the address it is about; none for the words of others.
fn one_of_several(part: &str, texts: &Texts) -> Option<String> {
    let behind_address = || {
        let (address, told) = part.split_once(": ")?;
        Some(format!("{address}: {}", whole(told, texts)?))
    };
    whole(part, texts).or_else(behind_address)
}

/// One reason; what it names may be a reason itself, such as a refusal.
fn whole(told: &str, texts: &Texts) -> Option<String> {
    texts.reasons.iter().find_map(|(pattern, said)| {
        let mut named = named(pattern, told)?.into_iter().map(|name| whole(name, texts).unwrap_or_else(|| name.to_owned()));
        let (first, rest) = said.split_once("{}").unwrap_or((said, ""));
        let mut text = first.to_owned();
        if first.len() < said.len() {
            for part in rest.split("{}") {
                text.push_str(&named.next().unwrap_or_default());
                text.push_str(part);
            }
        }
        Some(text)
    })
}

/// What stands at each `{}` of a pattern, when the text follows it.
fn named<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut fixed = pattern.split("{}");
    let mut rest = text.strip_prefix(fixed.next()?)?;
    let mut named = Vec::new();
    let mut fixed = fixed.peekable();
    while let Some(next) = fixed.next() {
        let end = if fixed.peek().is_some() { rest.find(next)? } else { rest.strip_suffix(next)?.len() };
        let (name, behind) = rest.split_at(end);
        named.push(name);
        rest = behind.strip_prefix(next)?;
    }
    rest.is_empty().then_some(named)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const LANGUAGES: [Language; 2] = [Language::Portuguese, Language::Spanish];

    #[test]
    fn both_languages_say_the_same_things_with_the_same_holes() {
        let [portuguese, spanish] = [PORTUGUESE, SPANISH].map(|source| toml::from_str::<Texts>(source).unwrap());
        assert!(portuguese.reasons.keys().eq(spanish.reasons.keys()) && portuguese.stages.keys().eq(spanish.stages.keys()));
        for (english, said) in portuguese.reasons.iter().chain(&spanish.reasons) {
            assert_eq!(english.matches("{}").count(), said.matches("{}").count(), "{english}");
            assert_ne!(english, said);
        }
    }

    #[test]
    fn every_stage_of_every_profile_has_a_name_and_no_other_has() {
        for language in LANGUAGES {
            let known: Vec<&String> = texts(language).unwrap().stages.keys().collect();
            let mut used: Vec<&str> = Profile::ALL.iter().flat_map(|profile| profile.plan().stages).map(|stage| stage.name).collect();
            used.sort_unstable();
            used.dedup();
            assert_eq!(known, used);
        }
        assert_eq!(stage_name("ports, services and checks", Language::English), "Ports, services and checks");
        assert!(Language::ALL.iter().all(|language| stage_name("http.active", *language) == "http.active"));
    }

    /// The sources that give reasons: ours, the scanner's, and those of authorisations.
    fn sources() -> String {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        ["scans", "scanner", "targets"].map(|name| testkit::sources(crates.join(name).join("src"), "wording.rs")).concat()
    }

    #[test]
    fn nothing_is_translated_that_nobody_says() {
        let sources = sources();
        for pattern in texts(Language::Spanish).unwrap().reasons.keys() {
            for fixed in pattern.split("{}").map(|fixed| fixed.trim_matches([' ', ':', ','])).filter(|fixed| fixed.len() > 3) {
                assert!(sources.contains(fixed), "nobody says `{fixed}` of `{pattern}`");
            }
        }
    }

    #[test]
    fn every_reason_that_is_written_out_is_translated() {
        let sources = sources();
        let literal = |rest: &str| rest.trim_start().strip_prefix('"').and_then(|rest| Some(rest.split_once('"')?.0.to_owned()));
        let mut said = 0;
        for status in ["Skipped", "Error", "Timeout"] {
            for before in [format!("CoverageStatus::{status}, Some("), format!("CoverageStatus::{status}, ")] {
                for told in sources.split(&before).skip(1).filter_map(literal) {
                    said += 1;
                    assert!(LANGUAGES.iter().all(|language| reason(&told, *language) != told), "no words for `{told}`");
                }
            }
        }
        for told in sources.split("Brought::skipped(").skip(1).filter_map(|call| literal(call.split_once("place(), ")?.1)) {
            said += 1;
            assert!(LANGUAGES.iter().all(|language| reason(&told, *language) != told), "no words for `{told}`");
        }
        assert!(said > 10, "{said}");
    }

    #[test]
    fn what_is_named_keeps_its_place_and_a_reason_within_a_reason_is_translated_too() {
        let said = |told| reason(told, Language::Spanish).into_owned();
        assert_eq!(said("nmap is not installed: install the package `nmap`"), "nmap no está instalado: instale el paquete `nmap`");
        assert_eq!(
            said("the resolver is refused by the guard: 10.0.0.1 is outside what the authorisation covers"),
            "el servidor DNS fue rechazado: 10.0.0.1 está fuera de lo que cubre la autorización"
        );
        let troubles = "127.0.0.1:443: it took longer than 60 s; it was stopped with the scan";
        assert_eq!(said(troubles), "127.0.0.1:443: tardó más de 60 s; se detuvo junto con el escaneo");
        let cut = "its output cannot be read: EOF; it was stopped with the scan";
        assert!(said(cut).ends_with(": EOF; se detuvo junto con el escaneo"), "{}", said(cut));
        assert_eq!(said("Broken pipe (os error 32)"), "Broken pipe (os error 32)");
        assert_eq!(reason("not reached", Language::English), "not reached");
    }
}

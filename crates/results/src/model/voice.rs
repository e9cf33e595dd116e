//! Whose words a text of a finding is, and what it says to a reader of another language: the one place that decides it, at display.
//! Invariant: only what our own scanner says, word for word, is replaced; what people, other tools and older versions wrote stays.

use std::borrow::Cow;

use base::{Language, fill};
use importers::Location;
use query::Document;
use scanner::Wording;

use super::{Finding, Pattern};

/// Who speaks: a check of a tool, with the facts that may stand in its words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voice {
    source: String,
    check: String,
    port: Option<u16>,
    service: Option<String>,
}

impl Voice {
    /// A check that speaks of this place.
    #[must_use]
    pub fn of(source: &str, check: &str, place: &Location) -> Self {
        Self::at(source, check, place.port, place.service.as_deref())
    }

    /// A check that speaks of a port and the service there, where these are known.
    #[must_use]
    pub fn at(source: &str, check: &str, port: Option<u16>, service: Option<&str>) -> Self {
        Self { source: source.to_owned(), check: check.to_owned(), port, service: service.map(str::to_owned) }
    }

    /// The check that a thing in a search index tells of; nobody where it tells of none.
    #[must_use]
    pub fn in_index(document: &Document) -> Self {
        let term = |field: &str| document.terms(field).first().map(String::as_str);
        let port = document.integers("port").first().and_then(|port| u16::try_from(*port).ok());
        Self::at(term("source").unwrap_or_default(), term("check").unwrap_or_default(), port, term("service"))
    }

    /// The title, for a reader of this language.
    #[must_use]
    pub fn title<'t>(&self, observed: &'t str, language: Language) -> Cow<'t, str> {
        self.text(observed, language, |wording| wording.title)
    }

    /// The description, for a reader of this language.
    #[must_use]
    pub fn description<'t>(&self, observed: &'t str, language: Language) -> Cow<'t, str> {
        self.text(observed, language, |wording| wording.description)
    }

    /// The remediation, for a reader of this language.
    #[must_use]
    pub fn remediation<'t>(&self, observed: &'t str, language: Language) -> Cow<'t, str> {
        self.text(observed, language, |wording| wording.remediation)
    }

    /// The label of a piece of evidence, for a reader of this language; names of headers and fields are no words and stay.
    #[must_use]
    pub fn label<'t>(&self, observed: &'t str, language: Language) -> Cow<'t, str> {
        let own = if self.is_ours() { scanner::word(observed, language.as_str()) } else { None };
        Cow::Borrowed(own.unwrap_or(observed))
    }

    fn is_ours(&self) -> bool {
        self.source == scans::NATIVE
    }

    fn text<'t>(&self, observed: &'t str, language: Language, part: fn(&Wording) -> &'static str) -> Cow<'t, str> {
        if language == Language::English || !self.is_ours() {
            return Cow::Borrowed(observed);
        }
        let said = |language: Language| {
            let wording = scanner::wording(&self.check, language.as_str())?;
            Some(self.filled(part(&wording), language))
        };
        match said(Language::English) {
            Some(english) if english == observed => said(language).unwrap_or(Cow::Borrowed(observed)),
            _ => Cow::Borrowed(observed),
        }
    }

    /// A text with the facts in it.
    fn filled(&self, text: &'static str, language: Language) -> Cow<'static, str> {
        if !text.contains('{') {
            return Cow::Borrowed(text);
        }
        let port = self.port.map(|port| port.to_string()).unwrap_or_default();
        let service = self.service.as_deref().unwrap_or("unknown");
        // Names of protocols are the same everywhere; that nobody knows one is a word.
        let service = if service == "unknown" { scanner::word(service, language.as_str()).unwrap_or(service) } else { service };
        Cow::Owned(fill(text, &[("port", &port), ("service", service)]))
    }
}

impl Finding {
    /// Whose words its texts are.
    #[must_use]
    pub fn voice(&self) -> Voice {
        Voice::of(&self.source, &self.check, &self.location)
    }
}

impl Pattern {
    /// Whose words its title is; a pattern has no place of its own.
    #[must_use]
    pub fn voice(&self) -> Voice {
        Voice::at(&self.source, &self.check, None, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRED: &str = "Certificate has expired";

    fn native(check: &str) -> Voice {
        Voice::at("tyrian", check, Some(18_080), Some("http"))
    }

    #[test]
    fn our_own_words_are_told_in_the_language_of_the_reader() {
        let voice = native("tls.certificate-expired");
        assert_eq!(voice.title(EXPIRED, Language::Portuguese), "O certificado expirou");
        assert_eq!(voice.title(EXPIRED, Language::Spanish), "El certificado ha caducado");
        assert_eq!(voice.title(EXPIRED, Language::English), EXPIRED);
        let remedy = "Renew the certificate and automate renewal.";
        assert_eq!(voice.remediation(remedy, Language::Portuguese), "Renove o certificado e automatize a renovação.");
        assert_eq!(voice.label("issuer", Language::Spanish), "emisor");
        assert_eq!(voice.label("sha256", Language::Spanish), "sha256");
    }

    #[test]
    fn what_others_say_stays_word_for_word() {
        let other = Voice::at("nuclei", "tls.certificate-expired", None, None);
        assert_eq!(other.title(EXPIRED, Language::Portuguese), EXPIRED, "another tool has words of its own");
        assert_eq!(other.label("issuer", Language::Portuguese), "issuer");
        let voice = native("tls.certificate-expired");
        assert_eq!(voice.title("Certificate expired", Language::Portuguese), "Certificate expired", "as an older version said it");
        assert_eq!(voice.description("Agreed with the owner.", Language::Portuguese), "Agreed with the owner.");
        assert_eq!(native("tls.ssl2").title(EXPIRED, Language::Portuguese), EXPIRED, "these are the words of another check");
        assert_eq!(native("gone.check").title(EXPIRED, Language::Portuguese), EXPIRED);
    }

    #[test]
    fn an_open_port_is_told_from_its_port_and_service_and_not_from_its_title() {
        let voice = native("ports.open");
        let title = "Open port 18080/tcp (http)";
        assert_eq!(voice.title(title, Language::Portuguese), "Porta 18080/tcp aberta (http)");
        assert_eq!(
            voice.description("A service answers on port 18080/tcp.", Language::Spanish),
            "Un servicio responde en el puerto 18080/tcp."
        );
        assert_eq!(voice.title("Open port 443/tcp (http)", Language::Portuguese), "Open port 443/tcp (http)", "the facts are others");
        let nobody = Voice::at("tyrian", "ports.open", Some(9), None);
        assert_eq!(nobody.title("Open port 9/tcp (unknown)", Language::Portuguese), "Porta 9/tcp aberta (desconhecido)");
    }
}

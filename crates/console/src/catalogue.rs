//! Every text a person reads, by key and language. A test holds the languages to the same keys and the pages to known ones.

use std::collections::HashMap;
use std::sync::LazyLock;

use base::Language;

/// Letters of the key of a meaning.
const LONGEST_MEANING: usize = 48;

/// What the pages say in a language.
pub(crate) trait Speech: Sized {
    /// Its name in itself.
    fn name(self) -> &'static str;
    /// The language of a tag, by its first part.
    fn of(tag: &str) -> Option<Self>;
    /// The best one for an `Accept-Language` header.
    fn accepted(header: &str) -> Self;
    /// The text under `key`, when there is one.
    fn find(self, key: &str) -> Option<&'static str>;
    /// The text under `key`; a key without a text shows itself, which the tests notice before a person does.
    fn say(self, key: &str) -> &str;
    /// What a field that can be searched means: the key of its text is made of the English words.
    fn meaning(self, about: &str) -> Option<&'static str>;
    /// A whole number with the language's marks between thousands.
    fn number(self, number: u64) -> String;
}

impl Speech for Language {
    fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Portuguese => "Português",
            Self::Spanish => "Español",
        }
    }

    fn of(tag: &str) -> Option<Self> {
        let first = tag.trim().split(['-', ';', '_']).next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.into_iter().find(|language| language.as_str().split('-').next() == Some(first.as_str()))
    }

    fn accepted(header: &str) -> Self {
        let weighted = header.split(',').filter_map(|part| {
            let mut pieces = part.split(';');
            let language = Self::of(pieces.next()?)?;
            let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            (weight > 0.0).then_some((language, weight))
        });
        // Of equal weights the first one wins.
        let best = weighted.fold(None, |best: Option<(Self, f32)>, next| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        });
        best.map_or(Self::English, |(language, _)| language)
    }

    fn find(self, key: &str) -> Option<&'static str> {
        texts(self).get(key).map(String::as_str)
    }

    fn say(self, key: &str) -> &str {
        self.find(key).unwrap_or(key)
    }

    fn meaning(self, about: &str) -> Option<&'static str> {
        let words = about.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let key = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
        self.find(&format!("meaning.{}", key.get(..LONGEST_MEANING).unwrap_or(&key)))
    }

    fn number(self, number: u64) -> String {
        let mark = match self {
            Self::English => ',',
            Self::Portuguese | Self::Spanish => '.',
        };
        let digits = number.to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(mark);
            }
            text.push(digit);
        }
        text
    }
}

fn texts(language: Language) -> &'static HashMap<String, String> {
    static TEXTS: LazyLock<[HashMap<String, String>; 3]> = LazyLock::new(|| {
        [
            [include_str!("../locales/en.toml"), include_str!("../locales/devices.en.toml")],
            [include_str!("../locales/pt-BR.toml"), include_str!("../locales/devices.pt-BR.toml")],
            [include_str!("../locales/es.toml"), include_str!("../locales/devices.es.toml")],
        ]
        .map(|sources| sources.into_iter().flat_map(read).collect())
    });
    let [english, portuguese, spanish] = &*TEXTS;
    match language {
        Language::English => english,
        Language::Portuguese => portuguese,
        Language::Spanish => spanish,
    }
}

/// Flattens `[a.b] c = "…"` to `a.b.c`.
fn read(source: &str) -> HashMap<String, String> {
    fn flatten(prefix: &str, table: toml::Table, texts: &mut HashMap<String, String>) {
        for (key, value) in table {
            let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
            match value {
                toml::Value::Table(table) => flatten(&key, table, texts),
                toml::Value::String(text) => drop(texts.insert(key, text)),
                _ => {}
            }
        }
    }
    let mut texts = HashMap::new();
    // A catalogue that cannot be read fails the tests; at run time the keys themselves would show.
    flatten("", source.parse().unwrap_or_default(), &mut texts);
    texts
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;

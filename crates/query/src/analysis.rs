//! What a word and a term are, for documents and queries alike. Engines get words ready-made, separated by spaces, and
//! never analyse anything themselves.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Counts the changes of the rules below; an index made by other rules is made anew.
pub const VERSION: u32 = 1;

/// Characters of a word; the rest of a longer run becomes words of its own.
pub const WORD: usize = 64;

/// Characters of a term; the rest of a longer one does not count.
pub const TERM: usize = 256;

/// Words of one value; later ones are not found.
pub const WORDS: usize = 10_000;

/// Stands between two values of a field, so that no phrase reaches over both. No word can be like it.
pub const SEPARATOR: &str = "\u{2016}";

/// Letters without case, accents and compatibility forms: `ＦＯＯ`, `Foo` and `föö` are `foo`.
pub fn fold(text: &str) -> impl Iterator<Item = char> + '_ {
    // Lowering one letter can bring a mark of its own, so the marks go last.
    text.nfkd().flat_map(char::to_lowercase).nfkd().filter(|letter| !is_combining_mark(*letter)).map(|letter| match letter {
        'ς' => 'σ',
        other => other,
    })
}

/// The words of a text: runs of letters and digits, folded.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut length = 0;
    for letter in fold(text) {
        let is_part = letter.is_alphanumeric();
        if (!is_part || length == WORD) && length > 0 {
            words.push(std::mem::take(&mut word));
            length = 0;
            if words.len() == WORDS {
                return words;
            }
        }
        if is_part {
            word.push(letter);
            length += 1;
        }
    }
    if length > 0 {
        words.push(word);
    }
    words
}

/// The term of an exact value: folded, without white space around it, cut to [`TERM`] characters.
#[must_use]
pub fn term(text: &str) -> String {
    let folded: String = fold(text.trim()).take(TERM).collect();
    folded.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_accents_and_compatibility_forms_do_not_matter() {
        assert_eq!(
            words("Schwache TLS-Chiffre: Ünïcode ＡＢ ﬁx CVE-2024-1234"),
            ["schwache", "tls", "chiffre", "unicode", "ab", "fix", "cve", "2024", "1234"]
        );
        assert_eq!(term("  CWE-79 "), "cwe-79");
        assert_eq!(words("İstanbul ΟΔΟΣ οδος"), ["istanbul", "οδοσ", "οδοσ"]);
        assert_eq!(words(&"x".repeat(150)).iter().map(String::len).collect::<Vec<_>>(), [64, 64, 22]);
    }

    proptest! {
        #[test]
        fn what_was_folded_stays_as_it_is(text in any::<String>()) {
            let once: String = fold(&text).collect();
            prop_assert_eq!(fold(&once).collect::<String>(), once.clone());
            let first = words(&text);
            prop_assert!(first.iter().all(|word| word.chars().all(char::is_alphanumeric) && !word.contains(SEPARATOR)));
            if first.len() < WORDS {
                prop_assert_eq!(words(&first.join(" ")), first);
            }
            prop_assert_eq!(term(&term(&text)), term(&text));
        }
    }
}

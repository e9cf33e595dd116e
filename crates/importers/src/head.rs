//! The beginning of a file, looked at only to guess which tool wrote it.

use crate::walk;

/// Bytes of a file that are looked at.
const HEAD: usize = 64 << 10;

/// The beginning of a file as text, for guessing only.
pub(crate) struct Head<'h> {
    text: String,
    name: Option<&'h str>,
}

impl<'h> Head<'h> {
    pub(crate) fn new(head: &[u8], name: Option<&'h str>) -> Self {
        let head = &head[..head.len().min(HEAD)];
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start_matches(['\u{feff}', '\u{fffd}']);
        // Latin text in UTF-16 reads as itself with zero bytes between.
        Self { text: text.chars().filter(|c| *c != '\0').collect(), name }
    }

    /// Name of the root element, when the file is XML.
    pub(crate) fn root(&self) -> Option<&str> {
        let mut rest = self.text.trim_start();
        loop {
            rest = rest.trim_start();
            let after = rest.strip_prefix('<')?;
            rest = if after.starts_with("!--") {
                after.split_once("-->")?.1
            } else if after.starts_with('!') {
                past_declaration(after)?
            } else if after.starts_with('?') {
                after.split_once('>')?.1
            } else {
                let end = after.find(|c: char| !(c.is_alphanumeric() || "-_.:".contains(c)))?;
                return Some(&after[..end]);
            };
        }
    }

    /// Whether the file is JSON that starts with one of these characters.
    pub(crate) fn opens(&self, with: &[char]) -> bool {
        self.text.trim_start().starts_with(with)
    }

    /// Names of the members of the JSON document, as far as the head shows them; of the first object of an array.
    pub(crate) fn members(&self) -> Vec<String> {
        if self.opens(&['{', '[']) { walk::outline(&self.text) } else { Vec::new() }
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// Whether the file starts with this behind white space.
    pub(crate) fn begins(&self, text: &str) -> bool {
        self.text.trim_start().starts_with(text)
    }

    /// Whether one of the first rows of a table has cells of all these names, in lower case.
    pub(crate) fn titled(&self, names: &[&str]) -> bool {
        self.text.lines().take(40).any(|line| {
            let line = line.to_lowercase();
            let cells: Vec<&str> =
                line.split([',', ';', '\t', '|']).map(|cell| cell.trim_matches(|c: char| c == '"' || c.is_whitespace())).collect();
            names.iter().all(|name| cells.contains(name))
        })
    }

    /// Whether the file is nothing but this, white space apart.
    pub(crate) fn is(&self, text: &str) -> bool {
        let mut own = self.text.chars().filter(|c| !c.is_whitespace());
        text.chars().all(|c| own.next() == Some(c)) && own.next().is_none()
    }

    /// What follows the first occurrence of a text.
    pub(crate) fn after(&self, text: &str) -> Option<&str> {
        self.text.split_once(text).map(|(_, rest)| rest)
    }

    /// Whether the name of the file contains a word.
    pub(crate) fn is_named(&self, word: &str) -> bool {
        self.name.is_some_and(|name| name.to_ascii_lowercase().contains(word))
    }

    pub(crate) fn named(&self, ending: &str) -> bool {
        self.name.is_some_and(|name| name.to_ascii_lowercase().ends_with(ending))
    }
}

/// What follows a declaration, which may hold others between brackets.
fn past_declaration(text: &str) -> Option<&str> {
    let (mut inside, mut quote) = (false, None);
    for (at, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            (byte, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => {}
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'[', None) => inside = true,
            (b']', None) => inside = false,
            (b'>', None) if !inside => return Some(&text[at + 1..]),
            _ => {}
        }
    }
    None
}

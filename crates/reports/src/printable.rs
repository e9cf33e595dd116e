//! Outside text made fit to show: what cannot be seen is written out, what is endless is cut.
//!
//! Invariant: the result is one line or a list of lines without control or direction characters,
//! so no finding can forge layout, reverse a line or hide a part of itself.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What a medium can show, and how much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Medium {
    /// Whether it can draw a character that is not a control character.
    pub(crate) draws: fn(char) -> bool,
    /// Width of an evidence line in characters; `None` when the medium wraps by itself.
    pub(crate) columns: Option<usize>,
    /// Longest run without a place to break a line; `None` when the medium breaks anywhere.
    pub(crate) run: Option<usize>,
    /// Longest piece of evidence in characters.
    pub(crate) evidence: usize,
    /// Most lines of one piece of evidence.
    pub(crate) lines: usize,
    /// Longest description in characters.
    pub(crate) prose: usize,
    /// Most findings shown, gravest first: layout takes memory by the finding.
    pub(crate) findings: usize,
}

/// Longest title or other one-line text.
const LINE: usize = 240;

/// Lines cut to size, and how much of the text they show.
pub(crate) struct Cut {
    pub(crate) lines: Vec<String>,
    pub(crate) shown: usize,
    pub(crate) total: usize,
}

impl Medium {
    /// Paged, printed, archived: every glyph must be in the embedded fonts.
    pub(crate) const PRINT: Self =
        Self { draws: drawn_in_print, columns: Some(104), run: Some(36), evidence: 6_000, lines: 60, prose: 12_000, findings: 1_000 };

    /// A browser: it has fonts for everything and wraps by itself.
    pub(crate) const SCREEN: Self =
        Self { draws: |_| true, columns: None, run: None, evidence: 64 << 10, lines: 2_000, prose: 64 << 10, findings: 5_000 };

    /// One line: line ends and tabs become spaces, too long an end becomes an ellipsis.
    pub(crate) fn line(&self, text: &str) -> String {
        let mut line = String::new();
        let mut count = 0;
        let mut space = true;
        for character in text.nfc() {
            if character.is_whitespace() {
                if !space {
                    line.push(' ');
                    count += 1;
                }
                space = true;
            } else {
                space = false;
                count += self.show(character, &mut line);
            }
            if count >= LINE {
                line.push('…');
                break;
            }
        }
        self.breakable(line.trim_end())
    }

    /// Running text: its lines, without empty ones at either end.
    pub(crate) fn prose(&self, text: &str) -> Cut {
        let mut cut = self.take(text.trim(), self.prose, usize::MAX, None);
        for line in &mut cut.lines {
            *line = self.breakable(line.trim());
        }
        cut.lines.dedup_by(|later, earlier| later.is_empty() && earlier.is_empty());
        cut
    }

    /// Evidence: its lines as they are, folded at the width of the medium.
    pub(crate) fn evidence(&self, text: &str) -> Cut {
        self.take(text.trim_end(), self.evidence, self.lines, self.columns)
    }

    fn take(&self, text: &str, characters: usize, lines: usize, columns: Option<usize>) -> Cut {
        let mut cut = Cut { lines: Vec::new(), shown: 0, total: 0 };
        let mut line = String::new();
        let mut width = 0;
        let mut full = false;
        let mut source = text.chars();
        // Composition needs a bounded look-ahead, so only what can be shown is composed.
        let head: String = source.by_ref().take(characters).collect();
        let head_length = head.chars().count();
        cut.total = head_length + source.count();
        for character in head.nfc() {
            if character == '\r' {
                cut.shown += 1;
                continue;
            }
            let folds = columns.is_some_and(|columns| width >= columns);
            if character == '\n' || folds {
                cut.lines.push(std::mem::take(&mut line));
                width = 0;
                if cut.lines.len() >= lines {
                    full = true;
                    break;
                }
            }
            cut.shown += 1;
            match character {
                '\n' => {}
                '\t' => {
                    let stop = 4 - width % 4;
                    line.extend(std::iter::repeat_n(' ', stop));
                    width += stop;
                }
                other => width += self.show(other, &mut line),
            }
        }
        if !full {
            if !line.is_empty() {
                cut.lines.push(line);
            }
            // Composing makes fewer characters of the same text.
            cut.shown = head_length;
        }
        cut
    }

    /// Appends one character or its escape and says how wide it is.
    fn show(&self, character: char, text: &mut String) -> usize {
        if character == ' ' || (is_visible(character) && (self.draws)(character)) {
            text.push(character);
            return 1;
        }
        let escape = format!("\\u{{{:x}}}", u32::from(character));
        text.push_str(&escape);
        escape.len()
    }

    /// Gives an endless word places to break.
    fn breakable(&self, text: &str) -> String {
        let Some(longest) = self.run else { return text.to_owned() };
        let mut result = String::with_capacity(text.len());
        let mut run = 0;
        for character in text.chars() {
            if character == ' ' {
                run = 0;
            } else if run == longest {
                result.push('\u{200b}');
                run = 0;
            }
            run += usize::from(character != ' ');
            result.push(character);
        }
        result
    }
}

/// Whether a character shows itself rather than steering others (controls, bidirectional marks,
/// zero-width characters, tags, private use, non-characters).
fn is_visible(character: char) -> bool {
    let steers = matches!(
        u32::from(character),
        0xad | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfdd0..=0xfdef
            | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1d173..=0x1d17a
            | 0xe0000..=0x10ffff
    );
    let breaks = character.is_whitespace() && !matches!(character, ' ' | '\u{a0}');
    let is_noncharacter = u32::from(character) & 0xfffe == 0xfffe;
    !(steers || breaks || is_noncharacter || character.is_control())
}

/// What the embedded fonts draw without joining letters: a joined script needs a shaping that an
/// archival PDF cannot always map back to text.
fn drawn_in_print(character: char) -> bool {
    let joined = matches!(u32::from(character), 0x600..=0x8ff | 0xfb50..=0xfdff | 0xfe70..=0xfeff);
    !joined && !is_combining_mark(character) && typeset::covers(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_written_out() {
        let hostile = "a\u{1b}[31m\u{202e}gpj.exe\u{200b}\u{feff}\u{e0041}\u{0}";
        let shown = "a\\u{1b}[31m\\u{202e}gpj.exe\\u{200b}\\u{feff}\\u{e0041}\\u{0}";
        assert_eq!(Medium::SCREEN.line(hostile), shown);
        assert_eq!(Medium::PRINT.evidence(hostile).lines, [shown]);
    }

    #[test]
    fn print_composes_accents_and_writes_out_what_it_cannot_draw() {
        assert_eq!(Medium::PRINT.line("ac\u{327}a\u{303}o 漢 😀\n שלום"), "ação \\u{6f22} 😀 שלום");
        assert_eq!(Medium::SCREEN.line("漢"), "漢");
    }

    #[test]
    fn evidence_is_folded_counted_and_cut() {
        let cut = Medium::PRINT.evidence(&format!("one\r\n\ttwo\n{}", "x".repeat(1 << 20)));
        assert_eq!(cut.lines[..2], ["one", "    two"]);
        assert!(cut.lines.iter().all(|line| line.chars().count() <= 104 + 10));
        assert!(cut.lines.len() <= 60 && cut.shown <= 6_000);
        assert_eq!(cut.total, (1 << 20) + 10);
        let whole = Medium::PRINT.evidence("a\u{301}\n\nb\n");
        assert_eq!((whole.shown, whole.total), (5, 5));
        assert_eq!(whole.lines, ["á", "", "b"]);
    }

    #[test]
    fn an_endless_word_can_break_in_print_only() {
        let word = "w".repeat(100);
        assert_eq!(Medium::PRINT.line(&word).matches('\u{200b}').count(), 2);
        assert_eq!(Medium::SCREEN.line(&word), word);
    }
}

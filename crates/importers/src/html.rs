//! HTML: reports read as a stream of tags and texts, and marked-up texts made plain. Tokenised by the rules of the
//! WHATWG standard, so nothing is malformed; what bounds it is bytes per token.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{HtmlString, Reader, Token, Tokenizer};

use crate::errors::ParseError;
use crate::input::{self, Decoded, Gauge};
use crate::output::{Output, floor_boundary};

/// Plain text made of one marked-up text.
const PLAIN: usize = 256 << 10;
/// Addresses taken from one marked-up text.
const LINKS: usize = 100;

/// Feeds the tokenizer byte by byte and stops a token that grows past the limit.
pub(crate) struct Feed<'a> {
    inner: Decoded<'a>,
    gauge: Rc<Gauge>,
    chunk: Vec<u8>,
    next: usize,
    /// Where the token being read starts.
    token: Rc<Cell<u64>>,
    limit: u64,
}

impl Feed<'_> {
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.chunk.len() - self.next < wanted {
            let buffer = self.inner.fill_buf()?;
            let length = buffer.len();
            if length == 0 {
                return Ok(());
            }
            self.chunk.drain(..self.next);
            self.next = 0;
            self.chunk.extend_from_slice(buffer);
            self.inner.consume(length);
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> io::Result<()> {
        self.gauge.pass(&self.chunk[self.next..self.next + length]);
        self.next += length;
        if self.gauge.at() - self.token.get() > self.limit {
            return Err(self.gauge.fail(self.gauge.over("text", self.limit)));
        }
        Ok(())
    }
}

impl Reader for Feed<'_> {
    type Error = io::Error;

    fn read_byte(&mut self) -> io::Result<Option<u8>> {
        self.fill(1)?;
        let Some(&byte) = self.chunk.get(self.next) else {
            return Ok(None);
        };
        self.take(1)?;
        Ok(Some(byte))
    }

    fn try_read_string(&mut self, text: &[u8], case_sensitive: bool) -> io::Result<bool> {
        self.fill(text.len())?;
        let Some(found) = self.chunk.get(self.next..self.next + text.len()) else {
            return Ok(false);
        };
        let same = found == text || (!case_sensitive && found.eq_ignore_ascii_case(text));
        if same {
            self.take(text.len())?;
        }
        Ok(same)
    }

    fn read_until<'b>(&'b mut self, needle: &[u8], _: &'b mut [u8; 4]) -> io::Result<Option<&'b [u8]>> {
        self.fill(1)?;
        let rest = &self.chunk[self.next..];
        if rest.is_empty() {
            return Ok(None);
        }
        let left =
            usize::try_from(self.limit - (self.gauge.at() - self.token.get()).min(self.limit)).unwrap_or(usize::MAX).saturating_add(1);
        let rest = &rest[..rest.len().min(left)];
        let end = rest.iter().position(|byte| needle.contains(byte)).map_or(rest.len(), |end| end.max(1));
        let start = self.next;
        self.take(end)?;
        Ok(Some(&self.chunk[start..start + end]))
    }
}

/// One step through a report.
pub(crate) enum Piece {
    /// A start tag.
    Open(Tag),
    /// The name of an end tag.
    Close(String),
    /// Text with its character references resolved.
    Text(String),
}

/// A start tag.
pub(crate) struct Tag {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the element has a class.
    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|classes| classes.split_whitespace().any(|one| one == class))
    }
}

/// The reader of a report.
pub(crate) struct Html<'a> {
    tokens: Tokenizer<Feed<'a>, DefaultEmitter>,
    gauge: Rc<Gauge>,
    token: Rc<Cell<u64>>,
    closed: bool,
}

impl<'a> Html<'a> {
    /// Opens a source that must be an HTML document.
    pub(crate) fn open(source: &'a mut dyn Read, out: &Output<'_>, expected: &'static str) -> Result<Self, ParseError> {
        let gauge = out.gauge();
        let limits = out.limits();
        let mut inner = input::open(source, limits, &gauge)?;
        let wrong = |found: String| ParseError::NotThisFormat { expected, found };
        match input::first_byte(&mut inner, &gauge)? {
            Some(b'<') => {}
            Some(byte) => return Err(wrong(format!("text starting with {:?}", char::from(byte)))),
            None => return Err(wrong("an empty file".to_owned())),
        }
        let token = Rc::new(Cell::new(gauge.at()));
        let limit = limits.text as u64;
        let feed = Feed { inner, gauge: Rc::clone(&gauge), chunk: Vec::new(), next: 0, token: Rc::clone(&token), limit };
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut html = Self { tokens: Tokenizer::new_with_emitter(feed, emitter), gauge, token, closed: false };
        while let Some(piece) = html.next()? {
            match piece {
                Piece::Open(tag) if tag.name == "html" => return Ok(html),
                Piece::Open(tag) => return Err(wrong(format!("<{}>", tag.name.chars().take(40).collect::<String>()))),
                Piece::Close(_) => return Err(wrong("an end tag".to_owned())),
                Piece::Text(_) => {}
            }
        }
        Err(html.truncated())
    }

    /// The next tag or text; `None` after `</html>`. A document that ends before that was cut off.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, ParseError> {
        loop {
            if self.closed {
                return Ok(None);
            }
            let token = match self.tokens.next() {
                Some(Ok(token)) => token,
                Some(Err(error)) => return Err(self.gauge.failure(error)),
                None => return Err(self.truncated()),
            };
            // A complaint may come in the middle of a text that goes on growing.
            if !matches!(token, Token::Error(_)) {
                self.token.set(self.gauge.at());
            }
            match token {
                Token::StartTag(tag) => {
                    let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(&value.value))).collect();
                    return Ok(Some(Piece::Open(Tag { name: text(&tag.name), attributes })));
                }
                Token::EndTag(tag) => {
                    let name = text(&tag.name);
                    self.closed = name == "html";
                    return Ok(Some(Piece::Close(name)));
                }
                Token::String(string) => return Ok(Some(Piece::Text(text(&string.value)))),
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
    }

    fn truncated(&self) -> ParseError {
        ParseError::Truncated { position: self.gauge.position(), inside: "<html>".to_owned() }
    }
}

fn text(bytes: &HtmlString) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Makes plain text of tags and texts, a line per block.
#[derive(Default)]
pub(crate) struct Plain {
    text: String,
    verbatim: bool,
    hidden: bool,
}

impl Plain {
    pub(crate) fn open(&mut self, name: &str) {
        match name {
            "script" | "style" => self.hidden = true,
            "li" => {
                self.line();
                self.text.push_str("- ");
            }
            "pre" => {
                self.line();
                self.verbatim = true;
            }
            "br" | "p" | "div" | "tr" | "ul" | "ol" | "table" | "dt" | "dd" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.line(),
            "td" | "th" => self.push(" "),
            _ => {}
        }
    }

    pub(crate) fn close(&mut self, name: &str) {
        match name {
            "script" | "style" => self.hidden = false,
            "pre" => {
                self.verbatim = false;
                self.line();
            }
            "p" | "div" | "li" | "tr" | "ul" | "ol" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.line(),
            _ => {}
        }
    }

    fn line(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        let left = PLAIN.saturating_sub(self.text.len());
        if self.hidden || left == 0 {
            return;
        }
        let text = &text[..floor_boundary(text, left)];
        if self.verbatim {
            self.text.push_str(text);
            return;
        }
        if text.starts_with(|c: char| c.is_whitespace()) {
            self.space();
        }
        for word in text.split_whitespace() {
            self.text.push_str(word);
            self.text.push(' ');
        }
        if !text.ends_with(|c: char| c.is_whitespace()) && !text.is_empty() {
            self.text.pop();
        }
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text.trim().to_owned()
    }
}

/// Text without its mark-up; text that has none stays as it is.
pub(crate) fn plain(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.trim().to_owned();
    }
    let mut plain = Plain::default();
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => plain.open(&text(&tag.name)),
            Token::EndTag(tag) => plain.close(&text(&tag.name)),
            Token::String(string) => plain.push(&text(&string.value)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    plain.finish()
}

/// Addresses that a marked-up text links to, or that stand in it one per line.
pub(crate) fn links(html: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |link: &str| {
        let link = link.trim();
        if link.contains("://") && !link.contains(char::is_whitespace) && found.len() < LINKS && !found.iter().any(|one| one == link) {
            found.push(link.to_owned());
        }
    };
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                for (name, value) in &tag.attributes {
                    if name.as_slice() == b"href" {
                        add(&text(&value.value));
                    }
                }
            }
            Token::String(string) => text(&string.value).split_whitespace().for_each(&mut add),
            Token::EndTag(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    found
}

fn tokens(html: &str) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).map_while(Result::ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_lines_and_links() {
        let html = "<p>One <b>two</b>&nbsp;three,<br/>four &lt;five&gt;</p><ul><li>a</li> <li> b </li></ul><script>x<y</script>z";
        assert_eq!(plain(html), "One two three,\nfour <five>\n- a\n- b\nz");
        assert_eq!(plain("  a < b  "), "a < b");
        assert_eq!(plain("<pre>a\n  b</pre>"), "a\n  b");
        assert_eq!(
            links("<a href='https://a.example/x'>X</a> http://b.example\nhttps://a.example/x no"),
            ["https://a.example/x", "http://b.example"]
        );
    }
}

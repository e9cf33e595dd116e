//! A pull reader over XML elements: limited, never expands entities, knows what is still open.

use std::io::{self, BufRead, Read};
use std::rc::Rc;
use std::str::FromStr;

use quick_xml::XmlVersion;
use quick_xml::errors::{Error as XmlError, IllFormedError, SyntaxError};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::errors::ParseError;
use crate::input::{self, Decoded, Gauge};
use crate::limits::Limits;
use crate::output::Output;

/// Attributes of one element.
const ATTRIBUTES: usize = 256;
/// Bytes of an element's name; names of all open elements are kept.
const NAME: usize = 1024;
/// Elements of one record kept as a tree; bounds what small elements cost in memory.
const NODES: usize = 200_000;

/// Name and attributes of an element, in one piece of memory: a file has millions of them.
#[derive(Debug, Default)]
pub(crate) struct Tag {
    /// The name, then the names and values of the attributes.
    text: String,
    name: usize,
    /// Where the name and the value of each attribute end.
    attributes: Vec<(usize, usize)>,
}

impl Tag {
    pub(crate) fn name(&self) -> &str {
        &self.text[..self.name]
    }

    /// An attribute that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut start = self.name;
        for &(key, value) in &self.attributes {
            if &self.text[start..key] == name {
                return Some(&self.text[key..value]).filter(|value| !value.is_empty());
            }
            start = value;
        }
        None
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.trim().parse().ok()
    }

    pub(crate) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == Some(value)
    }
}

/// A whole element, for the small ones.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) tag: Tag,
    pub(crate) text: String,
    pub(crate) children: Vec<Node>,
}

impl Node {
    pub(crate) fn name(&self) -> &str {
        self.tag.name()
    }

    pub(crate) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |node| node.name() == name)
    }

    pub(crate) fn first(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|node| node.name() == name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.tag.get(name)
    }

    /// Text of a child, trimmed, when there is any.
    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.first(name).map(|node| node.text.trim()).filter(|text| !text.is_empty())
    }
}

/// Counts decoded bytes and stops an event that grows past the limit.
struct Feed<'a> {
    inner: Decoded<'a>,
    gauge: Rc<Gauge>,
    event: u64,
    limit: u64,
    ended: bool,
}

impl BufRead for Feed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.gauge.at() - self.event > self.limit {
            return Err(self.gauge.fail(self.gauge.over("text", self.limit)));
        }
        let buffer = self.inner.fill_buf()?;
        self.ended = buffer.is_empty();
        // One byte more than the limit is enough to pass it; how long the buffer is must not matter.
        let left = usize::try_from(self.limit - (self.gauge.at() - self.event)).unwrap_or(usize::MAX);
        Ok(&buffer[..buffer.len().min(left.saturating_add(1))])
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(buffer) = self.inner.fill_buf() {
            self.gauge.pass(&buffer[..amount.min(buffer.len())]);
        }
        self.inner.consume(amount);
    }
}

impl Read for Feed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let buffer = self.fill_buf()?;
        let length = buffer.len().min(out.len());
        out[..length].copy_from_slice(&buffer[..length]);
        self.consume(length);
        Ok(length)
    }
}

/// Names of the elements that are open, outermost first.
#[derive(Default)]
struct Path {
    names: String,
    starts: Vec<usize>,
}

impl Path {
    fn depth(&self) -> usize {
        self.starts.len()
    }

    fn enter(&mut self, name: &str) {
        self.starts.push(self.names.len());
        self.names.push_str(name);
    }

    fn leave(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.names.truncate(start);
        }
    }

    fn innermost(&self) -> Option<&str> {
        self.starts.last().map(|start| &self.names[*start..])
    }
}

/// The reader; elements are visited in document order and left with [`Xml::child`] returning `None`.
pub(crate) struct Xml<'a> {
    reader: Reader<Feed<'a>>,
    buffer: Vec<u8>,
    gauge: Rc<Gauge>,
    limits: Limits,
    open: Path,
    text: String,
    keep_text: bool,
}

impl<'a> Xml<'a> {
    pub(crate) fn open(source: &'a mut dyn Read, out: &Output<'_>) -> Result<Self, ParseError> {
        let gauge = out.gauge();
        let limits = out.limits().clone();
        let feed = Feed {
            inner: input::open(source, &limits, &gauge)?,
            gauge: Rc::clone(&gauge),
            event: 0,
            limit: limits.text as u64,
            ended: false,
        };
        let mut reader = Reader::from_reader(feed);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, buffer: Vec::new(), gauge, limits, open: Path::default(), text: String::new(), keep_text: false })
    }

    /// Enters the root element, which must have one of these names.
    pub(crate) fn root(&mut self, names: &[&str], expected: &'static str) -> Result<Tag, ParseError> {
        let wrong = |found: String| ParseError::NotThisFormat { expected, found };
        let feed = self.reader.get_mut();
        match input::first_byte(&mut feed.inner, &feed.gauge)? {
            Some(b'<') => {}
            Some(byte) => return Err(wrong(format!("text starting with {:?}", char::from(byte)))),
            None => return Err(wrong("an empty file".to_owned())),
        }
        match self.step()? {
            Step::Open(tag) if names.contains(&tag.name()) => Ok(tag),
            Step::Open(tag) => Err(wrong(format!("<{}>", tag.name()))),
            Step::Close | Step::End => Err(wrong("no XML element".to_owned())),
        }
    }

    /// Enters the root of a further document in the same file, as runs that are appended to one another leave them.
    pub(crate) fn further(&mut self, names: &[&str]) -> Result<Option<Tag>, ParseError> {
        match self.step()? {
            Step::Open(tag) if names.contains(&tag.name()) => Ok(Some(tag)),
            Step::Open(tag) => Err(self.gauge.malformed(format!("<{}> after the end of the report", tag.name()))),
            Step::Close | Step::End => Ok(None),
        }
    }

    /// The next child of the element that is open, entered; `None` once that element is closed.
    pub(crate) fn child(&mut self) -> Result<Option<Tag>, ParseError> {
        match self.step()? {
            Step::Open(tag) => Ok(Some(tag)),
            Step::Close => Ok(None),
            Step::End => Err(self.truncated()),
        }
    }

    /// Leaves the element that is open without looking at the rest of it.
    pub(crate) fn skip(&mut self) -> Result<(), ParseError> {
        let level = self.open.depth();
        while self.open.depth() >= level {
            if let Step::End = self.step()? {
                return Err(self.truncated());
            }
        }
        Ok(())
    }

    /// Reads the rest of the element that was just entered as a tree.
    pub(crate) fn node(&mut self, tag: Tag) -> Result<Node, ParseError> {
        let start = self.gauge.at();
        let mut count = 0;
        self.keep_text = true;
        let node = self.subtree(tag, start, &mut count);
        self.keep_text = false;
        node
    }

    fn subtree(&mut self, tag: Tag, start: u64, count: &mut usize) -> Result<Node, ParseError> {
        *count += 1;
        if *count > NODES {
            return Err(self.gauge.over("elements of one record", NODES as u64));
        }
        if self.gauge.at() - start > self.limits.text as u64 {
            return Err(self.gauge.over("record", self.limits.text as u64));
        }
        self.text.clear();
        let mut node = Node { tag, ..Node::default() };
        loop {
            let step = self.step()?;
            node.text.push_str(&self.text);
            self.text.clear();
            match step {
                Step::Open(tag) => node.children.push(self.subtree(tag, start, count)?),
                Step::Close => return Ok(node),
                Step::End => return Err(self.truncated()),
            }
        }
    }

    fn step(&mut self) -> Result<Step, ParseError> {
        loop {
            self.buffer.clear();
            let feed = self.reader.get_mut();
            feed.event = feed.gauge.at();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.explain(error)),
            };
            match event {
                Event::Start(start) | Event::Empty(start) => {
                    let tag = tag(&start, &self.gauge)?;
                    if self.open.depth() >= self.limits.depth as usize {
                        return Err(self.gauge.over("depth", self.limits.depth.into()));
                    }
                    self.open.enter(tag.name());
                    return Ok(Step::Open(tag));
                }
                Event::End(_) => {
                    self.open.leave();
                    return Ok(Step::Close);
                }
                Event::Text(text) if self.keep_text => self.text.push_str(&text.xml10_content()),
                Event::CData(data) if self.keep_text => self.text.push_str(&data.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref() {
                        Ok(character) => character.map(String::from),
                        Err(error) => return Err(self.gauge.malformed(error.to_string())),
                    };
                    let resolved = character.or_else(|| resolve_predefined_entity(&reference).map(str::to_owned));
                    let Some(resolved) = resolved else {
                        let what = format!("undeclared entity {:?}", shown(&reference));
                        return Err(self.gauge.malformed(what));
                    };
                    if self.keep_text {
                        self.text.push_str(&resolved);
                    }
                }
                // Declarations of elements and attributes change nothing here; those of entities could.
                Event::DocType(doctype) if doctype.contains('%') || doctype.contains("<!ENTITY") => {
                    let what = "document type with entities; entities are never expanded";
                    return Err(self.gauge.malformed(what));
                }
                Event::Eof if self.open.depth() == 0 => return Ok(Step::End),
                Event::Eof => return Err(self.truncated()),
                Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
            if self.text.len() > self.limits.text {
                return Err(self.gauge.over("text", self.limits.text as u64));
            }
        }
    }

    fn truncated(&self) -> ParseError {
        let inside = match self.open.innermost() {
            Some(name) => format!("<{name}>"),
            None => "the document".to_owned(),
        };
        ParseError::Truncated { position: self.gauge.position(), inside }
    }

    fn explain(&mut self, error: XmlError) -> ParseError {
        if let Some(fault) = self.gauge.take_fault() {
            return fault;
        }
        match error {
            XmlError::Io(error) => self.gauge.failure(io::Error::new(error.kind(), error.to_string())),
            XmlError::Encoding(_) => self.gauge.bad_encoding(),
            XmlError::Syntax(
                SyntaxError::UnclosedPI
                | SyntaxError::UnclosedXmlDecl
                | SyntaxError::UnclosedComment
                | SyntaxError::UnclosedDoctype
                | SyntaxError::UnclosedCData
                | SyntaxError::UnclosedTag
                | SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) => self.truncated(),
            XmlError::IllFormed(IllFormedError::UnclosedReference) if self.reader.get_mut().ended => self.truncated(),
            XmlError::Syntax(SyntaxError::InvalidBangMarkup) if self.reader.get_mut().ended => self.truncated(),
            error => self.gauge.malformed(shown(&error.to_string())),
        }
    }
}

enum Step {
    Open(Tag),
    Close,
    End,
}

fn tag(start: &BytesStart<'_>, gauge: &Gauge) -> Result<Tag, ParseError> {
    if start.name().as_ref().len() > NAME {
        return Err(gauge.over("element name", NAME as u64));
    }
    let mut tag = Tag { text: String::with_capacity(start.len()), ..Tag::default() };
    tag.text.push_str(start.local_name().as_ref());
    tag.name = tag.text.len();
    // Checks compare each name with all before it; the first of equal names wins instead.
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| gauge.malformed(error.to_string()))?;
        if tag.attributes.len() >= ATTRIBUTES {
            return Err(gauge.over("attributes of one element", ATTRIBUTES as u64));
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| gauge.malformed(shown(&error.to_string())))?;
        tag.text.push_str(attribute.key.local_name().as_ref());
        let key = tag.text.len();
        tag.text.push_str(&value);
        tag.attributes.push((key, tag.text.len()));
    }
    Ok(tag)
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

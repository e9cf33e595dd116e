//! Strict steps through DER on top of asn1-rs: one element at a time, nothing left over, fixed depth.

use x509_parser::asn1_rs::{Any, Class, FromDer, Tag};

use crate::errors::Unreadable;

/// Elements of one list that are read.
const ELEMENTS: usize = 256;

/// Walks over the elements of a constructed value.
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
    what: &'static str,
    left: usize,
}

impl<'a> Elements<'a> {
    pub(crate) fn new(content: &'a [u8], what: &'static str) -> Self {
        Self { rest: content, what, left: ELEMENTS }
    }

    /// The element that must come next.
    pub(crate) fn next(&mut self) -> Result<Element<'a>, Unreadable> {
        self.maybe()?.ok_or_else(|| Unreadable::malformed(self.what, "an element is missing"))
    }

    /// The next element, if there is one.
    pub(crate) fn maybe(&mut self) -> Result<Option<Element<'a>>, Unreadable> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        if self.left == 0 {
            return Err(Unreadable::TooLarge { what: "elements of a list", limit: ELEMENTS });
        }
        self.left -= 1;
        let (rest, any) = Any::from_der(self.rest).map_err(|_| Unreadable::malformed(self.what, "not DER"))?;
        self.rest = rest;
        Ok(Some(Element {
            class: any.class(),
            tag: any.tag(),
            constructed: any.header.is_constructed(),
            content: any.data,
            what: self.what,
        }))
    }

    /// Nothing may follow.
    pub(crate) fn end(self) -> Result<(), Unreadable> {
        if self.rest.is_empty() { Ok(()) } else { Err(Unreadable::malformed(self.what, "elements follow the last one")) }
    }
}

/// The only element of these bytes.
pub(crate) fn single<'a>(bytes: &'a [u8], what: &'static str) -> Result<Element<'a>, Unreadable> {
    let mut elements = Elements::new(bytes, what);
    let element = elements.next()?;
    elements.end()?;
    Ok(element)
}

/// One element of DER.
pub(crate) struct Element<'a> {
    class: Class,
    tag: Tag,
    constructed: bool,
    content: &'a [u8],
    what: &'static str,
}

impl<'a> Element<'a> {
    /// The same element, called by another name in errors.
    pub(crate) fn named(self, what: &'static str) -> Self {
        Self { what, ..self }
    }

    fn expect(&self, tag: Tag, constructed: bool, name: &str) -> Result<&'a [u8], Unreadable> {
        if self.class == Class::Universal && self.tag == tag && self.constructed == constructed {
            return Ok(self.content);
        }
        Err(Unreadable::malformed(self.what, format!("not {name}")))
    }

    pub(crate) fn sequence(&self) -> Result<Elements<'a>, Unreadable> {
        Ok(Elements::new(self.expect(Tag::Sequence, true, "a SEQUENCE")?, self.what))
    }

    pub(crate) fn set(&self) -> Result<Elements<'a>, Unreadable> {
        Ok(Elements::new(self.expect(Tag::Set, true, "a SET")?, self.what))
    }

    pub(crate) fn octets(&self) -> Result<&'a [u8], Unreadable> {
        self.expect(Tag::OctetString, false, "an OCTET STRING")
    }

    pub(crate) fn null(&self) -> Result<bool, Unreadable> {
        let content = self.expect(Tag::Null, false, "NULL")?;
        if content.is_empty() { Ok(true) } else { Err(Unreadable::malformed(self.what, "NULL with content")) }
    }

    pub(crate) fn boolean(&self) -> Result<bool, Unreadable> {
        match self.expect(Tag::Boolean, false, "a BOOLEAN")? {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(Unreadable::malformed(self.what, "a BOOLEAN that is neither 00 nor FF")),
        }
    }

    pub(crate) fn integer(&self) -> Result<u64, Unreadable> {
        let content = self.expect(Tag::Integer, false, "an INTEGER")?;
        self.number(content)
    }

    pub(crate) fn enumerated(&self) -> Result<u64, Unreadable> {
        let content = self.expect(Tag::Enumerated, false, "an ENUMERATED")?;
        self.number(content)
    }

    fn number(&self, content: &[u8]) -> Result<u64, Unreadable> {
        let digits = match content {
            [] => return Err(Unreadable::malformed(self.what, "a number without content")),
            [first, ..] if *first >= 0x80 => return Err(Unreadable::malformed(self.what, "a number below zero")),
            [0, second, ..] if *second < 0x80 => return Err(Unreadable::malformed(self.what, "a number with needless zeros")),
            [0, digits @ ..] => digits,
            digits => digits,
        };
        if digits.len() > 8 {
            return Err(Unreadable::malformed(self.what, "a number over 64 bits"));
        }
        Ok(digits.iter().fold(0, |value, digit| (value << 8) | u64::from(*digit)))
    }

    /// Number of a context-specific tag around one element, and that element.
    pub(crate) fn tagged(&self) -> Result<(u32, Element<'a>), Unreadable> {
        if self.class != Class::ContextSpecific || !self.constructed {
            return Err(Unreadable::malformed(self.what, "not an explicitly tagged element"));
        }
        Ok((self.tag.0, single(self.content, self.what)?))
    }
}

/// Content of an OCTET STRING that is all there is, or the bytes themselves: makers write CBOR extensions both ways.
pub(crate) fn octets_or_bare(bytes: &[u8]) -> &[u8] {
    single(bytes, "extension").and_then(|element| element.octets()).unwrap_or(bytes)
}

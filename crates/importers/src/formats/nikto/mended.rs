//! JSON as Nikto wrote it until version 2.5: a comma after the last item and after the last member, and the next host begun where a
//! member would be. Every byte that is mended is replaced by one, so that positions stay.

use std::io::{self, Read};

/// Space before what decides about a comma; more is none of Nikto's.
const BLANK: usize = 1 << 10;

/// Reads through a source and mends it.
pub(super) struct Mended<'r> {
    source: &'r mut dyn Read,
    /// What is open, innermost last.
    open: Vec<u8>,
    string: bool,
    escaped: bool,
    /// A comma and the space after it, before it is known what follows.
    held: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<'r> Mended<'r> {
    pub(super) fn new(source: &'r mut dyn Read) -> Self {
        Self { source, open: Vec::new(), string: false, escaped: false, held: Vec::new(), ready: Vec::new(), given: 0, ended: false }
    }

    fn step(&mut self, byte: u8) {
        if self.string {
            self.string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            self.ready.push(byte);
            return;
        }
        if !self.held.is_empty() {
            if byte.is_ascii_whitespace() && self.held.len() < BLANK {
                self.held.push(byte);
                return;
            }
            match byte {
                b']' | b'}' => self.held[0] = b' ',
                b'{' if self.open.last() == Some(&b'{') => {
                    self.held[0] = b'}';
                    self.open.pop();
                }
                _ => {}
            }
            self.ready.append(&mut self.held);
        }
        match byte {
            b',' => {
                self.held.push(byte);
                return;
            }
            b'"' => self.string = true,
            b'[' | b'{' => self.open.push(byte),
            b']' | b'}' => {
                self.open.pop();
            }
            _ => {}
        }
        self.ready.push(byte);
    }
}

impl Read for Mended<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() && !self.ended {
            self.ready.clear();
            self.given = 0;
            let mut chunk = [0; 8 << 10];
            let length = self.source.read(&mut chunk)?;
            chunk[..length].iter().for_each(|byte| self.step(*byte));
            if length == 0 {
                self.ended = true;
                self.ready.append(&mut self.held);
            }
        }
        let length = out.len().min(self.ready.len() - self.given);
        out[..length].copy_from_slice(&self.ready[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

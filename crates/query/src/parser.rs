//! From text to [`Expression`], in one pass. Every refusal names the character it is about.

use crate::errors::{Fault, QueryError};
use crate::expression::Expression;
use crate::leaf::{self, Comparison, Written};
use crate::schema::{Field, Schema};

/// Bytes of a query.
pub const MAXIMUM_LENGTH: usize = 4096;

/// Nested parentheses and negations of a query.
pub const MAXIMUM_DEPTH: usize = 32;

/// Conditions of a query.
pub const MAXIMUM_CLAUSES: usize = 256;

/// Suggested names are at most this many edits away.
const DISTANCE: usize = 3;

/// Reads a query against the fields of an index; `now` is the moment, in microseconds UTC, that `now` means.
///
/// An empty query means everything. Words side by side must all match; `AND`, `OR` and `NOT` (or `-`) are written in capitals,
/// `NOT` binds strongest and `OR` weakest. Values are `word`, `"a phrase"`, `beginning*`, `*` (has any value), `>=7`,
/// `[7 TO 9]`, `{7 TO *}` and `(one OR another)`.
///
/// # Errors
/// What is wrong, and at which character.
pub fn parse(text: &str, schema: &'static Schema, now: i64) -> Result<Expression, QueryError> {
    let mut parser = Parser { letters: text.chars().collect(), at: 0, depth: 0, clauses: 0, schema, now };
    if text.len() > MAXIMUM_LENGTH {
        return Err(QueryError { fault: Fault::TooLong(MAXIMUM_LENGTH), position: 1 });
    }
    parser.space();
    if parser.peek().is_none() {
        return Ok(Expression::everything());
    }
    let expression = parser.either(None)?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.unexpected("a condition")),
    }
}

struct Parser {
    letters: Vec<char>,
    at: usize,
    depth: usize,
    clauses: usize,
    schema: &'static Schema,
    now: i64,
}

type Parsed = Result<Expression, QueryError>;

impl Parser {
    /// Conditions joined by `OR`.
    fn either(&mut self, field: Option<&'static Field>) -> Parsed {
        let mut parts = vec![self.all(field)?];
        while self.operator("OR") {
            parts.push(self.all(field)?);
        }
        Ok(one_or(parts, Expression::Or))
    }

    /// Conditions side by side or joined by `AND`.
    fn all(&mut self, field: Option<&'static Field>) -> Parsed {
        let mut parts = vec![self.not(field)?];
        loop {
            if self.operator("AND") {
                parts.push(self.not(field)?);
                continue;
            }
            match self.peek() {
                None | Some(')') => break,
                Some(_) if self.is_operator("OR") => break,
                Some(_) => parts.push(self.not(field)?),
            }
        }
        Ok(one_or(parts, Expression::And))
    }

    fn not(&mut self, field: Option<&'static Field>) -> Parsed {
        self.space();
        let is_sign = self.peek() == Some('-') && self.ahead(1).is_some_and(|next| !next.is_whitespace() && !next.is_ascii_digit());
        if self.operator("NOT") {
        } else if is_sign {
            self.at += 1;
        } else {
            return self.condition(field);
        }
        self.deeper()?;
        let inner = self.not(field)?;
        self.depth -= 1;
        Ok(Expression::Not(Box::new(inner)))
    }

    fn condition(&mut self, field: Option<&'static Field>) -> Parsed {
        self.space();
        let start = self.at;
        match self.peek() {
            Some('(') => return self.group(field),
            None | Some(')' | ']' | '}') => return Err(self.unexpected("a condition")),
            _ if self.is_operator("AND") || self.is_operator("OR") => return Err(self.unexpected("a condition")),
            _ => {}
        }
        if let Some(field) = field {
            return self.value(field);
        }
        if let Some(field) = self.field()? {
            return self.value(field);
        }
        if let Some('[' | '{' | '<' | '>' | '=' | ':') = self.peek() {
            return Err(self.unexpected("a field before a range or comparison"));
        }
        self.count(start)?;
        let written = self.written()?;
        leaf::free(&written).map_err(|fault| at(start, fault))
    }

    fn group(&mut self, field: Option<&'static Field>) -> Parsed {
        self.at += 1;
        self.deeper()?;
        let inner = self.either(field)?;
        self.depth -= 1;
        if self.peek() != Some(')') {
            return Err(self.unexpected("`)`"));
        }
        self.at += 1;
        Ok(inner)
    }

    /// The field whose condition begins here, if one does; its `:` is read with it.
    fn field(&mut self) -> Result<Option<&'static Field>, QueryError> {
        let is_name = |letter: &char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
        let rest = self.letters.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|letter| is_name(letter)).count();
        let is_field = length > 0 && matches!(rest.get(length), Some(':' | '<' | '>' | '='));
        if !is_field {
            return Ok(None);
        }
        let name: String = rest.iter().take(length).collect();
        let Some(field) = self.schema.field(&name) else {
            return Err(at(self.at, Fault::UnknownField { suggestions: similar(&name, self.schema), name }));
        };
        self.at += length;
        if self.peek() == Some(':') {
            self.at += 1;
            if self.peek().is_none_or(char::is_whitespace) {
                return Err(self.unexpected("a value right after `:`"));
            }
        }
        Ok(Some(field))
    }

    /// What a field is held against.
    fn value(&mut self, field: &'static Field) -> Parsed {
        let start = self.at;
        match self.peek() {
            Some('(') => return self.group(Some(field)),
            Some('[' | '{') => return self.range(field),
            _ => {}
        }
        self.count(start)?;
        let comparison = self.comparison();
        if comparison != Comparison::Equal {
            self.space();
        }
        let value = self.at;
        let written = self.written()?;
        leaf::compared(field, comparison, &written, self.now).map_err(|fault| at(value, fault))
    }

    fn comparison(&mut self) -> Comparison {
        let (length, comparison) = match (self.peek(), self.ahead(1)) {
            (Some('<'), Some('=')) => (2, Comparison::AtMost),
            (Some('>'), Some('=')) => (2, Comparison::AtLeast),
            (Some('<'), _) => (1, Comparison::Less),
            (Some('>'), _) => (1, Comparison::Greater),
            (Some('='), _) => (1, Comparison::Equal),
            _ => (0, Comparison::Equal),
        };
        self.at += length;
        comparison
    }

    /// `[one TO other]`; a curly bracket leaves its end out.
    fn range(&mut self, field: &'static Field) -> Parsed {
        let start = self.at;
        self.count(start)?;
        let with_low = self.peek() == Some('[');
        self.at += 1;
        self.space();
        let low = self.written()?;
        if !self.operator("TO") {
            return Err(self.unexpected("`TO`"));
        }
        self.space();
        let high = self.written()?;
        self.space();
        let with_high = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return Err(self.unexpected("`]` or `}`")),
        };
        self.at += 1;
        let end = |written, included| if is_open(written) { None } else { Some((written, included)) };
        leaf::between(field, end(&low, with_low), end(&high, with_high), self.now).map_err(|fault| at(start, fault))
    }

    fn written(&mut self) -> Result<Written, QueryError> {
        if self.peek() == Some('"') { self.quoted() } else { self.bare() }
    }

    fn quoted(&mut self) -> Result<Written, QueryError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.unexpected("a closing `\"`")),
                Some('"') => break,
                Some('\\') if self.ahead(1).is_some() => {
                    text.extend(self.ahead(1));
                    self.at += 2;
                }
                Some(letter) => {
                    text.push(letter);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        if self.peek() == Some('*') {
            return Err(at(self.at, Fault::Wildcard));
        }
        Ok(Written { text, prefix: false })
    }

    fn bare(&mut self) -> Result<Written, QueryError> {
        let start = self.at;
        let mut text = String::new();
        let mut prefix = false;
        while let Some(letter) = self.peek().filter(|letter| !letter.is_whitespace() && !"()[]{}\"".contains(*letter)) {
            if prefix {
                return Err(at(self.at - 1, Fault::Wildcard));
            }
            match (letter, self.ahead(1)) {
                ('\\', Some(next)) => {
                    text.push(next);
                    self.at += 1;
                }
                ('*', _) => prefix = true,
                (letter, _) => text.push(letter),
            }
            self.at += 1;
        }
        if self.at == start {
            return Err(self.unexpected("a value"));
        }
        Ok(Written { text, prefix })
    }

    /// Reads the operator if it stands here as a word of its own.
    fn operator(&mut self, word: &str) -> bool {
        self.space();
        let found = self.is_operator(word);
        if found {
            self.at += word.len();
            self.space();
        }
        found
    }

    fn is_operator(&self, word: &str) -> bool {
        let end = self.at + word.len();
        let is_here = self.letters.get(self.at..end).is_some_and(|letters| letters.iter().copied().eq(word.chars()));
        is_here && self.letters.get(end).is_none_or(|next| next.is_whitespace() || matches!(next, '(' | '"'))
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.ahead(0)
    }

    fn ahead(&self, distance: usize) -> Option<char> {
        self.letters.get(self.at + distance).copied()
    }

    fn deeper(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > MAXIMUM_DEPTH { Err(at(self.at, Fault::TooDeep(MAXIMUM_DEPTH))) } else { Ok(()) }
    }

    fn count(&mut self, start: usize) -> Result<(), QueryError> {
        self.clauses += 1;
        if self.clauses > MAXIMUM_CLAUSES { Err(at(start, Fault::TooMany(MAXIMUM_CLAUSES))) } else { Ok(()) }
    }

    fn unexpected(&self, expected: &'static str) -> QueryError {
        let rest = self.letters.get(self.at..).unwrap_or_default();
        let word: String = rest.iter().take_while(|letter| !letter.is_whitespace()).take(20).collect();
        let found = match rest.first() {
            None => "the end".to_owned(),
            Some(letter) if letter.is_whitespace() => "a space".to_owned(),
            Some(letter) if !letter.is_alphanumeric() => format!("`{letter}`"),
            Some(_) => format!("`{word}`"),
        };
        at(self.at, Fault::Unexpected { expected, found })
    }
}

fn is_open(written: &Written) -> bool {
    written.prefix && written.text.is_empty()
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn at(index: usize, fault: Fault) -> QueryError {
    QueryError { fault, position: index + 1 }
}

/// Fields that somebody who wrote `name` may have meant; all of them when none is near.
fn similar(name: &str, schema: &'static Schema) -> Vec<&'static str> {
    let mut near: Vec<(usize, &'static str)> = schema
        .fields
        .iter()
        .map(|field| (strsim::osa_distance(name, field.name), field.name))
        .filter(|(distance, field)| *distance <= DISTANCE.min(name.len() / 2) || (name.len() > 2 && field.contains(name)))
        .collect();
    near.sort_unstable();
    let near: Vec<_> = near.into_iter().map(|(_, name)| name).take(3).collect();
    if near.is_empty() { schema.fields.iter().map(|field| field.name).collect() } else { near }
}

//! From a field and a written value to a checked test.

use std::ops::Bound;

use crate::errors::Fault;
use crate::expression::{Expression, Leaf, Test};
use crate::schema::{Field, Kind};
use crate::{analysis, literal};

/// A value as written.
pub(crate) struct Written {
    pub(crate) text: String,
    /// Ends with `*`, which is not part of the text.
    pub(crate) prefix: bool,
}

/// How a value is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// The words of a query without a field.
pub(crate) fn free(written: &Written) -> Result<Expression, Fault> {
    if written.prefix && written.text.is_empty() {
        return Ok(Expression::everything());
    }
    Ok(leaf(None, text(written)?))
}

/// A field and its value.
pub(crate) fn equal(field: &'static Field, written: &Written, now: i64) -> Result<Expression, Fault> {
    if written.prefix && written.text.is_empty() {
        return Ok(leaf(Some(field), Test::Present));
    }
    match field.kind {
        Kind::Text => Ok(leaf(Some(field), text(written)?)),
        Kind::Keyword => {
            let term = analysis::term(&written.text);
            if term.is_empty() {
                return Err(wrong(field, written));
            }
            Ok(leaf(Some(field), if written.prefix { Test::TermPrefix(term) } else { Test::Term(term) }))
        }
        _ if written.prefix => Err(Fault::Wildcard),
        _ => between(field, Some((written, true)), Some((written, true)), now),
    }
}

/// A field compared with a value.
pub(crate) fn compared(field: &'static Field, comparison: Comparison, written: &Written, now: i64) -> Result<Expression, Fault> {
    match comparison {
        Comparison::Equal => equal(field, written, now),
        Comparison::Less | Comparison::AtMost => between(field, None, Some((written, comparison == Comparison::AtMost)), now),
        Comparison::Greater | Comparison::AtLeast => between(field, Some((written, comparison == Comparison::AtLeast)), None, now),
    }
}

/// A field between two values, each included or not; `None` for an open end.
pub(crate) fn between(
    field: &'static Field,
    low: Option<(&Written, bool)>,
    high: Option<(&Written, bool)>,
    now: i64,
) -> Result<Expression, Fault> {
    if matches!(field.kind, Kind::Text | Kind::Keyword) {
        return Err(Fault::NoOrder(field.name));
    }
    if low.iter().chain(&high).any(|(written, _)| written.prefix) {
        return Err(Fault::Wildcard);
    }
    if low.is_none() && high.is_none() {
        return Ok(leaf(Some(field), Test::Present));
    }
    if field.kind == Kind::Number { numbers(field, low, high) } else { integers(field, low, high, now) }
}

fn numbers(field: &'static Field, low: Option<(&Written, bool)>, high: Option<(&Written, bool)>) -> Result<Expression, Fault> {
    let read = |end: Option<(&Written, bool)>| match end {
        None => Ok(Bound::Unbounded),
        Some((written, included)) => {
            let value = literal::number(&written.text).ok_or_else(|| wrong(field, written))?;
            Ok(if included { Bound::Included(value) } else { Bound::Excluded(value) })
        }
    };
    let (low, high) = (read(low)?, read(high)?);
    let is_empty = match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
        _ => false,
    };
    Ok(if is_empty { Expression::nothing() } else { leaf(Some(field), Test::Numbers(low, high)) })
}

fn integers(field: &'static Field, low: Option<(&Written, bool)>, high: Option<(&Written, bool)>, now: i64) -> Result<Expression, Fault> {
    let read = |written: &Written| literal::integers(field.kind, &written.text, now).ok_or_else(|| wrong(field, written));
    let mut bounds = (None, None);
    if let Some((written, included)) = low {
        let (first, last) = read(written)?;
        // Nothing lies beyond the greatest number.
        let Some(low) = (if included { Some(first) } else { last.checked_add(1) }) else { return Ok(Expression::nothing()) };
        bounds.0 = Some(low);
    }
    if let Some((written, included)) = high {
        let (first, last) = read(written)?;
        let Some(high) = (if included { Some(last) } else { first.checked_sub(1) }) else { return Ok(Expression::nothing()) };
        bounds.1 = Some(high);
    }
    match bounds {
        (Some(low), Some(high)) if low > high => Ok(Expression::nothing()),
        (low, high) => Ok(leaf(Some(field), Test::Integers(low, high))),
    }
}

fn text(written: &Written) -> Result<Test, Fault> {
    let mut words = analysis::words(&written.text);
    if !written.prefix {
        return if words.is_empty() { Err(Fault::NoWord(written.text.clone())) } else { Ok(Test::Phrase(words)) };
    }
    let ends_in_word = written.text.ends_with(char::is_alphanumeric);
    match words.pop() {
        Some(word) if words.is_empty() && ends_in_word => Ok(Test::WordPrefix(word)),
        _ => Err(Fault::Wildcard),
    }
}

fn leaf(field: Option<&'static Field>, test: Test) -> Expression {
    Expression::Leaf(Leaf { field, test })
}

fn wrong(field: &'static Field, written: &Written) -> Fault {
    let value = if written.prefix { format!("{}*", written.text) } else { written.text.clone() };
    Fault::WrongValue { field: field.name, value, expected: literal::expected(field.kind) }
}

//! Checks on what people write: lines, paragraphs, labels.

use std::collections::BTreeSet;

use base::Result;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::errors;

/// One line of text: trimmed, not empty, no control characters.
pub(crate) fn line(pointer: &str, given: &str, maximum: usize) -> Result<String> {
    let line = text(pointer, given, maximum)?;
    if line.is_empty() {
        return Err(errors::field(pointer, "it must not be empty"));
    }
    if line.contains(['\n', '\r', '\t']) {
        return Err(errors::field(pointer, "it must be one line"));
    }
    Ok(line)
}

/// Text of any number of lines: trimmed, no control characters but line breaks and tabs.
pub(crate) fn text(pointer: &str, given: &str, maximum: usize) -> Result<String> {
    let text = given.trim();
    if text.chars().count() > maximum {
        return Err(errors::field(pointer, format!("it must have at most {maximum} characters")));
    }
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(errors::field(pointer, "it must not contain control characters"));
    }
    Ok(text.to_owned())
}

/// As [`line`], where nothing may be given.
pub(crate) fn optional_line(pointer: &str, given: Option<&str>, maximum: usize) -> Result<Option<String>> {
    given.map(str::trim).filter(|text| !text.is_empty()).map(|text| line(pointer, text, maximum)).transpose()
}

/// Labels in lower case, each once, sorted.
pub(crate) fn tags(given: &[String]) -> Result<Vec<String>> {
    if given.len() > 50 {
        return Err(errors::field("/tags", "a target has at most 50 tags"));
    }
    let mut tags = BTreeSet::new();
    for (index, tag) in given.iter().enumerate() {
        let pointer = format!("/tags/{index}");
        let tag = line(&pointer, &tag.to_lowercase(), 64)?;
        if tag.contains([',', ';']) {
            return Err(errors::field(&pointer, "a tag must not contain a comma or semicolon"));
        }
        tags.insert(tag);
    }
    Ok(tags.into_iter().collect())
}

/// Labels as the API describes them.
pub(crate) fn tags_schema() -> RefOr<Schema> {
    let tag = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(64));
    ArrayBuilder::new().items(tag).max_items(Some(50)).into()
}

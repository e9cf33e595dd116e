//! Where a key of a mapping stands in the text a person wrote, so that an error can point at it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::errors::Position;

/// The place of a key such as `fields.severity.table`; of what is missing, the place of what should hold it.
pub(super) fn of(text: &str, key: &str) -> Option<Position> {
    let mut value: &str = serde_json::from_str::<&RawValue>(text).ok()?.get();
    for part in key.split('.') {
        let Some(inner) = step(value, part) else { break };
        value = inner;
    }
    // Parts of a borrowed document lie inside it.
    let byte = (value.as_ptr() as usize).checked_sub(text.as_ptr() as usize).filter(|byte| *byte <= text.len())?;
    Some(at(text, byte))
}

/// The place that a parser of JSON names by line and column, both counted from one.
pub(super) fn of_line(text: &str, line: usize, column: usize) -> Position {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    at(text, (start + column.saturating_sub(1)).min(text.len()))
}

fn at(text: &str, byte: usize) -> Position {
    let line = text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count() as u64 + 1;
    Position { byte: byte as u64, line: Some(line), record: None }
}

fn step<'t>(value: &'t str, part: &str) -> Option<&'t str> {
    if value.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
        return items.get(part.parse::<usize>().ok()?).map(|item| item.get());
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(value).ok()?;
    members.get(part).map(|member| member.get())
}

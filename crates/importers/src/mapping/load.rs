//! From the document a person wrote to a mapping; every error names the key it is about.

use chrono::format::{Item, StrftimeItems};
use serde_json::{Map, Value};

use super::{MappedNotation, Mapping, MappingError, MappingFault, Origin, TARGETS, Target, place};
use crate::model::Severity;

const NAME: usize = 80;
const LIST: usize = 100;

fn wrong(key: impl Into<String>, what: MappingFault) -> MappingError {
    MappingError { key: key.into(), what, position: None }
}

pub(super) fn mapping(text: &str) -> Result<Mapping, MappingError> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let position = place::of_line(text, error.line(), error.column());
        MappingError { position: Some(position), ..wrong("mapping", MappingFault::NotJson(error.to_string())) }
    })?;
    let Value::Object(members) = value else {
        return Err(wrong("mapping", MappingFault::NotAnObject));
    };
    known(&members, "", &["name", "notation", "records", "fields", "keys"])?;
    let name = members.get("name").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if !is_name(name) {
        return Err(wrong("name", MappingFault::Name));
    }
    let notation = match members.get("notation").map(Value::as_str) {
        None | Some(Some("table" | "csv")) => MappedNotation::Table,
        Some(Some("json" | "ndjson")) => MappedNotation::Json,
        Some(_) => return Err(wrong("notation", MappingFault::Notation)),
    };
    let records = match members.get("records") {
        None => Vec::new(),
        Some(_) if notation == MappedNotation::Table => return Err(wrong("records", MappingFault::RecordsOfTable)),
        Some(Value::String(path)) if path.is_empty() => Vec::new(),
        Some(Value::String(path)) if path.split('.').all(|part| !part.is_empty()) => path.split('.').map(str::to_owned).collect(),
        Some(_) => return Err(wrong("records", MappingFault::Records)),
    };
    let fields = fields(members.get("fields"))?;
    let keys = keys(members.get("keys"))?;
    Ok(Mapping { name: name.to_owned(), notation, records, fields, keys })
}

/// Whether a mapping may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME && !name.contains(char::is_control)
}

/// A misspelt key is refused: passing over it would be a guess.
fn known(members: &Map<String, Value>, under: &str, names: &[&str]) -> Result<(), MappingError> {
    match members.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(wrong(format!("{under}{key}"), MappingFault::UnknownKey(names.join(", ")))),
        None => Ok(()),
    }
}

fn fields(value: Option<&Value>) -> Result<Vec<(Target, Origin)>, MappingError> {
    let Some(Value::Object(members)) = value else {
        return Err(wrong("fields", MappingFault::Fields));
    };
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    known(members, "fields.", &names)?;
    let mut fields = Vec::new();
    for (name, target) in TARGETS {
        if let Some(value) = members.get(name) {
            fields.push((target, origin(value, &format!("fields.{name}"), target)?));
        }
    }
    if !members.contains_key("title") {
        return Err(wrong("fields.title", MappingFault::Required));
    }
    Ok(fields)
}

fn text(value: &Value, key: &str) -> Result<String, MappingError> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(wrong(key, MappingFault::Text)),
    }
}

fn texts(value: &Value, key: &str) -> Result<Vec<String>, MappingError> {
    match value {
        Value::Array(items) if items.is_empty() || items.len() > LIST => Err(wrong(key, MappingFault::Texts)),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| text(item, &format!("{key}.{index}"))).collect(),
        value => Ok(vec![text(value, key)?]),
    }
}

fn origin(value: &Value, key: &str, target: Target) -> Result<Origin, MappingError> {
    let Value::Object(members) = value else {
        return Ok(Origin { from: texts(value, key)?, ..Origin::default() });
    };
    known(members, &format!("{key}."), &["from", "constant", "join", "split", "format", "table"])?;
    let member = |name: &str| members.get(name).map(|value| (value, format!("{key}.{name}")));
    let one = |name: &str| member(name).map(|(value, key)| text(value, &key)).transpose();
    let origin = Origin {
        from: member("from").map(|(value, key)| texts(value, &key)).transpose()?.unwrap_or_default(),
        constant: one("constant")?,
        join: one("join")?,
        split: one("split")?,
        format: one("format")?,
        table: match member("table") {
            Some((value, key)) => table(value, &key)?,
            None => Vec::new(),
        },
    };
    if origin.from.is_empty() && origin.constant.is_none() {
        return Err(wrong(key, MappingFault::Origin));
    }
    let lists = matches!(target, Target::Cwes | Target::Cves | Target::Aliases | Target::References | Target::Tags);
    if origin.split.is_some() && !lists {
        return Err(wrong(format!("{key}.split"), MappingFault::SplitOf));
    }
    if !origin.table.is_empty() && target != Target::Severity {
        return Err(wrong(format!("{key}.table"), MappingFault::TableOf));
    }
    if let Some(format) = &origin.format {
        if target != Target::ObservedAt {
            return Err(wrong(format!("{key}.format"), MappingFault::FormatOf));
        }
        if StrftimeItems::new(format).any(|item| matches!(item, Item::Error)) {
            return Err(wrong(format!("{key}.format"), MappingFault::DateFormat(format.clone())));
        }
    }
    check(&origin, key, target)?;
    Ok(origin)
}

/// A constant that could never be taken is found now and not with the first file.
fn check(origin: &Origin, key: &str, target: Target) -> Result<(), MappingError> {
    let Some(constant) = &origin.constant else {
        return Ok(());
    };
    let fits = match target {
        Target::Severity => origin.rate(constant).is_some(),
        Target::Confidence => constant.parse::<u8>().is_ok_and(|number| number <= 100),
        Target::Port => constant.parse::<u16>().is_ok(),
        Target::Line => constant.parse::<u32>().is_ok(),
        _ => true,
    };
    if fits { Ok(()) } else { Err(wrong(format!("{key}.constant"), MappingFault::Constant(constant.clone()))) }
}

fn table(value: &Value, key: &str) -> Result<Vec<(String, Severity)>, MappingError> {
    let Value::Object(members) = value else {
        return Err(wrong(key, MappingFault::Table));
    };
    members
        .iter()
        .map(|(word, severity)| {
            let key = format!("{key}.{word}");
            let severity = text(severity, &key)?.parse().map_err(|_| wrong(key, MappingFault::Severity))?;
            Ok((word.trim().to_lowercase(), severity))
        })
        .collect()
}

fn keys(value: Option<&Value>) -> Result<Vec<Vec<String>>, MappingError> {
    let required = || wrong("keys", MappingFault::Keys);
    match value {
        Some(Value::Array(items)) if items.iter().all(Value::is_string) && !items.is_empty() => {
            Ok(vec![texts(&Value::Array(items.clone()), "keys")?])
        }
        Some(Value::Array(items)) if !items.is_empty() && items.len() <= LIST => items
            .iter()
            .enumerate()
            .map(|(index, item)| if item.is_array() { texts(item, &format!("keys.{index}")) } else { Err(required()) })
            .collect(),
        _ => Err(required()),
    }
}

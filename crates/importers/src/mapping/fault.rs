//! What can be wrong with a key of a mapping: a word for catalogues, and the English that says it.

use std::fmt;

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappingFault {
    /// The text is no JSON; in the words of its reader.
    NotJson(String),
    /// The document is no object.
    NotAnObject,
    /// The key is misspelt; these are known there.
    UnknownKey(String),
    /// The name is empty or too long.
    Name,
    /// The notation is unknown.
    Notation,
    /// A table has no path of records.
    RecordsOfTable,
    /// The path of records is none.
    Records,
    /// There are no fields.
    Fields,
    /// A field that has to be there is not.
    Required,
    /// The text is empty or none.
    Text,
    /// The list is empty or too long.
    Texts,
    /// Nothing says where the value comes from.
    Origin,
    /// Only lists are split.
    SplitOf,
    /// Only severities have a table.
    TableOf,
    /// Only dates have a format.
    FormatOf,
    /// This is no format of dates.
    DateFormat(String),
    /// This constant could never be taken.
    Constant(String),
    /// The table of severities is none.
    Table,
    /// The word is no severity.
    Severity,
    /// The columns that identify a finding are missing.
    Keys,
}

/// Words of [`MappingFault`], for catalogues: each needs a text in every language.
pub const MAPPING_FAULTS: &[&str] = &[
    "not_json",
    "not_an_object",
    "unknown_key",
    "name",
    "notation",
    "records_of_table",
    "records",
    "fields",
    "required",
    "text",
    "texts",
    "origin",
    "split_of",
    "table_of",
    "format_of",
    "date_format",
    "constant",
    "table",
    "severity",
    "keys",
];

impl MappingFault {
    /// Its word in catalogues, one of [`MAPPING_FAULTS`].
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::UnknownKey(_) => "unknown_key",
            Self::Name => "name",
            Self::Notation => "notation",
            Self::RecordsOfTable => "records_of_table",
            Self::Records => "records",
            Self::Fields => "fields",
            Self::Required => "required",
            Self::Text => "text",
            Self::Texts => "texts",
            Self::Origin => "origin",
            Self::SplitOf => "split_of",
            Self::TableOf => "table_of",
            Self::FormatOf => "format_of",
            Self::DateFormat(_) => "date_format",
            Self::Constant(_) => "constant",
            Self::Table => "table",
            Self::Severity => "severity",
            Self::Keys => "keys",
        }
    }

    /// What the text about it quotes; empty where it quotes nothing.
    pub fn quoted(&self) -> &str {
        match self {
            Self::NotJson(text) | Self::UnknownKey(text) | Self::DateFormat(text) | Self::Constant(text) => text,
            _ => "",
        }
    }
}

impl fmt::Display for MappingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why) => write!(f, "not JSON: {why}"),
            Self::NotAnObject => f.write_str("not an object"),
            Self::UnknownKey(known) => write!(f, "unknown key; known are {known}"),
            Self::Name => f.write_str("needs a text of 1 to 80 bytes"),
            Self::Notation => f.write_str("is none of table, json"),
            Self::RecordsOfTable => f.write_str("means nothing for a table"),
            Self::Records => f.write_str("needs a path of members with dots between them"),
            Self::Fields => f.write_str("needs an object of fields"),
            Self::Required => f.write_str("is required"),
            Self::Text => f.write_str("needs a text that is not empty"),
            Self::Texts => f.write_str("needs 1 to 100 texts"),
            Self::Origin => f.write_str("needs from or constant"),
            Self::SplitOf => f.write_str("is for lists: cwes, cves, aliases, references, tags"),
            Self::TableOf => f.write_str("is for severity"),
            Self::FormatOf => f.write_str("is for observed_at"),
            Self::DateFormat(given) => write!(f, "{given:?} is not a date format"),
            Self::Constant(given) => write!(f, "{given:?} does not fit the field"),
            Self::Table => f.write_str("needs an object of words and severities"),
            Self::Severity => f.write_str("is none of info, low, medium, high, critical"),
            Self::Keys => f.write_str("needs the columns that make a finding the same again"),
        }
    }
}

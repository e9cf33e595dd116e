//! What an index holds: its fields and their kinds. Declared as a constant beside the noun it describes.

use crate::analysis;

/// One index.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    /// Name of the index, such as `vulnerabilities`.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
    /// How answers are sorted when nobody says: a sortable field, `-` before it for descending.
    pub sort: &'static str,
}

/// One field of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Lower-case letters, digits and `_`.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// What it means, for the documentation.
    pub about: &'static str,
    /// Whether words without a field look into it.
    pub free: bool,
    /// Whether answers may be sorted by it.
    pub sortable: bool,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Prose, found by its words.
    Text,
    /// An exact term, found whole or by its beginning; letter case and accents do not matter.
    Keyword,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A moment, in microseconds UTC.
    Time,
    /// True or false, kept as 1 and 0.
    Flag,
    /// One of these names, lowest first, kept as its place.
    Rank(&'static [&'static str]),
}

impl Schema {
    /// The field of this name.
    #[must_use]
    pub fn field(&'static self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Everything an index was made from; two indexes with the same text hold documents alike.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|field| {
                let marks = format!("{}{}", if field.free { "f" } else { "" }, if field.sortable { "s" } else { "" });
                format!("{} {:?} {marks}", field.name, field.kind)
            })
            .collect();
        format!("analysis {}; {}", analysis::VERSION, fields.join("; "))
    }
}

impl Field {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, about, free: false, sortable: false }
    }

    /// A field of prose, looked into by words without a field.
    #[must_use]
    pub const fn text(name: &'static str, about: &'static str) -> Self {
        Self { free: true, ..Self::new(name, Kind::Text, about) }
    }

    /// A field of exact terms.
    #[must_use]
    pub const fn keyword(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Keyword, about)
    }

    /// A field of whole numbers.
    #[must_use]
    pub const fn integer(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Integer, about)
    }

    /// A field of numbers.
    #[must_use]
    pub const fn number(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Number, about)
    }

    /// A field of moments.
    #[must_use]
    pub const fn time(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Time, about)
    }

    /// A field that is true or false.
    #[must_use]
    pub const fn flag(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Kind::Flag, about)
    }

    /// A field of ordered names, lowest first.
    #[must_use]
    pub const fn rank(name: &'static str, ranks: &'static [&'static str], about: &'static str) -> Self {
        Self::new(name, Kind::Rank(ranks), about)
    }

    /// Words without a field look into it too.
    #[must_use]
    pub const fn free(self) -> Self {
        Self { free: true, ..self }
    }

    /// Answers may be sorted by it.
    #[must_use]
    pub const fn sortable(self) -> Self {
        Self { sortable: true, ..self }
    }
}

impl Kind {
    /// Whether an engine keeps it as a whole number.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Integer | Self::Time | Self::Flag | Self::Rank(_))
    }
}

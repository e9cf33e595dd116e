//! Business units: the branches of an organisation, written as a path of names. The paths are the tree; nothing else keeps it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema};

use crate::{Error, Result, errors};

/// Most levels below the organisation.
const DEEPEST: usize = 8;
/// Longest name of one level.
const LONGEST_NAME: usize = 64;
/// Longest path.
const LONGEST: usize = 200;
const SEPARATOR: char = '/';

/// A business unit such as `retail/payments`: names from the organisation downwards, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Unit(String);

impl Unit {
    /// The text form, `retail/payments`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This unit and those it lies in, the nearest first.
    pub fn upwards(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.0.as_str()), |path| path.rsplit_once(SEPARATOR).map(|(above, _)| above))
    }

    /// Whether `other` is this unit or lies in it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        other.upwards().any(|path| path == self.0)
    }

    /// A `LIKE` pattern (with `ESCAPE '\'`) of the units that lie in this one, itself not among them.
    #[must_use]
    pub fn pattern(&self) -> String {
        // Of the letters a name may have, only this one means something to LIKE.
        format!("{}{SEPARATOR}%", self.0.replace('_', "\\_"))
    }
}

impl FromStr for Unit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names: Vec<String> = text.split(SEPARATOR).map(|name| name.trim().to_lowercase()).collect();
        let is_fit = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '&' | ' ');
        let is_name = |name: &String| !name.is_empty() && name.chars().count() <= LONGEST_NAME && name.chars().all(is_fit);
        let path = names.join("/");
        if names.len() > DEEPEST || !names.iter().all(is_name) || path.chars().count() > LONGEST {
            return Err(errors::unit(DEEPEST, LONGEST_NAME, LONGEST));
        }
        Ok(Self(path))
    }
}

impl TryFrom<String> for Unit {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.0
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl PartialSchema for Unit {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        let name = r"[A-Za-z0-9._&-]([A-Za-z0-9 ._&-]{0,30}[A-Za-z0-9._&-])?";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A business unit: names from the organisation downwards, such as `retail/payments`"))
            .min_length(Some(1))
            .max_length(Some(LONGEST))
            .pattern(Some(format!("^{name}(/{name}){{0,4}}$")))
            .into()
    }
}

impl ToSchema for Unit {}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> Unit {
        text.parse().unwrap()
    }

    #[test]
    fn a_unit_holds_itself_and_what_lies_in_it() {
        let retail = unit("Retail");
        assert!(retail.holds(&unit("retail")) && retail.holds(&unit(" retail / Payments ")));
        assert!(!retail.holds(&unit("retailers/payments")) && !unit("retail/payments").holds(&retail));
        assert_eq!(unit("a/b/c").upwards().collect::<Vec<_>>(), ["a/b/c", "a/b", "a"]);
        assert_eq!(unit("back_office").pattern(), "back\\_office/%");
    }

    #[test]
    fn what_is_no_path_of_names_is_refused() {
        for text in ["", "/", "a//b", "a/", "a%", "a\\b", "a\u{0}", "1/2/3/4/5/6/7/8/9", &"x".repeat(65), "a,b"] {
            assert_eq!(text.parse::<Unit>().unwrap_err().code(), "unit.malformed", "{text:?}");
        }
    }
}

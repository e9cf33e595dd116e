//! Errors of the shared words: what a text or an actor is not.

use std::fmt::Display;

use crate::permission::Permission;
use crate::{Error, Unit};

/// What is shown of a text that is not what it should be, in characters.
const SHOWN: usize = 64;

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// The path is not that of a business unit.
pub(crate) fn unit(deepest: usize, longest_name: usize, longest: usize) -> Error {
    Error::invalid(
        "unit.malformed",
        format!(
            "a business unit is a path such as `retail/payments`: at most {deepest} names of 1 to {longest_name} letters, digits, \
             spaces and `-_.&`, at most {longest} characters together"
        ),
    )
}

/// A page has 1 to 500 rows.
pub(crate) fn limit(most: u32, given: u32) -> Error {
    Error::invalid("page.limit", format!("limit must be 1 to {most}, not {given}")).at("limit")
}

/// The cursor is not one this list gave out.
pub(crate) fn cursor() -> Error {
    Error::invalid("page.cursor", "cursor is not one this list gave out").at("cursor")
}

/// The text is not an id.
pub(crate) fn id(text: &str) -> Error {
    Error::invalid("id.malformed", format!("`{}` is not an id", shown(text)))
}

/// The text is not a time as RFC 3339 writes it.
pub(crate) fn time(text: &str, why: impl Display) -> Error {
    Error::invalid("time.malformed", format!("`{}` is not an RFC 3339 time: {why}", shown(text)))
}

/// There is no such language.
pub(crate) fn language(text: &str) -> Error {
    Error::invalid("language.unknown", format!("`{}` is not one of en, pt-BR, es", shown(text)))
}

/// There is no such permission.
pub(crate) fn permission(text: &str) -> Error {
    Error::invalid("permission.unknown", format!("`{}` is not a permission", shown(text)))
}

/// There is no such role.
pub(crate) fn role(text: &str) -> Error {
    Error::invalid("role.unknown", format!("`{}` is not a role", shown(text)))
}

/// Whoever asks lacks the permission.
pub(crate) fn permission_missing(permission: Permission) -> Error {
    Error::forbidden("auth.permission_missing", format!("this needs the permission `{permission}`"))
}

/// This concerns the whole organisation, and whoever asks is bound to business units.
pub(crate) fn bound_to_units(units: &[Unit]) -> Error {
    let units: Vec<&str> = units.iter().map(Unit::as_str).collect();
    Error::forbidden(
        "auth.bound_to_units",
        format!("this concerns the whole organisation; your account is bound to `{}`", units.join("`, `")),
    )
}

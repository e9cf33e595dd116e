//! Every error a caller of this context can get.

use base::{Actor, Error, Scope, Time, Unit};

use crate::model::Target;
use crate::vocabulary::{Intrusiveness, TargetKind};

/// The text is not a host, network or URL that can be tested.
pub(crate) fn address(text: &str, why: &str) -> Error {
    let shown: String = text.chars().take(100).collect();
    Error::invalid("targets.address", format!("`{shown}` is not an address that can be tested: {why}"))
}

/// The address does not fit the type of target.
pub(crate) fn address_of_kind(kind: TargetKind, expected: &str) -> Error {
    Error::invalid("targets.address_of_kind", format!("a target of type {} needs {expected} as its address", kind.as_str())).at("/address")
}

/// A field is empty, too long, or holds what it must not.
pub(crate) fn field(pointer: &str, why: impl Into<String>) -> Error {
    Error::invalid("targets.field", why).at(pointer)
}

/// A word that is none of the known ones.
pub(crate) fn word(pointer: &str, given: &str, known: &[&str]) -> Error {
    let shown: String = given.chars().take(40).collect();
    field(pointer, format!("`{shown}` is not one of {}", known.join(", ")))
}

/// There is no such target.
pub(crate) fn not_found() -> Error {
    Error::not_found("targets.not_found", "there is no such target")
}

/// Somebody else changed the target since it was read.
pub(crate) fn changed_meanwhile(given: i64, current: i64) -> Error {
    Error::conflict(
        "targets.changed_meanwhile",
        format!("the target is at version {current}, not {given}: read it again and repeat the change"),
    )
    .at("/version")
}

/// Somebody else changed the target at the same moment.
pub(crate) fn overtaken(given: i64) -> Error {
    Error::conflict("targets.overtaken", format!("the target is no longer at version {given}: read it again and repeat the change"))
        .at("/version")
}

/// There is no such authorisation.
pub(crate) fn authorization_not_found() -> Error {
    Error::not_found("targets.authorization_not_found", "there is no such authorisation")
}

/// An authorisation needs rules that say what may be tested.
pub(crate) fn no_rules() -> Error {
    Error::invalid("targets.no_rules", "an authorisation needs at least one rule, or a target whose address can become one").at("/rules")
}

/// The proof is empty or too large.
pub(crate) fn evidence(why: impl Into<String>) -> Error {
    Error::invalid("targets.evidence", why)
}

/// A proof was handed in before; it is never replaced.
pub(crate) fn already_proved() -> Error {
    Error::conflict("targets.already_proved", "the authorisation already has its evidence file, which is never replaced")
}

/// No proof was handed in.
pub(crate) fn no_evidence() -> Error {
    Error::not_found("targets.no_evidence", "the authorisation has no evidence file")
}

/// The period of an authorisation is empty, over, or too long.
pub(crate) fn period(why: impl Into<String>) -> Error {
    Error::invalid("targets.period", why).at("/valid_until")
}

/// The authorisation was revoked before.
pub(crate) fn already_revoked(when: Time) -> Error {
    Error::conflict("targets.already_revoked", format!("the authorisation was already revoked at {when}"))
}

/// No authorisation covers the target.
pub(crate) fn not_authorized(target: &Target) -> Error {
    Error::forbidden(
        "targets.not_authorized",
        format!(
            "nobody has authorised testing of target `{}` ({}): record an authorisation that covers it and is valid now",
            target.name,
            shown(target)
        ),
    )
}

/// The only authorisations that cover the target are over.
pub(crate) fn authorization_expired(target: &Target, ended: Time) -> Error {
    Error::forbidden(
        "targets.authorization_expired",
        format!("the authorisation to test target `{}` ({}) ended at {ended}: record a new one", target.name, shown(target)),
    )
}

/// The only authorisations that cover the target begin later.
pub(crate) fn authorization_not_yet(target: &Target, begins: Time) -> Error {
    Error::forbidden(
        "targets.authorization_not_yet",
        format!("the authorisation to test target `{}` ({}) begins at {begins}", target.name, shown(target)),
    )
}

/// The authorisation was taken back.
pub(crate) fn authorization_revoked(target: &Target, when: Time, reason: &str) -> Error {
    Error::forbidden(
        "targets.authorization_revoked",
        format!("the authorisation to test target `{}` ({}) was revoked at {when}: {reason}", target.name, shown(target)),
    )
}

/// The authorisations that cover the target allow gentler tests only.
pub(crate) fn too_intrusive(target: &Target, wanted: Intrusiveness, allowed: Intrusiveness) -> Error {
    Error::forbidden(
        "targets.too_intrusive",
        format!(
            "target `{}` may be tested up to `{}`, and this test is `{}`: record an authorisation that allows it",
            target.name,
            allowed.as_str(),
            wanted.as_str()
        ),
    )
}

/// The target has no address that a network scan can reach.
pub(crate) fn not_scannable(target: &Target) -> Error {
    Error::invalid(
        "targets.not_scannable",
        format!(
            "target `{}` has no host, network or URL as its address, so it cannot be scanned over the network: set `address`",
            target.name
        ),
    )
}

/// The imported file cannot be read at all.
pub(crate) fn import(why: impl Into<String>) -> Error {
    Error::invalid("targets.import", why)
}

fn shown(target: &Target) -> &str {
    target.address.as_deref().unwrap_or("no address")
}

/// A target of no unit, or of another one, by somebody bound to units.
pub(crate) fn unit_outside(scope: &Scope) -> Error {
    Error::forbidden(
        "targets.unit_outside",
        format!("your account is bound to {}: name that business unit or one within it", listed(scope.units())),
    )
    .at("/unit")
}

/// An authorisation for every target by somebody bound to units.
pub(crate) fn unit_of_none(actor: &Actor) -> Error {
    Error::forbidden("targets.unit_of_none", format!("your account is bound to {}: name the target", listed(&actor.units))).at("/target")
}

fn listed(units: &[Unit]) -> String {
    units.iter().map(|unit| format!("`{unit}`")).collect::<Vec<_>>().join(", ")
}

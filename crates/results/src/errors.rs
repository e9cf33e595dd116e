//! Every error a caller of this context can get.

use base::Error;
use importers::{Format, ParseError};

use crate::model::FindingId;

/// A word is not one of those known here.
pub(crate) fn word(field: &'static str, text: &str, known: &[&str]) -> Error {
    let shown: String = text.chars().take(64).collect();
    Error::invalid("results.word", format!("`{shown}` is not a known {field}; known are {}", known.join(", "))).at(field)
}

/// What a list is narrowed by is longer or larger than anything in it.
pub(crate) fn filter(name: &str, why: &str) -> Error {
    Error::invalid("results.filter", why).at(name)
}

/// There is no such finding.
pub(crate) fn finding_not_found(id: FindingId) -> Error {
    Error::not_found("results.finding_not_found", format!("there is no finding {id}"))
}

/// There is no such import.
pub(crate) fn import_not_found() -> Error {
    Error::not_found("results.import_not_found", "there is no such import")
}

/// A decision needs a reason of 1 to 4000 characters.
pub(crate) fn reason() -> Error {
    Error::invalid("results.reason", "a decision needs a reason of 1 to 4000 characters").at("/reason")
}

/// A note has words, and not too many.
pub(crate) fn note() -> Error {
    Error::invalid("results.note", "a note has 1 to 4000 characters").at("/text")
}

/// There is no such note on this finding.
pub(crate) fn note_not_found() -> Error {
    Error::not_found("results.note_not_found", "there is no such note on this finding")
}

/// Notes are taken away by who wrote them.
pub(crate) fn foreign_note() -> Error {
    Error::forbidden("results.foreign_note", "somebody else wrote this note; write another one beside it")
}

/// The end of a decision makes no sense.
pub(crate) fn valid_until(why: &str) -> Error {
    Error::invalid("results.valid_until", format!("valid_until: {why}")).at("/valid_until")
}

/// A decision of this kind holds for one finding only.
pub(crate) fn scope() -> Error {
    Error::invalid("results.scope", "a decision of this kind holds for one finding, not for a rule").at("/scope")
}

/// There is no decision to take back.
pub(crate) fn nothing_to_reopen() -> Error {
    Error::conflict("results.nothing_to_reopen", "no decision is in force on this finding")
}

/// The format of the file cannot be guessed.
pub(crate) fn unknown_format(filename: Option<&str>) -> Error {
    let known: Vec<&str> = Format::all().map(Format::id).collect();
    let name = filename.unwrap_or("the file");
    Error::invalid("results.unknown_format", format!("the format of {name} is not recognised; name it, known are {}", known.join(", ")))
        .at("format")
}

/// The file cannot be read as its format; nothing was taken in.
pub(crate) fn unreadable(filename: Option<&str>, format: Format, cause: &ParseError) -> Error {
    let name = filename.unwrap_or("the file");
    let error = Error::invalid("results.unreadable", format!("{name} cannot be read as {}: {cause}; nothing was taken in", format.label()));
    parted(error.with("format", format.label()), filename, cause)
}

/// The same with what it tells of by name.
fn parted(error: Error, filename: Option<&str>, cause: &ParseError) -> Error {
    let named = filename.map(|name| ("file", name.to_owned())).into_iter().chain([("parse_fault", cause.word().to_owned())]);
    let place = cause.position().map(|position| position.arguments()).unwrap_or_default();
    named.chain(cause.arguments()).chain(place).fold(error, |error, (name, value)| error.with(name, value))
}

/// The file is larger than an import may be.
pub(crate) fn too_large(limit: u64) -> Error {
    Error::invalid(
        "results.too_large",
        format!("the file is larger than the {} MiB an import over HTTP may have; use the command line", limit >> 20),
    )
}

/// The same idempotency key came with another file.
pub(crate) fn other_file(key: &str) -> Error {
    let shown: String = key.chars().take(64).collect();
    Error::conflict("results.other_file", format!("the idempotency key `{shown}` was used for another file or target"))
}

/// The disk has no room to spool the file, or another local failure.
pub(crate) fn spool(cause: std::io::Error) -> Error {
    Error::unavailable("results.spool", format!("what is imported cannot be spooled to disk: {cause}")).because(cause)
}

/// The body of an import ended before its end.
pub(crate) fn broken_off() -> Error {
    Error::invalid("results.broken_off", "the body broke off; nothing was taken in")
}

/// The cursor belongs to a list in another order.
pub(crate) fn other_order() -> Error {
    Error::invalid("results.other_order", "cursor is of a list in another order").at("cursor")
}

/// The bytes of an accepted file are no longer there.
pub(crate) fn file_lost() -> Error {
    Error::invalid("results.file_lost", "the file is no longer in the blob store; send it again")
}

/// There is no such open review.
pub(crate) fn review_not_found() -> Error {
    Error::not_found("results.review_not_found", "there is no such review, or it was answered")
}

/// The answer to a review is none of its candidates.
pub(crate) fn no_candidate(id: FindingId) -> Error {
    Error::invalid("results.no_candidate", format!("finding {id} is none of the candidates of this review")).at("/same_as")
}

/// An import cannot be taken back.
pub(crate) fn not_undoable(why: &str) -> Error {
    Error::conflict("results.not_undoable", format!("this import cannot be undone: {why}"))
}

/// There is no such decision that waits for approval.
pub(crate) fn decision_not_found() -> Error {
    Error::not_found("results.decision_not_found", "there is no such decision, or it does not wait for approval")
}

/// Who asked for a decision cannot approve it.
pub(crate) fn same_person() -> Error {
    Error::forbidden("results.same_person", "another person than the one who asked has to approve this")
}

/// A bulk decision names neither findings nor a filter, or both, or too many.
pub(crate) fn bulk(why: &str) -> Error {
    Error::invalid("results.bulk", why).at("/ids")
}

/// There is no such batch of decisions in force.
pub(crate) fn batch_not_found() -> Error {
    Error::not_found("results.batch_not_found", "there is no such batch of decisions, or all of it was taken back")
}

/// There is no such cluster.
pub(crate) fn cluster_not_found() -> Error {
    Error::not_found("results.cluster_not_found", "there is no such cluster")
}

/// There is no such saved filter.
pub(crate) fn filter_not_found() -> Error {
    Error::not_found("results.filter_not_found", "there is no such saved filter, or it is somebody else's")
}

/// The file is no feed, or broken on the line that is named; nothing was taken in.
pub(crate) fn feed_unreadable(filename: Option<&str>, cause: &risk::feeds::FeedError) -> Error {
    let name = filename.unwrap_or("the file");
    Error::invalid("results.feed_unreadable", format!("{name}: {cause}; nothing was taken in"))
}

/// A policy allows more days than make sense.
pub(crate) fn sla_days(most: u16) -> Error {
    Error::invalid("results.sla_days", format!("a policy allows at most {most} days"))
}

/// There is no such policy to take back.
pub(crate) fn no_policy(unit: &str) -> Error {
    let shown: String = unit.chars().take(64).collect();
    Error::not_found("results.no_policy", format!("nobody set a policy for `{shown}`"))
}

/// A cluster cannot be joined with itself.
pub(crate) fn same_cluster() -> Error {
    Error::invalid("results.same_cluster", "a cluster cannot be joined with itself").at("/into")
}

/// What was learned cannot be written.
pub(crate) fn unwritable(cause: serde_json::Error) -> Error {
    Error::internal("a model cannot be written as JSON").because(cause)
}

/// A mapping is not one; the field and its place in the text are named.
pub(crate) fn mapping(cause: &importers::MappingError) -> Error {
    let pointer = format!("/{}", cause.key.replace('.', "/"));
    let error = Error::invalid("results.mapping", format!("the mapping is not one: {cause}")).at(pointer);
    let error = error.with("key", &cause.key).with("mapping_fault", cause.what.word()).with("what", cause.what.quoted());
    let place = cause.position.map(|position| position.arguments()).unwrap_or_default();
    place.into_iter().fold(error, |error, (name, value)| error.with(name, value))
}

/// The name of a mapping has letters that an import cannot name, or is not the one in its document.
pub(crate) fn mapping_name(why: &str) -> Error {
    Error::invalid("results.mapping_name", why.to_owned()).at("/name")
}

/// There is no such mapping.
pub(crate) fn mapping_not_found(name: &str) -> Error {
    let shown: String = name.chars().take(64).collect();
    Error::not_found("results.mapping_not_found", format!("there is no saved mapping `{shown}`"))
}

/// There are as many mappings as there may be.
pub(crate) fn too_many_mappings(most: usize) -> Error {
    Error::conflict("results.too_many_mappings", format!("there are {most} mappings already; drop one first"))
}

/// A sample or a mapping is longer than one may be.
pub(crate) fn sample(field: &str, most: usize) -> Error {
    Error::invalid("results.sample", format!("it must have at most {} KiB", most >> 10)).at(field)
}

/// No format is recognised, but a saved mapping fits exactly; nobody uses it without being told to.
pub(crate) fn mapping_proposed(filename: Option<&str>, names: &[String]) -> Error {
    let name = filename.unwrap_or("the file");
    let wanted: Vec<String> = names.iter().map(|name| format!("`mapping:{name}`")).collect();
    Error::invalid(
        "results.mapping_proposed",
        format!("the format of {name} is not recognised, but it fits {}; name it", wanted.join(" and ")),
    )
    .at("format")
}

/// The file cannot be read by the mapping; nothing was taken in.
pub(crate) fn unmapped(filename: Option<&str>, mapping: &str, cause: &ParseError) -> Error {
    let name = filename.unwrap_or("the file");
    let detail = format!("{name} cannot be read by the mapping `{mapping}`: {cause}; nothing was taken in");
    parted(Error::invalid("results.unmapped", detail).with("mapping", mapping), filename, cause)
}

/// The mapping of an accepted file was dropped before the file was read.
pub(crate) fn mapping_gone(format: &str) -> Error {
    Error::invalid("results.mapping_gone", format!("the file waits for `{format}`, which was dropped meanwhile; nothing was taken in"))
}

/// A ruling reaches findings of other business units.
pub(crate) fn ruling_beyond_units() -> Error {
    Error::forbidden("results.ruling_beyond_units", "your account is bound to business units: decide about findings, not about rules")
        .at("/scope")
}

/// A file without a target, by somebody bound to business units.
pub(crate) fn import_without_target() -> Error {
    Error::forbidden("results.import_without_target", "your account is bound to business units: name the target the file is about")
        .at("target_id")
}

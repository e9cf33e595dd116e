//! Actions, errors, jobs and events are declared where a reader looks for them, once each.

use std::collections::BTreeMap;

use crate::source::{Call, calls, items, named_implementations, schemas};
use crate::{FILES, File, none, product};

/// Kinds that take a code as their first argument.
const KINDS: &[&str] = &["conflict", "forbidden", "invalid", "not_found", "timeout", "too_many", "unauthenticated", "unavailable"];

/// The folder or file a declaration belongs to: `errors.rs`, or a file below `errors/`.
fn is_in(file: &File, home: &str) -> bool {
    file.name() == format!("{home}.rs") || file.path.contains(&format!("/{home}/"))
}

fn is_error(call: &Call) -> bool {
    call.owner == "Error" && KINDS.contains(&call.function.as_str())
}

fn is_action(call: &Call) -> bool {
    call.owner == "Action" && ["new", "open"].contains(&call.function.as_str())
}

fn repeated(declared: Vec<(String, String)>) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, place) in declared {
        places.entry(name).or_default().push(place);
    }
    let several = places.into_iter().filter(|(_, places)| places.len() > 1);
    several.map(|(name, places)| format!("{name}: {}", places.join(", "))).collect()
}

fn declared(wanted: impl Fn(&Call) -> bool) -> Vec<(&'static File, Call)> {
    let files = product().filter(|file| file.krate() != "base");
    files.flat_map(|file| calls(file).into_iter().map(move |call| (file, call))).filter(|(_, call)| wanted(call)).collect()
}

fn misplaced(found: &[(&'static File, Call)], home: &str) -> Vec<String> {
    found.iter().filter(|(file, _)| !is_in(file, home)).map(|(file, call)| format!("{}: {}", file.at(&call.text), call.text)).collect()
}

fn misnamed(found: &[(&'static File, Call)]) -> Vec<String> {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let wrong = found.iter().filter(|(_, call)| !(call.text.split('.').count() >= 2 && call.text.split('.').all(plain)));
    wrong.map(|(file, call)| format!("{}: {}", file.at(&call.text), call.text)).collect()
}

#[test]
fn errors_are_declared_in_errors_rs() {
    none(misplaced(&declared(is_error), "errors"), "make it a function in the crate's errors.rs, with one sentence of ///");
}

#[test]
fn error_codes_are_declared_once() {
    let found = declared(is_error);
    none(misnamed(&found), "codes are context.reason in lower case");
    none(
        repeated(found.into_iter().map(|(file, call)| (call.text.clone(), file.at(&format!("\"{}\"", call.text)))).collect()),
        "one code, one function: callers tell failures apart by it",
    );
}

#[test]
fn every_error_says_when_it_happens() {
    let mut silent = Vec::new();
    for file in product().filter(|file| is_in(file, "errors") && file.krate() != "base") {
        for item in items(file) {
            if let syn::Item::Fn(function) = item
                && !matches!(function.vis, syn::Visibility::Inherited)
                && !function.attrs.iter().any(|attribute| attribute.path().is_ident("doc"))
            {
                let name = format!("fn {}", function.sig.ident);
                silent.push(format!("{}: {name}", file.at(&name)));
            }
        }
    }
    none(silent, "its sentence becomes docs/errors.md");
}

#[test]
fn every_error_code_is_documented() {
    let Some(document) = FILES.iter().find(|file| file.path == "docs/errors.md") else {
        return;
    };
    let unknown = declared(is_error).into_iter().filter(|(_, call)| !document.text.contains(&format!("`{}`", call.text)));
    none(unknown.map(|(file, call)| format!("{}: {}", file.path, call.text)).collect(), "run `cargo run -p app -- docs`");
}

#[test]
fn actions_are_declared_once_in_actions_rs() {
    let found = declared(is_action);
    none(misplaced(&found, "actions"), "declare it in the crate's actions.rs");
    none(misnamed(&found), "actions are context.verb in lower case");
    none(
        repeated(found.into_iter().map(|(file, call)| (call.text.clone(), file.at(&call.text))).collect()),
        "an audit entry must say which of them it was",
    );
}

#[test]
fn jobs_and_events_have_names_of_their_own() {
    let mut jobs = Vec::new();
    let mut events = Vec::new();
    let mut strays = Vec::new();
    for file in product() {
        for (kind, name) in named_implementations(file) {
            match kind.as_str() {
                "Job" => {
                    if !is_in(file, "jobs") {
                        strays.push(format!("{}: {name}", file.at(&name)));
                    }
                    jobs.push((name.clone(), file.at(&name)));
                }
                "Event" => events.push((name.clone(), file.at(&name))),
                _ => {}
            }
        }
    }
    none(strays, "jobs live in jobs.rs or jobs/");
    none(repeated(jobs), "two jobs of one name would run each other's payload");
    none(repeated(events), "subscribers tell events apart by name");
}

#[test]
fn types_of_the_api_have_a_name_each() {
    let found = product().flat_map(|file| schemas(file).into_iter().map(|name| (name, file.path.clone()))).collect();
    none(repeated(found), "the one described last would stand for both in docs/openapi.json; `#[schema(as = …)]` tells them apart");
}

//! Names say what a thing is; words that say nothing are refused.

use crate::source::items;
use crate::{none, product, rust};

const EMPTY_MODULES: &[&str] = &["common", "core", "helper", "helpers", "misc", "prelude", "types", "util", "utils"];
const EMPTY_ENDINGS: &[&str] = &["Data", "Helper", "Info", "Manager", "Util", "Utils"];

/// Types whose name the field itself fixed: name, and where it comes from.
const FIXED_BY_THE_FIELD: &[(&str, &str)] = &[("ClientData", "Apple App Attest: what the app has signed")];

#[test]
fn modules_are_named_after_what_they_hold() {
    let empty = rust().filter(|file| {
        let stem = file.name().trim_end_matches(".rs");
        let folder = file.path.rsplit('/').nth(1).unwrap_or_default();
        EMPTY_MODULES.contains(&stem) || EMPTY_MODULES.contains(&folder)
    });
    none(empty.map(|file| file.path.clone()).collect(), "name the noun it holds or the verb it does");
}

#[test]
fn types_are_nouns_without_filler() {
    let mut wrong = Vec::new();
    for file in product() {
        for item in items(file) {
            let name = match item {
                syn::Item::Struct(item) => item.ident,
                syn::Item::Enum(item) => item.ident,
                syn::Item::Trait(item) => item.ident,
                syn::Item::Type(item) => item.ident,
                _ => continue,
            }
            .to_string();
            let filler = EMPTY_ENDINGS.iter().any(|ending| name.ends_with(ending));
            if filler && !FIXED_BY_THE_FIELD.iter().any(|(fixed, _)| *fixed == name) {
                wrong.push(format!("{}: {name}", file.at(&name)));
            }
        }
    }
    none(wrong, "drop the filler; when two nouns then collide, one of them is misnamed");
}

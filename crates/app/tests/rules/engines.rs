//! Only `backends` knows which engine stands behind a URL.

use crate::source::{Token, tokens};
use crate::{FILES, none, product};

/// An engine's name as a word, in identifiers and strings.
const ENGINES: &[&str] =
    &["elasticsearch", "opensearch", "postgres", "postgresql", "redb", "redis", "rediss", "s3", "sqlite", "sqlx", "tantivy"];

/// These name products that are *scanned* or *imported*, never our own storage.
const ABOUT_OTHERS: &[&str] = &["importers", "scanner"];

/// Texts that must say which engine they mean: file, engine, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("crates/results/src/correlate/places.rs", "postgresql", "a service somebody may sign in to, on a machine that was scanned"),
    ("crates/results/src/correlate/places.rs", "redis", "the same"),
    ("crates/app/src/serve.rs", "redis", "a refused combination tells the operator what to configure instead"),
    ("crates/app/src/telemetry.rs", "sqlx", "a log filter names the drivers whose lines are too many"),
];

#[test]
fn engine_names_stay_in_backends() {
    let mut wrong = Vec::new();
    for file in product().filter(|file| file.krate() != "backends" && !ABOUT_OTHERS.contains(&file.krate())) {
        let excepted = |engine: &str| EXCEPTIONS.iter().any(|(path, word, _)| *path == file.path && *word == engine);
        for token in tokens(file) {
            let (Token::Name(text) | Token::Text(text)) = token;
            if let Some(engine) = words(&text).into_iter().find(|word| ENGINES.contains(&word.as_str()) && !excepted(word)) {
                let line = file.text.lines().position(|line| line.to_lowercase().contains(&engine)).map_or(1, |index| index + 1);
                wrong.push(format!("{}:{line}: {engine}", file.path));
            }
        }
    }
    wrong.dedup();
    none(wrong, "say what is needed and let backends choose");
}

#[test]
fn drivers_are_dependencies_of_backends_alone() {
    const DRIVERS: &[&str] = &["libsqlite3-sys", "object_store", "redb", "redis", "sqlx", "tantivy"];
    let mut wrong = Vec::new();
    for file in FILES.iter().filter(|file| file.path.starts_with("crates/") && file.name() == "Cargo.toml" && file.krate() != "backends") {
        let manifest: toml::Table = file.text.parse().unwrap();
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        for name in dependencies.into_iter().flat_map(|table| table.keys()).filter(|name| DRIVERS.contains(&name.as_str())) {
            wrong.push(format!("{}: {name}", file.at(name)));
        }
    }
    none(wrong, "use backends");
}

/// Lower-case words of an identifier or text: `PostgresPool` is `postgres`, `pool`.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_lower = false;
    for character in text.chars() {
        let starts = !character.is_alphanumeric() || (character.is_uppercase() && before_lower);
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        before_lower = character.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words
}

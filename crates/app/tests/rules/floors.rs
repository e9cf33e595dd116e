//! Six floors: a crate depends on floors below, and beside it only where the order is written here.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::{FILES, none, rust};

/// Floor of every crate. A new crate gets its line here and in ARCHITECTURE.md.
const FLOORS: &[(u8, &[&str])] = &[
    (5, &["app"]),
    (4, &["client", "console", "gateway", "graphql", "simulator"]),
    (3, &["ai", "auth", "billing", "devices", "exercises", "integrations", "intel", "reports", "results", "scans", "search", "targets"]),
    (2, &["audit"]),
    (1, &["attestation", "backends", "importers", "risk", "scanner", "threat", "typeset", "web"]),
    (0, &["base", "query"]),
];

/// The only dependencies between crates of one floor.
const BESIDE: &[(&str, &[&str])] = &[
    ("ai", &["results"]),
    ("devices", &["intel"]),
    ("exercises", &["devices", "results", "scans"]),
    ("reports", &["results", "scans", "targets"]),
    ("results", &["scans", "targets"]),
    ("scans", &["targets"]),
    ("search", &["results", "scans", "targets"]),
    ("web", &["backends"]),
];

/// Usable alone: no database, no HTTP framework, no actor.
const PURE: &[&str] = &["attestation", "importers", "query", "risk", "scanner", "threat", "typeset"];
const IMPURE: &[&str] = &["axum", "backends", "base", "object_store", "redb", "redis", "sqlx", "tantivy", "web"];

fn manifests() -> BTreeMap<String, Table> {
    FILES
        .iter()
        .filter(|file| file.path.starts_with("crates/") && file.path.matches('/').count() == 2 && file.name() == "Cargo.toml")
        .map(|file| (file.krate().to_owned(), file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path))))
        .collect()
}

fn dependencies(manifest: &Table, section: &str) -> Vec<String> {
    manifest.get(section).and_then(Value::as_table).map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

fn floor(krate: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, crates)| crates.contains(&krate)).map(|(floor, _)| *floor)
}

#[test]
fn every_crate_has_a_floor_and_depends_only_downward_or_on_a_listed_neighbour() {
    let manifests = manifests();
    let mut wrong = Vec::new();
    for (krate, manifest) in manifests.iter().filter(|(krate, _)| *krate != "testkit") {
        let Some(own) = floor(krate) else {
            wrong.push(format!("crates/{krate} stands on no floor"));
            continue;
        };
        let beside = BESIDE.iter().find(|(from, _)| from == krate).map_or(&[][..], |(_, to)| to);
        for section in ["dependencies", "build-dependencies"] {
            for other in dependencies(manifest, section).iter().filter(|name| manifests.contains_key(*name)) {
                let allowed = floor(other).is_some_and(|floor| floor < own) || beside.contains(&other.as_str());
                if !allowed {
                    wrong.push(format!("crates/{krate} depends on {other}"));
                }
            }
        }
    }
    none(wrong, "depend downward, call through an event, or list the edge in floors.rs and ARCHITECTURE.md");
}

#[test]
fn pure_crates_know_no_database_no_http_framework_and_no_actor() {
    let mut wrong = Vec::new();
    for (krate, manifest) in manifests().iter().filter(|(krate, _)| PURE.contains(&krate.as_str())) {
        for other in dependencies(manifest, "dependencies").iter().filter(|name| IMPURE.contains(&name.as_str())) {
            wrong.push(format!("crates/{krate} depends on {other}"));
        }
    }
    none(wrong, "give the pure crate plain values and let a context do the rest");
}

#[test]
fn the_test_kit_is_never_a_runtime_dependency() {
    let users = manifests().into_iter().filter(|(_, manifest)| dependencies(manifest, "dependencies").contains(&"testkit".to_owned()));
    none(users.map(|(krate, _)| krate).collect(), "move testkit to [dev-dependencies]");
}

#[test]
fn every_manifest_inherits_lints_edition_and_licence() {
    let mut wrong = Vec::new();
    for (krate, manifest) in manifests() {
        let inherits = |value: Option<&Value>| value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true);
        if !manifest.get("lints").is_some_and(|lints| inherits(Some(lints))) {
            wrong.push(format!("crates/{krate}: [lints] workspace = true is missing"));
        }
        let package = manifest.get("package").and_then(Value::as_table).expect("a package");
        for field in ["version", "edition", "rust-version", "license"] {
            if !inherits(package.get(field)) {
                wrong.push(format!("crates/{krate}: {field}.workspace = true is missing"));
            }
        }
        if package.get("publish").and_then(Value::as_bool) != Some(false) {
            wrong.push(format!("crates/{krate}: publish = false is missing"));
        }
    }
    none(wrong, "see any other crate's manifest");
}

#[test]
fn a_crate_has_one_integration_binary() {
    let binaries = rust().filter(|file| {
        let inside = file.path.split_once("/tests/").map(|(_, inside)| inside);
        inside.is_some_and(|inside| match inside.split_once('/') {
            None => true,
            Some((folder, "main.rs")) => folder != "it" && !(file.krate() == "app" && folder == "rules"),
            Some(_) => false,
        })
    });
    none(binaries.map(|file| file.path.clone()).collect(), "make it a module of tests/it/main.rs: each binary links the world once");
}

#[test]
fn base_stays_small() {
    let lines: usize = rust().filter(|file| file.krate() == "base" && file.is_product()).map(|file| file.text.lines().count()).sum();
    assert!(lines <= 1500, "base has {lines} lines, 1500 are allowed: what every crate knows must stay learnable");
}

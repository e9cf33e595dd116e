//! One of each: runtime, HTTP, TLS, cryptography; everything from the public registry.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::{file, none};

const REFUSED: &[&str] = &["actix-web", "async-std", "native-tls", "openssl", "openssl-sys", "rustls-pemfile", "sea-orm", "structopt"];
const ONE_VERSION: &[&str] =
    &["aws-lc-rs", "axum", "base64ct", "chrono", "http", "hyper", "reqwest", "rustls", "serde", "sqlx", "tokio", "tracing", "uuid"];

fn packages() -> Vec<Table> {
    let lock: Table = file("Cargo.lock").text.parse().unwrap();
    let packages = lock["package"].as_array().expect("packages").iter();
    packages.map(|package| package.as_table().expect("a package").clone()).collect()
}

fn text(package: &Table, key: &str) -> String {
    package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let elsewhere = packages().into_iter().filter(|package| {
        let source = text(package, "source");
        !source.is_empty() && source != "registry+https://github.com/rust-lang/crates.io-index"
    });
    none(elsewhere.map(|package| text(&package, "name")).collect(), "depend on a published version");
}

#[test]
fn refused_crates_stay_out() {
    let refused = packages().into_iter().map(|package| text(&package, "name")).filter(|name| REFUSED.contains(&name.as_str()));
    none(refused.collect(), "TLS and cryptography are rustls and aws-lc-rs; HTTP is axum and hyper; time is tokio");
}

#[test]
fn the_crates_that_carry_types_across_crates_have_one_version() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages() {
        versions.entry(text(&package, "name")).or_default().push(text(&package, "version"));
    }
    let several = versions.into_iter().filter(|(name, versions)| ONE_VERSION.contains(&name.as_str()) && versions.len() > 1);
    none(several.map(|(name, versions)| format!("{name}: {}", versions.join(", "))).collect(), "update or trim what brings the other one");
}

#[test]
fn members_take_versions_from_the_workspace() {
    let mut own = Vec::new();
    for file in crate::FILES.iter().filter(|file| file.path.starts_with("crates/") && file.name() == "Cargo.toml") {
        let manifest: Table = file.text.parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in manifest.get(section).and_then(Value::as_table).into_iter().flatten() {
                if value.is_str() || value.get("version").is_some() {
                    own.push(format!("{}: {name}", file.at(name)));
                }
            }
        }
    }
    none(own, "add the version to [workspace.dependencies] and write name.workspace = true");
}

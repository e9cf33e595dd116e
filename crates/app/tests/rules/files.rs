//! Every file says what it is for, and stays short enough to read.

use crate::{FILES, none, rust};

/// Tables are long because the field is: path, and what it lists.
const TABLES: &[(&str, &str)] = &[];

#[test]
fn every_rust_file_opens_with_what_it_is_for() {
    let silent = rust().filter(|file| !file.text.starts_with("//!"));
    none(silent.map(|file| file.path.clone()).collect(), "open with one to three lines of //!: what it is for, its invariant");
}

#[test]
fn no_rust_file_passes_500_lines() {
    let long = rust().filter(|file| !TABLES.iter().any(|(path, _)| *path == file.path)).filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > 500).then(|| format!("{}: {lines} lines", file.path))
    });
    none(long.collect(), "make it a folder of the same name, one file per verb");
}

#[test]
fn listed_tables_exist() {
    let gone = TABLES.iter().filter(|(path, _)| !FILES.iter().any(|file| file.path == *path));
    none(gone.map(|(path, _)| (*path).to_owned()).collect(), "remove the line from files.rs");
}

#[test]
fn unfinished_work_names_its_issue() {
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()];
    let mut wrong = Vec::new();
    for file in FILES.iter().filter(|file| is_ours(&file.path)) {
        for (number, line) in file.text.lines().enumerate() {
            let word = |mark: &String| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == mark);
            if marks.iter().any(word) && !line.contains("(#") {
                wrong.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    none(wrong, "finish it, or write the issue's number beside it: (#12)");
}

#[test]
fn no_test_is_ignored() {
    let attribute = ["#[", "ignore"].concat();
    let ignored = rust().filter(|file| file.text.contains(&attribute));
    none(ignored.map(|file| file.at(&attribute)).collect(), "repair or delete the test");
}

#[test]
fn exceptions_are_expected_never_allowed() {
    let attributes = [["#[", "allow("].concat(), ["#![", "allow("].concat()];
    let mut wrong = Vec::new();
    for file in rust() {
        wrong.extend(attributes.iter().filter(|attribute| file.text.contains(*attribute)).map(|attribute| file.at(attribute)));
    }
    none(wrong, "use expect with a reason: it disappears when it is no longer needed");
}

/// Code and configuration written here, as opposed to data, generated files and recorded answers.
fn is_ours(path: &str) -> bool {
    let written = [".rs", ".sql", ".toml", ".sh", ".html", ".js", ".css", ".proto", ".typ"];
    written.iter().any(|ending| path.ends_with(ending))
        && !path.contains("/snapshots/")
        && !path.contains("/fixtures/")
        && !path.contains("/vendor/")
}

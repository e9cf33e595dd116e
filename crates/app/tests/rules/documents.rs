//! What the documents name exists, and what exists is named.

use crate::{FILES, File, file, none, root};

fn documents() -> impl Iterator<Item = &'static File> {
    FILES.iter().filter(|file| file.path.ends_with(".md") && (!file.path.contains('/') || file.path.starts_with("docs/")))
}

#[test]
fn the_architecture_lists_every_crate() {
    let architecture = &file("ARCHITECTURE.md").text;
    let crates =
        FILES.iter().filter(|file| file.path.starts_with("crates/") && file.path.matches('/').count() == 2 && file.name() == "Cargo.toml");
    let word = |name: &str| architecture.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).any(|word| word == name);
    none(
        crates.map(File::krate).filter(|name| !word(name)).map(str::to_owned).collect(),
        "give it its place on a floor in ARCHITECTURE.md",
    );
}

#[test]
fn paths_in_the_documents_exist() {
    const FOLDERS: &[&str] = &[".ci", "changelog.d", "config", "content", "crates", "deploy", "docs", "migrations", "proto", "tests"];
    let root = root();
    let mut gone = Vec::new();
    for document in documents() {
        for (number, line) in document.text.lines().enumerate() {
            // Text in backticks is every second part.
            for quoted in line.split('`').skip(1).step_by(2) {
                let path = quoted.split([' ', ':', '#']).next().unwrap_or_default();
                let first = path.split('/').next().unwrap_or_default();
                let is_pattern = path.contains(['*', '<', '{', '…', '$']) || path.contains("NNNN");
                let inside_a_crate = FILES.iter().any(|file| file.path.ends_with(&format!("/{path}")));
                if path.contains('/') && FOLDERS.contains(&first) && !is_pattern && !inside_a_crate && !root.join(path).exists() {
                    gone.push(format!("{}:{}: {path}", document.path, number + 1));
                }
            }
        }
    }
    none(gone, "correct the document in the commit that moves the file");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = root();
    let mut broken = Vec::new();
    for document in documents() {
        let folder = root.join(&document.path).parent().expect("a folder").to_path_buf();
        for link in document.text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
            let target = link.split('#').next().unwrap_or_default();
            let is_file = !target.is_empty() && !target.contains(':') && !target.contains('\n');
            if is_file && !folder.join(target).exists() {
                broken.push(format!("{}: {link}", document.at(link)));
            }
        }
    }
    none(broken, "correct the link");
}

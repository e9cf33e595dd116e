//! One ordered list of migrations in the SQL that both engines speak.

use crate::{FILES, File, none};

/// What one engine understands differently or not at all, and what to write.
const DIALECT: &[(&str, &str)] = &[
    ("AUTOINCREMENT", "ids are UUIDv7 texts"),
    ("SERIAL", "ids are UUIDv7 texts"),
    ("JSONB", "JSON is TEXT"),
    ("ILIKE", "LOWER(x) LIKE"),
    ("NOW()", "a bound parameter"),
    ("CURRENT_TIMESTAMP", "a bound parameter"),
    ("TIMESTAMP", "BIGINT microseconds UTC"),
    ("DATETIME", "BIGINT microseconds UTC"),
    ("UUID", "TEXT"),
    ("STRICT", "nothing"),
    ("WITHOUT ROWID", "nothing"),
];

fn migrations() -> Vec<&'static File> {
    FILES.iter().filter(|file| file.path.starts_with("migrations/") && file.path.ends_with(".sql")).collect()
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let mut wrong = Vec::new();
    for (index, file) in migrations().iter().enumerate() {
        let number = format!("{:04}_", index + 1);
        if !file.name().starts_with(&number) {
            wrong.push(format!("{} should start with {number}", file.path));
        }
    }
    assert!(!migrations().is_empty(), "migrations/ holds no migration");
    none(wrong, "migrations are applied in this order and never renumbered");
}

#[test]
fn migrations_speak_both_dialects() {
    let mut wrong = Vec::new();
    for file in migrations() {
        let mut in_one_engine = false;
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim();
            match line {
                _ if line.starts_with("-- only:") => in_one_engine = true,
                _ if line == "-- end" => in_one_engine = false,
                _ if line.starts_with("--") || in_one_engine => {}
                _ => {
                    let code = line.split("--").next().unwrap_or_default().to_uppercase();
                    let words: Vec<&str> = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
                    for (dialect, instead) in DIALECT {
                        let found = if dialect.contains([' ', '(']) { code.contains(dialect) } else { words.contains(dialect) };
                        if found {
                            wrong.push(format!("{}:{}: {dialect}, write {instead}", file.path, index + 1));
                        }
                    }
                }
            }
        }
    }
    none(wrong, "or put it between `-- only: engine` and `-- end`");
}

//! Every setting explains itself where an operator reads it.

use crate::{file, none};

#[test]
fn every_configuration_key_has_a_comment() {
    let file = file("config/default.toml");
    let mut silent = Vec::new();
    let mut commented = false;
    // Inside a list or a text over several lines nothing is a key.
    let mut open: Option<&str> = None;
    for (index, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if let Some(end) = open {
            open = (!line.contains(end)).then_some(end);
            continue;
        }
        if line.starts_with('#') {
            commented = true;
            continue;
        }
        if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('[')) {
            if !commented && !value.contains(" # ") {
                silent.push(format!("{}:{}: {}", file.path, index + 1, key.trim()));
            }
            let value = value.trim();
            open = match value {
                _ if value.starts_with('[') && !value.contains(']') => Some("]"),
                _ if value.starts_with("\"\"\"") && value.matches("\"\"\"").count() == 1 => Some("\"\"\""),
                _ => None,
            };
        }
        commented = false;
    }
    none(silent, "one comment above each key: what it does, its unit, what else it may be");
}

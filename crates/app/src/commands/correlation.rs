//! `tyrian findings causes`, `paths` and `patterns`: what findings have to do with each other, as text or JSON.

use base::Result;
use serde_json::Value as Json;

use super::session::Session;
use crate::output;

/// One cause a line, with what closes it.
pub(super) async fn causes(session: &Session, filter: &str, as_json: bool) -> Result<()> {
    let found: Json = session.client.get(&format!("findings/causes?{filter}")).await?;
    if as_json {
        return output::document(&found);
    }
    let causes = rows(&found["causes"]);
    if causes.is_empty() {
        output::line("no two findings share a cause");
    }
    for cause in causes {
        output::line(&format!(
            "{:<13} {:>5} findings on {} targets  {}",
            text(&cause["kind"]),
            cause["findings"],
            cause["targets"],
            text(&cause["name"])
        ));
        if let Some(fix) = cause["fix"].as_str() {
            output::line(&format!("              {fix}"));
        }
    }
    incomplete(&found);
    Ok(())
}

/// Paths step by step.
pub(super) async fn paths(session: &Session, as_json: bool) -> Result<()> {
    let found: Json = session.client.get("findings/paths").await?;
    if as_json {
        return output::document(&found);
    }
    let paths = rows(&found["paths"]);
    if paths.is_empty() {
        output::line("nothing recorded leads from one finding to the next");
    }
    for (number, path) in paths.iter().enumerate() {
        output::line(&format!("{}.", number + 1));
        for step in rows(&path["steps"]) {
            let words = [&step["role"], &step["place"], &step["title"], &step["because"]].map(text);
            output::line(&format!("   {:<10} {}: {} ({})", words[0], words[1], words[2], words[3]));
        }
    }
    incomplete(&found);
    Ok(())
}

/// One pattern a line.
pub(super) async fn patterns(session: &Session, days: u32, as_json: bool) -> Result<()> {
    let found: Json = session.client.get(&format!("findings/patterns?days={days}")).await?;
    if as_json {
        return output::document(&found);
    }
    let patterns = rows(&found);
    if patterns.is_empty() {
        output::line("nothing out of the ordinary");
    }
    for pattern in patterns {
        let rule = format!("{} {}", text(&pattern["source"]), text(&pattern["check"]));
        let told = match pattern["expected"].as_f64() {
            Some(expected) => format!("{} new in seven days, {expected} expected", pattern["count"]),
            None => format!("came back {} times, {} findings", pattern["count"], pattern["findings"]),
        };
        output::line(&format!("{:<10} {rule}: {told} ({})", text(&pattern["kind"]), text(&pattern["title"])));
    }
    Ok(())
}

fn incomplete(found: &Json) {
    if found["is_complete"] == false {
        output::note(&format!("only the {} gravest findings were looked at", found["looked_at"]));
    }
}

fn rows(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or("-")
}

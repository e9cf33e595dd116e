//! Dockle `-f json`: checkpoints of an image with what alerted.

use std::io::Read;

use serde_json::Value;

use crate::code::{Place, Places};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Location, Observation, Severity};
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::walk::Plan;

const SOURCE: &str = "dockle";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Dockle, id: "dockle", source: SOURCE, label: "Dockle JSON", schemes: &["code", "code.moved"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    (has("summary") && has("details") && head.has("\"fatal\"") && head.has("\"pass\"")).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Checkpoints::default())
}

#[derive(Default)]
struct Checkpoints {
    places: Places,
    image: Option<String>,
}

impl Records for Checkpoints {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "Dockle JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["summary"] => Plan::Enter,
            ["details"] => Plan::Each,
            ["image"] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        path == ["summary", "fatal"]
    }

    fn note(&mut self, path: &[&str], value: &Value) -> bool {
        if path == ["image"] {
            self.image = value.as_str().map(str::to_owned);
        }
        path == ["image"]
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        let (Some(code), Some(level)) = (text("code"), text("level")) else {
            return Ok(false);
        };
        let severity = match level {
            "IGNORE" | "SKIP" | "PASS" => return Ok(true),
            "FATAL" => Severity::High,
            "INFO" => Severity::Low,
            _ => Severity::Medium,
        };
        let title = text("title").unwrap_or(code);
        let mut alerts = json::texts(value, &["alerts"]);
        alerts.sort_unstable();
        let image = self.image.as_deref().map(package::repository);
        let place = Place { source: SOURCE, repository: image, rule: code, ..Place::default() };
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("dockle:{code}"),
            title: format!("{code}: {title}"),
            description: alerts.join("\n"),
            severity,
            confidence: 80,
            references: vec![format!("https://github.com/goodwithtech/dockle/blob/master/CHECKPOINT.md#{}", code.to_lowercase())],
            tags: vec![level.to_lowercase()],
            keys: self.places.keys(&place),
            location: Location { logical: self.image.clone(), ..Location::default() },
            ..Observation::default()
        };
        out.observation(observation, &[code, title])?;
        Ok(true)
    }
}

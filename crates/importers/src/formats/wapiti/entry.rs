//! One entry of a category, and the observation it becomes.

use super::SOURCE;
use crate::endpoint::{Endpoint, ISSUES_ONLY, Sites, placeless};
use crate::errors::{ParseError, Position};
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;

/// What a report says once for all entries of a category.
#[derive(Clone, Default)]
pub(super) struct Category {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) solution: Option<String>,
    /// Titles and addresses.
    pub(super) references: Vec<(String, String)>,
}

/// Where and how a category was met.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
    pub(super) level: Option<String>,
    pub(super) parameter: Option<String>,
    pub(super) module: Option<String>,
    pub(super) said: Option<String>,
    pub(super) request: Option<String>,
    pub(super) curl: Option<String>,
}

/// What the report says of itself.
#[derive(Clone, Default)]
pub(super) struct Run {
    pub(super) target: String,
    pub(super) date: Option<String>,
}

/// Wapiti's scale: 0 informational to 4 critical.
fn severity(level: Option<&str>) -> Severity {
    match level.map(str::trim) {
        Some("4") => Severity::Critical,
        Some("3") => Severity::High,
        Some("2") => Severity::Medium,
        Some("1") => Severity::Low,
        _ => Severity::Info,
    }
}

/// What an entry names in its words, such as a cookie or a directive: quoted, or after a colon. The words themselves change.
fn named(said: &str) -> Option<String> {
    let mut quoted = said.split('"').skip(1).step_by(2).map(str::trim).filter(|name| !name.is_empty());
    if let Some(first) = quoted.next() {
        return Some(std::iter::once(first).chain(quoted).take(8).collect::<Vec<_>>().join(" "));
    }
    let (_, after) = said.rsplit_once(" : ").or_else(|| said.rsplit_once(": "))?;
    Some(after.trim().to_owned()).filter(|name| !name.is_empty())
}

/// What a report proves of a category: every report lists all categories, whichever modules ran, and only what was found shows
/// that one did.
pub(super) fn covered_by(category: &str, target: Option<&Endpoint>, is_found: bool) -> Coverage {
    let is_whole = is_found && target.is_some_and(Endpoint::is_root);
    Coverage {
        source: SOURCE.to_owned(),
        check_set: format!("wapiti:{category}"),
        location: target.map(Endpoint::site).unwrap_or_default(),
        extent: Extent::Whole,
        status: if is_whole { CoverageStatus::Done } else { CoverageStatus::Skipped },
        reason: (!is_whole).then(|| ISSUES_ONLY.to_owned()),
    }
}

pub(super) fn give(
    entry: Entry,
    category: &Category,
    run: &Run,
    position: Position,
    sites: &mut Sites,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    if category.name.is_empty() {
        return out.skip(position, "entry of a category without a name");
    }
    let said = entry.said.as_deref().unwrap_or_default();
    let check = format!("wapiti:{}", category.name);
    let address = entry.path.as_deref().unwrap_or_default();
    let endpoint = Endpoint::under(&run.target, address);
    let (method, parameter) = (entry.method.as_deref(), entry.parameter.as_deref());
    let (location, keys) = match &endpoint {
        Some(endpoint) => {
            sites.introduce(endpoint, out)?;
            let detail = named(said);
            // Where no parameter was attacked, what is named tells entries of one category apart.
            let mut keys = endpoint.keys(&check, method, parameter.or(detail.as_deref()));
            if parameter.is_none() && detail.is_some() {
                keys.extend(endpoint.keys(&check, method, None).into_iter().skip(1));
            }
            (endpoint.location(), keys)
        }
        None => (Location::default(), placeless(&check, address)),
    };
    let mut evidence = Vec::new();
    for (label, body) in [("request", &entry.request), ("curl", &entry.curl)] {
        if let Some(body) = body {
            evidence.push(out.evidence(label, body));
        }
    }
    let severity = severity(entry.level.as_deref());
    let mut description = category.description.clone();
    if !said.is_empty() {
        description = if description.is_empty() { said.to_owned() } else { format!("{said}\n\n{description}") };
    }
    let title = if said.is_empty() { category.name.clone() } else { format!("{}: {said}", category.name) };
    let named: String = category.references.iter().map(|(title, _)| format!("{title} ")).collect();
    let issue = [SOURCE, &category.description, &title, severity.as_str()].map(str::to_owned);
    let observation = Observation {
        source: SOURCE.to_owned(),
        title,
        remediation: category.solution.clone(),
        severity,
        confidence: 70,
        cwes: vocabulary::cwes(&named),
        cves: vocabulary::cves(said),
        references: category.references.iter().map(|(_, address)| address.clone()).filter(|address| !address.is_empty()).collect(),
        tags: entry.module.into_iter().collect(),
        location: Location { method: entry.method, parameter: entry.parameter, ..location },
        observed_at: run.date.clone(),
        check,
        description,
        evidence,
        keys,
        ..Observation::default()
    };
    out.observation(observation, &issue.each_ref().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn what_is_named_is_told_from_the_words_around_it() {
        assert_eq!(named("Secure flag is not set in the cookie : csrftoken").as_deref(), Some("csrftoken"));
        assert_eq!(named("CSP attribute \"script-src\" is missing").as_deref(), Some("script-src"));
        assert_eq!(named("CSP is not set"), None);
    }
}

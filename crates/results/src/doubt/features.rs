//! What a finding is looked at by when past decisions are asked about it.

use importers::{Location, Severity};
use risk::false_positive::{Feature, Features};

use crate::model::{Finding, asset_of};

/// Parts of paths, in lower case, and the sort of place they make. The first that fits counts.
const PATHS: &[(&str, &[&str])] = &[
    ("test", &["test", "tests", "__tests__", "spec", "specs", "testdata", "fixture", "fixtures", "mock", "mocks", "e2e"]),
    ("example", &["example", "examples", "sample", "samples", "demo", "demos", "tutorial"]),
    ("documentation", &["doc", "docs", "documentation"]),
    ("vendored", &["vendor", "third_party", "third-party", "node_modules", "site-packages", "bower_components", "external"]),
    ("generated", &["generated", "dist", "build", "target", "out", "gen", "migrations"]),
    ("administration", &["admin", "administrator", "manage", "management", "console", "wp-admin"]),
    ("interface", &["api", "graphql", "rest", "rpc"]),
    ("static", &["static", "assets", "images", "img", "css", "js", "fonts", "public"]),
];

/// The features that decisions and estimates share.
pub(super) struct Seen<'f> {
    pub(super) source: &'f str,
    pub(super) check: &'f str,
    pub(super) severity: Severity,
    pub(super) confidence: u8,
    pub(super) cwes: &'f [u32],
    pub(super) location: &'f Location,
}

impl<'f> From<&'f Finding> for Seen<'f> {
    fn from(finding: &'f Finding) -> Self {
        Self {
            source: &finding.source,
            check: &finding.check,
            severity: finding.severity,
            confidence: finding.confidence,
            cwes: &finding.cwes,
            location: &finding.location,
        }
    }
}

impl Seen<'_> {
    pub(super) fn features(&self) -> Features {
        let confidence = match self.confidence {
            0..=39 => "low",
            40..=79 => "medium",
            _ => "high",
        };
        Features::new([
            (Feature::Tool, self.source.to_owned()),
            (Feature::Rule, format!("{} {}", self.source, self.check)),
            (Feature::Asset, asset_of(self.location)),
            (Feature::AssetKind, kind(self.location).to_owned()),
            (Feature::Severity, self.severity.as_str().to_owned()),
            (Feature::PathClass, path_class(self.location).to_owned()),
            (Feature::Weakness, self.cwes.first().map(|cwe| format!("CWE-{cwe}")).unwrap_or_default()),
            (Feature::Confidence, confidence.to_owned()),
        ])
    }
}

fn kind(place: &Location) -> &'static str {
    if place.component.is_some() && place.port.is_none() {
        "package"
    } else if place.url.is_some() {
        "page"
    } else if place.host.is_some() || place.ip.is_some() {
        "service"
    } else if place.file.is_some() {
        "file"
    } else {
        "other"
    }
}

/// What sort of path a place is at; empty where there is none.
fn path_class(place: &Location) -> &'static str {
    let url = place.url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let Some(path) = url.as_ref().map(url::Url::path).or(place.file.as_deref()) else { return "" };
    let path = path.replace('\\', "/").to_lowercase();
    let is = |part: &str, words: &[&str]| words.contains(&part);
    let found = PATHS.iter().find(|(_, words)| path.split('/').any(|part| is(part, words)));
    // Files name themselves after what they test.
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_test = ["test_", "_test.", ".test.", ".spec.", "_spec."].iter().any(|mark| name.contains(mark));
    if is_test { "test" } else { found.map_or("other", |(class, _)| class) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart_by_what_they_are_for() {
        let file = |path: &str| path_class(&Location { file: Some(path.into()), ..Location::default() });
        let page = |url: &str| path_class(&Location { url: Some(url.into()), ..Location::default() });
        assert_eq!((file("src/tests/login.rs"), file("pkg/auth_test.go"), file("web/a.spec.ts")), ("test", "test", "test"));
        assert_eq!((file("src/login.rs"), file("node_modules/a/b.js"), file("docs\\conf.py")), ("other", "vendored", "documentation"));
        assert_eq!(
            (page("https://x.example/api/v1"), page("https://x.example/wp-admin/x"), page("no url")),
            ("interface", "administration", "")
        );
        assert_eq!(path_class(&Location::default()), "");
    }
}

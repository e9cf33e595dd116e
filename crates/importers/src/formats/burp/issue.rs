//! One issue of Burp, whichever edition wrote it, and the observation it becomes.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::endpoint::{Endpoint, Sites, placeless};
use crate::errors::ParseError;
use crate::html;
use crate::model::{Evidence, Location, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;

pub(super) const SOURCE: &str = "burp";
/// Issues of extensions share this type, so that only the name says what they are.
const EXTENSION: &str = "134217728";
/// Requests and responses of one issue.
pub(super) const EVIDENCE: usize = 20;

/// Texts are plain, but for references and classifications, which are searched for links and numbers only.
#[derive(Default)]
pub(super) struct Issue {
    /// Number of the issue definition, the same in all editions that tell it.
    pub(super) kind: Option<String>,
    pub(super) name: String,
    pub(super) origin: String,
    pub(super) path: String,
    /// Path with the insertion point in brackets.
    pub(super) spot: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) method: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) confidence: Option<String>,
    pub(super) detail: Vec<String>,
    pub(super) background: Option<String>,
    pub(super) remediation: Vec<String>,
    pub(super) references: Option<String>,
    pub(super) classifications: Option<String>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) observed_at: Option<String>,
}

/// How issues are counted.
pub(super) enum Count {
    /// Each for itself.
    Each,
    /// Those of one name together.
    ByName,
    /// Those of one name and severity together.
    ByNameAndSeverity,
}

impl Issue {
    pub(super) fn give(self, count: &Count, sites: &mut Sites, out: &mut Output<'_>) -> Result<(), ParseError> {
        let check = match self.kind.as_deref() {
            Some(kind) if kind != EXTENSION => format!("burp:{kind}"),
            _ => format!("burp:{}", vocabulary::shorten(&self.name, 200)),
        };
        let severity = severity(self.severity.as_deref());
        let mut tags = Vec::new();
        if self.severity.as_deref().is_some_and(|word| word.to_ascii_lowercase().starts_with("false")) {
            tags.push("false positive".to_owned());
        }
        let parameter = self.spot.as_deref().and_then(insertion_point).map(str::to_owned);
        let endpoint = Endpoint::under(&self.origin, &self.path);
        let (location, keys) = match &endpoint {
            Some(endpoint) => {
                sites.introduce(endpoint, out)?;
                // The request is optional output, so its method stays out of the keys.
                (endpoint.location(), endpoint.keys(&check, None, parameter.as_deref()))
            }
            None => (Location::default(), placeless(&check, &self.origin)),
        };
        let full = |text: &String| !text.is_empty();
        let detail: Vec<String> = self.detail.into_iter().chain(self.background).filter(full).collect();
        let remediation: Vec<String> = self.remediation.into_iter().filter(full).collect();
        let classified = self.classifications.as_deref().unwrap_or_default();
        let description = detail.join("\n\n");
        let observation = Observation {
            source: SOURCE.to_owned(),
            title: self.name.clone(),
            remediation: (!remediation.is_empty()).then(|| remediation.join("\n\n")),
            severity,
            confidence: confidence(self.confidence.as_deref()),
            cwes: vocabulary::cwes(classified),
            cves: vocabulary::cves(&description),
            references: self.references.as_deref().map(html::links).unwrap_or_default(),
            location: Location { ip: location.ip.clone().or(self.ip), method: self.method, parameter, ..location },
            evidence: self.evidence,
            observed_at: self.observed_at,
            description,
            check,
            tags,
            keys,
            ..Observation::default()
        };
        match count {
            Count::Each => out.distinct(observation),
            Count::ByName => out.observation(observation, &[SOURCE, &self.name]),
            Count::ByNameAndSeverity => out.observation(observation, &[SOURCE, &self.name, severity.as_str()]),
        }
    }
}

/// Burp's words; "false positive" and "undefined" rate nothing.
fn severity(word: Option<&str>) -> Severity {
    word.and_then(|word| word.parse().ok()).unwrap_or(Severity::Info)
}

fn confidence(word: Option<&str>) -> u8 {
    match word.map(|word| word.trim().to_ascii_lowercase()).as_deref() {
        Some("certain") => 95,
        Some("firm") => 75,
        Some("tentative") => 40,
        Some("false_positive" | "false positive") => 5,
        _ => 50,
    }
}

/// `/a/b [id parameter]` tells `id`, `/a [X-Y HTTP header]` tells `X-Y HTTP header`.
fn insertion_point(spot: &str) -> Option<&str> {
    let (_, rest) = spot.trim().strip_suffix(']')?.rsplit_once('[')?;
    let point = rest.trim();
    let point = point.strip_suffix(" parameter").unwrap_or(point).trim();
    (!point.is_empty()).then_some(point)
}

/// Bytes that Burp wrote in base64, as text; what is not base64 stays as it is.
pub(super) fn decoded(text: &str) -> String {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
    );
    let dense: String = text.split_whitespace().collect();
    match STANDARD.decode(&dense).or_else(|_| LENIENT.decode(&dense)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => text.to_owned(),
    }
}

/// Method of a request that was recorded.
pub(super) fn method(request: &str) -> Option<String> {
    let method = request.split_whitespace().next()?;
    let plain = (3..=10).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_uppercase());
    plain.then(|| method.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_insertion_point_stands_in_the_last_brackets() {
        assert_eq!(insertion_point("/a/b.jsp [b_id cookie]"), Some("b_id cookie"));
        assert_eq!(insertion_point("/a[1] [q parameter]"), Some("q"));
        assert_eq!(insertion_point("/a/b"), None);
        assert_eq!(decoded("R0VUIC8="), "GET /");
        assert_eq!(decoded("R0VUIC8"), "GET /");
        assert_eq!(decoded("not base64!"), "not base64!");
    }
}

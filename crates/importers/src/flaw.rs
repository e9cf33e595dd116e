//! A known vulnerability in a package, as most scanners of packages and images tell it, and the observation it becomes.

use crate::model::{Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::package;
use crate::vocabulary;

/// What a scanner tells; what it does not tell is empty.
#[derive(Default)]
pub(crate) struct Flaw<'f> {
    pub(crate) source: &'static str,
    /// The vulnerability under the name the scanner gives it.
    pub(crate) id: &'f str,
    /// Its other names.
    pub(crate) names: Vec<&'f str>,
    pub(crate) ecosystem: &'f str,
    pub(crate) package: &'f str,
    pub(crate) version: Option<&'f str>,
    pub(crate) purl: Option<&'f str>,
    pub(crate) severity: Option<Severity>,
    pub(crate) summary: Option<&'f str>,
    pub(crate) description: Option<&'f str>,
    /// Versions without it.
    pub(crate) fixed: Vec<&'f str>,
    pub(crate) vector: Option<&'f str>,
    pub(crate) cwes: Vec<u32>,
    pub(crate) references: Vec<&'f str>,
    /// What the package is in, without what changes from build to build.
    pub(crate) asset: Option<&'f str>,
    /// The file that brings it in.
    pub(crate) file: Option<&'f str>,
    pub(crate) tags: Vec<String>,
}

impl Flaw<'_> {
    pub(crate) fn observation(self, seen: &mut Occurrences) -> Observation {
        let component = package::component(self.ecosystem, self.package, self.version, self.purl);
        let file = self.file.map(package::path).filter(|file| !file.is_empty());
        let (cves, aliases) = package::names(std::iter::once(self.id).chain(self.names));
        let cvss = self.vector.and_then(vocabulary::cvss);
        let severity = self.severity.or_else(|| cvss.as_deref().and_then(vocabulary::scored));
        Observation {
            source: self.source.to_owned(),
            check: self.id.to_owned(),
            title: package::title(self.id, &component, self.summary),
            description: self.description.or(self.summary).unwrap_or_default().trim().to_owned(),
            remediation: package::upgrade(self.package, self.fixed),
            severity: severity.unwrap_or_default(),
            confidence: 80,
            cvss,
            cwes: self.cwes,
            cves,
            aliases,
            references: self.references.into_iter().filter(|link| link.contains("://")).map(str::to_owned).collect(),
            tags: self.tags,
            keys: package::keys(self.asset, file.as_deref(), self.id, &component, seen),
            location: Location { file, logical: self.asset.map(str::to_owned), component: Some(component), ..Location::default() },
            ..Observation::default()
        }
    }
}

//! A vulnerability of a bill, however it is written, and what becomes of it for each component it affects.

use super::{Components, SOURCE};
use crate::errors::{ParseError, Position};
use crate::model::{Asset, Component, Coverage, CoverageStatus, Extent, Gone, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::vocabulary;

/// What the bill is about.
#[derive(Default)]
pub(super) struct Subject {
    pub(super) component: Option<Component>,
    /// `container`, `application` and so on.
    pub(super) kind: Option<String>,
    pub(super) written: Option<String>,
}

impl Subject {
    fn is_image(&self) -> bool {
        self.kind.as_deref() == Some("container")
    }

    /// As it enters keys.
    pub(super) fn asset(&self) -> Option<String> {
        let component = self.component.as_ref()?;
        Some(if self.is_image() { package::repository(&component.name).to_owned() } else { package::bare(component) })
    }

    /// Ends a bill: says what it is about, and what was looked at when it has both components and vulnerabilities.
    pub(super) fn introduce(self, analysed: bool, components: &Components, out: &mut Output<'_>) -> Result<(), ParseError> {
        if components.full {
            let position = out.position();
            out.warn(position, "more components than are kept in memory; some are known by reference only")?;
        }
        let location = Location { component: self.component.clone(), ..Location::default() };
        if let Some(component) = &self.component {
            let kind = if self.is_image() { "image" } else { "project" };
            let mut identifiers = vec![(if self.is_image() { "image" } else { "name" }.to_owned(), component.name.clone())];
            identifiers.extend(component.version.clone().map(|version| ("version".to_owned(), version)));
            identifiers.extend(component.purl.clone().map(|purl| ("purl".to_owned(), purl)));
            out.asset(Asset { kind: kind.to_owned(), identifiers, services: Vec::new() })?;
        }
        if !analysed || components.count == 0 {
            return Ok(());
        }
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: "cyclonedx:components".to_owned(),
            location,
            extent: Extent::Whole,
            status: CoverageStatus::Done,
            reason: Some(format!("{} components", components.count)),
        })
    }
}

/// One assessment of how grave it is.
#[derive(Default)]
pub(super) struct Rating {
    pub(super) severity: Option<String>,
    pub(super) method: Option<String>,
    pub(super) vector: Option<String>,
    pub(super) score: Option<f64>,
}

impl Rating {
    /// Old bills leave out which version of CVSS a vector is of; the method says it.
    fn vector(&self) -> Option<String> {
        let vector = self.vector.as_deref()?;
        let prefix = match self.method.as_deref()? {
            _ if vector.starts_with("CVSS:") => "",
            "CVSSv3" | "CVSSv31" => "CVSS:3.1/",
            "CVSSv4" => "CVSS:4.0/",
            _ => "",
        };
        vocabulary::cvss(&format!("{prefix}{vector}"))
    }

    fn is_third(&self) -> bool {
        matches!(self.method.as_deref(), Some("CVSSv3" | "CVSSv31"))
    }
}

#[derive(Default)]
pub(super) struct Flaw {
    pub(super) id: Option<String>,
    pub(super) others: Vec<String>,
    pub(super) description: Vec<String>,
    pub(super) recommendation: Option<String>,
    pub(super) ratings: Vec<Rating>,
    pub(super) cwes: Vec<u32>,
    pub(super) references: Vec<String>,
    /// State of the analysis.
    pub(super) state: Option<String>,
    /// What else the analysis says.
    pub(super) analysis: Vec<String>,
    /// References to the components.
    pub(super) affects: Vec<String>,
}

impl Flaw {
    /// As rated first, else by the last rating of CVSS 3; without any it is not nothing.
    fn severity(&self) -> Severity {
        let word = |rating: &Rating| rating.severity.as_deref().and_then(vocabulary::severity);
        let third = self.ratings.iter().rev().filter(|rating| rating.is_third()).find_map(|rating| {
            let vector = rating.vector()?;
            word(rating).or_else(|| vocabulary::scored(&vector))
        });
        let scored = || self.ratings.iter().find_map(|rating| rating.score).map(Severity::from_score);
        third.or_else(|| self.ratings.first().and_then(word)).or_else(scored).unwrap_or(Severity::Medium)
    }

    fn cvss(&self) -> Option<String> {
        let third = self.ratings.iter().rev().filter(|rating| rating.is_third()).find_map(Rating::vector);
        let fourth = || self.ratings.iter().filter(|rating| rating.method.as_deref() == Some("CVSSv4")).find_map(Rating::vector);
        third.or_else(fourth).or_else(|| self.ratings.iter().find_map(Rating::vector))
    }

    /// Hands on one observation for every component.
    pub(super) fn tell(
        &self,
        components: &[Component],
        subject: &Subject,
        position: Position,
        seen: &mut Occurrences,
        out: &mut Output<'_>,
    ) -> Result<(), ParseError> {
        let id = self.id.as_deref().unwrap_or("unknown");
        if components.is_empty() {
            return out.warn(position, format!("{:?} affects nothing that is named", vocabulary::shorten(id, 80)));
        }
        let asset = subject.asset();
        let (cves, aliases) = package::names(self.id.as_deref().into_iter().chain(self.others.iter().map(String::as_str)));
        let description = self.description.join("\n\n");
        let analysis = self.analysis.join("\n");
        let common = Observation {
            source: SOURCE.to_owned(),
            check: id.to_owned(),
            description,
            remediation: self.recommendation.clone(),
            severity: self.severity(),
            confidence: 80,
            cvss: self.cvss(),
            cwes: self.cwes.clone(),
            cves,
            aliases,
            references: self.references.clone(),
            tags: self.state.iter().map(|state| format!("analysis:{state}")).collect(),
            evidence: if analysis.is_empty() { Vec::new() } else { vec![out.evidence("analysis", &analysis)] },
            observed_at: subject.written.clone(),
            gone: vocabulary::is_fixed(self.state.as_deref()).then(Gone::default),
            ..Observation::default()
        };
        for component in components {
            let mut observation = common.clone();
            observation.title = package::title(id, component, None);
            observation.keys = package::keys(asset.as_deref(), None, id, component, seen);
            observation.location = Location { component: Some(component.clone()), ..Location::default() };
            out.distinct(observation)?;
        }
        Ok(())
    }
}

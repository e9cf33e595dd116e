//! Groups of names of the same vulnerability. A group never holds two CVE ids: whoever says so joins nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::ingest::Flaw;

/// Databases whose entries are about one vulnerability each; advisories of distributions gather several and are none of these.
const SINGLE: &[&str] = &[
    "CVE-", "GHSA-", "PYSEC-", "RUSTSEC-", "GO-", "OSV-", "SNYK-", "NPM:", "MAL-", "HSEC-", "BIT-", "GSD-", "JLSEC-", "PSF-", "CURL-",
    "DRUPAL-",
];
/// Longest name; no database gives longer ones.
const LONGEST: usize = 100;
/// Other names that are told.
const TOLD: usize = 4;

/// Names among the labels of a finding that mean one vulnerability each.
pub(crate) fn names(labels: &str) -> Vec<&str> {
    labels.split_whitespace().filter(|word| is_single(word)).collect()
}

/// Whether a name, in upper case, means one vulnerability.
pub(crate) fn is_single(name: &str) -> bool {
    name.len() <= LONGEST && SINGLE.iter().any(|prefix| name.starts_with(prefix))
}

fn is_cve(name: &str) -> bool {
    name.starts_with("CVE-")
}

/// What is known about names, and what was learned.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// The group of every name that was looked up or told.
    of: BTreeMap<String, String>,
    /// The same as it was before anything was told.
    before: BTreeMap<String, String>,
}

impl Groups {
    /// What the tables know, as name and group.
    pub(crate) fn known(rows: impl IntoIterator<Item = (String, String)>) -> Self {
        let of: BTreeMap<String, String> = rows.into_iter().collect();
        Self { before: of.clone(), of }
    }

    /// Takes in that one finding goes by all these names.
    pub(crate) fn tell(&mut self, names: &[&str]) {
        for name in names {
            if !self.of.contains_key(*name) {
                self.of.insert((*name).to_owned(), (*name).to_owned());
            }
        }
        // About several vulnerabilities at once: its names are no names of each other.
        if names.iter().filter(|name| is_cve(name)).collect::<BTreeSet<_>>().len() > 1 {
            return;
        }
        let groups: BTreeSet<String> = names.iter().filter_map(|name| self.of.get(*name).cloned()).collect();
        let cves: Vec<&String> = groups.iter().filter(|group| is_cve(group)).collect();
        if cves.len() > 1 {
            return;
        }
        let Some(into) = cves.first().copied().or_else(|| groups.first()).cloned() else { return };
        for from in groups.iter().filter(|group| **group != into) {
            self.of.values_mut().filter(|group| *group == from).for_each(|group| group.clone_from(&into));
        }
    }

    /// The vulnerability that a finding with these names is about: its own first CVE, else what its other names mean.
    pub(crate) fn flaw(&self, names: &[&str]) -> Option<Flaw> {
        let groups: BTreeSet<&str> = names.iter().map(|name| self.of.get(*name).map_or(*name, String::as_str)).collect();
        let own = names.iter().filter(|name| is_cve(name)).min();
        let name = *own.or_else(|| groups.iter().find(|group| is_cve(group))).or_else(|| groups.first())?;
        let also = self.of.iter().filter(|(other, group)| *group == name && *other != name).map(|(other, _)| other.clone());
        Some(Flaw { name: name.to_owned(), also: also.take(TOLD).collect() })
    }

    /// The CVE ids that these names mean, in upper case, sorted; none where nobody knows any.
    pub(crate) fn cves(&self, names: &[&str]) -> Vec<String> {
        let groups: BTreeSet<&String> = names.iter().filter_map(|name| self.of.get(*name)).filter(|group| is_cve(group)).collect();
        groups.into_iter().cloned().collect()
    }

    /// Names that are new or belong to another group than before, with their groups.
    pub(crate) fn changed(&self) -> Vec<(&str, &str)> {
        let changed = self.of.iter().filter(|(name, group)| self.before.get(*name) != Some(*group));
        changed.map(|(name, group)| (name.as_str(), group.as_str())).collect()
    }

    /// Names of before whose findings are now in the wrong cluster.
    pub(crate) fn outdated(&self) -> Vec<String> {
        self.before.iter().filter(|(name, group)| self.of.get(*name) != Some(*group)).map(|(name, _)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name_of(groups: &Groups, name: &str) -> String {
        groups.flaw(&[name]).map(|flaw| flaw.name).unwrap_or_default()
    }

    #[test]
    fn names_told_together_become_one_and_a_cve_speaks_for_them() {
        let mut groups = Groups::known([("GHSA-1".to_owned(), "GHSA-1".to_owned()), ("CVE-2021-1".to_owned(), "CVE-2021-1".to_owned())]);
        groups.tell(&["PYSEC-1", "GHSA-1"]);
        groups.tell(&["GHSA-1", "CVE-2021-1"]);
        assert_eq!(name_of(&groups, "PYSEC-1"), "CVE-2021-1");
        assert_eq!(groups.flaw(&["GHSA-1"]).unwrap().also, ["GHSA-1", "PYSEC-1"]);
        assert_eq!(groups.outdated(), ["GHSA-1"]);
        assert_eq!(groups.changed(), [("GHSA-1", "CVE-2021-1"), ("PYSEC-1", "CVE-2021-1")]);
    }

    #[test]
    fn an_advisory_about_two_vulnerabilities_joins_nothing() {
        let mut groups = Groups::default();
        groups.tell(&["CVE-2021-1", "CVE-2021-2", "GHSA-1"]);
        groups.tell(&["GHSA-2", "CVE-2021-1"]);
        groups.tell(&["GHSA-2", "GHSA-3"]);
        groups.tell(&["GHSA-3", "CVE-2021-2"]);
        assert_eq!(name_of(&groups, "GHSA-3"), "CVE-2021-1", "the last one would make two CVEs the same");
        assert_eq!(name_of(&groups, "CVE-2021-2"), "CVE-2021-2");
        assert_eq!(names(" CVE-2021-1 RHSA-2021:1 CWE-79 NPM:a:20180101 "), ["CVE-2021-1", "NPM:a:20180101"]);
    }

    proptest! {
        #[test]
        fn two_cves_are_never_the_same(told in proptest::collection::vec(proptest::collection::vec(0..12_u8, 1..4), 0..40)) {
            let all: Vec<String> = (0..12).map(|number| format!("{}-{number}", if number < 4 { "CVE" } else { "GHSA" })).collect();
            let mut groups = Groups::default();
            for numbers in &told {
                let names: Vec<&str> = numbers.iter().map(|number| all[usize::from(*number)].as_str()).collect();
                groups.tell(&names);
                // What one finding is about is known by one of its CVEs, where it has any.
                if let (Some(flaw), [cve]) = (groups.flaw(&names), names.iter().filter(|name| is_cve(name)).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().as_slice()) {
                    prop_assert_eq!(flaw.name.as_str(), **cve);
                }
            }
            for cve in &all[..4] {
                prop_assert_eq!(name_of(&groups, cve), cve.clone());
            }
        }
    }
}

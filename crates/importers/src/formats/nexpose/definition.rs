//! What a Nexpose report says about a vulnerability, once for all nodes.

use crate::dialects;
use crate::model::{Observation, Severity};
use crate::vocabulary;
use crate::xml::Node;

/// One `<vulnerability>`.
pub(super) struct Definition {
    title: String,
    severity: Severity,
    cvss: Option<String>,
    description: String,
    remediation: Option<String>,
    cves: Vec<String>,
    cwes: Vec<u32>,
    references: Vec<String>,
    tags: Vec<String>,
}

impl Definition {
    pub(super) fn new(node: &Node) -> Self {
        let references: Vec<(&str, &str)> = node
            .first("references")
            .into_iter()
            .flat_map(|all| all.all("reference"))
            .map(|reference| (reference.get("source").unwrap_or_default(), reference.text.trim()))
            .take(200)
            .collect();
        let exploits = node.first("exploits").into_iter().flat_map(|all| all.all("exploit"));
        let mut tags: Vec<String> =
            node.first("tags").into_iter().flat_map(|all| all.all("tag")).map(|tag| tag.text.trim().to_lowercase()).take(200).collect();
        let links: Vec<String> = exploits.filter_map(|exploit| exploit.get("link")).map(str::to_owned).take(100).collect();
        if !links.is_empty() {
            tags.push("exploit".to_owned());
        }
        let under = |name: &str| node.first(name).map(prose).unwrap_or_default();
        let vectors = [node.get("cvssV3Vector"), node.get("cvss-v3-vector"), node.get("cvssVector")];
        Self {
            title: node.get("title").or(node.get("id")).unwrap_or("unnamed").to_owned(),
            severity: severity(node.get("severity")),
            cvss: vectors.into_iter().flatten().find_map(dialects::vector),
            description: under("description"),
            remediation: Some(under("solution")).filter(|text| !text.is_empty()),
            cves: references.iter().filter(|(source, _)| *source == "CVE").flat_map(|(_, id)| vocabulary::cves(id)).collect(),
            cwes: references.iter().filter(|(source, _)| *source == "CWE").flat_map(|(_, id)| cwe(id)).collect(),
            references: references
                .iter()
                .filter(|(source, id)| !matches!(*source, "CVE" | "CWE") && !id.is_empty())
                .map(|(source, id)| if id.contains("://") { (*id).to_owned() } else { format!("{source}:{id}") })
                .chain(links)
                .collect(),
            tags,
        }
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let lists: usize = self.references.iter().chain(&self.tags).chain(&self.cves).map(String::len).sum();
        self.title.len() + self.description.len() + self.remediation.as_ref().map_or(0, String::len) + lists + 300
    }

    pub(super) fn fill(&self, observation: &mut Observation) {
        observation.title.clone_from(&self.title);
        observation.severity = self.severity;
        observation.cvss.clone_from(&self.cvss);
        observation.description.clone_from(&self.description);
        observation.remediation.clone_from(&self.remediation);
        observation.cves.clone_from(&self.cves);
        observation.cwes.clone_from(&self.cwes);
        observation.references.clone_from(&self.references);
        observation.tags.clone_from(&self.tags);
    }
}

fn cwe(id: &str) -> Vec<u32> {
    id.parse().map_or_else(|_| vocabulary::cwes(id), |number| vec![number])
}

/// The scale of Nexpose, 1 to 10.
fn severity(text: Option<&str>) -> Severity {
    match text.and_then(|text| text.trim().parse::<i32>().ok()) {
        Some(9..) => Severity::Critical,
        Some(7 | 8) => Severity::High,
        Some(4..=6) => Severity::Medium,
        Some(1..=3) => Severity::Low,
        _ => Severity::Info,
    }
}

/// Text of paragraphs, lists and links, a line for each.
pub(super) fn prose(node: &Node) -> String {
    let mut text = String::new();
    write(node, &mut text);
    text
}

fn write(node: &Node, text: &mut String) {
    let own = node.text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !own.is_empty() {
        let item = node.name() == "ListItem";
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(if item { "- " } else { "" });
        text.push_str(&own);
    }
    if let Some(link) = node.get("LinkURL").filter(|link| !own.contains(link)) {
        text.push_str(&format!(" {link}"));
    }
    for child in &node.children {
        write(child, text);
    }
}

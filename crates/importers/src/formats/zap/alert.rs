//! One alert of ZAP with its instances, however the report writes it, and the observations it becomes.

use super::SOURCE;
use crate::endpoint::{Endpoint, Sites, placeless};
use crate::errors::{ParseError, Position};
use crate::html;
use crate::identity;
use crate::model::{Evidence, IdentityKey, Location, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;

/// Instances of one alert.
pub(super) const INSTANCES: usize = 1_000;
/// Bytes of requests and responses kept per alert.
const EVIDENCE: usize = 8 << 20;

/// What a report says once for all instances.
#[derive(Default)]
pub(super) struct Alert {
    pub(super) plugin: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) name: Option<String>,
    pub(super) risk: Option<String>,
    pub(super) confidence: Option<String>,
    pub(super) description: Option<String>,
    pub(super) other: Option<String>,
    pub(super) solution: Option<String>,
    pub(super) references: Option<String>,
    pub(super) cwe: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) instances: Vec<Instance>,
    /// Whether each instance is an alert of its own in the report, so that those of one name and risk are counted together.
    pub(super) is_alone: bool,
    /// Instances past the limit.
    pub(super) left_out: u64,
    pub(super) kept: usize,
}

/// Where an alert was raised.
#[derive(Default)]
pub(super) struct Instance {
    pub(super) uri: Option<String>,
    pub(super) method: Option<String>,
    pub(super) parameter: Option<String>,
    pub(super) evidence: Vec<Evidence>,
}

impl Alert {
    /// Keeps an instance, its evidence only while there is room.
    pub(super) fn add(&mut self, mut instance: Instance) {
        if self.instances.len() >= INSTANCES {
            self.left_out += 1;
            return;
        }
        self.kept += instance.evidence.iter().map(|evidence| evidence.body.len()).sum::<usize>();
        if self.kept > EVIDENCE {
            instance.evidence.clear();
        }
        self.instances.push(instance);
    }
}

/// ZAP's scale: 0 informational to 3 high.
fn severity(risk: Option<&str>) -> Severity {
    match risk.map(str::trim) {
        Some("3") => Severity::High,
        Some("2") => Severity::Medium,
        Some("1") => Severity::Low,
        // The API writes words.
        Some(word) => word.parse().unwrap_or_default(),
        None => Severity::Info,
    }
}

/// ZAP's scale: 0 false positive, 1 low, 2 medium, 3 high, 4 confirmed by a person.
fn confidence(text: Option<&str>) -> u8 {
    match text.map(str::trim) {
        Some("0" | "False Positive") => 5,
        Some("1" | "Low") => 40,
        Some("3" | "High") => 85,
        Some("4" | "Confirmed") => 100,
        _ => 70,
    }
}

pub(super) struct Report<'s> {
    pub(super) generated: Option<String>,
    pub(super) sites: &'s mut Sites,
    pub(super) alerts: u64,
}

impl Report<'_> {
    pub(super) fn take(&mut self, alert: Alert, site: Option<&str>, position: Position, out: &mut Output<'_>) -> Result<(), ParseError> {
        let named = alert.name.clone().or_else(|| alert.plugin.as_ref().map(|plugin| format!("ZAP alert {plugin}")));
        let Some(name) = named else {
            return out.skip(position, "alert without plugin and name");
        };
        self.alerts += 1;
        if alert.left_out > 0 {
            out.warn(position, format!("alert with {} instances; {INSTANCES} are taken", alert.instances.len() as u64 + alert.left_out))?;
        }
        let number = match &alert {
            Alert { is_alone: true, plugin, risk, .. } => format!("{plugin:?} {name} {risk:?}"),
            _ => self.alerts.to_string(),
        };
        let common = self.common(&alert, &name);
        let instances = if alert.instances.is_empty() { vec![Instance::default()] } else { alert.instances };
        for instance in instances {
            let address = instance.uri.as_deref().or(site).unwrap_or_default();
            let endpoint = Endpoint::new(address).or_else(|| Endpoint::new(site?));
            let mut observation = common.clone();
            let (method, parameter) = (instance.method.as_deref(), instance.parameter.as_deref());
            match &endpoint {
                Some(endpoint) => {
                    self.sites.introduce(endpoint, out)?;
                    observation.location = endpoint.location();
                    observation.keys = vec![named_key(endpoint, &observation.check, &name, method, parameter)];
                    observation.keys.extend(endpoint.keys(&observation.check, method, parameter));
                }
                None => observation.keys = placeless(&observation.check, address),
            }
            let place = Location { method: instance.method, parameter: instance.parameter, ..observation.location };
            observation.location = place;
            observation.evidence = instance.evidence;
            out.observation(observation, &[SOURCE, &number])?;
        }
        Ok(())
    }

    fn common(&self, alert: &Alert, name: &str) -> Observation {
        let plugin = alert.reference.as_deref().or(alert.plugin.as_deref()).unwrap_or(name);
        let text = |text: &Option<String>| text.as_deref().map(html::plain).filter(|text| !text.is_empty());
        let mut description = text(&alert.description).unwrap_or_default();
        if let Some(other) = text(&alert.other) {
            description.push_str("\n\n");
            description.push_str(&other);
        }
        let cwe = alert.cwe.as_deref().and_then(|cwe| cwe.trim().parse::<u32>().ok()).filter(|cwe| *cwe > 0);
        let linked = alert.tags.iter().flat_map(|(tag, link)| [tag, link]);
        let mut cwes: Vec<u32> = linked.flat_map(|text| vocabulary::cwes(text)).collect();
        cwes.extend(cwe);
        Observation {
            source: SOURCE.to_owned(),
            check: format!("zap:{plugin}"),
            title: name.to_owned(),
            severity: severity(alert.risk.as_deref()),
            confidence: confidence(alert.confidence.as_deref()),
            remediation: text(&alert.solution),
            cves: vocabulary::cves(&description),
            references: alert.references.as_deref().map(html::links).unwrap_or_default(),
            tags: alert.tags.iter().map(|(tag, _)| tag.clone()).collect(),
            observed_at: self.generated.clone(),
            description,
            cwes,
            ..Observation::default()
        }
    }
}

/// Reports of before 2021 tell the variants of one rule apart by their names only.
fn named_key(endpoint: &Endpoint, check: &str, name: &str, method: Option<&str>, parameter: Option<&str>) -> IdentityKey {
    let web = &endpoint.keys(check, method, parameter)[0].digest;
    identity::key("web.named", 1, &[web.as_str().into(), name.into()])
}

//! Targets: what they are, what may be said about them, and the checks every door shares.

use base::{Id, Result, Time, Unit, UserId};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::address::{Address, MAXIMUM_LENGTH};
use crate::errors;
use crate::text::{line, optional_line, tags, tags_schema, text};
use crate::vocabulary::{Criticality, TargetKind};

/// A target's id.
pub type TargetId = Id<Target>;

/// Something the organisation owns and wants tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// What people call it.
    #[schema(max_length = 200)]
    pub name: String,
    /// What sort of thing it is.
    #[serde(rename = "type")]
    pub kind: TargetKind,
    /// Where it is: a URL, host or network in normal form; for other types any reference.
    #[schema(max_length = 2048)]
    pub address: Option<String>,
    /// Free text.
    #[schema(max_length = 10000)]
    pub description: String,
    /// Labels, lower case, sorted.
    #[schema(schema_with = tags_schema)]
    pub tags: Vec<String>,
    /// Who answers for it.
    #[schema(max_length = 200)]
    pub owner: Option<String>,
    /// Where it runs, such as `production`.
    #[schema(max_length = 64)]
    pub environment: Option<String>,
    /// The business unit it belongs to; none: the organisation as a whole.
    pub unit: Option<Unit>,
    /// How much depends on it.
    pub criticality: Criticality,
    /// When it was recorded.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Counts changes; give it back with a patch to notice somebody else's.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub version: i64,
}

impl Target {
    /// The parsed address, when it is one that can be reached over the network.
    #[must_use]
    pub fn endpoint(&self) -> Option<Address> {
        match self.kind {
            TargetKind::Web | TargetKind::Api | TargetKind::Host | TargetKind::Network => {
                self.address.as_deref().and_then(|address| Address::parse(address).ok())
            }
            TargetKind::Mobile | TargetKind::Repository | TargetKind::Cloud => None,
        }
    }
}

/// What is needed to record a target; `name` and `type` are enough.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTarget {
    /// What people call it; taken as the address too when it plainly is one.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What sort of thing it is.
    #[serde(rename = "type")]
    pub kind: TargetKind,
    /// Where it is.
    #[serde(default)]
    #[schema(max_length = 2048)]
    pub address: Option<String>,
    /// Free text.
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    /// Labels.
    #[serde(default)]
    #[schema(schema_with = tags_schema)]
    pub tags: Vec<String>,
    /// Who answers for it.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub owner: Option<String>,
    /// Where it runs.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub environment: Option<String>,
    /// The business unit it belongs to.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// How much depends on it; `medium` when not said.
    #[serde(default)]
    pub criticality: Option<Criticality>,
}

impl NewTarget {
    /// A target of which only name and type are known.
    pub fn named(name: impl Into<String>, kind: TargetKind) -> Self {
        Self {
            name: name.into(),
            kind,
            address: None,
            description: None,
            tags: Vec::new(),
            owner: None,
            environment: None,
            unit: None,
            criticality: None,
        }
    }

    /// The checked target with its address in normal form.
    ///
    /// # Errors
    /// `Invalid` naming the field at fault.
    pub fn build(self, id: TargetId, now: Time) -> Result<Target> {
        let name = line("/name", &self.name, 200)?;
        let address = match self.address.as_deref().map(str::trim) {
            Some(given) if !given.is_empty() => Some(address_for(self.kind, given)?),
            _ => address_from_name(self.kind, &name),
        };
        Ok(Target {
            id,
            name,
            kind: self.kind,
            address,
            description: text("/description", self.description.as_deref().unwrap_or_default(), 10_000)?,
            tags: tags(&self.tags)?,
            owner: optional_line("/owner", self.owner.as_deref(), 200)?,
            environment: optional_line("/environment", self.environment.as_deref(), 64)?,
            unit: self.unit,
            criticality: self.criticality.unwrap_or(Criticality::Medium),
            created_at: now,
            updated_at: now,
            version: 1,
        })
    }
}

/// A change to a target: absent fields stay, `null` clears what may be empty.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetPatch {
    /// The new name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// The new type.
    #[serde(default, rename = "type")]
    pub kind: Option<TargetKind>,
    /// The new address.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    pub address: Option<Option<String>>,
    /// The new description.
    #[serde(default)]
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    /// All labels from now on.
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = tags_schema)]
    pub tags: Option<Vec<String>>,
    /// The new owner.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub owner: Option<Option<String>>,
    /// The new environment.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 64)]
    pub environment: Option<Option<String>>,
    /// The new business unit.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Unit>)]
    pub unit: Option<Option<Unit>>,
    /// The new criticality.
    #[serde(default)]
    pub criticality: Option<Criticality>,
    /// The version this change was made from; refused when somebody was faster.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub version: Option<i64>,
}

impl TargetPatch {
    /// The changed target.
    ///
    /// # Errors
    /// `Invalid` naming the field at fault; `Conflict` when `version` is not the current one.
    pub fn apply(self, mut target: Target, now: Time) -> Result<Target> {
        if let Some(given) = self.version
            && given != target.version
        {
            return Err(errors::changed_meanwhile(given, target.version));
        }
        if let Some(name) = &self.name {
            target.name = line("/name", name, 200)?;
        }
        if let Some(kind) = self.kind {
            target.kind = kind;
        }
        let address = self.address.unwrap_or_else(|| target.address.clone());
        target.address = match address.as_deref().map(str::trim) {
            Some(given) if !given.is_empty() => Some(address_for(target.kind, given)?),
            _ => None,
        };
        if let Some(description) = &self.description {
            target.description = text("/description", description, 10_000)?;
        }
        if let Some(given) = &self.tags {
            target.tags = tags(given)?;
        }
        if let Some(owner) = &self.owner {
            target.owner = optional_line("/owner", owner.as_deref(), 200)?;
        }
        if let Some(environment) = &self.environment {
            target.environment = optional_line("/environment", environment.as_deref(), 64)?;
        }
        if let Some(unit) = self.unit {
            target.unit = unit;
        }
        if let Some(criticality) = self.criticality {
            target.criticality = criticality;
        }
        target.updated_at = now;
        target.version = target.version.saturating_add(1);
        Ok(target)
    }
}

/// Which targets a list shows.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Part of the name or address, any case.
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// Only this type.
    #[serde(rename = "type")]
    #[param(rename = "type", inline)]
    pub kind: Option<TargetKind>,
    /// Only with this label.
    #[param(max_length = 64)]
    pub tag: Option<String>,
    /// Only of this business unit and those within it.
    #[param(inline)]
    pub unit: Option<Unit>,
    /// Only of this criticality.
    #[param(inline)]
    pub criticality: Option<Criticality>,
}

impl Filter {
    /// Whether any target could ever be shown: nothing is longer than what it would be found in.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.check().is_ok()
    }

    /// Says no to what is longer than anything it could be found in.
    ///
    /// # Errors
    /// `Invalid` naming the parameter.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, given, maximum) in [("q", &self.q, 200), ("tag", &self.tag, 64)] {
            if given.as_ref().is_some_and(|text| text.chars().count() > maximum) {
                return Err(errors::field(name, format!("it must have at most {maximum} characters")));
            }
        }
        Ok(())
    }
}

/// Who recorded something, for rows that keep it.
pub(crate) type Author = Option<UserId>;

/// A list that is given is a list: `null` is a mistake, not an absence.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Vec::deserialize(deserializer).map(Some)
}

/// Tells `null` (clear it) from absence (leave it).
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

fn address_for(kind: TargetKind, given: &str) -> Result<String> {
    match kind {
        TargetKind::Web | TargetKind::Api => match Address::parse(given).map_err(|error| error.at("/address"))? {
            Address::Network(_) => Err(errors::address_of_kind(kind, "a URL or a host")),
            address => Ok(address.to_string()),
        },
        TargetKind::Host => match Address::parse(given).map_err(|error| error.at("/address"))? {
            address @ Address::Host { .. } => Ok(address.to_string()),
            Address::Network(network) if network.prefix_len() == network.max_prefix_len() => Ok(network.addr().to_string()),
            Address::Network(_) | Address::Url(_) => Err(errors::address_of_kind(kind, "one host name or IP address")),
        },
        TargetKind::Network => match Address::parse(given).map_err(|error| error.at("/address"))? {
            Address::Network(network) => Ok(network.to_string()),
            address @ Address::Host { port: None, .. } if address.ip().is_some() => Ok(address.to_string()),
            Address::Host { .. } | Address::Url(_) => Err(errors::address_of_kind(kind, "a network such as 192.0.2.0/24")),
        },
        TargetKind::Mobile | TargetKind::Repository | TargetKind::Cloud => line("/address", given, MAXIMUM_LENGTH),
    }
}

fn address_from_name(kind: TargetKind, name: &str) -> Option<String> {
    let address = match kind {
        TargetKind::Web | TargetKind::Api | TargetKind::Host | TargetKind::Network => Address::recognise(name)?.to_string(),
        TargetKind::Mobile | TargetKind::Repository | TargetKind::Cloud => return None,
    };
    address_for(kind, &address).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> TargetId {
        TargetId::from_uuid(uuid::Uuid::from_u128(1))
    }

    fn built(name: &str, kind: TargetKind) -> Target {
        NewTarget::named(name, kind).build(id(), Time::from_seconds(1)).unwrap()
    }

    #[test]
    fn name_and_type_alone_make_a_target() {
        assert_eq!(built("Web shop", TargetKind::Web).address, None);
        assert_eq!(built("https://Shop.example/", TargetKind::Web).address.as_deref(), Some("https://shop.example/"));
        assert_eq!(built("127.0.0.1", TargetKind::Host).address.as_deref(), Some("127.0.0.1"));
        assert_eq!(built("10.0.0.7/24", TargetKind::Network).address.as_deref(), Some("10.0.0.0/24"));
        assert_eq!(built("example.com", TargetKind::Mobile).address, None);
        assert_eq!(built("10.0.0.0/24", TargetKind::Host).address, None);
    }

    #[test]
    fn a_wrong_field_is_named() {
        let new = |change: fn(&mut NewTarget)| {
            let mut new = NewTarget::named("a", TargetKind::Host);
            change(&mut new);
            new.build(id(), Time::default()).unwrap_err()
        };
        assert_eq!(new(|new| new.name = " ".into()).field(), Some("/name"));
        assert_eq!(new(|new| new.address = Some("http://x/".into())).field(), Some("/address"));
        assert_eq!(new(|new| new.address = Some("a b".into())).field(), Some("/address"));
        assert_eq!(new(|new| new.tags = vec!["ok".into(), "a,b".into()]).field(), Some("/tags/1"));
        assert_eq!(new(|new| new.owner = Some("a\u{0}b".into())).field(), Some("/owner"));
    }

    #[test]
    fn a_patch_changes_what_it_names_and_notices_a_faster_one() {
        let target = built("127.0.0.1", TargetKind::Host);
        let patch: TargetPatch = serde_json::from_str(r#"{"address":null,"tags":["B","a","b"],"version":1}"#).unwrap();
        let changed = patch.clone().apply(target.clone(), Time::from_seconds(5)).unwrap();
        assert_eq!((changed.address.as_deref(), changed.version), (None, 2));
        assert_eq!(changed.tags, ["a", "b"]);
        assert_eq!(changed.name, target.name);
        assert_eq!(patch.apply(changed, Time::from_seconds(6)).unwrap_err().code(), "targets.changed_meanwhile");
    }
}

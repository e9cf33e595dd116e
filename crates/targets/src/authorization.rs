//! Authorisations: who allowed testing of what, from when to when, how intrusively, and what proves it (SPEC PT-15).
//! Invariant: once recorded only its evidence file and its revocation may be added, each once.

use std::time::Duration;

use base::{Id, Result, Time, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::address::Address;
use crate::errors;
use crate::model::{Target, TargetId};
use crate::rule::{Rule, RuleText};
use crate::text::{line, text};
use crate::vocabulary::Intrusiveness;

/// An authorisation's id.
pub type AuthorizationId = Id<Authorization>;

/// The longest period one authorisation may cover.
pub(crate) const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

const MAXIMUM_RULES: usize = 500;

/// A person's permission to test something for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Authorization {
    /// Its id.
    pub id: AuthorizationId,
    /// The one target it is for, or none when it is for whatever its rules cover.
    #[schema(value_type = Option<TargetId>)]
    pub target: Option<TargetId>,
    /// What is inside.
    #[schema(value_type = Vec<RuleText>, max_items = 500)]
    pub rules: Vec<Rule>,
    /// What is outside although a rule covers it.
    #[schema(value_type = Vec<RuleText>, max_items = 500)]
    pub exclusions: Vec<Rule>,
    /// From when on.
    pub valid_from: Time,
    /// Until when, this moment excluded.
    pub valid_until: Time,
    /// How far tests may go.
    pub intrusiveness: Intrusiveness,
    /// The person who allows it and may do so.
    #[schema(max_length = 200)]
    pub granted_by: String,
    /// What proves it: a contract number, a ticket, a sentence.
    #[schema(max_length = 10000)]
    pub evidence: String,
    /// Key of the stored proof, if one was handed in.
    #[schema(max_length = 200)]
    pub evidence_file: Option<String>,
    /// Who recorded it.
    pub created_by: Option<UserId>,
    /// When it was recorded.
    pub created_at: Time,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
    /// Why it was taken back.
    #[schema(max_length = 1000)]
    pub revoked_reason: Option<String>,
}

impl Authorization {
    /// Whether it allows anything at `now`.
    #[must_use]
    pub fn is_active(&self, now: Time) -> bool {
        self.revoked_at.is_none() && self.valid_from <= now && now < self.valid_until
    }
}

/// What is needed to record an authorisation.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuthorization {
    /// The one target it is for.
    #[serde(default, alias = "target_id")]
    #[schema(value_type = Option<TargetId>)]
    pub target: Option<TargetId>,
    /// What is inside; when empty, the target's own address.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub rules: Vec<RuleText>,
    /// What is outside although a rule covers it.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub exclusions: Vec<RuleText>,
    /// From when on; now when not said.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    pub valid_from: Option<Time>,
    /// Until when, at most 366 days after the start.
    pub valid_until: Time,
    /// How far tests may go; `safe` when not said.
    #[serde(default)]
    pub intrusiveness: Option<Intrusiveness>,
    /// The person who allows it and may do so.
    #[schema(min_length = 1, max_length = 200)]
    pub granted_by: String,
    /// What proves it.
    #[schema(min_length = 1, max_length = 10000)]
    pub evidence: String,
}

impl NewAuthorization {
    /// Permission for one target at its own address, up to safe tests.
    pub fn for_target(target: TargetId, granted_by: impl Into<String>, evidence: impl Into<String>, valid_until: Time) -> Self {
        Self {
            target: Some(target),
            rules: Vec::new(),
            exclusions: Vec::new(),
            valid_from: None,
            valid_until,
            intrusiveness: None,
            granted_by: granted_by.into(),
            evidence: evidence.into(),
        }
    }

    /// The checked authorisation; `target` is the row behind `self.target`.
    ///
    /// # Errors
    /// `Invalid` naming the field at fault.
    pub fn build(self, id: AuthorizationId, target: Option<&Target>, by: Option<UserId>, now: Time) -> Result<Authorization> {
        let mut rules = parsed("/rules", &self.rules)?;
        if rules.is_empty() {
            rules.extend(target.and_then(Target::endpoint).as_ref().map(Rule::covering));
        }
        if rules.is_empty() {
            return Err(errors::no_rules());
        }
        let valid_from = self.valid_from.unwrap_or(now);
        if self.valid_until <= valid_from {
            return Err(errors::period("the authorisation must end after it begins"));
        }
        if self.valid_until <= now {
            return Err(errors::period(format!("the authorisation would already be over: it ends at {}", self.valid_until)));
        }
        if self.valid_until.since(valid_from) > LONGEST {
            return Err(errors::period("an authorisation lasts at most 366 days: record a new one when it ends"));
        }
        Ok(Authorization {
            id,
            target: self.target,
            rules,
            exclusions: parsed("/exclusions", &self.exclusions)?,
            valid_from,
            valid_until: self.valid_until,
            intrusiveness: self.intrusiveness.unwrap_or(Intrusiveness::Safe),
            granted_by: line("/granted_by", &self.granted_by, 200)?,
            evidence: required_text("/evidence", &self.evidence)?,
            evidence_file: None,
            created_by: by,
            created_at: now,
            revoked_at: None,
            revoked_reason: None,
        })
    }
}

fn required_text(pointer: &str, given: &str) -> Result<String> {
    let given = text(pointer, given, 10_000)?;
    if given.is_empty() {
        return Err(errors::field(pointer, "it must say what proves the authorisation"));
    }
    Ok(given)
}

fn parsed(pointer: &str, given: &[RuleText]) -> Result<Vec<Rule>> {
    if given.len() > MAXIMUM_RULES {
        return Err(errors::field(pointer, format!("there are at most {MAXIMUM_RULES} rules")));
    }
    given
        .iter()
        .enumerate()
        .map(|(index, rule)| Rule::parse(rule.kind, &rule.value).map_err(|error| error.at(format!("{pointer}/{index}/value"))))
        .collect()
}

/// Which authorisation lets a test of `target` happen now, or the most helpful reason why none does.
///
/// # Errors
/// `Forbidden`: never authorised, over, not begun, revoked, or gentler than wanted.
pub(crate) fn choose<'a>(
    target: &Target,
    address: &Address,
    candidates: &'a [Authorization],
    wanted: Intrusiveness,
    now: Time,
) -> Result<&'a Authorization> {
    let covering: Vec<&Authorization> =
        candidates.iter().filter(|candidate| candidate.target.is_none_or(|id| id == target.id) && covers(candidate, address)).collect();
    let active = || covering.iter().copied().filter(|candidate| candidate.is_active(now));
    if let Some(best) = active()
        .filter(|candidate| candidate.intrusiveness >= wanted)
        .max_by_key(|candidate| (candidate.intrusiveness, candidate.valid_until, candidate.id))
    {
        return Ok(best);
    }
    if let Some(allowed) = active().map(|candidate| candidate.intrusiveness).max() {
        return Err(errors::too_intrusive(target, wanted, allowed));
    }
    let kept = || covering.iter().filter(|candidate| candidate.revoked_at.is_none());
    if let Some(begins) = kept().map(|candidate| candidate.valid_from).filter(|begins| *begins > now).min() {
        return Err(errors::authorization_not_yet(target, begins));
    }
    let ended = kept().map(|candidate| candidate.valid_until).max();
    let revoked = covering.iter().filter_map(|candidate| Some((candidate.revoked_at?, candidate))).max_by_key(|(when, _)| *when);
    match (ended, revoked) {
        (Some(ended), Some((when, _))) if ended >= when => Err(errors::authorization_expired(target, ended)),
        (_, Some((when, candidate))) => {
            Err(errors::authorization_revoked(target, when, candidate.revoked_reason.as_deref().unwrap_or("no reason given")))
        }
        (Some(ended), None) => Err(errors::authorization_expired(target, ended)),
        (None, None) => Err(errors::not_authorized(target)),
    }
}

/// Whether the rules speak of this address at all; every single address is checked again when it is used.
fn covers(authorization: &Authorization, address: &Address) -> bool {
    let excluded = |rule: &Rule| match address {
        Address::Network(network) => matches!(rule, Rule::Cidr(own) if own.contains(network)),
        _ => rule.port().is_none() && speaks_of(rule, address),
    };
    authorization.rules.iter().any(|rule| speaks_of(rule, address)) && !authorization.exclusions.iter().any(excluded)
}

fn speaks_of(rule: &Rule, address: &Address) -> bool {
    match address {
        Address::Network(network) => matches!(rule, Rule::Cidr(own) if own.contains(network)),
        Address::Url(url) if matches!(rule, Rule::UrlPrefix(_)) => rule.contains_url(url),
        Address::Host { .. } | Address::Url(_) => {
            address.name().is_some_and(|name| rule.names(&name)) || address.ip().is_some_and(|ip| rule.lists(ip))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NewTarget;
    use crate::vocabulary::TargetKind;

    fn target(address: &str, kind: TargetKind) -> Target {
        NewTarget::named(address, kind).build(TargetId::from_uuid(uuid::Uuid::from_u128(1)), Time::default()).unwrap()
    }

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    fn granted(target: &Target, from: i64, until: i64, change: impl Fn(&mut NewAuthorization)) -> Authorization {
        let mut new = NewAuthorization::for_target(target.id, "Ana", "ticket 7", at(until));
        new.valid_from = Some(at(from));
        change(&mut new);
        new.build(AuthorizationId::from_uuid(uuid::Uuid::from_u128(2)), Some(target), None, at(0)).unwrap()
    }

    fn refusal(target: &Target, candidates: &[Authorization], wanted: Intrusiveness, now: i64) -> base::Error {
        choose(target, &target.endpoint().unwrap(), candidates, wanted, at(now)).unwrap_err()
    }

    #[test]
    fn each_reason_for_no_has_its_own_words() {
        let host = target("127.0.0.1", TargetKind::Host);
        let granted_safe = granted(&host, 10, 20, |_| ());
        let code = |candidates: &[Authorization], wanted, now| refusal(&host, candidates, wanted, now).code();
        let one = [granted_safe.clone()];
        assert!(choose(&host, &host.endpoint().unwrap(), &one, Intrusiveness::Safe, at(10)).is_ok());
        assert_eq!(code(&[], Intrusiveness::Safe, 15), "targets.not_authorized");
        assert_eq!(code(&one, Intrusiveness::Safe, 9), "targets.authorization_not_yet");
        assert_eq!(code(&one, Intrusiveness::Safe, 20), "targets.authorization_expired");
        assert_eq!(code(&one, Intrusiveness::Intrusive, 15), "targets.too_intrusive");
        let mut revoked = granted_safe;
        revoked.revoked_at = Some(at(12));
        revoked.revoked_reason = Some("contract ended".into());
        let error = refusal(&host, &[revoked], Intrusiveness::Safe, 15);
        assert_eq!(error.code(), "targets.authorization_revoked");
        assert!(error.detail().contains("contract ended") && error.detail().contains("127.0.0.1"));
    }

    #[test]
    fn rules_must_speak_of_the_target() {
        let host = target("10.0.0.5", TargetKind::Host);
        let network = target("10.0.0.0/24", TargetKind::Network);
        let cidr = |value: &str| RuleText { kind: crate::rule::RuleKind::Cidr, value: value.into() };
        let wide = granted(&host, 0, 100, |new| {
            new.target = None;
            new.rules = vec![cidr("10.0.0.0/16")];
            new.exclusions = vec![cidr("10.0.7.0/24")];
        });
        for covered in [&host, &network] {
            assert!(choose(covered, &covered.endpoint().unwrap(), std::slice::from_ref(&wide), Intrusiveness::Safe, at(1)).is_ok());
        }
        for outside in
            [target("10.0.7.1", TargetKind::Host), target("10.0.0.0/8", TargetKind::Network), target("10.0.7.0/25", TargetKind::Network)]
        {
            assert_eq!(
                refusal(&outside, std::slice::from_ref(&wide), Intrusiveness::Safe, 1).code(),
                "targets.not_authorized",
                "{}",
                outside.name
            );
        }
    }

    #[test]
    fn a_period_must_be_a_period() {
        let host = target("127.0.0.1", TargetKind::Host);
        let build = |from: Option<i64>, until: i64| {
            let mut new = NewAuthorization::for_target(host.id, "Ana", "x", at(until));
            new.valid_from = from.map(at);
            new.build(AuthorizationId::from_uuid(uuid::Uuid::nil()), Some(&host), None, at(1000))
        };
        assert!(build(None, 1001).is_ok());
        for (from, until) in [(None, 1000), (Some(5), 5), (Some(5), 900), (None, 1002 + 366 * 86_400)] {
            assert_eq!(build(from, until).unwrap_err().code(), "targets.period");
        }
    }
}

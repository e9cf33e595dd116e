//! Rules of the organisation: who has to agree when a risk is accepted, and how many days there are for fixing.

use askama::Template;
use axum::extract::State;
use base::Result;
use results::{Policy, SlaDays, SlaPolicy, UnitPolicy};

use super::{Shown, done, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::Viewer;
use crate::{Shared, errors};

/// The name of the organisation's own policy, as the service has it in addresses.
const ORGANISATION: &str = "organisation";
const SEVERITIES: [&str; 5] = ["critical", "high", "medium", "low", "info"];
/// For which targets days are set, by the beginning of the names of their fields.
const COLUMNS: [&str; 3] = ["days", "on_high", "on_critical"];

#[derive(Template)]
#[template(path = "settings/rules.html")]
struct RulesPage {
    frame: Frame,
    policy: Policy,
    policies: Vec<UnitPolicy>,
}

#[derive(Template)]
#[template(path = "settings/sla.html")]
struct SlaPage {
    frame: Frame,
    form: Form,
    /// The policy that is changed; none when a unit gets one.
    unit: Option<String>,
    /// Whether somebody set it, so that it can be taken back.
    is_set: bool,
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let policy = services.results.policy(&viewer.actor).await?;
    let policies = services.results.sla_policies(&viewer.actor).await?;
    render(&RulesPage { frame: viewer.frame, policy, policies })
}

pub(crate) async fn set_policy(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    services.results.set_policy(&viewer.actor, Policy { four_eyes: fields.get("four_eyes") == "true" }).await?;
    Ok(done("/settings/rules", "saved"))
}

/// The name of a unit in addresses.
fn name(unit: &str) -> &str {
    if unit.is_empty() { ORGANISATION } else { unit }
}

/// The page that changes a policy.
fn link(set: &UnitPolicy) -> String {
    format!("/settings/sla?{}", Fields::default().set("unit", name(&set.unit)).query(&[]))
}

fn days(days: &SlaDays) -> [Option<u16>; 5] {
    [days.critical, days.high, days.medium, days.low, days.info]
}

/// What important targets have less of, for the severity at a place.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
fn fewer(policy: &SlaPolicy, severity: &usize) -> Vec<(&'static str, u64)> {
    let most = days(&policy.days)[*severity];
    let columns = [("on_high", &policy.on_high), ("on_critical", &policy.on_critical)];
    let own = columns.into_iter().filter_map(|(column, set)| Some((column, days(set.as_ref()?)[*severity]?)));
    own.filter(|(_, own)| most.is_none_or(|most| *own < most)).map(|(column, days)| (column, u64::from(days))).collect()
}

/// A number of days, or that there is no end.
fn written(frame: &Frame, days: &Option<u16>) -> String {
    days.map_or_else(|| "–".to_owned(), |days| frame.number(&u64::from(days)))
}

pub(crate) async fn edit(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let unit = viewer.query.text("unit");
    let policies = services.results.sla_policies(&viewer.actor).await?;
    let of = |wanted: &str| policies.iter().find(|set| name(&set.unit) == wanted);
    // A new policy begins as the organisation's.
    let found = unit.as_deref().and_then(of);
    let policy = found.or(of(ORGANISATION)).map_or_else(SlaPolicy::default, |set| set.policy.clone());
    let is_set = found.is_some_and(|set| set.updated_at.is_some());
    let form = Form::of(filled(&policy).set("unit", unit.clone().unwrap_or_default()));
    render(&SlaPage { frame: viewer.frame, form, unit, is_set })
}

fn filled(policy: &SlaPolicy) -> Fields {
    let columns = [("days", Some(&policy.days)), ("on_high", policy.on_high.as_ref()), ("on_critical", policy.on_critical.as_ref())];
    let cells = columns.into_iter().filter_map(|(column, set)| Some((column, days(set?)))).flat_map(|(column, set)| {
        SEVERITIES.into_iter().zip(set).filter_map(move |(severity, days)| Some((format!("{column}_{severity}"), days?.to_string())))
    });
    let fields = cells.fold(Fields::default(), |fields, (name, days)| fields.set(&name, days));
    let fields = if policy.kev_caps { fields.set("kev_caps", "true") } else { fields };
    fields.set("kev_least_days", policy.kev_least_days.to_string()).set("soon_days", policy.soon_days.to_string())
}

fn read(fields: &Fields) -> Result<SlaPolicy> {
    let column = |column: &str| -> Result<SlaDays> {
        let cell = |severity: &str| fields.number::<u16>(&format!("{column}_{severity}"));
        let [critical, high, medium, low, info] = SEVERITIES.map(cell);
        Ok(SlaDays { critical: critical?, high: high?, medium: medium?, low: low?, info: info? })
    };
    // A column without any number says nothing of its own.
    let own = |days: SlaDays| Some(days).filter(|set| self::days(set).iter().any(Option::is_some));
    Ok(SlaPolicy {
        days: column("days")?,
        on_high: own(column("on_high")?),
        on_critical: own(column("on_critical")?),
        kev_caps: fields.get("kev_caps") == "true",
        kev_least_days: fields.number("kev_least_days")?.unwrap_or_default(),
        soon_days: fields.number("soon_days")?.unwrap_or_default(),
    })
}

pub(crate) async fn save(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let unit = fields.get("unit").to_owned();
    let outcome = match read(&fields) {
        Ok(_) if unit.is_empty() => Err(errors::no_choice("unit")),
        Ok(policy) => services.results.set_sla_policy(&viewer.actor, &unit, policy).await.map(drop),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Ok(done("/settings/rules", "sla_saved")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let is_known = fields.get("known") == "true";
            let form = refused(&viewer, fields, error)?;
            show_as(status, &SlaPage { frame: viewer.frame, form, unit: Some(unit).filter(|_| is_known), is_set: false })
        }
    }
}

pub(crate) async fn drop_policy(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    services.results.drop_sla_policy(&viewer.actor, fields.get("unit")).await?;
    Ok(done("/settings/rules", "sla_dropped"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn important_targets_are_told_where_they_have_fewer_days() {
        let some = |critical, high| Some(SlaDays { critical, high, medium: None, low: None, info: None });
        let policy = SlaPolicy { on_high: some(Some(7), Some(20)), on_critical: some(Some(1), None), ..SlaPolicy::default() };
        assert_eq!(policy.days.critical, Some(7));
        assert_eq!(fewer(&policy, &0), [("on_critical", 1)], "seven are not fewer than seven");
        assert_eq!(fewer(&policy, &1), [("on_high", 20)]);
        assert_eq!(fewer(&policy, &2), []);
    }

    #[test]
    fn a_policy_comes_back_from_its_form_as_it_was() {
        let on_critical = SlaDays { critical: Some(1), high: Some(7), medium: None, low: None, info: None };
        let policy = SlaPolicy { on_critical: Some(on_critical), on_high: None, ..SlaPolicy::default() };
        assert_eq!(read(&filled(&policy)).unwrap(), policy);
        let wrong = filled(&policy).without(&["days_high"]).set("days_high", "soon");
        assert_eq!(read(&wrong).unwrap_err().field(), Some("/days_high"));
    }
}

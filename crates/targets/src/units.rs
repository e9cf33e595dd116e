//! Business units: the tree that the targets' paths make, and a scope's units as SQL, so that whatever hangs on a target is there only
//! for who may see the target.

use std::collections::BTreeMap;

use backends::Value;
use base::{Scope, Unit};
use serde::Serialize;
use utoipa::ToSchema;

/// A business unit in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BusinessUnit)]
pub struct Branch {
    /// Its path.
    #[schema(value_type = Unit)]
    pub unit: String,
    /// Its own name, the last of the path.
    #[schema(max_length = 64)]
    pub name: String,
    /// How many units it lies in.
    #[schema(minimum = 0, maximum = 7)]
    pub depth: u32,
    /// Targets of the unit and of those within it.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub targets: u64,
}

impl Branch {
    /// The tree, every unit before those within it, from the units that have targets themselves.
    pub(crate) fn tree(counted: &[(Unit, u64)]) -> Vec<Self> {
        let mut all: BTreeMap<Vec<&str>, u64> = BTreeMap::new();
        for (unit, targets) in counted {
            for path in unit.upwards() {
                *all.entry(path.split('/').collect()).or_default() += targets;
            }
        }
        let branch = |(names, targets): (Vec<&str>, u64)| Self {
            unit: names.join("/"),
            name: names.last().copied().unwrap_or_default().to_owned(),
            depth: names.len().saturating_sub(1) as u32,
            targets,
        };
        all.into_iter().map(branch).collect()
    }
}

/// The condition that `column`, a target's id, is one the scope may see, led by ` AND `; empty where a scope is not bound to units.
/// In the statement `$1` is the tenant, and `values` are its parameters so far: those of the condition are added.
#[must_use]
pub fn within(scope: &Scope, column: &str, values: &mut Vec<Value>) -> String {
    if scope.units().is_empty() { String::new() } else { of_units(scope.units(), column, values) }
}

/// The same for one unit that is asked for.
#[must_use]
pub fn of_unit(unit: &Unit, column: &str, values: &mut Vec<Value>) -> String {
    of_units(std::slice::from_ref(unit), column, values)
}

fn of_units(units: &[Unit], column: &str, values: &mut Vec<Value>) -> String {
    let among = among("unit_of.unit", units, values);
    format!(" AND {column} IN (SELECT unit_of.id FROM targets unit_of WHERE unit_of.tenant_id = $1 AND {among})")
}

/// The same for rows of targets themselves.
pub(crate) fn own(scope: &Scope, values: &mut Vec<Value>) -> String {
    if scope.units().is_empty() { String::new() } else { format!(" AND {}", among("targets.unit", scope.units(), values)) }
}

/// That `column`, a unit's path, is one of these units or lies in one.
pub(crate) fn among(column: &str, units: &[Unit], values: &mut Vec<Value>) -> String {
    let each: Vec<String> = units
        .iter()
        .map(|unit| {
            values.push(unit.as_str().into());
            values.push(unit.pattern().into());
            format!("{column} = ${} OR {column} LIKE ${} ESCAPE '\\'", values.len() - 1, values.len())
        })
        .collect();
    format!("({})", each.join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_comes_before_those_within_it_and_counts_them() {
        let counted = [("retail/payments", 2), ("retail", 1), ("retail-banking", 4), ("staff/it/desk", 3)];
        let counted: Vec<(Unit, u64)> = counted.iter().map(|(path, targets)| (path.parse().unwrap(), *targets)).collect();
        let tree: Vec<(String, u32, u64)> = Branch::tree(&counted).into_iter().map(|at| (at.unit, at.depth, at.targets)).collect();
        let wanted = [("retail", 0, 3), ("retail/payments", 1, 2), ("retail-banking", 0, 4), ("staff", 0, 3), ("staff/it", 1, 3)];
        assert_eq!(tree[..5], wanted.map(|(path, depth, targets)| (path.to_owned(), depth, targets)));
    }
}

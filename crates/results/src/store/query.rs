//! The WHERE list of findings, shared by listing and counting.

use backends::{Sql, Value};
use base::{Result, Scope, Time};

use crate::model::Filter;

/// The status as of now: an acceptance that ended has ended, whether or not the job has said so yet.
pub(crate) const STATUS: &str = "CASE WHEN v.status_until IS NOT NULL AND v.status_until <= $2 THEN v.base_status ELSE v.status END";

/// Clauses and parameters; `$1` is the tenant, `$2` now.
pub(crate) struct Where {
    pub(crate) clauses: Vec<String>,
    pub(crate) values: Vec<Value>,
}

impl Where {
    pub(crate) fn new(scope: &Scope, now: Time, filter: &Filter) -> Result<Self> {
        // Naming `$2` keeps its place even where the status is not asked for.
        let mut this = Self {
            clauses: vec!["v.tenant_id = $1".into(), "CAST($2 AS BIGINT) IS NOT NULL".into()],
            values: vec![scope.tenant().into(), now.into()],
        };
        this.within(scope, "v.target_id");
        if let Some(unit) = &filter.unit {
            let of = targets::of_unit(unit, "v.target_id", &mut this.values);
            this.extend(&of);
        }
        this.among("v.severity", filter.severities()?.into_iter().map(Value::from).collect());
        this.standing(filter.statuses()?.iter().map(|status| status.as_str().into()).collect());
        if let Some(target) = filter.target {
            this.add("v.target_id = ?", target.into());
        }
        if let Some(scan) = filter.scan {
            this.add(
                "EXISTS (SELECT 1 FROM observations o WHERE o.tenant_id = v.tenant_id AND o.scan_id = ? AND o.finding_id = v.id)",
                scan.into(),
            );
        }
        if let Some(source) = &filter.source {
            this.add("v.source = ?", source.into());
        }
        if let Some(words) = filter.q.as_deref().filter(|words| !words.trim().is_empty()) {
            this.add("v.search LIKE ? ESCAPE '\\'", containing(&words.trim().to_lowercase()).into());
        }
        if let Some(cve) = &filter.cve {
            this.add("v.labels LIKE ? ESCAPE '\\'", containing(&format!(" {} ", cve.trim().to_uppercase())).into());
        }
        if let Some(cwe) = filter.cwe {
            this.add("v.labels LIKE ? ESCAPE '\\'", containing(&format!(" CWE-{cwe} ")).into());
        }
        for (column, value) in [("v.check_id = ?", &filter.check), ("v.service = ?", &filter.service), ("v.cluster = ?", &filter.cluster)] {
            if let Some(value) = value {
                this.add(column, value.into());
            }
        }
        if filter.service.as_ref().is_some_and(|service| !service.is_empty()) {
            // What the index of services is limited to; not every engine sees that it follows from a parameter.
            this.clauses.push("v.service <> ''".into());
        }
        if let Some(import) = filter.import {
            this.add("v.first_import = ?", import.into());
        }
        Ok(this)
    }

    fn within(&mut self, scope: &Scope, target: &str) {
        let within = targets::within(scope, target, &mut self.values);
        self.extend(&within);
    }

    /// Adds conditions that are led by ` AND ` already.
    fn extend(&mut self, conditions: &str) {
        if let Some(last) = self.clauses.last_mut() {
            last.push_str(conditions);
        }
    }

    /// Adds a clause whose only `?` is the value.
    pub(crate) fn add(&mut self, clause: &str, value: Value) {
        self.values.push(value);
        self.clauses.push(clause.replacen('?', &format!("${}", self.values.len()), 1));
    }

    fn among(&mut self, what: &str, values: Vec<Value>) {
        if !values.is_empty() {
            let names = Sql::list(values.len(), self.values.len());
            self.values.extend(values);
            self.clauses.push(format!("{what} IN ({names})"));
        }
    }

    /// One of these statuses as of now, in terms of columns that have an index and statistics.
    fn standing(&mut self, statuses: Vec<Value>) {
        if !statuses.is_empty() {
            let names = Sql::list(statuses.len(), self.values.len());
            self.values.extend(statuses);
            self.clauses.push(format!(
                "((v.status IN ({names}) AND (v.status_until IS NULL OR v.status_until > $2)) OR (v.status_until <= $2 AND v.base_status IN ({names})))"
            ));
        }
    }

    /// The next parameter's name, once its value is there.
    pub(crate) fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    pub(crate) fn text(&self) -> String {
        self.clauses.join(" AND ")
    }
}

/// A `LIKE` pattern for text that contains `part`.
fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for letter in part.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(if letter == '\0' { '\u{FFFD}' } else { letter });
    }
    pattern.push('%');
    pattern
}

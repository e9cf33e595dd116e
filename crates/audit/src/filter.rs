//! Which entries of the log a list shows.

use base::{Result, Time, UserId};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::errors;

/// Narrows a list of entries; absent fields do not.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Entries of this person.
    pub user: Option<UserId>,
    /// Entries of this action, such as `scans.start`.
    #[param(max_length = 100)]
    pub action: Option<String>,
    /// Entries about this kind of thing.
    #[param(max_length = 100)]
    pub subject_kind: Option<String>,
    /// Entries about the thing with this id.
    #[param(max_length = 512)]
    pub subject_id: Option<String>,
    /// Entries from this moment on.
    pub from: Option<Time>,
    /// Entries before this moment.
    pub to: Option<Time>,
}

impl Filter {
    /// Says no to what is longer than anything it could be found in.
    ///
    /// # Errors
    /// `Invalid` naming the parameter.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, given, maximum) in
            [("action", &self.action, 100), ("subject_kind", &self.subject_kind, 100), ("subject_id", &self.subject_id, 512)]
        {
            if given.as_ref().is_some_and(|text| text.chars().count() > maximum) {
                return Err(errors::filter(name, maximum));
            }
        }
        Ok(())
    }
}

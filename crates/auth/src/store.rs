//! All SQL of this context. Reads take the database and a scope, writes a change; the reads in `credentials` come before
//! anybody is known and are found by a secret or a user name instead.

pub(crate) mod credentials;
pub(crate) mod failures;
pub(crate) mod first_run;
pub(crate) mod sessions;
pub(crate) mod tenants;
pub(crate) mod tokens;
pub(crate) mod users;

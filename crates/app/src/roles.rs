//! The map of the system: which role brings which routes and jobs.

use backends::Handlers;
use serde::Deserialize;
use web::OpenApiRouter;

use crate::services::Services;

/// What a process can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Every role.
    All,
    /// The edge on port 8000: routes of the roles in this process, the rest handed on to their upstreams.
    Gateway,
    /// Users, sessions, tokens, keys; the audit log.
    Auth,
    /// Targets and authorisations.
    Targets,
    /// Scans: routes and workers.
    Scans,
    /// Findings, imports and search: routes and workers.
    Results,
    /// Reports: routes and workers.
    Reports,
    /// Phones, and what other systems are told of them: routes and workers.
    Devices,
    /// The pages.
    Console,
}

/// What one role brings.
pub(crate) struct Parts {
    pub(crate) routes: OpenApiRouter,
    pub(crate) jobs: Handlers,
}

impl Role {
    /// Roles that carry routes and jobs of a context, in the order of their ports.
    pub(crate) const CONTEXTS: &'static [Self] = &[Self::Auth, Self::Targets, Self::Scans, Self::Results, Self::Reports, Self::Devices];

    /// Name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Gateway => "gateway",
            Self::Auth => "auth",
            Self::Targets => "targets",
            Self::Scans => "scans",
            Self::Results => "results",
            Self::Reports => "reports",
            Self::Devices => "devices",
            Self::Console => "console",
        }
    }

    /// Port of the role's own listener when no gateway runs in the same process.
    pub(crate) const fn port(self) -> Option<u16> {
        match self {
            Self::Auth => Some(8001),
            Self::Targets => Some(8002),
            Self::Scans => Some(8003),
            Self::Results => Some(8004),
            Self::Reports => Some(8006),
            Self::Devices => Some(8008),
            Self::All | Self::Gateway | Self::Console => None,
        }
    }

    /// First path segments that belong to the role, for handing on.
    pub(crate) const fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Auth => &["auth", "users", "tokens", "organisations", "keys", "audit"],
            Self::Targets => &["targets", "authorizations", "business-units"],
            Self::Scans => &["scans"],
            Self::Results => &["findings", "imports", "coverage", "clusters", "decisions", "feeds", "reviews", "sla-policies", "search"],
            Self::Reports => &["reports"],
            Self::Devices => &["devices", "device", "ssf"],
            Self::All | Self::Gateway | Self::Console => &[],
        }
    }

    /// The role's routes and jobs.
    pub(crate) fn parts(self, s: &Services) -> Parts {
        let (routes, jobs) = match self {
            Self::Auth => (auth::routes(&s.auth).merge(audit::routes(&s.audit)), auth::jobs(&s.auth).merge(audit::jobs(&s.audit))),
            Self::Targets => (targets::routes(&s.targets), Handlers::new()),
            Self::Scans => (scans::routes(&s.scans), scans::jobs(&s.scans)),
            Self::Results => {
                (results::routes(&s.results).merge(search::routes(&s.search)), results::jobs(&s.results).merge(search::jobs(&s.search)))
            }
            Self::Reports => (reports::routes(&s.reports), reports::jobs(&s.reports)),
            Self::Devices => (
                devices::routes(&s.devices).merge(integrations::routes(&s.integrations)),
                devices::jobs(&s.devices).merge(integrations::jobs(&s.integrations)),
            ),
            Self::All | Self::Gateway | Self::Console => (OpenApiRouter::new(), Handlers::new()),
        };
        Parts { routes, jobs }
    }
}

/// Whether `role` runs in a process configured with `roles`.
pub(crate) fn runs(roles: &[Role], role: Role) -> bool {
    roles.contains(&Role::All) || roles.contains(&role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_api_is_handed_on_to_one_role() {
        let document: serde_json::Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
        for path in document["paths"].as_object().unwrap().keys() {
            let first = path.split('/').nth(1).unwrap();
            let owners = Role::CONTEXTS.iter().filter(|role| role.paths().contains(&first)).count();
            assert_eq!(owners, 1, "{path}");
        }
    }
}

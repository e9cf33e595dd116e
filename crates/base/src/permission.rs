//! Permissions of the form `read:targets` and the roles that bundle them (SPEC PT-10).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, errors};

macro_rules! permissions {
    ($($variant:ident = $text:tt),+ $(,)?) => {
        /// One thing a role or token allows, spelt `verb:resource`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum Permission {
            $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant,)+
        }

        impl Permission {
            /// Every permission, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The text form, `verb:resource`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

permissions! {
    ReadTargets = "read:targets",
    WriteTargets = "write:targets",
    AuthorizeTargets = "authorize:targets",
    ReadScans = "read:scans",
    WriteScans = "write:scans",
    ReadFindings = "read:findings",
    WriteFindings = "write:findings",
    ReadReports = "read:reports",
    WriteReports = "write:reports",
    ReadAudit = "read:audit",
    ReadUsers = "read:users",
    WriteUsers = "write:users",
    WriteTokens = "write:tokens",
    WriteKeys = "write:keys",
    ReadDevices = "read:devices",
    WriteDevices = "write:devices",
    ReadIntegrations = "read:integrations",
    WriteIntegrations = "write:integrations",
}

impl Permission {
    /// Whether what it allows hangs on targets, and so can be kept within business units; a person's own tokens can, too.
    #[must_use]
    pub const fn is_about_targets(self) -> bool {
        matches!(
            self,
            Self::ReadTargets
                | Self::WriteTargets
                | Self::AuthorizeTargets
                | Self::ReadScans
                | Self::WriteScans
                | Self::ReadFindings
                | Self::WriteFindings
                | Self::ReadReports
                | Self::WriteReports
                | Self::WriteTokens
        )
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == text).ok_or_else(|| errors::permission(text))
    }
}

/// A bundle of permissions given to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything within the tenant.
    Admin,
    /// Runs scans, decides on findings, writes reports.
    SecurityAnalyst,
    /// Authorises and runs tests, reads results.
    RedTeam,
    /// Reads results, decides on findings, looks after devices.
    BlueTeam,
    /// Reads.
    Viewer,
    /// A phone; may only speak for itself.
    Device,
}

impl Role {
    /// Every role, most powerful first.
    pub const ALL: &'static [Self] = &[Self::Admin, Self::SecurityAnalyst, Self::RedTeam, Self::BlueTeam, Self::Viewer, Self::Device];

    /// The text form used in tokens and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::SecurityAnalyst => "security_analyst",
            Self::RedTeam => "red_team",
            Self::BlueTeam => "blue_team",
            Self::Viewer => "viewer",
            Self::Device => "device",
        }
    }

    /// The permissions this role carries.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission as P;
        match self {
            Self::Admin => P::ALL,
            Self::SecurityAnalyst => &[
                P::ReadTargets,
                P::WriteTargets,
                P::ReadScans,
                P::WriteScans,
                P::ReadFindings,
                P::WriteFindings,
                P::ReadReports,
                P::WriteReports,
                P::WriteTokens,
                P::ReadDevices,
            ],
            Self::RedTeam => &[
                P::ReadTargets,
                P::WriteTargets,
                P::AuthorizeTargets,
                P::ReadScans,
                P::WriteScans,
                P::ReadFindings,
                P::ReadReports,
                P::WriteReports,
                P::WriteTokens,
            ],
            Self::BlueTeam => &[
                P::ReadTargets,
                P::ReadScans,
                P::ReadFindings,
                P::WriteFindings,
                P::ReadReports,
                P::WriteReports,
                P::WriteTokens,
                P::ReadAudit,
                P::ReadDevices,
                P::WriteDevices,
                P::ReadIntegrations,
            ],
            Self::Viewer => &[P::ReadTargets, P::ReadScans, P::ReadFindings, P::ReadReports, P::ReadDevices],
            Self::Device => &[],
        }
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text).ok_or_else(|| errors::role(text))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_and_role_reads_back_from_its_text() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse::<Permission>().unwrap(), *permission);
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), *role);
            assert!(role.permissions().iter().all(|permission| Permission::ALL.contains(permission)));
        }
        assert!("root".parse::<Role>().is_err());
    }
}

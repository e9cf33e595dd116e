//! What a `.nessus` file proves to have run. Plugins are chosen by family; those that log in report on no port of their own.
//! Invariant: a plugin counts as run where the policy is in the file with every family on, and its host came to its end. Local
//! checks count only where the scan logged in (plugin 19506 says so); without, only what services tell counts. A port counts only
//! where all were tried (19506 says so too), or something was told of it.

use crate::errors::ParseError;
use crate::model::Service;
use crate::xml::Xml;

/// The plugin that tells how the host was scanned.
pub(super) const SCAN_INFORMATION: &str = "19506";
/// Ports over which scans log in, and on which local checks report.
const LOGINS: [u16; 5] = [22, 135, 139, 445, 5985];
/// Services over which scans log in, on whatever port.
const LOGIN_SERVICES: [&str; 5] = ["ssh", "cifs", "smb", "epmap", "wsman"];

/// Families that find nothing wrong, and of which policies choose what the scan needs.
const NO_CHECKS: [&str; 2] = ["Port scanners", "Settings"];

/// Which plugins the policy lets run.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Policy {
    /// The file does not tell.
    #[default]
    Unknown,
    Whole,
    /// Families are off, or in parts.
    Partial,
}

impl Policy {
    /// Why not every plugin counts as run.
    pub(super) fn gap(self) -> Option<&'static str> {
        match self {
            Self::Unknown => Some("the file does not tell which plugins ran"),
            Self::Partial => Some("the policy left plugins out"),
            Self::Whole => None,
        }
    }

    /// Reads the choice of families out of `Policy`.
    pub(super) fn read(xml: &mut Xml<'_>) -> Result<Self, ParseError> {
        let mut policy = Self::Unknown;
        while let Some(tag) = xml.child()? {
            if tag.name() != "FamilySelection" {
                xml.skip()?;
                continue;
            }
            while let Some(tag) = xml.child()? {
                let family = xml.node(tag)?;
                if family.child_text("FamilyName").is_some_and(|name| NO_CHECKS.contains(&name)) {
                    continue;
                }
                let is_on = family.child_text("Status").is_some_and(|status| status.eq_ignore_ascii_case("enabled"));
                policy = if is_on && policy != Self::Partial { Self::Whole } else { Self::Partial };
            }
        }
        Ok(policy)
    }
}

/// Whether the scan logged in, in the words of plugin 19506.
pub(super) fn logged_in(output: &str) -> bool {
    said(output, "credentialed checks").is_some_and(|words| words.starts_with("yes"))
}

/// Whether the scan tried every port, in the words of plugin 19506; `default` are those of well-known services.
pub(super) fn tried_all_ports(output: &str) -> bool {
    said(output, "port range").is_some_and(|range| matches!(range.as_str(), "all" | "1-65535" | "0-65535"))
}

/// What plugin 19506 says of a matter, in lower case.
fn said(output: &str, matter: &str) -> Option<String> {
    let mut lines = output.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(matter)).map(|(_, words)| words.trim().to_ascii_lowercase())
}

/// Whether plugins report on this service that need no login.
pub(super) fn is_remote(service: &Service) -> bool {
    let is_login = |name: &str| LOGIN_SERVICES.contains(&name);
    service.port > 0 && !LOGINS.contains(&service.port) && !service.name.as_deref().is_some_and(is_login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_what_the_plugin_says_and_no_word_less() {
        assert!(logged_in("Scan type : Normal\nCredentialed checks : yes, as 'root' via ssh\n"));
        assert!(tried_all_ports("Port range : 1-65535\n") && tried_all_ports("Port range : all"));
        assert!(!tried_all_ports("Port range : default\n") && !tried_all_ports("Port range : 1-6553") && !tried_all_ports("all"));
        assert!(!logged_in("Credentialed checks : no\n") && !logged_in("Credentialed checks : partial") && !logged_in("yes"));
    }
}

//! Every check there is, as data: identity, severity, vector, reference and repair.
//! Invariant: identifiers are unique and never change meaning; severity follows from the vector. What a check says in other
//! languages stands in `locales/checks.*.toml`; a test names what is missing there.

pub(crate) mod dns;
pub(crate) mod exposures;
pub(crate) mod http;
pub(crate) mod interfaces;
pub(crate) mod ssh;
pub(crate) mod tls;

use std::sync::LazyLock;

use serde::Serialize;

use crate::report::Severity;

/// One check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable identifier, `family.weakness`.
    pub id: &'static str,
    /// Short name of the weakness.
    pub title: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// CVSS 3.1 base vector; none for information.
    pub cvss: Option<&'static str>,
    /// CWE number.
    pub cwe: Option<u32>,
    /// Where the weakness is described.
    pub reference: &'static str,
    /// How to repair it.
    pub remediation: &'static str,
    /// What the weakness is.
    pub description: &'static str,
    /// The set that coverage is reported for.
    pub check_set: &'static str,
}

/// What is said of every open port: worth knowing, no weakness by itself, and so in no set of the catalogue. `{port}` and
/// `{service}` stand for what answers there.
pub const OPEN_PORT: Check = Check {
    id: "ports.open",
    title: "Open port {port}/tcp ({service})",
    severity: Severity::Info,
    cvss: None,
    cwe: None,
    reference: "",
    remediation: "Close the port or limit who can reach it, if nobody outside needs the service.",
    description: "A service answers on port {port}/tcp.",
    check_set: "ports",
};

/// Every check, sorted by identifier.
pub fn catalogue() -> &'static [Check] {
    static SORTED: LazyLock<Vec<Check>> = LazyLock::new(|| {
        let families = [
            dns::SERVER,
            dns::ZONES,
            dns::ZONE,
            exposures::SAFE,
            exposures::INTRUSIVE,
            exposures::DATAGRAMS,
            interfaces::SAFE,
            http::PASSIVE,
            http::PAGES,
            http::ACTIVE,
            http::INTRUSIVE,
            ssh::ALL,
            tls::ALL,
        ];
        let mut all: Vec<Check> = families.concat();
        all.sort_by_key(|check| check.id);
        all
    });
    &SORTED
}

/// Declares checks of one set: a constant each, and the list of all.
macro_rules! checks {
    ($list:ident in $set:literal; $(
        $name:ident = $id:literal $severity:ident $cvss:ident $cwe:literal $title:literal,
        $reference:literal, $description:literal, $remediation:literal;
    )*) => {
        $(pub(crate) const $name: $crate::catalogue::Check = $crate::catalogue::Check {
            id: $id,
            title: $title,
            severity: $crate::report::Severity::$severity,
            cvss: $crate::catalogue::vector::$cvss,
            cwe: Some($cwe),
            reference: $reference,
            remediation: $remediation,
            description: $description,
            check_set: $set,
        };)*
        pub(crate) const $list: &[$crate::catalogue::Check] = &[$($name),*];
    };
}
pub(crate) use checks;

/// The CVSS 3.1 vectors in use, named by their score.
pub(crate) mod vector {
    type Vector = Option<&'static str>;

    pub(crate) const NONE: Vector = None;
    pub(crate) const C98: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    pub(crate) const C91: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N");
    pub(crate) const H75: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
    pub(crate) const H75I: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N");
    pub(crate) const H74: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N");
    pub(crate) const M61: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N");
    pub(crate) const M59: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N");
    pub(crate) const M59I: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N");
    pub(crate) const M58: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:L");
    pub(crate) const M53: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N");
    pub(crate) const M53I: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N");
    pub(crate) const M53A: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L");
    pub(crate) const M48: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N");
    pub(crate) const M43: Vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N");
    pub(crate) const L37: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N");
    pub(crate) const L37I: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N");
    pub(crate) const L37A: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L");
    pub(crate) const L31: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N");
    pub(crate) const L31I: Vector = Some("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N");
}

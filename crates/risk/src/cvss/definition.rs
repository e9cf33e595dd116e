//! The metrics of every version, in the order of their specification: v2.0 section 2, v3.1
//! sections 2 to 4 (v3.0 has the same), v4.0 sections 2 to 5.

/// Which group a metric belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Base,
    /// Temporal in v2 and v3, threat in v4.
    Temporal,
    Environmental,
    /// v4 only; never part of a score.
    Supplemental,
}

/// One metric: its abbreviation, group, and values; the first value of an optional one means "not defined".
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) group: Group,
    pub(super) values: &'static [&'static str],
}

const fn base(name: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, group: Group::Base, values }
}

const fn temporal(name: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, group: Group::Temporal, values }
}

const fn environmental(name: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, group: Group::Environmental, values }
}

const fn supplemental(name: &'static str, values: &'static [&'static str]) -> Metric {
    Metric { name, group: Group::Supplemental, values }
}

/// v2.0, tables 13 to 15.
pub(super) const V2: &[Metric] = &[
    base("AV", &["L", "A", "N"]),
    base("AC", &["H", "M", "L"]),
    base("Au", &["M", "S", "N"]),
    base("C", &["N", "P", "C"]),
    base("I", &["N", "P", "C"]),
    base("A", &["N", "P", "C"]),
    temporal("E", &["ND", "U", "POC", "F", "H"]),
    temporal("RL", &["ND", "OF", "TF", "W", "U"]),
    temporal("RC", &["ND", "UC", "UR", "C"]),
    environmental("CDP", &["ND", "N", "L", "LM", "MH", "H"]),
    environmental("TD", &["ND", "N", "L", "M", "H"]),
    environmental("CR", &["ND", "L", "M", "H"]),
    environmental("IR", &["ND", "L", "M", "H"]),
    environmental("AR", &["ND", "L", "M", "H"]),
];

/// v3.0 and v3.1, table 15.
pub(super) const V3: &[Metric] = &[
    base("AV", &["N", "A", "L", "P"]),
    base("AC", &["L", "H"]),
    base("PR", &["N", "L", "H"]),
    base("UI", &["N", "R"]),
    base("S", &["U", "C"]),
    base("C", &["H", "L", "N"]),
    base("I", &["H", "L", "N"]),
    base("A", &["H", "L", "N"]),
    temporal("E", &["X", "H", "F", "P", "U"]),
    temporal("RL", &["X", "U", "W", "T", "O"]),
    temporal("RC", &["X", "C", "R", "U"]),
    environmental("CR", &["X", "H", "M", "L"]),
    environmental("IR", &["X", "H", "M", "L"]),
    environmental("AR", &["X", "H", "M", "L"]),
    environmental("MAV", &["X", "N", "A", "L", "P"]),
    environmental("MAC", &["X", "L", "H"]),
    environmental("MPR", &["X", "N", "L", "H"]),
    environmental("MUI", &["X", "N", "R"]),
    environmental("MS", &["X", "U", "C"]),
    environmental("MC", &["X", "H", "L", "N"]),
    environmental("MI", &["X", "H", "L", "N"]),
    environmental("MA", &["X", "H", "L", "N"]),
];

/// v4.0, table 23.
pub(super) const V4: &[Metric] = &[
    base("AV", &["N", "A", "L", "P"]),
    base("AC", &["L", "H"]),
    base("AT", &["N", "P"]),
    base("PR", &["N", "L", "H"]),
    base("UI", &["N", "P", "A"]),
    base("VC", &["H", "L", "N"]),
    base("VI", &["H", "L", "N"]),
    base("VA", &["H", "L", "N"]),
    base("SC", &["H", "L", "N"]),
    base("SI", &["H", "L", "N"]),
    base("SA", &["H", "L", "N"]),
    temporal("E", &["X", "A", "P", "U"]),
    environmental("CR", &["X", "H", "M", "L"]),
    environmental("IR", &["X", "H", "M", "L"]),
    environmental("AR", &["X", "H", "M", "L"]),
    environmental("MAV", &["X", "N", "A", "L", "P"]),
    environmental("MAC", &["X", "L", "H"]),
    environmental("MAT", &["X", "N", "P"]),
    environmental("MPR", &["X", "N", "L", "H"]),
    environmental("MUI", &["X", "N", "P", "A"]),
    environmental("MVC", &["X", "H", "L", "N"]),
    environmental("MVI", &["X", "H", "L", "N"]),
    environmental("MVA", &["X", "H", "L", "N"]),
    environmental("MSC", &["X", "H", "L", "N"]),
    environmental("MSI", &["X", "S", "H", "L", "N"]),
    environmental("MSA", &["X", "S", "H", "L", "N"]),
    supplemental("S", &["X", "N", "P"]),
    supplemental("AU", &["X", "N", "Y"]),
    supplemental("R", &["X", "A", "U", "I"]),
    supplemental("V", &["X", "D", "C"]),
    supplemental("RE", &["X", "L", "M", "H"]),
    supplemental("U", &["X", "Clear", "Green", "Amber", "Red"]),
];

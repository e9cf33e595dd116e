//! How grave a finding is: CVSS scores of all versions, from vectors alone. Pure: no clock, no
//! network, no database.

pub mod cvss;

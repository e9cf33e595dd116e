//! CVSS v2.0, v3.0, v3.1 and v4.0: vectors in, scores and severities out, all metric groups.
//!
//! Scores are computed in whole numbers, never in floating point: the equations of FIRST multiply
//! decimals and round on the tenth, where a float that is one unit too small or too large gives
//! another score. Only the fifteenth power of v3 is cut, at the eighteenth decimal.

mod definition;
mod errors;
mod read;
mod score;
mod v2;
mod v3;
mod v4;
mod v4_table;
mod vector;

pub use errors::VectorError;
pub use score::{Score, Severity};
pub use vector::{Vector, Version};

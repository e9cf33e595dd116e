//! All SQL of this context.

pub(crate) mod held;
pub(crate) mod streams;

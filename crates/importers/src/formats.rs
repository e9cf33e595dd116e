//! One file per format; each declares itself, its mapping and the identity keys it makes.

pub(crate) mod nmap;
pub(crate) mod nuclei;
pub(crate) mod sarif;
pub(crate) mod sslscan;

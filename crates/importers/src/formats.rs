//! One file per format; each declares itself, its mapping and the identity keys it makes.

pub(crate) mod acunetix;
pub(crate) mod burp;
pub(crate) mod nmap;
pub(crate) mod nuclei;
pub(crate) mod sarif;
pub(crate) mod sslscan;
pub(crate) mod wapiti;
pub(crate) mod zap;

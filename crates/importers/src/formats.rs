//! One file per format; each declares itself, its mapping and the identity keys it makes.

pub(crate) mod acunetix;
pub(crate) mod bandit;
pub(crate) mod burp;
pub(crate) mod checkov;
pub(crate) mod gitleaks;
pub(crate) mod nexpose;
pub(crate) mod nikto;
pub(crate) mod nmap;
pub(crate) mod nuclei;
pub(crate) mod openvas;
pub(crate) mod qualys;
pub(crate) mod qualys_hacker_guardian;
pub(crate) mod qualys_infrascan_webgui;
pub(crate) mod qualys_vmdr;
pub(crate) mod qualys_webapp;
pub(crate) mod sarif;
pub(crate) mod semgrep;
pub(crate) mod sonarqube;
pub(crate) mod sslscan;
pub(crate) mod sslyze;
pub(crate) mod tenable;
pub(crate) mod testssl;
pub(crate) mod wapiti;
pub(crate) mod zap;

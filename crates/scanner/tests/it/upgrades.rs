//! TLS inside protocols that begin in the clear, against the servers people run.

use scanner::{Intrusiveness, TlsVersion};
use testkit::servers::Upgrading;

use crate::scene::{checks_at, plan, run};

#[tokio::test]
async fn the_tls_of_a_database_and_a_directory_is_audited_after_the_upgrade() {
    let servers = [(Upgrading::mariadb(), "mysql", "exposure.mysql-empty-root"), (Upgrading::openldap(), "ldap", "exposure.ldap-readable")];
    for (server, protocol, exposure) in servers {
        let port = server.address().port();
        let mut plan = plan("127.0.0.1", &[port]);
        plan.intrusiveness = Intrusiveness::Intrusive;
        let outcome = run(plan).await;
        let report = outcome.tls.first().unwrap_or_else(|| panic!("no TLS seen at {protocol}: {:#?}", outcome.coverage));
        assert_eq!(report.starttls, Some(protocol));
        assert_eq!(report.versions, [TlsVersion::Tls12, TlsVersion::Tls13], "{protocol}");
        let checks = checks_at(&outcome, port);
        assert!(checks.contains(&"tls.certificate-self-signed") && checks.contains(&exposure), "{protocol}: {checks:?}");
    }
}

//! Wrong use is named.

use scanner::{Limits, Plan, PortSet, ScanError, Severity, Target, catalogue};
use tokio_util::sync::CancellationToken;

use crate::scene::{Watch, now_unix, plan, run_with};

async fn failure(plan: Plan) -> ScanError {
    run_with(plan, Watch::loopback(), CancellationToken::new()).await.unwrap_err()
}

#[tokio::test]
async fn what_cannot_be_scanned_is_named() {
    let of = |target: Target| Plan { ports: PortSet::top(3), ..Plan::new(target, now_unix()) };
    let unresolvable = failure(of(Target::Host("no-such-host.invalid".to_owned()))).await;
    assert!(matches!(&unresolvable, ScanError::Unresolvable { host, .. } if host == "no-such-host.invalid"));

    let refused = failure(of(Target::Host("192.0.2.1".to_owned()))).await;
    assert_eq!(refused.to_string(), "target 192.0.2.1 is refused: outside the authorisation");

    let large =
        failure(Plan { limits: Limits { addresses: 16, ..Limits::default() }, ..of(Target::Network("10.0.0.0/24".parse().unwrap())) });
    assert_eq!(large.await.to_string(), "target 10.0.0.0/24 stands for more than 16 addresses");

    let empty = failure(Plan { ports: PortSet::default(), ..plan("127.0.0.1", &[1]) }).await;
    assert_eq!(empty, ScanError::EmptyPortSet);

    let ftp = failure(of(Target::Url("ftp://127.0.0.1/".parse().unwrap()))).await;
    assert!(matches!(ftp, ScanError::InvalidTarget { .. }), "{ftp}");
    assert!(matches!(failure(of(Target::Host("a b".to_owned()))).await, ScanError::InvalidTarget { .. }));
}

#[test]
fn every_check_is_unique_and_its_severity_follows_from_its_vector() {
    let checks = catalogue();
    assert!(checks.len() > 80);
    assert!(checks.windows(2).all(|pair| pair[0].id < pair[1].id), "sorted and unique");
    for check in checks {
        let severity = match check.cvss {
            None => Severity::Info,
            Some(vector) => match vector.parse::<cvss::Cvss>().unwrap_or_else(|error| panic!("{}: {error}", check.id)).severity() {
                cvss::Severity::None => Severity::Info,
                cvss::Severity::Low => Severity::Low,
                cvss::Severity::Medium => Severity::Medium,
                cvss::Severity::High => Severity::High,
                cvss::Severity::Critical => Severity::Critical,
            },
        };
        assert_eq!(check.severity, severity, "{}", check.id);
        assert!(check.reference.starts_with("https://"), "{}", check.id);
        assert!(check.description.ends_with('.') && check.remediation.ends_with('.'), "{}", check.id);
        assert!(!check.title.ends_with('.'), "{}", check.id);
    }
}

#[test]
fn nothing_connects_but_the_dialer_and_the_port_scan() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut connecting = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                if code.contains("TcpStream::connect") || code.contains("socket.connect(") || code.contains("UdpSocket") {
                    connecting.push(path.strip_prefix(&root).unwrap().display().to_string());
                }
            }
        }
    }
    connecting.sort();
    assert_eq!(connecting, ["dial.rs", "ports/scan.rs"]);
}

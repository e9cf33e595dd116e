//! The lab, seen by curl, openssl, redis-cli and sslscan.

use std::io::{Read, Write};
use std::net::TcpStream;

use testkit::Lab;

use crate::output;

fn get(url: &str) -> String {
    output("curl", &["-s", "-k", "-i", "--max-time", "10", "--path-as-is", url])
}

fn handshake(lab: &Lab, options: &[&str]) -> bool {
    let address = format!("{}:{}", lab.address(), lab.https_port());
    let mut arguments = vec!["s_client", "-connect", &address];
    arguments.extend(options);
    // Debian's configuration would refuse old versions on the client's side too.
    let text = output("openssl", &arguments);
    text.contains("Cipher is") && !text.contains("Cipher is (NONE)")
}

#[test]
fn the_weak_lab_has_what_it_planted() {
    let lab = Lab::weak();
    for (base, upload) in [(lab.http_url(), "one"), (lab.https_url(), "two")] {
        for (path, expected) in [
            ("/", "Server: nginx/"),
            ("/", "X-Powered-By: PHP/5.6.40"),
            ("/", "Set-Cookie: session=0123456789abcdef; Path=/\r"),
            ("/.git/HEAD", "ref: refs/heads/main"),
            ("/.git/config", "[core]"),
            ("/.env", "DB_PASSWORD="),
            ("/backup.sql", "CREATE TABLE"),
            ("/phpinfo.php", "PHP Version"),
            ("/files/", "Index of /files/"),
            ("/server-status", "Active connections"),
            ("/static../.env", "DB_PASSWORD="),
            ("/go?next=https://example.org/", "Location: https://example.org/"),
            ("/search?q=<x>", "Results for <x>"),
            ("/debug", "Traceback"),
            ("/admin/", "401 Unauthorized"),
            ("/nothing-here", "404 Not Found"),
        ] {
            let answer = get(&format!("{base}{path}"));
            assert!(answer.contains(expected), "{base}{path} lacks {expected}:\n{answer}");
        }
        let admin = format!("{base}/admin/").replace("://", "://admin:admin@");
        assert!(get(&admin).contains("200 OK"));
        let upload = format!("{base}/upload/{upload}");
        assert!(output("curl", &["-s", "-k", "-i", "-X", "PUT", "-d", "x", &upload]).contains("201"));
        let origin = ["-s", "-k", "-i", "-H", "Origin: https://evil.example", &base];
        assert!(output("curl", &origin).contains("Access-Control-Allow-Origin: https://evil.example"));
    }
    let port = lab.redis_port().unwrap().to_string();
    let address = lab.address().to_string();
    assert!(output("redis-cli", &["-h", &address, "-p", &port, "INFO"]).contains("redis_version"));
    let ftp = format!("ftp://{address}:{}/README.txt", lab.ftp_port().unwrap());
    assert!(output("curl", &["-s", &ftp]).contains("internal drop box"));
    let mut memcached = TcpStream::connect((lab.address(), lab.memcached_port().unwrap())).unwrap();
    memcached.write_all(b"stats\r\nquit\r\n").unwrap();
    let mut stats = String::new();
    memcached.read_to_string(&mut stats).unwrap();
    assert!(stats.contains("STAT version"), "{stats}");
}

#[test]
fn the_weak_lab_speaks_old_tls_with_an_expired_certificate() {
    let lab = Lab::weak();
    let weak = "ALL:aNULL:eNULL:@SECLEVEL=0";
    for options in [
        ["-tls1", "-cipher", weak],
        ["-tls1_1", "-cipher", weak],
        ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"],
        ["-tls1_2", "-cipher", "ADH-AES128-SHA:@SECLEVEL=0"],
        ["-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"],
        ["-tls1_2", "-cipher", "DHE-RSA-AES128-SHA:@SECLEVEL=0"],
    ] {
        assert!(handshake(&lab, &options), "no handshake with {options:?}");
    }
    assert!(!handshake(&lab, &["-tls1_3"]));
    let address = format!("{}:{}", lab.address(), lab.https_port());
    let seen = output("openssl", &["s_client", "-connect", &address, "-tls1_2"]);
    assert!(seen.contains("certificate has expired"), "{seen}");
}

#[test]
fn the_hardened_lab_has_nothing_of_it() {
    let lab = Lab::hardened();
    assert!(lab.planted().is_empty());
    let home = get(&format!("{}/", lab.https_url()));
    assert!(home.starts_with("HTTP/2 200"), "{home}");
    for header in ["strict-transport-security", "content-security-policy", "x-frame-options"] {
        assert!(home.contains(header), "{header} is missing:\n{home}");
    }
    assert!(home.contains("server: nginx\r"));
    for path in ["/.git/HEAD", "/.env", "/files/", "/server-status", "/static../.env", "/admin/"] {
        assert!(get(&format!("{}{path}", lab.https_url())).starts_with("HTTP/2 404"), "{path}");
        assert!(get(&format!("{}{path}", lab.http_url())).starts_with("HTTP/1.1 308"), "{path}");
    }
    let weak = "ALL:aNULL:eNULL:@SECLEVEL=0";
    for options in
        [["-tls1", "-cipher", weak], ["-tls1_1", "-cipher", weak], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"]]
    {
        assert!(!handshake(&lab, &options), "a handshake with {options:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, lab.authority().unwrap()).unwrap();
    let trusted = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"];
    let url = lab.https_url();
    let mut arguments = trusted.to_vec();
    arguments.extend([authority.to_str().unwrap(), &url]);
    assert_eq!(output("curl", &arguments), "200");
    let port = lab.redis_port().unwrap().to_string();
    let address = lab.address().to_string();
    assert!(output("redis-cli", &["-h", &address, "-p", &port, "INFO"]).contains("NOAUTH"));
}

#[test]
fn the_decoy_answers_200_to_everything() {
    let lab = Lab::decoy();
    for path in ["/.git/HEAD", "/.env", "/never-heard-of"] {
        let answer = get(&format!("{}{path}", lab.https_url()));
        assert!(answer.starts_with("HTTP/2 200") && answer.contains("does not exist"));
    }
}

//! Everything wrong in known ways. Each planted weakness stands beside the line that plants it, or in
//! the list below it.

use std::net::SocketAddr;

use super::{Lab, certificates, nginx, services, site};
use crate::process::{program, run};
use crate::servers::Redis;

/// Fills `lab` with weak servers.
pub(super) fn build(lab: &mut Lab) {
    let folder = lab.folder.path().to_path_buf();
    site::write_files(&folder);
    let dhparam = folder.join("dhparam.pem").to_string_lossy().into_owned();
    run(&[&program("openssl"), "dhparam", "-dsaparam", "-out", &dhparam, "1024"], None);
    let identity = certificates::expired_and_self_signed();
    let addresses = [SocketAddr::new(lab.address, lab.http), SocketAddr::new(lab.address, lab.https)];
    let nginx =
        nginx::start(&nginx::Site { folder: &folder, servers: servers(addresses), identity: &identity, addresses, permissive: true });
    lab.processes.push(nginx);
    plant_web(lab, lab.http);
    plant_web(lab, lab.https);
    plant_tls(lab, lab.https);

    let redis = Redis::start_with(lab.address, &["--protected-mode", "no"]);
    let port = redis.address().port();
    lab.redis = Some(redis);
    lab.plant(port, "Redis without password", "INFO is answered with redis_version");
    let port = services::memcached(lab);
    lab.plant(port, "memcached without authentication", "stats is answered with STAT lines");
    let port = services::anonymous_ftp(lab);
    lab.plant(port, "FTP for anonymous", "USER anonymous, PASS x is answered with 230");
    lab.plant(port, "FTP banner tells product and version", "greeting names ProFTPD 1.3.5");
}

fn servers([http, https]: [SocketAddr; 2]) -> String {
    format!(
        "  server_tokens on;
  add_header X-Powered-By PHP/5.6.40 always;
  add_header Set-Cookie \"session=0123456789abcdef; Path=/\" always;
  add_header Access-Control-Allow-Origin $http_origin always;
  add_header Access-Control-Allow-Credentials true always;
  server {{
    listen {http};
{LOCATIONS}
  }}
  server {{
    listen {https} ssl;
    ssl_certificate certificate.pem;
    ssl_certificate_key key.pem;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
    ssl_ciphers ALL:aNULL:eNULL:@SECLEVEL=0;
    ssl_dhparam dhparam.pem;
    ssl_prefer_server_ciphers off;
{LOCATIONS}
  }}
"
    )
}

const LOCATIONS: &str = "    root site;
    location / { }
    location /files/ { autoindex on; }
    location /upload/ { dav_methods PUT DELETE; }
    location /static { alias site/static/; }
    location = /server-status { stub_status; }
    location = /go { return 302 $arg_next; }
    location = /search { default_type text/html; return 200 \"<p>Results for $arg_q</p>\"; }
    location /admin/ { auth_basic Administration; auth_basic_user_file passwords; }
    location = /debug { default_type text/html; return 500 \"Traceback (most recent call last): File /srv/acme/app.py, line 42, in view\"; }";

fn plant_web(lab: &mut Lab, port: u16) {
    let planted = [
        ("Git repository exposed", "GET /.git/HEAD starts with ref:"),
        ("Git configuration exposed", "GET /.git/config contains [core]"),
        ("environment file exposed", "GET /.env contains DB_PASSWORD="),
        ("database dump exposed", "GET /backup.sql contains CREATE TABLE"),
        ("phpinfo page exposed", "GET /phpinfo.php contains PHP Version"),
        ("directory listing", "GET /files/ contains Index of /files/"),
        ("server status exposed", "GET /server-status contains Active connections"),
        ("path traversal by alias without slash", "GET /static../.env contains DB_PASSWORD="),
        ("open redirect", "GET /go?next=https://example.org/ is 302 to it"),
        ("reflected input", "GET /search?q=<x> echoes <x> as text/html"),
        ("default credentials", "GET /admin/ with admin:admin is 200"),
        ("stack trace in an error page", "GET /debug contains Traceback"),
        ("upload by PUT", "PUT /upload/x is 201 and GET /upload/x returns it"),
        ("server version told", "header Server: nginx/<version>"),
        ("runtime version told", "header X-Powered-By: PHP/5.6.40"),
        ("session cookie without Secure", "Set-Cookie: session without Secure"),
        ("session cookie without HttpOnly", "Set-Cookie: session without HttpOnly"),
        ("session cookie without SameSite", "Set-Cookie: session without SameSite"),
        ("CORS allows any origin with credentials", "Origin: https://evil.example is reflected"),
        ("no Content-Security-Policy", "header missing on /"),
        ("no X-Content-Type-Options", "header missing on /"),
        ("no protection against framing", "no X-Frame-Options and no frame-ancestors on /"),
        ("no Referrer-Policy", "header missing on /"),
    ];
    for (weakness, check) in planted {
        lab.plant(port, weakness, check);
    }
    if port == lab.http {
        lab.plant(port, "no redirect to HTTPS", "GET / over plain HTTP is 200");
        lab.plant(port, "password form over plain HTTP", "GET / has an input of type password");
    }
}

fn plant_tls(lab: &mut Lab, port: u16) {
    let planted = [
        ("TLS 1.0 offered", "a TLS 1.0 handshake succeeds"),
        ("TLS 1.1 offered", "a TLS 1.1 handshake succeeds"),
        ("no TLS 1.3", "a TLS 1.3 handshake fails"),
        ("anonymous suites offered", "a handshake with ADH-AES128-SHA succeeds"),
        ("suites without encryption offered", "a handshake with NULL-SHA256 succeeds"),
        ("suites without forward secrecy offered", "a handshake with AES128-SHA succeeds"),
        ("CBC suites offered", "a handshake with ECDHE-RSA-AES128-SHA succeeds"),
        ("DH group of 1024 bits", "ServerKeyExchange of a DHE suite has a prime of 1024 bits"),
        ("certificate expired", "notAfter is 2020-12-31"),
        ("certificate signed by itself", "issuer equals subject"),
        ("certificate for another name", "only old.lab.test is named"),
        ("no Strict-Transport-Security", "header missing on / over TLS"),
    ];
    for (weakness, check) in planted {
        lab.plant(port, weakness, check);
    }
}

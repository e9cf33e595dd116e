//! Nothing wrong, and a site that is wrong only for a careless check.

use std::net::SocketAddr;

use super::nginx::{self, Site, write};
use super::{Lab, certificates};
use crate::servers::Redis;

/// Not a secret: it only has to be there.
const PASSWORD: &str = "lab-password-of-the-hardened-redis";

const TLS: &str = "    ssl_certificate certificate.pem;
    ssl_certificate_key key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256;
    ssl_prefer_server_ciphers on;
    ssl_session_tickets off;
    add_header Strict-Transport-Security \"max-age=63072000; includeSubDomains\" always;
    add_header Content-Security-Policy \"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'\" always;
    add_header X-Content-Type-Options nosniff always;
    add_header X-Frame-Options DENY always;
    add_header Referrer-Policy no-referrer always;
    add_header Permissions-Policy \"camera=(), geolocation=(), microphone=()\" always;
    add_header Cross-Origin-Opener-Policy same-origin always;
    add_header Cross-Origin-Resource-Policy same-origin always;
    add_header Cross-Origin-Embedder-Policy require-corp always;
    add_header Cache-Control no-store always;
    add_header Set-Cookie \"__Host-session=0123456789abcdef; Path=/; Secure; HttpOnly; SameSite=Strict\" always;
";

/// Fills `lab` with hardened servers.
pub(super) fn build(lab: &mut Lab) {
    let folder = lab.folder.path().to_path_buf();
    write(
        &folder.join("site/index.html"),
        "<!doctype html><html lang=\"en\"><head><title>Hardened</title></head><body><h1>Hardened</h1></body></html>\n",
    );
    write(&folder.join("site/.well-known/security.txt"), "Contact: mailto:security@hardened.lab.test\nExpires: 2099-12-31T23:59:59Z\n");
    let port = lab.https;
    let rest = format!(
        "    root site;
    location = / {{ try_files /index.html =404; }}
    location = /index.html {{ }}
    location = /.well-known/security.txt {{ }}
    location / {{ return 404; }}
    if ($request_method !~ ^(GET|HEAD)$) {{ return 405; }}
    error_page 497 =308 https://$host:{port}$request_uri;"
    );
    start_site(lab, &rest, &format!("    return 308 https://$host:{port}$request_uri;"));
    lab.redis = Some(Redis::start_with(lab.address, &["--requirepass", PASSWORD]));
}

/// Fills `lab` with a site that answers every path with status 200 and the same page.
pub(super) fn build_decoy(lab: &mut Lab) {
    let page = "    default_type text/html;
    return 200 \"<!doctype html><html lang='en'><title>Not found</title><h1>Sorry, this page does not exist</h1></html>\";";
    start_site(lab, page, &format!("    return 308 https://$host:{}$request_uri;", lab.https));
}

fn start_site(lab: &mut Lab, over_tls: &str, over_http: &str) {
    let (identity, authority) = certificates::issued(lab.address);
    let [http, https] = [lab.http, lab.https].map(|port| SocketAddr::new(lab.address, port));
    let servers = format!(
        "  server_tokens off;
  server {{
    listen {http};
    add_header X-Content-Type-Options nosniff always;
    add_header X-Frame-Options DENY always;
    add_header Content-Security-Policy \"default-src 'none'; frame-ancestors 'none'\" always;
    add_header Referrer-Policy no-referrer always;
{over_http}
  }}
  server {{
    listen {https} ssl http2;
{TLS}{over_tls}
  }}
"
    );
    let nginx =
        nginx::start(&Site { folder: lab.folder.path(), servers, identity: &identity, addresses: [http, https], permissive: false });
    lab.processes.push(nginx);
    lab.authority = Some(authority);
}

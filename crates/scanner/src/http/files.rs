//! Files that should not be served, and what proves that one is: a table.
//! Invariant: no entry is proved by its status alone.

use crate::catalogue::{Check, http};

pub(super) enum Proof {
    /// The body begins with these bytes.
    Starts(&'static [u8]),
    /// The body contains all of these, and is no web page.
    Text(&'static [&'static str]),
    /// The body contains all of these, web page or not.
    Page(&'static [&'static str]),
    /// Lines of `KEY=value`, and is no web page.
    Assignments,
    /// A head revision: `ref: refs/` or forty hexadecimal digits.
    GitHead,
    /// `name:hash` lines of a password file.
    PasswordFile,
}

pub(super) struct File {
    pub(super) path: &'static str,
    pub(super) check: &'static Check,
    pub(super) proof: Proof,
}

const fn file(path: &'static str, check: &'static Check, proof: Proof) -> File {
    File { path, check, proof }
}

const SQL: &[&str] = &["CREATE TABLE"];
const ZIP: &[u8] = b"PK\x03\x04";
const GZIP: &[u8] = b"\x1f\x8b\x08";

pub(super) const FILES: &[File] = &[
    file("/.git/HEAD", &http::GIT, Proof::GitHead),
    file("/.git/config", &http::GIT, Proof::Text(&["[core]"])),
    file("/.hg/requires", &http::GIT, Proof::Text(&["revlogv1"])),
    file("/.bzr/README", &http::GIT, Proof::Text(&["Bazaar"])),
    file("/CVS/Entries", &http::SUBVERSION, Proof::Text(&["/1."])),
    file("/.svn/wc.db", &http::SUBVERSION, Proof::Starts(b"SQLite format 3")),
    file("/.svn/entries", &http::SUBVERSION, Proof::Text(&["\ndir\n"])),
    file("/.env", &http::DOTENV, Proof::Assignments),
    file("/.env.local", &http::DOTENV, Proof::Assignments),
    file("/.env.production", &http::DOTENV, Proof::Assignments),
    file("/.env.bak", &http::DOTENV, Proof::Assignments),
    file("/.htpasswd", &http::CREDENTIAL_FILE, Proof::PasswordFile),
    file("/.aws/credentials", &http::CREDENTIAL_FILE, Proof::Text(&["aws_access_key_id"])),
    file("/.npmrc", &http::CREDENTIAL_FILE, Proof::Text(&["_authToken="])),
    file("/.git-credentials", &http::CREDENTIAL_FILE, Proof::Text(&["://", "@"])),
    file("/.netrc", &http::CREDENTIAL_FILE, Proof::Text(&["machine ", "password "])),
    file("/.docker/config.json", &http::CREDENTIAL_FILE, Proof::Text(&["\"auths\""])),
    file("/.dockercfg", &http::CREDENTIAL_FILE, Proof::Text(&["\"auth\""])),
    file("/.pgpass", &http::CREDENTIAL_FILE, Proof::Text(&[":5432:"])),
    file("/.my.cnf", &http::CREDENTIAL_FILE, Proof::Text(&["[client]", "password"])),
    file("/.bash_history", &http::CREDENTIAL_FILE, Proof::Text(&["sudo "])),
    file("/.vscode/sftp.json", &http::CREDENTIAL_FILE, Proof::Text(&["\"host\"", "\"username\""])),
    file("/sftp-config.json", &http::CREDENTIAL_FILE, Proof::Text(&["\"host\"", "\"user\""])),
    file("/appsettings.json", &http::CREDENTIAL_FILE, Proof::Text(&["\"ConnectionStrings\""])),
    file("/application.properties", &http::CREDENTIAL_FILE, Proof::Text(&["password="])),
    file("/docker-compose.yml", &http::CREDENTIAL_FILE, Proof::Text(&["services:", "PASSWORD"])),
    file("/config.json", &http::CREDENTIAL_FILE, Proof::Text(&["\"password\""])),
    file("/config/database.yml", &http::CREDENTIAL_FILE, Proof::Text(&["adapter:", "password:"])),
    file("/configuration.php.bak", &http::CREDENTIAL_FILE, Proof::Text(&["JConfig"])),
    file("/config.inc.php.bak", &http::CREDENTIAL_FILE, Proof::Text(&["<?php"])),
    file("/config.php~", &http::CREDENTIAL_FILE, Proof::Text(&["<?php"])),
    file("/config.php.old", &http::CREDENTIAL_FILE, Proof::Text(&["<?php"])),
    file("/config.php.swp", &http::CREDENTIAL_FILE, Proof::Starts(b"b0VIM")),
    file("/.config.php.swp", &http::CREDENTIAL_FILE, Proof::Starts(b"b0VIM")),
    file("/.index.php.swp", &http::BACKUP, Proof::Starts(b"b0VIM")),
    file("/wp-config.php.old", &http::CREDENTIAL_FILE, Proof::Text(&["DB_PASSWORD"])),
    file("/wp-config.php.save", &http::CREDENTIAL_FILE, Proof::Text(&["DB_PASSWORD"])),
    file("/wp-config.php.txt", &http::CREDENTIAL_FILE, Proof::Text(&["DB_PASSWORD"])),
    file("/wp-config.php.bak", &http::CREDENTIAL_FILE, Proof::Text(&["DB_PASSWORD"])),
    file("/wp-config.php~", &http::CREDENTIAL_FILE, Proof::Text(&["DB_PASSWORD"])),
    file("/config.php.bak", &http::CREDENTIAL_FILE, Proof::Text(&["<?php"])),
    file("/web.config.bak", &http::CREDENTIAL_FILE, Proof::Text(&["<configuration"])),
    file("/.ssh/id_rsa", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", " PRIVATE KEY-----"])),
    file("/id_rsa", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", " PRIVATE KEY-----"])),
    file("/.ssh/id_ed25519", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", "PRIVATE KEY-----"])),
    file("/id_ed25519", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", "PRIVATE KEY-----"])),
    file("/server.pem", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", "PRIVATE KEY-----"])),
    file("/key.pem", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", "PRIVATE KEY-----"])),
    file("/private.key", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", "PRIVATE KEY-----"])),
    file("/ssl/server.key", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", "PRIVATE KEY-----"])),
    file("/server.key", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", "PRIVATE KEY-----"])),
    file("/privkey.pem", &http::PRIVATE_KEY, Proof::Text(&["-----BEGIN ", "PRIVATE KEY-----"])),
    file("/backup.zip", &http::BACKUP, Proof::Starts(ZIP)),
    file("/backup.tar.gz", &http::BACKUP, Proof::Starts(GZIP)),
    file("/backup.tgz", &http::BACKUP, Proof::Starts(GZIP)),
    file("/site.zip", &http::BACKUP, Proof::Starts(ZIP)),
    file("/www.zip", &http::BACKUP, Proof::Starts(ZIP)),
    file("/html.zip", &http::BACKUP, Proof::Starts(ZIP)),
    file("/public_html.zip", &http::BACKUP, Proof::Starts(ZIP)),
    file("/backup.tar", &http::BACKUP, Proof::Text(&["ustar"])),
    file("/site.tar.gz", &http::BACKUP, Proof::Starts(GZIP)),
    file("/www.tar.gz", &http::BACKUP, Proof::Starts(GZIP)),
    file("/backup/backup.zip", &http::BACKUP, Proof::Starts(ZIP)),
    file("/backup/backup.tar.gz", &http::BACKUP, Proof::Starts(GZIP)),
    file("/index.html.bak", &http::BACKUP, Proof::Page(&["<html"])),
    file("/index.html~", &http::BACKUP, Proof::Page(&["<html"])),
    file("/index.html.old", &http::BACKUP, Proof::Page(&["<html"])),
    file("/index.php.old", &http::BACKUP, Proof::Text(&["<?php"])),
    file("/index.php~", &http::BACKUP, Proof::Text(&["<?php"])),
    file("/index.php.bak", &http::BACKUP, Proof::Text(&["<?php"])),
    file("/backup.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/dump.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/database.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/db.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/data.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/mysql.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/site.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/db_backup.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/backup/db.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/backup/dump.sql", &http::DATABASE_DUMP, Proof::Text(SQL)),
    file("/backup.sql.gz", &http::DATABASE_DUMP, Proof::Starts(GZIP)),
    file("/db.sql.gz", &http::DATABASE_DUMP, Proof::Starts(GZIP)),
    file("/database.sqlite", &http::DATABASE_DUMP, Proof::Starts(b"SQLite format 3")),
    file("/db.sqlite", &http::DATABASE_DUMP, Proof::Starts(b"SQLite format 3")),
    file("/db.sqlite3", &http::DATABASE_DUMP, Proof::Starts(b"SQLite format 3")),
    file("/dump.sql.gz", &http::DATABASE_DUMP, Proof::Starts(GZIP)),
    file("/phpinfo.php", &http::PHPINFO, Proof::Page(&["phpinfo()", "PHP Version"])),
    file("/info.php", &http::PHPINFO, Proof::Page(&["phpinfo()", "PHP Version"])),
    file("/phpinfo", &http::PHPINFO, Proof::Page(&["phpinfo()", "PHP Version"])),
    file("/i.php", &http::PHPINFO, Proof::Page(&["phpinfo()", "PHP Version"])),
    file("/test.php", &http::PHPINFO, Proof::Page(&["phpinfo()", "PHP Version"])),
    file("/pi.php", &http::PHPINFO, Proof::Page(&["phpinfo()", "PHP Version"])),
    file("/_profiler/phpinfo", &http::PHPINFO, Proof::Page(&["phpinfo()", "PHP Version"])),
    file("/cgi-bin/printenv", &http::PHPINFO, Proof::Text(&["DOCUMENT_ROOT", "SERVER_SOFTWARE"])),
    file("/cgi-bin/test-cgi", &http::PHPINFO, Proof::Text(&["SERVER_SOFTWARE", "GATEWAY_INTERFACE"])),
    file("/server-status", &http::SERVER_STATUS, Proof::Page(&["Apache Server Status for"])),
    file("/server-status", &http::SERVER_STATUS, Proof::Page(&["<title>Status</title>", "Server-Status"])),
    file("/server-info", &http::SERVER_STATUS, Proof::Page(&["Apache Server Information"])),
    file("/server-status", &http::SERVER_STATUS, Proof::Text(&["Active connections:", "server accepts handled requests"])),
    file("/nginx_status", &http::SERVER_STATUS, Proof::Text(&["Active connections:", "server accepts handled requests"])),
    file("/stub_status", &http::SERVER_STATUS, Proof::Text(&["Active connections:", "server accepts handled requests"])),
    file("/status?full", &http::SERVER_STATUS, Proof::Text(&["pool:", "process manager:", "accepted conn:"])),
    file("/fpm-status", &http::SERVER_STATUS, Proof::Text(&["pool:", "process manager:", "accepted conn:"])),
    file("/status", &http::SERVER_STATUS, Proof::Text(&["pool:", "process manager:", "accepted conn:"])),
    file("/.DS_Store", &http::DS_STORE, Proof::Starts(b"\x00\x00\x00\x01Bud1")),
    file("/actuator/env", &http::ACTUATOR, Proof::Text(&["\"propertySources\""])),
    file("/env", &http::ACTUATOR, Proof::Text(&["\"propertySources\""])),
    file("/actuator/heapdump", &http::ACTUATOR, Proof::Starts(b"JAVA PROFILE")),
    file("/metrics", &http::METRICS, Proof::Text(&["# TYPE ", "# HELP "])),
    file("/actuator/prometheus", &http::METRICS, Proof::Text(&["# TYPE ", "# HELP "])),
    file("/swagger.json", &http::API_DESCRIPTION, Proof::Text(&["\"swagger\"", "\"paths\""])),
    file("/openapi.json", &http::API_DESCRIPTION, Proof::Text(&["\"openapi\"", "\"paths\""])),
    file("/v2/api-docs", &http::API_DESCRIPTION, Proof::Text(&["\"swagger\"", "\"paths\""])),
    file("/v3/api-docs", &http::API_DESCRIPTION, Proof::Text(&["\"openapi\"", "\"paths\""])),
    file("/debug/vars", &http::PROFILER, Proof::Text(&["\"memstats\"", "\"cmdline\""])),
    file("/trace.axd", &http::PROFILER, Proof::Page(&["Application Trace"])),
    file("/elmah.axd", &http::PROFILER, Proof::Page(&["Error Log for"])),
    file("/debug/pprof/", &http::PROFILER, Proof::Page(&["/debug/pprof/", "goroutine"])),
    file("/pods", &http::KUBERNETES, Proof::Text(&["\"kind\":\"PodList\""])),
];

impl Proof {
    pub(super) fn holds(&self, body: &[u8]) -> bool {
        let text = || String::from_utf8_lossy(body.get(..body.len().min(200_000)).unwrap_or_default()).into_owned();
        match self {
            Self::Starts(bytes) => body.starts_with(bytes),
            Self::Text(words) => !is_page(body) && words.iter().all(|word| text().contains(word)),
            Self::Page(words) => words.iter().all(|word| text().contains(word)),
            Self::Assignments => !is_page(body) && is_assignments(&text()),
            Self::GitHead => {
                let line = text();
                let line = line.trim();
                line.starts_with("ref: refs/") || line.len() == 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            Self::PasswordFile => !is_page(body) && is_password_file(&text()),
        }
    }
}

fn is_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = start.get(..start.len().min(200)).unwrap_or_default().to_ascii_lowercase();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html") || crate::wire::contains(&start, b"<head")
}

fn is_assignments(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).take(50).collect();
    let assigns = |line: &&&str| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.split_once('=').is_some_and(|(key, _)| {
            !key.is_empty()
                && key.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
                && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    !lines.is_empty() && lines.iter().filter(assigns).count() * 10 >= lines.len() * 8
}

fn is_password_file(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    lines.peek().is_some()
        && lines.all(|line| {
            line.split_once(':').is_some_and(|(user, hash)| {
                !user.is_empty()
                    && !user.contains(char::is_whitespace)
                    && (hash.starts_with('$') || hash.starts_with("{SHA}") || hash.len() == 13)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_page_proves_no_file() {
        let page = b"<!DOCTYPE html><html><head><title>[core] aws_access_key_id CREATE TABLE</title>A=1";
        for file in FILES {
            if !matches!(file.proof, Proof::Page(_)) {
                assert!(!file.proof.holds(page), "{}", file.path);
            }
        }
    }

    #[test]
    fn real_content_proves_its_file() {
        assert!(Proof::GitHead.holds(b"ref: refs/heads/main\n"));
        assert!(Proof::Assignments.holds(b"# local\nDB_PASSWORD=hunter2\nexport APP_KEY=x\n"));
        assert!(!Proof::Assignments.holds(b"hello world, a = b"));
        assert!(Proof::PasswordFile.holds(b"admin:$apr1$abc$def\n"));
        assert!(!Proof::PasswordFile.holds(b"Not found: nothing here\n"));
    }
}

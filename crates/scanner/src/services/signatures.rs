//! How replies are recognised: a table, tried from the top, and what it takes to read a version.

/// Where bytes must stand in a reply.
#[derive(Debug, Clone, Copy)]
pub(super) enum Find {
    Starts(&'static [u8]),
    Contains(&'static [u8]),
    At(usize, &'static [u8]),
    /// The reply has exactly this length.
    Length(usize),
}

pub(super) struct Signature {
    pub(super) service: &'static str,
    /// Only for the reply to this probe; any when empty.
    pub(super) probe: &'static str,
    pub(super) finds: &'static [Find],
    pub(super) product: &'static str,
    /// The version follows this text; none when empty.
    pub(super) version_after: &'static str,
    /// `vendor:product` of the CPE; none when empty.
    pub(super) cpe: &'static str,
    pub(super) confidence: u8,
}

use Find::{At, Contains, Length, Starts};

const fn row(
    service: &'static str,
    probe: &'static str,
    finds: &'static [Find],
    product: &'static str,
    version_after: &'static str,
    cpe: &'static str,
    confidence: u8,
) -> Signature {
    Signature { service, probe, finds, product, version_after, cpe, confidence }
}

pub(super) const SIGNATURES: &[Signature] = &[
    row("ssh", "", &[Starts(b"SSH-"), Contains(b"OpenSSH_")], "OpenSSH", "OpenSSH_", "openbsd:openssh", 95),
    row("ssh", "", &[Starts(b"SSH-"), Contains(b"dropbear_")], "Dropbear SSH", "dropbear_", "dropbear_ssh_project:dropbear_ssh", 95),
    row("ssh", "", &[Starts(b"SSH-"), Contains(b"libssh_")], "libssh", "libssh_", "libssh:libssh", 95),
    row("ssh", "", &[Starts(b"SSH-"), Contains(b"Cisco-")], "Cisco SSH", "Cisco-", "", 90),
    row("ssh", "", &[Starts(b"SSH-")], "", "", "", 95),
    row("ftp", "", &[Starts(b"220"), Contains(b"vsFTPd ")], "vsftpd", "vsFTPd ", "vsftpd_project:vsftpd", 95),
    row("ftp", "", &[Starts(b"220"), Contains(b"ProFTPD ")], "ProFTPD", "ProFTPD ", "proftpd:proftpd", 95),
    row("ftp", "", &[Starts(b"220"), Contains(b"Pure-FTPd")], "Pure-FTPd", "", "pureftpd:pure-ftpd", 95),
    row(
        "ftp",
        "",
        &[Starts(b"220"), Contains(b"FileZilla Server ")],
        "FileZilla Server",
        "FileZilla Server ",
        "filezilla-project:filezilla_server",
        90,
    ),
    row("ftp", "", &[Starts(b"220"), Contains(b"Microsoft FTP")], "Microsoft FTP Service", "", "", 90),
    row("smtp", "", &[Starts(b"220"), Contains(b"Exim ")], "Exim", "Exim ", "exim:exim", 95),
    row("smtp", "", &[Starts(b"220"), Contains(b"Postfix")], "Postfix", "", "postfix:postfix", 95),
    row("smtp", "", &[Starts(b"220"), Contains(b"Sendmail ")], "Sendmail", "Sendmail ", "sendmail:sendmail", 90),
    row("smtp", "", &[Starts(b"220"), Contains(b"Microsoft ESMTP")], "Microsoft Exchange", "", "", 80),
    row("smtp", "", &[Starts(b"220"), Contains(b"OpenSMTPD")], "OpenSMTPD", "", "openbsd:opensmtpd", 95),
    row("smtp", "", &[Starts(b"220"), Contains(b"ESMTP")], "", "", "", 90),
    row("smtp", "", &[Starts(b"220"), Contains(b" SMTP")], "", "", "", 85),
    row("ftp", "", &[Starts(b"220"), Contains(b"FTP")], "", "", "", 85),
    row("pop3", "", &[Starts(b"+OK"), Contains(b"Dovecot")], "Dovecot", "", "dovecot:dovecot", 95),
    row("pop3", "greeting", &[Starts(b"+OK")], "", "", "", 90),
    row("imap", "", &[Starts(b"* OK"), Contains(b"Dovecot")], "Dovecot", "", "dovecot:dovecot", 95),
    row("imap", "", &[Starts(b"* OK"), Contains(b"Cyrus IMAP ")], "Cyrus IMAP", "Cyrus IMAP ", "cmu:cyrus_imap_server", 90),
    row("imap", "", &[Starts(b"* OK")], "", "", "", 90),
    row("imap", "", &[Starts(b"* BYE")], "", "", "", 80),
    row("mysql", "", &[At(3, b"\x00\x0a"), Contains(b"MariaDB")], "MariaDB", "", "mariadb:mariadb", 95),
    row("mysql", "", &[At(3, b"\x00\x0a"), Contains(b"mysql_native_password")], "MySQL", "", "oracle:mysql", 95),
    row("mysql", "", &[At(3, b"\x00\x0a"), Contains(b"caching_sha2_password")], "MySQL", "", "oracle:mysql", 95),
    row("mysql", "", &[At(3, b"\x00\x0a")], "", "", "", 70),
    row("mysql", "", &[At(4, b"\xff"), Contains(b"is not allowed to connect to this MariaDB")], "MariaDB", "", "", 95),
    row("mysql", "", &[At(4, b"\xff"), Contains(b"is not allowed to connect to this MySQL")], "MySQL", "", "", 95),
    row("vnc", "", &[Starts(b"RFB 00")], "", "", "", 95),
    row("rsync", "", &[Starts(b"@RSYNCD:")], "rsync", "", "", 95),
    row("telnet", "greeting", &[Starts(b"\xff\xfd")], "", "", "", 85),
    row("telnet", "greeting", &[Starts(b"\xff\xfb")], "", "", "", 85),
    row("nntp", "greeting", &[Starts(b"200 "), Contains(b"NNTP")], "", "", "", 85),
    row("irc", "greeting", &[Contains(b"NOTICE AUTH")], "", "", "", 80),
    row("redis", "redis", &[Starts(b"+PONG")], "Redis", "", "redis:redis", 95),
    row("redis", "", &[Starts(b"-NOAUTH")], "Redis", "", "redis:redis", 95),
    row("redis", "", &[Starts(b"-DENIED Redis")], "Redis", "", "redis:redis", 95),
    row("redis", "", &[Starts(b"-ERR wrong number of arguments for 'get' command")], "Redis", "", "redis:redis", 90),
    row("memcached", "", &[Starts(b"VERSION ")], "memcached", "VERSION ", "memcached:memcached", 95),
    row("http", "", &[Starts(b"HTTP/1.")], "", "", "", 95),
    row("postgresql", "postgresql", &[Length(1), Starts(b"S")], "PostgreSQL", "", "postgresql:postgresql", 85),
    row("postgresql", "postgresql", &[Length(1), Starts(b"N")], "PostgreSQL", "", "postgresql:postgresql", 85),
    row("postgresql", "", &[Contains(b"unsupported frontend protocol")], "PostgreSQL", "", "postgresql:postgresql", 95),
    row("mongodb", "mongodb", &[Contains(b"maxWireVersion")], "MongoDB", "", "mongodb:mongodb", 95),
    row("mongodb", "", &[Contains(b"It looks like you are trying to access MongoDB over HTTP")], "MongoDB", "", "mongodb:mongodb", 95),
    row("rdp", "rdp", &[Starts(b"\x03\x00\x00"), At(5, b"\xd0")], "Remote Desktop", "", "", 90),
    row("mqtt", "mqtt", &[Length(4), Starts(b"\x20\x02")], "", "", "", 95),
    row("ldap", "ldap", &[Starts(b"\x30"), Contains(b"\x02\x01\x01\x61")], "", "", "", 95),
    row("dns", "dns", &[At(2, b"\x74\x79"), Contains(b"dnsmasq-")], "dnsmasq", "dnsmasq-", "thekelleys:dnsmasq", 90),
    row("dns", "dns", &[At(2, b"\x74\x79")], "", "", "", 95),
    row("amqp", "", &[Starts(b"\x01\x00\x00"), Contains(b"RabbitMQ")], "RabbitMQ", "", "", 95),
    row("amqp", "", &[Starts(b"AMQP")], "", "", "", 90),
    row("smb", "smb", &[At(4, b"\xfeSMB")], "", "", "", 95),
    row("smb", "smb", &[At(4, b"\xffSMB")], "", "", "", 95),
    row("xmpp", "", &[Contains(b"http://etherx.jabber.org/streams")], "", "", "", 95),
    row("sieve", "", &[Starts(b"\"IMPLEMENTATION\""), Contains(b"Dovecot")], "Dovecot", "", "dovecot:dovecot", 95),
    row("sieve", "", &[Starts(b"\"IMPLEMENTATION\"")], "", "", "", 90),
    row("nats", "", &[Starts(b"INFO {"), Contains(b"\"server_id\"")], "NATS", "\"version\":\"", "", 95),
    row("socks", "socks", &[Length(2), Starts(b"\x05\x00")], "", "", "", 90),
    // To whatever it does not understand, too.
    row("socks", "", &[Length(2), Starts(b"\x05\xff")], "", "", "", 90),
    row("x11", "x11", &[Starts(b"\x01\x00\x0b\x00")], "", "", "", 95),
    row("x11", "x11", &[Starts(b"\x00"), At(2, b"\x0b\x00")], "", "", "", 85),
    row("jdwp", "", &[Starts(b"JDWP-Handshake")], "", "", "", 95),
    row("ajp", "ajp", &[Starts(b"AB\x00\x01\x09")], "", "", "", 95),
    row("zookeeper", "zookeeper", &[Starts(b"imok")], "Apache ZooKeeper", "", "", 95),
    row("zookeeper", "zookeeper", &[Contains(b"is not executed because it is not in the whitelist")], "Apache ZooKeeper", "", "", 95),
    row("epmd", "epmd", &[Starts(b"\x00\x00\x11\x11")], "Erlang port mapper", "", "", 95),
    // The reply begins with the port it listens on.
    row("epmd", "epmd", &[Starts(b"\x00\x00"), Contains(b"name "), Contains(b" at port ")], "Erlang port mapper", "", "", 95),
    row("epmd", "epmd", &[Starts(b"\x00\x00"), Length(4)], "Erlang port mapper", "", "", 75),
    row("rpcbind", "rpcbind", &[At(4, b"tyri")], "", "", "", 95),
    row("cassandra", "cassandra", &[Starts(b"\x84"), At(4, b"\x02")], "Apache Cassandra", "", "", 95),
    row("cassandra", "cassandra", &[Starts(b"\x84"), At(4, b"\x03")], "Apache Cassandra", "", "", 95),
    row("beanstalkd", "beanstalkd", &[Starts(b"OK ")], "beanstalkd", "", "", 90),
    row("beanstalkd", "", &[Starts(b"UNKNOWN_COMMAND\r\n")], "beanstalkd", "", "", 90),
    row("gearman", "", &[Starts(b"ERR UNKNOWN_COMMAND Unknown+server+command")], "Gearman", "", "", 95),
    row("distcc", "distcc", &[Starts(b"DONE0000000")], "distccd", "", "", 95),
    row("svn", "greeting", &[Starts(b"( success ( ")], "Subversion", "", "", 90),
    row("irc", "", &[Contains(b"This is IRC")], "ngIRCd", "", "", 90),
    row("irc", "", &[Starts(b":"), Contains(b" NOTICE * :***")], "", "", "", 90),
];

/// Products that name themselves in the `Server` header: text before the version, product, CPE.
const WEB_PRODUCTS: &[(&str, &str, &str)] = &[
    ("nginx", "nginx", "f5:nginx"),
    ("Apache-Coyote", "Apache Tomcat", ""),
    ("Apache", "Apache HTTP Server", "apache:http_server"),
    ("Microsoft-IIS", "Microsoft IIS", "microsoft:internet_information_services"),
    ("Microsoft-HTTPAPI", "Microsoft HTTPAPI", ""),
    ("lighttpd", "lighttpd", "lighttpd:lighttpd"),
    ("openresty", "OpenResty", "openresty:openresty"),
    ("Caddy", "Caddy", "caddyserver:caddy"),
    ("Jetty", "Eclipse Jetty", "eclipse:jetty"),
    ("Werkzeug", "Werkzeug", "palletsprojects:werkzeug"),
    ("gunicorn", "Gunicorn", "gunicorn:gunicorn"),
    ("uvicorn", "Uvicorn", ""),
    ("waitress", "Waitress", "agendaless:waitress"),
    ("TornadoServer", "Tornado", "tornadoweb:tornado"),
    ("SimpleHTTP", "Python http.server", ""),
    ("BaseHTTP", "Python http.server", ""),
    ("Docker", "Docker", "docker:docker"),
    ("CouchDB", "Apache CouchDB", "apache:couchdb"),
    ("Kestrel", "Kestrel", ""),
    ("LiteSpeed", "LiteSpeed", "litespeedtech:litespeed_web_server"),
    ("Cowboy", "Cowboy", ""),
    ("Varnish", "Varnish", ""),
    ("squid", "Squid", "squid-cache:squid"),
    ("GoAhead", "GoAhead", "embedthis:goahead"),
    ("thttpd", "thttpd", "acme:thttpd"),
    ("mini_httpd", "mini_httpd", "acme:mini_httpd"),
    ("Boa", "Boa", "boa:boa"),
];

/// Product, version and CPE in the value of a `Server` header.
pub(super) fn header_product(value: &str) -> Option<(String, Option<String>, Option<String>)> {
    let first = value.split_whitespace().next()?;
    let (name, version) = first.split_once('/').unwrap_or((first, ""));
    let version = version_token(version);
    let known = WEB_PRODUCTS.iter().find(|(header, _, _)| name.get(..header.len()).is_some_and(|start| start.eq_ignore_ascii_case(header)));
    match known {
        Some((_, product, cpe)) => {
            let cpe = version.as_deref().and_then(|version| cpe23(cpe, version));
            Some(((*product).to_owned(), version, cpe))
        }
        None => Some((crate::report::printable(name.as_bytes(), 60), version, None)),
    }
}

impl Signature {
    pub(super) fn matches(&self, probe: &str, reply: &[u8]) -> bool {
        (self.probe.is_empty() || self.probe == probe)
            && self.finds.iter().all(|find| match find {
                Starts(bytes) => reply.starts_with(bytes),
                Contains(bytes) => crate::wire::contains(reply, bytes),
                At(offset, bytes) => reply.get(*offset..).is_some_and(|rest| rest.starts_with(bytes)),
                Length(length) => reply.len() == *length,
            })
    }

    pub(super) fn version(&self, reply: &[u8]) -> Option<String> {
        if self.service == "mysql" {
            return mysql_version(reply);
        }
        if self.version_after.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(reply);
        let (_, rest) = text.split_once(self.version_after)?;
        version_token(rest)
    }
}

/// The version at the start of the text, when there is one.
fn version_token(text: &str) -> Option<String> {
    let token: String =
        text.chars().take_while(|character| character.is_ascii_alphanumeric() || ".-_+~".contains(*character)).take(40).collect();
    let token = token.trim_end_matches(['.', '-', '_']);
    token.contains(|character: char| character.is_ascii_digit()).then(|| token.to_owned())
}

/// The version in the first packet of MySQL: text that ends with a zero, after the protocol number.
fn mysql_version(reply: &[u8]) -> Option<String> {
    let text = reply.get(5..)?.split(|byte| *byte == 0).next()?;
    let text = std::str::from_utf8(text).ok()?;
    // MariaDB puts 5.5.5- before its own version so that old replicas accept it.
    version_token(text.strip_prefix("5.5.5-").unwrap_or(text))
}

/// A CPE 2.3 name; the update part of OpenSSH (`p1`) stands in its own field.
pub(super) fn cpe23(vendor_product: &str, version: &str) -> Option<String> {
    if vendor_product.is_empty() || version.is_empty() {
        return None;
    }
    let (version, update) = match vendor_product {
        "openbsd:openssh" => match version.split_once('p') {
            Some((version, update)) => (version, format!("p{update}")),
            None => (version, "*".to_owned()),
        },
        _ => (version.split(['-', '+', '~', '_']).next().unwrap_or(version), "*".to_owned()),
    };
    if !version.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') {
        return None;
    }
    Some(format!("cpe:2.3:a:{vendor_product}:{version}:{update}:*:*:*:*:*:*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(probe: &str, reply: &[u8]) -> (&'static str, Option<String>, Option<String>) {
        let signature = SIGNATURES.iter().find(|signature| signature.matches(probe, reply)).unwrap();
        let version = signature.version(reply);
        let cpe = version.as_deref().and_then(|version| cpe23(signature.cpe, version));
        (signature.service, version, cpe)
    }

    #[test]
    fn greetings_of_real_servers_give_product_version_and_cpe() {
        assert_eq!(
            first("greeting", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
            ("ssh", Some("9.2p1".to_owned()), Some("cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*".to_owned()))
        );
        assert_eq!(
            first("greeting", b"220 (vsFTPd 3.0.3)\r\n"),
            ("ftp", Some("3.0.3".to_owned()), Some("cpe:2.3:a:vsftpd_project:vsftpd:3.0.3:*:*:*:*:*:*:*".to_owned()))
        );
        let maria = b"\x5b\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\x00\x01mysql_native_password";
        assert_eq!(first("greeting", maria).1.as_deref(), Some("10.11.6-MariaDB-0+deb12u1"));
        assert_eq!(first("greeting", maria).2.as_deref(), Some("cpe:2.3:a:mariadb:mariadb:10.11.6:*:*:*:*:*:*:*"));
    }

    #[test]
    fn a_server_header_gives_product_and_version() {
        let (product, version, cpe) = header_product("nginx/1.22.1").unwrap();
        assert_eq!((product.as_str(), version.as_deref()), ("nginx", Some("1.22.1")));
        assert_eq!(cpe.as_deref(), Some("cpe:2.3:a:f5:nginx:1.22.1:*:*:*:*:*:*:*"));
        assert_eq!(header_product("nginx").unwrap(), ("nginx".to_owned(), None, None));
    }
}

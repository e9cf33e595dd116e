//! The checks for services that answer without authentication; a table.

use super::checks;

checks! { SAFE in "exposures.safe";
    REDIS = "exposure.redis" Critical C98 306 "Redis answers without a password",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/security/",
        "Whoever reaches the port reads and writes all data and can often run commands on the host.",
        "Set a password or ACL users, bind to an internal address, keep protected-mode on.";
    MEMCACHED = "exposure.memcached" High H75 306 "memcached answers without authentication",
        "https://docs.memcached.org/",
        "Whoever reaches the port reads and replaces everything in the cache.",
        "Bind to an internal address or enable SASL.";
    FTP_ANONYMOUS = "exposure.ftp-anonymous" Medium M53 287 "FTP accepts anonymous logins",
        "https://www.rfc-editor.org/rfc/rfc1635",
        "Anybody can list and fetch the files of the server.",
        "Disable anonymous logins unless the files are meant for everybody.";
    BANNER_VERSION = "exposure.banner-version" Info NONE 200 "The greeting tells product and version",
        "https://cwe.mitre.org/data/definitions/200.html",
        "An exact version tells an attacker which known weaknesses to try.",
        "Shorten the greeting.";
    FTP_PLAIN = "exposure.ftp-plain" Medium M59 319 "FTP login without encryption",
        "https://www.rfc-editor.org/rfc/rfc4217",
        "The server accepts user names without TLS: passwords travel readable.",
        "Require TLS, or use SFTP.";
    MONGODB = "exposure.mongodb" Critical C91 306 "MongoDB answers without authentication",
        "https://www.mongodb.com/docs/manual/administration/security-checklist/",
        "Whoever reaches the port lists and reads all databases.",
        "Enable authorization and bind to an internal address.";
    ELASTICSEARCH = "exposure.elasticsearch" Critical C91 306 "Elasticsearch or OpenSearch answers without authentication",
        "https://www.elastic.co/guide/en/elasticsearch/reference/current/secure-cluster.html",
        "Whoever reaches the port reads and deletes all indices.",
        "Enable the security features and bind to an internal address.";
    DOCKER = "exposure.docker" Critical C98 306 "Docker API answers without authentication",
        "https://docs.docker.com/engine/security/protect-access/",
        "Whoever reaches the API starts containers and thereby owns the host.",
        "Close the TCP socket, or require client certificates.";
    ETCD = "exposure.etcd" Critical C91 306 "etcd answers without authentication",
        "https://etcd.io/docs/latest/op-guide/security/",
        "Whoever reaches the port reads and writes the store, in Kubernetes all secrets.",
        "Require client certificates and enable authentication.";
    COUCHDB = "exposure.couchdb" Critical C91 306 "CouchDB answers without authentication",
        "https://docs.couchdb.org/en/stable/intro/security.html",
        "Whoever reaches the port lists and reads all databases.",
        "Create an administrator and require valid users.";
    TELNET = "exposure.telnet" Medium M59 319 "Telnet is offered",
        "https://cwe.mitre.org/data/definitions/319.html",
        "Telnet sends passwords and sessions readable.",
        "Replace it with SSH.";
    VNC = "exposure.vnc" Critical C98 306 "VNC needs no password",
        "https://www.rfc-editor.org/rfc/rfc6143",
        "Whoever reaches the port sees and controls the screen.",
        "Set a password and tunnel VNC through SSH or a VPN.";
    RSYNC = "exposure.rsync" Medium M53 306 "rsync lists modules without authentication",
        "https://download.samba.org/pub/rsync/rsyncd.conf.5",
        "Anybody learns the modules and can usually fetch them.",
        "Set auth users and hosts allow, or run rsync over SSH.";
    MQTT = "exposure.mqtt" High H75 306 "MQTT broker accepts clients without credentials",
        "https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html",
        "Anybody can read and send messages of every device.",
        "Require credentials or client certificates.";
    LDAP_ANONYMOUS = "exposure.ldap-anonymous" Info NONE 287 "LDAP accepts anonymous binds",
        "https://www.rfc-editor.org/rfc/rfc4513",
        "Directory data may be readable without credentials.",
        "Disable anonymous binds unless they are needed.";
    SSH_PROTOCOL_1 = "exposure.ssh-protocol-1" High H74 327 "SSH protocol 1 is offered",
        "https://www.rfc-editor.org/rfc/rfc4251",
        "Version 1 of the protocol can be read and changed on the path.",
        "Offer protocol 2 only.";
}

checks! { INTRUSIVE in "exposures.intrusive";
    SMTP_RELAY = "exposure.smtp-relay" High H75 284 "Mail server relays for everybody",
        "https://www.rfc-editor.org/rfc/rfc5321",
        "The server accepts mail from outside for outside: spam is sent in its name.",
        "Relay only for authenticated senders and own networks.";
    MYSQL_EMPTY_ROOT = "exposure.mysql-empty-root" Critical C98 521 "MySQL root has no password",
        "https://dev.mysql.com/doc/refman/en/default-privileges.html",
        "Whoever reaches the port owns the database.",
        "Set a password, and do not let root log in from other hosts.";
    REDIS_DEFAULT_PASSWORD = "exposure.redis-default-password" Critical C98 521 "Redis accepts a well-known password",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/security/",
        "The password is among the first an attacker tries.",
        "Set a long random password.";
    POSTGRES_TRUST = "exposure.postgres-trust" Critical C98 306 "PostgreSQL lets its superuser in without a password",
        "https://www.postgresql.org/docs/current/auth-trust.html",
        "The rule `trust` applies to this address: whoever reaches the port owns the database.",
        "Use scram-sha-256 in pg_hba.conf.";
}

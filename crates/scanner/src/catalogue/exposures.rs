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
    LDAP_READABLE = "exposure.ldap-readable" Medium M53 306 "The directory is read without credentials",
        "https://www.rfc-editor.org/rfc/rfc4513",
        "Anybody reads entries of the directory: names, addresses and how the organisation is made.",
        "Allow reading to authenticated users only.";
    SMTP_NO_TLS = "exposure.smtp-no-tls" Low L37 319 "The mail server does not offer TLS",
        "https://www.rfc-editor.org/rfc/rfc3207",
        "Mail travels readable between the servers.",
        "Offer STARTTLS with a valid certificate.";
    SMTP_PLAIN_LOGIN = "exposure.smtp-plain-login" Medium M59 319 "Mail login without encryption",
        "https://www.rfc-editor.org/rfc/rfc8314",
        "The server takes passwords before TLS was begun: they travel readable.",
        "Offer authentication after STARTTLS only.";
    SMTP_NAMES = "exposure.smtp-user-names" Low L37 204 "The mail server tells which users exist",
        "https://www.rfc-editor.org/rfc/rfc5321#section-3.5",
        "VRFY answers differently for users that exist: a list of names can be tried.",
        "Disable VRFY and EXPN.";
    MAILBOX_PLAIN_LOGIN = "exposure.mailbox-plain-login" Medium M59 319 "Mailbox login without encryption",
        "https://www.rfc-editor.org/rfc/rfc8314",
        "IMAP or POP3 takes passwords and does not offer TLS: passwords and mail travel readable.",
        "Offer TLS, and refuse logins without it.";
    OPEN_PROXY = "exposure.open-proxy" High H75I 441 "Anybody may use the proxy",
        "https://cwe.mitre.org/data/definitions/441.html",
        "Strangers reach internal hosts through the proxy, and others in its name.",
        "Allow own networks only, or ask for credentials.";
    SOCKS_OPEN = "exposure.open-socks" High H75I 441 "Anybody may use the SOCKS proxy",
        "https://www.rfc-editor.org/rfc/rfc1928",
        "Strangers reach internal hosts through the proxy, and others in its name.",
        "Allow own networks only, or ask for credentials.";
    X11 = "exposure.x11" Critical C98 306 "X11 display accepts strangers",
        "https://www.x.org/releases/current/doc/man/man7/Xsecurity.7.xhtml",
        "Whoever reaches the port sees the screen and types into every window.",
        "Do not listen on TCP; require an authorisation cookie.";
    JDWP = "exposure.jdwp" Critical C98 489 "Java debugger answers without authentication",
        "https://docs.oracle.com/en/java/javase/21/docs/specs/jdwp/jdwp-protocol.html",
        "Whoever reaches the port runs code in the process.",
        "Start production processes without the debug agent.";
    AJP = "exposure.ajp" Medium M53 749 "AJP connector is reachable",
        "https://tomcat.apache.org/connectors-doc/ajp/ajpv13a.html",
        "The protocol between a web server and Tomcat trusts its peer: old versions give away files (Ghostcat).",
        "Bind the connector to the loopback address and set a secret.";
    ZOOKEEPER = "exposure.zookeeper" High H75 306 "ZooKeeper answers without authentication",
        "https://zookeeper.apache.org/doc/current/zookeeperAdmin.html",
        "Whoever reaches the port reads the configuration of everything that relies on it.",
        "Bind to an internal address; require SASL or client certificates.";
    EPMD = "exposure.epmd" Low L37 200 "Erlang port mapper lists its nodes",
        "https://www.erlang.org/doc/apps/erts/erl_dist_protocol.html",
        "Anybody learns the names and ports of Erlang nodes, which one shared secret protects.",
        "Bind the port mapper to an internal address.";
    RPCBIND = "exposure.rpcbind" Low L37 200 "rpcbind lists its programs",
        "https://www.rfc-editor.org/rfc/rfc1833",
        "Anybody learns which RPC programs run and where; by UDP the answer amplifies attacks on others.",
        "Block port 111 from outside, or remove rpcbind.";
    NATS = "exposure.nats" High H75 306 "NATS accepts clients without credentials",
        "https://docs.nats.io/running-a-nats-service/configuration/securing_nats",
        "Anybody can read and send messages.",
        "Require credentials.";
    BEANSTALKD = "exposure.beanstalkd" High H75 306 "beanstalkd answers without authentication",
        "https://github.com/beanstalkd/beanstalkd",
        "Anybody can read, add and delete jobs; there is no authentication at all.",
        "Bind to an internal address.";
    GEARMAN = "exposure.gearman" High H75 306 "Gearman answers without authentication",
        "https://gearman.org/protocol/",
        "Anybody can read what work is done, add jobs and take them; there is no authentication at all.",
        "Bind to an internal address.";
    DISTCC = "exposure.distcc" Critical C98 306 "distcc compiles for anybody",
        "https://www.cve.org/CVERecord?id=CVE-2004-2687",
        "The daemon starts compilers with arguments of strangers, and older versions any command.",
        "Allow own networks only with --allow, or run it over SSH.";
    NATS_MONITOR = "exposure.nats-monitoring" Medium M53 200 "NATS tells its state to anybody",
        "https://docs.nats.io/running-a-nats-service/nats_admin/monitoring",
        "The monitoring port lists clients, their addresses, subjects and the configuration.",
        "Bind the monitoring port to the loopback address.";
    CASSANDRA = "exposure.cassandra" Critical C91 306 "Cassandra accepts clients without credentials",
        "https://cassandra.apache.org/doc/latest/cassandra/managing/operating/security.html",
        "Whoever reaches the port reads and writes all data.",
        "Use PasswordAuthenticator and bind to an internal address.";
    SMB1 = "exposure.smb1" Medium M59 327 "SMB 1 is offered",
        "https://learn.microsoft.com/windows-server/storage/file-server/troubleshoot/detect-enable-and-disable-smbv1-v2-v3",
        "The oldest version of the protocol has neither encryption nor protection against being forced upon clients.",
        "Disable SMB 1.";
    SMB_GUEST = "exposure.smb-guest" High H75 287 "SMB lets strangers in as guests",
        "https://learn.microsoft.com/windows-server/storage/file-server/enable-insecure-guest-logons-smb2-and-smb3",
        "A user who does not exist was granted a session: shares open to guests are read, and often written, by anybody.",
        "Refuse users who do not exist (Samba: map to guest = never) and disable the guest account.";
    SMB_UNSIGNED = "exposure.smb-signing-optional" Medium M53I 347 "SMB does not require signatures",
        "https://learn.microsoft.com/windows-server/storage/file-server/smb-signing-overview",
        "Sessions can be relayed and changed on the path.",
        "Require SMB signing.";
}

checks! { DATAGRAMS in "exposures.datagrams";
    SNMP_COMMUNITY = "exposure.snmp-default-community" High H75 1392 "SNMP answers to a well-known community",
        "https://www.rfc-editor.org/rfc/rfc3584",
        "The community is the password of SNMP 1 and 2c: with it interfaces, processes, routes and users are read.",
        "Use SNMP 3 with authentication and encryption; otherwise a random community and a list of addresses.";
    NTP_MONLIST = "exposure.ntp-monlist" Medium M58 406 "NTP lists its clients",
        "https://www.cve.org/CVERecord?id=CVE-2013-5211",
        "One small request is answered with many large datagrams, which attackers aim at others.",
        "Update the server, or add `disable monitor`.";
    NTP_CONTROL = "exposure.ntp-control" Medium M58 406 "NTP answers control messages of anybody",
        "https://www.rfc-editor.org/rfc/rfc9327",
        "Version, system and state of the server are read, and the answer amplifies attacks on others.",
        "Add `noquery` to the default restriction.";
    MEMCACHED_UDP = "exposure.memcached-udp" High H75 406 "memcached answers by UDP",
        "https://www.cve.org/CVERecord?id=CVE-2018-1000115",
        "Whoever reaches the port reads the cache, and amplifies attacks on others by many thousand times.",
        "Start memcached with -U 0.";
    CHARGEN = "exposure.echo-services" Medium M58 406 "Echo, chargen or quote of the day answers by UDP",
        "https://www.rfc-editor.org/rfc/rfc864",
        "Two such services can be set upon each other, and they amplify attacks on others.",
        "Disable the simple services of inetd.";
    SSDP = "exposure.ssdp" Medium M58 406 "SSDP answers strangers",
        "https://openconnectivity.org/developer/specifications/upnp-resources/upnp/",
        "Devices and their control pages are listed, and the answer amplifies attacks on others.",
        "Block port 1900 from outside.";
    NETBIOS = "exposure.netbios-names" Low L37 200 "NetBIOS tells names",
        "https://www.rfc-editor.org/rfc/rfc1002",
        "Computer, domain and user names are listed for anybody.",
        "Disable NetBIOS over TCP/IP or block port 137.";
    IPMI = "exposure.ipmi" Medium M59 1188 "IPMI is reachable",
        "https://www.cve.org/CVERecord?id=CVE-2013-4786",
        "The protocol hands out password hashes to whoever asks, by design.",
        "Keep management controllers in a network of their own.";
    RPCBIND_UDP = "exposure.rpcbind-udp" Medium M58 406 "rpcbind answers by UDP",
        "https://www.rfc-editor.org/rfc/rfc1833",
        "The list of programs amplifies attacks on others.",
        "Block port 111 from outside, or remove rpcbind.";
    CLDAP = "exposure.cldap" Medium M58 406 "LDAP answers by UDP",
        "https://www.rfc-editor.org/rfc/rfc1798",
        "The root entry is told to anybody, and the answer amplifies attacks on others.",
        "Block UDP port 389 from outside.";
}

checks! { INTRUSIVE in "exposures.intrusive";
    SMTP_RELAY = "exposure.smtp-relay" High H75 284 "Mail server relays for everybody",
        "https://www.rfc-editor.org/rfc/rfc5321",
        "The server accepts mail from outside for outside: spam is sent in its name.",
        "Relay only for authenticated senders and own networks.";
    FTP_WRITABLE = "exposure.ftp-writable" High H75I 732 "FTP lets anybody store files",
        "https://www.rfc-editor.org/rfc/rfc1635",
        "Strangers fill the disk, and leave files that others fetch.",
        "Do not let anonymous users write, or only where nobody can read.";
    MYSQL_EMPTY_ROOT = "exposure.mysql-empty-root" Critical C98 521 "MySQL root has no password",
        "https://dev.mysql.com/doc/refman/en/default-privileges.html",
        "Whoever reaches the port owns the database.",
        "Set a password, and do not let root log in from other hosts.";
    REDIS_DEFAULT_PASSWORD = "exposure.redis-default-password" Critical C98 521 "Redis accepts a well-known password",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/security/",
        "The password is among the first an attacker tries.",
        "Set a long random password.";
    DATABASE_DEFAULT_PASSWORD = "exposure.database-default-password" Critical C98 1392 "Database accepts a well-known password",
        "https://cwe.mitre.org/data/definitions/1392.html",
        "The name and password are among the first an attacker tries.",
        "Set a long random password, and let only known hosts connect.";
    AMQP_DEFAULT_PASSWORD = "exposure.amqp-default-password" Critical C98 1392 "Message broker accepts its default password",
        "https://www.rabbitmq.com/docs/access-control",
        "The user guest with its printed password reads and writes all queues.",
        "Delete the user guest, or give it another password.";
    FTP_DEFAULT_PASSWORD = "exposure.ftp-default-password" High H75 1392 "FTP accepts a well-known password",
        "https://cwe.mitre.org/data/definitions/1392.html",
        "The name and password are among the first an attacker tries.",
        "Set a long random password.";
    POSTGRES_TRUST = "exposure.postgres-trust" Critical C98 306 "PostgreSQL lets its superuser in without a password",
        "https://www.postgresql.org/docs/current/auth-trust.html",
        "The rule `trust` applies to this address: whoever reaches the port owns the database.",
        "Use scram-sha-256 in pg_hba.conf.";
}

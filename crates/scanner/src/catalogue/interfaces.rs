//! The checks for interfaces reached by HTTP that answer without authentication; a table.

use super::checks;

checks! { SAFE in "exposures.safe";
    CONSUL = "exposure.consul" High H75 306 "Consul answers without a token",
        "https://developer.hashicorp.com/consul/docs/security/acl",
        "Whoever reaches the port reads services and keys, and can often register checks that run commands.",
        "Enable ACLs with a default policy of deny.";
    INFLUXDB = "exposure.influxdb" High H75 306 "InfluxDB answers without authentication",
        "https://docs.influxdata.com/influxdb/v1/administration/authentication_and_authorization/",
        "Whoever reaches the port reads and deletes all databases.",
        "Enable authentication.";
    PROMETHEUS = "exposure.prometheus" Medium M53 306 "Prometheus tells its configuration",
        "https://prometheus.io/docs/operating/security/",
        "Targets, labels and the layout of the network can be read.",
        "Serve Prometheus behind authentication.";
    KUBERNETES_API = "exposure.kubernetes-api" Critical C98 306 "Kubernetes API lists resources for anonymous users",
        "https://kubernetes.io/docs/reference/access-authn-authz/authentication/",
        "Anonymous users read, and perhaps change, what runs in the cluster.",
        "Disable anonymous access or take its roles away.";
    REGISTRY = "exposure.container-registry" High H75 306 "Container registry answers without authentication",
        "https://distribution.github.io/distribution/about/deploying/",
        "Images, and the secrets in them, can be pulled, and often replaced.",
        "Require authentication.";
    JUPYTER = "exposure.jupyter" Critical C98 306 "Jupyter needs no token",
        "https://jupyter-server.readthedocs.io/en/latest/operators/security.html",
        "Whoever reaches the port runs code on the host.",
        "Set a token or a password.";
    JENKINS = "exposure.jenkins" Critical C98 306 "Jenkins offers its script console to anybody",
        "https://www.jenkins.io/doc/book/security/",
        "Whoever reaches the page runs code on the controller.",
        "Enable security and deny anonymous users.";
    SOLR = "exposure.solr" High H75 306 "Solr answers without authentication",
        "https://solr.apache.org/guide/solr/latest/deployment-guide/securing-solr.html",
        "Whoever reaches the port reads and deletes all collections.",
        "Enable authentication and bind to an internal address.";
    CLICKHOUSE = "exposure.clickhouse" Critical C91 306 "ClickHouse runs queries without a password",
        "https://clickhouse.com/docs/operations/settings/settings-users",
        "Whoever reaches the port reads and writes all data.",
        "Set a password for the default user.";
    BALANCER_STATISTICS = "exposure.haproxy-statistics" Medium M53 200 "Statistics of a load balancer are open",
        "https://docs.haproxy.org/2.6/configuration.html#4-stats%20enable",
        "The page lists servers, their addresses and their load; some let visitors take servers out.",
        "Ask for credentials, or serve the page on an internal address.";
    JENKINS_READABLE = "exposure.jenkins-readable" Medium M53 306 "Jenkins shows its jobs to anybody",
        "https://www.jenkins.io/doc/book/security/",
        "Names, results and often the logs of all builds can be read.",
        "Deny anonymous users, reading included.";
    GRAFANA = "exposure.grafana" Medium M53 306 "Grafana serves visitors without a login",
        "https://grafana.com/docs/grafana/latest/setup-grafana/configure-security/",
        "Anonymous visitors see the dashboards, and query the data sources behind them.",
        "Disable anonymous access.";
    NOMAD = "exposure.nomad" Critical C98 306 "Nomad answers without a token",
        "https://developer.hashicorp.com/nomad/docs/secure/acl",
        "Whoever reaches the port starts jobs, and thereby runs code on the hosts.",
        "Enable ACLs with a default policy of deny.";
    HADOOP = "exposure.hadoop" Critical C98 306 "Hadoop YARN answers without authentication",
        "https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-common/SecureMode.html",
        "Whoever reaches the port submits applications, and thereby runs code in the cluster.",
        "Run in secure mode with Kerberos and bind to an internal address.";
    FLINK = "exposure.flink" Critical C98 306 "Flink answers without authentication",
        "https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/security/security-ssl/",
        "Whoever reaches the port submits jobs, and thereby runs code in the cluster.",
        "Require client certificates for the REST endpoint, or put it behind authentication.";
    QDRANT = "exposure.qdrant" High H75 306 "Qdrant answers without an API key",
        "https://qdrant.tech/documentation/guides/security/",
        "Whoever reaches the port reads and deletes all collections.",
        "Set an API key and bind to an internal address.";
    ARANGODB = "exposure.arangodb" Critical C91 306 "ArangoDB answers without authentication",
        "https://docs.arangodb.com/stable/operations/security/security-options/",
        "Whoever reaches the port reads and writes all data.",
        "Enable authentication and bind to an internal address.";
    GATEWAY_ADMINISTRATION = "exposure.gateway-administration" High H75 306 "Administration of a gateway answers without authentication",
        "https://cwe.mitre.org/data/definitions/306.html",
        "Routes, services and addresses behind the gateway are listed; some gateways let strangers change them.",
        "Bind the administration to the loopback address, or ask for credentials.";
    SELENIUM = "exposure.selenium" Critical C98 306 "Selenium runs browsers for anybody",
        "https://www.selenium.dev/documentation/grid/security/",
        "Whoever reaches the port drives browsers on the host: files are read, internal sites are reached, code is run.",
        "Bind to an internal address or require credentials.";
    WERKZEUG_CONSOLE = "exposure.debug-console" Critical C98 489 "Console of a debugger is open",
        "https://werkzeug.palletsprojects.com/en/stable/debug/",
        "The console runs code in the application; a PIN is all that may stand before it.",
        "Never run a debugger in production.";
    DATABASE_PAGE = "exposure.database-page" Medium M53 749 "Administration page of a database is reachable",
        "https://cwe.mitre.org/data/definitions/749.html",
        "The page lets anybody try passwords, and its own flaws lead to the database.",
        "Serve the page on an internal address, or remove it.";
    SUPERVISOR = "exposure.supervisor" High H75I 306 "Supervisor lets anybody stop processes",
        "https://supervisord.org/configuration.html",
        "Whoever reaches the page starts and stops processes and reads their logs.",
        "Set a name and a password for inet_http_server, or use the socket only.";
    OLLAMA = "exposure.ollama" High H75I 306 "Ollama answers without authentication",
        "https://docs.ollama.com/faq",
        "Whoever reaches the port uses, pulls and deletes models.",
        "Bind to the loopback address, or put it behind authentication.";
    BUCKETS = "exposure.bucket-listing" Medium M53 306 "Object storage lists its contents to anybody",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
        "Names of buckets or objects are listed without credentials, and can usually be fetched.",
        "Block public access and require signed requests.";
}

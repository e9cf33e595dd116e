//! The checks of the web audit; a table. Those of `http.active` ask for the same pages in every run; the others ask for pages that
//! the site names, and are told page by page.

use super::checks;

checks! { PASSIVE in "http.passive";
    CSP_MISSING = "http.csp-missing" Low L31I 693 "Content-Security-Policy is missing",
        "https://www.w3.org/TR/CSP3/",
        "Without a policy the browser runs any script that finds its way into a page.",
        "Send a Content-Security-Policy that names the allowed sources.";
    CSP_WEAK = "http.csp-weak" Low L31I 693 "Content-Security-Policy allows inline or any script",
        "https://www.w3.org/TR/CSP3/",
        "'unsafe-inline', 'unsafe-eval' or a wildcard source for scripts takes the protection away again.",
        "Use nonces or hashes and name every source.";
    HSTS_MISSING = "http.hsts-missing" Low L37 319 "Strict-Transport-Security is missing",
        "https://www.rfc-editor.org/rfc/rfc6797",
        "A first visit by plain HTTP can be kept there by an attacker on the path.",
        "Send Strict-Transport-Security with max-age of at least a year.";
    HSTS_SHORT = "http.hsts-short" Low L31 319 "Strict-Transport-Security lasts less than half a year",
        "https://www.rfc-editor.org/rfc/rfc6797",
        "Visitors who come rarely are not protected.",
        "Raise max-age to 31536000.";
    SNIFFING = "http.content-type-options-missing" Low L31I 693 "X-Content-Type-Options is missing",
        "https://fetch.spec.whatwg.org/#x-content-type-options-header",
        "Browsers may guess a type other than the one sent and run an upload as a script.",
        "Send X-Content-Type-Options: nosniff.";
    FRAMING = "http.framing-allowed" Medium M43 1021 "The page may be framed by any site",
        "https://www.w3.org/TR/CSP3/#directive-frame-ancestors",
        "Another site can show the page invisibly and have visitors click on it.",
        "Send frame-ancestors in the Content-Security-Policy, or X-Frame-Options.";
    REFERRER_POLICY = "http.referrer-policy-missing" Info NONE 200 "Referrer-Policy is missing",
        "https://www.w3.org/TR/referrer-policy/",
        "Browsers choose how much of the address other sites learn.",
        "Send Referrer-Policy: strict-origin-when-cross-origin or stricter.";
    PERMISSIONS_POLICY = "http.permissions-policy-missing" Info NONE 693 "Permissions-Policy is missing",
        "https://www.w3.org/TR/permissions-policy/",
        "The page does not say which features of the browser it and its frames need.",
        "Send Permissions-Policy with the features that are not needed switched off.";
    COOKIE_NOT_SECURE = "http.cookie-not-secure" Medium M48 614 "Cookie without Secure",
        "https://www.rfc-editor.org/rfc/rfc6265",
        "The browser also sends the cookie by plain HTTP, where it can be read.",
        "Set Secure on the cookie.";
    COOKIE_NOT_HTTP_ONLY = "http.cookie-not-http-only" Low L31 1004 "Session cookie without HttpOnly",
        "https://www.rfc-editor.org/rfc/rfc6265",
        "A script that gets into the page can read the cookie and send it away.",
        "Set HttpOnly on the cookie.";
    COOKIE_NO_SAME_SITE = "http.cookie-no-same-site" Low L31I 1275 "Cookie without SameSite",
        "https://www.rfc-editor.org/rfc/rfc6265",
        "Whether the cookie goes along with requests from other sites is left to the browser.",
        "Set SameSite=Lax or Strict.";
    COOKIE_SAME_SITE_NONE = "http.cookie-same-site-none-insecure" Low L31I 1275 "Cookie with SameSite=None and without Secure",
        "https://www.rfc-editor.org/rfc/rfc6265",
        "Browsers refuse such a cookie, or send it everywhere unprotected.",
        "Set Secure, or SameSite=Lax.";
    SERVER_VERSION = "http.server-version" Low L37 200 "The server tells its version",
        "https://www.rfc-editor.org/rfc/rfc9110#name-server",
        "An exact version tells an attacker which known weaknesses to try.",
        "Leave the version out of the Server header.";
    POWERED_BY = "http.powered-by" Low L37 200 "The framework tells its name or version",
        "https://owasp.org/www-project-secure-headers/",
        "Headers such as X-Powered-By tell an attacker which known weaknesses to try.",
        "Remove the header.";
    DIRECTORY_LISTING = "http.directory-listing" Medium M53 548 "Directory listing",
        "https://cwe.mitre.org/data/definitions/548.html",
        "The server lists the files of a directory, among them those nobody meant to show.",
        "Switch directory listings off.";
    STACK_TRACE = "http.stack-trace" Low L37 209 "A page shows a stack trace",
        "https://cwe.mitre.org/data/definitions/209.html",
        "Stack traces tell paths, versions and the inner workings of the application.",
        "Log errors and answer with a plain page.";
    BASIC_OVER_HTTP = "http.basic-over-plain" High H75 523 "Basic authentication over plain HTTP",
        "https://www.rfc-editor.org/rfc/rfc7617",
        "The password travels readable with every request.",
        "Ask for credentials over HTTPS only.";
    PASSWORD_OVER_HTTP = "http.password-form-over-plain" High H75 523 "Password form over plain HTTP",
        "https://cwe.mitre.org/data/definitions/523.html",
        "The form is delivered unprotected: whoever sits on the path reads or redirects the password.",
        "Serve the form over HTTPS only.";
    DOWNGRADE = "http.https-downgrade" Medium M48 319 "HTTPS leads to plain HTTP",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "Visitors who come protected are sent away to an address where everything can be read and changed on the path.",
        "Redirect to HTTPS addresses only.";
    NO_HTTPS_REDIRECT = "http.no-https-redirect" Low L37 319 "Plain HTTP does not lead to HTTPS",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "The host speaks HTTPS but also serves its pages unprotected.",
        "Answer plain HTTP with a redirect to HTTPS.";
}

checks! { PAGES in "http.pages";
    TRACE = "http.method-trace" Low L31 693 "TRACE is enabled",
        "https://www.rfc-editor.org/rfc/rfc9110#name-trace",
        "TRACE sends requests back with headers that scripts are not meant to see.",
        "Disable TRACE.";
    WRITE_METHODS = "http.method-write" Medium M53I 650 "PUT or DELETE is advertised",
        "https://www.rfc-editor.org/rfc/rfc9110#name-allow",
        "The server says that its root accepts methods which change files.",
        "Disable the methods where they are not needed, and ask for authentication where they are.";
    CORS_REFLECTED = "http.cors-reflected-origin" High H74 942 "Any origin may read answers with credentials",
        "https://fetch.spec.whatwg.org/#http-cors-protocol",
        "The server repeats whatever Origin it is sent and allows credentials: any site can act as its visitors.",
        "Answer only origins on a list.";
    CORS_NULL = "http.cors-null-origin" Medium M61 942 "The null origin may read answers with credentials",
        "https://fetch.spec.whatwg.org/#http-cors-protocol",
        "Sandboxed frames have the origin null, so any site can make requests with it.",
        "Never allow the origin null.";
    CORS_WILDCARD = "http.cors-wildcard-credentials" Low L31 942 "Any origin is allowed together with credentials",
        "https://fetch.spec.whatwg.org/#http-cors-protocol",
        "Browsers refuse the combination; it shows a policy that nobody meant.",
        "Answer only origins on a list.";
    REFLECTED_INPUT = "http.reflected-input" Medium M61 79 "Input is shown unescaped",
        "https://owasp.org/www-community/attacks/xss/",
        "A link to this site can carry a script that runs in the visitor's name.",
        "Escape everything that is shown, and send a Content-Security-Policy.";
    ALIAS_TRAVERSAL = "http.alias-traversal" High H75 22 "Files above a directory can be fetched",
        "https://nginx.org/en/docs/http/ngx_http_core_module.html#alias",
        "A location without a closing slash lets `..` lead out of its directory.",
        "End the location with a slash, as its alias does.";
    PATH_TRAVERSAL = "http.path-traversal" High H75 22 "Files outside the site can be fetched",
        "https://owasp.org/www-community/attacks/Path_Traversal",
        "`..` in a path or a parameter leads out of the directory of the site: configuration, sources and secrets can be read.",
        "Resolve the path first and serve only what lies below the directory; look files up by name in a list.";
}

checks! { ACTIVE in "http.active";
    OPEN_REDIRECT = "http.open-redirect" Medium M61 601 "Open redirect",
        "https://cwe.mitre.org/data/definitions/601.html",
        "A link to this site can lead anywhere: a help for phishing.",
        "Redirect only to paths of this site or to listed sites.";
    GIT = "http.exposed-git" High H75 527 "Git repository is exposed",
        "https://cwe.mitre.org/data/definitions/527.html",
        "The repository can be downloaded: source, history and the secrets in it.",
        "Do not serve .git; rotate every secret that was ever committed.";
    SUBVERSION = "http.exposed-subversion" High H75 527 "Subversion data is exposed",
        "https://cwe.mitre.org/data/definitions/527.html",
        "The working copy's database names every file and holds their contents.",
        "Do not serve .svn.";
    DOTENV = "http.exposed-dotenv" High H75 538 "Environment file is exposed",
        "https://cwe.mitre.org/data/definitions/538.html",
        "Environment files hold passwords and keys.",
        "Move the file out of the web root; rotate its secrets.";
    CREDENTIAL_FILE = "http.exposed-credentials" High H75 538 "A file with credentials is exposed",
        "https://cwe.mitre.org/data/definitions/538.html",
        "Password files and configuration with passwords can be downloaded.",
        "Remove the file; rotate its secrets.";
    PRIVATE_KEY = "http.exposed-private-key" Critical C91 538 "A private key is exposed",
        "https://cwe.mitre.org/data/definitions/538.html",
        "Whoever downloads the key can pose as its owner.",
        "Remove the file; revoke and replace the key.";
    BACKUP = "http.exposed-backup" High H75 530 "A backup is exposed",
        "https://cwe.mitre.org/data/definitions/530.html",
        "Backups hold sources, data and secrets.",
        "Remove the file from the web root.";
    DATABASE_DUMP = "http.exposed-database-dump" High H75 530 "A database dump is exposed",
        "https://cwe.mitre.org/data/definitions/530.html",
        "The dump holds the data of the application.",
        "Remove the file from the web root.";
    PHPINFO = "http.exposed-phpinfo" Medium M53 200 "phpinfo is exposed",
        "https://www.php.net/manual/function.phpinfo.php",
        "The page lists versions, paths and environment variables.",
        "Remove the page.";
    SERVER_STATUS = "http.exposed-server-status" Medium M53 200 "Server status is exposed",
        "https://httpd.apache.org/docs/current/mod/mod_status.html",
        "The page shows who asks for what at this moment.",
        "Allow the page to administrators only.";
    DS_STORE = "http.exposed-ds-store" Low L37 538 "A .DS_Store file is exposed",
        "https://cwe.mitre.org/data/definitions/538.html",
        "The file lists names of files in the directory.",
        "Remove the file.";
    ACTUATOR = "http.exposed-actuator" High H75 200 "Spring Boot actuator is exposed",
        "https://docs.spring.io/spring-boot/reference/actuator/endpoints.html",
        "The actuator shows configuration and environment, and may change them.",
        "Expose only health, or ask for authentication.";
    METRICS = "http.exposed-metrics" Low L37 200 "Metrics are exposed",
        "https://prometheus.io/docs/operating/security/",
        "Metrics show inner names, versions and volumes.",
        "Serve metrics on an internal address.";
    API_DESCRIPTION = "http.exposed-api-description" Info NONE 200 "API description is public",
        "https://spec.openapis.org/oas/latest.html",
        "The description lists every operation; public APIs mean to do so.",
        "Check that it is meant to be public.";
    PROFILER = "http.exposed-profiler" Medium M53 489 "Debug profiler is exposed",
        "https://pkg.go.dev/net/http/pprof",
        "Profilers show memory contents and slow the server down on request.",
        "Remove debug handlers from production.";
    KUBERNETES = "http.exposed-kubelet" Critical C98 306 "Kubelet answers without authentication",
        "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/",
        "Whoever reaches the kubelet can list pods and run commands in them.",
        "Set anonymous-auth to false on the kubelet.";
}

checks! { INTRUSIVE in "http.intrusive";
    DEFAULT_CREDENTIALS = "http.default-credentials" Critical C98 1392 "Well-known credentials are accepted",
        "https://cwe.mitre.org/data/definitions/1392.html",
        "The name and password are among the first an attacker tries.",
        "Set a long random password.";
    UPLOAD = "http.upload-by-put" High H75I 434 "Anybody can store files by PUT",
        "https://www.rfc-editor.org/rfc/rfc9110#name-put",
        "A file that was put there came back: visitors can be served whatever a stranger stores.",
        "Disable PUT, or ask for authentication.";
}

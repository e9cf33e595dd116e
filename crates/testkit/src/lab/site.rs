//! The files of the weak web site.

use std::path::Path;

use super::nginx::write;

/// Writes the document root, `site`, below `folder`.
pub(super) fn write_files(folder: &Path) {
    let site = folder.join("site");
    let file = |path: &str, text: &str| write(&site.join(path), text);
    file(
        "index.html",
        "<!doctype html><html><head><title>Acme intranet</title>\
         <meta name=\"generator\" content=\"WordPress 4.7.1\"></head>\
         <body><h1>Acme intranet</h1><form action=\"/login\" method=\"post\">\
         <input name=\"user\"><input name=\"password\" type=\"password\"></form>\
         <script src=\"http://cdn.lab.test/jquery-1.11.0.js\"></script></body></html>\n",
    );
    file(".git/HEAD", "ref: refs/heads/main\n");
    file(".git/config", "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://git.lab.test/acme.git\n");
    file(".env", "APP_ENV=production\nDB_PASSWORD=planted-by-the-lab\nSECRET_KEY=planted-by-the-lab\n");
    file("backup.sql", "-- MySQL dump 10.13\nCREATE TABLE `users` (`id` int, `password` varchar(64));\n");
    file("files/report.txt", "quarterly figures\n");
    file("files/.htpasswd", "admin:$apr1$planted$bythelabbythelabbythe0\n");
    file("static/app.js", "console.log('acme');\n");
    file("robots.txt", "User-agent: *\nDisallow: /admin/\nDisallow: /files/\n");
    file("phpinfo.php", "<html><head><title>phpinfo()</title></head><body><h1>PHP Version 5.6.40</h1></body></html>\n");
    file("admin/index.html", "<html><title>Administration</title><body>users</body></html>\n");
    file("upload/.keep", "");
    write(&folder.join("passwords"), "admin:{PLAIN}admin\n");
}

//! Directories worth asking for: well-known ones, those `robots.txt` names and those a page links to.

use std::collections::BTreeSet;

use url::Url;

use super::client::{Client, Page};

const WELL_KNOWN: &[&str] = &[
    "/",
    "/uploads/",
    "/upload/",
    "/backup/",
    "/backups/",
    "/files/",
    "/images/",
    "/static/",
    "/assets/",
    "/admin/",
    "/media/",
    "/dav/",
    "/webdav/",
    "/icons/",
    "/data/",
    "/tmp/",
    "/logs/",
    "/download/",
    "/downloads/",
    "/private/",
    "/pub/",
    "/js/",
    "/css/",
    "/img/",
];
/// Most directories that are asked for.
const MOST: usize = 60;

/// Paths that begin and end with a slash, without repeats.
pub(super) async fn directories(client: &Client<'_>, landing: &Page) -> Vec<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    if let Ok(robots) = client.get("/robots.txt").await
        && robots.status == 200
        && !robots.is_html()
    {
        let text = robots.text();
        let named = text.lines().filter_map(|line| {
            let (key, path) = line.split_once(':')?;
            matches!(key.trim().to_ascii_lowercase().as_str(), "disallow" | "allow").then(|| path.trim())
        });
        found.extend(named.filter_map(|path| directory_of(&landing.url, path)));
    }
    if landing.is_html() {
        let text = landing.text();
        let links = ["href=", "src=", "action="].iter().flat_map(|attribute| text.split(attribute).skip(1)).filter_map(|rest| {
            let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
            rest.get(1..)?.split(quote).next()
        });
        found.extend(links.take(500).filter_map(|link| directory_of(&landing.url, link)));
    }
    let known: BTreeSet<String> = WELL_KNOWN.iter().map(|path| (*path).to_owned()).collect();
    let others: Vec<String> = found.difference(&known).cloned().collect();
    known.into_iter().chain(others).take(MOST).collect()
}

/// The first directory of a link within the origin.
fn directory_of(base: &Url, link: &str) -> Option<String> {
    if link.is_empty() || link.contains(['*', '$', '{']) {
        return None;
    }
    let url = base.join(link).ok()?;
    if url.origin() != base.origin() {
        return None;
    }
    let (directory, _) = url.path().strip_prefix('/')?.split_once('/')?;
    (!directory.is_empty()).then(|| format!("/{directory}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_of_the_origin_are_taken() {
        let base = Url::parse("https://lab.example/app/").unwrap();
        assert_eq!(directory_of(&base, "/static/app.js").as_deref(), Some("/static/"));
        assert_eq!(directory_of(&base, "page.html").as_deref(), Some("/app/"));
        assert_eq!(directory_of(&base, "https://cdn.example/x/y.js"), None);
        assert_eq!(directory_of(&base, "/*/private"), None);
        assert_eq!(directory_of(&base, "/index.html"), None);
    }
}

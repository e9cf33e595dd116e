//! A place in words.

use importers::Location;

/// The shortest text that tells a person where it is.
pub(crate) fn words(place: &Location) -> String {
    if let Some(url) = &place.url {
        return url.clone();
    }
    if let Some(file) = &place.file {
        return place.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
    }
    let name = place.host.as_ref().or(place.ip.as_ref());
    match (name, place.port) {
        (Some(name), Some(port)) if name.contains(':') => format!("[{name}]:{port}"),
        (Some(name), Some(port)) => format!("{name}:{port}"),
        (Some(name), None) => name.clone(),
        (None, _) => place.component.as_ref().map_or_else(|| "an unnamed place".to_owned(), |component| component.name.clone()),
    }
}

/// The asset a place belongs to, as decisions and clusters know it: the site of a page, else the address, else the host; empty for code.
pub(crate) fn asset_of(place: &Location) -> String {
    let site = place.url.as_deref().and_then(|url| url::Url::parse(url).ok()).and_then(|url| url.host_str().map(str::to_owned));
    let name = site.or_else(|| place.ip.clone()).or_else(|| place.host.clone()).unwrap_or_default();
    importers::identity::asset(&name)
}

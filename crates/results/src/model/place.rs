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

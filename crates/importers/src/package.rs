//! Software packages: one spelling across tools, and the names of a vulnerability in one of them.
//! Versions, qualifiers and tags of images are facts about a package, never part of its name.

use std::str::FromStr;

use packageurl::PackageUrl;

use crate::identity;
use crate::model::{Component, IdentityKey};
use crate::occurrences::Occurrences;

/// Schemes of [`keys`].
pub(crate) const SCHEMES: [&str; 2] = ["dependency.place", "dependency"];

/// What tools call an ecosystem, a package manager or a kind of file, and its package URL type.
const TYPES: [(&str, &[&str]); 17] = [
    ("apk", &["alpine", "apk", "chainguard", "wolfi"]),
    ("cargo", &["cargo", "crates.io", "rust", "rust-binary", "rust-crate", "rustbinary"]),
    ("cocoapods", &["cocoapods", "pod"]),
    ("composer", &["composer", "composer-vendor", "packagist", "php-composer"]),
    ("conan", &["conan"]),
    ("conda", &["conda", "conda-pkg"]),
    ("deb", &["deb", "debian", "linux", "ubuntu"]),
    ("gem", &["bundler", "gem", "gemspec", "rubygems"]),
    ("golang", &["go", "go-module", "gobinary", "golang", "golangdep", "gomod", "gomodules", "govendor"]),
    ("hex", &["erlang", "hex"]),
    ("maven", &["gradle", "jar", "java", "java-archive", "maven", "pom", "sbt", "sbt-lockfile"]),
    ("npm", &["bun", "javascript", "node", "node-pkg", "npm", "pnpm", "yarn"]),
    ("nuget", &["dotnet", "dotnet-core", "nuget", "packages-config", "packages-props"]),
    ("pub", &["dart", "pub"]),
    ("pypi", &["pip", "pipenv", "poetry", "pypi", "python", "python-pkg", "uv"]),
    (
        "rpm",
        &[
            "alma",
            "almalinux",
            "amazon",
            "azurelinux",
            "centos",
            "fedora",
            "oracle",
            "photon",
            "redhat",
            "rhel",
            "rocky",
            "rpm",
            "sles",
            "suse",
        ],
    ),
    ("swift", &["swift", "swifturl"]),
];

/// Package URL type of what a tool calls an ecosystem, such as `Debian:12` or `gomod`.
pub(crate) fn kind(ecosystem: &str) -> Option<&'static str> {
    let word = ecosystem.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
    TYPES.iter().find(|(_, names)| names.contains(&word.as_str())).map(|(kind, _)| *kind)
}

/// A package under the package URL the tool gives, else one made of its ecosystem, name and version.
pub(crate) fn component(ecosystem: &str, name: &str, version: Option<&str>, purl: Option<&str>) -> Component {
    let version = version.map(str::trim).filter(|version| !version.is_empty());
    let given = purl.map(str::trim).filter(|purl| PackageUrl::from_str(purl).is_ok()).map(str::to_owned);
    let purl = given.or_else(|| build(ecosystem, name, version));
    Component { name: name.to_owned(), version: version.map(str::to_owned), purl }
}

fn build(ecosystem: &str, name: &str, version: Option<&str>) -> Option<String> {
    let kind = kind(ecosystem)?;
    let (namespace, bare) = match kind {
        "maven" => name.split_once(':').map_or((None, name), |(group, artifact)| (Some(group), artifact)),
        "npm" | "composer" | "golang" | "swift" => name.rsplit_once('/').map_or((None, name), |(space, bare)| (Some(space), bare)),
        "deb" | "apk" | "rpm" => (distribution(ecosystem), name),
        _ => (None, name),
    };
    let mut purl = PackageUrl::new(kind, bare.to_owned()).ok()?;
    if let Some(namespace) = namespace {
        purl.with_namespace(namespace.to_owned()).ok()?;
    }
    if let Some(version) = version {
        purl.with_version(version.to_owned()).ok()?;
    }
    Some(purl.to_string())
}

/// The distribution in an ecosystem that names one rather than its package manager.
fn distribution(ecosystem: &str) -> Option<&str> {
    let word = ecosystem.split(':').next()?;
    let manager = ["apk", "deb", "linux", "rpm"];
    (!manager.contains(&word.to_ascii_lowercase().as_str())).then_some(word)
}

/// The package as it enters keys: type, namespace and name.
pub(crate) fn bare(component: &Component) -> String {
    let purl = component.purl.as_deref().and_then(|purl| PackageUrl::from_str(purl).ok());
    let Some(purl) = purl else {
        return component.name.trim().to_lowercase();
    };
    let namespace = purl.namespace().map(|namespace| format!("{namespace}/")).unwrap_or_default();
    format!("{}/{namespace}{}", purl.ty(), purl.name()).to_lowercase()
}

/// Name and version of a package that is only known by its package URL.
pub(crate) fn parts(purl: &str) -> Option<Component> {
    let parsed = PackageUrl::from_str(purl).ok()?;
    let name = match (parsed.ty(), parsed.namespace()) {
        ("maven", Some(group)) => format!("{group}:{}", parsed.name()),
        ("npm" | "composer" | "golang", Some(space)) => format!("{space}/{}", parsed.name()),
        _ => parsed.name().to_owned(),
    };
    Some(Component { name, version: parsed.version().map(str::to_owned), purl: Some(purl.to_owned()) })
}

impl Component {
    /// The name alone, without group, path and major version, in one spelling: by it tools mean the same package where they
    /// mean the same vulnerability.
    pub fn short_name(&self) -> String {
        let purl = self.purl.as_deref().and_then(|purl| PackageUrl::from_str(purl).ok());
        let name = match &purl {
            // The last part of a Go module may be its major version.
            Some(purl) if purl.ty() == "golang" => {
                [purl.namespace(), Some(purl.name())].into_iter().flatten().collect::<Vec<_>>().join("/")
            }
            Some(purl) => purl.name().to_owned(),
            None => self.name.trim().to_owned(),
        };
        let is_version =
            |part: &&str| part.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        let parts = || name.rsplit(['/', ':']).filter(|part| !part.is_empty());
        let short = parts().find(|part| !is_version(part)).or_else(|| parts().next()).unwrap_or(&name);
        short.to_lowercase().replace(['_', '.'], "-")
    }
}

/// Names of a vulnerability in a package: in the file that brings it in, and wherever it is in the asset.
pub(crate) fn keys(
    asset: Option<&str>,
    manifest: Option<&str>,
    vulnerability: &str,
    component: &Component,
    seen: &mut Occurrences,
) -> Vec<IdentityKey> {
    let package = bare(component);
    let nth = seen.of(("package", asset, manifest, vulnerability, &package));
    vec![identity::dependency_in(asset, manifest, vulnerability, &package, nth), identity::dependency(asset, vulnerability, &package)]
}

/// The repository of an image, without tag and digest.
pub(crate) fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// A path as it enters keys: one kind of separator, nothing that says "here".
pub(crate) fn path(text: &str) -> String {
    text.trim().replace('\\', "/").trim_start_matches("./").to_owned()
}

/// One line for a vulnerability in a package.
pub(crate) fn title(vulnerability: &str, component: &Component, summary: Option<&str>) -> String {
    let version = component.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let summary = summary.map(|summary| format!(": {summary}")).unwrap_or_default();
    format!("{vulnerability} in {}{version}{summary}", component.name)
}

/// What to do about it, where the tool names versions without it.
pub(crate) fn upgrade<'v>(name: &str, versions: impl IntoIterator<Item = &'v str>) -> Option<String> {
    let versions: Vec<&str> = versions.into_iter().map(str::trim).filter(|version| !version.is_empty()).take(100).collect();
    (!versions.is_empty()).then(|| format!("Upgrade {name} to {}.", versions.join(" or ")))
}

/// Other names of a vulnerability and the CVE ids among them.
pub(crate) fn names<'t>(ids: impl IntoIterator<Item = &'t str>) -> (Vec<String>, Vec<String>) {
    let (mut cves, mut aliases) = (Vec::new(), Vec::new());
    for id in ids.into_iter().map(str::trim).filter(|id| !id.is_empty() && id.len() <= 200) {
        match &crate::vocabulary::cves(id)[..] {
            [cve] if cve.len() == id.len() => cves.push(cve.clone()),
            _ => aliases.push(id.to_owned()),
        }
    }
    (cves, aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_one_name_whatever_its_version() {
        let given = component("", "libc6", Some("2.28"), Some("pkg:deb/debian/libc6@2.28?arch=amd64"));
        let built = component("Debian:10", "libc6", Some("2.31"), None);
        assert_eq!(built.purl.as_deref(), Some("pkg:deb/debian/libc6@2.31"));
        assert_eq!(bare(&given), bare(&built));
        assert_eq!(component("npm", "@angular/core", Some("1"), None).purl.as_deref(), Some("pkg:npm/%40angular/core@1"));
        assert_eq!(component("pom", "org.a:b", None, None).purl.as_deref(), Some("pkg:maven/org.a/b"));
        assert_eq!(component("brew", "x", Some("1"), Some("no purl")).purl, None);
    }

    #[test]
    fn tools_mean_the_same_package_by_its_short_name() {
        let by_name = |name: &str| Component { name: name.into(), ..Component::default() }.short_name();
        let by_purl = |purl: &str| Component { name: "x".into(), purl: Some(purl.into()), ..Component::default() }.short_name();
        assert_eq!(by_name("org.apache.logging.log4j:log4j-core"), by_purl("pkg:maven/org.apache.logging.log4j/log4j-core@2.14"));
        assert_eq!(by_name("github.com/acme/tool/v2"), by_purl("pkg:golang/github.com/acme/tool/v2@2.0.1"));
        assert_eq!((by_name("Zope.Interface").as_str(), by_name("zope_interface").as_str()), ("zope-interface", "zope-interface"));
        assert_eq!((by_name("@babel/core").as_str(), by_name("v8").as_str()), ("core", "v8"));
    }

    #[test]
    fn an_image_is_known_without_its_tag() {
        assert_eq!(repository("reg.example:5000/team/app:1.2@sha256:00"), "reg.example:5000/team/app");
        assert_eq!(repository("nginx"), "nginx");
        assert_eq!(repository("reg.example:5000/app"), "reg.example:5000/app");
    }
}

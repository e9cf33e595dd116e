//! What every page knows: who looks at it, in which language and light, and how to say things to them.

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::response::{IntoResponse, Response};
use base::{Actor, Error, Language, Permission, Time, UserId, fill};
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::{StatusCode, header};
use importers::Extent;
use results::{Finding, SeenEvidence, Sentence, Voice};

use crate::catalogue::Speech;
use crate::failure::Failure;
use crate::fields::Fields;
use crate::preferences::{self, Theme};
use crate::{Services, assets};

/// The frame around a page.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) language: Language,
    pub(crate) theme: Theme,
    pub(crate) path: String,
    pub(crate) query: Fields,
    pub(crate) csrf: String,
    pub(crate) actor: Option<Actor>,
    pub(crate) version: &'static str,
    pub(crate) now: Time,
}

/// One choice of a select or a group of checkboxes.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
}

impl Frame {
    pub(crate) fn of(parts: &Parts, services: &Services) -> Self {
        Self {
            language: preferences::language(&parts.headers),
            theme: preferences::theme(&parts.headers),
            path: parts.uri.path().to_owned(),
            query: Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            csrf: parts.extensions.get::<auth::Csrf>().map(|csrf| csrf.0.clone()).unwrap_or_default(),
            actor: parts.extensions.get::<Actor>().cloned(),
            version: services.version,
            now: services.clock.now(),
        }
    }

    /// Every language: its tag, its name in itself, and whether the page is in it.
    pub(crate) fn languages(&self) -> [(&'static str, &'static str, bool); 3] {
        Language::ALL.map(|language| (language.as_str(), language.name(), language == self.language))
    }

    /// A text.
    pub(crate) fn say<'k>(&self, key: &'k str) -> &'k str {
        self.language.say(key)
    }

    /// A text with one value in it.
    pub(crate) fn fill(&self, key: &str, name: &str, value: impl ToString) -> String {
        fill(self.say(key), &[(name, &value.to_string())])
    }

    /// A counted noun: `key.one` or `key.other`.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    pub(crate) fn count(&self, key: &str, number: &u64) -> String {
        let key = if *number == 1 { format!("{key}.one") } else { format!("{key}.other") };
        fill(self.say(&key), &[("count", &self.language.number(*number))])
    }

    /// A word of an enumeration: `kind.word`; a word without a text stands for itself.
    pub(crate) fn word(&self, kind: &str, word: impl ToString) -> String {
        let word = word.to_string();
        self.language.find(&format!("{kind}.{word}")).map_or(word, str::to_owned)
    }

    /// A sentence of an answer, in the language of the page.
    pub(crate) fn sentence(&self, sentence: &Sentence) -> String {
        let key = format!("sentence.{}", sentence.kind);
        fill(self.say(&key), &[("one", sentence.word(0)), ("two", sentence.word(1))])
    }

    /// The title of a finding, in the language of the page where it is in words of ours.
    pub(crate) fn title<'t>(&self, finding: &'t Finding) -> Cow<'t, str> {
        self.titled(&finding.voice(), &finding.title)
    }

    /// A title of somebody's words, the same way.
    pub(crate) fn titled<'t>(&self, voice: &Voice, title: &'t str) -> Cow<'t, str> {
        voice.title(title, self.language)
    }

    /// What a finding is, the same way.
    pub(crate) fn description<'t>(&self, finding: &'t Finding) -> Cow<'t, str> {
        finding.voice().description(&finding.description, self.language)
    }

    /// What to do about it, the same way.
    pub(crate) fn remedy<'t>(&self, voice: &Voice, remediation: &'t str) -> Cow<'t, str> {
        voice.remediation(remediation, self.language)
    }

    /// What a piece of its evidence is called, the same way.
    pub(crate) fn label<'t>(&self, voice: &Voice, piece: &'t SeenEvidence) -> Cow<'t, str> {
        voice.label(&piece.label, self.language)
    }

    /// What a word of an enumeration means: `kind.word_about`.
    pub(crate) fn about(&self, kind: &str, word: &str) -> &'static str {
        self.language.find(&format!("{kind}.{word}_about")).unwrap_or_default()
    }

    /// The name of a stage of a scan.
    pub(crate) fn stage<'t>(&self, name: &'t str) -> Cow<'t, str> {
        scans::stage_name(name, self.language)
    }

    /// How much of a place was looked at, where that is not all of it.
    pub(crate) fn extent(&self, extent: &Extent) -> String {
        match extent {
            Extent::Untold | Extent::Whole => String::new(),
            Extent::Itself => self.say("extent.itself").to_owned(),
            Extent::Ports(list) => self.fill("extent.ports", "ports", list.brief()),
            Extent::Closed(list) => self.fill("extent.closed", "ports", list.brief()),
        }
    }

    /// Why something was not looked at; a dash where nobody said.
    pub(crate) fn reason<'t>(&self, told: &'t Option<String>) -> Cow<'t, str> {
        told.as_ref().map_or(Cow::Borrowed("–"), |told| self.said(told))
    }

    /// What a scan said about itself, the same way.
    pub(crate) fn said<'t>(&self, told: &'t str) -> Cow<'t, str> {
        scans::reason(told, self.language)
    }

    /// A moment as plain text, for options.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    pub(crate) fn plain(&self, time: &Time) -> String {
        self.moment(&time.to_chrono())
    }

    /// The words of an enumeration as choices.
    pub(crate) fn choices(&self, kind: &str, words: &str) -> Vec<Choice> {
        words.split_whitespace().map(|word| Choice { value: word.to_owned(), label: self.word(kind, word) }).collect()
    }

    /// A whole number.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    pub(crate) fn number(&self, number: &u64) -> String {
        self.language.number(*number)
    }

    /// A moment as an HTML element, in the language's order, UTC.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    pub(crate) fn time(&self, time: &Time) -> Markup {
        let moment = time.to_chrono();
        let (exact, full) = (moment.format("%Y-%m-%dT%H:%M:%SZ"), moment.format("%Y-%m-%d %H:%M:%S UTC"));
        Markup(format!("<time datetime=\"{exact}\" title=\"{full}\">{}</time>", self.moment(&moment)))
    }

    /// The day of a moment as an HTML element.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    pub(crate) fn day(&self, time: &Time) -> Markup {
        let moment = time.to_chrono();
        let shown = match self.language {
            Language::English => moment.format("%-d %b %Y"),
            Language::Portuguese | Language::Spanish => moment.format("%d/%m/%Y"),
        };
        Markup(format!("<time datetime=\"{}\">{shown}</time>", moment.format("%Y-%m-%dT%H:%M:%SZ")))
    }

    /// A day such as `2026-01-31` in the language's order.
    pub(crate) fn date(&self, day: &str) -> String {
        let Ok(parsed) = day.parse::<chrono::NaiveDate>() else { return day.to_owned() };
        match self.language {
            Language::English => parsed.format("%-d %b %Y").to_string(),
            Language::Portuguese | Language::Spanish => parsed.format("%d/%m/%Y").to_string(),
        }
    }

    /// A number with some decimals, in the language's way.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    pub(crate) fn decimal(&self, number: &f64, decimals: usize) -> String {
        let text = format!("{number:.decimals$}");
        match self.language {
            Language::English => text,
            Language::Portuguese | Language::Spanish => text.replace('.', ","),
        }
    }

    /// The same for a moment that may be absent.
    pub(crate) fn maybe(&self, time: &Option<Time>) -> Markup {
        time.as_ref().map_or_else(|| Markup("–".to_owned()), |time| self.time(time))
    }

    fn moment(&self, moment: &DateTime<Utc>) -> String {
        match self.language {
            Language::English => moment.format("%-d %b %Y, %H:%M").to_string(),
            Language::Portuguese | Language::Spanish => moment.format("%d/%m/%Y %H:%M").to_string(),
        }
    }

    /// How long something took, from its ends; until now when it has not ended.
    pub(crate) fn duration(&self, from: &Option<Time>, to: &Option<Time>) -> String {
        let Some(from) = from else { return "–".to_owned() };
        let seconds = to.unwrap_or(self.now).since(*from).as_secs();
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, seconds) => format!("{seconds} s"),
            (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
            (hours, minutes, _) => format!("{hours} h {minutes} min"),
        }
    }

    /// Whether the viewer holds a permission, and it is good for something within their business units.
    pub(crate) fn may(&self, permission: &str) -> bool {
        let permission: Option<Permission> = permission.parse().ok();
        let held = self.actor.as_ref().is_some_and(|actor| permission.is_some_and(|permission| actor.permissions.contains(&permission)));
        held && (self.is_of_everything() || permission.is_some_and(Permission::is_about_targets))
    }

    /// Whether the viewer belongs to the whole organisation, not to business units of it.
    pub(crate) fn is_of_everything(&self) -> bool {
        self.actor.as_ref().is_some_and(|actor| actor.units.is_empty())
    }

    pub(crate) fn username(&self) -> &str {
        self.actor.as_ref().map_or("", |actor| actor.username.as_str())
    }

    /// Whether this is the viewer.
    pub(crate) fn is_viewer(&self, user: &Option<UserId>) -> bool {
        user.is_some() && self.actor.as_ref().is_some_and(|actor| actor.user == *user)
    }

    /// Where an asset lies.
    pub(crate) fn asset(&self, name: &str) -> &'static str {
        assets::path(name)
    }

    /// Marks the part of the site the viewer is in.
    pub(crate) fn here(&self, part: &str) -> bool {
        if part == "/" { self.path == "/" } else { self.path == part || self.path.starts_with(&format!("{part}/")) }
    }

    /// Whether the viewer is in any of these parts.
    pub(crate) fn among(&self, parts: &str) -> bool {
        parts.split_whitespace().any(|part| self.here(part))
    }

    /// What was just done, said once after a redirect.
    pub(crate) fn notice(&self) -> Option<&'static str> {
        self.language.find(&format!("done.{}", self.query.get("done")))
    }

    /// This very page with one preference changed.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let kept = self.query.query(&["language", "theme", "done"]);
        let separator = if kept.is_empty() { "" } else { "&" };
        // A path that begins like `//` or `/\\` would name another host.
        format!("/{}?{kept}{separator}{name}={value}", self.path.trim_start_matches(['/', '\\']))
    }

    /// The text of an error filled with what it tells of: `{fault}` is the text of its word, `{place}` where it is.
    fn told(&self, text: &str, error: &Error) -> String {
        let arguments: Vec<(&str, &str)> = error.arguments().iter().map(|(name, value)| (*name, value.as_str())).collect();
        let named = |names: &[&str]| arguments.iter().filter(|(name, _)| names.contains(name)).copied().collect::<Vec<_>>();
        let places: Vec<String> =
            named(&PLACES).into_iter().map(|(name, number)| self.fill(&format!("fault_place.{name}"), "number", number)).collect();
        let place = if places.is_empty() { String::new() } else { format!(" ({})", places.join(", ")) };
        let fault = named(&FAULTS).first().map(|(kind, word)| fill(&self.word(kind, word), &arguments)).unwrap_or_default();
        let made = [("fault", fault.as_str()), ("place", place.as_str()), ("file", self.say("imports.file"))];
        // What the error tells comes first: a file has a name of its own, if it has one.
        fill(text, &[arguments.as_slice(), made.as_slice()].concat())
    }

    /// An error in the viewer's language: by its code, else in the words of who made it.
    pub(crate) fn error(&self, error: &Error) -> String {
        let known = self.language.find(&format!("error.{}", error.code()));
        let is_english = self.language == Language::English;
        let mut text = match known {
            // Details are English; but where one begins with the name of a file, the catalogue leaves that name as it is.
            Some(text) if !is_english || error.detail().is_empty() || !error.arguments().is_empty() => self.told(text, error),
            _ => sentence(error.detail()),
        };
        if let Some(wait) = error.wait() {
            text.push(' ');
            text.push_str(&self.fill("failure.wait", "seconds", wait.as_secs().max(1)));
        }
        text
    }
}

/// Kinds of words among the arguments of an error that have a text of their own.
const FAULTS: [&str; 2] = ["parse_fault", "mapping_fault"];
/// Arguments that say where in a text something is wrong.
const PLACES: [&str; 3] = ["byte", "line", "record"];

/// Details are written to follow a colon and mark names as code does; on a page they stand alone and plain.
fn sentence(detail: &str) -> String {
    let mut letters = detail.chars().filter(|letter| *letter != '`');
    let mut text: String = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    text.extend(letters);
    if !text.ends_with(['.', '!', '?', '…']) {
        text.push('.');
    }
    text
}

/// A rendered page.
pub(crate) fn show(page: &impl Template) -> Result<Response, Failure> {
    show_as(StatusCode::OK, page)
}

/// A rendered page with a status of its own.
pub(crate) fn show_as(status: StatusCode, page: &impl Template) -> Result<Response, Failure> {
    let html = page.render().map_err(|cause| Error::internal("a page cannot be rendered").because(cause))?;
    Ok((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

/// Text that is already HTML.
pub(crate) struct Markup(pub(crate) String);

impl std::fmt::Display for Markup {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

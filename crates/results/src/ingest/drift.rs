//! The passes by place, for what was edited or moved: code near its old line, a page whose path or port changed, a package in
//! another manifest. Each finding is compared only within its bucket, and pairs are made only where both sides prefer each other.

use std::collections::BTreeMap;

use importers::{Location, identity};
use url::Url;

use super::matching::{Candidate, Incoming, Match, doubt};

/// Comparisons in one bucket; larger ones are left to exact names.
const MOST_COMPARISONS: usize = 40_000;
/// Lines between an edited piece of code and where it was.
const NEAR: u32 = 200;
/// The same without the code to compare.
const NEAREST: u32 = 10;
/// Share of words that an edited piece of code keeps.
const ALIKE: f64 = 0.6;
/// Share of parts that a changed path keeps.
const PATH_ALIKE: f64 = 0.7;
/// Two candidates closer than this cannot be told apart.
const CLOSE: f64 = 0.001;

/// How two places are compared once they share a bucket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Same rule, same file: the nearest, most similar code.
    Line,
    /// Same check, same site: the most similar path.
    Path,
    /// Same check, same path: another port or another host; one to one only.
    Site,
    /// Same vulnerability of the same package: another manifest; one to one only.
    Manifest,
}

const PASSES: [Pass; 4] = [Pass::Line, Pass::Path, Pass::Site, Pass::Manifest];

/// Runs every pass over what is still open; returns how many were too many to compare.
pub(super) fn passes(incoming: &[Incoming], known: &[Candidate], order: &[usize], matches: &mut [Match], taken: &mut [bool]) -> usize {
    let mut uncompared = 0;
    for pass in PASSES {
        let mut buckets: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (group, one) in incoming.iter().enumerate() {
            let is_open = !matches!(matches[group], Match::Same(_) | Match::Moved(_));
            if let Some(bucket) = kind(one).filter(|kind| is_open && *kind == pass.kind()).and_then(|_| pass.bucket(&one.check, &one.place))
            {
                buckets.entry(bucket).or_default().0.push(group);
            }
        }
        for index in order.iter().copied().filter(|index| !taken[*index] && known[*index].is_standing) {
            let candidate = &known[index];
            // Code and its file are shown to have been looked at by what was found there; other places have to be proven.
            if pass != Pass::Line && !candidate.is_retested {
                continue;
            }
            let bucket = pass.bucket(&candidate.check, &candidate.place);
            if let Some((_, candidates)) = bucket.and_then(|bucket| buckets.get_mut(&bucket)) {
                candidates.push(index);
            }
        }
        for (groups, candidates) in buckets.into_values().filter(|(_, candidates)| !candidates.is_empty()) {
            if groups.len() * candidates.len() > MOST_COMPARISONS {
                uncompared += groups.len();
                continue;
            }
            pair(pass, incoming, known, &groups, &candidates, matches, taken);
        }
    }
    uncompared
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Web,
    Package,
}

/// What sort of weakness it is, as its strongest name says.
fn kind(one: &Incoming) -> Option<Kind> {
    let scheme = one.keys.first()?.scheme.as_str();
    match scheme.split('.').next().unwrap_or_default() {
        "code" | "secret" => Some(Kind::Code),
        "web" => Some(Kind::Web),
        "dependency" => Some(Kind::Package),
        _ => None,
    }
}

impl Pass {
    const fn kind(self) -> Kind {
        match self {
            Self::Line => Kind::Code,
            Self::Path | Self::Site => Kind::Web,
            Self::Manifest => Kind::Package,
        }
    }

    const fn is_one_to_one(self) -> bool {
        matches!(self, Self::Site | Self::Manifest)
    }

    /// What both places must have in common; none when the pass does not concern the place.
    fn bucket(self, check: &str, place: &Location) -> Option<String> {
        let parts: Vec<String> = match self {
            Self::Line => vec![place.file.clone()?, place.line?.checked_sub(1).map(|_| String::new())?],
            Self::Path => vec![site(place)?, place.method.clone().unwrap_or_default(), place.parameter.clone().unwrap_or_default()],
            Self::Site => vec![path(place)?, place.method.clone().unwrap_or_default(), place.parameter.clone().unwrap_or_default()],
            Self::Manifest => vec![place.component.as_ref()?.name.to_lowercase()],
        };
        // Lengths keep two lists of parts from having one spelling.
        Some(std::iter::once(check).chain(parts.iter().map(String::as_str)).map(|part| format!("{}:{part}", part.len())).collect())
    }

    /// How alike two places of one bucket are, 0 to 1; none when they cannot be the same.
    fn likeness(self, one: &Location, other: &Location) -> Option<f64> {
        match self {
            Self::Line => {
                let distance = one.line?.abs_diff(other.line?);
                match (&one.snippet, &other.snippet) {
                    (Some(one), Some(other)) => {
                        let alike = words_alike(one, other);
                        (distance <= NEAR && alike >= ALIKE).then(|| alike - f64::from(distance) / f64::from(NEAR) / 4.0)
                    }
                    _ => (distance <= NEAREST).then(|| 1.0 - f64::from(distance) / f64::from(NEAREST + 1)),
                }
            }
            Self::Path => {
                let alike = paths_alike(&path(one)?, &path(other)?);
                (alike >= PATH_ALIKE).then_some(alike)
            }
            Self::Site | Self::Manifest => Some(1.0),
        }
    }
}

/// Makes pairs that prefer each other clearly; what prefers several is in doubt.
fn pair(
    pass: Pass,
    incoming: &[Incoming],
    known: &[Candidate],
    groups: &[usize],
    candidates: &[usize],
    matches: &mut [Match],
    taken: &mut [bool],
) {
    if pass.is_one_to_one() {
        match (groups, candidates) {
            ([group], [candidate]) => {
                matches[*group] = Match::Moved(*candidate);
                taken[*candidate] = true;
            }
            _ => doubt(matches, groups, candidates),
        }
        return;
    }
    let likeness: Vec<Vec<Option<f64>>> = groups
        .iter()
        .map(|group| candidates.iter().map(|candidate| pass.likeness(&incoming[*group].place, &known[*candidate].place)).collect())
        .collect();
    let by_candidate = |candidate: usize| groups.iter().enumerate().filter_map(|(row, _)| Some((row, likeness[row][candidate]?))).collect();
    for (row, group) in groups.iter().enumerate() {
        let wanted: Vec<(usize, f64)> = likeness[row].iter().enumerate().filter_map(|(column, alike)| Some((column, (*alike)?))).collect();
        match best(&wanted) {
            Best::None => {}
            Best::Several => {
                let several: Vec<usize> = wanted.iter().map(|(column, _)| candidates[*column]).collect();
                doubt(matches, &[*group], &several);
            }
            Best::One(column) => {
                let suitors: Vec<(usize, f64)> = by_candidate(column);
                match best(&suitors) {
                    Best::One(suitor) if suitor == row => {
                        matches[*group] = Match::Moved(candidates[column]);
                        taken[candidates[column]] = true;
                    }
                    Best::Several => doubt(matches, &[*group], &[candidates[column]]),
                    _ => {}
                }
            }
        }
    }
}

enum Best {
    None,
    One(usize),
    Several,
}

fn best(choices: &[(usize, f64)]) -> Best {
    let Some(top) = choices.iter().map(|(_, alike)| *alike).max_by(f64::total_cmp) else { return Best::None };
    let mut close = choices.iter().filter(|(_, alike)| top - alike < CLOSE);
    match (close.next(), close.next()) {
        (Some((index, _)), None) => Best::One(*index),
        _ => Best::Several,
    }
}

fn site(place: &Location) -> Option<String> {
    Some(identity::asset(Url::parse(place.url.as_deref()?).ok()?.origin().ascii_serialization().as_str()))
}

fn path(place: &Location) -> Option<String> {
    Some(identity::path_template(Url::parse(place.url.as_deref()?).ok()?.path()))
}

/// Share of path parts two paths have in common, in order.
fn paths_alike(one: &str, other: &str) -> f64 {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_lowercase).collect::<Vec<_>>();
    common(&parts(one), &parts(other))
}

/// Share of words two pieces of code have in common, in order.
fn words_alike(one: &str, other: &str) -> f64 {
    let words = |text: &str| {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        text.split(|letter: char| !is_word(letter)).filter(|word| !word.is_empty()).take(200).map(str::to_owned).collect::<Vec<_>>()
    };
    common(&words(one), &words(other))
}

/// Length of the longest common subsequence over the mean length.
fn common(one: &[String], other: &[String]) -> f64 {
    if one.is_empty() || other.is_empty() {
        return if one.len() == other.len() { 1.0 } else { 0.0 };
    }
    let mut before = vec![0_u32; other.len() + 1];
    for word in one {
        let mut now = vec![0_u32; other.len() + 1];
        for (index, candidate) in other.iter().enumerate() {
            now[index + 1] = if word == candidate { before[index] + 1 } else { now[index].max(before[index + 1]) };
        }
        before = now;
    }
    2.0 * f64::from(before[other.len()]) / (one.len() + other.len()) as f64
}

#[cfg(test)]
mod tests {
    use base::Time;
    use proptest::prelude::*;

    use super::super::matching::{Key, assign};
    use super::*;
    use crate::model::FindingId;

    fn code(line: u32, snippet: Option<&str>) -> Location {
        Location { file: Some("a.c".into()), line: Some(line), snippet: snippet.map(str::to_owned), ..Location::default() }
    }

    fn page(url: &str) -> Location {
        Location { url: Some(url.into()), ..Location::default() }
    }

    fn incoming(scheme: &str, name: &str, place: Location) -> Incoming {
        Incoming { keys: vec![Key { scheme: scheme.into(), version: 1, digest: name.into() }], check: "rule".into(), place }
    }

    fn known(number: u128, place: Location) -> Candidate {
        Candidate {
            id: FindingId::from_uuid(uuid::Uuid::from_u128(number)),
            first_seen: Time::from_seconds(number as i64),
            digests: Vec::new(),
            check: "rule".into(),
            place,
            is_retested: true,
            is_standing: true,
        }
    }

    #[test]
    fn edited_code_near_its_old_line_is_the_same_and_other_code_is_not() {
        let old = [known(1, code(10, Some("strcpy(buffer, input)"))), known(2, code(50, Some("gets(line)")))];
        let edited = [incoming("code", "n", code(14, Some("strcpy(buffer, input, 3)")))];
        assert_eq!(assign(&edited, &old).matches, [Match::Moved(0)]);
        let other = [incoming("code", "n", code(12, Some("free(pointer)")))];
        assert_eq!(assign(&other, &old).matches, [Match::New]);
        let far = [incoming("code", "n", code(900, Some("gets(line)")))];
        assert_eq!(assign(&far, &old).matches, [Match::New]);
    }

    #[test]
    fn a_changed_path_is_followed_only_when_one_fits_best() {
        let old = [known(1, page("https://x.example/api/v1/users/search"))];
        let moved = [incoming("web", "n", page("https://x.example/api/v2/users/search"))];
        assert_eq!(assign(&moved, &old).matches, [Match::Moved(0)]);
        let two = [known(1, page("https://x.example/api/v1/users/search")), known(2, page("https://x.example/api/v3/users/search"))];
        assert_eq!(assign(&moved, &two).matches, [Match::Ambiguous(vec![0, 1])]);
        let elsewhere = [incoming("web", "n", page("https://x.example/contact"))];
        assert_eq!(assign(&elsewhere, &old).matches, [Match::New]);
        let unproven = [Candidate { is_retested: false, ..known(1, page("https://x.example/api/v1/users/search")) }];
        assert_eq!(assign(&moved, &unproven).matches, [Match::New]);
        let port = [incoming("web", "n", page("https://x.example:8443/api/v1/users/search"))];
        assert_eq!(assign(&port, &old).matches, [Match::Moved(0)]);
    }

    #[test]
    fn too_many_to_compare_are_left_to_exact_names() {
        let old: Vec<Candidate> = (0..300).map(|number| known(number, code(number as u32 * 3 + 1, None))).collect();
        let new: Vec<Incoming> = (0..200).map(|number| incoming("code", &number.to_string(), code(number * 3 + 2, None))).collect();
        let assignment = assign(&new, &old);
        assert_eq!(assignment.uncompared, 200);
        assert!(assignment.matches.iter().all(|one| *one == Match::New));
    }

    proptest! {
        #[test]
        fn the_order_of_either_side_does_not_matter(
            lines in prop::collection::btree_set(1_u32..60, 1..8),
            olds in prop::collection::btree_set(1_u32..60, 1..8),
            by in any::<prop::sample::Index>(),
        ) {
            let new: Vec<Incoming> = lines.iter().map(|line| incoming("code", &line.to_string(), code(*line, None))).collect();
            let old: Vec<Candidate> = olds.iter().map(|line| known(u128::from(*line), code(*line, None))).collect();
            let told = |new: &[Incoming], old: &[Candidate]| {
                let line = |index: usize| old[index].place.line;
                let mut told: Vec<(Option<u32>, Option<Option<u32>>)> = assign(new, old).matches.into_iter().enumerate().map(|(row, one)| (new[row].place.line, match one {
                    Match::Moved(index) | Match::Same(index) => Some(line(index)),
                    Match::New | Match::Ambiguous(_) => None,
                })).collect();
                told.sort();
                told
            };
            let expected = told(&new, &old);
            let (mut turned, mut others) = (new.clone(), old.clone());
            let middle = by.index(turned.len());
            turned.rotate_left(middle);
            others.reverse();
            prop_assert_eq!(told(&turned, &others), expected);
        }
    }
}

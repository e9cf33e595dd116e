//! Which known finding an incoming one is: names first, strongest first, then by place, in an order that does not depend
//! on the file's. What could be several fails closed: a new finding, and a person is asked.

use std::collections::{BTreeMap, HashMap};

use base::Time;
use importers::Location;
use serde::{Deserialize, Serialize};

use super::drift;
use crate::model::FindingId;

/// A key as far as matching needs it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) scheme: String,
    pub(crate) version: u16,
    pub(crate) digest: String,
}

impl Key {
    /// Weak keys survive a move and so may belong to several things.
    pub(crate) fn is_weak(&self) -> bool {
        self.scheme.ends_with(".moved")
    }
}

/// An incoming finding whose strongest name nobody knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incoming {
    pub(crate) keys: Vec<Key>,
    pub(crate) check: String,
    pub(crate) place: Location,
}

/// A known finding that this run has not shown under its strongest name.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) id: FindingId,
    pub(crate) first_seen: Time,
    /// Its names that also came in.
    pub(crate) digests: Vec<String>,
    pub(crate) check: String,
    pub(crate) place: Location,
    /// Whether its own place was looked at again: only then may it have moved away.
    pub(crate) is_retested: bool,
    /// Whether it is believed to be there; what was fixed did not move.
    pub(crate) is_standing: bool,
}

/// What an incoming finding turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
    /// The known finding at this index.
    Same(usize),
    /// The known finding at this index, at another place.
    Moved(usize),
    /// Unknown so far.
    New,
    /// One of these could be meant, and nothing says which.
    Ambiguous(Vec<usize>),
}

impl Match {
    fn is_settled(&self) -> bool {
        matches!(self, Self::Same(_) | Self::Moved(_))
    }
}

/// What matching came to.
pub(crate) struct Assignment {
    pub(crate) matches: Vec<Match>,
    /// Incoming findings that were too many to be compared by place.
    pub(crate) uncompared: usize,
}

/// Assigns every incoming finding to a known one or to none; each known one at most once.
pub(crate) fn assign(incoming: &[Incoming], known: &[Candidate]) -> Assignment {
    let mut order: Vec<usize> = (0..known.len()).collect();
    order.sort_by_key(|index| (known[*index].first_seen, known[*index].id));
    let mut by_digest: HashMap<&str, Vec<usize>> = HashMap::new();
    for index in &order {
        for digest in &known[*index].digests {
            by_digest.entry(digest).or_default().push(*index);
        }
    }
    let mut matches = vec![Match::New; incoming.len()];
    let mut taken = vec![false; known.len()];
    let strong = incoming.iter().map(|one| one.keys.iter().take_while(|key| !key.is_weak()).count()).max().unwrap_or(0);
    for position in 0..strong {
        let wanting = wanting(incoming, &matches, |keys| keys.get(position).filter(|key| !key.is_weak()).into_iter());
        for (digest, groups) in wanting {
            let free = free(&by_digest, digest, &taken, |_| true);
            match (position, groups.as_slice(), free.as_slice()) {
                (_, _, []) => {}
                // The oldest of several: the others are what an earlier ambiguity left behind.
                (0, [group], [oldest, ..]) | (_, [group], [oldest]) => {
                    matches[*group] = Match::Same(*oldest);
                    taken[*oldest] = true;
                }
                (_, groups, free) => doubt(&mut matches, groups, free),
            }
        }
    }
    let wanting = wanting(incoming, &matches, |keys| keys.iter().filter(|key| key.is_weak()));
    for (digest, groups) in wanting {
        let free = free(&by_digest, digest, &taken, |index| known[index].is_retested && known[index].is_standing);
        match (groups.as_slice(), free.as_slice()) {
            (_, []) => {}
            ([group], [only]) if !matches[*group].is_settled() => {
                matches[*group] = Match::Moved(*only);
                taken[*only] = true;
            }
            (groups, free) => doubt(&mut matches, groups, free),
        }
    }
    let uncompared = drift::passes(incoming, known, &order, &mut matches, &mut taken);
    for one in &mut matches {
        // Whoever was found to be somebody else since is no candidate any more.
        if let Match::Ambiguous(candidates) = one {
            candidates.retain(|index| !taken[*index]);
            if candidates.is_empty() {
                *one = Match::New;
            }
        }
    }
    Assignment { matches, uncompared }
}

/// Notes that these incoming ones could each be any of those known ones.
pub(super) fn doubt(matches: &mut [Match], groups: &[usize], candidates: &[usize]) {
    for group in groups {
        match &mut matches[*group] {
            Match::Same(_) | Match::Moved(_) => {}
            Match::Ambiguous(before) => {
                before.extend(candidates.iter().filter(|index| !before.contains(index)).copied().collect::<Vec<_>>());
                before.sort_unstable();
            }
            new @ Match::New => *new = Match::Ambiguous(candidates.to_vec()),
        }
    }
}

/// Unmatched incoming findings by the digest they look for, in the order of the digests.
fn wanting<'k, I: Iterator<Item = &'k Key>>(
    incoming: &'k [Incoming],
    matches: &[Match],
    keys: impl Fn(&'k [Key]) -> I,
) -> BTreeMap<&'k str, Vec<usize>> {
    let mut wanting: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (group, one) in incoming.iter().enumerate().filter(|(group, _)| !matches[*group].is_settled()) {
        for key in keys(&one.keys) {
            wanting.entry(&key.digest).or_default().push(group);
        }
    }
    wanting
}

fn free(by_digest: &HashMap<&str, Vec<usize>>, digest: &str, taken: &[bool], may: impl Fn(usize) -> bool) -> Vec<usize> {
    by_digest.get(digest).into_iter().flatten().copied().filter(|index| !taken[*index] && may(*index)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Key {
        let scheme = if text.starts_with('~') { "network.moved" } else { "network" };
        Key { scheme: scheme.into(), version: 1, digest: text.into() }
    }

    fn incoming(words: &str) -> Incoming {
        Incoming { keys: words.split(' ').map(key).collect(), ..Incoming::default() }
    }

    fn known(number: u128, digests: &str, is_retested: bool) -> Candidate {
        Candidate {
            id: FindingId::from_uuid(uuid::Uuid::from_u128(number)),
            first_seen: Time::from_seconds(number as i64),
            digests: digests.split(' ').map(str::to_owned).collect(),
            check: String::new(),
            place: Location::default(),
            is_retested,
            is_standing: true,
        }
    }

    fn run(words: &[&str], known: &[Candidate]) -> Vec<Match> {
        assign(&words.iter().map(|words| incoming(words)).collect::<Vec<_>>(), known).matches
    }

    #[test]
    fn exact_keys_win_over_weaker_ones() {
        let known = [known(1, "a ~m", true), known(2, "b ~m", true)];
        assert_eq!(run(&["b ~m", "c ~m"], &known), [Match::Same(1), Match::Moved(0)]);
        assert_eq!(run(&["x y"], &[super::tests::known(1, "y", false)]), [Match::Same(0)]);
    }

    #[test]
    fn a_move_needs_exactly_one_on_each_side_and_a_retested_old_place() {
        let one = [known(1, "a ~m", true)];
        assert_eq!(run(&["b ~m"], &one), [Match::Moved(0)]);
        assert_eq!(run(&["b ~m", "c ~m"], &one), [Match::Ambiguous(vec![0]), Match::Ambiguous(vec![0])]);
        assert_eq!(run(&["b ~m"], &[known(1, "a ~m", true), known(2, "c ~m", true)]), [Match::Ambiguous(vec![0, 1])]);
        assert_eq!(run(&["b ~m"], &[known(1, "a ~m", false)]), [Match::New]);
    }

    #[test]
    fn the_oldest_of_equal_findings_is_the_one() {
        assert_eq!(run(&["a"], &[known(2, "a", true), known(1, "a", true)]), [Match::Same(1)]);
    }

    proptest! {
        #[test]
        fn the_outcome_does_not_depend_on_any_order(
            sets in prop::collection::btree_set("[a-e]( [a-e]){0,1}( ~[m-o])?", 1..8),
            olds in prop::collection::vec(("[a-e]( ~[m-o])?", any::<bool>()), 0..8),
            seed in any::<prop::sample::Index>(),
        ) {
            // A batch holds each primary key once.
            let mut incoming: Vec<String> = Vec::new();
            for set in sets {
                if !incoming.iter().any(|other| other.split(' ').next() == set.split(' ').next()) {
                    incoming.push(set);
                }
            }
            let known: Vec<Candidate> = olds.iter().enumerate().map(|(number, (digests, retested))| known(number as u128, digests, *retested)).collect();
            let named = |incoming: &[String], known: &[Candidate]| {
                let matches = run(&incoming.iter().map(String::as_str).collect::<Vec<_>>(), known);
                let mut named: Vec<(String, String)> = incoming.iter().cloned().zip(matches.into_iter().map(|outcome| match outcome {
                    Match::Same(index) => format!("same {}", known[index].id),
                    Match::Moved(index) => format!("moved {}", known[index].id),
                    Match::New => "new".into(),
                    Match::Ambiguous(_) => "ambiguous".into(),
                })).collect();
                named.sort();
                named
            };
            let expected = named(&incoming, &known);
            let (mut turned, mut others) = (incoming.clone(), known.clone());
            let by = seed.index(turned.len());
            turned.rotate_left(by);
            others.reverse();
            prop_assert_eq!(named(&turned, &others), expected.clone());
            let mut used: Vec<&String> = expected.iter().map(|(_, outcome)| outcome).filter(|outcome| outcome.contains(' ')).collect();
            let before = used.len();
            used.sort();
            used.dedup();
            prop_assert_eq!(used.len(), before, "each known finding at most once");
        }
    }
}

//! The blast radius: how many devices may be locked without a person. A bad rule, feed or update makes every device look guilty at once;
//! then locking stops by itself, and stays stopped until a person looked.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

/// Window that locks are counted in, microseconds.
const WINDOW: i64 = 600_000_000;
/// Locks that are always allowed in a window.
const FEW: f64 = 20.0;
/// Share of the active devices that may be locked in a window.
const SHARE: f64 = 0.002;
/// How many times the usual number of locks may be laid.
const TIMES: f64 = 10.0;
/// Locks before a common trait is looked for, and the share that must not be exceeded.
const TRAITS_FROM: usize = 10;
const COMMON: f64 = 0.5;

/// What locked devices may have in common: application version, system version, library version, rule, feed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Trait {
    /// What kind of trait: `app_version`, `rule`, …
    pub kind: &'static str,
    /// Its value.
    pub value: String,
}

/// Why locking stopped.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Halt {
    /// More locks than the few that are always allowed, and than the share of active devices.
    TooMany {
        /// Locks in the last ten minutes, this one included.
        locks: usize,
        /// How many were allowed.
        allowed: usize,
    },
    /// Far more than usual.
    Unusual {
        /// Locks in the last ten minutes, this one included.
        locks: usize,
        /// What is usual in ten minutes.
        usual: f64,
    },
    /// Most locked devices share one trait.
    Shared {
        /// The trait.
        common: Trait,
        /// Locks in the last ten minutes, this one included.
        locks: usize,
    },
}

/// Counts locks and stops them.
#[derive(Debug, Default)]
pub struct BlastRadius {
    locks: VecDeque<(i64, Vec<Trait>)>,
    counts: HashMap<Trait, usize>,
    halt: Option<Halt>,
}

impl BlastRadius {
    /// Asks for one lock at `now` (microseconds) of a device with these traits. `active` devices are there, and `usual` locks
    /// were laid in ten minutes over the last week. `Err` tells why not; it stays so until [`BlastRadius::resume`].
    pub fn admit(&mut self, now: i64, traits: Vec<Trait>, active: u64, usual: f64) -> Result<(), Halt> {
        while self.locks.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW) {
            for gone in self.locks.pop_front().map(|(_, traits)| traits).unwrap_or_default() {
                if let Some(count) = self.counts.get_mut(&gone) {
                    *count -= 1;
                    if *count == 0 {
                        self.counts.remove(&gone);
                    }
                }
            }
        }
        if let Some(halt) = &self.halt {
            return Err(halt.clone());
        }
        let locks = self.locks.len() + 1;
        let allowed = FEW.max(active as f64 * SHARE);
        let common = traits.iter().find(|one| (self.counts.get(*one).copied().unwrap_or(0) + 1) as f64 > locks as f64 * COMMON);
        let halt = if locks as f64 > allowed {
            Some(Halt::TooMany { locks, allowed: allowed as usize })
        } else if usual > 0.0 && locks as f64 > (TIMES * usual).max(FEW / 2.0) {
            Some(Halt::Unusual { locks, usual })
        } else if locks > TRAITS_FROM {
            common.map(|common| Halt::Shared { common: common.clone(), locks })
        } else {
            None
        };
        if let Some(halt) = halt {
            self.halt = Some(halt.clone());
            return Err(halt);
        }
        for one in &traits {
            *self.counts.entry(one.clone()).or_default() += 1;
        }
        self.locks.push_back((now, traits));
        Ok(())
    }

    /// Why locking is stopped, when it is.
    pub fn halt(&self) -> Option<&Halt> {
        self.halt.as_ref()
    }

    /// A person looked: counting begins anew.
    pub fn resume(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(rule: &str) -> Vec<Trait> {
        vec![Trait { kind: "rule", value: rule.to_owned() }]
    }

    fn admitted(radius: &mut BlastRadius, asked: u32, step: i64, active: u64, usual: f64, rule: impl Fn(u32) -> String) -> usize {
        (0..asked).filter(|index| radius.admit(i64::from(*index) * step, traits(&rule(*index)), active, usual).is_ok()).count()
    }

    #[test]
    fn a_rule_that_hits_five_percent_of_the_fleet_locks_at_most_the_cap() {
        let many = |index: u32| index.to_string();
        assert_eq!(admitted(&mut BlastRadius::default(), 5_000, 1_000, 100_000, 0.0, many), 200);
        assert_eq!(admitted(&mut BlastRadius::default(), 50, 1_000, 1_000, 0.0, many), 20);
        assert_eq!(admitted(&mut BlastRadius::default(), 5_000, 1_000, 100_000, 2.0, many), 20);
        assert_eq!(admitted(&mut BlastRadius::default(), 5_000, 1_000, 100_000, 0.0, |_| "one".to_owned()), 10);
    }

    #[test]
    fn slow_unrelated_locks_pass_and_a_halt_ends_only_by_a_person() {
        let mut radius = BlastRadius::default();
        assert_eq!(admitted(&mut radius, 500, 60_000_000, 1_000, 0.0, |index| index.to_string()), 500);
        let mut radius = BlastRadius::default();
        admitted(&mut radius, 50, 1_000, 1_000, 0.0, |index| index.to_string());
        assert!(radius.admit(i64::MAX / 2, traits("x"), 1_000, 0.0).is_err() && radius.halt().is_some());
        radius.resume();
        assert!(radius.admit(0, traits("x"), 1_000, 0.0).is_ok());
    }
}

//! The scoring of CVSS v4.0 (section 8): the score of the macrovector, less the mean share of the
//! way to the next lower one that the vector has gone in each equivalence set. Exact fractions.

use super::definition::Group;
use super::v4_table::lookup;
use super::{Score, Vector};

// Places in `definition::V4`.
const AV: usize = 0;
const AC: usize = 1;
const AT: usize = 2;
const PR: usize = 3;
const UI: usize = 4;
const VC: usize = 5;
const SC: usize = 8;
const SI: usize = 9;
const SA: usize = 10;
const E: usize = 11;
const CR: usize = 12;
/// The modified metric of a base metric stands this much further on.
const MODIFIED: usize = 15;

/// Depth of the equivalence sets (section 8.2, tables 24 to 29): steps from the highest vector of a set to its lowest, plus one.
const DEPTH_1: [i64; 3] = [1, 4, 5];
const DEPTH_2: [i64; 2] = [1, 2];
const DEPTH_3_AND_6: [[i64; 2]; 3] = [[7, 6], [8, 8], [10, 10]];
const DEPTH_4: [i64; 3] = [6, 5, 4];
/// A multiple of every depth.
const COMMON: i64 = 840;

/// Highest severity vectors of each level, as steps below the gravest value: AV, PR, UI.
const HIGHEST_1: [&[[i64; 3]]; 3] = [&[[0, 0, 0]], &[[1, 0, 0], [0, 1, 0], [0, 0, 1]], &[[3, 0, 0], [1, 1, 1]]];
/// AC, AT.
const HIGHEST_2: [&[[i64; 2]]; 2] = [&[[0, 0]], &[[1, 0], [0, 1]]];
/// VC, VI, VA, CR, IR, AR; by level of set 3, then of set 6.
const HIGHEST_3_AND_6: [[&[[i64; 6]]; 2]; 3] = [
    [&[[0, 0, 0, 0, 0, 0]], &[[0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]]],
    [
        &[[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]],
        &[[1, 0, 1, 0, 1, 0], [1, 0, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1], [0, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 1]],
    ],
    [&[], &[[1, 1, 1, 0, 0, 0]]],
];
/// SC, SI, SA; zero is the value S, which SC does not have.
const HIGHEST_4: [&[[i64; 3]]; 3] = [&[[1, 0, 0]], &[[1, 1, 1]], &[[2, 2, 2]]];

/// Score of what these groups say, in the sense of section 1.3 (CVSS-B, CVSS-BT, CVSS-BE, CVSS-BTE).
pub(super) fn score(vector: &Vector, groups: &[Group]) -> Score {
    let steps = Steps::of(vector, groups.contains(&Group::Temporal), groups.contains(&Group::Environmental));
    if steps.harmless() {
        return Score::from_tenths(0);
    }
    let levels = steps.levels();
    let Some(top) = lookup(levels) else {
        return Score::from_tenths(0);
    };
    let [one, two, three, four, _, six] = levels;
    let ways = [
        (next(levels, &[0]), below(HIGHEST_1.get(one), &[steps.av, steps.pr, steps.ui]), depth(&DEPTH_1, one)),
        (next(levels, &[1]), below(HIGHEST_2.get(two), &[steps.ac, steps.at]), depth(&DEPTH_2, two)),
        (
            next(
                levels,
                if (three, six) == (1, 0) {
                    &[5]
                } else if (three, six) == (0, 0) {
                    &[2, 5]
                } else {
                    &[2]
                },
            ),
            below(HIGHEST_3_AND_6.get(three).and_then(|sets| sets.get(six)), &steps.impact_and_requirement()),
            DEPTH_3_AND_6.get(three).map_or(1, |depths| depth(depths, six)),
        ),
        (next(levels, &[3]), below(HIGHEST_4.get(four), &[steps.sc, steps.si, steps.sa]), depth(&DEPTH_4, four)),
        // Set 5 has one metric: its vectors have no way to go inside a level.
        (next(levels, &[4]), 0, 1),
    ];
    let mut sets = 0;
    let mut way = 0;
    for (lower, gone, depth) in ways {
        let Some(lower) = lower else { continue };
        sets += 1;
        way += (top - lower) * gone * COMMON / depth;
    }
    let unit = COMMON * sets.max(1);
    // Half up, as the reference calculator rounds.
    Score::from_tenths((2 * (top * unit - way) + unit).div_euclid(2 * unit))
}

/// Score of the next lower macrovector along any of these sets, the higher one when there are two.
fn next(levels: [usize; 6], along: &[usize]) -> Option<i64> {
    along
        .iter()
        .filter_map(|set| {
            let mut lower = levels;
            *lower.get_mut(*set)? += 1;
            lookup(lower)
        })
        .max()
}

/// Steps from the first highest vector that is nowhere below this one.
fn below<const N: usize>(highest: Option<&&[[i64; N]]>, own: &[i64; N]) -> i64 {
    let distance = |from: &[i64; N]| own.iter().zip(from).map(|(own, from)| own - from).sum();
    let covers = |from: &&[i64; N]| own.iter().zip(*from).all(|(own, from)| own >= from);
    highest.and_then(|list| list.iter().find(covers).or(list.last())).map_or(0, distance)
}

fn depth(depths: &[i64], level: usize) -> i64 {
    depths.get(level).copied().unwrap_or(1)
}

/// The effective metrics, as steps below the gravest value of each.
struct Steps {
    av: i64,
    ac: i64,
    at: i64,
    pr: i64,
    ui: i64,
    /// VC, VI, VA: H, L, N.
    vulnerable: [i64; 3],
    /// H, L, N from one on, S is zero.
    sc: i64,
    si: i64,
    sa: i64,
    exploit: i64,
    /// CR, IR, AR: H, M, L.
    requirement: [i64; 3],
}

impl Steps {
    fn of(vector: &Vector, with_threat: bool, with_environment: bool) -> Self {
        let steps = |value: usize| i64::try_from(value).unwrap_or(0);
        let modified = |place: usize| if with_environment { vector.value(place + MODIFIED) } else { 0 };
        let base = |place: usize| match modified(place) {
            0 => steps(vector.value(place)),
            value => steps(value - 1),
        };
        // MSI and MSA have the value S before H, so their positions fit already.
        let subsequent = |place: usize| match modified(place) {
            0 => steps(vector.value(place)) + 1,
            value => steps(value - 1),
        };
        // Not defined counts as the gravest value (section 3 and 4.1).
        let optional = |place: usize, counts: bool| if counts { steps(vector.value(place).saturating_sub(1)) } else { 0 };
        Self {
            av: base(AV),
            ac: base(AC),
            at: base(AT),
            pr: base(PR),
            ui: base(UI),
            vulnerable: [base(VC), base(VC + 1), base(VC + 2)],
            sc: base(SC) + 1,
            si: subsequent(SI),
            sa: subsequent(SA),
            exploit: optional(E, with_threat),
            requirement: [optional(CR, with_environment), optional(CR + 1, with_environment), optional(CR + 2, with_environment)],
        }
    }

    fn impact_and_requirement(&self) -> [i64; 6] {
        let [vc, vi, va] = self.vulnerable;
        let [cr, ir, ar] = self.requirement;
        [vc, vi, va, cr, ir, ar]
    }

    fn harmless(&self) -> bool {
        self.vulnerable == [2; 3] && [self.sc, self.si, self.sa] == [3; 3]
    }

    /// Levels of the equivalence sets 1 to 6 (section 8.2).
    fn levels(&self) -> [usize; 6] {
        let gravest = [self.av, self.pr, self.ui].iter().filter(|steps| **steps == 0).count();
        let one = match gravest {
            3 => 0,
            1 | 2 if self.av != 3 => 1,
            _ => 2,
        };
        let two = usize::from(self.ac + self.at != 0);
        let [vc, vi, va] = self.vulnerable;
        let three = if vc == 0 && vi == 0 {
            0
        } else if vc == 0 || vi == 0 || va == 0 {
            1
        } else {
            2
        };
        let four = [self.sc, self.si, self.sa].into_iter().min().map_or(2, |least| usize::try_from(least).unwrap_or(2).min(2));
        let five = usize::try_from(self.exploit).unwrap_or(2);
        let six = usize::from(!self.vulnerable.iter().zip(self.requirement).any(|(impact, requirement)| *impact == 0 && requirement == 0));
        [one, two, three, four, five, six]
    }
}

//! Another person in the owner's place: scores of all pairs, and how well they separate.

use serde::Serialize;

use super::dice::Dice;
use super::figures::{Separation, mean, separation, worst_tenth};
use crate::Context;

/// Another person.
#[derive(Clone, Debug, Serialize)]
pub struct UserSwap {
    /// Pairs of owner and impostor.
    pub pairs: usize,
    /// One window, mean over pairs with a threshold for each.
    pub per_window: Separation,
    /// The same in the worst tenth of the subjects.
    pub per_window_worst_tenth: Separation,
    /// One window, one threshold for all pairs.
    pub per_window_pooled: Separation,
    /// One window by what the phone was doing, one threshold for all pairs.
    pub per_window_by_context: Vec<(Context, Separation)>,
    /// One window by recorded activity, one threshold for all pairs.
    pub per_window_by_activity: Vec<(String, Separation)>,
    /// Seconds that were accumulated.
    pub seconds: f64,
    /// Accumulated, mean over pairs.
    pub accumulated: Separation,
    /// The same in the worst tenth of the subjects.
    pub accumulated_worst_tenth: Separation,
    /// Accumulated, one threshold for all pairs.
    pub accumulated_pooled: Separation,
}

/// A window of a test session.
#[derive(Clone, Copy)]
pub(crate) struct Scored {
    pub(crate) score: f64,
    pub(crate) context: Context,
    pub(crate) activity: u16,
}

/// Scores of all pairs.
pub(crate) struct Swap {
    pairs: Vec<Vec<[Option<Separation>; 2]>>,
    /// Owners' and impostors' windows, and accumulated draws.
    windows: [Vec<Scored>; 2],
    draws: [Vec<f64>; 2],
}

impl Swap {
    pub(crate) fn new(subjects: usize) -> Self {
        Self { pairs: vec![Vec::new(); subjects], windows: [Vec::new(), Vec::new()], draws: [Vec::new(), Vec::new()] }
    }

    pub(crate) fn add(
        &mut self,
        owner: usize,
        genuine: &[Vec<Scored>],
        strange: &[Vec<Scored>],
        draws: u32,
        windows: usize,
        dice: &mut Dice,
    ) {
        let scores = |sessions: &[Vec<Scored>]| sessions.iter().flatten().map(|window| window.score).collect::<Vec<f64>>();
        let per_window = separation(&scores(genuine), &scores(strange));
        let [own, others] = [genuine, strange].map(|sessions| accumulate(sessions, draws, windows, dice));
        self.pairs[owner].push([per_window, separation(&own, &others)]);
        for (place, sessions) in [genuine, strange].into_iter().enumerate() {
            self.windows[place].extend(sessions.iter().flatten().copied());
        }
        self.draws[0].extend(own);
        self.draws[1].extend(others);
    }

    pub(crate) fn subject(&self, owner: usize, accumulated: bool) -> Option<Separation> {
        let found: Vec<Separation> = self.pairs[owner].iter().filter_map(|pair| pair[usize::from(accumulated)]).collect();
        let average = |part: fn(&Separation) -> f64| mean(&found.iter().map(part).collect::<Vec<f64>>());
        (!found.is_empty()).then(|| Separation { auc: average(|one| one.auc), eer: average(|one| one.eer) })
    }

    pub(crate) fn report(&self, seconds: f64, activities: &[String]) -> Option<UserSwap> {
        let over =
            |accumulated: bool| -> Vec<Separation> { (0..self.pairs.len()).filter_map(|owner| self.subject(owner, accumulated)).collect() };
        let average = |found: &[Separation]| Separation {
            auc: mean(&found.iter().map(|one| one.auc).collect::<Vec<f64>>()),
            eer: mean(&found.iter().map(|one| one.eer).collect::<Vec<f64>>()),
        };
        let worst = |found: &[Separation]| Separation {
            auc: worst_tenth(&found.iter().map(|one| one.auc).collect::<Vec<f64>>(), true),
            eer: worst_tenth(&found.iter().map(|one| one.eer).collect::<Vec<f64>>(), false),
        };
        let some = |test: &dyn Fn(&Scored) -> bool| {
            let [own, strange] = [0, 1]
                .map(|place| self.windows[place].iter().filter(|window| test(window)).map(|window| window.score).collect::<Vec<f64>>());
            separation(&own, &strange)
        };
        let (window, accumulated) = (over(false), over(true));
        Some(UserSwap {
            pairs: self.pairs.iter().map(Vec::len).sum(),
            per_window: average(&window),
            per_window_worst_tenth: worst(&window),
            per_window_pooled: some(&|_| true)?,
            per_window_by_context: Context::ALL
                .into_iter()
                .filter_map(|context| Some((context, some(&|window| window.context == context)?)))
                .collect(),
            per_window_by_activity: activities
                .iter()
                .enumerate()
                .filter(|(_, name)| !name.is_empty())
                .filter_map(|(place, name)| Some((name.clone(), some(&|window| usize::from(window.activity) == place)?)))
                .collect(),
            seconds,
            accumulated: average(&accumulated),
            accumulated_worst_tenth: worst(&accumulated),
            accumulated_pooled: separation(&self.draws[0], &self.draws[1])?,
        })
    }
}

/// Mean scores over draws of whole sessions that add up to so many windows.
fn accumulate(sessions: &[Vec<Scored>], draws: u32, windows: usize, dice: &mut Dice) -> Vec<f64> {
    let filled: Vec<&Vec<Scored>> = sessions.iter().filter(|session| !session.is_empty()).collect();
    if filled.is_empty() {
        return Vec::new();
    }
    (0..draws)
        .map(|_| {
            let mut scores = Vec::new();
            while scores.len() < windows.max(1) {
                scores.extend(filled[dice.below(filled.len())].iter().map(|window| window.score));
            }
            scores.truncate(windows.max(1));
            mean(&scores)
        })
        .collect()
}

//! What becomes of one incoming group: which finding it is, how it stands from now on, and whether anything must be written.

use base::Time;

use super::rows::KnownFinding;
use crate::model::{Derived, FindingId, HappeningKind, ImportOptions, State, Status, derive};

/// What became of one incoming group.
#[derive(Debug)]
pub(crate) struct Fate {
    pub(crate) id: FindingId,
    pub(crate) known: Option<KnownFinding>,
    /// What is told about it; nothing when it is as it was.
    pub(crate) turn: Option<HappeningKind>,
    pub(crate) note: Option<String>,
    pub(crate) state: State,
    pub(crate) derived: Derived,
    pub(crate) is_ambiguous: bool,
    /// The tool says exactly what it said before.
    pub(crate) is_same: bool,
    /// Known, and not to be touched: what came in tells of another time and place.
    pub(crate) is_left_alone: bool,
    /// Some of its observations were dealt with.
    pub(crate) is_begun: bool,
}

impl Fate {
    /// A finding nobody knew.
    pub(crate) fn new(id: FindingId, is_ambiguous: bool, now: Time) -> Self {
        let note = is_ambiguous.then(|| "several older findings could be meant".to_owned());
        Self {
            id,
            known: None,
            turn: Some(HappeningKind::New),
            note,
            state: State::Present,
            derived: derive(State::Present, now, None, now),
            is_ambiguous,
            is_same: false,
            is_left_alone: false,
            is_begun: false,
        }
    }

    /// A known finding of which somebody else's belief came in.
    pub(crate) fn left_alone(known: KnownFinding, now: Time) -> Self {
        let derived = derive(known.state, known.last_seen, known.decision, now);
        let (id, state) = (known.id, known.state);
        Self { known: Some(known), turn: None, note: None, state, derived, is_same: true, is_left_alone: true, ..Self::new(id, false, now) }
    }

    /// A known finding, seen again; `from` is the place it left.
    pub(crate) fn known(known: KnownFinding, from: Option<String>, content: u64, options: &ImportOptions, now: Time) -> Self {
        let before = derive(known.state, known.last_seen, known.decision, now).status;
        let stays_fixed = options.do_not_reactivate && before == Status::Fixed;
        let state = if stays_fixed { State::Absent } else { State::Present };
        // A person's `fixed` holds until a tool sees it later; without reactivation it holds on.
        let seen = if stays_fixed { known.last_seen } else { now };
        let derived = derive(state, seen, known.decision, now);
        // What comes back is open anew, wherever it is.
        let is_back = before == Status::Fixed && derived.status != Status::Fixed;
        let turn = if is_back { Some(HappeningKind::Reopened) } else { from.is_some().then_some(HappeningKind::Moved) };
        Self {
            id: known.id,
            is_same: from.is_none() && known.content == hexadecimal(content),
            known: Some(known),
            turn,
            note: from.map(|place| format!("from {place}")),
            state,
            derived,
            is_ambiguous: false,
            is_left_alone: false,
            is_begun: false,
        }
    }

    /// Whether it stands as its row says; if so, a plain sighting writes nothing to the row, and can be taken back without a copy of it.
    pub(crate) fn stands(&self) -> bool {
        self.known.as_ref().is_some_and(|known| (known.state, known.stands) == (self.state, self.derived))
    }
}

/// Content as it is stored.
pub(crate) fn hexadecimal(content: u64) -> String {
    format!("{content:016x}")
}

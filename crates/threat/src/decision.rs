//! The machine that moves a device from one [`Posture`] to another, and what it decides on the way.

use serde::{Deserialize, Serialize};

use crate::accumulate::Candidate;
use crate::lock::{Corroboration, HardSignal, Lock};
use crate::posture::Posture;

/// Why a lock was not laid although there was reason for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// The rule or tenant only watches.
    Shadow,
    /// The device is on the allow-list.
    AllowList,
    /// Too many devices were locked lately.
    BlastRadius,
    /// Scores are simplified.
    Degraded,
}

/// What became of one window or event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// The posture before.
    pub from: Posture,
    /// The posture now.
    pub to: Posture,
    /// The lock to lay, when there is a new one.
    pub lock: Option<Lock>,
    /// Why there is none although there was reason.
    pub withheld: Option<Withheld>,
    /// The lock that is withheld, once for each episode: until the phone was calm again, or its owner proved to be there.
    pub held_back: Option<Lock>,
    /// Behaviour made a lock thinkable: demand a fresh challenge now.
    pub demands_challenge: bool,
}

impl Decision {
    fn moved(from: Posture, to: Posture) -> Self {
        Self { from, to, lock: None, withheld: None, held_back: None, demands_challenge: false }
    }
}

/// What behaviour says of one window, in words of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Behaviour {
    /// Enough windows were over the threshold, or the stream was broken.
    pub(crate) is_suspicious: bool,
    /// The sum is over the first limit, or the stream stays broken.
    pub(crate) is_grave: bool,
    /// The sum is over the second limit, and everything else that is needed.
    pub(crate) candidate: Option<Candidate>,
}

/// State of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Course {
    pub(crate) posture: Posture,
    /// The posture was decided here, and is milder than a lock; until whoever keeps the device has written it down.
    pub(crate) unwritten: bool,
    /// Windows in a row without anything odd.
    pub(crate) calm: u16,
    /// A lock that was decided, until whoever lays it says that it is done.
    pub(crate) owed: Option<Lock>,
    /// A lock was withheld and has been told of.
    pub(crate) is_held_back: bool,
    /// When a challenge was demanded, server time in seconds; zero for never.
    pub(crate) asked: u32,
}

/// Calm windows after which a demand for a step-up is dropped: about five minutes of use.
const CALM: u16 = 300;

/// Seconds in which a demanded challenge is to be answered, and after which the demand is made anew.
const ANSWERED: i64 = 60;
const FORGOTTEN: i64 = 600;

/// Server time in seconds, as a state keeps it; never zero.
fn seconds(micros: i64) -> u32 {
    (micros / 1_000_000).clamp(1, u32::MAX.into()) as u32
}

impl Course {
    /// One window. `withhold` names a reason to lay no lock whatever happens.
    pub(crate) fn judged(
        &mut self,
        behaviour: Behaviour,
        corroboration: Option<Corroboration>,
        withhold: Option<Withheld>,
        now: i64,
    ) -> Decision {
        let is_calm = !behaviour.is_suspicious && !behaviour.is_grave && behaviour.candidate.is_none();
        self.calm = if is_calm { self.calm.saturating_add(1) } else { 0 };
        self.is_held_back &= self.calm < CALM;
        let wanted = if behaviour.is_grave {
            Posture::Restrict
        } else if behaviour.is_suspicious {
            Posture::StepUp
        } else {
            Posture::Observe
        };
        // What is merely old may be renewed first: nobody is locked for an attestation that was never asked for.
        let corroboration = corroboration.filter(|by| *by != Corroboration::AttestationStale || self.was_asked(now));
        let mut decision = match behaviour.candidate.zip(corroboration) {
            Some((candidate, by)) => self.lay(Lock::confirmed(candidate, by), withhold),
            None => self.raise(wanted),
        };
        decision.demands_challenge = behaviour.candidate.is_some() && decision.to < Posture::Lock;
        if decision.demands_challenge && !(0..FORGOTTEN).contains(&self.since_asked(now)) {
            self.asked = seconds(now);
        }
        if self.posture == Posture::StepUp && self.calm >= CALM {
            self.go(Posture::Observe);
            decision.to = Posture::Observe;
        }
        decision
    }

    fn since_asked(&self, now: i64) -> i64 {
        if self.asked == 0 { FORGOTTEN } else { i64::from(seconds(now)) - i64::from(self.asked) }
    }

    /// A challenge was demanded long enough ago to be answered, and not too long ago to be what this is about.
    fn was_asked(&self, now: i64) -> bool {
        (ANSWERED..FORGOTTEN).contains(&self.since_asked(now))
    }

    /// The device proved what it is: a restriction becomes a demand for the owner, who is not proven by that.
    pub(crate) fn challenge_passed(&mut self) -> Decision {
        let from = self.posture;
        self.asked = 0;
        if from == Posture::Restrict {
            (self.posture, self.calm) = (Posture::StepUp, 0);
        }
        Decision::moved(from, self.posture)
    }

    /// Decides on a posture.
    fn go(&mut self, to: Posture) {
        if self.posture != to {
            // A lock is owed until it is laid.
            (self.posture, self.unwritten) = (to, to < Posture::Lock);
        }
    }

    /// Whether something was decided that outdoes what is written.
    pub(crate) fn stands(&self, written: Posture) -> bool {
        self.unwritten && self.posture.outdoes(written)
    }

    /// Takes over what is written, which is not lower and no lock.
    pub(crate) fn follow(&mut self, written: Posture) {
        if self.posture != written {
            (self.posture, self.calm) = (written, 0);
        }
        self.unwritten = false;
    }

    /// The lock that was withheld could not be told of: the next window that gives reason for one tells of it.
    pub(crate) fn untold(&mut self) {
        self.is_held_back = false;
    }

    /// Proof arrived.
    pub(crate) fn proven(&mut self, signal: HardSignal, withhold: Option<Withheld>) -> Decision {
        // A person's decision, and proof, do not depend on scores.
        let withhold = withhold.filter(|reason| *reason != Withheld::Degraded && signal != HardSignal::Operator);
        self.lay(Lock::proven(signal), withhold)
    }

    /// The owner proved to be there: everything milder than a lock is over.
    pub(crate) fn stepped_up(&mut self) -> Decision {
        let from = self.posture;
        if from < Posture::Lock {
            *self = Self::default();
        }
        Decision::moved(from, self.posture)
    }

    /// A person released the lock, or it expired. The owner still has to prove to be there.
    pub(crate) fn released(&mut self) -> Decision {
        let from = self.posture;
        if from >= Posture::Lock {
            *self = Self { posture: Posture::StepUp, ..Self::default() };
        }
        // What was decided before and nobody wrote down is over with it.
        self.unwritten = false;
        Decision::moved(from, self.posture)
    }

    /// The lock that was owed is not laid: the owner has to prove to be there, and that is still to be written.
    pub(crate) fn spared(&mut self) {
        let is_lock = self.posture >= Posture::Lock;
        self.released();
        self.unwritten = is_lock;
    }

    fn raise(&mut self, wanted: Posture) -> Decision {
        let from = self.posture;
        self.go(from.max(wanted));
        Decision::moved(from, self.posture)
    }

    /// The lock that was owed is laid, or is not going to be.
    pub(crate) fn settled(&mut self) {
        self.owed = None;
    }

    fn lay(&mut self, lock: Lock, withhold: Option<Withheld>) -> Decision {
        if let Some(reason) = withhold {
            let held_back = (!std::mem::replace(&mut self.is_held_back, true)).then_some(lock);
            return Decision { withheld: Some(reason), held_back, ..self.raise(Posture::StepUp) };
        }
        let from = self.posture;
        let lock = (from < lock.posture()).then_some(lock);
        self.go(from.max(lock.map_or(from, |lock| lock.posture())));
        self.owed = lock.or(self.owed);
        Decision { lock, ..Decision::moved(from, self.posture) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Cause;

    #[test]
    fn proof_locks_at_once_and_a_release_still_asks_for_the_owner() {
        let mut course = Course::default();
        let decision = course.proven(HardSignal::RefreshReuse, None);
        assert_eq!((decision.from, decision.to), (Posture::Observe, Posture::Lock));
        assert_eq!(decision.lock.unwrap().cause(), Cause::Signal(HardSignal::RefreshReuse));
        assert_eq!(course.proven(HardSignal::ReplayedReadings, None).lock, None, "one lock is enough");
        assert_eq!(course.proven(HardSignal::CriticalIndicator, None).to, Posture::Quarantine);
        assert_eq!(course.stepped_up().to, Posture::Quarantine, "a step-up opens no lock");
        assert_eq!(course.released().to, Posture::StepUp);
        assert_eq!(course.stepped_up().to, Posture::Observe);
    }

    #[test]
    fn a_withheld_lock_becomes_a_step_up_and_says_why() {
        let mut course = Course::default();
        let decision = course.proven(HardSignal::Indicator, Some(Withheld::BlastRadius));
        assert_eq!((decision.to, decision.lock, decision.withheld), (Posture::StepUp, None, Some(Withheld::BlastRadius)));
        assert_eq!(decision.held_back, Some(Lock::proven(HardSignal::Indicator)));
        assert_eq!(course.proven(HardSignal::Indicator, Some(Withheld::BlastRadius)).held_back, None, "told once for each episode");
        course.untold();
        assert!(course.proven(HardSignal::Indicator, Some(Withheld::BlastRadius)).held_back.is_some(), "nobody heard of it");
        for _ in 0..CALM {
            course.judged(Behaviour::default(), None, None, 0);
        }
        assert!(course.proven(HardSignal::Indicator, Some(Withheld::BlastRadius)).held_back.is_some());
        assert!(course.proven(HardSignal::Operator, Some(Withheld::Shadow)).lock.is_some(), "a person is not shadowed");
    }

    #[test]
    fn a_decision_waits_to_be_written_and_a_release_makes_it_void() {
        let mut course = Course::default();
        course.judged(Behaviour { is_suspicious: true, ..Behaviour::default() }, None, None, 0);
        assert!(
            course.unwritten && course.stands(Posture::Observe) && !course.stands(Posture::StepUp) && !course.stands(Posture::Restrict)
        );
        course.follow(Posture::Restrict);
        assert_eq!((course.posture, course.unwritten), (Posture::Restrict, false), "another decided more");
        course.follow(Posture::StepUp);
        for _ in 0..CALM {
            course.judged(Behaviour::default(), None, None, 0);
        }
        assert!(course.stands(Posture::StepUp), "calm ends what was taken over, and that is to be written");
        assert!(!course.stands(Posture::Restrict), "but it ends no restriction");
        let mut course = Course::default();
        course.judged(Behaviour { is_grave: true, ..Behaviour::default() }, None, None, 0);
        course.released();
        assert_eq!((course.posture, course.unwritten), (Posture::Restrict, false));
        let mut course = Course::default();
        course.proven(HardSignal::RefreshReuse, None);
        assert!(!course.unwritten, "a lock is owed instead");
        course.spared();
        assert_eq!((course.posture, course.unwritten, course.owed), (Posture::StepUp, true, None));
    }

    #[test]
    fn calm_ends_a_step_up_and_never_a_restriction() {
        let mut course = Course::default();
        course.judged(Behaviour { is_suspicious: true, ..Behaviour::default() }, None, None, 0);
        for _ in 0..CALM {
            course.judged(Behaviour::default(), None, None, 0);
        }
        assert_eq!(course.posture, Posture::Observe);
        course.judged(Behaviour { is_grave: true, ..Behaviour::default() }, None, None, 0);
        for _ in 0..2 * CALM {
            course.judged(Behaviour::default(), Some(Corroboration::AttestationFailed), None, 0);
        }
        assert_eq!(course.posture, Posture::Restrict);
    }
}

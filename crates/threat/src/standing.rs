//! From a judged window to a decision: threshold, accumulated evidence, attestation and the state machine, in one place.

use crate::accumulate::Limits;
use crate::checks::Check;
use crate::decision::{Behaviour, Decision, Withheld};
use crate::device::{Device, Judgement};
use crate::lock::{Corroboration, HardSignal, Lock};
use crate::posture::Posture;
use crate::score::{COVERAGE_TO_LOCK, Mode};
use crate::trust::{Attestation, Plan, Threshold, threshold};

/// Attestation older than this is stale, microseconds: one day.
pub const STALE: i64 = 86_400_000_000;
/// Windows over the threshold, among the last five, that ask for a step-up.
const EXCEEDANCES: u32 = 2;
/// Windows with a broken stream, among the last five, that restrict.
const BREAKAGES: u32 = 3;

/// What is known of a device from outside its sensors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Server time, microseconds.
    pub now: i64,
    /// The newest attestation.
    pub attestation: Attestation,
    /// The tenant's plan.
    pub plan: Plan,
    /// Limits of the two stages.
    pub limits: Limits,
    /// A fresh challenge, sent because behaviour demanded it, was answered wrongly. Silence is not an answer.
    pub challenge_failed: bool,
    /// A reason to lay no lock whatever happens.
    pub withhold: Option<Withheld>,
}

impl Standing {
    fn corroboration(&self) -> Option<Corroboration> {
        match self.attestation {
            Attestation::Failed { .. } => Some(Corroboration::AttestationFailed),
            attestation if attestation.is_stale(self.now, STALE) => Some(Corroboration::AttestationStale),
            _ => self.challenge_failed.then_some(Corroboration::ChallengeFailed),
        }
    }
}

impl Device {
    /// The posture now.
    pub fn posture(&self) -> Posture {
        self.course.posture
    }

    /// Trust from history, in [0, 1].
    pub fn trust(&self) -> f64 {
        self.trust.value()
    }

    /// What has been added up, in standard deviations.
    pub fn accumulated(&self) -> f32 {
        self.accumulator.sum
    }

    /// What the device's score must exceed now.
    pub fn threshold(&self, standing: &Standing) -> Threshold {
        threshold(&self.trust, standing.attestation.score(standing.now), standing.plan, &self.scores, &self.last.parts())
    }

    /// Decides on a window; call it from [`Device::accept`] for each judgement.
    pub fn decide(&mut self, judgement: &Judgement, standing: &Standing) -> Decision {
        if judgement.global.is_some_and(|score| score > self.threshold(standing).value) {
            self.accumulator.exceeds();
        }
        let accumulator = &self.accumulator;
        let breakages = accumulator.breakages();
        // With little to go by, and with simplified scores, a step-up is the most that behaviour may ask for.
        let is_whole = judgement.coverage >= COVERAGE_TO_LOCK && judgement.mode == Mode::Spec;
        let behaviour = Behaviour {
            is_suspicious: accumulator.exceedances() >= EXCEEDANCES || breakages > 0 || accumulator.sum > standing.limits.restrict,
            is_grave: is_whole && accumulator.sum > standing.limits.restrict || breakages >= BREAKAGES,
            candidate: accumulator.candidate(standing.limits, judgement.coverage, judgement.mode),
        };
        let degraded = (judgement.mode == Mode::Simplified).then_some(Withheld::Degraded);
        let withhold = standing.withhold.or(degraded);
        let decision = if judgement.checks.contains(Check::Replayed) {
            self.course.proven(HardSignal::ReplayedReadings, withhold)
        } else {
            self.course.judged(behaviour, standing.corroboration(), withhold, standing.now)
        };
        if decision.to > decision.from {
            self.trust.event(standing.now, 0.0, 1.0);
        } else if judgement.checks.contains(Check::GradualDrift) {
            self.trust.event(standing.now, 0.0, 0.2);
        } else if decision.to == Posture::Observe {
            self.trust.clean(standing.now);
        }
        decision
    }

    /// Proof from elsewhere arrived: refresh reuse, an indicator, an operator. Whoever found it lays the lock.
    pub fn prove(&mut self, signal: HardSignal, standing: &Standing) -> Decision {
        self.trust.event(standing.now, 0.0, 4.0);
        let decision = self.course.proven(signal, standing.withhold);
        self.course.settled();
        decision
    }

    /// What this device may do as it is written, which is the truth: whoever keeps it says this of each version of the record that is
    /// newer than the last it said it of. A state that was lost begins there; what a person or another node ended ends here too. A
    /// decision that waits to be written stands where it outdoes the record, and so does a lock that is owed.
    pub fn follow(&mut self, written: Posture, now: i64) {
        if written >= Posture::Lock {
            self.course.unwritten = false;
            return;
        }
        if self.course.owed.is_some() {
            return;
        }
        if self.course.posture >= Posture::Lock {
            self.released();
        }
        match (self.course.posture, written) {
            _ if self.course.stands(written) => {}
            (Posture::StepUp | Posture::Restrict, Posture::Observe) => drop(self.stepped_up(now)),
            (Posture::Restrict, Posture::StepUp) => {
                self.challenge_passed();
                self.course.unwritten = false;
            }
            _ => self.course.follow(written),
        }
    }

    /// What was decided and is not written down yet, milder than a lock.
    pub fn unwritten(&self) -> Option<Posture> {
        self.course.unwritten.then_some(self.course.posture)
    }

    /// A withheld lock could not be written down: it is told of again.
    pub fn untold(&mut self) {
        self.course.untold();
    }

    /// A lock that was decided on a window and that nobody has said to be laid: it is laid again.
    pub fn owed(&self) -> Option<Lock> {
        self.course.owed
    }

    /// The lock that was decided is laid.
    pub fn settled(&mut self) {
        self.course.settled();
    }

    /// The lock that was decided is not going to be laid.
    pub fn spared(&mut self) {
        self.accumulator.clear();
        self.course.spared();
    }

    /// An attestation was wrong: trust suffers; what follows is decided with the next window.
    pub fn attestation_failed(&mut self, now: i64) {
        self.trust.event(now, 0.0, 4.0);
    }

    /// The owner proved to be there, strongly: evidence is forgotten, and where the baseline has drifted is accepted.
    pub fn stepped_up(&mut self, now: i64) -> Decision {
        let decision = self.course.stepped_up();
        if decision.to == Posture::Observe {
            self.accumulator.clear();
            self.streams.iter_mut().for_each(|stream| stream.now.lattice.confirmed = 0);
            self.profiles.iter_mut().for_each(crate::baseline::Profile::accept_drift);
            self.trust.event(now, 0.5, 0.0);
        }
        decision
    }

    /// A fresh attestation passed. While behaviour was in doubt that answers the demand for one: what was added up is forgotten, and a
    /// restriction becomes a demand for the owner. What is known of the owner stays as it is.
    pub fn challenge_passed(&mut self) -> Decision {
        let decision = self.course.challenge_passed();
        if (Posture::StepUp..Posture::Lock).contains(&decision.from) {
            self.accumulator.clear();
        }
        decision
    }

    /// A person released the lock, or it expired.
    pub fn released(&mut self) -> Decision {
        self.accumulator.clear();
        self.course.released()
    }
}

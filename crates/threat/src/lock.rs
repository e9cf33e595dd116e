//! What a lock may be made of: a hard signal, or a candidate together with something that is not behaviour. The types leave
//! no other way: behaviour alone never locks.

use serde::{Deserialize, Serialize};

use crate::accumulate::Candidate;
use crate::posture::Posture;

/// Proof that is not behaviour: each is enough by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HardSignal {
    /// Readings that were sent before, bit for bit.
    ReplayedReadings,
    /// A spent refresh token with another key.
    RefreshReuse,
    /// An attestation that was used before.
    AttestationReplay,
    /// Failures counted past their limit, all signed by the device's own key.
    RepeatedFailures,
    /// A listed file, domain or address.
    Indicator,
    /// A listed one that is marked critical.
    CriticalIndicator,
    /// A person decided.
    Operator,
}

impl HardSignal {
    /// What it leads to.
    pub fn posture(self) -> Posture {
        match self {
            Self::CriticalIndicator | Self::RepeatedFailures => Posture::Quarantine,
            _ => Posture::Lock,
        }
    }
}

/// What can confirm a candidate; none of it is behaviour, and none is a reply that was merely lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corroboration {
    /// The newest attestation was wrong.
    AttestationFailed,
    /// There is no attestation, or only an old one.
    AttestationStale,
    /// A fresh challenge was answered wrongly within its minute.
    ChallengeFailed,
}

/// Why a device is locked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Proof.
    Signal(HardSignal),
    /// Behaviour that something else confirmed.
    Confirmed {
        /// What was added up.
        sum: f32,
        /// What confirmed it.
        by: Corroboration,
    },
}

/// A lock that is about to be laid; only proof, or a confirmed candidate, makes one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lock {
    cause: Cause,
    posture: Posture,
}

impl Lock {
    /// From proof.
    pub fn proven(signal: HardSignal) -> Self {
        Self { cause: Cause::Signal(signal), posture: signal.posture() }
    }

    /// From behaviour that something else confirms.
    pub fn confirmed(candidate: Candidate, by: Corroboration) -> Self {
        Self { cause: Cause::Confirmed { sum: candidate.sum(), by }, posture: Posture::Lock }
    }

    /// Why.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Lock or quarantine.
    pub fn posture(&self) -> Posture {
        self.posture
    }

    /// The cause as a number from one on, by which states of devices know it, and the sum it rests on.
    pub(crate) fn written(self) -> (u8, f32) {
        match self.cause {
            Cause::Signal(signal) => {
                let number = match signal {
                    HardSignal::ReplayedReadings => 1,
                    HardSignal::RefreshReuse => 2,
                    HardSignal::AttestationReplay => 3,
                    HardSignal::RepeatedFailures => 4,
                    HardSignal::Indicator => 5,
                    HardSignal::CriticalIndicator => 6,
                    HardSignal::Operator => 7,
                };
                (number, 0.0)
            }
            Cause::Confirmed { sum, by } => {
                let number = match by {
                    Corroboration::AttestationFailed => 8,
                    Corroboration::AttestationStale => 9,
                    Corroboration::ChallengeFailed => 10,
                };
                (number, sum)
            }
        }
    }

    /// The lock that was written as these.
    pub(crate) fn read(number: u8, sum: f32) -> Option<Self> {
        let confirmed = |by| Self { cause: Cause::Confirmed { sum, by }, posture: Posture::Lock };
        Some(match number {
            1 => Self::proven(HardSignal::ReplayedReadings),
            2 => Self::proven(HardSignal::RefreshReuse),
            3 => Self::proven(HardSignal::AttestationReplay),
            4 => Self::proven(HardSignal::RepeatedFailures),
            5 => Self::proven(HardSignal::Indicator),
            6 => Self::proven(HardSignal::CriticalIndicator),
            7 => Self::proven(HardSignal::Operator),
            8 => confirmed(Corroboration::AttestationFailed),
            9 => confirmed(Corroboration::AttestationStale),
            10 => confirmed(Corroboration::ChallengeFailed),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of them: a cause that is missing here does not compile, for it has no next one.
    fn causes() -> Vec<Cause> {
        let confirmed = |by| Cause::Confirmed { sum: 17.5, by };
        let next = |cause| {
            Some(match cause {
                Cause::Signal(signal) => Cause::Signal(match signal {
                    HardSignal::ReplayedReadings => HardSignal::RefreshReuse,
                    HardSignal::RefreshReuse => HardSignal::AttestationReplay,
                    HardSignal::AttestationReplay => HardSignal::RepeatedFailures,
                    HardSignal::RepeatedFailures => HardSignal::Indicator,
                    HardSignal::Indicator => HardSignal::CriticalIndicator,
                    HardSignal::CriticalIndicator => HardSignal::Operator,
                    HardSignal::Operator => return Some(confirmed(Corroboration::AttestationFailed)),
                }),
                Cause::Confirmed { by, .. } => confirmed(match by {
                    Corroboration::AttestationFailed => Corroboration::AttestationStale,
                    Corroboration::AttestationStale => Corroboration::ChallengeFailed,
                    Corroboration::ChallengeFailed => return None,
                }),
            })
        };
        std::iter::successors(Some(Cause::Signal(HardSignal::ReplayedReadings)), |cause| next(*cause)).collect()
    }

    #[test]
    fn every_cause_is_read_as_it_was_written() {
        assert_eq!(causes().len(), 10);
        for cause in causes() {
            let lock = match cause {
                Cause::Signal(signal) => Lock::proven(signal),
                Cause::Confirmed { .. } => Lock { cause, posture: Posture::Lock },
            };
            let (number, sum) = lock.written();
            assert_eq!(Lock::read(number, sum), Some(lock), "{cause:?}");
        }
        assert_eq!((Lock::read(0, 0.0), Lock::read(11, 0.0)), (None, None));
    }
}

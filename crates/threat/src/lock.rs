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

/// Everything that a lock may be made of, in an order that states of devices are written in.
const CAUSES: [Result<HardSignal, Corroboration>; 10] = [
    Ok(HardSignal::ReplayedReadings),
    Ok(HardSignal::RefreshReuse),
    Ok(HardSignal::AttestationReplay),
    Ok(HardSignal::RepeatedFailures),
    Ok(HardSignal::Indicator),
    Ok(HardSignal::CriticalIndicator),
    Ok(HardSignal::Operator),
    Err(Corroboration::AttestationFailed),
    Err(Corroboration::AttestationStale),
    Err(Corroboration::ChallengeFailed),
];

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

    /// The cause as a number from one on, and the sum it rests on.
    pub(crate) fn written(self) -> (u8, f32) {
        let (cause, sum) = match self.cause {
            Cause::Signal(signal) => (Ok(signal), 0.0),
            Cause::Confirmed { sum, by } => (Err(by), sum),
        };
        (CAUSES.iter().position(|known| *known == cause).map_or(0, |place| place as u8 + 1), sum)
    }

    /// The lock that was written as these.
    pub(crate) fn read(number: u8, sum: f32) -> Option<Self> {
        Some(match *CAUSES.get(usize::from(number.checked_sub(1)?))? {
            Ok(signal) => Self::proven(signal),
            Err(by) => Self { cause: Cause::Confirmed { sum, by }, posture: Posture::Lock },
        })
    }
}

//! What can go wrong: a state that cannot be read back, recordings that cannot be evaluated.

/// Why a device's state cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Written by a later version.
    #[error("device state is of version {found}, at most {known} can be read")]
    Version {
        /// Version of the bytes.
        found: u8,
        /// Newest version known.
        known: u8,
    },
    /// Too short or too long.
    #[error("device state has {found} bytes instead of {expected}")]
    Length {
        /// Bytes given.
        found: usize,
        /// Bytes of this version.
        expected: usize,
    },
    /// A value that no device can have.
    #[error("device state holds an impossible value before byte {position}")]
    Value {
        /// Where it was noticed.
        position: usize,
    },
}

/// Why recordings cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// Enrolment and test need two sessions of the same subject.
    #[error("no subject has two sessions to enrol on and to test with ({subjects} subjects with one)")]
    NothingToCompare {
        /// Subjects with a single session.
        subjects: usize,
    },
    /// Times make no rate that a phone's sensor has, in any unit.
    #[error("times are neither seconds, milliseconds, microseconds nor nanoseconds of a sensor with 4 to 1,000 readings a second")]
    Rate,
    /// Not one window was complete.
    #[error("no session holds a hundred valid readings in a row")]
    NoWindow,
}

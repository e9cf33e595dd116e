//! The closed lists of the contract and those of this context: the same words.

use crate::vocabulary::{CommandKind, Outcome, Posture, Reach};
use crate::wire::v1;

macro_rules! same {
    ($($name:ident { $($variant:ident),+ $(,)? })+) => {
        $(
            impl From<$name> for v1::$name {
                fn from(value: $name) -> Self {
                    match value { $($name::$variant => Self::$variant,)+ }
                }
            }

            #[cfg(test)]
            impl TryFrom<v1::$name> for $name {
                type Error = ();

                fn try_from(value: v1::$name) -> Result<Self, ()> {
                    match value { $(v1::$name::$variant => Ok(Self::$variant),)+ v1::$name::Unspecified => Err(()) }
                }
            }
        )+
    };
}

same! {
    Posture { Observe, StepUp, Restrict, Lock, Quarantine }
    CommandKind { CriticalLock, ImmediateQuarantine, ForceOverlay, Release }
    Reach { Application, Device }
    Outcome { Done, Refused, Failed }
}

/// The answer a number stands for; nothing for numbers nobody gave a meaning.
pub(super) fn outcome(number: i32) -> Option<Outcome> {
    match v1::Outcome::try_from(number) {
        Ok(v1::Outcome::Done) => Some(Outcome::Done),
        Ok(v1::Outcome::Refused) => Some(Outcome::Refused),
        Ok(v1::Outcome::Failed) => Some(Outcome::Failed),
        Ok(v1::Outcome::Unspecified) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_counterpart_in_the_contract() {
        macro_rules! check {
            ($($name:ident),+) => { $(for word in $name::ALL {
                assert_eq!($name::try_from(v1::$name::from(*word)), Ok(*word));
            })+ };
        }
        check!(Posture, CommandKind, Reach, Outcome);
        assert_eq!(outcome(v1::Outcome::Failed.into()), Some(Outcome::Failed));
        assert_eq!((outcome(0), outcome(99), outcome(-1)), (None, None, None));
    }
}

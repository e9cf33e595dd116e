//! How well the engine does on recordings of people: enrol on early sessions, test on later ones. Nothing that is learned,
//! of a device or of the cohort, has seen a test session or any session of the impostor it is tested with.

mod attacks;
mod bootstrap;
mod dice;
mod figures;
mod fit;
mod protocol;
mod recording;
mod swap;

pub use attacks::Attack;
pub use bootstrap::FalseLocks;
pub use figures::{Interval, Separation};
pub use protocol::{AttackFigures, Options, Report, SubjectFigures, evaluate};
pub use recording::{Recording, Recordings, Row, Track};
pub use swap::UserSwap;

//! Virtual phones as real clients of the public protocols: a fleet that is enrolled, lives, is attacked and reports what became of it;
//! and races of many clients against several nodes, written down for a checker. Nothing of the server runs in here.

mod defiance;
mod dice;
mod errors;
mod fleet;
mod handset;
mod line;
mod locksmith;
mod motion;
mod orders;
mod patience;
mod phone;
mod plan;
mod race;
mod server;
mod siege;
mod stage;
mod talk;
mod tally;

pub use fleet::{Honest, Outcome, Report, run};
pub use locksmith::Locked;
pub use plan::{Activity, Attack, Carrier, Grpc, Locking, Plan, Strike};
pub use race::{Race, Raced, race};
pub use tally::{Burst, Ends, Figures, Traffic};

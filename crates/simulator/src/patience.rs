//! Requests that are made until there is an answer: full jitter after the cap, what the server asks for on top, and the next node when
//! one is away.

use std::time::Duration;

use base::Result;
use tokio::time::{Instant, sleep};

use crate::dice::Dice;
use crate::errors;
use crate::handset::{Ask, Handset};
use crate::phone::PAUSES;
use crate::server::Reply;
use crate::stage::Stage;
use crate::tally::Kind;

/// As [`persist`], where a refusal is an error: nothing can go on without it.
pub(crate) async fn exchange(
    stage: &Stage,
    handset: &mut Handset,
    dice: &mut Dice,
    ends: Instant,
    kind: Kind,
    ask: Ask<'_>,
) -> Result<Reply> {
    match persist(stage, handset, dice, ends, kind, ask).await? {
        Some(reply) if reply.is_ok() => Ok(reply),
        Some(reply) => Err(errors::enrolment(reply.status, reply.code(), reply.detail())),
        None => {
            let server = stage.node(handset.node);
            match handset.ask(server, &stage.clock, ask).await? {
                Ok(reply) if reply.is_ok() => Ok(reply),
                Ok(reply) => Err(errors::enrolment(reply.status, reply.code(), reply.detail())),
                Err(silence) => Err(silence.error(server.base())),
            }
        }
    }
}

/// Asks until there is an answer that would not change by asking again; nothing when `ends` comes before.
pub(crate) async fn persist(
    stage: &Stage,
    handset: &mut Handset,
    dice: &mut Dice,
    ends: Instant,
    kind: Kind,
    ask: Ask<'_>,
) -> Result<Option<Reply>> {
    let mut ceiling = PAUSES[0];
    loop {
        let begun = Instant::now();
        let asked_to_wait = match handset.ask(stage.node(handset.node), &stage.clock, ask).await? {
            Ok(reply) => {
                if !reply.is_ok() {
                    stage.tally.refused(if reply.code().is_empty() { "no problem document" } else { reply.code() });
                }
                if !matches!(reply.status, 429 | 500 | 502 | 503 | 504) {
                    stage.tally.answered(kind, begun.elapsed());
                    return Ok(Some(reply));
                }
                reply.retry_after.unwrap_or_default()
            }
            Err(_) => {
                stage.tally.refused("unreachable");
                // Nobody there at all, and nobody ever was: that is a mistake in the address.
                if stage.is_unreached() && kind == Kind::Enrol {
                    return Ok(None);
                }
                handset.node += 1;
                Duration::ZERO
            }
        };
        let pause = asked_to_wait + Duration::from_secs_f64(dice.uniform() * ceiling);
        ceiling = (2.0 * ceiling).min(PAUSES[1]);
        if Instant::now() + pause >= ends {
            return Ok(None);
        }
        stage.tally.retried();
        sleep(pause).await;
    }
}

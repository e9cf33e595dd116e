//! What a line does when something happened: is the phone still served, what is it to be told, is anybody there.

use base::{Error, Kind, Result};

use super::{End, Line, PING, Turn, UNANSWERED};
use crate::errors;
use crate::hub::why;
use crate::vocabulary::Posture;
use crate::wire::{Told, Word};

impl Line {
    /// The first words: whether it may speak, what it has missed.
    pub(super) async fn greet(&mut self) -> Turn {
        self.link.due_at((self.devices.now() + PING).min(self.admitted.until));
        let missed = async {
            let proof_nonce = self.devices.proof_nonce().await?;
            let expires_at = self.admitted.expires_at;
            let mut told = vec![Told::unasked(Word::Welcome { posture: self.posture, expires_at, proof_nonce })];
            // Asked before the commands are read: whoever is locked after this is woken after this.
            let barred = self.devices.bar(self.admitted.named).await.err();
            told.extend(self.commands(true).await?);
            Ok::<_, Error>((told, barred))
        };
        match missed.await {
            Ok((told, barred)) => Turn { told, end: barred.map(End::Error), ..Turn::default() },
            Err(error) => End::Error(error).into(),
        }
    }

    /// Looks at what it was woken for.
    pub(super) async fn look(&mut self, why: u8, pings: bool) -> Turn {
        let now = self.devices.now();
        if now >= self.admitted.until {
            return End::Error(errors::token()).into();
        }
        let barred = self.devices.bar(self.admitted.named).await.err().filter(is_final);
        // A kill switch stops many at once: its commands are read by those who come back to ask, not by all of them now.
        if let Some(error) = barred {
            return if why == why::BAR { End::Error(error).into() } else { self.barred(error).await };
        }
        let mut turn = Turn::default();
        if why & why::LOOK != 0 {
            match self.news().await {
                Ok(told) => turn.told = told,
                // Nothing is lost: everybody looks again once the database could be read.
                Err(error) => tracing::debug!(%error, "a line cannot look"),
            }
        }
        if why & why::DUE != 0 {
            if pings && self.pings >= UNANSWERED {
                return End::Silent.into();
            }
            turn.ping = pings;
            self.pings = self.pings.saturating_add(1);
            self.link.due_at((now + PING).min(self.admitted.until));
        }
        turn
    }

    /// The phone may no longer be served: it is told what it was ordered, and the line ends.
    pub(super) async fn barred(&mut self, error: Error) -> Turn {
        let told = self.commands(false).await.unwrap_or_default();
        Turn { told, end: Some(End::Error(error)), ..Turn::default() }
    }

    async fn news(&mut self) -> Result<Vec<Told>> {
        let mut told = self.commands(false).await?;
        let device = self.devices.current(self.admitted.named).await?;
        if device.posture != self.posture && device.posture < Posture::Lock {
            self.posture = device.posture;
            told.push(Told::unasked(Word::Standing { posture: device.posture }));
        }
        self.admitted.phone.device = device;
        Ok(told)
    }

    /// Commands not told yet on this line; at its beginning also those nobody answered.
    async fn commands(&mut self, is_first: bool) -> Result<Vec<Told>> {
        let (mut told, mut repeats) = (Vec::new(), is_first);
        loop {
            let phone = &self.admitted.phone;
            let page = if repeats {
                self.devices.commands_since(phone, self.after).await?
            } else {
                self.devices.commands_beyond(phone, self.after).await?
            };
            let (is_last, passed) = (!page.is_full(), page.items.last().map(|command| command.sequence));
            // A full first page may hold only old ones: the next begins behind them.
            self.after = passed.filter(|_| !is_last).unwrap_or(page.after);
            told.extend(page.items.into_iter().map(|command| Told::unasked(Word::Command(Box::new(command)))));
            if is_last {
                return Ok(told);
            }
            repeats = false;
        }
    }
}

/// Whether this is known, or only not to be found out at the moment: then the line stays, and nothing is served on it.
pub(super) fn is_final(error: &Error) -> bool {
    !matches!(error.kind(), Kind::Unavailable | Kind::Timeout | Kind::Internal)
}

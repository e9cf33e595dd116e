//! What follows from what a phone says.

use base::{Kind, Result};

use super::look::is_final;
use super::{End, Line, Turn};
use crate::errors;
use crate::vocabulary::Outcome;
use crate::wire::{Refusal, Said, Told, What, Word};

impl Line {
    /// Answers one message.
    pub(super) async fn attend(&mut self, said: Said) -> Turn {
        let number = said.number;
        // A barred phone is only listened to for what became of its commands.
        if !matches!(said.what, What::Acknowledgement { .. }) {
            if self.devices.now() >= self.admitted.until && !matches!(said.what, What::Renewal { .. }) {
                return End::Error(errors::token()).into();
            }
            match self.devices.bar(self.admitted.named).await {
                Ok(()) => {}
                Err(error) if is_final(&error) => return self.barred(error).await,
                Err(error) => return Told::answer(number, Word::Refusal(Refusal::of(&error))).into(),
            }
        }
        match self.answer(said.what).await {
            Ok(word) => Told::answer(number, word).into(),
            Err(error) => {
                let mut refusal = Refusal::of(&error);
                if error.kind() == Kind::Internal {
                    tracing::error!(%error, "a message of a device was not attended to");
                }
                if error.kind() == Kind::Unauthenticated {
                    refusal.proof_nonce = self.devices.proof_nonce().await.ok();
                }
                Told::answer(number, Word::Refusal(refusal)).into()
            }
        }
    }

    async fn answer(&mut self, what: What) -> Result<Word> {
        match what {
            What::Readings(batch) => {
                self.admitted.phone.device = self.devices.current(self.admitted.named).await?;
                let origin = self.admitted.phone.actor.origin.clone();
                let receipt = self.devices.signals(&self.admitted.phone, batch, &origin).await?;
                // The receipt tells it; it need not be told again.
                self.posture = receipt.posture;
                Ok(Word::Receipt(receipt))
            }
            What::Acknowledgement { sequence, outcome } => self.acknowledge(sequence, outcome).await,
            What::Renewal { access_token, proof } => {
                let presented = self.opening.presented(access_token, proof);
                let origin = self.admitted.phone.actor.origin.clone();
                let renewed = self.devices.admit(&presented, self.opening.certificate.as_deref(), &origin).await?;
                if renewed.named.device != self.admitted.named.device {
                    return Err(errors::token());
                }
                self.admitted = renewed;
                let proof_nonce = self.devices.proof_nonce().await?;
                Ok(Word::Renewed { expires_at: self.admitted.expires_at, proof_nonce })
            }
            What::Challenge => Ok(Word::Challenge(self.devices.challenge_phone(&self.admitted.phone).await?)),
        }
    }

    async fn acknowledge(&self, sequence: i64, outcome: Outcome) -> Result<Word> {
        let command = self.devices.acknowledge(&self.admitted.phone, sequence, outcome).await?;
        Ok(Word::Acknowledged { sequence, outcome: command.outcome })
    }
}

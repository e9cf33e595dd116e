//! What a phone is told on an open line, written in whichever form it takes.

use std::time::Duration;

use base::Time;
use prost::Message;
use serde::Serialize;

use crate::model::Command;
use crate::service::{Challenge, SignalReceipt};
use crate::vocabulary::{Outcome, Posture};
use crate::wire::v1;

/// One message for a phone.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Told {
    #[serde(skip_serializing_if = "is_none")]
    number: u32,
    #[serde(flatten)]
    word: Word,
}

/// What a phone can be told.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// The line is open.
    Welcome { posture: Posture, expires_at: Time, proof_nonce: String },
    /// What came of readings.
    Receipt(SignalReceipt),
    /// Something to do.
    Command(Box<Command>),
    /// An answer to a command was written down.
    Acknowledged { sequence: i64, outcome: Option<Outcome> },
    /// A newer token was taken.
    Renewed { expires_at: Time, proof_nonce: String },
    /// A nonce to attest.
    Challenge(Challenge),
    /// What the phone may do changed.
    Standing { posture: Posture },
    /// What was said was not taken.
    Refusal(Refusal),
    /// The line is about to be closed.
    Farewell { code: String, detail: String, retry_after_ms: u64 },
}

/// Why something was not taken.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Refusal {
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// For the next proof, when one lacked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) proof_nonce: Option<String>,
}

fn is_none(number: &u32) -> bool {
    *number == 0
}

/// Milliseconds as they are told.
pub(crate) fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

impl Refusal {
    /// What may be shown of an error.
    pub(crate) fn of(error: &base::Error) -> Self {
        let is_ours = error.kind() == base::Kind::Internal;
        Self {
            code: error.code(),
            detail: if is_ours { "something went wrong here".to_owned() } else { error.detail().to_owned() },
            field: error.field().map(str::to_owned),
            retry_after_ms: error.wait().map(millis),
            proof_nonce: None,
        }
    }
}

impl Told {
    /// An answer to message `number`.
    pub(crate) fn answer(number: u32, word: Word) -> Self {
        Self { number, word }
    }

    /// Something nobody asked for.
    pub(crate) fn unasked(word: Word) -> Self {
        Self::answer(0, word)
    }

    /// The JSON form.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The protobuf form.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        v1::StreamResponse::from(self).encode_to_vec()
    }
}

impl From<Told> for v1::StreamResponse {
    fn from(told: Told) -> Self {
        use v1::stream_response::Told as One;
        let word = match told.word {
            Word::Welcome { posture, expires_at, proof_nonce } => {
                One::Welcome(v1::Welcome { posture: v1::Posture::from(posture).into(), expires_at: expires_at.micros(), proof_nonce })
            }
            Word::Receipt(receipt) => One::Receipt(v1::Receipt {
                received: receipt.received as u64,
                refused: receipt.refused,
                windows: receipt.windows as u64,
                score: receipt.score,
                posture: v1::Posture::from(receipt.posture).into(),
                attest_now: receipt.attest_now,
            }),
            Word::Command(command) => One::Command(v1::Command {
                id: command.id.to_string(),
                sequence: command.sequence,
                kind: v1::CommandKind::from(command.kind).into(),
                reach: v1::Reach::from(command.reach).into(),
                reason: command.reason,
                token: command.token,
                created_at: command.created_at.micros(),
                expires_at: command.expires_at.micros(),
            }),
            Word::Acknowledged { sequence, outcome } => {
                One::Acknowledged(v1::Acknowledged { sequence, outcome: outcome.map(v1::Outcome::from).unwrap_or_default().into() })
            }
            Word::Renewed { expires_at, proof_nonce } => One::Renewed(v1::Renewed { expires_at: expires_at.micros(), proof_nonce }),
            Word::Challenge(challenge) => {
                One::Challenge(v1::Challenge { nonce: challenge.nonce, expires_at: challenge.expires_at.micros() })
            }
            Word::Standing { posture } => One::Standing(v1::Standing { posture: v1::Posture::from(posture).into() }),
            Word::Refusal(refusal) => One::Refusal(v1::Refusal {
                code: refusal.code.to_owned(),
                detail: refusal.detail,
                field: refusal.field.unwrap_or_default(),
                retry_after_ms: refusal.retry_after_ms.unwrap_or_default(),
                proof_nonce: refusal.proof_nonce.unwrap_or_default(),
            }),
            Word::Farewell { code, detail, retry_after_ms } => One::Farewell(v1::Farewell { code, detail, retry_after_ms }),
        };
        Self { number: told.number, told: Some(word) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let told = Told::answer(5, Word::Standing { posture: Posture::Restrict });
        assert_eq!(told.to_json(), r#"{"number":5,"standing":{"posture":"restrict"}}"#);
        let read = v1::StreamResponse::decode(told.into_bytes().as_slice()).unwrap();
        let expected = v1::Standing { posture: v1::Posture::Restrict.into() };
        assert_eq!((read.number, read.told), (5, Some(v1::stream_response::Told::Standing(expected))));
    }

    #[test]
    fn what_went_wrong_here_is_not_told() {
        let refusal = Refusal::of(&base::Error::internal("the table has no column x"));
        assert!(!refusal.detail.contains("column") && refusal.code == "internal");
        assert_eq!(
            Told::unasked(Word::Refusal(refusal)).to_json(),
            r#"{"refusal":{"code":"internal","detail":"something went wrong here"}}"#
        );
    }
}

//! What a phone and the server say to each other on a line, in both forms of the contract.

use std::time::Duration;

use prost::Message;
use serde_json::{Value as Json, json};
use threat::{Posture, Reading};

use crate::motion::Stretch;

/// The generated messages and the client.
#[expect(
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    reason = "generated from the whole contract; a phone of this kind does not say everything"
)]
pub(crate) mod v1 {
    tonic::include_proto!("tyrian.v1");
}

use v1::stream_request::Said as OneSaid;
use v1::stream_response::Told as OneTold;

/// What a phone says.
#[derive(Debug)]
pub(crate) enum Said<'a> {
    /// What it measured.
    Readings(&'a Stretch),
    /// The command with this number was carried out.
    Done(i64),
    /// A newer token.
    Renewal { token: &'a str, proof: &'a str },
}

/// What came of readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) received: u64,
    pub(crate) refused: u64,
    pub(crate) posture: Option<Posture>,
    pub(crate) attest_now: bool,
}

/// What a phone hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Welcome {
        posture: Option<Posture>,
        nonce: String,
    },
    Receipt(Receipt),
    /// The signed form, which alone counts.
    Command(String),
    /// With the nonce of the next proof.
    Renewed(String),
    Standing(Option<Posture>),
    Refusal {
        code: String,
        nonce: Option<String>,
    },
    Farewell {
        code: String,
        wait: Duration,
    },
    /// Nothing that a phone of this kind needs to know.
    Other,
}

impl Said<'_> {
    /// The JSON form.
    pub(super) fn to_json(&self, number: u32) -> String {
        match self {
            Self::Readings(stretch) => format!("{{\"number\":{number},\"readings\":{}}}", stretch.to_json()),
            Self::Done(sequence) => json!({ "number": number, "acknowledgement": { "sequence": sequence, "outcome": "done" } }).to_string(),
            Self::Renewal { token, proof } => json!({ "number": number, "renewal": { "access_token": token, "proof": proof } }).to_string(),
        }
    }

    /// The message of the contract.
    pub(super) fn to_message(&self, number: u32) -> v1::StreamRequest {
        let said = match self {
            Self::Readings(stretch) => OneSaid::Readings(v1::Readings {
                accelerometer: Some(series(&stretch.accelerometer)),
                gyroscope: Some(series(&stretch.gyroscope)),
                ..v1::Readings::default()
            }),
            Self::Done(sequence) => {
                OneSaid::Acknowledgement(v1::Acknowledgement { sequence: *sequence, outcome: v1::Outcome::Done.into() })
            }
            Self::Renewal { token, proof } => {
                OneSaid::Renewal(v1::Renewal { access_token: (*token).to_owned(), proof: (*proof).to_owned() })
            }
        };
        v1::StreamRequest { number, said: Some(said) }
    }

    /// The protobuf form.
    pub(super) fn to_bytes(&self, number: u32) -> Vec<u8> {
        self.to_message(number).encode_to_vec()
    }
}

fn series(readings: &[Reading]) -> v1::Series {
    let mut before = 0;
    let steps = readings.iter().map(|reading| {
        let step = reading.t - before;
        before = reading.t;
        step
    });
    v1::Series {
        t: steps.collect(),
        x: readings.iter().map(|reading| reading.x).collect(),
        y: readings.iter().map(|reading| reading.y).collect(),
        z: readings.iter().map(|reading| reading.z).collect(),
    }
}

fn posture(number: i32) -> Option<Posture> {
    match v1::Posture::try_from(number).ok()? {
        v1::Posture::Unspecified => None,
        v1::Posture::Observe => Some(Posture::Observe),
        v1::Posture::StepUp => Some(Posture::StepUp),
        v1::Posture::Restrict => Some(Posture::Restrict),
        v1::Posture::Lock => Some(Posture::Lock),
        v1::Posture::Quarantine => Some(Posture::Quarantine),
    }
}

impl Told {
    /// Reads the JSON form: the number of what it answers, and what it is.
    pub(super) fn from_json(text: &str) -> (u32, Self) {
        let told: Json = serde_json::from_str(text).unwrap_or_default();
        let number = told["number"].as_u64().and_then(|number| number.try_into().ok()).unwrap_or(0);
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let posture = |value: &Json| serde_json::from_value(value.clone()).ok();
        let Some((name, word)) = told.as_object().and_then(|told| told.iter().find(|(name, _)| *name != "number")) else {
            return (number, Self::Other);
        };
        let word = match name.as_str() {
            "welcome" => Self::Welcome { posture: posture(&word["posture"]), nonce: text(&word["proof_nonce"]) },
            "receipt" => Self::Receipt(Receipt::from_json(word)),
            "command" => Self::Command(text(&word["token"])),
            "renewed" => Self::Renewed(text(&word["proof_nonce"])),
            "standing" => Self::Standing(posture(&word["posture"])),
            "refusal" => Self::Refusal { code: text(&word["code"]), nonce: word["proof_nonce"].as_str().map(str::to_owned) },
            "farewell" => {
                let wait = Duration::from_millis(word["retry_after_ms"].as_u64().unwrap_or(0));
                Self::Farewell { code: text(&word["code"]), wait }
            }
            _ => Self::Other,
        };
        (number, word)
    }

    /// Reads the protobuf form.
    pub(super) fn from_bytes(bytes: &[u8]) -> (u32, Self) {
        v1::StreamResponse::decode(bytes).map_or((0, Self::Other), Self::from_message)
    }

    /// Reads the message of the contract.
    pub(super) fn from_message(response: v1::StreamResponse) -> (u32, Self) {
        let told = match response.told {
            Some(OneTold::Welcome(welcome)) => Self::Welcome { posture: posture(welcome.posture), nonce: welcome.proof_nonce },
            Some(OneTold::Receipt(receipt)) => Self::Receipt(Receipt {
                received: receipt.received,
                refused: receipt.refused,
                posture: posture(receipt.posture),
                attest_now: receipt.attest_now,
            }),
            Some(OneTold::Command(command)) => Self::Command(command.token),
            Some(OneTold::Renewed(renewed)) => Self::Renewed(renewed.proof_nonce),
            Some(OneTold::Standing(standing)) => Self::Standing(posture(standing.posture)),
            Some(OneTold::Refusal(refusal)) => {
                Self::Refusal { code: refusal.code, nonce: Some(refusal.proof_nonce).filter(|nonce| !nonce.is_empty()) }
            }
            Some(OneTold::Farewell(farewell)) => {
                Self::Farewell { code: farewell.code, wait: Duration::from_millis(farewell.retry_after_ms) }
            }
            Some(OneTold::Acknowledged(_) | OneTold::Challenge(_)) | None => Self::Other,
        };
        (response.number, told)
    }
}

impl Receipt {
    /// As an answer to `POST /device/signals` or on a line says it.
    pub(crate) fn from_json(told: &Json) -> Self {
        let count = |key: &str| told[key].as_u64().unwrap_or(0);
        Self {
            received: count("received"),
            refused: count("refused"),
            posture: serde_json::from_value(told["posture"].clone()).ok(),
            attest_now: told["attest_now"] == true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let farewell = v1::Farewell { code: "restart".to_owned(), detail: String::new(), retry_after_ms: 700 };
        let bytes = v1::StreamResponse { number: 0, told: Some(OneTold::Farewell(farewell)) }.encode_to_vec();
        let json = r#"{"farewell":{"code":"restart","detail":"","retry_after_ms":700}}"#;
        assert_eq!(Told::from_bytes(&bytes), Told::from_json(json));
        let receipt = v1::Receipt { received: 4, refused: 1, posture: v1::Posture::StepUp.into(), ..v1::Receipt::default() };
        let bytes = v1::StreamResponse { number: 9, told: Some(OneTold::Receipt(receipt)) }.encode_to_vec();
        let json = r#"{"receipt":{"received":4,"refused":1,"posture":"step_up","attest_now":false},"number":9}"#;
        assert_eq!(Told::from_bytes(&bytes), Told::from_json(json));
        for text in ["", "[]", "{\"number\":3}", "{\"news\":{}}"] {
            assert_eq!(Told::from_json(text).1, Told::Other, "{text}");
        }
        assert_eq!(Told::from_bytes(b"\xff").1, Told::Other);
    }

    #[test]
    fn times_are_told_as_steps() {
        let reading = |t| Reading { t, x: 0.0, y: 0.0, z: 9.8 };
        let stretch = Stretch { accelerometer: vec![reading(1_000), reading(1_010), reading(1_005)], gyroscope: Vec::new() };
        let Some(OneSaid::Readings(readings)) = Said::Readings(&stretch).to_message(1).said else { panic!("no readings") };
        assert_eq!(readings.accelerometer.unwrap().t, [1_000, 10, -5]);
    }
}

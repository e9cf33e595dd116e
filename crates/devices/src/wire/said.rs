//! What a phone says on an open line, in whichever form it came.

use base::{Error, Result};
use prost::Message;
use serde::Deserialize;

use super::enums;
use crate::errors;
use crate::service::SignalBatch;
use crate::vocabulary::Outcome;
use crate::wire::v1;

/// One message of a phone.
#[derive(Debug)]
pub(crate) struct Said {
    /// Given back with the answer.
    pub(crate) number: u32,
    /// What it is.
    pub(crate) what: What,
}

/// What a phone can say.
#[derive(Debug)]
pub(crate) enum What {
    /// What it measured.
    Readings(SignalBatch),
    /// What became of a command.
    Acknowledgement { sequence: i64, outcome: Outcome },
    /// A newer token, and a proof about it.
    Renewal { access_token: String, proof: Option<String> },
    /// It wants a nonce to attest.
    Challenge,
}

/// The JSON form: a number, and one of the rest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    number: u32,
    readings: Option<SignalBatch>,
    acknowledgement: Option<Acknowledgement>,
    renewal: Option<Renewal>,
    challenge: Option<Challenge>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    sequence: i64,
    outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Renewal {
    access_token: String,
    proof: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Challenge {}

impl Said {
    /// Reads the JSON form.
    pub(crate) fn from_json(text: &str) -> Result<Self> {
        let written: Written = web::read_json(text.as_bytes())?;
        let number = written.number;
        let what = match written {
            Written { readings: Some(batch), acknowledgement: None, renewal: None, challenge: None, .. } => What::Readings(batch),
            Written { readings: None, acknowledgement: Some(told), renewal: None, challenge: None, .. } => {
                What::Acknowledgement { sequence: told.sequence, outcome: told.outcome }
            }
            Written { readings: None, acknowledgement: None, renewal: Some(newer), challenge: None, .. } => {
                What::Renewal { access_token: newer.access_token, proof: newer.proof }
            }
            Written { readings: None, acknowledgement: None, renewal: None, challenge: Some(Challenge {}), .. } => What::Challenge,
            _ => return Err(errors::message()),
        };
        Ok(Self { number, what })
    }

    /// Reads the protobuf form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        v1::StreamRequest::decode(bytes).map_err(|cause| errors::undecodable(&cause))?.try_into()
    }
}

impl TryFrom<v1::StreamRequest> for Said {
    type Error = Error;

    fn try_from(request: v1::StreamRequest) -> Result<Self> {
        use v1::stream_request::Said as One;
        let what = match request.said.ok_or_else(errors::message)? {
            One::Readings(readings) => What::Readings(readings.try_into()?),
            One::Acknowledgement(told) => {
                let outcome = enums::outcome(told.outcome).ok_or_else(|| errors::field("/acknowledgement/outcome", "it is none"))?;
                What::Acknowledgement { sequence: told.sequence, outcome }
            }
            One::Renewal(newer) => {
                What::Renewal { access_token: newer.access_token, proof: Some(newer.proof).filter(|proof| !proof.is_empty()) }
            }
            One::Challenge(_) => What::Challenge,
        };
        Ok(Self { number: request.number, what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_exactly_one_thing() {
        let said = Said::from_json(r#"{"number":7,"acknowledgement":{"sequence":3,"outcome":"done"}}"#).unwrap();
        assert!(said.number == 7 && matches!(said.what, What::Acknowledgement { sequence: 3, outcome: Outcome::Done }));
        assert!(matches!(Said::from_json(r#"{"challenge":{}}"#).unwrap().what, What::Challenge));
        for (text, code) in [
            ("{}", "devices.message"),
            (r#"{"challenge":{},"readings":{}}"#, "devices.message"),
            (r#"{"hello":1}"#, "web.body_shape"),
            ("[1]", "web.body_shape"),
            ("{", "web.body_syntax"),
        ] {
            assert_eq!(Said::from_json(text).unwrap_err().code(), code, "{text}");
        }
        assert_eq!(Said::from_bytes(&[]).unwrap_err().code(), "devices.message");
        let none = v1::StreamRequest {
            number: 1,
            said: Some(v1::stream_request::Said::Acknowledgement(v1::Acknowledgement { sequence: 1, outcome: 9 })),
        };
        assert_eq!(Said::from_bytes(&none.encode_to_vec()).unwrap_err().field(), Some("/acknowledgement/outcome"));
    }
}

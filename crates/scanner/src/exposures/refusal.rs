//! Telling a refusal, which is an answer, from a service that has no time or place for us: only the first decides anything.

use crate::report::printable;
use crate::wire::WireError;

/// What a service said instead of an answer.
pub(super) fn unanswered(reply: &[u8]) -> WireError {
    WireError::Failed(format!("the service answered {}", printable(reply, 80)))
}

/// The code of FTP or SMTP, unless the service cannot answer at the moment (RFC 959, 4.2.1; RFC 5321, 4.2.1).
pub(super) fn settled((code, text): (u16, String)) -> Result<u16, WireError> {
    match code {
        400..500 => Err(unanswered(text.as_bytes())),
        code => Ok(code),
    }
}

/// Checks that the greeting of FTP or SMTP takes commands.
pub(super) fn welcomed((code, text): (u16, String)) -> Result<String, WireError> {
    match code {
        220 => Ok(text),
        _ => Err(unanswered(text.as_bytes())),
    }
}

/// Words with which Redis keeps strangers out.
const REDIS: &[&str] = &[
    "-NOAUTH",
    "-NOPERM",
    "-DENIED",
    "-WRONGPASS",
    "-ERR invalid password",
    "-ERR operation not permitted",
    "-ERR unknown command",
    "-ERR AUTH",
    "-ERR Client sent AUTH",
];

/// True when Redis keeps strangers out; an error while it loads, or has too many clients, is none of those.
pub(super) fn is_redis(reply: &[u8]) -> bool {
    REDIS.iter().any(|words| reply.starts_with(words.as_bytes()))
}

/// Access denied, wrong host, locked accounts: what MySQL says to those who may not come in.
const MYSQL: &[u16] = &[1044, 1045, 1130, 1698, 3118, 3955, 4151];

/// Checks that a packet of MySQL is no error that has nothing to do with who asks; true when it is a refusal.
pub(super) fn of_mysql(packet: &[u8]) -> Result<bool, WireError> {
    let [0xff, low, high, ..] = packet.get(4..).unwrap_or_default() else { return Ok(false) };
    match MYSQL.contains(&u16::from_le_bytes([*low, *high])) {
        true => Ok(true),
        false => Err(unanswered(packet.get(7..).unwrap_or_default())),
    }
}

/// Checks that a message of PostgreSQL is no error but one of class 28, invalid authorisation; true when it is that.
pub(super) fn of_postgresql(message: &[u8]) -> Result<bool, WireError> {
    let Some(fields) = message.strip_prefix(b"E").and_then(|rest| rest.get(4..)) else { return Ok(false) };
    let state = fields.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"C"));
    match state.is_some_and(|state| state.starts_with(b"28")) {
        true => Ok(true),
        false => Err(unanswered(&fields.split(|byte| *byte == 0).collect::<Vec<_>>().join(&b' '))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_a_full_house() {
        assert!(is_redis(b"-NOAUTH Authentication required.\r\n") && !is_redis(b"-ERR max number of clients reached\r\n"));
        assert_eq!(of_mysql(b"\x17\0\0\x02\xff\x15\x04#28000Access denied"), Ok(true));
        assert!(of_mysql(b"\x17\0\0\0\xff\x10\x04Too many connections").is_err());
        assert_eq!(of_mysql(b"\x4a\0\0\0\x0a8.0.36\0"), Ok(false));
        assert_eq!(of_postgresql(b"E\0\0\0\x20SFATAL\0C28P01\0Mno\0\0"), Ok(true));
        assert!(of_postgresql(b"E\0\0\0\x20SFATAL\0C53300\0Msorry, too many clients already\0\0").is_err());
        assert_eq!(of_postgresql(b"R\0\0\0\x08\0\0\0\0"), Ok(false));
        assert!(settled((421, "421 busy".into())).is_err() && settled((530, String::new())) == Ok(530));
    }
}

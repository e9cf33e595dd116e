//! Databases and caches that answer without a password.

use super::passwords::is_message;
use super::refusal::{is_redis, of_mysql, of_postgresql, unanswered};
use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::wire::contains;

/// OP_MSG `{listDatabases: 1, nameOnly: true, $db: "admin"}`.
const MONGODB_LIST: &[u8] = b"G\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x002\x00\x00\x00\x10listDatabases\x00\x01\x00\x00\x00\x08nameOnly\x00\x01\x02$db\x00\x06\x00\x00\x00admin\x00\x00";
/// Passwords from manuals and first guesses.
const REDIS_PASSWORDS: &[&str] = &["foobared", "redis", "password", "admin", "root", "123456", "default"];

pub(super) async fn redis(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n").await?;
    let reply = wire.read_until(|bytes| bytes.starts_with(b"-") || contains(bytes, b"redis_version") && bytes.ends_with(b"\r\n")).await?;
    if is_redis(&reply) {
        return Ok(Vec::new());
    }
    if !reply.starts_with(b"$") {
        return Err(unanswered(&reply));
    }
    let text = String::from_utf8_lossy(&reply);
    let mut issue = subject.issue(&exposures::REDIS);
    for key in ["redis_version", "redis_mode", "os", "executable"] {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        if let Some(value) = line {
            issue = issue.evidence(key, value);
        }
    }
    Ok(vec![issue.sure(99)])
}

pub(super) async fn redis_passwords(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(b"*1\r\n$4\r\nPING\r\n").await?;
    let reply = wire.read_some().await?;
    if !reply.starts_with(b"-NOAUTH") {
        // Who lets everybody in, or nobody, has no password to guess.
        return if reply.starts_with(b"+PONG") || is_redis(&reply) { Ok(Vec::new()) } else { Err(unanswered(&reply)) };
    }
    for password in REDIS_PASSWORDS {
        let command = format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{password}\r\n", password.len());
        wire.send(command.as_bytes()).await?;
        let reply = wire.read_some().await?;
        if reply.starts_with(b"+OK") {
            return Ok(vec![subject.issue(&exposures::REDIS_DEFAULT_PASSWORD).about(*password).sure(99)]);
        }
        if !is_redis(&reply) {
            return Err(unanswered(&reply));
        }
    }
    Ok(Vec::new())
}

pub(super) async fn memcached(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(b"stats\r\n").await?;
    let reply = wire.read_until(|bytes| bytes.ends_with(b"END\r\n") || bytes.ends_with(b"ERROR\r\n")).await?;
    let text = String::from_utf8_lossy(&reply);
    if !text.starts_with("STAT ") {
        // `ERROR Too many open connections` is no refusal of the question.
        let refused = matches!(text.trim_end(), "ERROR") || text.starts_with("CLIENT_ERROR");
        return if refused { Ok(Vec::new()) } else { Err(unanswered(&reply)) };
    }
    let mut issue = subject.issue(&exposures::MEMCACHED);
    for key in ["version", "curr_items", "bytes", "curr_connections"] {
        let value = text.lines().find_map(|line| line.strip_prefix("STAT ")?.strip_prefix(key)?.strip_prefix(' '));
        if let Some(value) = value {
            issue = issue.evidence(key, value);
        }
    }
    Ok(vec![issue.sure(99)])
}

pub(super) async fn mongodb(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(MONGODB_LIST).await?;
    let reply = wire
        .read_until(|bytes| {
            let length = bytes.first_chunk::<4>().map(|length| u32::from_le_bytes(*length));
            length.is_some_and(|length| bytes.len() >= length as usize)
        })
        .await?;
    let failed = contains(&reply, b"errmsg");
    let open = contains(&reply, b"\x04databases\x00") && !failed;
    let refused = failed && contains(&reply.to_ascii_lowercase(), b"auth");
    if !open && !refused {
        return Err(unanswered(&reply));
    }
    Ok(open.then(|| subject.issue(&exposures::MONGODB).evidence("command", "listDatabases").sure(99)).into_iter().collect())
}

/// Logs in as root with an empty password; the session ends at once.
pub(super) async fn mysql(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    if of_mysql(&wire.read_some().await?)? {
        return Ok(Vec::new());
    }
    let mut login = Vec::new();
    // Protocol 4.1, long password, transactions, secure connection, plugin authentication.
    login.extend(0x0008_a201_u32.to_le_bytes());
    login.extend(0x0100_0000_u32.to_le_bytes());
    login.push(33);
    login.extend([0; 23]);
    login.extend(b"root\0\0mysql_native_password\0");
    wire.send(&packet(1, &login)).await?;
    let mut reply = wire.read_some().await?;
    // A switch of the method: an empty password is an empty packet in every one of them.
    if reply.get(4) == Some(&0xfe) {
        let number = reply.get(3).copied().unwrap_or(2).wrapping_add(1);
        wire.send(&packet(number, &[])).await?;
        reply = wire.read_some().await?;
    }
    let entered = reply.get(4) == Some(&0) || reply.get(4..6) == Some(&[1, 3]);
    // More is wanted than an empty password.
    let asked = reply.get(4..6) == Some(&[1, 4]);
    if !entered && !asked && !of_mysql(&reply)? {
        return Err(unanswered(&reply));
    }
    Ok(entered.then(|| subject.issue(&exposures::MYSQL_EMPTY_ROOT).about("root").sure(99)).into_iter().collect())
}

pub(super) fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = (payload.len() as u32).to_le_bytes().into_iter().take(3).collect();
    bytes.push(number);
    bytes.extend(payload);
    bytes
}

pub(super) async fn postgresql(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let mut startup = (parameters.len() as u32 + 8).to_be_bytes().to_vec();
    startup.extend([0, 3, 0, 0]);
    startup.extend(parameters);
    wire.send(&startup).await?;
    let reply = wire.read_until(is_message).await?;
    // AuthenticationOk: R, length 8, code 0.
    let entered = reply.starts_with(&[b'R', 0, 0, 0, 8, 0, 0, 0, 0]);
    if !reply.starts_with(b"R") && !of_postgresql(&reply)? {
        return Err(unanswered(&reply));
    }
    Ok(entered.then(|| subject.issue(&exposures::POSTGRES_TRUST).about("postgres").sure(99)).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_for_databases_is_as_long_as_it_says() {
        assert_eq!(MONGODB_LIST.len(), usize::from(MONGODB_LIST[0]));
        assert_eq!(MONGODB_LIST.len() - 21, usize::from(MONGODB_LIST[21]));
    }
}

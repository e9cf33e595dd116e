//! Names and passwords that manuals print: a few are tried, each on a connection of its own.

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::databases::packet;
use super::refusal::{of_mysql, of_postgresql, settled, unanswered, welcomed};
use super::{Found, Subject};
use crate::catalogue::exposures;
use crate::report::CoverageStatus;
use crate::wire::{Wire, WireError};

const POSTGRES: &[(&str, &str)] = &[("postgres", "postgres"), ("postgres", "password"), ("postgres", "admin"), ("admin", "admin")];
const MYSQL: &[(&str, &str)] = &[("root", "root"), ("root", "password"), ("root", "mysql"), ("admin", "admin")];
const FTP: &[(&str, &str)] = &[("admin", "admin"), ("ftp", "ftp"), ("user", "password"), ("test", "test")];
/// Most rounds that a server may ask for before its question is left alone.
const ROUNDS_BORNE: u32 = 200_000;
/// Any text serves: what is proved is the password, not the freshness.
const NONCE: &str = "dHlyaWFuLXNjYW4tbm9uY2U";

/// What became of one pair.
#[derive(PartialEq)]
enum Login {
    Taken,
    Refused,
    /// The server wants a login of another kind, so that the pair was not tried.
    Untried,
}

fn taken(is_taken: bool) -> Login {
    if is_taken { Login::Taken } else { Login::Refused }
}

/// A database whose users have passwords.
#[derive(Clone, Copy)]
enum Database {
    Postgresql,
    Mysql,
}

pub(super) async fn postgresql(subject: &Subject<'_>) -> Found {
    database(subject, Database::Postgresql, POSTGRES).await
}

pub(super) async fn mysql(subject: &Subject<'_>) -> Found {
    database(subject, Database::Mysql, MYSQL).await
}

/// Tries one pair after the other; the first that is let in is told.
async fn database(subject: &Subject<'_>, database: Database, tried: &[(&str, &str)]) -> Found {
    let mut is_untried = false;
    for (user, password) in tried {
        let login = match database {
            Database::Postgresql => postgres_login(subject, user, password).await?,
            Database::Mysql => mysql_login(subject, user, password).await?,
        };
        is_untried |= login == Login::Untried;
        if login == Login::Taken {
            let shown = format!("{user}:{password}");
            return Ok(vec![subject.issue(&exposures::DATABASE_DEFAULT_PASSWORD).about(shown).sure(99)]);
        }
    }
    if is_untried {
        let (check, reason) = (&exposures::DATABASE_DEFAULT_PASSWORD, "the server wants a login of a kind that is not tried".to_owned());
        subject.session.undecided(check.id, subject.endpoint, None, CoverageStatus::Skipped, reason).await;
    }
    Ok(Vec::new())
}

/// RabbitMQ is installed with a user of its own name for guests.
pub(super) async fn amqp(subject: &Subject<'_>) -> Found {
    let mut wire = subject.open().await?;
    wire.send(b"AMQP\x00\x00\x09\x01").await?;
    let greeting = wire.read_until(is_frame).await?;
    if method(&greeting) != Some((10, 10)) {
        return Err(unanswered(&greeting));
    }
    // Connection.StartOk: no properties, PLAIN, the answer, the language.
    let mut arguments = vec![0, 10, 0, 11, 0, 0, 0, 0, 5];
    arguments.extend(b"PLAIN\0\0\0\x0c\0guest\0guest\x05en_US");
    let mut frame = vec![1, 0, 0];
    frame.extend((arguments.len() as u32).to_be_bytes());
    frame.extend(arguments);
    frame.push(0xce);
    wire.send(&frame).await?;
    // Tune follows a login; a refusal is Close, or the end of the connection.
    let reply = match wire.read_until(is_frame).await {
        Err(WireError::Timeout) => return Err(WireError::Timeout),
        reply => reply.unwrap_or_default(),
    };
    let entered = method(&reply) == Some((10, 30));
    Ok(entered.then(|| subject.issue(&exposures::AMQP_DEFAULT_PASSWORD).about("guest:guest").sure(99)).into_iter().collect())
}

fn is_frame(bytes: &[u8]) -> bool {
    let length = bytes.get(3..).and_then(|rest| rest.first_chunk::<4>()).map(|length| u32::from_be_bytes(*length) as usize);
    length.is_some_and(|length| bytes.len() >= length.saturating_add(8))
}

/// Class and number of the method in a frame.
fn method(frame: &[u8]) -> Option<(u8, u8)> {
    let [1, 0, 0, _, _, _, _, 0, class, 0, number, ..] = frame else { return None };
    Some((*class, *number))
}

/// Whether the server asked for this password and took it.
async fn postgres_login(subject: &Subject<'_>, user: &str, password: &str) -> Result<Login, WireError> {
    let mut wire = subject.open().await?;
    let parameters = format!("user\0{user}\0database\0postgres\0\0");
    let mut startup = (parameters.len() as u32 + 8).to_be_bytes().to_vec();
    startup.extend([0, 3, 0, 0]);
    startup.extend(parameters.bytes());
    wire.send(&startup).await?;
    let reply = wire.read_until(is_message).await?;
    match authentication(&reply) {
        Some((3, _)) => {
            wire.send(&message(format!("{password}\0").as_bytes())).await?;
            let reply = wire.read_until(is_message).await?;
            Ok(taken(!of_postgresql(&reply)? && reply.starts_with(&[b'R', 0, 0, 0, 8, 0, 0, 0, 0])))
        }
        Some((10, methods)) if methods.windows(14).any(|name| name == b"SCRAM-SHA-256\0") => {
            let first = format!("n=,r={NONCE}");
            let mut initial = b"SCRAM-SHA-256\0".to_vec();
            initial.extend((first.len() as u32 + 3).to_be_bytes());
            initial.extend(b"n,,");
            initial.extend(first.bytes());
            wire.send(&message(&initial)).await?;
            let reply = wire.read_until(is_message).await?;
            let Some((11, challenge)) = authentication(&reply) else { return refused(&reply) };
            let Some(answer) = std::str::from_utf8(challenge).ok().and_then(|challenge| scram(password, &first, challenge)) else {
                return Ok(Login::Untried);
            };
            wire.send(&message(answer.as_bytes())).await?;
            let reply = wire.read_until(is_message).await?;
            Ok(taken(!of_postgresql(&reply)? && matches!(authentication(&reply), Some((12, _)))))
        }
        // Nobody is asked for a password, so that none is guessed.
        Some((0, _)) => Ok(Login::Refused),
        Some(_) => Ok(Login::Untried),
        None => refused(&reply),
    }
}

/// A refusal, or no answer at all.
fn refused(reply: &[u8]) -> Result<Login, WireError> {
    match of_postgresql(reply)? {
        true => Ok(Login::Refused),
        false => Err(unanswered(reply)),
    }
}

pub(super) fn is_message(bytes: &[u8]) -> bool {
    let length = bytes.get(1..).and_then(|rest| rest.first_chunk::<4>()).map(|length| u32::from_be_bytes(*length) as usize);
    length.is_some_and(|length| bytes.len() > length)
}

/// Kind and contents of a request for authentication.
fn authentication(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<9>()?;
    let [b'R', a, b, c, d, _, _, _, kind] = *head else { return None };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    Some((u32::from(kind), rest.get(..length.checked_sub(8)?)?))
}

fn message(contents: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b'p'];
    bytes.extend((contents.len() as u32 + 4).to_be_bytes());
    bytes.extend(contents);
    bytes
}

/// The last word of a client in SCRAM-SHA-256 (RFC 5802, RFC 7677).
fn scram(password: &str, first: &str, challenge: &str) -> Option<String> {
    let field = |name: &str| challenge.split(',').find_map(|part| part.strip_prefix(name));
    let (nonce, salt) = (field("r=")?, STANDARD.decode(field("s=")?).ok()?);
    let rounds: u32 = field("i=")?.parse().ok()?;
    let rounds = std::num::NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= ROUNDS_BORNE)?;
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut salted);
    let keyed = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let client = keyed(&salted, b"Client Key");
    let stored = digest::digest(&digest::SHA256, client.as_ref());
    let ending = format!("c=biws,r={nonce}");
    let signature = keyed(stored.as_ref(), format!("{first},{challenge},{ending}").as_bytes());
    let proof: Vec<u8> = client.as_ref().iter().zip(signature.as_ref()).map(|(left, right)| left ^ right).collect();
    Some(format!("{ending},p={}", STANDARD.encode(proof)))
}

async fn mysql_login(subject: &Subject<'_>, user: &str, password: &str) -> Result<Login, WireError> {
    let mut wire = subject.open().await?;
    let greeting = wire.read_some().await?;
    if of_mysql(&greeting)? {
        return Ok(Login::Refused);
    }
    let Some(salt) = greeting_salt(&greeting) else { return Err(unanswered(&greeting)) };
    let mut login = Vec::new();
    login.extend(0x0008_a201_u32.to_le_bytes());
    login.extend(0x0100_0000_u32.to_le_bytes());
    login.push(33);
    login.extend([0; 23]);
    login.extend(user.bytes());
    login.extend([0, 20]);
    login.extend(scramble(password, &salt));
    login.extend(b"mysql_native_password\0");
    wire.send(&packet(1, &login)).await?;
    let mut reply = wire.read_some().await?;
    if let Some(salt) = reply.get(4..).and_then(|rest| rest.strip_prefix(b"\xfemysql_native_password\0")).and_then(|rest| rest.get(..20)) {
        let answer = scramble(password, salt);
        let number = reply.get(3).copied().unwrap_or(2).wrapping_add(1);
        wire.send(&packet(number, &answer)).await?;
        reply = wire.read_some().await?;
    }
    match reply.get(4) {
        Some(0) => Ok(Login::Taken),
        Some(0xfe | 1) => Ok(Login::Untried),
        _ if of_mysql(&reply)? => Ok(Login::Refused),
        _ => Err(unanswered(&reply)),
    }
}

/// The twenty bytes of the greeting that the password is mixed with: eight behind the thread's number, twelve near the end.
fn greeting_salt(greeting: &[u8]) -> Option<Vec<u8>> {
    let rest = greeting.get(5..)?;
    let version = rest.iter().position(|byte| *byte == 0)?;
    let rest = rest.get(version + 1 + 4..)?;
    let (first, rest) = rest.split_at_checked(8)?;
    // Filler, capabilities, character set, status, more capabilities, length, reserved.
    let second = rest.get(1 + 2 + 1 + 2 + 2 + 1 + 10..)?.get(..12)?;
    Some([first, second].concat())
}

/// SHA1(password) XOR SHA1(salt, SHA1(SHA1(password))).
fn scramble(password: &str, salt: &[u8]) -> Vec<u8> {
    let hash = |text: &[u8]| digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text);
    let once = hash(password.as_bytes());
    let mixed = hash(&[salt, hash(once.as_ref()).as_ref()].concat());
    once.as_ref().iter().zip(mixed.as_ref()).map(|(left, right)| left ^ right).collect()
}

pub(super) async fn ftp(subject: &Subject<'_>) -> Found {
    for (user, password) in FTP {
        let mut wire = subject.open().await?;
        welcomed(wire.read_status().await?)?;
        if ftp_login(&mut wire, user, password).await? {
            // A server that lets anybody in has been reported for that.
            let mut wire = subject.open().await?;
            wire.read_status().await?;
            let anybody = ftp_login(&mut wire, user, "tyrian-nonsense").await.unwrap_or(true);
            let shown = format!("{user}:{password}");
            return Ok((!anybody).then(|| subject.issue(&exposures::FTP_DEFAULT_PASSWORD).about(shown).sure(98)).into_iter().collect());
        }
    }
    Ok(Vec::new())
}

async fn ftp_login(wire: &mut Wire, user: &str, password: &str) -> Result<bool, WireError> {
    let code = settled(wire.command(&format!("USER {user}")).await?)?;
    Ok(code == 331 && settled(wire.command(&format!("PASS {password}")).await?)? == 230)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_of_a_password_is_that_of_the_standard() {
        // The example of RFC 7677, with its user name.
        let first = "n=user,r=rOprNGfwEbeRWgbNEkqO";
        let challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let answer = scram("pencil", first, challenge).unwrap();
        assert!(answer.ends_with(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), "{answer}");
        assert_eq!(scram("pencil", first, "r=a,s=W22Z,i=4000000000"), None);
    }

    #[test]
    fn the_salt_of_a_greeting_is_found_in_both_halves() {
        let mut greeting = b"\x4a\0\0\0\x0a10.11\0\x01\0\0\0abcdefgh\0".to_vec();
        greeting.extend([0; 18]);
        greeting.extend(b"ijklmnopqrst\0mysql_native_password\0");
        assert_eq!(greeting_salt(&greeting).as_deref(), Some(b"abcdefghijklmnopqrst".as_slice()));
        assert_eq!(greeting_salt(&greeting[..30]), None);
    }
}

//! Many clients race for refresh tokens and nonces on several nodes, and write down what each asked, was told, and when: the history of
//! which an independent checker says whether there is one order in which every token and nonce was redeemed once.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backends::Clock;
use base::{Error, Result};
use bytes::Bytes;
use futures::future::join_all;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::dice::Dice;
use crate::errors;
use crate::handset::{Ask, Handset, Tokens};
use crate::server::{Reply, Server, Silence};

/// Clients that race for one phone's tokens at a time.
const RIVALS: usize = 4;
/// Rounds of one phone before the next one.
const ROUNDS: usize = 24;
/// How long a phone may take to enrol while nodes die.
const PATIENCE: Duration = Duration::from_secs(60);

/// A race.
#[derive(Debug, Clone)]
pub struct Race {
    /// The nodes.
    pub nodes: Vec<Url>,
    /// Enrolment codes; each phone that is used takes one, and the race ends early when there is none left.
    pub codes: Vec<String>,
    /// Clients, a multiple of four.
    pub clients: usize,
    /// Operations after which it ends.
    pub operations: u64,
    /// After which it ends however few operations there were.
    pub longest: Duration,
    /// Seconds in which a spent refresh token still gets the same successor, as the nodes are configured.
    pub grace: Duration,
    /// Where the history goes, one JSON document a line.
    pub history: PathBuf,
    /// Of all chance.
    pub seed: u64,
}

/// How it went.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Raced {
    /// Operations written down.
    pub operations: u64,
    /// Of them granted.
    pub granted: u64,
    /// Refused.
    pub refused: u64,
    /// Without an answer: nobody knows what became of them.
    pub unknown: u64,
    /// Phones that were used.
    pub phones: u64,
    /// Seconds.
    pub seconds: f64,
}

/// One operation, as the checker reads it; times are nanoseconds from the beginning.
#[derive(Debug, Serialize)]
struct Entry {
    client: usize,
    node: usize,
    /// Chain or nonce.
    object: String,
    kind: &'static str,
    /// Number of the token, or of who spends the nonce.
    subject: u64,
    /// By a key that is not the phone's.
    stranger: bool,
    call: u64,
    #[serde(rename = "return")]
    returned: u64,
    /// `granted`, `refused` or `unknown`.
    outcome: &'static str,
    /// Number of the token that was given.
    given: u64,
}

struct Course {
    race: Race,
    nodes: Vec<Server>,
    clock: Clock,
    begun: Instant,
    codes: Mutex<Vec<String>>,
    history: Mutex<std::io::BufWriter<std::fs::File>>,
    counted: Mutex<Raced>,
    objects: AtomicU64,
}

/// Numbers of a chain's tokens, by first sight.
#[derive(Default)]
struct Names(Mutex<HashMap<String, u64>>);

impl Names {
    fn number(&self, token: &str) -> u64 {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = names.len() as u64 + 1;
        *names.entry(token.to_owned()).or_insert(next)
    }
}

/// What one operation came to.
enum Told {
    Granted(Reply),
    Refused,
    Unknown,
    /// It cannot have happened; it is not part of the history.
    Nothing,
}

/// Runs a race and writes its history.
///
/// # Errors
/// `Invalid` naming what makes no sense; `Unavailable` when no node answers or the history cannot be written.
pub async fn race(race: Race, clock: Clock) -> Result<Raced> {
    if race.nodes.is_empty() || race.clients == 0 || !race.clients.is_multiple_of(RIVALS) {
        return Err(errors::option("--clients, --node", "at least one node and a multiple of four clients are needed"));
    }
    let file = std::fs::File::create(&race.history).map_err(errors::history)?;
    let nodes = race.nodes.iter().map(|node| Server::new(node, None, None)).collect::<Result<Vec<_>>>()?;
    let course = Arc::new(Course {
        nodes,
        clock,
        begun: Instant::now(),
        codes: Mutex::new(race.codes.clone()),
        history: Mutex::new(std::io::BufWriter::new(file)),
        counted: Mutex::default(),
        objects: AtomicU64::new(0),
        race,
    });
    let mut groups = JoinSet::new();
    for group in 0..course.race.clients / RIVALS {
        groups.spawn(Arc::clone(&course).group(group));
    }
    while let Some(ended) = groups.join_next().await {
        ended.map_err(|cause| Error::internal("a group of clients ended badly").because(cause))??;
    }
    course.history.lock().unwrap_or_else(PoisonError::into_inner).flush().map_err(errors::history)?;
    let mut raced = course.counted.lock().unwrap_or_else(PoisonError::into_inner).clone();
    raced.seconds = course.begun.elapsed().as_secs_f64();
    Ok(raced)
}

/// The rivals of one phone: copies of its key's owner on as many connections, and a stranger.
struct Rivals {
    handsets: Vec<Handset>,
    stranger: Handset,
    tokens: Names,
    chain: String,
    /// Refresh tokens that were given, oldest first.
    known: Vec<String>,
    is_over: bool,
}

impl Course {
    async fn group(self: Arc<Self>, group: usize) -> Result<()> {
        let mut dice = Dice::of(self.race.seed, group);
        while !self.is_done() {
            let Some(code) = self.codes.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return Ok(()) };
            let mut rivals = self.enrol(&code, &mut dice).await?;
            for round in 0..ROUNDS {
                if self.is_done() {
                    break;
                }
                if round % 2 == 0 {
                    self.spend(group, &mut rivals, &mut dice).await?;
                } else {
                    self.rotate(group, &mut rivals, round, &mut dice).await?;
                }
            }
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        let operations = self.counted.lock().unwrap_or_else(PoisonError::into_inner).operations;
        operations >= self.race.operations || self.begun.elapsed() >= self.race.longest
    }

    fn object(&self, what: &str) -> String {
        format!("{what}-{}", self.objects.fetch_add(1, Ordering::Relaxed))
    }

    async fn enrol(&self, code: &str, dice: &mut Dice) -> Result<Rivals> {
        let mut handset = Handset::new()?;
        let until = Instant::now() + PATIENCE;
        loop {
            let node = dice.below(self.nodes.len());
            match self.enrol_at(node, code, &mut handset).await? {
                Ok(tokens) => {
                    self.counted.lock().unwrap_or_else(PoisonError::into_inner).phones += 1;
                    let tokens = tokens.refresh;
                    let rivals = Rivals {
                        handsets: (0..RIVALS).map(|_| handset.copy()).collect(),
                        stranger: Handset::new()?,
                        tokens: Names::default(),
                        chain: self.object("chain"),
                        known: vec![tokens.clone()],
                        is_over: false,
                    };
                    rivals.tokens.number(&tokens);
                    return Ok(rivals);
                }
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_) => sleep(Duration::from_millis(200)).await,
            }
        }
    }

    async fn enrol_at(&self, node: usize, code: &str, handset: &mut Handset) -> Result<Result<Tokens>> {
        let Some(server) = self.nodes.get(node) else { return Ok(Err(errors::option("--node", "there is none"))) };
        let ask = |path, body| Ask { method: &Method::POST, path, token: None, code: Some(code), body };
        let told = match handset.ask(server, &self.clock, ask("device/nonce", None)).await? {
            Ok(reply) if reply.is_ok() => reply,
            Ok(reply) => return Ok(Err(errors::enrolment(reply.status, reply.code(), reply.detail()))),
            Err(silence) => return Ok(Err(silence.error(server.base()))),
        };
        let body = Bytes::from(json!({ "key": handset.jwk(), "platform": "none", "nonce": told.body["nonce"] }).to_string());
        match handset.ask(server, &self.clock, ask("device/enrol", Some(&body))).await? {
            Ok(reply) if reply.is_ok() => Ok(Tokens::read(&reply.body["tokens"]).ok_or_else(|| errors::answer(server.base(), "no tokens"))),
            Ok(reply) => Ok(Err(errors::enrolment(reply.status, reply.code(), reply.detail()))),
            Err(silence) => Ok(Err(silence.error(server.base()))),
        }
    }

    /// One nonce, brought by all rivals at once with something else each, then by each again as after a lost reply.
    async fn spend(&self, group: usize, rivals: &mut Rivals, dice: &mut Dice) -> Result<()> {
        let Some(nonce) = self.nonce(rivals, dice).await? else { return Ok(()) };
        let object = self.object("nonce");
        for _ in 0..2 {
            let nodes: Vec<usize> = (0..RIVALS).map(|_| dice.below(self.nodes.len())).collect();
            let asks = rivals.handsets.iter_mut().zip(nodes).enumerate().map(|(rival, (handset, node))| {
                let (object, nonce) = (object.clone(), nonce.as_str());
                async move {
                    let subject = rival as u64 + 1;
                    let body = Bytes::from(json!({ "nonce": nonce, "evidence": format!("spender {subject}") }).to_string());
                    let (call, told, returned) = self.ask(node, handset, "device/attest", &body).await?;
                    let client = group * RIVALS + rival;
                    let entry =
                        Entry { client, node, object, kind: "spend", subject, stranger: false, call, returned, outcome: "", given: 0 };
                    self.write(entry, &told)
                }
            });
            join_all(asks).await.into_iter().collect::<Result<()>>()?;
        }
        Ok(())
    }

    async fn nonce(&self, rivals: &mut Rivals, dice: &mut Dice) -> Result<Option<String>> {
        for _ in 0..50 {
            let node = dice.below(self.nodes.len());
            let (Some(server), Some(handset)) = (self.nodes.get(node), rivals.handsets.first_mut()) else { break };
            match handset.ask(server, &self.clock, Ask::keyed(&Method::POST, "device/nonce", None)).await? {
                Ok(reply) if reply.is_ok() => return Ok(reply.body["nonce"].as_str().map(str::to_owned)),
                Ok(reply) if reply.status == 429 => return Ok(None),
                _ => sleep(Duration::from_millis(100)).await,
            }
        }
        Ok(None)
    }

    /// All rivals bring a token at once: mostly the head; sometimes the one before it, an old one, or a stranger is among them.
    async fn rotate(&self, group: usize, rivals: &mut Rivals, round: usize, dice: &mut Dice) -> Result<()> {
        // What a chain that is over does is seen often enough.
        if rivals.is_over && dice.uniform() < 0.7 {
            return Ok(());
        }
        let head = rivals.known.last().cloned().unwrap_or_default();
        let before = rivals.known.iter().rev().nth(1).cloned().unwrap_or_else(|| head.clone());
        let oldest = rivals.known.first().cloned().unwrap_or_else(|| head.clone());
        let chance = dice.uniform();
        if chance < 0.02 {
            // Beyond the grace the one before the head is no lost reply any more.
            sleep(self.race.grace + Duration::from_millis(300)).await;
        }
        let is_late = round + 4 >= ROUNDS;
        let mut stranger = [rivals.stranger.copy()];
        let with_stranger = is_late && chance > 0.95;
        let tokens: Vec<String> = (0..RIVALS)
            .map(|rival| match rival {
                0 if chance < 0.10 => before.clone(),
                0 if is_late && chance > 0.85 => oldest.clone(),
                _ => head.clone(),
            })
            .collect();
        let nodes: Vec<usize> = (0..RIVALS).map(|_| dice.below(self.nodes.len())).collect();
        let (chain, names) = (rivals.chain.clone(), &rivals.tokens);
        let bearers = rivals.handsets.iter_mut().map(|handset| (handset, false));
        let bearers = stranger.iter_mut().filter(|_| with_stranger).map(|handset| (handset, true)).chain(bearers).take(RIVALS);
        let asks = bearers.zip(tokens.iter().zip(nodes)).enumerate().map(|(rival, ((handset, stranger), (token, node)))| {
            let object = chain.clone();
            async move {
                let body = Bytes::from(json!({ "refresh_token": token }).to_string());
                let (call, told, returned) = self.ask(node, handset, "device/token", &body).await?;
                let successor = match &told {
                    Told::Granted(reply) => reply.body["refresh_token"].as_str().map(str::to_owned),
                    _ => None,
                };
                let given = successor.as_deref().map_or(0, |token| names.number(token));
                let (client, subject) = (group * RIVALS + rival, names.number(token));
                let is_refused = matches!(told, Told::Refused);
                self.write(Entry { client, node, object, kind: "refresh", subject, stranger, call, returned, outcome: "", given }, &told)?;
                Ok::<_, Error>((successor, is_refused))
            }
        });
        for told in join_all(asks).await {
            let (successor, is_refused) = told?;
            if let Some(successor) = successor.filter(|token| !rivals.known.contains(token)) {
                rivals.known.push(successor);
            }
            rivals.is_over |= is_refused;
        }
        Ok(())
    }

    /// One request with its times: nanoseconds from the beginning.
    async fn ask(&self, node: usize, handset: &mut Handset, path: &str, body: &Bytes) -> Result<(u64, Told, u64)> {
        let now = || u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let Some(server) = self.nodes.get(node) else { return Ok((0, Told::Nothing, 0)) };
        let call = now();
        let answer = handset.ask(server, &self.clock, Ask::keyed(&Method::POST, path, Some(body))).await?;
        let returned = now();
        let told = match answer {
            Ok(reply) if reply.is_ok() => Told::Granted(reply),
            // Refused before anything was looked at.
            Ok(reply) if reply.status == 429 => Told::Nothing,
            Ok(reply) if matches!(reply.code(), "devices.grant" | "devices.locked" | "devices.revoked" | "devices.nonce") => Told::Refused,
            Ok(reply) if reply.status >= 500 => Told::Unknown,
            Ok(reply) => return Err(errors::answer(server.base(), &format!("{} {} {}", reply.status, reply.code(), reply.detail()))),
            Err(Silence::Unconnected(_)) => Told::Nothing,
            Err(Silence::Broken(_)) => Told::Unknown,
        };
        if matches!(told, Told::Nothing) {
            sleep(Duration::from_millis(50)).await;
        }
        Ok((call, told, returned))
    }

    fn write(&self, mut entry: Entry, told: &Told) -> Result<()> {
        entry.outcome = match told {
            Told::Granted(_) => "granted",
            Told::Refused => "refused",
            Told::Unknown => "unknown",
            Told::Nothing => return Ok(()),
        };
        let mut line = serde_json::to_vec(&entry).map_err(|cause| Error::internal("an entry cannot be written").because(cause))?;
        line.push(b'\n');
        self.history.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line).map_err(errors::history)?;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.operations += 1;
        match told {
            Told::Granted(_) => counted.granted += 1,
            Told::Refused => counted.refused += 1,
            Told::Unknown | Told::Nothing => counted.unknown += 1,
        }
        Ok(())
    }
}

//! What is to happen: how many phones, for how long, what they carry, and who attacks which of them when.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use base::{Error, Result, Secret};
use threat::evaluate::Track;
use url::Url;

use crate::errors;

/// Readings of one sensor that the protocol takes at once.
const READINGS: f64 = 10_000.0;

/// What can be done to phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attack {
    /// Somebody else carries the phone.
    Takeover,
    /// Invented readings instead of those of the sensors.
    SensorInjection,
    /// Readings that were sent before, under new times.
    ReplayedWindow,
    /// A refresh token in the hands of somebody with another key.
    TokenTheft,
    /// An attestation nonce that was spent, again and again.
    NonceReplay,
    /// A copy of the phone with its key and its tokens.
    Clone,
    /// The phone's clock is set an hour forward: not an attack, and never punished as one.
    ClockSkew,
    /// Every phone loses its connection and comes back in the same moment: the same.
    ReconnectStorm,
}

impl Attack {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Takeover,
        Self::SensorInjection,
        Self::ReplayedWindow,
        Self::TokenTheft,
        Self::NonceReplay,
        Self::Clone,
        Self::ClockSkew,
        Self::ReconnectStorm,
    ];

    /// Its name on the command line and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Takeover => "takeover",
            Self::SensorInjection => "sensor-injection",
            Self::ReplayedWindow => "replayed-window",
            Self::TokenTheft => "token-theft",
            Self::NonceReplay => "nonce-replay",
            Self::Clone => "clone",
            Self::ClockSkew => "clock-skew",
            Self::ReconnectStorm => "reconnect-storm",
        }
    }

    /// Whether it is a mishap that must be borne, and no attack that must be caught.
    #[must_use]
    pub const fn is_mishap(self) -> bool {
        matches!(self, Self::ClockSkew | Self::ReconnectStorm)
    }

    /// Whether it leads to a lock.
    #[must_use]
    pub const fn locks(self) -> bool {
        matches!(self, Self::ReplayedWindow | Self::TokenTheft | Self::NonceReplay | Self::Clone)
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One attack: which, on how many phones, and when; `token-theft`, `takeover:3`, `clone:2@40s`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strike {
    /// Which.
    pub attack: Attack,
    /// On how many phones; one in a hundred when not said, at least one and at most three.
    pub devices: Option<usize>,
    /// When, after the beginning; in the middle when not said.
    pub after: Option<Duration>,
}

impl FromStr for Strike {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (rest, after) = match text.split_once('@') {
            Some((rest, when)) => {
                let seconds = when.strip_suffix('s').unwrap_or(when).parse::<f64>().ok().filter(|seconds| (0.0..=1e6).contains(seconds));
                let seconds = seconds.ok_or_else(|| errors::attack(text, "does not say when: write it as takeover@60s"))?;
                (rest, Some(Duration::from_secs_f64(seconds)))
            }
            None => (text, None),
        };
        let (name, devices) = match rest.split_once(':') {
            Some((name, count)) => {
                let count = count.parse::<usize>().ok().filter(|count| *count > 0);
                (name, Some(count.ok_or_else(|| errors::attack(text, "does not say on how many phones: write it as takeover:3"))?))
            }
            None => (rest, None),
        };
        let attack = Attack::ALL.iter().copied().find(|attack| attack.as_str() == name).ok_or_else(|| {
            let all: Vec<&str> = Attack::ALL.iter().map(|attack| attack.as_str()).collect();
            errors::attack(text, &format!("is none of {}", all.join(", ")))
        })?;
        Ok(Self { attack, devices, after })
    }
}

/// What people do with their phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activity {
    /// They walk.
    #[default]
    Walking,
    /// The phone lies on a table.
    Still,
    /// They hold it in their hand.
    Handheld,
    /// One after the other.
    Mixed,
}

/// How phones talk to the server: what is enrolled, attested and refreshed goes by requests in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Carrier {
    /// Requests alone; commands are asked for.
    #[default]
    Http,
    /// An open WebSocket, protobuf.
    Socket,
    /// An open WebSocket, JSON.
    SocketJson,
    /// A gRPC stream.
    Grpc,
}

impl Carrier {
    /// Whether phones hold a line open.
    #[must_use]
    pub const fn is_line(self) -> bool {
        !matches!(self, Self::Http)
    }
}

/// Where the gRPC listener is, and what phones show it.
#[derive(Debug, Clone)]
pub struct Grpc {
    /// Its address.
    pub address: Url,
    /// PEM file of the certificate that phones show.
    pub certificate: PathBuf,
    /// PEM file of its key.
    pub key: PathBuf,
}

/// Somebody who locks phones and lets them go again meanwhile; these go on asking all the same, and nothing may be granted.
#[derive(Debug, Clone)]
pub struct Locking {
    /// API token of somebody who may.
    pub token: Secret<String>,
    /// Between two locks.
    pub every: Duration,
}

/// A simulation.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub server: Url,
    /// Further nodes of it: phones are spread over all and move on when theirs is away.
    pub nodes: Vec<Url>,
    /// How phones talk to it.
    pub carrier: Carrier,
    /// For gRPC.
    pub grpc: Option<Grpc>,
    /// The address phones come from, any when there is none.
    pub bind: Option<IpAddr>,
    /// Phones hold their line and say nothing unasked.
    pub is_silent: bool,
    /// Locks meanwhile.
    pub locking: Option<Locking>,
    /// PEM file of an authority to trust besides the public ones.
    pub authority: Option<PathBuf>,
    /// Enrolment codes, one for each phone.
    pub codes: Vec<String>,
    /// How long phones live after the last one enrolled.
    pub life: Duration,
    /// How much faster than life readings are made.
    pub speed: f64,
    /// Between two batches of a phone.
    pub every: Duration,
    /// Readings of each sensor a second; recordings have their own.
    pub rate: f64,
    /// What people do, without recordings.
    pub activity: Activity,
    /// Between two refreshes; when four fifths of the access token's life are over if not said.
    pub refresh_every: Option<Duration>,
    /// Recordings to play instead of inventing readings.
    pub tracks: Vec<Track>,
    /// Attacks.
    pub strikes: Vec<Strike>,
    /// Of all chance.
    pub seed: u64,
}

impl Plan {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// `Invalid` naming the option that does not.
    pub fn check(&self) -> Result<()> {
        self.assign().map(drop)
    }

    /// Who is struck by what and when, phone by phone; and when all come back at once.
    ///
    /// # Errors
    /// `Invalid` naming the option that makes no sense.
    pub(crate) fn assign(&self) -> Result<Assignment> {
        self.check_numbers()?;
        let mut victims = vec![None; self.codes.len()];
        let mut storm = None;
        let mut next = 0;
        for strike in &self.strikes {
            let after = strike.after.unwrap_or(self.life / 2);
            if after >= self.life {
                return Err(errors::attack(strike.attack.as_str(), "begins when the simulation is over: give it more --seconds"));
            }
            if strike.attack == Attack::ReconnectStorm {
                if strike.devices.is_some() {
                    return Err(errors::attack("reconnect-storm", "hits every phone: leave the number out"));
                }
                storm = Some(after);
                continue;
            }
            let count = strike.devices.unwrap_or_else(|| (victims.len() / 100).clamp(1, 3));
            let Some(places) = victims.get_mut(next..next + count) else {
                return Err(errors::option("--devices", "there are fewer phones than are attacked"));
            };
            places.fill(Some((strike.attack, after)));
            next += count;
        }
        Ok(Assignment { victims, storm })
    }

    fn check_numbers(&self) -> Result<()> {
        if self.codes.is_empty() {
            return Err(errors::option("--devices", "at least one phone is needed"));
        }
        if !(1.0..=100.0).contains(&self.speed) {
            return Err(errors::option("--speed", "it is between 1 and 100"));
        }
        if !(5.0..=400.0).contains(&self.rate) {
            return Err(errors::option("--rate", "it is between 5 and 400 readings a second"));
        }
        if self.is_silent && !self.carrier.is_line() {
            return Err(errors::option("--silent", "phones without a line are silent anyway: name a --line"));
        }
        if self.locking.is_some() && !self.strikes.is_empty() {
            return Err(errors::option("--lock-every", "attacks lock phones too: who did could not be told apart"));
        }
        if self.every < Duration::from_millis(100) {
            return Err(errors::option("--every", "it is at least 0.1 seconds"));
        }
        let fastest = self.tracks.iter().map(Track::rate).fold(self.rate, f64::max);
        if fastest * self.speed * self.every.as_secs_f64() > READINGS {
            return Err(errors::option("--every, --speed, --rate", "a batch would hold more than 10000 readings of one sensor"));
        }
        Ok(())
    }
}

/// What happens to whom.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) victims: Vec<Option<(Attack, Duration)>>,
    pub(crate) storm: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(devices: usize, strikes: &[&str]) -> Plan {
        Plan {
            server: "http://localhost".parse().unwrap(),
            nodes: Vec::new(),
            carrier: Carrier::Http,
            grpc: None,
            bind: None,
            is_silent: false,
            locking: None,
            authority: None,
            codes: vec![String::new(); devices],
            life: Duration::from_secs(60),
            speed: 1.0,
            every: Duration::from_secs(5),
            rate: 50.0,
            activity: Activity::Walking,
            refresh_every: None,
            tracks: Vec::new(),
            strikes: strikes.iter().map(|strike| strike.parse().unwrap()).collect(),
            seed: 1,
        }
    }

    #[test]
    fn attacks_are_read_as_people_write_them_and_what_is_wrong_is_named() {
        let strike: Strike = "clone:2@40s".parse().unwrap();
        assert_eq!((strike.attack, strike.devices, strike.after), (Attack::Clone, Some(2), Some(Duration::from_secs(40))));
        assert_eq!("token-theft".parse::<Strike>().unwrap(), Strike { attack: Attack::TokenTheft, devices: None, after: None });
        for (text, says) in
            [("theft", "takeover, sensor-injection"), ("clone@soon", "takeover@60s"), ("clone:0", "takeover:3"), ("", "none of")]
        {
            let error = text.parse::<Strike>().unwrap_err();
            assert!(error.detail().contains(says), "{text}: {}", error.detail());
        }
    }

    #[test]
    fn every_attack_gets_phones_of_its_own_and_impossible_plans_are_refused() {
        let assigned = plan(10, &["takeover:2", "token-theft@10s", "reconnect-storm@20s"]).assign().unwrap();
        let attacks: Vec<Option<Attack>> = assigned.victims.iter().map(|victim| victim.map(|(attack, _)| attack)).collect();
        assert_eq!(attacks[..4], [Some(Attack::Takeover), Some(Attack::Takeover), Some(Attack::TokenTheft), None]);
        assert_eq!(assigned.storm, Some(Duration::from_secs(20)));
        assert_eq!(plan(1_000, &["clone"]).assign().unwrap().victims.iter().flatten().count(), 3);
        for (plan, says) in [
            (plan(0, &[]), "at least one phone"),
            (plan(2, &["clone:3"]), "fewer phones"),
            (plan(2, &["clone@60s"]), "more --seconds"),
            (plan(2, &["reconnect-storm:1"]), "every phone"),
            (Plan { speed: 100.0, ..plan(2, &[]) }, "10000"),
            (Plan { speed: 0.5, ..plan(2, &[]) }, "--speed"),
        ] {
            let error = plan.assign().unwrap_err();
            assert!(error.detail().contains(says), "{says}: {}", error.detail());
        }
    }
}

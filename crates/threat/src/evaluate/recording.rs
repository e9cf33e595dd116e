//! Rows of a recording, gathered into subjects and sessions in their order of time.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::Reading;
use crate::errors::EvaluationError;

/// One row: a moment of one session.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// Who carried the phone.
    pub subject: &'a str,
    /// In which sitting.
    pub session: &'a str,
    /// What they did, when that is known.
    pub activity: &'a str,
    /// Time from any origin, in seconds, milliseconds, microseconds or nanoseconds: the unit is told from the rate.
    pub t: f64,
    /// Accelerometer, m/s².
    pub accelerometer: [f32; 3],
    /// Gyroscope, rad/s; `None` when there was none.
    pub gyroscope: Option<[f32; 3]>,
}

/// One session of one subject; times start at zero.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Name of the session.
    pub session: String,
    /// Times of the rows as they were given.
    pub(super) times: Vec<f64>,
    pub(super) has_gyroscope: Vec<bool>,
    pub(crate) accelerometer: Vec<Reading>,
    pub(crate) gyroscope: Vec<Reading>,
    /// For each accelerometer reading, its place in the list of activities.
    pub(crate) activities: Vec<u16>,
}

impl Recording {
    /// Seconds from first to last reading.
    pub(crate) fn seconds(&self) -> f64 {
        self.accelerometer.last().zip(self.accelerometer.first()).map_or(0.0, |(last, first)| (last.t - first.t) as f64 / 1e6)
    }

    /// Gives the readings their times in microseconds from the session's start.
    fn settle(&mut self, unit: f64) {
        let start = self.times.first().copied().unwrap_or_default();
        let times = || self.times.iter().map(|time| ((time - start) * unit * 1e6).round() as i64);
        self.accelerometer.iter_mut().zip(times()).for_each(|(reading, t)| reading.t = t);
        let turning = times().zip(&self.has_gyroscope).filter(|(_, has)| **has).map(|(t, _)| t);
        self.gyroscope.iter_mut().zip(turning).for_each(|(reading, t)| reading.t = t);
    }
}

/// All sessions of all subjects.
#[derive(Clone, Debug, Default)]
pub struct Recordings {
    subjects: Vec<(String, Vec<Recording>)>,
    places: HashMap<(String, String), (usize, usize)>,
    activities: Vec<String>,
    rows: u64,
}

impl Recordings {
    /// Takes one row; rows of a session must come in order, sessions may be mixed.
    pub fn push(&mut self, row: &Row<'_>) {
        self.rows += 1;
        let key = (row.subject.to_owned(), row.session.to_owned());
        let place = self.places.get(&key).copied().unwrap_or_else(|| {
            let subject = self.subjects.iter().position(|(name, _)| name == row.subject).unwrap_or_else(|| {
                self.subjects.push((row.subject.to_owned(), Vec::new()));
                self.subjects.len() - 1
            });
            let sessions = &mut self.subjects[subject].1;
            sessions.push(Recording { session: row.session.to_owned(), ..Recording::default() });
            let place = (subject, sessions.len() - 1);
            self.places.insert(key, place);
            place
        });
        let activity = self.activities.iter().position(|name| name == row.activity).unwrap_or_else(|| {
            self.activities.push(row.activity.to_owned());
            self.activities.len() - 1
        });
        let recording = &mut self.subjects[place.0].1[place.1];
        let reading = |[x, y, z]: [f32; 3]| Reading { t: 0, x, y, z };
        recording.times.push(row.t);
        recording.accelerometer.push(reading(row.accelerometer));
        recording.gyroscope.extend(row.gyroscope.map(reading));
        recording.has_gyroscope.push(row.gyroscope.is_some());
        recording.activities.push(u16::try_from(activity).unwrap_or(u16::MAX));
    }

    /// Rows taken.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What each subject's phone would have measured: all sessions one after the other, half a second apart.
    ///
    /// # Errors
    /// When the times are no phone's.
    pub fn tracks(mut self) -> Result<Vec<Track>, EvaluationError> {
        self.settle()?;
        let tracks = self.subjects.into_iter().map(|(subject, sessions)| {
            let mut track = Track { subject, accelerometer: Vec::new(), gyroscope: Vec::new() };
            let mut origin = 0;
            for session in sessions {
                let later = |reading: &Reading| Reading { t: reading.t + origin, ..*reading };
                track.accelerometer.extend(session.accelerometer.iter().map(later));
                track.gyroscope.extend(session.gyroscope.iter().map(later));
                origin = track.accelerometer.last().map_or(origin, |reading| reading.t + 500_000);
            }
            track
        });
        Ok(tracks.filter(|track| track.accelerometer.len() > crate::WINDOW).collect())
    }

    /// Sorts each subject's sessions by time and gives their readings times in microseconds.
    fn settle(&mut self) -> Result<(), EvaluationError> {
        let unit = unit(self.subjects.iter().flat_map(|(_, sessions)| sessions)).ok_or(EvaluationError::Rate)?;
        for (_, sessions) in &mut self.subjects {
            // Where every session starts its own clock, only the names tell which came first.
            let start = |session: &Recording| session.times.first().copied().unwrap_or_default() * unit;
            let starts = sessions.iter().map(start);
            let spread = starts.clone().fold(f64::MIN, f64::max) - starts.fold(f64::MAX, f64::min);
            let one_clock = spread > 60.0;
            sessions.sort_by(|one, other| {
                let by_time = if one_clock { start(one).total_cmp(&start(other)) } else { Ordering::Equal };
                by_time.then_with(|| natural(&one.session, &other.session))
            });
            sessions.iter_mut().for_each(|session| session.settle(unit));
        }
        Ok(())
    }

    /// Subjects with their sessions in order of time; an error when there is nothing to compare.
    pub(crate) fn ordered(mut self) -> Result<Subjects, EvaluationError> {
        self.settle()?;
        let mut rates: Vec<f64> = self
            .subjects
            .iter()
            .flat_map(|(_, sessions)| sessions)
            .filter(|session| session.seconds() > 0.0)
            .map(|session| (session.accelerometer.len() - 1) as f64 / session.seconds())
            .collect();
        rates.sort_by(f64::total_cmp);
        let rate = rates.get(rates.len() / 2).copied().ok_or(EvaluationError::Rate)?;
        let (usable, lonely): (Vec<_>, Vec<_>) = self.subjects.into_iter().partition(|(_, sessions)| sessions.len() >= 2);
        let lonely: Vec<String> = lonely.into_iter().map(|(name, _)| name).collect();
        if usable.is_empty() {
            return Err(EvaluationError::NothingToCompare { subjects: lonely.len() });
        }
        Ok(Subjects { usable, lonely, activities: self.activities, rate })
    }
}

/// The motion of one subject over all sessions; times are microseconds from zero.
#[derive(Clone, Debug, Default)]
pub struct Track {
    /// Who carried the phone.
    pub subject: String,
    /// Accelerometer, m/s².
    pub accelerometer: Vec<Reading>,
    /// Gyroscope, rad/s; empty when there was none.
    pub gyroscope: Vec<Reading>,
}

impl Track {
    /// Readings of the accelerometer a second.
    pub fn rate(&self) -> f64 {
        let span = self.accelerometer.last().zip(self.accelerometer.first()).map_or(0, |(last, first)| last.t - first.t);
        if span > 0 { self.accelerometer.len() as f64 * 1e6 / span as f64 } else { 0.0 }
    }
}

/// What can be evaluated.
pub(crate) struct Subjects {
    pub(crate) usable: Vec<(String, Vec<Recording>)>,
    /// Subjects with a single session: nothing to enrol *and* test on.
    pub(crate) lonely: Vec<String>,
    pub(crate) activities: Vec<String>,
    /// Readings a second, the median over all sessions.
    pub(crate) rate: f64,
}

/// Seconds of one unit of time, from the median distance of rows: phones give between 5 and 1,000 readings a second, so the units
/// cannot be mistaken for each other.
fn unit<'a>(sessions: impl Iterator<Item = &'a Recording>) -> Option<f64> {
    let mut distances: Vec<f64> = sessions
        .filter(|session| session.times.len() > 1)
        .filter_map(|session| Some((session.times.last()? - session.times.first()?) / (session.times.len() - 1) as f64))
        .filter(|distance| *distance > 0.0)
        .collect();
    distances.sort_by(f64::total_cmp);
    let distance = distances.get(distances.len() / 2)?;
    [1.0, 1e-3, 1e-6, 1e-9].into_iter().find(|unit| (0.000_9..=0.25).contains(&(distance * unit)))
}

/// Order of names in which `s2` comes before `s10`.
fn natural(one: &str, other: &str) -> Ordering {
    fn parts(name: &str) -> Vec<(u64, &str)> {
        let mut found = Vec::new();
        let mut rest = name;
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
            let end = if digits > 0 { digits } else { rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len()) };
            let (part, after) = rest.split_at(end);
            found.push(if digits > 0 { (part.parse().unwrap_or(u64::MAX), "") } else { (0, part) });
            rest = after;
        }
        found
    }
    parts(one).cmp(&parts(other)).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_ordered_as_people_count() {
        let mut names = vec!["s1_10", "s1_9", "s1_1", "morning"];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(names, ["morning", "s1_1", "s1_9", "s1_10"]);
    }
}

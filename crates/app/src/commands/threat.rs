//! `tyrian threat evaluate`: how well the threat engine does on recordings of sensors. Pure: no server, no storage.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::Result;
use serde_json::json;
use threat::evaluate::{AttackFigures, Interval, Options, Recordings, Report, Row, Separation, evaluate};

use crate::cli::ThreatCommand;
use crate::{errors, output};

/// Names under which a column is known, its own first.
const COLUMNS: [&[&str]; 10] = [
    &["subject", "subject_id", "user", "user_id", "person", "participant"],
    &["session", "session_id", "execution", "trial", "run"],
    &["activity", "label", "context"],
    &["t", "time", "timestamp"],
    &["ax", "acc_x", "x_acc", "accelerometer_x"],
    &["ay", "acc_y", "y_acc", "accelerometer_y"],
    &["az", "acc_z", "z_acc", "accelerometer_z"],
    &["gx", "gyro_x", "x_gyro", "gyroscope_x"],
    &["gy", "gyro_y", "y_gyro", "gyroscope_y"],
    &["gz", "gyro_z", "z_gyro", "gyroscope_z"],
];
const SUBJECT: usize = 0;
const SESSION: usize = 1;
const ACTIVITY: usize = 2;
const TIME: usize = 3;
const ACCELEROMETER: usize = 4;
const GYROSCOPE: usize = 7;

/// Rows that could not be read and are named in full; the rest are only counted.
const NAMED: usize = 10;

/// Runs a command about the threat engine.
pub(super) fn run(command: &ThreatCommand, as_json: bool) -> Result<ExitCode> {
    let ThreatCommand::Evaluate(arguments) = command;
    if !(0.05..=0.95).contains(&arguments.enrolment) {
        return Err(errors::usage("--enrolment is a share between 0.05 and 0.95"));
    }
    if !(1.0..=3_600.0).contains(&arguments.seconds) || arguments.device_days > 1_000_000 {
        return Err(errors::usage("--seconds is between 1 and 3600, --device-days at most 1000000"));
    }
    // With a file after it, --csv names the columns; alone, it is the file.
    let (columns, path) = match (&arguments.csv, &arguments.file) {
        (Some(columns), Some(file)) => (Some(columns.as_str()), file.clone()),
        (Some(file), None) => (None, PathBuf::from(file)),
        (None, Some(file)) => (None, file.clone()),
        (None, None) => return Err(errors::usage("give the file of recordings: tyrian threat evaluate --csv FILE")),
    };
    let (recordings, warnings) = read(&path, columns)?;
    let options = Options {
        enrolment: arguments.enrolment,
        seconds: arguments.seconds,
        device_days: arguments.device_days,
        seed: arguments.seed,
        ..Options::default()
    };
    let report = evaluate(recordings, &options).map_err(|failure| errors::recordings(&path, &failure.to_string()))?;
    if as_json {
        let mut document = serde_json::to_value(&report).map_err(|cause| errors::recordings(&path, &cause.to_string()))?;
        document["warnings"] = json!(warnings.named);
        document["rows_unread"] = json!(warnings.count);
        output::document(&document)?;
    } else {
        warnings.named.iter().for_each(|warning| output::note(&format!("warning: {warning}")));
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// The recordings in a file whose columns are named by its header; rows that cannot be read are told and left out.
pub(super) fn recordings(path: &Path) -> Result<Recordings> {
    let (recordings, warnings) = read(path, None)?;
    warnings.named.iter().for_each(|warning| output::note(&format!("warning: {warning}")));
    Ok(recordings)
}

/// Rows that could not be read.
#[derive(Default)]
struct Warnings {
    count: u64,
    named: Vec<String>,
}

impl Warnings {
    fn push(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(what());
        }
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let file: Box<dyn Read> = match path {
        path if path == Path::new("-") => Box::new(stdin()),
        path => Box::new(File::open(path).map_err(|cause| errors::file(path, &cause))?),
    };
    let mut source = BufReader::new(file);
    let head = source.fill_buf().map_err(|cause| errors::file(path, &cause))?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(source))));
    }
    Ok(Box::new(source))
}

/// Place of each column in a row.
type Places = [Option<usize>; COLUMNS.len()];

fn read(path: &Path, columns: Option<&str>) -> Result<(Recordings, Warnings)> {
    let mut source = open(path)?;
    let head = source.fill_buf().map_err(|cause| errors::file(path, &cause))?;
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|mark| first.iter().filter(|byte| *byte == mark).count()).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .from_reader(source);
    let mut places = columns.map(|columns| locate(path, columns.split(',').map(str::trim))).transpose()?;
    let (mut recordings, mut warnings) = (Recordings::default(), Warnings::default());
    let mut is_first = true;
    for record in reader.byte_records() {
        let record = match record {
            Ok(record) => record,
            Err(failure) if matches!(failure.kind(), csv::ErrorKind::Io(_)) => {
                return Err(errors::recordings(path, &format!("cannot be read on: {failure}")));
            }
            Err(failure) => {
                warnings.push(|| failure.to_string());
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let record = csv::StringRecord::from_byte_record_lossy(record);
        let row = places.as_ref().map(|places| row(places, &record));
        match (&places, row, std::mem::take(&mut is_first)) {
            (None, ..) => {
                let names = record.iter().map(|name| name.trim_start_matches('\u{feff}'));
                places = Some(locate(path, names)?);
            }
            (_, Some(Ok(row)), _) => recordings.push(&row),
            // The file repeats the names that were given on the command line.
            (_, Some(Err(_)), true) if columns.is_some() && is_header(&record) => {}
            (_, Some(Err(what)), _) => warnings.push(|| format!("line {line}: {what}")),
            (_, None, _) => {}
        }
    }
    match (recordings.rows(), warnings.named.first()) {
        (0, Some(warning)) => Err(errors::recordings(path, &format!("not one row can be read; the first: {warning}"))),
        (0, None) => Err(errors::recordings(path, "there are no rows")),
        _ => Ok((recordings, warnings)),
    }
}

fn is_header(record: &csv::StringRecord) -> bool {
    record.iter().filter(|field| !field.is_empty()).all(|field| field.parse::<f64>().is_err())
}

fn locate<'a>(path: &Path, names: impl Iterator<Item = &'a str>) -> Result<Places> {
    let names: Vec<String> = names.map(|name| name.trim_matches('"').to_ascii_lowercase()).collect();
    let places: Places = std::array::from_fn(|column| COLUMNS[column].iter().find_map(|known| names.iter().position(|name| name == known)));
    let missing: Vec<&str> = (0..GYROSCOPE)
        .filter(|column| *column != ACTIVITY && places[*column].is_none())
        .chain((GYROSCOPE..COLUMNS.len()).filter(|column| places[*column].is_none() && places[GYROSCOPE..].iter().any(Option::is_some)))
        .map(|column| COLUMNS[column][0])
        .collect();
    if !missing.is_empty() {
        return Err(errors::recordings(
            path,
            &format!(
                "no column {} among {}; needed are subject, session, t, ax, ay, az, and gx, gy, gz or none of them; without a header, \
                 name the columns: --csv subject,session,activity,t,ax,ay,az,gx,gy,gz FILE",
                missing.join(", "),
                names.join(", ")
            ),
        ));
    }
    Ok(places)
}

fn row<'r>(places: &Places, record: &'r csv::StringRecord) -> std::result::Result<Row<'r>, String> {
    let field = |column: usize| places[column].and_then(|place| record.get(place)).unwrap_or_default();
    let number = |column: usize| {
        let text = field(column);
        text.parse::<f64>().map_err(|_| format!("`{text}` is no number for {}", COLUMNS[column][0]))
    };
    let axes = |first: usize| -> std::result::Result<[f32; 3], String> {
        Ok([number(first)? as f32, number(first + 1)? as f32, number(first + 2)? as f32])
    };
    let time = number(TIME)?;
    if !time.is_finite() {
        return Err(format!("`{}` is no time", field(TIME)));
    }
    if field(SUBJECT).is_empty() {
        return Err("the subject is empty".to_owned());
    }
    // A row without a turning rate is one of a phone whose gyroscope was silent.
    let is_silent = (GYROSCOPE..COLUMNS.len()).all(|column| field(column).is_empty());
    Ok(Row {
        subject: field(SUBJECT),
        session: field(SESSION),
        activity: field(ACTIVITY),
        t: time,
        accelerometer: axes(ACCELEROMETER)?,
        gyroscope: if is_silent { None } else { Some(axes(GYROSCOPE)?) },
    })
}

fn print(report: &Report) {
    let separation = |one: &Separation| format!("AUC {:.3}, EER {:.1} %", one.auc, one.eer * 100.0);
    output::line(&format!(
        "{} subjects, {} windows enrolled, {} honest windows tested, {:.0} readings a second{}",
        report.subjects,
        report.windows[0],
        report.windows[1],
        report.rate,
        if report.has_gyroscope { "" } else { ", no gyroscope" }
    ));
    output::line(&format!("protocol: {}", report.protocol));
    if !report.left_out.is_empty() {
        output::line(&format!("left out, one session only: {}", report.left_out.join(", ")));
    }
    if let Some(swap) = &report.user_swap {
        output::line(&format!("user swap, {} pairs", swap.pairs));
        output::line(&format!(
            "  one window   {}  (worst tenth of subjects: {})",
            separation(&swap.per_window),
            separation(&swap.per_window_worst_tenth)
        ));
        output::line(&format!(
            "  {:.0} seconds   {}  (worst tenth of subjects: {})",
            swap.seconds,
            separation(&swap.accumulated),
            separation(&swap.accumulated_worst_tenth)
        ));
        output::line(&format!(
            "  one threshold for all: one window {}, accumulated {}",
            separation(&swap.per_window_pooled),
            separation(&swap.accumulated_pooled)
        ));
    } else {
        output::line("user swap: a single subject has nobody to be swapped with");
    }
    output::line(&format!("streams that are no sensor's, episodes of {} seconds at most", report.seconds));
    for figures in std::iter::once(&report.honest).chain(&report.attacks) {
        attack(figures);
    }
    let locks = &report.false_locks;
    output::line(&format!(
        "false locks with honest attestation: {} in {} device-days, at most {:.2} in 10,000 (95 %); drawn from {} windows",
        locks.locks, locks.device_days, locks.locks_per_10000_days_upper, locks.distinct_windows
    ));
    output::line(&format!(
        "  asked to step up {:.3} times a device-day, a lock thinkable by behaviour {:.4} times; {:.2} % of windows over the threshold",
        locks.restrictions_per_day,
        locks.candidates_per_day,
        locks.windows_over_threshold * 100.0
    ));
}

fn attack(figures: &AttackFigures) {
    let name = serde_json::to_value(figures.kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    let percent = |interval: &Interval| format!("{:.1} % of {}", interval.rate * 100.0, interval.of);
    output::line(&format!(
        "  {name:<22} named in {} episodes, {} windows; restricted in {}{}",
        percent(&figures.episodes_named),
        percent(&figures.windows_named),
        percent(&figures.episodes_restricted),
        figures.median_seconds.map_or_else(String::new, |seconds| format!("; first after {seconds:.1} s"))
    ));
}

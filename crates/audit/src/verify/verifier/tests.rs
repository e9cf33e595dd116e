//! Every way to tamper with an export, and the name verification gives it.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use uuid::Uuid;

use super::*;
use crate::entry::EntryId;
use crate::verify::export;

const ORIGIN: &str = "tyrian.test/log";

struct Log {
    pair: Ed25519KeyPair,
    key: VerifierKey,
    lines: Vec<Line>,
}

fn tenant(number: u128) -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(number))
}

fn record(number: u64) -> Record {
    let text = r#"{"action_taken":"a.b","attestation_state":null,"correlation_id":null,"created_at":"2026-11-22T00:00:00Z","decision_reason":null,"detail":"{}","device_id":null,"id":"00000000-0000-0000-0000-000000000000","ip":null,"jti":null,"source":"http","subject_id":"1","subject_kind":"target","tenant_id":"00000000-0000-0000-0000-000000000001","threat_score":null,"user_agent":null,"user_id":null,"username":"ana"}"#;
    let mut record: Record = serde_json::from_str(text).unwrap();
    record.id = EntryId::from_uuid(Uuid::from_u128(u128::from(number)));
    record.tenant_id = tenant(1 + u128::from(number % 2));
    record
}

impl Log {
    /// Twenty entries of two tenants, a checkpoint after every fifth.
    fn new() -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
        let key = VerifierKey { name: ORIGIN.into(), key: pair.public_key().as_ref().try_into().unwrap() };
        let mut log = Self { pair, key, lines: Vec::new() };
        let exported_at = "2026-11-22T00:00:30Z".parse().unwrap();
        log.lines.push(Line::Log { format: FORMAT, origin: ORIGIN.into(), tenant: None, exported_at, keys: vec![log.key.clone()] });
        let mut frontier = Frontier::default();
        for index in 0..20 {
            let record = record(index);
            let bytes = leaf(record.tenant_id, index, &record.commitment(b"salt"));
            frontier.push(leaf_hash(&bytes));
            log.lines.push(Line::Leaf { index, leaf: STANDARD.encode(bytes), salt: Some(STANDARD.encode(b"salt")), record: Some(record) });
            if frontier.size() % 5 == 0 {
                let note = log.sign(frontier.size(), frontier.root());
                log.lines.push(Line::Checkpoint { note });
            }
        }
        log.lines.push(Line::End { size: 20 });
        log
    }

    fn sign(&self, size: u64, root: crate::tree::Hash) -> String {
        let checkpoint = Checkpoint { origin: ORIGIN.into(), size, root };
        let plain = self.pair.sign(checkpoint.text().as_bytes());
        let timed = self.pair.sign(checkpoint.timed_text(1_795_305_600).as_bytes());
        format!("{}\n{}{}", checkpoint.text(), self.key.plain_line(plain.as_ref()), self.key.timed_line(1_795_305_600, timed.as_ref()))
    }

    fn verify(&self, trust: Trust) -> Report {
        let text: String = self.lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        export(text.as_bytes(), trust).unwrap()
    }

    fn kinds(&self) -> Vec<ProblemKind> {
        let trust = Trust { keys: vec![self.key.clone()], known_checkpoint: None };
        self.verify(trust).problems.into_iter().map(|problem| problem.kind).collect()
    }
}

#[test]
fn an_untouched_export_verifies() {
    let report = Log::new().verify(Trust::default());
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.entries, report.size, report.checkpoints), (20, 20, 4));
    assert!(!report.keys_trusted);
}

#[test]
fn a_changed_entry_is_named() {
    let mut log = Log::new();
    if let Line::Leaf { record: Some(record), .. } = &mut log.lines[4] {
        record.username = "eve".into();
    }
    let report = log.verify(Trust::default());
    assert_eq!(report.problem_count, 1);
    assert_eq!((report.problems[0].kind, report.problems[0].index), (ProblemKind::Changed, Some(3)));
    assert_eq!(report.problems[0].entry.as_deref(), Some("00000000-0000-0000-0000-000000000003"));
}

#[test]
fn removing_reordering_or_cutting_is_seen() {
    let mut log = Log::new();
    log.lines.remove(3);
    assert_eq!(log.kinds()[0], ProblemKind::Reordered);

    let mut log = Log::new();
    if let Line::Leaf { record, salt, .. } = &mut log.lines[3] {
        (*record, *salt) = (None, None);
    }
    assert_eq!(log.kinds(), [ProblemKind::Missing]);

    let mut log = Log::new();
    log.lines.swap(2, 3);
    assert!(log.kinds().contains(&ProblemKind::Reordered) && log.kinds().contains(&ProblemKind::Forked));

    let mut log = Log::new();
    log.lines.truncate(12);
    assert_eq!(log.kinds(), [ProblemKind::Truncated]);

    let mut log = Log::new();
    log.lines.drain(20..25);
    assert!(log.kinds().contains(&ProblemKind::Truncated));

    let mut log = Log::new();
    let last = log.lines.len() - 2;
    log.lines.remove(last);
    assert_eq!(log.kinds(), [ProblemKind::Unsigned]);
}

#[test]
fn a_forged_checkpoint_is_seen() {
    let mut log = Log::new();
    log.lines[6] = Line::Checkpoint { note: log.sign(5, [1; 32]) };
    assert_eq!(log.kinds(), [ProblemKind::Forked]);

    let mut log = Log::new();
    if let Line::Checkpoint { note } = &mut log.lines[6] {
        *note = note.replacen("\n5\n", "\n4\n", 1);
    }
    assert_eq!(log.kinds(), [ProblemKind::WrongSignature]);

    let log = Log::new();
    let stranger = VerifierKey { name: ORIGIN.into(), key: [3; 32] };
    let report = log.verify(Trust { keys: vec![stranger], known_checkpoint: None });
    assert_eq!(report.problems[0].kind, ProblemKind::UnknownKey);
}

#[test]
fn an_older_checkpoint_kept_elsewhere_exposes_a_rewritten_history() {
    let log = Log::new();
    let Line::Checkpoint { note } = &log.lines[12] else { panic!("not a checkpoint") };
    let trust = |note: &str| Trust { keys: vec![log.key.clone()], known_checkpoint: Some(note.to_owned()) };
    assert_eq!(log.verify(trust(note)).known_checkpoint_confirmed, Some(true));
    let other = log.verify(trust(&log.sign(10, [1; 32])));
    assert_eq!((other.known_checkpoint_confirmed, other.problems[0].kind), (Some(false), ProblemKind::Inconsistent));
    let longer = log.verify(trust(&log.sign(99, [1; 32])));
    assert_eq!((longer.known_checkpoint_confirmed, longer.problems[0].kind), (Some(false), ProblemKind::Truncated));
}

#[test]
fn an_entry_that_waits_too_long_was_suppressed() {
    let mut log = Log::new();
    let mut late = record(50);
    log.lines.insert(25, Line::Waiting { record: late.clone() });
    assert_eq!(log.kinds(), []);
    late.created_at = "2026-11-21T23:00:00Z".parse().unwrap();
    log.lines[25] = Line::Waiting { record: late };
    assert_eq!(log.kinds(), [ProblemKind::NeverSequenced]);
}

#[test]
fn a_tenants_export_hides_others_and_still_shows_what_is_missing() {
    let mut log = Log::new();
    if let Line::Log { tenant: whose, .. } = &mut log.lines[0] {
        *whose = Some(tenant(1));
    }
    for line in &mut log.lines {
        if let Line::Leaf { record, salt, .. } = line
            && record.as_ref().is_some_and(|record| record.tenant_id != tenant(1))
        {
            (*record, *salt) = (None, None);
        }
    }
    assert_eq!(log.kinds(), []);
    if let Line::Leaf { record, .. } = &mut log.lines[1] {
        *record = None;
    }
    assert_eq!(log.kinds(), [ProblemKind::Missing]);
}

#[test]
fn garbage_is_named_by_line() {
    let report = export("{}\nnot json\n".as_bytes(), Trust::default()).unwrap();
    assert!(report.problems[1].message.contains("line 2"));
}

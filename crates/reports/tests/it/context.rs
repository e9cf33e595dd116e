//! Reports as a context: asked for, made by a worker, fetched; on both engines.

use std::io::{Seek, Write};
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use base::{Kind, Language, Role};
use reports::snapshot::{Cause, Severity, Status};
use reports::{Config, Format, NewReport, ReportState, Reports, Selection};
use results::{ImportOptions, ImportRequest, NewDecision, Results};
use scans::Scans;
use targets::{NewTarget, TargetId, TargetKind, Targets};
use testkit::World;

use crate::forms::typesetter;

const LINES: &str = r#"{"template-id":"git-config","info":{"name":"Git configuration exposed","severity":"high","description":"The folder .git is served.","remediation":"Do not deploy it.","reference":["https://example.test/git"],"classification":{"cwe-id":["CWE-538"],"cvss-metrics":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}},"type":"http","host":"http://shop.example.test","matched-at":"http://shop.example.test/.git/config","request":"GET /.git/config HTTP/1.1","response":"HTTP/1.1 200 OK\n\n[core]","timestamp":"2026-01-01T10:00:00Z","matcher-status":true}
{"template-id":"tech-detect","info":{"name":"Server banner","severity":"info"},"type":"http","host":"http://shop.example.test","matched-at":"http://shop.example.test/","timestamp":"2026-01-01T10:00:01Z","matcher-status":true}
"#;

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) reports: Reports,
    pub(crate) results: Results,
    pub(crate) target: TargetId,
}

impl Stage {
    /// A target with two imported findings, and one target nobody ever tested.
    pub(crate) async fn set(engine: testkit::Engine, typeset_command: PathBuf) -> Self {
        let world = World::new(engine).await;
        let admin = world.actor(&[Role::Admin]);
        let targets = Targets::new(&world.backends);
        let scans = Scans::new(&world.backends, &targets, scans::Config::default());
        let results = Results::new(&world.backends, &scans, &targets);
        let reports = Reports::new(&world.backends, &results, &targets, &scans, Config { typeset_command });
        let new = NewTarget { address: Some("http://shop.example.test".to_owned()), ..NewTarget::named("Web shop", TargetKind::Web) };
        let target = targets.create(&admin, new).await.unwrap().id;
        targets.create(&admin, NewTarget::named("intranet.example.test", TargetKind::Host)).await.unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(LINES.as_bytes()).unwrap();
        file.rewind().unwrap();
        let request = ImportRequest {
            format: None,
            filename: Some("nuclei.jsonl".to_owned()),
            target_id: Some(target),
            idempotency_key: None,
            dry_run: false,
            options: ImportOptions::default(),
            file,
        };
        let import = results.import(&admin, request).await.unwrap();
        assert_eq!(import.summary.created, 2);
        Self { world, reports, results, target }
    }

    pub(crate) async fn work(&self) -> Vec<base::Error> {
        backends::jobs::drain(&self.world.backends, &reports::jobs(&self.reports)).await.unwrap().errors
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_made_from_what_was_found_and_its_digest_is_audited() {
    for engine in testkit::engines() {
        let stage = Stage::set(engine, typesetter().program).await;
        let analyst = stage.world.actor(&[Role::SecurityAnalyst]);
        let new = NewReport { prepared_for: Some("Exemplo".to_owned()), language: Language::Portuguese, ..NewReport::titled("January") };
        let report = stage.reports.create(&analyst, new).await.unwrap();
        assert_eq!(report.state, ReportState::Queued);
        let early = stage.reports.download(&analyst, report.id, Format::Pdf).await.unwrap_err();
        assert_eq!((early.kind(), early.code()), (Kind::Conflict, "reports.not_ready"));
        let errors = stage.work().await;
        assert!(errors.is_empty(), "{errors:?}");
        let report = stage.reports.get(&analyst, report.id).await.unwrap();
        assert_eq!((report.state, report.findings), (ReportState::Ready, Some(2)));

        let json = stage.reports.download(&analyst, report.id, Format::Json).await.unwrap();
        assert_eq!(report.digest.as_deref(), Some(hex::encode(digest(&SHA256, &json.bytes)).as_str()));
        let snapshot: reports::Snapshot = serde_json::from_slice(&json.bytes).unwrap();
        let first = &snapshot.findings[0];
        assert_eq!((first.title.as_str(), first.severity, first.status), ("Git configuration exposed", Severity::High, Status::Open));
        assert_eq!(first.check.as_deref(), Some("git-config"));
        assert_eq!((first.cwes.as_slice(), first.cvss.as_ref().unwrap().score_tenths), ([538].as_slice(), 75));
        assert!(first.evidence.iter().any(|evidence| evidence.body.contains("[core]")));
        assert_eq!(snapshot.scope.targets.len(), 2);
        assert_eq!(snapshot.runs[0].name, "nuclei.jsonl");
        assert!(snapshot.not_tested.iter().any(|gap| gap.what == "intranet.example.test" && gap.cause == Cause::Untested));

        let pdf = stage.reports.download(&analyst, report.id, Format::Pdf).await.unwrap();
        let text = crate::forms::text(&pdf.bytes);
        assert!(text.contains("Git configuration exposed") && text.contains("Resumo executivo"), "{text}");
        let html = stage.reports.download(&analyst, report.id, Format::Html).await.unwrap();
        assert!(String::from_utf8(html.bytes).unwrap().contains("Exemplo"));
        assert!(pdf.filename.starts_with("report-2026-01-02-"), "{}", pdf.filename);

        let statement = backends::sql("SELECT detail FROM audit_logs WHERE action_taken = 'reports.freeze'");
        let row = stage.world.backends.db.one(statement).await.unwrap().unwrap();
        assert!(row.get::<String>("detail").unwrap().contains(report.digest.as_deref().unwrap()));
        assert_eq!(stage.world.count("events WHERE name = 'report.completed'").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_holds_what_was_selected_and_shows_decisions() {
    for engine in testkit::engines() {
        let stage = Stage::set(engine, typesetter().program).await;
        let admin = stage.world.actor(&[Role::Admin]);
        let page = base::PageRequest::default();
        let found = stage.results.findings(&admin, &results::Filter::default(), results::Sort::Severity, &page).await.unwrap();
        let decision = NewDecision {
            kind: results::DecisionKind::FalsePositive,
            reason: "a decoy".to_owned(),
            valid_until: None,
            scope: results::DecisionScope::Finding,
        };
        stage.results.decide(&admin, found.items[0].id, decision).await.unwrap();

        let grave = Selection { minimum_severity: Some(Severity::High), statuses: vec![] };
        let new = NewReport { target_ids: vec![stage.target], filter: grave, ..NewReport::titled("Grave") };
        let frozen = stage.reports.snapshot(&admin, new.clone()).await.unwrap();
        let snapshot = frozen.snapshot();
        assert_eq!((snapshot.findings.len(), snapshot.scope.targets.len()), (1, 1));
        let decision = snapshot.findings[0].decision.as_ref().unwrap();
        assert_eq!((decision.reason.as_str(), snapshot.findings[0].status), ("a decoy", Status::FalsePositive));

        let open = Selection { minimum_severity: Some(Severity::High), statuses: vec![Status::Open] };
        let frozen = stage.reports.snapshot(&admin, NewReport { filter: open, ..new }).await.unwrap();
        assert!(frozen.snapshot().findings.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_orders_what_is_not_theirs() {
    for engine in testkit::engines() {
        let stage = Stage::set(engine, typesetter().program).await;
        let admin = stage.world.actor(&[Role::Admin]);
        let report = stage.reports.create(&admin, NewReport::titled("Ours")).await.unwrap();
        let stranger = stage.world.other(&[Role::Admin]);
        let viewer = stage.world.actor(&[Role::Viewer]);
        assert_eq!(stage.reports.get(&stranger, report.id).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(stage.reports.delete(&stranger, report.id).await.unwrap_err().kind(), Kind::NotFound);
        assert!(stage.reports.list(&stranger, base::PageRequest::default()).await.unwrap().items.is_empty());
        let foreign = NewReport { target_ids: vec![stage.target], ..NewReport::titled("Theirs") };
        let error = stage.reports.create(&stranger, foreign).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (Kind::NotFound, Some("/target_ids/0")));
        assert_eq!(stage.reports.create(&viewer, NewReport::titled("No")).await.unwrap_err().kind(), Kind::Forbidden);
        assert_eq!(stage.reports.get(&viewer, report.id).await.unwrap().title, "Ours");
        stage.reports.delete(&admin, report.id).await.unwrap();
        assert_eq!(stage.reports.get(&admin, report.id).await.unwrap_err().kind(), Kind::NotFound);
        assert!(stage.work().await.is_empty(), "a deleted report is not made, and that is no error");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_made_is_given_up_with_its_reason() {
    for engine in testkit::engines() {
        let stage = Stage::set(engine, PathBuf::from("/bin/false")).await;
        let admin = stage.world.actor(&[Role::Admin]);
        let report = stage.reports.create(&admin, NewReport::titled("Never")).await.unwrap();
        for _ in 0..3 {
            assert_eq!(stage.work().await.len(), 1);
            stage.world.backends.clock.advance(std::time::Duration::from_secs(3600));
        }
        assert!(stage.work().await.is_empty(), "three tries are all");
        let report = stage.reports.get(&admin, report.id).await.unwrap();
        assert_eq!(report.state, ReportState::Failed);
        assert!(report.error.as_deref().unwrap().contains("ended without an answer"), "{:?}", report.error);
        let error = stage.reports.download(&admin, report.id, Format::Html).await.unwrap_err();
        assert!(error.detail().contains("could not be made"), "{}", error.detail());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_bound_to_a_unit_reports_on_it_alone_and_reads_no_other_report() {
    for engine in testkit::engines() {
        let stage = Stage::set(engine, typesetter().program).await;
        let admin = stage.world.actor(&[Role::Admin]);
        let whole = stage.reports.create(&admin, NewReport::titled("Everything")).await.unwrap();
        let user = Some(base::UserId::from_uuid(uuid::Uuid::from_u128(77)));
        let bound = base::Actor { units: vec!["retail".parse().unwrap()], user, ..admin.clone() };
        assert_eq!(stage.reports.get(&bound, whole.id).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(stage.reports.delete(&bound, whole.id).await.unwrap_err().kind(), Kind::NotFound);
        let own = stage.reports.create(&bound, NewReport::titled("Ours")).await.unwrap();
        let errors = stage.work().await;
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(stage.reports.get(&bound, own.id).await.unwrap().findings, Some(0));
        assert_eq!(stage.reports.get(&admin, whole.id).await.unwrap().findings, Some(2));
        let listed = stage.reports.list(&bound, base::PageRequest::default()).await.unwrap().items;
        assert_eq!(listed.iter().map(|report| report.id).collect::<Vec<_>>(), [own.id]);
    }
}

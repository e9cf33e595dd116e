//! Recorded reports under every option that decides what becomes of findings which are gone, come back or were decided about.

use results::{Closing, DecisionKind, DecisionScope, ImportOptions, ImportRequest, ImportSummary, NewDecision, Status};
use testkit::{Engine, data};

use crate::story::Story;

const FULL: &str = "zap/0_zap_sample.xml";
/// The same without one alert.
const LESS: &str = "zap/0_zap_sample_without_zap3.xml";
const NOTHING: &str = "zap/empty_2.9.0.xml";

fn complete() -> ImportOptions {
    ImportOptions { close_old: Closing::Complete, ..ImportOptions::default() }
}

async fn take(story: &Story, name: &str, options: ImportOptions) -> Option<ImportSummary> {
    let path = data(&format!("importers/{name}"))?;
    let request = ImportRequest {
        format: None,
        filename: path.file_name().and_then(|name| name.to_str()).map(str::to_owned),
        target_id: None,
        idempotency_key: None,
        dry_run: false,
        options,
        file: std::fs::File::open(path).unwrap(),
    };
    Some(story.request(request).await.unwrap().summary)
}

#[tokio::test]
async fn what_is_gone_is_fixed_and_what_is_back_is_open_unless_somebody_said_otherwise() {
    let story = Story::new(Engine::Embedded).await;
    let Some(first) = take(&story, FULL, complete()).await else { return };
    let all = first.findings;
    let less = take(&story, LESS, complete()).await.unwrap();
    let gone = all - less.findings;
    assert!(gone > 0 && (less.closed, less.created) == (gone, 0), "{less:?}");
    // The same bytes are the same test: taken in again they are known, and nothing is told anew.
    assert_eq!(take(&story, LESS, complete()).await, Some(less));
    let kept = take(&story, FULL, ImportOptions { do_not_reactivate: true, ..complete() }).await.unwrap();
    assert_eq!((kept.reopened, kept.created, kept.closed), (0, 0, 0), "{kept:?}");
    let fixed = story.findings().await.into_iter().filter(|finding| finding.status == Status::Fixed).count();
    assert!(fixed > 0, "fixed it stays");
    let back = take(&story, FULL, complete()).await.unwrap();
    assert_eq!((back.reopened, back.created, back.closed), (gone, 0, 0), "{back:?}");
    let never = take(&story, LESS, ImportOptions { close_old: Closing::Never, ..ImportOptions::default() }).await.unwrap();
    assert_eq!(never.closed, 0, "{never:?}");
    // Another service is another place, whatever it declares complete.
    let elsewhere = take(&story, NOTHING, ImportOptions { service: "shop".into(), ..complete() }).await.unwrap();
    assert_eq!(elsewhere.closed, 0, "{elsewhere:?}");
    // Less grave than what was asked for is not missing.
    let grave = ImportOptions { minimum_severity: importers::Severity::High, ..complete() };
    assert_eq!(take(&story, NOTHING, grave).await.unwrap().closed, 0, "the sample has nothing that grave");
    let nothing = take(&story, NOTHING, complete()).await.unwrap();
    assert_eq!(nothing.closed, all, "{nothing:?}");
    let reborn = take(&story, FULL, ImportOptions::default()).await.unwrap();
    assert_eq!((reborn.reopened, reborn.created), (all, 0), "{reborn:?}");
}

#[tokio::test]
async fn what_was_decided_outlives_its_absence_except_what_was_accepted() {
    let kinds = [
        (DecisionKind::FalsePositive, Status::FalsePositive, Status::FalsePositive),
        (DecisionKind::OutOfScope, Status::OutOfScope, Status::OutOfScope),
        (DecisionKind::Accepted, Status::Accepted, Status::Fixed),
        (DecisionKind::Mitigated, Status::Mitigated, Status::Fixed),
    ];
    for (kind, there, gone) in kinds {
        let story = Story::new(Engine::Embedded).await;
        if take(&story, FULL, complete()).await.is_none() {
            return;
        }
        let decided = story.findings().await.remove(0).id;
        let decision = NewDecision { kind, reason: "varied".into(), valid_until: None, scope: DecisionScope::Finding };
        story.results.decide(&story.actor, decided, decision).await.unwrap();
        for (file, expected) in [(FULL, there), (NOTHING, gone), (FULL, there)] {
            take(&story, file, complete()).await.unwrap();
            let now = story.findings().await.into_iter().find(|finding| finding.id == decided).unwrap();
            assert_eq!(now.status, expected, "{kind:?} after {file}");
        }
    }
}

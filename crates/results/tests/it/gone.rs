//! Tools that keep what they knew list it as fixed: that closes what is open, is remembered of what nobody knew, and opens nothing.

use importers::Format;
use results::{Closing, ImportOptions, ImportRequest, ImportSummary};
use testkit::engines;

use crate::story::{Story, file};

/// A table of detections on one host: QID, port, state.
fn table(rows: &[(u32, u16, &str)]) -> String {
    let mut text = "\"QID\",\"Title\",\"Severity\",\"Status\",\"Asset Name\",\"Asset IPV4\",\"Protocol\",\"Port\",\"First Detected\",\"Last Detected\",\"Last Fixed\"\n".to_owned();
    for (qid, port, state) in rows {
        let fixed = if *state == "FIXED" { "Feb 03, 2025 07:00 AM" } else { "" };
        text += &format!(
            "\"{qid}\",\"q{qid}\",\"5\",\"{state}\",\"a\",\"192.0.2.7\",\"TCP\",\"{port}\",\"Feb 01, 2025 07:00 AM\",\"Feb 02, 2025 07:00 AM\",\"{fixed}\"\n"
        );
    }
    text
}

async fn import(story: &Story, rows: &[(u32, u16, &str)], options: ImportOptions) -> ImportSummary {
    let request = ImportRequest {
        format: Some(Format::QualysVmdr),
        filename: Some("vmdr.csv".into()),
        target_id: None,
        idempotency_key: None,
        dry_run: false,
        options,
        file: file(&table(rows)),
    };
    story.request(request).await.unwrap().summary
}

#[tokio::test]
async fn what_is_listed_as_fixed_is_closed_remembered_and_comes_back() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let first = import(&story, &[(1, 80, "ACTIVE"), (2, 80, "ACTIVE"), (3, 80, "FIXED")], ImportOptions::default()).await;
        assert_eq!((first.created, first.closed, first.open), (3, 0, 2), "{engine:?}");
        let standing = |all: [(&str, &'static str); 3]| all.map(|(title, status)| (title.to_owned(), status)).to_vec();
        assert_eq!(story.standing().await, standing([("q1", "open"), ("q2", "open"), ("q3", "fixed")]));
        let third = story.titled("q3").await;
        assert_eq!(
            (third.first_seen.to_string(), third.last_seen.to_string(), third.fixed_at.unwrap().to_string()),
            ("2025-02-01T07:00:00Z".into(), "2025-02-02T07:00:00Z".into(), "2025-02-03T07:00:00Z".into())
        );
        story.assert_tallies().await;
        let before = story.picture().await;

        // Gone at its port, there at another: another finding, and nothing that moved.
        let rows = [(1, 80, "FIXED"), (1, 8080, "ACTIVE"), (2, 80, "ACTIVE"), (3, 80, "FIXED")];
        let never = ImportOptions { close_old: Closing::Never, ..ImportOptions::default() };
        let second = import(&story, &rows, never).await;
        assert_eq!((second.closed, second.created, second.moved, second.unchanged), (1, 1, 0, 2), "{engine:?} {second:?}");
        story.assert_tallies().await;
        let told: Vec<_> = story.findings().await.iter().map(|one| (one.title.clone(), one.location.port, one.status.as_str())).collect();
        let port = |title: &str, port, status| (title.to_owned(), Some(port), status);
        let mut expected = vec![port("q1", 80, "fixed"), port("q1", 8080, "open"), port("q2", 80, "open"), port("q3", 80, "fixed")];
        let mut told = told;
        told.sort();
        expected.sort();
        assert_eq!(told, expected, "{engine:?}");
        let again = import(&story, &[rows[3], rows[2], rows[1], rows[0]], ImportOptions::default()).await;
        assert_eq!((again.closed, again.created, again.reopened, again.unchanged), (0, 0, 0, 4), "{engine:?} {again:?}");

        let back = import(&story, &[(1, 80, "RE-OPENED"), (3, 80, "ACTIVE")], ImportOptions::default()).await;
        assert_eq!((back.reopened, back.created), (2, 0), "{engine:?} {back:?}");
        story.assert_tallies().await;
        let page = base::PageRequest { cursor: None, limit: Some(10) };
        let imports = story.results.imports(&story.actor, &page).await.unwrap().items;
        for import in imports.iter().take(3) {
            story.results.undo(&story.actor, import.id).await.unwrap();
        }
        assert_eq!(story.picture().await, before, "{engine:?}");
    }
}

#[tokio::test]
async fn gone_in_one_row_and_there_in_another_is_there() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let summary = import(&story, &[(1, 80, "FIXED"), (1, 80, "ACTIVE")], ImportOptions::default()).await;
        assert_eq!((summary.findings, summary.open), (1, 1), "{engine:?} {summary:?}");
        let summary = import(&story, &[(1, 80, "ACTIVE"), (1, 80, "FIXED")], ImportOptions::default()).await;
        assert_eq!((summary.closed, summary.created), (0, 0), "{engine:?} {summary:?}");
        assert_eq!(story.standing().await, [("q1".to_owned(), "open")]);
    }
}

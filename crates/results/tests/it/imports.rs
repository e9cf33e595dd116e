//! Whole or not at all, counted, dry, and cheap in statements.

use base::{Kind, PageRequest, Role};
use importers::{Format, Options};
use results::ImportRequest;
use testkit::{data, engines};

use crate::story::{Story, file, hit, lines, request};

#[tokio::test]
async fn a_dry_run_tells_the_difference_and_leaves_nothing() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let text = lines(&[hit("a", "high", "https://x.example/"), hit("b", "low", "https://x.example/")]);
        let dry = story.request(ImportRequest { dry_run: true, ..request(&text, None) }).await.unwrap();
        assert!(dry.dry_run && dry.summary.created == 2);
        for table in ["vulnerabilities", "observations", "imports", "finding_keys", "finding_history", "audit_logs", "events"] {
            assert_eq!(story.world.count(table).await, 0, "{table} on {engine:?}");
        }
        story.import(&text, None).await.unwrap();
        assert_eq!(story.world.count("audit_logs").await, 1);
        let dry = story.request(ImportRequest { dry_run: true, ..request(&text, None) }).await.unwrap();
        assert_eq!((dry.summary.created, dry.summary.unchanged), (0, 2));
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_is_refused_whole_and_names_the_position() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let whole = crate::story::nmap("192.0.2.1", "1-100", &[22, 80]);
        let request = |text: &str| ImportRequest { format: None, filename: Some("scan.xml".into()), ..request(text, None) };
        let refused = story.request(request(&whole[..whole.len() - 120])).await.unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (Kind::Invalid, "results.unreadable"));
        assert!(refused.detail().contains("scan.xml") && refused.detail().contains("byte"), "{refused}");
        assert_eq!(story.world.count("vulnerabilities").await, 0);
        let unknown = story.request(request("hello")).await.unwrap_err();
        assert_eq!(unknown.code(), "results.unknown_format");
        assert_eq!(story.request(request(&whole)).await.unwrap().format, "nmap");
    }
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_one_file() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let keyed = |text: &str| ImportRequest { idempotency_key: Some("k-1".into()), ..request(text, None) };
        let one = lines(&[hit("a", "high", "https://x.example/")]);
        let first = story.request(keyed(&one)).await.unwrap();
        let again = story.request(keyed(&one)).await.unwrap();
        assert_eq!((again.id, again.repeated, again.summary), (first.id, true, first.summary));
        let other = story.request(keyed(&lines(&[hit("b", "high", "https://x.example/")]))).await.unwrap_err();
        assert_eq!(other.code(), "results.other_file");
        let page = story.results.imports(&story.actor, &PageRequest::default()).await.unwrap();
        assert_eq!((page.items.len(), page.items[0].filename.as_deref()), (1, Some("results.jsonl")));
        let refused = Box::pin(story.results.import(&story.world.actor(&[Role::Viewer]), keyed(&one))).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
    }
}

#[tokio::test]
async fn a_thousand_findings_cost_a_pinned_number_of_statements() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let many = |from: usize, severity: &str| {
            let hits: Vec<_> = (from..from + 1000).map(|number| hit(&format!("t-{number}"), severity, "https://x.example/")).collect();
            lines(&hits)
        };
        let db = &story.world.backends.db;
        let before = db.statements();
        let first = story.import(&many(0, "high"), None).await.unwrap();
        let new = db.statements() - before;
        let before = db.statements();
        let second = story.import(&many(500, "low"), None).await.unwrap();
        let again = db.statements() - before;
        assert_eq!(
            (first.summary.created, second.summary.created, second.summary.unchanged, second.summary.not_retested),
            (1000, 500, 500, 500)
        );
        // PostgreSQL takes one more: the lock of the target.
        let lock = u64::from(engine == testkit::Engine::Distributed);
        assert_eq!((new, again), (10 + lock, 14 + lock), "{engine:?}");
    }
}

#[tokio::test]
async fn the_test_data_is_taken_in_with_the_recorded_counts() {
    let story = Story::new(testkit::Engine::Embedded).await;
    let Some(recorded) = data("importers") else { return };
    // What nobody recorded has stories of its own beside its importer.
    let folders = Format::all().map(|format| (format, recorded.join(format.id()))).filter(|(_, folder)| folder.is_dir());
    let mut formats = 0;
    for (format, folder) in folders {
        formats += 1;
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name == "expected.json" || path.is_dir() {
                continue;
            }
            let open = || std::fs::File::open(&path).unwrap();
            let preview = results::preview(open(), Some(&name), Some(format), &Options::default());
            let request = ImportRequest {
                format: Some(format),
                filename: Some(name.clone()),
                target_id: None,
                idempotency_key: None,
                dry_run: false,
                options: results::ImportOptions::default(),
                file: open(),
            };
            let import = story.request(request).await;
            match (preview, import) {
                (Ok(preview), Ok(import)) => {
                    assert_eq!((preview.observations, preview.findings), (import.summary.observations, import.summary.findings), "{name}");
                    let summary = &import.summary;
                    assert_eq!(summary.findings, summary.created + summary.unchanged + summary.reopened + summary.moved, "{name}");
                }
                (Err(preview), Err(import)) => assert_eq!(preview.code(), import.code(), "{name}"),
                (preview, import) => panic!("{name}: {preview:?} but {import:?}"),
            }
        }
    }
    assert!(formats >= 44, "only {formats} formats were recorded");
}

#[test]
fn a_preview_needs_no_server_and_guesses_the_format() {
    let text = crate::story::nmap("192.0.2.1", "1-100", &[22, 80]);
    let preview = results::preview(file(&text), Some("scan.xml"), None, &Options::default()).unwrap();
    assert_eq!((preview.format, preview.observations, preview.findings, preview.coverage), (Format::Nmap, 2, 2, 1));
    let refused = results::preview(file("nonsense"), Some("x.txt"), None, &Options::default()).unwrap_err();
    assert!(refused.detail().contains("x.txt"));
}

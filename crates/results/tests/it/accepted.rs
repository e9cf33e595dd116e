//! Files that are accepted first and taken in by a job: durable before the answer, whole or not at all, once.

use backends::jobs;
use base::PageRequest;
use futures::StreamExt;
use results::{ImportRequest, ImportState};
use testkit::engines;

use crate::story::{Story, hit, lines, request};

const SITE: &str = "https://x.example/";

#[tokio::test]
async fn an_accepted_file_is_taken_in_once_by_a_job_and_told_about() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let handlers = results::jobs(&story.results);
        let text = lines(&[hit("a", "high", SITE), hit("b", "low", SITE)]);
        let keyed = |text: &str| ImportRequest { idempotency_key: Some("k".into()), ..request(text, None) };
        let accepted = story.results.accept(&story.actor, keyed(&text)).await.unwrap();
        assert_eq!((accepted.state, story.findings().await.len()), (ImportState::Queued, 0));
        let again = story.results.accept(&story.actor, keyed(&text)).await.unwrap();
        assert_eq!((again.id, again.repeated), (accepted.id, true));
        let drained = jobs::drain(&story.world.backends, &handlers).await.unwrap();
        assert!(drained.errors.is_empty(), "{:?}", drained.errors);
        let import = story.results.import_of(&story.actor, accepted.id).await.unwrap();
        assert_eq!((import.state, import.summary.created, import.ended_at.is_some()), (ImportState::Done, 2, true));
        // Running it again changes nothing.
        story.results.run_import(&story.actor, accepted.id, None).await.unwrap();
        assert_eq!((story.findings().await.len(), story.world.count("observations").await), (2, 2));
        let words: Vec<_> = story.results.import_progress(&story.actor, accepted.id).await.unwrap().collect().await;
        assert_eq!(words.last().map(|word| word.state), Some(ImportState::Done));
    }
}

#[tokio::test]
async fn an_accepted_file_that_breaks_off_fails_whole_and_frees_its_key() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let handlers = results::jobs(&story.results);
        let whole = crate::story::nmap("192.0.2.1", "1-100", &[22, 80]);
        let keyed = |text: &str| ImportRequest { idempotency_key: Some("k".into()), format: None, filename: None, ..request(text, None) };
        let accepted = story.results.accept(&story.actor, keyed(&whole[..whole.len() - 120])).await.unwrap();
        let drained = jobs::drain(&story.world.backends, &handlers).await.unwrap();
        assert!(drained.errors.is_empty(), "{:?}", drained.errors);
        let import = story.results.import_of(&story.actor, accepted.id).await.unwrap();
        assert_eq!((import.state, story.world.count("vulnerabilities").await), (ImportState::Failed, 0));
        assert!(import.error.unwrap().contains("byte"));
        story.results.accept(&story.actor, keyed(&whole)).await.unwrap();
        jobs::drain(&story.world.backends, &handlers).await.unwrap();
        let imports = story.results.imports(&story.actor, &PageRequest::default()).await.unwrap().items;
        assert_eq!(imports.iter().map(|import| import.state).collect::<Vec<_>>(), [ImportState::Done, ImportState::Failed]);
    }
}

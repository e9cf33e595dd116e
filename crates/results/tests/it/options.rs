//! What the options of an import do, and what they leave alone.

use std::time::Duration;

use results::{Closing, ImportOptions, ImportRequest, Status};
use testkit::engines;

use crate::story::{Story, hit, lines, miss, nmap, nmap_request, request};

const SITE: &str = "https://x.example/";

#[tokio::test]
async fn the_options_of_an_import_do_what_they_say() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let with = |text: &str, options: ImportOptions| ImportRequest { options, ..request(text, None) };
        let both = lines(&[hit("a", "high", SITE), hit("b", "low", SITE)]);
        let grave = ImportOptions { minimum_severity: importers::Severity::High, tags: vec!["nightly".into()], ..ImportOptions::default() };
        let first = story.request(with(&both, grave)).await.unwrap();
        assert_eq!((first.summary.created, first.summary.below_minimum), (1, 1));
        assert_eq!(story.titled("a").await.tags, ["nightly"]);
        let service = ImportOptions { service: "shop".into(), ..ImportOptions::default() };
        assert_eq!(story.request(with(&both, service)).await.unwrap().summary.created, 2, "another service is another place");

        let nothing = lines(&[miss("z", SITE)]);
        let never = ImportOptions { close_old: Closing::Never, ..ImportOptions::default() };
        let kept = story.request(with(&nothing, never)).await.unwrap();
        assert_eq!((kept.summary.closed, kept.summary.not_retested), (0, 0));
        let complete = ImportOptions { close_old: Closing::Complete, ..ImportOptions::default() };
        assert_eq!(story.request(with(&nothing, complete)).await.unwrap().summary.closed, 1);
        let fixed = ImportOptions { do_not_reactivate: true, ..ImportOptions::default() };
        let seen = story.request(with(&lines(&[hit("a", "high", SITE)]), fixed)).await.unwrap();
        assert_eq!((seen.summary.reopened, seen.summary.unchanged), (0, 1));
        let back = story.request(with(&lines(&[hit("a", "high", SITE), hit("e", "info", SITE)]), ImportOptions::default())).await.unwrap();
        assert_eq!((back.summary.reopened, back.summary.created), (1, 1), "{engine:?} {:?}", back.summary);
    }
}

#[tokio::test]
async fn what_is_told_below_the_minimum_is_not_gone() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let grave = |close_old| ImportOptions { minimum_severity: importers::Severity::High, close_old, ..ImportOptions::default() };
        let with = |text: &str, close_old| ImportRequest { options: grave(close_old), ..request(text, None) };
        let all = lines(&[hit("a", "high", SITE), hit("b", "high", SITE), hit("c", "low", SITE)]);
        story.import(&all, None).await.unwrap();
        let before = story.titled("a").await;
        for close_old in [Closing::Covered, Closing::Complete] {
            // Looked for, and said to be low on this page: it is there.
            let text = lines(&[miss("a", SITE), hit("a", "low", SITE), hit("b", "high", SITE)]);
            let less = story.request(with(&text, close_old)).await.unwrap().summary;
            assert_eq!((less.below_minimum, less.closed, less.not_retested, less.unchanged), (1, 0, 0, 1), "{engine:?} {less:?}");
            assert_eq!(story.titled("a").await, before, "{engine:?} {close_old:?}");
        }
        // A file with nothing that grave still is a report of its tool.
        let gone = story.request(with(&lines(&[hit("a", "low", SITE)]), Closing::Complete)).await.unwrap().summary;
        assert_eq!((gone.closed, story.titled("b").await.status), (1, Status::Fixed), "{engine:?} {gone:?}");
        assert_eq!(story.titled("a").await, before, "{engine:?}");
    }
}

#[tokio::test]
async fn what_stays_fixed_has_been_since_it_was_gone() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        clock.advance(Duration::from_secs(60));
        story.import(&lines(&[miss("a", SITE)]), None).await.unwrap();
        let gone = clock.now();
        clock.advance(Duration::from_secs(60));
        let options = ImportOptions { do_not_reactivate: true, ..ImportOptions::default() };
        let reworded = lines(&[hit("a", "critical", SITE)]);
        story.request(ImportRequest { options, ..request(&reworded, None) }).await.unwrap();
        let finding = story.titled("a").await;
        assert_eq!((finding.status, finding.severity), (Status::Fixed, importers::Severity::Critical), "{engine:?}");
        assert_eq!((finding.fixed_at, finding.last_seen), (Some(gone), clock.now()), "{engine:?}");
    }
}

#[tokio::test]
async fn a_report_of_the_past_is_kept_as_gone_and_touches_nothing_that_is_known() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE), hit("b", "low", SITE)]), None).await.unwrap();
        let before = story.titled("a").await;
        let past = ImportOptions { is_past: true, ..ImportOptions::default() };
        let old = lines(&[hit("a", "critical", SITE), miss("b", SITE), hit("c", "high", SITE)]);
        let taken = story.request(ImportRequest { options: past, ..request(&old, None) }).await.unwrap();
        assert_eq!((taken.summary.created, taken.summary.closed, taken.summary.open), (1, 0, 1), "{:?}", taken.summary);
        assert_eq!(story.titled("a").await, before, "what is known stays as it is");
        let gone = story.titled("c").await;
        assert_eq!((gone.status, gone.fixed_at.is_some()), (Status::Fixed, true));
        assert_eq!(story.titled("b").await.status, Status::Open, "a report of the past closes nothing");
        let again = story.import(&lines(&[hit("c", "high", SITE)]), None).await.unwrap();
        assert_eq!((again.summary.reopened, story.titled("c").await.status), (1, Status::Open), "{engine:?}");
    }
}

#[tokio::test]
async fn what_somebody_checked_stays_certain_when_a_tool_is_less_so() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let text = lines(&[hit("a", "high", SITE)]);
        story.import(&text, None).await.unwrap();
        assert!(story.titled("a").await.confidence < 100);
        let checked = ImportOptions { is_verified: true, ..ImportOptions::default() };
        story.request(ImportRequest { options: checked, ..request(&text, None) }).await.unwrap();
        assert_eq!(story.titled("a").await.confidence, 100);
        story.import(&lines(&[hit("a", "low", SITE)]), None).await.unwrap();
        let later = story.titled("a").await;
        assert_eq!((later.confidence, later.severity), (100, importers::Severity::Low), "{engine:?}");
    }
}

#[tokio::test]
async fn a_report_of_nothing_closes_only_where_somebody_says_that_it_is_complete() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE), hit("b", "low", SITE)]), None).await.unwrap();
        story.request(nmap_request(&nmap("192.0.2.1", "1-100", &[22]))).await.unwrap();
        let silent = story.import("", None).await.unwrap();
        assert_eq!((silent.summary.closed, silent.summary.not_retested), (0, 0), "{:?}", silent.summary);
        let complete = ImportOptions { close_old: Closing::Complete, ..ImportOptions::default() };
        let closing = story.request(ImportRequest { options: complete.clone(), ..request("", None) }).await.unwrap();
        assert_eq!(closing.summary.closed, 2, "what another tool found stays: {:?}", closing.summary);
        let run = nmap_request("<nmaprun scanner='nmap'><runstats/></nmaprun>");
        let closing = story.request(ImportRequest { options: complete, ..run }).await.unwrap();
        assert_eq!(closing.summary.closed, 1, "{engine:?}: {:?}", closing.summary);
        assert!(story.findings().await.iter().all(|finding| finding.status == Status::Fixed));
    }
}

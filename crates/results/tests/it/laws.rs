//! Laws of taking in: twice is once, order and cuts do not matter, other words, ratings, lines and versions change nothing, what
//! differs stays apart, a dry run tells what then happens, and undo takes back exactly that.

use std::collections::BTreeSet;

use importers::Format;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use results::{Closing, ImportOptions, ImportRequest};
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};

use crate::story::{Story, hit, lines, miss, request};

/// Check and place, which is what a finding of these files is.
type Name = (u8, u8);

fn url(number: u8) -> String {
    // Look-alikes on purpose: lengths must keep `/a` + `bc` from meeting `/ab` + `c`.
    ["https://x.example/a", "https://x.example/ab", "https://xa.example/b", "https://x.example:8443/a"][usize::from(number % 4)].to_owned()
}

fn template(number: u8) -> String {
    ["t", "ta", "t-a", "a"][usize::from(number % 4)].to_owned()
}

fn line((check, place): Name, wording: u8) -> Json {
    let mut line = hit(&template(check), ["info", "low", "medium", "high", "critical"][usize::from(wording % 5)], &url(place));
    line["info"]["name"] = format!("title {wording}").into();
    line["info"]["tags"] = serde_json::json!([format!("tag-{wording}")]);
    line["timestamp"] = format!("2026-01-02T03:04:{:02}Z", wording % 60).into();
    line
}

async fn names(story: &Story, target: &targets::Target) -> BTreeSet<(String, String)> {
    let findings = story.findings().await.into_iter().filter(|finding| finding.target_id == Some(target.id));
    let all: Vec<_> = findings.map(|finding| (finding.check, finding.location.url.unwrap_or_default())).collect();
    let names: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(names.len(), all.len(), "no two findings of one name");
    names
}

#[test]
fn taking_in_obeys_its_laws() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let story = runtime.block_on(Story::new(Engine::Embedded));
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let input = (prop::collection::vec(((0_u8..4, 0_u8..4), any::<u8>()), 1..10), any::<prop::sample::Index>(), 1..=u8::MAX);
    let counter = std::cell::Cell::new(0);
    runner
        .run(&input, |(hits, cut, other)| {
            let number = counter.get() + 1;
            counter.set(number);
            runtime.block_on(async {
                let target = story.target(&format!("whole-{number}.example")).await;
                let parts = story.target(&format!("parts-{number}.example")).await;
                let distinct = hits.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>().len() as u64;
                let text: Vec<Json> = hits.iter().map(|(name, wording)| line(*name, *wording)).collect();
                let first = story.import(&lines(&text), Some(&target)).await.unwrap().summary;
                prop_assert_eq!((first.created, first.findings), (distinct, distinct));
                let known = names(&story, &target).await;
                prop_assert_eq!(known.len() as u64, distinct);

                // Other words, other ratings, another order.
                let mut turned: Vec<Json> = hits.iter().map(|(name, wording)| line(*name, wording.wrapping_add(other))).collect();
                turned.rotate_left(cut.index(hits.len()));
                let second = story.import(&lines(&turned), Some(&target)).await.unwrap().summary;
                prop_assert_eq!((second.created, second.unchanged, second.closed, second.moved), (0, distinct, 0, 0));
                prop_assert_eq!(names(&story, &target).await, known.clone());

                // The same file in two.
                let (one, two) = text.split_at(cut.index(text.len()));
                for part in [one, two].into_iter().filter(|part| !part.is_empty()) {
                    story.import(&lines(part), Some(&parts)).await.unwrap();
                }
                prop_assert_eq!(names(&story, &parts).await, known);
                Ok(())
            })
        })
        .unwrap();
}

/// Every case is a run of its own, shrunk when it fails.
fn cases<S: Strategy>(cases: u32, input: S, mut law: impl AsyncFnMut(&Story, u32, S::Value) -> Result<(), TestCaseError>, engine: Engine) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let story = runtime.block_on(Story::new(engine));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let (counter, law) = (std::cell::Cell::new(0), std::cell::RefCell::new(&mut law));
    runner
        .run(&input, |value| {
            counter.set(counter.get() + 1);
            runtime.block_on((law.borrow_mut())(&story, counter.get(), value))
        })
        .unwrap();
}

/// What a second file says of a name: seen, seen in other words, looked for in vain, or nothing.
fn told(name: Name, how: u8, wording: u8) -> Option<Json> {
    match how % 4 {
        0 => Some(line(name, wording)),
        1 => Some(line(name, wording.wrapping_add(1))),
        2 => Some(miss(&template(name.0), &url(name.1))),
        _ => None,
    }
}

#[test]
fn a_dry_run_tells_what_then_happens_and_undo_takes_back_exactly_that() {
    let name = || (0_u8..4, 0_u8..4);
    let second = prop::collection::vec((name(), any::<u8>(), any::<u8>()), 1..10);
    for engine in engines() {
        let input = (prop::collection::vec((name(), any::<u8>()), 1..8), second.clone(), 0_u8..3);
        let number = if engine == Engine::Embedded { 24 } else { 6 };
        cases(
            number,
            input,
            async |story, case, (first, second, closing)| {
                let target = story.target(&format!("undo-{case}.example")).await;
                let before: Vec<Json> = first.iter().map(|(name, wording)| line(*name, *wording)).collect();
                story.import(&lines(&before), Some(&target)).await.unwrap();
                let (picture, rows) = (story.picture().await, story.rows().await);
                story.world.backends.clock.advance(std::time::Duration::from_secs(60));
                let after: Vec<Json> = second.iter().filter_map(|(name, how, wording)| told(*name, *how, *wording)).collect();
                // A file of nothing but its own mark is no file of any format.
                let text = format!("{}{}", lines(&after), lines(&[miss("mark", &format!("https://mark-{case}.example/"))]));
                let close_old = [Closing::Covered, Closing::Never, Closing::Complete][usize::from(closing)];
                let asked = |dry_run| ImportRequest {
                    dry_run,
                    options: ImportOptions { close_old, ..ImportOptions::default() },
                    ..request(&text, Some(&target))
                };
                let dry = story.request(asked(true)).await.unwrap();
                prop_assert_eq!((story.picture().await, story.rows().await), (picture.clone(), rows));
                let real = story.request(asked(false)).await.unwrap();
                prop_assert_eq!(&dry.summary, &real.summary);
                let told = |kind| dry.differences.iter().filter(|difference| difference.change == kind).count() as u64;
                prop_assert_eq!(told(results::ChangeKind::Created), real.summary.created);
                prop_assert_eq!(told(results::ChangeKind::Closed), real.summary.closed);
                prop_assert_eq!(told(results::ChangeKind::Reopened), real.summary.reopened);
                prop_assert_eq!(told(results::ChangeKind::NotRetested), real.summary.not_retested);
                story.assert_tallies().await;
                story.results.undo(&story.actor, real.id).await.unwrap();
                prop_assert_eq!((story.picture().await, story.rows().await), (picture, rows));
                story.assert_tallies().await;
                Ok(())
            },
            engine,
        );
    }
}

/// A rule in a file at some line, with code of its own.
fn sarif(hits: &[(u8, u8)], line_of: impl Fn(usize) -> u32, wording: u8) -> String {
    let results: Vec<Json> = hits
        .iter()
        .enumerate()
        .map(|(index, (rule, code))| {
            let level = ["note", "warning", "error"][usize::from(wording % 3)];
            json!({
                "ruleId": format!("rule-{}", rule % 3), "message": { "text": format!("wording {wording}") }, "level": level,
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": format!("src/{}.c", code % 2) },
                    "region": { "startLine": line_of(index), "snippet": { "text": format!("call_{code}(buffer, {rule});") } },
                } }],
            })
        })
        .collect();
    json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "linter" } }, "results": results }] }).to_string()
}

fn bill(packages: &BTreeSet<u8>, version: u8) -> String {
    let dependencies: Vec<Json> = packages
        .iter()
        .map(|package| {
            let vulns = json!([{ "id": format!("PYSEC-2024-{package}"), "fix_versions": [], "aliases": [], "description": format!("words {version}") }]);
            json!({ "name": format!("package-{package}"), "version": format!("{version}.{package}"), "vulns": vulns })
        })
        .collect();
    json!({ "dependencies": dependencies, "fixes": [] }).to_string()
}

#[test]
fn moved_lines_and_bumped_versions_keep_every_finding() {
    let input = (
        prop::collection::btree_set((0_u8..6, 0_u8..12), 1..8),
        prop::collection::btree_set(0_u8..20, 1..8),
        (1_u32..400, 1_u32..9, any::<u8>()),
        any::<prop::sample::Index>(),
    );
    cases(
        24,
        input,
        async |story, case, (hits, packages, (shift, stretch, wording), turn)| {
            let target = story.target(&format!("moved-{case}.example")).await;
            let taken = |text: &str, format| ImportRequest { format: Some(format), filename: None, ..request(text, Some(&target)) };
            let hits: Vec<(u8, u8)> = hits.into_iter().collect();
            let first = story.request(taken(&sarif(&hits, |index| 10 + index as u32, 0), Format::Sarif)).await.unwrap().summary;
            let known = story.picture().await.into_iter().map(|row| row[0].clone()).collect::<BTreeSet<_>>();
            let mut turned = hits.clone();
            turned.rotate_left(turn.index(hits.len()));
            let moved = sarif(&turned, |index| 10 + shift + index as u32 * stretch, wording);
            let second = story.request(taken(&moved, Format::Sarif)).await.unwrap().summary;
            prop_assert_eq!((second.created, second.closed, second.findings), (0, 0, first.findings));
            prop_assert_eq!(story.picture().await.into_iter().map(|row| row[0].clone()).collect::<BTreeSet<_>>(), known);

            let first = story.request(taken(&bill(&packages, 1), Format::PipAudit)).await.unwrap().summary;
            prop_assert_eq!(first.created, packages.len() as u64);
            let second = story.request(taken(&bill(&packages, 2), Format::PipAudit)).await.unwrap().summary;
            prop_assert_eq!((second.created, second.closed, second.unchanged + second.moved), (0, 0, packages.len() as u64));
            Ok(())
        },
        Engine::Embedded,
    );
}

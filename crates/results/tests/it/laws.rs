//! Laws of taking in: twice is once, order and cuts do not matter, other words and ratings change nothing, and what differs stays apart.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value as Json;
use testkit::Engine;

use crate::story::{Story, hit, lines};

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
    let input = (prop::collection::vec(((0_u8..4, 0_u8..4), any::<u8>()), 1..10), any::<prop::sample::Index>(), any::<u8>());
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

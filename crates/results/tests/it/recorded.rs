//! Import and re-import as another platform recorded it, step by step. What is compared is which problems stand after each
//! step; that platform keeps a row per alert, ours a finding per place, and duplicates are observations here.

use std::collections::BTreeSet;

use results::{Closing, DecisionKind, ImportOptions, ImportRequest, NewDecision};
use serde_json::Value as Json;
use testkit::{Engine, data};

use crate::story::Story;

#[tokio::test]
async fn the_recorded_scenarios_leave_the_same_problems_standing() {
    let Some(path) = data("importers/lifecycle_examples.json") else { return };
    let folder = path.parent().unwrap().to_owned();
    let recorded: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut replayed = 0;
    for scenario in recorded["scenarios"].as_array().unwrap() {
        let steps = scenario["steps"].as_array().unwrap();
        if !steps.iter().all(|step| folder.join(step["file"].as_str().unwrap()).exists()) {
            continue;
        }
        replayed += 1;
        let name = scenario["scenario"].as_str().unwrap();
        let story = Story::new(Engine::Embedded).await;
        let mut accepted = 0;
        for (number, step) in steps.iter().enumerate() {
            let file = step["file"].as_str().unwrap();
            // Somebody accepted a risk between two steps: the state before this one says so.
            let wanted = step["response"]["statistics"]["before"]["total"]["risk_accepted"].as_u64().unwrap_or(0);
            while accepted < wanted {
                let open = story.findings().await.into_iter().find(|finding| finding.decision.is_none()).unwrap();
                for finding in story.findings().await.into_iter().filter(|finding| finding.check == open.check) {
                    let accept = NewDecision {
                        kind: DecisionKind::Accepted,
                        reason: "recorded".into(),
                        valid_until: None,
                        scope: Default::default(),
                    };
                    story.results.decide(&story.actor, finding.id, accept).await.unwrap();
                }
                accepted += 1;
            }
            let close = step["op"] == "reimport" || step["params"]["close_old_findings"] == true;
            let request = ImportRequest {
                format: None,
                filename: Some(file.rsplit('/').next().unwrap().to_owned()),
                target_id: None,
                idempotency_key: None,
                dry_run: false,
                options: ImportOptions {
                    close_old: if close { Closing::Complete } else { Closing::Never },
                    // An engagement of its own is a service of its own.
                    service: step["params"]["engagement_name"].as_str().unwrap_or_default().to_owned(),
                    ..ImportOptions::default()
                },
                file: std::fs::File::open(folder.join(file)).unwrap(),
            };
            story.request(request).await.unwrap();
            let state = &step["state_counts"];
            let standing: BTreeSet<_> = story
                .findings()
                .await
                .into_iter()
                .filter(results::Finding::is_open)
                .map(|finding| (finding.service, finding.check))
                .collect();
            let before: usize = steps[..number]
                .iter()
                .filter(|earlier| earlier["params"]["engagement_name"] != step["params"]["engagement_name"])
                .map(|earlier| earlier["state_counts"]["active"].as_u64().unwrap() as usize)
                .sum();
            assert_eq!(standing.len(), before + state["active"].as_u64().unwrap() as usize, "{name}, step {number}: {standing:?}");
        }
    }
    assert!(replayed > 0, "no recorded scenario could be replayed");
}

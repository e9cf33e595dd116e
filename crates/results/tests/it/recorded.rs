//! Import and re-import as another platform recorded it, with the whole state after every step: which problems are active,
//! mitigated, accepted or false there, against ours by service, check and severity. Their duplicates are observations here.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use results::{Closing, DecisionKind, DecisionScope, Finding, ImportOptions, ImportRequest, NewDecision, Status};
use serde_json::Value as Json;
use targets::Target;
use testkit::{Engine, data};

use crate::story::Story;

/// Where a problem stands, in the one vocabulary both can be told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Mitigated,
    FalsePositive,
    OutOfScope,
    Accepted,
    Active,
}

/// Severity and standing of every problem, by target, service and check.
type Picture = BTreeMap<(String, String, String), (String, Standing)>;

/// The graver of several rows about one problem: one active row makes it active.
fn put(picture: &mut Picture, name: (String, String, String), severity: String, standing: Standing) {
    let slot = picture.entry(name).or_insert((severity.clone(), standing));
    if standing > slot.1 {
        *slot = (severity, standing);
    }
}

fn theirs(row: &Json) -> Option<Standing> {
    let is = |flag: &str| row[flag] == true;
    Some(match () {
        // A duplicate stands for its original, which is another row.
        () if is("duplicate") => return None,
        () if is("is_mitigated") => Standing::Mitigated,
        () if is("false_p") => Standing::FalsePositive,
        () if is("out_of_scope") => Standing::OutOfScope,
        () if is("risk_accepted") => Standing::Accepted,
        () => Standing::Active,
    })
}

fn ours(finding: &Finding) -> Standing {
    match finding.status {
        Status::Open | Status::NotRetested => Standing::Active,
        Status::Accepted | Status::Mitigated => Standing::Accepted,
        Status::OutOfScope => Standing::OutOfScope,
        Status::FalsePositive => Standing::FalsePositive,
        Status::Fixed => Standing::Mitigated,
    }
}

/// One scenario on its way: their tests (imports into an engagement of a product) are our services of a target.
struct Replay {
    story: Story,
    targets: HashMap<String, Target>,
    /// Target and service of each of their tests.
    tests: HashMap<String, (Option<targets::TargetId>, String)>,
    expected: HashMap<String, Vec<Json>>,
}

impl Replay {
    /// Where a step goes: a re-import into its test, an import into product, engagement and service.
    async fn place(&mut self, scenario: &str, step: &Json) -> (Option<targets::TargetId>, String) {
        if let Some(place) = step["into_test"].as_str().and_then(|test| self.tests.get(test)) {
            return place.clone();
        }
        let text = |name: &str| step["params"][name].as_str().unwrap_or_default().to_owned();
        let product = text("product_name");
        let target = if product.is_empty() {
            None
        } else {
            if !self.targets.contains_key(&product) {
                let made = self.story.target(&format!("{}.example", self.targets.len())).await;
                self.targets.insert(product.clone(), made);
            }
            Some(self.targets[&product].id)
        };
        // Findings of an engagement are compared with those of the whole product unless it says that it is on its own.
        let is_apart = scenario.contains("dedupe_on_engagement");
        let service = format!("{}{}", if is_apart { text("engagement_name") } else { String::new() }, text("service"));
        (target, service)
    }

    /// Somebody accepted risks between two steps: the state of this one says which.
    async fn decide(&self, rows: &[Json]) {
        for row in rows.iter().filter(|row| row["risk_accepted"] == true) {
            let check = row["vuln_id_from_tool"].as_str().unwrap_or_default();
            for finding in
                self.story.findings().await.into_iter().filter(|finding| is_named(finding, check, row) && finding.decision.is_none())
            {
                let accept = NewDecision {
                    kind: DecisionKind::Accepted,
                    reason: "recorded".into(),
                    valid_until: None,
                    scope: DecisionScope::Finding,
                };
                self.story.results.decide(&self.story.actor, finding.id, accept).await.unwrap();
            }
        }
    }
}

/// The tool's own id of a check; ours says first whose it is.
fn id_of(finding: &Finding) -> &str {
    finding.check.rsplit(':').next().unwrap_or_default()
}

fn is_named(finding: &Finding, check: &str, row: &Json) -> bool {
    id_of(finding) == check || row["title"].as_str().is_some_and(|title| title.eq_ignore_ascii_case(&finding.title))
}

#[tokio::test]
async fn the_recorded_scenarios_leave_the_same_problems_in_the_same_state() {
    let Some(path) = data("importers/lifecycle_examples.json") else { return };
    let folder = path.parent().unwrap().to_owned();
    let recorded: Json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut steps = 0;
    for scenario in recorded["scenarios"].as_array().unwrap() {
        steps += replay(scenario, &folder).await;
    }
    assert!(steps >= 5, "only {steps} recorded steps could be replayed");
}

/// Plays a scenario up to the first step whose file is not there; tells how many that were.
async fn replay(scenario: &Json, folder: &Path) -> usize {
    let name = scenario["scenario"].as_str().unwrap();
    let all = scenario["steps"].as_array().unwrap();
    let there: Vec<&Json> = all.iter().take_while(|step| folder.join(step["file"].as_str().unwrap()).exists()).collect();
    if there.is_empty() {
        return 0;
    }
    let story = Story::new(Engine::Embedded).await;
    let mut replay = Replay { story, targets: HashMap::new(), tests: HashMap::new(), expected: HashMap::new() };
    for (number, step) in there.iter().enumerate() {
        let rows = step["state"].as_array().unwrap().clone();
        replay.decide(&rows).await;
        let (target, service) = replay.place(name, step).await;
        let test = step["into_test"].as_str().or(step["response"]["test"].as_str()).unwrap_or("t1").to_owned();
        replay.tests.insert(test.clone(), (target, service.clone()));
        let file = step["file"].as_str().unwrap();
        let close = step["op"] == "reimport" || step["params"]["close_old_findings"] == true;
        let asked = step["params"]["minimum_severity"].as_str().or(step["response"]["minimum_severity"].as_str()).unwrap_or("Info");
        let request = ImportRequest {
            format: None,
            filename: Some(file.rsplit('/').next().unwrap().to_owned()),
            target_id: target,
            idempotency_key: None,
            dry_run: false,
            options: ImportOptions {
                close_old: if close { Closing::Complete } else { Closing::Never },
                minimum_severity: asked.parse().unwrap(),
                do_not_reactivate: step["params"]["do_not_reactivate"] == true,
                service,
                ..ImportOptions::default()
            },
            file: std::fs::File::open(folder.join(file)).unwrap(),
        };
        replay.story.request(request).await.unwrap();
        replay.expected.insert(test, rows);

        let (mut expected, mut found) = (Picture::new(), Picture::new());
        let named = |target: Option<targets::TargetId>| target.map(|id| id.to_string()).unwrap_or_default();
        for (test, rows) in &replay.expected {
            let (target, service) = &replay.tests[test];
            for row in rows {
                let Some(standing) = theirs(row) else { continue };
                let check = row["vuln_id_from_tool"].as_str().or(row["title"].as_str()).unwrap().to_owned();
                put(&mut expected, (named(*target), service.clone(), check), row["severity"].as_str().unwrap().to_lowercase(), standing);
            }
        }
        for finding in replay.story.findings().await {
            let standing = ours(&finding);
            let name = (named(finding.target_id), finding.service.clone().unwrap_or_default(), id_of(&finding).to_owned());
            put(&mut found, name, finding.severity.to_string(), standing);
        }
        assert_eq!(found, expected, "{name}, after step {number}");
    }
    there.len()
}

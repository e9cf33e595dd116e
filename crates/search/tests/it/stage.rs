//! The few words the stories share: a world with the services, and files of findings.

use std::io::{Seek, Write};

use audit::Audit;
use backends::{Backends, Clock};
use base::{Actor, Role};
use importers::Format;
use results::{ImportRequest, Results};
use scans::Scans;
use search::{Answer, IndexName, Question, Search};
use serde_json::{Value as Json, json};
use targets::{NewTarget, Targets};
use testkit::{Engine, World};

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) targets: Targets,
    pub(crate) results: Results,
    pub(crate) search: Search,
    pub(crate) actor: Actor,
}

impl Stage {
    pub(crate) async fn new(engine: Engine) -> Self {
        let world = World::new(engine).await;
        let backends = world.backends.clone();
        Self::over(world, backends)
    }

    /// With another engine of search than the embedded one.
    pub(crate) async fn on(engine: Engine, url: &str) -> Self {
        let mut world = World::new(engine).await;
        world.config.search = url.to_owned();
        world.config.search_prefix = format!("s{}-", uuid::Uuid::new_v4().simple());
        let mut backends = world.backends.clone();
        let authorities = backends::Authorities::load(None).unwrap();
        backends.search = backends::Search::connect(url, &world.config.search_prefix, &authorities).unwrap();
        Self::over(world, backends)
    }

    fn over(world: World, backends: Backends) -> Self {
        let targets = Targets::new(&backends);
        let scans = Scans::new(&backends, &targets, scans::Config::default());
        let results = Results::new(&backends, &scans, &targets);
        let search = Search::new(&backends, &Audit::new(&backends), &targets, &scans, &results);
        let actor = world.actor(&[Role::Admin]);
        let _: &Clock = &backends.clock;
        Self { world, targets, results, search, actor }
    }

    /// Takes in findings numbered `from` to `to`.
    pub(crate) async fn import(&self, from: usize, to: usize, severity: &str) {
        self.import_into(from, to, severity, None).await;
    }

    /// The same, of a target.
    pub(crate) async fn import_into(&self, from: usize, to: usize, severity: &str, target: Option<targets::TargetId>) {
        let lines: Vec<String> = (from..to).map(|number| hit(&format!("t-{number}"), severity).to_string()).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(lines.join("\n").as_bytes()).unwrap();
        file.rewind().unwrap();
        let request = ImportRequest {
            format: Some(Format::Nuclei),
            filename: Some("results.jsonl".into()),
            target_id: target,
            idempotency_key: None,
            dry_run: false,
            options: results::ImportOptions::default(),
            file,
        };
        Box::pin(self.results.import(&self.actor, request)).await.unwrap();
    }

    pub(crate) async fn target(&self, name: &str) {
        let new: NewTarget = serde_json::from_value(json!({ "name": name, "type": "host" })).unwrap();
        self.targets.create(&self.actor, new).await.unwrap();
    }

    pub(crate) async fn find(&self, index: IndexName, q: &str) -> Answer {
        let question = Question { q: q.to_owned(), index, limit: Some(500), ..Question::default() };
        self.search.find(&self.actor, &question).await.unwrap()
    }

    /// What one field of the hits shows, sorted.
    pub(crate) async fn shown(&self, index: IndexName, q: &str, field: &str) -> Vec<String> {
        let answer = self.find(index, q).await;
        let mut shown: Vec<String> = answer.items.iter().map(|hit| hit.fields[field].as_str().unwrap_or_default().to_owned()).collect();
        shown.sort_unstable();
        shown
    }
}

fn hit(id: &str, severity: &str) -> Json {
    json!({
        "template-id": id, "info": { "name": format!("finding {id}"), "severity": severity },
        "type": "http", "host": "https://x.example", "matched-at": "https://x.example/", "timestamp": "2026-01-02T00:00:00Z",
    })
}

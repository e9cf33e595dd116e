//! Who is bound to business units finds what hangs on targets there, also after a target moved, and nothing else.

use base::{Actor, Role};
use search::{IndexName, Question};
use serde_json::json;
use targets::{NewTarget, Target, TargetPatch};
use testkit::engines;

use crate::stage::Stage;

impl Stage {
    async fn target_of(&self, name: &str, unit: Option<&str>) -> Target {
        let new: NewTarget = serde_json::from_value(json!({ "name": name, "type": "host", "unit": unit })).unwrap();
        self.targets.create(&self.actor, new).await.unwrap()
    }

    fn bound(&self, units: &[&str]) -> Actor {
        Actor { units: units.iter().map(|unit| unit.parse().unwrap()).collect(), ..self.world.actor(&[Role::Admin]) }
    }

    async fn found(&self, actor: &Actor, index: IndexName, q: &str) -> (i64, Vec<String>) {
        let question = Question { q: q.to_owned(), index, ..Question::default() };
        let answer = self.search.find(actor, &question).await.unwrap();
        let name = if index == IndexName::Assets { "name" } else { "title" };
        let mut names: Vec<String> = answer.items.iter().map(|hit| hit.fields[name].as_str().unwrap().to_owned()).collect();
        names.sort();
        (answer.total, names)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_stays_within_the_units_of_who_searches() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.search.prepare().await.unwrap();
        let shop = stage.target_of("shop.example", Some("retail/web")).await;
        // In letters that the index does not tell from others.
        let cafe = stage.target_of("cafe.example", Some("rétail")).await;
        let staff = stage.target_of("staff.example", None).await;
        for (number, target) in [&shop, &cafe, &staff].into_iter().enumerate() {
            stage.import_into(number, number + 1, "high", Some(target.id)).await;
        }
        stage.search.catch_up().await.unwrap();
        let (retail, web) = (stage.bound(&["retail"]), stage.bound(&["retail/web", "other"]));
        for index in [IndexName::Vulnerabilities, IndexName::ScanResults] {
            for actor in [&retail, &web] {
                assert_eq!(stage.found(actor, index, "").await.1, ["finding t-0"], "{index:?}");
                assert_eq!(stage.found(actor, index, "severity:high OR NOT unit:retail").await.1, ["finding t-0"], "{index:?}");
            }
            assert_eq!(stage.found(&stage.bound(&["ret"]), index, "").await.0, 0, "{index:?}");
            assert_eq!(stage.found(&stage.actor, index, "").await.0, 3);
            assert_eq!(stage.found(&stage.actor, index, "unit:retail/web").await.0, 1);
        }
        assert_eq!(stage.found(&web, IndexName::Assets, "").await.1, ["shop.example"]);
        let refused = stage.search.find(&retail, &Question { index: IndexName::AuditLogs, ..Question::default() }).await.unwrap_err();
        assert_eq!(refused.code(), "auth.bound_to_units");
        let open: Vec<IndexName> = stage.search.indices(&retail).await.unwrap().into_iter().map(|state| state.name).collect();
        assert_eq!(open, [IndexName::Vulnerabilities, IndexName::ScanResults, IndexName::Assets]);

        let away: TargetPatch = serde_json::from_value(json!({ "unit": "staff" })).unwrap();
        stage.targets.patch(&stage.actor, shop.id, away).await.unwrap();
        let moved: TargetPatch = serde_json::from_value(json!({ "unit": "retail/desk" })).unwrap();
        stage.targets.patch(&stage.actor, staff.id, moved).await.unwrap();
        // Before the index knows, the database has the last word.
        assert_eq!(stage.found(&retail, IndexName::Vulnerabilities, "").await.1, Vec::<String>::new());
        stage.search.catch_up().await.unwrap();
        for index in [IndexName::Vulnerabilities, IndexName::ScanResults] {
            assert_eq!(stage.found(&retail, index, "").await.1, ["finding t-2"], "{index:?}");
        }
    }
}

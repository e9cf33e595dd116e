//! The index dies in the middle of an import and comes back: nothing is lost, and the rest never noticed.

use base::{Kind, PageRequest};
use search::{IndexName, Question};
use testkit::servers::{SearchProduct, SearchServer};
use testkit::{Engine, engines, eventually};

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn an_index_killed_in_mid_import_loses_nothing_and_heals() {
    let mut server = SearchServer::start(SearchProduct::OpenSearch);
    let [_, distributed] = engines();
    assert_eq!(distributed, Engine::Distributed);
    let stage = Stage::on(distributed, &server.url()).await;
    stage.search.prepare().await.unwrap();
    let importing = async {
        for round in 0..8 {
            stage.import(round * 100, (round + 1) * 100, "high").await;
        }
    };
    let carrying = async {
        // Some of it is carried over, then the power goes.
        eventually("a part is in the index", async || stage.search.catch_up().await.unwrap() > 0).await;
        tokio::task::block_in_place(|| server.kill());
        let error = stage.search.catch_up().await.map(|_| stage.world.count("search_pending"));
        let asked = stage.search.find(&stage.actor, &Question::default()).await.unwrap_err();
        assert_eq!((asked.kind(), asked.code()), (Kind::Unavailable, "search.unavailable"));
        assert!(asked.detail().contains("nothing is lost"), "{asked}");
        drop(error);
    };
    tokio::join!(importing, carrying);
    stage.import(800, 900, "high").await;
    // The imports ended, lists go on, and what the index missed waits in the database.
    let page = PageRequest { cursor: None, limit: Some(500) };
    let listed = stage.results.findings(&stage.actor, &results::Filter::default(), results::Sort::Title, &page).await.unwrap();
    assert_eq!(listed.items.len(), 500);
    assert!(stage.search.catch_up().await.is_err());
    assert!(stage.world.count("search_pending").await > 0);

    tokio::task::block_in_place(|| server.restart());
    eventually("the index has caught up", async || stage.search.catch_up().await.is_ok()).await;
    assert_eq!(stage.find(IndexName::Vulnerabilities, "").await.total, 900);
    assert_eq!(stage.find(IndexName::ScanResults, "").await.total, 900);
    assert_eq!(stage.world.count("search_pending").await, 0);
}

//! Search: every engine gives the answers of the definition, in its order, from the generation that is live.

mod corpus;
mod questions;

use backends::{Entry, Inquiry, Place, Position, Search};
use base::Kind;
use query::{Document, Expression, Field, Schema, Sort, parse};
use tempfile::TempDir;
use testkit::servers::{SearchProduct, shared_search};

use crate::engines::authorities;

/// The moment that `now` means.
const NOW: i64 = 1_795_305_600_000_000;
const RANKS: &[&str] = &["info", "low", "medium", "high", "critical"];

/// One field of every kind.
static THINGS: Schema = Schema {
    name: "things",
    fields: &[
        Field::text("title", "text with an order").sortable(),
        Field::text("body", "text"),
        Field::keyword("label", "terms looked into freely").free(),
        Field::keyword("owner", "a term with an order").sortable(),
        Field::rank("severity", RANKS, "a rank").sortable(),
        Field::integer("count", "whole numbers").sortable(),
        Field::number("score", "numbers").sortable(),
        Field::time("seen", "a moment").sortable(),
        Field::flag("open", "a flag"),
    ],
    sort: "-seen",
};

/// One engine with indices of its own.
struct Bench {
    name: &'static str,
    search: Search,
    _folder: TempDir,
}

impl Bench {
    fn all() -> Vec<Self> {
        let folder = || tempfile::tempdir().unwrap();
        let own = folder();
        let embedded = format!("tantivy:{}", own.path().join("search").display());
        let (opensearch, elasticsearch) = (shared_search(SearchProduct::OpenSearch), shared_search(SearchProduct::Elasticsearch));
        [("embedded", embedded, own), ("opensearch", opensearch, folder()), ("elasticsearch", elasticsearch, folder())]
            .into_iter()
            .map(|(name, url, folder)| Self { name, search: open(&url), _folder: folder })
            .collect()
    }

    /// With one empty live generation.
    async fn ready() -> Vec<Self> {
        let benches = Self::all();
        for bench in &benches {
            bench.search.create(&THINGS, "g1").await.unwrap();
            bench.search.publish(&THINGS, "g1").await.unwrap();
        }
        benches
    }

    async fn put(&self, ticket: i64, documents: &[Document]) {
        let entries = documents.iter().cloned().map(Entry::Put).collect();
        self.search.write(&THINGS, Place::Live, ticket, entries).await.unwrap();
    }

    async fn ids(&self, tenant: &str, text: &str) -> Vec<String> {
        let found = self.search.find(&THINGS, &asked(tenant, &read(text), "id", None, 500)).await.unwrap();
        assert_eq!(found.total, u64::try_from(found.hits.len()).unwrap());
        found.hits.into_iter().map(|hit| hit.id).collect()
    }
}

fn open(url: &str) -> Search {
    let prefix = format!("t{}-", uuid::Uuid::new_v4().simple());
    Search::connect(url, &prefix, &authorities()).unwrap()
}

fn read(text: &str) -> Expression {
    parse(text, &THINGS, NOW).map_err(|error| format!("{text}: {error}")).unwrap()
}

fn asked<'a>(tenant: &'a str, expression: &'a Expression, sort: &str, after: Option<&'a Position>, limit: u32) -> Inquiry<'a> {
    Inquiry { tenant, expression, sort: Sort::parse(sort, &THINGS).unwrap(), after, limit }
}

fn thing(tenant: &str, id: &str, title: &str) -> Document {
    Document::new(&THINGS, tenant, id).with("title", title)
}

#[tokio::test]
async fn a_document_is_found_as_it_was_written_last_and_only_by_its_tenant() {
    for bench in Bench::ready().await {
        bench.put(5, &[thing("a", "1", "weak cipher"), thing("a", "2", "weak key"), thing("b", "3", "weak cipher")]).await;
        assert_eq!(bench.ids("a", "weak").await, ["1", "2"], "{}", bench.name);
        assert_eq!(bench.ids("b", "NOT title:key").await, ["3"], "{}", bench.name);
        bench.put(6, &[thing("a", "1", "strong cipher")]).await;
        assert_eq!(bench.ids("a", "weak").await, ["2"], "{}", bench.name);
        bench.put(4, &[thing("a", "1", "stale cipher")]).await;
        assert_eq!(bench.ids("a", "cipher").await, ["1"], "{}", bench.name);
        assert!(bench.ids("a", "stale").await.is_empty(), "{}: what an older ticket saw must not win", bench.name);
        bench.search.write(&THINGS, Place::Live, 7, vec![Entry::Remove("2".to_owned()), Entry::Remove("9".to_owned())]).await.unwrap();
        bench.put(6, &[thing("a", "2", "weak key")]).await;
        assert_eq!(bench.ids("a", "").await, ["1"], "{}: what was removed must stay so", bench.name);
    }
}

#[tokio::test]
async fn a_new_generation_takes_over_at_once_and_the_old_one_goes() {
    for bench in Bench::all() {
        let name = bench.name;
        let search = &bench.search;
        assert_eq!(search.live(&THINGS).await.unwrap(), None, "{name}");
        let none = search.find(&THINGS, &asked("a", &read(""), "id", None, 10)).await.unwrap_err();
        assert_eq!((none.kind(), none.code()), (Kind::Unavailable, "search.missing"), "{name}");
        let refused = search.write(&THINGS, Place::Live, 1, vec![Entry::Put(thing("a", "1", "x"))]).await.unwrap_err();
        assert_eq!(refused.code(), "search.missing", "{name}");

        search.create(&THINGS, "g1").await.unwrap();
        search.publish(&THINGS, "g1").await.unwrap();
        bench.put(1, &[thing("a", "1", "one")]).await;
        search.create(&THINGS, "g2").await.unwrap();
        search.write(&THINGS, Place::Generation("g2"), 2, vec![Entry::Put(thing("a", "2", "two"))]).await.unwrap();
        assert_eq!(bench.ids("a", "").await, ["1"], "{name}: a generation being filled is not seen");
        // One that was given up half way.
        search.create(&THINGS, "g3").await.unwrap();
        search.publish(&THINGS, "g2").await.unwrap();
        assert_eq!(search.live(&THINGS).await.unwrap().as_deref(), Some("g2"), "{name}");
        assert_eq!(bench.ids("a", "").await, ["2"], "{name}");
        for gone in ["g1", "g3"] {
            let refused = search.write(&THINGS, Place::Generation(gone), 3, vec![Entry::Put(thing("a", "4", "four"))]).await.unwrap_err();
            assert_eq!(refused.code(), "search.missing", "{name} {gone}");
        }
        static CHANGED: Schema = Schema { name: "things", fields: &[Field::text("title", "text")], sort: "id" };
        assert_eq!(search.live(&CHANGED).await.unwrap(), None, "{name}: made by other rules");
    }
}

#[tokio::test]
async fn what_does_not_answer_says_so_and_what_is_wrong_is_refused() {
    let closed = testkit::free_port(std::net::IpAddr::from([127, 0, 0, 1]));
    let away = open(&format!("opensearch+http://127.0.0.1:{closed}"));
    assert_eq!(away.ping().await.unwrap_err().code(), "search.unavailable");
    let error = away.find(&THINGS, &asked("a", &read(""), "id", None, 10)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Unavailable, "search.unavailable"));
    for bench in Bench::all() {
        bench.search.ping().await.unwrap();
    }
    let mistaken = shared_search(SearchProduct::OpenSearch).replace("opensearch+", "elasticsearch+");
    assert_eq!(open(&mistaken).ping().await.unwrap_err().code(), "search.product");
    for (url, prefix) in [
        ("solr:x", ""),
        ("tantivy:", ""),
        ("opensearch+http://search.example.org:9200", ""),
        ("opensearch+https://search.example.org:9200/path", ""),
        ("opensearch+https://search.example.org:9200", "Upper"),
        ("opensearch+https://search.example.org:9200", "-x"),
    ] {
        assert_eq!(Search::connect(url, prefix, &authorities()).err().map(|error| error.kind()), Some(Kind::Invalid), "{url} {prefix}");
    }
}

#[tokio::test]
async fn a_damaged_folder_is_no_index_and_makes_room_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("tantivy:{}", folder.path().join("search").display());
    let search = open(&url);
    search.create(&THINGS, "g1").await.unwrap();
    search.publish(&THINGS, "g1").await.unwrap();
    search.write(&THINGS, Place::Live, 1, vec![Entry::Put(thing("a", "1", "one"))]).await.unwrap();
    let second = open(&url);
    assert_eq!(second.find(&THINGS, &asked("a", &read(""), "id", None, 10)).await.unwrap().total, 1, "readers run beside the writer");
    let refused = second.write(&THINGS, Place::Live, 1, vec![Entry::Put(thing("a", "2", "two"))]).await.unwrap_err();
    assert_eq!(refused.code(), "search.in_use");
    drop((search, second));

    std::fs::write(folder.path().join("search/things/g1/meta.json"), "{").unwrap();
    let search = open(&url);
    assert_eq!(search.live(&THINGS).await.unwrap(), None);
    search.create(&THINGS, "g2").await.unwrap();
    search.publish(&THINGS, "g2").await.unwrap();
    assert_eq!(search.live(&THINGS).await.unwrap().as_deref(), Some("g2"));
    assert!(!folder.path().join("search/things/g1").exists());
}

#[tokio::test]
async fn every_engine_gives_the_answers_of_the_definition_in_its_order() {
    let corpus = corpus::generate(90);
    let questions = questions::generate(120);
    for bench in Bench::ready().await {
        // Several writes make several segments.
        for (ticket, part) in (1..).zip(corpus.chunks(25)) {
            bench.put(ticket, part).await;
        }
        bench.put(100, &corpus[..30]).await;
        for (index, text) in questions.iter().enumerate() {
            let expression = read(text);
            let sort = questions::SORTS[index % questions::SORTS.len()];
            for tenant in ["a", "b"] {
                let expected = corpus::answer(&corpus, tenant, &expression, sort);
                let mut given = Vec::new();
                let mut after: Option<Position> = None;
                loop {
                    let found = bench.search.find(&THINGS, &asked(tenant, &expression, sort, after.as_ref(), 7)).await.unwrap();
                    assert_eq!(found.total, u64::try_from(expected.len()).unwrap(), "{}: total of {text}", bench.name);
                    let is_last = found.hits.len() < 7;
                    given.extend(found.hits.iter().map(|hit| (hit.key.clone(), hit.id.clone())));
                    after = found.hits.into_iter().last();
                    if is_last {
                        break;
                    }
                }
                assert_eq!(given, expected, "{}: {text} sorted by {sort}", bench.name);
            }
        }
    }
}

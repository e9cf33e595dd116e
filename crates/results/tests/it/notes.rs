//! Stories of notes: who writes, who reads, who takes away, and what they outlive.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use base::{Actor, Kind, PageRequest, Role, UserId};
use results::{FindingId, NewNote, Resolution};
use serde_json::json;
use testkit::engines;

use crate::routes::ask;
use crate::story::{Story, hit, lines, nmap, nmap_request};

const SITE: &str = "https://shop.example/";

impl Story {
    async fn write(&self, actor: &Actor, id: FindingId, text: &str) -> base::Result<results::FindingNote> {
        self.results.note(actor, id, &NewNote { text: text.to_owned() }).await
    }

    async fn texts(&self, id: FindingId) -> Vec<String> {
        let notes = self.results.notes(&self.actor, id, &PageRequest::default()).await.unwrap().items;
        notes.into_iter().map(|note| note.text).collect()
    }

    fn colleague(&self) -> Actor {
        Actor {
            user: Some(self.world.backends.ids.next::<UserId>().to_string().parse().unwrap()),
            username: "bob".into(),
            ..self.world.actor(&[Role::BlueTeam])
        }
    }
}

#[tokio::test]
async fn a_team_writes_down_what_it_knows_and_takes_only_its_own_words_back() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE), hit("b", "low", SITE)]), None).await.unwrap();
        let (a, b) = (story.titled("a").await.id, story.titled("b").await.id);
        let bob = story.colleague();
        let first = story.write(&story.actor, a, "  asked the shop's team\nno answer yet ").await.unwrap();
        let second = story.write(&bob, a, "they answered: fixed on Friday").await.unwrap();
        assert_eq!(story.texts(a).await, ["they answered: fixed on Friday", "asked the shop's team\nno answer yet"]);
        assert!(story.texts(b).await.is_empty());

        let page = PageRequest { cursor: None, limit: Some(1) };
        let newest = story.results.notes(&bob, a, &page).await.unwrap();
        let rest = PageRequest { cursor: newest.next_cursor, ..page };
        assert_eq!((newest.items[0].id, story.results.notes(&bob, a, &rest).await.unwrap().items[0].id), (second.id, first.id));

        let of_both = async |actor: &Actor, each| {
            let notes = story.results.notes_of(actor, &[a, b], each).await.unwrap();
            notes.into_iter().map(|note| note.id).collect::<Vec<_>>()
        };
        assert_eq!((of_both(&bob, 9).await, of_both(&bob, 1).await), (vec![second.id, first.id], vec![second.id]));
        let elsewhere = Actor { units: vec!["retail".parse().unwrap()], ..bob.clone() };
        assert!(of_both(&elsewhere, 9).await.is_empty(), "{engine:?}: what cannot be seen has no notes");

        let viewer = story.world.actor(&[Role::Viewer]);
        assert_eq!(story.results.notes(&viewer, a, &PageRequest::default()).await.unwrap().items.len(), 2);
        assert_eq!(story.write(&viewer, a, "me too").await.unwrap_err().kind(), Kind::Forbidden);
        let stranger = story.world.other(&[Role::Admin]);
        assert_eq!(story.results.notes(&stranger, a, &PageRequest::default()).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(story.write(&stranger, a, "hello").await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(story.results.drop_note(&stranger, a, first.id).await.unwrap_err().kind(), Kind::NotFound);

        assert_eq!(story.results.drop_note(&bob, a, first.id).await.unwrap_err().code(), "results.foreign_note");
        assert_eq!(story.results.drop_note(&bob, b, second.id).await.unwrap_err().code(), "results.note_not_found");
        story.results.drop_note(&bob, a, second.id).await.unwrap();
        assert_eq!(story.results.drop_note(&bob, a, second.id).await.unwrap_err().code(), "results.note_not_found");
        assert_eq!(story.texts(a).await, ["asked the shop's team\nno answer yet"]);
        let third = story.write(&bob, a, "the password is in the wiki").await.unwrap();
        story.results.drop_note(&story.actor, a, third.id).await.unwrap();
        assert_eq!(story.texts(a).await, ["asked the shop's team\nno answer yet"], "who makes the rules may take any away");
        // The log tells that there was a note, not what it said.
        assert_eq!(story.world.count("audit_logs WHERE action_taken = 'results.note'").await, 5);
        assert_eq!(story.world.count("audit_logs WHERE detail LIKE '%Friday%'").await, 0);
    }
}

#[tokio::test]
async fn what_is_no_note_is_refused_by_name() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "high", SITE)]), None).await.unwrap();
        let id = story.titled("a").await.id;
        let path = format!("/findings/{id}/notes");
        let post = async |body: serde_json::Value| ask(&story, Method::POST, &path, Body::from(body.to_string()), Some(&story.actor)).await;
        for text in [String::new(), " \n ".into(), "x".repeat(4001)] {
            let (status, problem) = post(json!({ "text": text })).await;
            assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("results.note")), "{problem}");
        }
        let (status, note) = post(json!({ "text": "ü".repeat(4000) })).await;
        assert_eq!(status, StatusCode::CREATED, "{note}");
        let drop = async |note: &str| ask(&story, Method::DELETE, &format!("{path}/{note}"), Body::empty(), Some(&story.actor)).await.0;
        let own = note["id"].as_str().unwrap().to_owned();
        assert!(drop("nonsense").await.is_client_error());
        assert_eq!(drop(&own).await, StatusCode::NO_CONTENT);
        assert_eq!(drop(&own).await, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn notes_outlive_a_merge_and_keep_an_import_from_being_undone() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.request(nmap_request(&nmap("192.0.2.8", "1-10000", &[8080]))).await.unwrap();
        let old = story.findings().await.remove(0).id;
        story.write(&story.actor, old, "of the older one").await.unwrap();
        let both = story.request(nmap_request(&nmap("192.0.2.8", "1-10000", &[7001, 7002]))).await.unwrap();
        let review = story.results.reviews(&story.actor, &PageRequest::default()).await.unwrap().items.remove(0);
        story.write(&story.actor, review.finding_id, "of the newer one").await.unwrap();
        let refused = story.results.undo(&story.actor, both.id).await.unwrap_err();
        assert!(refused.detail().contains("wrote notes on 1 of the findings"), "{refused}");
        story.results.resolve(&story.actor, review.id, Resolution { same_as: Some(old) }).await.unwrap();
        assert_eq!(story.texts(old).await, ["of the newer one", "of the older one"]);
    }
}

//! What a person does with findings from the command line beside reading them.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::server::{Server, create_admin, stderr, stdout, tyrian};

const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
const WHY: [&str; 2] = ["--reason", "looked at it"];

/// Somebody at a command line: the server, and what they show it.
struct Desk {
    server: String,
    token: String,
}

struct Told {
    code: Option<i32>,
    said: String,
    complaint: String,
}

impl Told {
    fn document(&self) -> Json {
        serde_json::from_str(&self.said).unwrap_or_else(|_| panic!("{}{}", self.said, self.complaint))
    }
}

impl Desk {
    fn ask(&self, words: &[&str], typed: &str) -> Told {
        let output = tyrian(&[&["--server", &self.server, "--token", &self.token][..], words].concat(), &[], typed);
        Told { code: output.status.code(), said: stdout(&output), complaint: stderr(&output) }
    }

    /// What a command that must end with this code says as JSON, and on stderr.
    fn json(&self, code: i32, words: &[&str]) -> (Json, String) {
        let told = self.ask(&[&["--json"][..], words].concat(), "");
        assert_eq!(told.code, Some(code), "{words:?}: {}{}", told.said, told.complaint);
        (told.document(), told.complaint)
    }

    fn decide(&self, code: i32, words: &[&str]) -> (Json, String) {
        self.json(code, &[&["findings", "decide"][..], words, &WHY].concat())
    }

    fn status(&self, id: &str) -> String {
        self.json(0, &["findings", "show", id]).0["finding"]["status"].as_str().unwrap().to_owned()
    }

    /// Three findings; their ids, by title.
    fn three(&self, folder: &std::path::Path) -> [String; 3] {
        let titles = ["a", "b", "c"];
        let line = |title: &str| {
            json!({
                "template-id": title, "info": { "name": title, "severity": "high" }, "type": "http", "host": "http://192.0.2.7",
                "matched-at": format!("http://192.0.2.7/{title}"),
            })
        };
        let file = folder.join("nuclei.jsonl");
        std::fs::write(&file, titles.map(|title| line(title).to_string()).join("\n")).unwrap();
        self.json(0, &["import", &file.display().to_string()]);
        let listed = self.json(0, &["findings", "list"]).0;
        let found = listed["findings"].as_array().unwrap();
        titles.map(|title| found.iter().find(|finding| finding["title"] == title).unwrap()["id"].as_str().unwrap().to_owned())
    }
}

/// A server, the desk of an administrator and that of somebody who only reads.
fn office(folder: &std::path::Path) -> (Server, Desk, Desk) {
    let data = folder.join("data").display().to_string();
    let place = ["--data", &data];
    create_admin(&place, &[], "ada");
    create_admin(&place, &[], "bob");
    let token = |more: &[&str]| {
        let made = tyrian(&[&place[..], &["user", "token", "ada", "--name", "desk"], more].concat(), &[], "");
        assert!(made.status.success(), "{}", stderr(&made));
        stdout(&made).trim().to_owned()
    };
    let tokens = (token(&[]), token(&["--scopes", "read:findings"]));
    let server = Server::embedded(&folder.join("data"));
    let desk = |token| Desk { server: server.base.to_string(), token };
    let (ada, reader) = (desk(tokens.0), desk(tokens.1));
    (server, ada, reader)
}

#[test]
fn a_person_decides_and_takes_it_back_about_one_finding_or_several() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, ada, reader) = office(folder.path());
    let [a, b, c] = ada.three(folder.path());
    let table = ada.ask(&["findings", "list"], "").said;
    assert!(table.lines().any(|line| line.starts_with(&a)), "the list tells what to name: {table}");

    let until = (base::Time::from(chrono::Utc::now()) + Duration::from_secs(86_400)).to_string();
    let (accepted, _) = ada.decide(0, &[&a, "accepted", "--until", &until]);
    assert_eq!((&accepted["finding"]["status"], &accepted["decision"]["state"]), (&json!("accepted"), &json!("in_force")));
    assert_eq!((&accepted["decision"]["reason"], &accepted["decision"]["valid_until"]), (&json!(WHY[1]), &json!(until)));
    assert_eq!(ada.decide(0, &[&a, "reopen"]).0["finding"]["status"], "open");
    assert!(ada.decide(7, &[&a, "reopen"]).1.contains("no decision is in force"));
    let spoken = ada.ask(&[&["findings", "decide", &a, "mitigated", "--scope", "rule"][..], &WHY].concat(), "");
    assert_eq!((spoken.code, spoken.said.as_str()), (Some(0), "a [high, mitigated]\n"), "{}", spoken.complaint);
    assert_eq!(ada.decide(0, &[&a, "reopen", "--scope", "rule"]).0["finding"]["status"], "open");

    let (several, complaint) = ada.decide(5, &[&b, &c, NOBODY, &b, "false_positive"]);
    assert_eq!((&several["decided"], &several["skipped"], &several["state"]), (&json!(2), &json!(1), &json!("in_force")), "{several}");
    assert!(complaint.contains("1 of those named do not exist"), "{complaint}");
    assert_eq!([&a, &b, &c].map(|id| ada.status(id)), ["open", "false_positive", "false_positive"]);
    let (back, complaint) = ada.decide(7, &[&a, &b, "reopen"]);
    assert_eq!(back["decided"], 1, "{complaint}");
    assert_eq!(ada.status(&b), "open");

    for (code, words, says) in [
        (5, vec![NOBODY, "fixed"], NOBODY),
        (3, vec!["no-id", "fixed"], "no-id"),
        (2, vec![a.as_str(), "forgotten"], "false_positive"),
        (2, vec![a.as_str(), "accepted", "--until", "tomorrow"], "tomorrow"),
        (3, vec![a.as_str(), "accepted", "--until", "2001-01-01T00:00:00Z"], "valid_until"),
        (3, vec![a.as_str(), "fixed", "--scope", "rule"], "not for a rule"),
        (3, vec![a.as_str(), &b, "mitigated", "--scope", "rule"], "--scope"),
    ] {
        let (document, complaint) = ada.decide(code, &words);
        assert!(complaint.contains(says), "{words:?} does not say {says}: {complaint}");
        assert!(document["error"]["code"].is_string(), "{words:?}: {document}");
    }
    let (_, complaint) = reader.decide(4, &[&a, "fixed"]);
    assert!(complaint.contains("write:findings"), "{complaint}");
    assert_eq!(ada.status(&a), "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_that_needs_a_second_person_says_so_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (server, ada, _) = office(folder.path());
    let [a, b, c] = ada.three(folder.path());
    let policy = json!({ "four_eyes": true }).to_string().into_bytes();
    server.sign_in("ada").await.put::<Json>("findings/policy", policy, "application/json").await.unwrap();

    let (asked, complaint) = ada.decide(0, &[&a, "accepted"]);
    assert_eq!((&asked["finding"]["status"], &asked["decision"]["state"]), (&json!("open"), &json!("proposed")), "{asked}");
    let decision = asked["decision"]["id"].as_str().unwrap();
    assert!(complaint.contains(decision) && complaint.contains("second person"), "{complaint}");
    server.sign_in("bob").await.post::<Json>(&format!("decisions/{decision}/approval"), &json!({ "approve": true })).await.unwrap();
    assert_eq!(ada.status(&a), "accepted");

    let (asked, complaint) = ada.decide(0, &[&b, &c, "accepted"]);
    assert_eq!((&asked["decided"], &asked["state"]), (&json!(2), &json!("proposed")), "{asked}");
    assert!(complaint.contains("second person"), "{complaint}");
    assert_eq!(ada.status(&b), "open");
    assert_eq!(ada.decide(0, &[&b, "confirmed"]).0["decision"]["state"], "in_force", "the rest needs nobody else");
}

#[test]
fn what_is_noted_on_a_finding_is_shown_with_it_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, ada, reader) = office(folder.path());
    let [a, b, _] = ada.three(folder.path());
    let (first, _) = ada.json(0, &["findings", "note", &a, "asked the shop's team"]);
    assert_eq!((&first["text"], &first["written_by_name"]), (&json!("asked the shop's team"), &json!("ada")), "{first}");
    let second = ada.ask(&["findings", "note", &a, "-"], "they answered:\nfixed on Friday\n");
    assert!(second.code == Some(0) && second.said.starts_with("noted at "), "{}{}", second.said, second.complaint);

    let (shown, _) = reader.json(0, &["findings", "show", &a]);
    let texts: Vec<&str> = shown["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["they answered:\nfixed on Friday", "asked the shop's team"]);
    let text = reader.ask(&["findings", "show", &a], "").said;
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    assert!(place("Note of ada, ") < place("fixed on Friday") && place("fixed on Friday") < place("asked the shop's team"), "{text}");
    assert_eq!(ada.json(0, &["findings", "show", &b]).0["notes"], json!([]));

    assert!(ada.json(5, &["findings", "note", NOBODY, "hello"]).1.contains(NOBODY));
    assert!(ada.json(3, &["findings", "note", &a, " "]).1.contains("1 to 4000"));
    assert!(reader.json(4, &["findings", "note", &a, "me too"]).1.contains("write:findings"));
}

//! The way through a list: what narrows it is told, its heads order it, and the pages of its findings lead on through it.

use http::StatusCode;

use crate::findings::{ids, nmap, taken_in};
use crate::stage::{Seen, Stage};

/// Where the link of this kind leads, as a browser reads it.
fn led(seen: &Seen, kind: &str) -> Option<String> {
    let (before, _) = seen.body.split_once(&format!("rel=\"{kind}\" href=\"")).map(|(_, rest)| rest.split_once('"').unwrap_or_default())?;
    Some(before.replace("&#38;", "&").replace("&amp;", "&"))
}

/// Addresses of the findings on a list, in its order.
fn listed(seen: &Seen) -> Vec<String> {
    seen.body
        .split("<th scope=\"row\"><a href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|link| link.replace("&#38;", "&").replace("&amp;", "&"))
        .collect()
}

#[tokio::test]
async fn a_person_walks_through_a_filtered_list_and_back_deciding_on_the_way() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    taken_in(&stage, &cookie, &nmap(&[22, 80, 443])).await;
    let list = stage.get("/findings?status=open&sort=title", Some(&cookie)).await;
    let links = listed(&list);
    assert_eq!(links.len(), 3, "{}", list.body);
    let first = stage.get(&links[0], Some(&cookie)).await;
    assert!(first.body.contains("class=\"walk\"") && led(&first, "prev").is_none(), "{}", first.body);
    assert_eq!(led(&first, "next").as_ref(), Some(&links[1]));

    let id = ids(&stage.get(&links[1], Some(&cookie)).await, "action=\"/findings/").remove(0);
    let query = links[1].split_once('?').unwrap().1;
    let decided = stage.post(&format!("/findings/{id}/decisions?{query}"), &cookie, "kind=mitigated&scope=finding&reason=proxy").await;
    assert_eq!(decided.location, format!("{}&done=decided", links[1]));
    let second = stage.get(&decided.location, Some(&cookie)).await;
    assert!(second.body.contains("state mitigated"), "it has left the list");
    assert_eq!((led(&second, "prev").as_ref(), led(&second, "next").as_ref()), (Some(&links[0]), Some(&links[2])));
    assert!(second.body.contains(&format!("/findings?status=open&#38;sort=title#finding-{id}")), "{}", second.body);
    assert!(led(&stage.get(&links[2], Some(&cookie)).await, "next").is_none());

    let refused = stage.post(&format!("/findings/{id}/notes?{query}"), &cookie, "text=").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(led(&refused, "next").as_ref(), Some(&links[2]), "a refused form stays on the way");
    for nowhere in
        ["", "?from=", "?from=nonsense", "?from=sort%3Dtitle%26severity%3Dhuge", "?from=sort%3Dnone", "?from=sort%3Drisk%26target%3Dx"]
    {
        let alone = stage.get(&format!("/findings/{id}{nowhere}"), Some(&cookie)).await;
        assert!(alone.status == StatusCode::OK && !alone.body.contains("class=\"walk\""), "{nowhere}");
    }
}

#[tokio::test]
async fn what_came_with_a_link_is_told_and_taken_away_and_heads_order_the_list() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    taken_in(&stage, &cookie, &nmap(&[22, 80])).await;
    let import = ids(&stage.get("/imports", Some(&cookie)).await, "/imports/").remove(0);
    let list = stage.get(&format!("/findings?status=open&source=nmap&import={import}&sort=title"), Some(&cookie)).await;
    assert!(list.body.contains("3 filters set"), "{}", list.body);
    assert!(list.body.contains("Tool: <strong>nmap</strong>") && list.body.contains(">scan.xml</a>"), "{}", list.body);
    assert!(list.body.contains(&format!("/findings?status=open&#38;import={import}&#38;sort=title\"")), "without the tool: {}", list.body);
    assert!(list.body.contains("aria-sort=\"ascending\"><a href=\"/findings?status=open"), "{}", list.body);
    assert!(list.body.contains(&format!("import={import}&amp;sort=last_seen\">Last seen</a>")), "{}", list.body);
    let gone = stage.get("/findings?target=01990000-0000-7000-8000-000000000000", Some(&cookie)).await;
    assert!(gone.body.contains("Target: <strong>01990000-"), "{}", gone.body);
    let all = stage.get("/findings", Some(&cookie)).await;
    assert!(!all.body.contains("filters set") && !all.body.contains("Only findings with"), "{}", all.body);
}

//! Stories of the pages, without a browser: who sees what, and how refusals look.
#![expect(clippy::unwrap_used, reason = "functions beside the tests may fail them too")]

mod findings;
mod insight;
mod phones;
mod stage;
mod walk;
mod wording;

use base::Role;
use http::StatusCode;
use stage::Stage;

#[tokio::test]
async fn a_stranger_is_led_to_the_first_run_and_later_to_the_door() {
    let stage = Stage::new().await;
    let away = stage.get("/findings", None).await;
    assert_eq!((away.status, away.location.as_str()), (StatusCode::SEE_OTHER, "/first-run"));
    let cookie = stage.first_admin().await;
    let away = stage.get("/findings?severity=high", None).await;
    assert_eq!(away.location, "/sign-in?next=%2Ffindings%3Fseverity%3Dhigh");
    let overview = stage.get("/", Some(&cookie)).await;
    assert_eq!(overview.status, StatusCode::OK);
    assert!(overview.body.contains("What to do next"));
    assert!(overview.policy.contains("require-trusted-types-for 'script'") && !overview.policy.contains("unsafe"));
    assert!(!overview.body.contains("<script>") && !overview.body.contains("style="));
}

#[tokio::test]
async fn a_refused_form_comes_back_filled_in_and_says_what_is_wrong() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    let refused = stage.post("/targets", &cookie, "name=Shop%20%3Cb%3E&type=network&address=example.org").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("value=\"Shop &#60;b&#62;\""), "what was typed is kept, and escaped");
    assert!(refused.body.contains("id=\"address-fault\"") && refused.body.contains("aria-invalid=\"true\""));
    let made = stage.post("/targets", &cookie, "name=Shop&type=host&address=127.0.0.9").await;
    assert!(made.location.starts_with("/targets/"), "{}", made.location);
    let unasked = stage.send("POST", "/targets", Some(&cookie), "name=Shop&type=host").await;
    assert_eq!(unasked.status, StatusCode::FORBIDDEN, "without the token of the page nothing is changed");
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_allowed_are_pages_in_the_visitors_language() {
    let stage = Stage::new().await;
    let admin = stage.first_admin().await;
    let viewer = stage.person("viola", Role::Viewer).await;
    let nothing = stage.get("/targets/0199c0de-0000-7000-8000-000000000001", Some(&admin)).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    assert!(nothing.body.contains("There is nothing here"));
    let portuguese = format!("{viewer}; tyrian-language=pt-BR");
    let forbidden = stage.get("/audit", Some(&portuguese)).await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN);
    assert!(forbidden.body.contains("<html lang=\"pt-BR\"") && forbidden.body.contains("Você não pode fazer isso"));
    let chosen = stage.get("/targets?q=shop&language=es", Some(&admin)).await;
    assert_eq!((chosen.status, chosen.location.as_str()), (StatusCode::SEE_OTHER, "/targets?q=shop"));
    let foreign = stage.get("//example.org/?language=es", None).await;
    assert!(!foreign.location.starts_with("//"), "a choice of language never leads to another host");
}

#[tokio::test]
async fn every_page_opens_for_whom_may_read_and_hides_what_they_may_not_do() {
    let stage = Stage::new().await;
    let admin = stage.first_admin().await;
    let viewer = stage.person("viola", Role::Viewer).await;
    for path in
        ["/", "/targets", "/targets/new", "/scans", "/scans/new", "/findings", "/imports", "/reports", "/audit", "/settings/profile"]
    {
        assert_eq!(stage.get(path, Some(&admin)).await.status, StatusCode::OK, "{path}");
    }
    for path in
        ["/reviews", "/decisions", "/decisions?show=rules", "/clusters", "/trends", "/trends?days=365", "/search", "/targets/import"]
    {
        assert_eq!(stage.get(path, Some(&admin)).await.status, StatusCode::OK, "{path}");
        assert_eq!(stage.get(path, Some(&viewer)).await.status, StatusCode::OK, "{path}");
    }
    for path in ["/settings/users", "/settings/tokens", "/settings/organisation", "/settings/feeds", "/settings/rules", "/settings/sla"] {
        assert_eq!(stage.get(path, Some(&admin)).await.status, StatusCode::OK, "{path}");
    }
    let targets = stage.get("/targets", Some(&viewer)).await;
    assert_eq!(targets.status, StatusCode::OK);
    assert!(!targets.body.contains("/targets/new"), "what would be refused is not offered");
    assert!(!targets.body.contains("href=\"/audit\""));
}

//! Stories of findings through the pages, without a script: import, review, decide, group, keep filters, set rules.

use base::Role;
use http::StatusCode;

use crate::stage::{Seen, Stage};

/// An nmap run over ports with these open.
pub(crate) fn nmap(open: &[u16]) -> String {
    let port =
        |port: &u16| format!(r#"<port protocol="tcp" portid="{port}"><state state="open" reason="syn-ack"/><service name="http"/></port>"#);
    let ports: String = open.iter().map(port).collect();
    format!(
        r#"<?xml version="1.0"?><nmaprun scanner="nmap" start="1767323045"><scaninfo type="connect" protocol="tcp" services="1-10000"/><host starttime="1767323045" endtime="1767323046"><status state="up" reason="syn-ack"/><address addr="192.0.2.8" addrtype="ipv4"/><ports>{ports}</ports></host><runstats><finished time="1767323046" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>"#
    )
}

/// The values of hidden fields of this name.
fn hidden(seen: &Seen, name: &str) -> Vec<String> {
    let opening = format!("name=\"{name}\" value=\"");
    seen.body.split(&opening).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// The ids that lie under this path on a page, without repetition.
pub(crate) fn ids(seen: &Seen, path: &str) -> Vec<String> {
    let mut ids: Vec<String> = seen
        .body
        .split(path)
        .skip(1)
        .filter_map(|rest| rest.get(..36))
        .filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
        .map(str::to_owned)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Takes a file in as a person would: look, then say yes.
pub(crate) async fn taken_in(stage: &Stage, cookie: &str, file: &str) -> Seen {
    let preview = stage.upload("/imports/preview", cookie, &[("go", "preview")], Some(("scan.xml", file))).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.body);
    let sha256 = hidden(&preview, "sha256").remove(0);
    let taken = stage.post("/imports", cookie, &format!("sha256={sha256}&filename=scan.xml")).await;
    assert!(taken.location.starts_with("/imports/"), "{} {}", taken.status, taken.body);
    stage.get(&taken.location, Some(cookie)).await
}

#[tokio::test]
async fn a_file_is_looked_at_taken_in_and_taken_back() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    let file = nmap(&[8080]);
    let unproven = stage.send_file("/imports/preview", &cookie, None, &[("go", "preview")], Some(("scan.xml", &file))).await;
    assert_eq!(unproven.status, StatusCode::FORBIDDEN, "a form with a file needs the token of a page too");
    let late = stage.send_file("/imports/preview", &cookie, None, &[("go", "preview"), ("csrf", "x")], None).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN, "the token comes first");

    let preview = stage.upload("/imports/preview", &cookie, &[("go", "preview"), ("tags", "dmz")], Some(("scan.xml", &file))).await;
    assert!(preview.body.contains("What the import would do") && preview.body.contains("id=\"group-created\""), "{}", preview.body);
    assert_eq!(hidden(&preview, "tags"), ["dmz"], "what was chosen goes on to the next step");
    assert!(stage.get("/imports", Some(&cookie)).await.body.contains("Nothing has been taken in yet."), "looking stores nothing");

    let gone = stage.post("/imports", &cookie, "sha256=abc&filename=scan.xml").await;
    assert_eq!(gone.status, StatusCode::CONFLICT, "only what was looked at is taken in");
    let import = taken_in(&stage, &cookie, &file).await;
    assert!(import.body.contains("The file is taken in.") && import.body.contains("/undo"), "{}", import.body);
    let findings = stage.get("/findings", Some(&cookie)).await;
    assert!(findings.body.contains("192.0.2.8:8080"), "{}", findings.body);

    let id = ids(&stage.get("/imports", Some(&cookie)).await, "/imports/").remove(0);
    let undone = stage.post(&format!("/imports/{id}/undo"), &cookie, "").await;
    assert_eq!(undone.location, format!("/imports/{id}?done=import_undone"));
    let again = stage.post(&format!("/imports/{id}/undo"), &cookie, "").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("it is undone"), "the reason is told: {}", again.body);
    assert!(stage.get("/findings", Some(&cookie)).await.body.contains("No findings yet"));

    let unread = stage.upload("/imports/preview", &cookie, &[("go", "preview"), ("service", "web")], Some(("x.bin", "nonsense"))).await;
    assert_eq!(unread.status, StatusCode::BAD_REQUEST);
    assert!(unread.body.contains("value=\"web\""), "what was typed is kept");
    let cut: String = file.chars().take(300).collect();
    let broken = stage.upload("/imports/preview", &cookie, &[("go", "preview")], Some(("cut.xml", &cut))).await;
    assert!(broken.body.contains("cut.xml cannot be read as"), "{}", broken.body);
    let spanish = format!("{cookie}; tyrian-language=es");
    let broken = stage.upload("/imports/preview", &spanish, &[("go", "preview")], Some(("cut.xml", &cut))).await;
    assert!(broken.body.contains("cut.xml no se puede leer como") && broken.body.contains("no se importó nada."), "{}", broken.body);
    let nothing = stage.upload("/imports/preview", &cookie, &[("go", "preview")], Some(("", ""))).await;
    assert!(nothing.body.contains("Choose a file."), "{}", nothing.body);
}

#[tokio::test]
async fn a_doubtful_finding_stands_beside_the_older_one_until_a_person_says_which() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    taken_in(&stage, &cookie, &nmap(&[8080])).await;
    let preview = stage.upload("/imports/preview", &cookie, &[("go", "preview")], Some(("scan.xml", &nmap(&[7001, 7002])))).await;
    assert!(preview.body.contains("id=\"group-doubtful\"") && preview.body.contains("id=\"group-closed\""), "{}", preview.body);
    taken_in(&stage, &cookie, &nmap(&[7001, 7002])).await;

    let queue = stage.get("/reviews", Some(&cookie)).await;
    assert!(queue.body.contains("192.0.2.8:700") && queue.body.contains("192.0.2.8:8080"), "{}", queue.body);
    let review = ids(&queue, "action=\"/reviews/").remove(0);
    let older = hidden(&queue, "same_as").remove(0);
    let later = stage.get("/reviews?skip=1", Some(&cookie)).await;
    assert_ne!(ids(&later, "action=\"/reviews/").remove(0), review, "what cannot be answered now waits");
    let stray = stage.post(&format!("/reviews/{review}"), &cookie, "").await;
    assert_eq!(stray.status, StatusCode::BAD_REQUEST, "no answer is no answer");
    let same = stage.post(&format!("/reviews/{review}"), &cookie, &format!("same_as={older}")).await;
    assert_eq!(same.location, "/reviews?done=review_same");
    let twice = stage.post(&format!("/reviews/{review}"), &cookie, "answer=new").await;
    assert_eq!(twice.location, "/reviews?done=review_answered");
    let review = ids(&stage.get("/reviews", Some(&cookie)).await, "action=\"/reviews/").remove(0);
    stage.post(&format!("/reviews/{review}"), &cookie, "answer=new").await;
    assert!(stage.get("/reviews", Some(&cookie)).await.body.contains("Nothing to review"));
}

#[tokio::test]
async fn many_findings_are_decided_about_at_once_and_all_of_it_is_taken_back() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    taken_in(&stage, &cookie, &nmap(&[80, 443, 8080])).await;
    let list = stage.get("/findings?severity=info", Some(&cookie)).await;
    let chosen = ids(&list, "name=\"id\" value=\"");
    assert_eq!(chosen.len(), 3, "{}", list.body);
    assert!(list.body.contains("/api/v1/findings/export?severity=info&amp;format=sarif"), "what is shown is exported");

    let narrowed = "narrowed=severity%3Dinfo%26sort%3Dtitle";
    let none = stage.post("/findings/decisions", &cookie, &format!("{narrowed}&of=chosen&kind=false_positive&reason=x")).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    assert!(none.body.contains("id=\"of-fault\"") && none.body.contains("value=\"severity=info&#38;sort=title\""), "{}", none.body);
    let some = format!("{narrowed}&of=chosen&id={}&id={}&kind=false_positive&reason=lab", chosen[0], chosen[1]);
    let decided = stage.post("/findings/decisions", &cookie, &some).await;
    assert!(decided.location.starts_with("/findings?severity=info&sort=title&done=decided_many&batch="), "{}", decided.location);
    assert!(decided.location.contains("&decided=2&"));
    let told = stage.get(&decided.location, Some(&cookie)).await;
    assert!(told.body.contains("2 findings were decided about.") && told.body.contains("state false_positive"), "{}", told.body);
    let batch = ids(&told, "/findings/batches/").remove(0);
    let undone = stage.post(&format!("/findings/batches/{batch}/undo"), &cookie, narrowed).await;
    assert_eq!(undone.location, "/findings?severity=info&sort=title&done=batch_undone");
    assert!(!stage.get("/findings", Some(&cookie)).await.body.contains("badge state false_positive"));
    let all = stage.post("/findings/decisions", &cookie, &format!("{narrowed}&of=all&kind=mitigated&reason=firewall")).await;
    assert!(all.location.contains("&decided=3&"), "{}", all.location);

    let saved = stage.post("/findings/filters", &cookie, &format!("{narrowed}&name=Only%20info&is_shared=true")).await;
    assert_eq!(saved.location, "/findings?severity=info&sort=title&done=filter_saved");
    let viewer = stage.person("viola", Role::Viewer).await;
    let shared = stage.get("/findings", Some(&viewer)).await;
    assert!(shared.body.contains("href=\"/findings?severity=info\">Only info</a>"), "{}", shared.body);
    assert!(!shared.body.contains("/findings/decisions"), "what would be refused is not offered");
    let filter = ids(&shared, "/findings/filters/").remove(0);
    let foreign = stage.post(&format!("/findings/filters/{filter}/delete"), &viewer, "").await;
    assert_eq!(foreign.status, StatusCode::CONFLICT, "who did not save it cannot delete it");
    assert_eq!(stage.post(&format!("/findings/filters/{filter}/delete"), &cookie, "").await.location, "/findings?done=filter_dropped");
}

#[tokio::test]
async fn findings_are_joined_and_split_and_an_accepted_risk_waits_for_a_second_person() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    taken_in(&stage, &cookie, &nmap(&[80, 443])).await;
    let found = ids(&stage.get("/findings", Some(&cookie)).await, "href=\"/findings/");
    let (one, other) = (&found[0], &found[1]);
    let alone = stage.post(&format!("/findings/{one}/join"), &cookie, &format!("other={one}&reason=x")).await;
    assert_eq!(alone.status, StatusCode::BAD_REQUEST, "a finding is not joined with itself");
    let joined = stage.post(&format!("/findings/{one}/join"), &cookie, &format!("other=%2Ffindings%2F{other}&reason=one%20server")).await;
    assert_eq!(joined.location, format!("/findings/{one}?done=joined"));
    let page = stage.get(&format!("/findings/{one}"), Some(&cookie)).await;
    assert!(page.body.contains("joined by hand: one server") && page.body.contains(&format!("/findings/{other}")), "{}", page.body);
    assert!(page.body.contains("Severity Info") && page.body.contains("of 10"), "the risk is explained: {}", page.body);
    assert!(stage.get("/clusters", Some(&cookie)).await.body.contains("joined by hand: one server"));
    let split = stage.post(&format!("/findings/{one}/split"), &cookie, "reason=two%20services").await;
    assert_eq!(split.location, format!("/findings/{one}?done=split"));

    assert_eq!(stage.post("/settings/policy", &cookie, "four_eyes=true").await.location, "/settings/rules?done=saved");
    let asked = stage.post(&format!("/findings/{one}/decisions"), &cookie, "kind=accepted&reason=until%20spring").await;
    assert_eq!(asked.location, format!("/findings/{one}?done=proposed"));
    let waiting = stage.get("/decisions", Some(&cookie)).await;
    let decision = ids(&waiting, "action=\"/decisions/").remove(0);
    let own = stage.post(&format!("/decisions/{decision}"), &cookie, "approve=true").await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "nobody is their own second person");
    let second = stage.person("bea", Role::Admin).await;
    let approved = stage.post(&format!("/decisions/{decision}"), &second, "approve=true").await;
    assert_eq!(approved.location, format!("/findings/{one}?done=approved"));
    assert!(stage.get(&format!("/findings/{one}"), Some(&second)).await.body.contains("approved by bea"));

    let rule = stage.post(&format!("/findings/{other}/decisions"), &cookie, "kind=false_positive&scope=rule&reason=noise").await;
    assert_eq!(rule.location, format!("/findings/{other}?done=decided"));
    let rules = stage.get("/decisions?show=rules", Some(&cookie)).await;
    assert!(rules.body.contains("This check of this tool, everywhere"), "{}", rules.body);
    let withdrawn = stage.post(&format!("/decisions/rules/{other}/withdraw"), &cookie, "scope=rule&reason=not%20noise").await;
    assert_eq!(withdrawn.location, "/decisions?done=rule_withdrawn");
}

#[tokio::test]
async fn rules_feeds_targets_and_evidence_come_in_by_forms() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    let saved = stage.post("/settings/sla", &cookie, "unit=shops&days_critical=3&days_high=14&soon_days=2&kev_least_days=1").await;
    assert_eq!(saved.location, "/settings/rules?done=sla_saved");
    let rules = stage.get("/settings/rules", Some(&cookie)).await;
    assert!(rules.body.contains("/settings/sla?unit=shops"), "{}", rules.body);
    let wrong = stage.post("/settings/sla", &cookie, "unit=shops&known=true&days_critical=9999").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.body.contains("value=\"9999\"") && wrong.body.contains("3650"), "{}", wrong.body);
    assert_eq!(stage.post("/settings/sla/delete", &cookie, "unit=shops").await.location, "/settings/rules?done=sla_dropped");

    let kev = r#"{"title":"CISA Catalog of Known Exploited Vulnerabilities","catalogVersion":"2026.01.02","dateReleased":"2026-01-02T10:00:00.0000Z","count":1,"vulnerabilities":[{"cveID":"CVE-2021-44228","vendorProject":"Apache","product":"Log4j2","vulnerabilityName":"Log4Shell","dateAdded":"2021-12-10","shortDescription":"JNDI","requiredAction":"Update","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known","notes":"","cwes":["CWE-20"]}]}"#;
    let brought = stage.upload("/settings/feeds/kev", &cookie, &[], Some(("kev.json", kev))).await;
    assert_eq!(brought.location, "/settings/feeds?done=feed_updated", "{}", brought.body);
    let broken = stage.upload("/settings/feeds/epss", &cookie, &[], Some(("epss.csv", "cve,epss\nCVE-1,many\n"))).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(broken.body.contains("epss.csv") && broken.body.contains("2026.01.02"), "{}", broken.body);

    let csv = "name,type,address\nShop,web,https://shop.example.org\nNowhere,planet,mars\n";
    let preview = stage.upload("/targets/import/preview", &cookie, &[("format", "csv")], Some(("targets.csv", csv))).await;
    assert!(preview.body.contains("What the import would do") && preview.body.contains("planet"), "{}", preview.body);
    assert!(stage.get("/targets", Some(&cookie)).await.body.contains("Nothing to test yet"));
    let sha256 = hidden(&preview, "sha256").remove(0);
    let taken = stage.post("/targets/import", &cookie, &format!("format=csv&sha256={sha256}")).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
    let targets = stage.get("/targets?type=web", Some(&cookie)).await;
    assert!(targets.body.contains("/api/v1/targets/export?type=web&amp;format=csv"));
    let target = ids(&targets, "href=\"/targets/").remove(0);

    let granted = "granted_by=Ada&evidence=SEC-1&rules=https%3A%2F%2Fshop.example.org&valid_until=2026-06-01T00%3A00";
    let authorized = stage.post(&format!("/targets/{target}/authorize"), &cookie, granted).await;
    assert_eq!(authorized.location, format!("/targets/{target}?done=authorized"), "{}", authorized.body);
    let page = stage.get(&format!("/targets/{target}"), Some(&cookie)).await;
    let authorization = ids(&page, "href=\"/authorizations/").remove(0);
    let handed_in = stage.upload(&format!("/authorizations/{authorization}/evidence"), &cookie, &[], Some(("letter.pdf", "%PDF-"))).await;
    assert_eq!(handed_in.location, format!("/targets/{target}?done=evidence_kept"), "{}", handed_in.body);
    let twice = stage.upload(&format!("/authorizations/{authorization}/evidence"), &cookie, &[], Some(("other.pdf", "%PDF-"))).await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "evidence is never exchanged");
    assert!(
        stage
            .get(&format!("/targets/{target}"), Some(&cookie))
            .await
            .body
            .contains(&format!("/api/v1/authorizations/{authorization}/evidence"))
    );
}

#[tokio::test]
async fn search_finds_what_was_taken_in_and_points_at_the_character_that_is_wrong() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    taken_in(&stage, &cookie, &nmap(&[8080])).await;
    stage.search.prepare().await.unwrap();
    let found = stage.get("/search?q=port%3A8080", Some(&cookie)).await;
    assert!(found.body.contains("1 found") && found.body.contains("192.0.2.8:8080"), "{}", found.body);
    let wrong = stage.get("/search?q=port%3A%5B1%20TO", Some(&cookie)).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.body.contains("id=\"q-fault\"") && wrong.body.contains("character"), "{}", wrong.body);
    let audit = stage.get("/search?index=audit_logs&q=action%3Aresults.import", Some(&cookie)).await;
    assert!(audit.body.contains("href=\"/audit/"), "{}", audit.body);
    let viewer = stage.person("viola", Role::Viewer).await;
    let hidden = stage.get("/search?index=audit_logs&q=ada", Some(&viewer)).await;
    assert!(!hidden.body.contains("value=\"audit_logs\""), "an index that may not be read is not offered");
}

//! Stories of what findings have to do with each other, and of mappings that people write, through the pages.

use base::Role;
use http::StatusCode;

use crate::stage::Stage;

/// Two flaws of one package in an image.
const TRIVY: &str = r#"{"SchemaVersion":2,"ArtifactName":"shop:4","ArtifactType":"container_image","Results":[{"Target":"package-lock.json","Class":"lang-pkgs","Type":"npm","Vulnerabilities":[
{"VulnerabilityID":"CVE-2019-10744","PkgName":"lodash","InstalledVersion":"4.17.10","FixedVersion":"4.17.12","Severity":"CRITICAL","Title":"Prototype pollution"},
{"VulnerabilityID":"CVE-2021-23337","PkgName":"lodash","InstalledVersion":"4.17.10","FixedVersion":"4.17.21","Severity":"HIGH","Title":"Command injection"}]}]}"#;
const MAPPING: &str = r#"{"name":"inhouse","keys":["id"],"fields":{"check":"id","title":"name","host":"host","severity":"rating"}}"#;
const TABLE: &str = "id;name;host;rating\n1;Weak key;a.example;high\n2;Old page;b.example;low\n";

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[tokio::test]
async fn a_cause_behind_several_findings_is_shown_with_what_closes_them() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    let bare = ["/causes", "/paths", "/patterns", "/estimates"];
    for page in bare {
        let seen = stage.get(page, Some(&cookie)).await;
        assert_eq!(seen.status, StatusCode::OK, "{page} {}", seen.body);
        assert!(seen.body.contains(&format!("href=\"{page}\" aria-current=\"page\"")), "{page} {}", seen.body);
    }
    stage.upload("/imports/preview", &cookie, &[("go", "take")], Some(("trivy.json", TRIVY))).await;
    let causes = stage.get("/causes?kind=package", Some(&cookie)).await;
    assert!(causes.body.contains("lodash") && causes.body.contains("4.17.21"), "{}", causes.body);
    assert!(causes.body.contains("/findings?q=lodash&#38;status=open"), "{}", causes.body);
    assert!(stage.get("/causes?kind=asset", Some(&cookie)).await.body.contains("No causes"));
    assert!(stage.get("/estimates", Some(&cookie)).await.body.contains("No estimates yet"));
}

#[tokio::test]
async fn a_mapping_is_tried_until_it_fits_saved_and_used_by_an_import() {
    let stage = Stage::new().await;
    let cookie = stage.first_admin().await;
    let wrong = form(&[("go", "try"), ("mapping", "{\"name\": \"inhouse\""), ("sample", TABLE)]);
    let refused = stage.post("/imports/mappings", &cookie, &wrong).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.body.contains("mapping-fault") && refused.body.contains("Weak key"),
        "the place is told, what was typed is kept: {}",
        refused.body
    );
    let unknown = form(&[("go", "try"), ("mapping", &MAPPING.replace("\"title\"", "\"titel\"")), ("sample", TABLE)]);
    let told = stage.post("/imports/mappings", &format!("{cookie}; tyrian-language=pt-BR"), &unknown).await;
    assert!(
        told.body.contains("O mapeamento não está correto: fields.titel: chave desconhecida; conhecidas são check, title")
            && told.body.contains(", linha ")
            && told.body.contains("mapping-fault"),
        "told in the language of the page, at the field it was typed into: {}",
        told.body
    );
    let misspelt = MAPPING.replace("rating", "rate");
    let near = stage.post("/imports/mappings", &cookie, &form(&[("go", "try"), ("mapping", &misspelt), ("sample", TABLE)])).await;
    assert!(near.body.contains("does not fit exactly") && near.body.contains("<code>rate</code>"), "{}", near.body);
    let windows = TABLE.replace('\n', "\r\n");
    let fits = stage.post("/imports/mappings", &cookie, &form(&[("go", "try"), ("mapping", MAPPING), ("sample", &windows)])).await;
    assert!(fits.body.contains("The mapping fits") && fits.body.contains("Old page"), "{}", fits.body);
    assert!(stage.get("/imports/mappings", Some(&cookie)).await.body.contains("No mappings"), "trying stores nothing");
    let saved = stage.post("/imports/mappings", &cookie, &form(&[("go", "save"), ("mapping", MAPPING)])).await;
    assert_eq!(saved.location, "/imports/mappings?done=mapping_saved", "{}", saved.body);

    let offered = stage.get("/imports", Some(&cookie)).await;
    assert!(offered.body.contains("value=\"mapping:inhouse\""), "{}", offered.body);
    let fields = [("go", "take"), ("format", "mapping:inhouse"), ("verified", "true")];
    let taken = stage.upload("/imports/preview", &cookie, &fields, Some(("export.csv", TABLE))).await;
    assert!(taken.location.starts_with("/imports/"), "{} {}", taken.status, taken.body);
    assert!(stage.get("/findings", Some(&cookie)).await.body.contains("Weak key"));

    let reader = stage.person("eve", Role::Viewer).await;
    assert!(
        !stage.get("/imports/mappings", Some(&reader)).await.body.contains("/imports/mappings/edit"),
        "who may not save is not asked to"
    );
    let kept = stage.get("/imports/mappings/edit?name=inhouse", Some(&cookie)).await;
    assert!(kept.body.contains("&quot;inhouse&quot;") || kept.body.contains("&#34;inhouse&#34;"), "{}", kept.body);
    let dropped = stage.post("/imports/mappings/delete", &cookie, "name=inhouse").await;
    assert_eq!(dropped.location, "/imports/mappings?done=mapping_dropped");
    assert_eq!(stage.get("/imports/mappings/edit?name=inhouse", Some(&cookie)).await.status, StatusCode::NOT_FOUND);
}

//! From nothing to a report, the way a team works.

use futures::StreamExt;
use serde_json::{Value as Json, json};
use testkit::Lab;

use crate::server::{Server, authorized_target, create_admin, ended, rendered, stderr, stdout, tyrian};

#[tokio::test(flavor = "multi_thread")]
async fn a_team_scans_decides_reports_and_proves_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    create_admin(&["--data", &data], &[], "ada");
    let mut server = Server::embedded(folder.path().join("data").as_path());
    let ada = server.sign_in("ada").await;
    let lab = Lab::weak();
    let address = lab.address().to_string();

    // Nothing is scanned without an authorisation, and the refusal says what to do.
    let target: Json = ada.post("targets", &json!({ "name": "unauthorised", "type": "host", "address": address })).await.unwrap();
    let refused = ada.post::<Json>("scans", &json!({ "target_id": target["id"], "scan_type": "quick" })).await.unwrap_err();
    assert_eq!(refused.kind(), base::Kind::Forbidden);
    assert!(refused.detail().contains("authoris"), "{}", refused.detail());

    let target = authorized_target(&ada, &address).await;
    let ports: Vec<String> = lab.ports().iter().map(u16::to_string).collect();
    let order = json!({ "target_id": target["id"], "scan_type": "standard", "ports": ports.join(",") });
    let scan: Json = ada.post("scans", &order).await.unwrap();
    let updates: Vec<_> = ada.follow(&format!("scans/{}/events", scan["id"].as_str().unwrap())).await.unwrap().collect().await;
    assert!(updates.len() > 1, "it can be watched: {updates:?}");
    let scan = ended(&ada, &scan).await;
    assert_eq!(scan["state"], "completed", "{scan}");

    let findings = ada.all(&format!("findings?scan={}", scan["id"].as_str().unwrap())).await.unwrap();
    let grave = findings.iter().filter(|finding| matches!(finding["severity"].as_str(), Some("high" | "critical"))).count();
    assert!(grave >= 2, "the weak lab has grave weaknesses: {findings:#?}");

    // A decision survives the next scan.
    let finding = findings[0]["id"].as_str().unwrap();
    let decision = json!({ "kind": "false_positive", "reason": "the lab is meant to be weak" });
    ada.post::<Json>(&format!("findings/{finding}/decisions"), &decision).await.unwrap();
    let again: Json = ada.post("scans", &order).await.unwrap();
    assert_eq!(ended(&ada, &again).await["state"], "completed");
    let detail: Json = ada.get(&format!("findings/{finding}")).await.unwrap();
    assert_eq!(detail["finding"]["status"], "false_positive", "{detail}");
    let total = ada.all("findings").await.unwrap().len();
    assert_eq!(total, findings.len(), "the same weaknesses are the same findings");

    let report: Json = ada.post("reports", &json!({ "title": "Lab", "scan_id": scan["id"], "language": "pt-BR" })).await.unwrap();
    let path = format!("reports/{}", report["id"].as_str().unwrap());
    assert_eq!(rendered(&ada, &report).await["state"], "ready");
    let pdf = ada.bytes(&format!("{path}/files/pdf")).await.unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 20_000);
    let html = String::from_utf8(ada.bytes(&format!("{path}/files/html")).await.unwrap()).unwrap();
    assert!(html.contains("lang=\"pt-BR\""));

    let export = folder.path().join("log.jsonl");
    std::fs::write(&export, ada.bytes("audit/export").await.unwrap()).unwrap();
    let verified = tyrian(&["audit", "verify", &export.display().to_string()], &[], "");
    assert!(verified.status.success(), "{}{}", stdout(&verified), stderr(&verified));
    let text = std::fs::read_to_string(&export).unwrap();
    std::fs::write(&export, text.replacen("false_positive", "accepted", 1)).unwrap();
    let tampered = tyrian(&["audit", "verify", &export.display().to_string()], &[], "");
    assert_eq!(tampered.status.code(), Some(11), "{}", stdout(&tampered));

    assert!(server.stop(), "it ends well when asked");
}

//! Known again or not: closing, reopening, moving, and what never closes anything.

use importers::Format;
use results::{HappeningKind, ImportRequest};
use testkit::engines;

use crate::story::{Story, hit, lines, miss, nmap, nmap_request, request};

#[tokio::test]
async fn importing_again_shuffled_or_reworded_changes_nothing() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let (one, two, three) =
            (hit("a", "high", "https://x.example/a"), hit("b", "low", "https://x.example/b"), hit("a", "high", "https://x.example/c"));
        let first = story.import(&lines(&[one.clone(), two.clone(), three.clone()]), None).await.unwrap();
        assert_eq!((first.summary.created, first.summary.findings, first.summary.by_severity.high), (3, 3, 2));
        let again = story.import(&lines(&[one.clone(), two.clone(), three.clone()]), None).await.unwrap();
        assert!(again.repeated && again.id == first.id);
        let mut reworded = one;
        reworded["info"]["name"] = "other words".into();
        reworded["info"]["severity"] = "critical".into();
        let shuffled = story.import(&lines(&[three, reworded, two]), None).await.unwrap();
        assert_eq!((shuffled.summary.created, shuffled.summary.unchanged, shuffled.summary.closed), (0, 3, 0));
        let findings = story.findings().await;
        assert_eq!(findings.len(), 3);
        let changed = findings.iter().find(|finding| finding.title == "other words").expect("the tool's last words are shown");
        assert_eq!((changed.severity.as_str(), changed.times_seen), ("critical", 2));
    }
}

#[tokio::test]
async fn several_observations_of_one_thing_are_one_finding() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let (one, mut two) = (hit("a", "low", "https://x.example/a"), hit("a", "high", "https://x.example/a"));
        two["extracted-results"] = serde_json::json!(["secret"]);
        let import = story.import(&lines(&[one, two]), None).await.unwrap();
        assert_eq!((import.summary.observations, import.summary.findings, import.summary.by_severity.high), (2, 1, 1));
        let detail = story.results.finding(&story.actor, story.findings().await[0].id).await.unwrap();
        assert_eq!(detail.observations.len(), 2);
    }
}

#[tokio::test]
async fn only_a_test_that_looked_again_closes_a_finding() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let (a, b, elsewhere) =
            (hit("a", "high", "https://x.example/"), hit("b", "low", "https://x.example/"), hit("a", "low", "https://other.example/"));
        story.import(&lines(&[a.clone(), b.clone(), elsewhere]), None).await.unwrap();
        let run = story.import(&lines(&[miss("a", "https://x.example/")]), None).await.unwrap();
        assert_eq!((run.summary.closed, run.summary.not_retested), (1, 1), "{:?}", run.summary);
        let mut standing = story.standing().await;
        standing.sort();
        assert_eq!(standing, [("a".into(), "fixed"), ("a".into(), "open"), ("b".into(), "not_retested")]);

        let back = story.import(&lines(&[a]), None).await.unwrap();
        assert_eq!((back.summary.reopened, back.summary.created), (1, 0));
        let findings = story.findings().await;
        let same =
            findings.iter().find(|finding| finding.title == "a" && finding.location.url.as_deref() == Some("https://x.example/")).unwrap();
        let detail = story.results.finding(&story.actor, same.id).await.unwrap();
        let life: Vec<HappeningKind> = detail.history.iter().rev().map(|turn| turn.kind).collect();
        assert_eq!(life, [HappeningKind::New, HappeningKind::Fixed, HappeningKind::Reopened]);
    }
}

#[tokio::test]
async fn a_port_scan_closes_only_ports_it_searched() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.request(nmap_request(&nmap("192.0.2.7", "1-10000", &[80, 8443]))).await.unwrap();
        let narrow = story.request(nmap_request(&nmap("192.0.2.7", "1-1024", &[]))).await.unwrap();
        assert_eq!((narrow.summary.closed, narrow.summary.not_retested), (1, 1));
        let statuses: Vec<(Option<u16>, &str)> =
            story.findings().await.iter().map(|finding| (finding.location.port, finding.status.as_str())).collect();
        assert!(statuses.contains(&(Some(80), "fixed")) && statuses.contains(&(Some(8443), "not_retested")), "{statuses:?}");
    }
}

#[tokio::test]
async fn a_service_that_moved_is_the_same_finding_and_two_candidates_are_none() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.request(nmap_request(&nmap("192.0.2.8", "1-10000", &[8080]))).await.unwrap();
        let moved = story.request(nmap_request(&nmap("192.0.2.8", "1-10000", &[9090]))).await.unwrap();
        assert_eq!((moved.summary.moved, moved.summary.created, moved.summary.closed), (1, 0, 0));
        let findings = story.findings().await;
        assert_eq!((findings.len(), findings[0].location.port), (1, Some(9090)));

        let both = story.request(nmap_request(&nmap("192.0.2.8", "1-10000", &[7001, 7002]))).await.unwrap();
        assert_eq!((both.summary.ambiguous, both.summary.created, both.summary.closed), (2, 2, 1), "{:?}", both.summary);
        assert_eq!(story.findings().await.iter().filter(|finding| finding.ambiguous).count(), 2);

        let unsearched = story.request(nmap_request(&nmap("192.0.2.9", "1-10000", &[5000]))).await.unwrap();
        assert_eq!(unsearched.summary.created, 1);
        let narrow = story.request(nmap_request(&nmap("192.0.2.9", "1-100", &[90]))).await.unwrap();
        assert_eq!((narrow.summary.moved, narrow.summary.created), (0, 1), "the old place was not looked at");
    }
}

#[tokio::test]
async fn findings_of_another_target_or_tenant_are_not_touched() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let (one, two) = (story.target("192.0.2.1").await, story.target("192.0.2.2").await);
        let text = lines(&[hit("a", "high", "https://x.example/")]);
        for target in [&one, &two] {
            assert_eq!(story.import(&text, Some(target)).await.unwrap().summary.created, 1);
        }
        let stranger = story.world.other(&[base::Role::Admin]);
        let import = Box::pin(story.results.import(&stranger, request(&text, None))).await.unwrap();
        assert_eq!(import.summary.created, 1);
        let refused = Box::pin(story.results.import(&stranger, request(&text, Some(&one)))).await.unwrap_err();
        assert_eq!(refused.kind(), base::Kind::NotFound);
        assert_eq!(story.findings().await.len(), 2);
        let gone = story.import(&lines(&[miss("a", "https://x.example/")]), Some(&one)).await.unwrap();
        assert_eq!(gone.summary.closed, 1);
        assert_eq!(story.findings().await.iter().filter(|finding| finding.is_open()).count(), 1);
    }
}

#[tokio::test]
async fn what_a_tool_tells_as_absent_is_gone_and_what_it_tells_beside_it_is_not() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let log = |state: &str| {
            let result = |file: &str, line: u32, state: &str| {
                serde_json::json!({ "ruleId": "r", "message": { "text": format!("{file} {line}") }, "baselineState": state, "locations": [{
                    "physicalLocation": { "artifactLocation": { "uri": file }, "region": { "startLine": line, "snippet": { "text": format!("f{line}();") } } } }] })
            };
            let results = [result("a.c", 1, "unchanged"), result("a.c", 9, state), result("b.c", 1, "unchanged")];
            let log =
                serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "linter" } }, "results": results }] });
            ImportRequest { format: Some(Format::Sarif), filename: None, ..request(&log.to_string(), None) }
        };
        assert_eq!(story.request(log("new")).await.unwrap().summary.created, 3);
        let gone = story.request(log("absent")).await.unwrap().summary;
        assert_eq!((gone.unchanged, gone.closed, gone.created), (2, 1, 0), "{engine:?} {gone:?}");
        assert_eq!(story.standing().await, [("a.c 1".into(), "open"), ("a.c 9".into(), "fixed"), ("b.c 1".into(), "open")], "{engine:?}");
    }
}

#[tokio::test]
async fn a_search_for_packages_closes_what_it_does_not_find_any_more_in_the_same_image_only() {
    let trivy = |image: &str, kind: &str, ids: &[&str]| {
        let flaws: Vec<_> = ids
            .iter()
            .map(|id| serde_json::json!({ "VulnerabilityID": id, "PkgName": "musl", "InstalledVersion": "1.1", "Severity": "HIGH" }))
            .collect();
        let system = serde_json::json!({ "Target": format!("{image} (alpine 3.10)"), "Class": "os-pkgs", "Type": "alpine", "Vulnerabilities": flaws });
        let python = serde_json::json!({ "Target": "Python", "Class": "lang-pkgs", "Type": "python-pkg", "Vulnerabilities": [{
            "VulnerabilityID": "CVE-2020-9", "PkgName": "django", "PkgPath": "usr/lib/django/METADATA", "InstalledVersion": "3.0", "Severity": "LOW" }] });
        let results = if ids.contains(&"CVE-2020-1") { vec![system, python] } else { vec![system] };
        (Format::Trivy, serde_json::json!({ "SchemaVersion": 2, "ArtifactName": image, "ArtifactType": kind, "Results": results }))
    };
    let grype = |image: &str, kind: &str, ids: &[&str]| {
        let artifact =
            serde_json::json!({ "name": "musl", "version": "1.1", "type": "apk", "locations": [{ "path": "/lib/apk/db/installed" }] });
        let found: Vec<_> =
            ids.iter().map(|id| serde_json::json!({ "vulnerability": { "id": id, "severity": "High" }, "artifact": artifact })).collect();
        let source = match kind {
            "container_image" => serde_json::json!({ "type": "image", "target": { "userInput": image } }),
            _ => serde_json::json!({ "type": "directory", "target": image }),
        };
        (Format::AnchoreGrype, serde_json::json!({ "matches": found, "source": source, "descriptor": { "name": "grype" } }))
    };
    let osv = |image: &str, kind: &str, ids: &[&str]| {
        let flaws: Vec<_> = ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
        let package =
            serde_json::json!({ "package": { "name": "musl", "version": "1.1", "ecosystem": "Alpine" }, "vulnerabilities": flaws });
        let source = serde_json::json!({ "path": image, "type": if kind == "container_image" { "docker" } else { "lockfile" } });
        (Format::OsvScanner, serde_json::json!({ "results": [{ "source": source, "packages": [package] }] }))
    };
    let snyk = |image: &str, _: &str, ids: &[&str]| {
        let flaws: Vec<_> = ids
            .iter()
            .map(|id| serde_json::json!({ "id": id, "packageName": "musl", "version": "1.1", "severity": "high", "from": [image, "musl@1.1"] }))
            .collect();
        let report = serde_json::json!({ "vulnerabilities": flaws, "ok": false, "dependencyCount": 9, "packageManager": "apk",
            "projectName": format!("docker-image|{image}"), "path": image });
        (Format::Snyk, report)
    };
    type Report = dyn Fn(&str, &str, &[&str]) -> (Format, serde_json::Value);
    let tools: [&Report; 4] = [&trivy, &grype, &osv, &snyk];
    for engine in engines() {
        for tool in tools {
            let story = Story::new(engine).await;
            let target = story.target("shop").await;
            let take = async |(format, report): (Format, serde_json::Value)| {
                let request = ImportRequest { format: Some(format), filename: None, ..request(&report.to_string(), Some(&target)) };
                story.request(request).await.unwrap().summary
            };
            let image = "container_image";
            let first = take(tool("shop/web:1.0", image, &["CVE-2020-1", "CVE-2020-2"])).await;
            let other = take(tool("shop/api:1.0", image, &["CVE-2020-2"])).await;
            assert_eq!((other.created, other.closed), (1, 0), "{engine:?} {other:?}");
            // The next version of the first image.
            let next = take(tool("shop/web:1.1", image, &["CVE-2020-2"])).await;
            assert_eq!((next.created, next.closed, next.unchanged), (0, 1, 1), "{engine:?} {first:?} {next:?}");
            let gone: Vec<String> = story.findings().await.into_iter().filter(|one| !one.is_open()).map(|one| one.check).collect();
            assert_eq!(gone, ["CVE-2020-1"], "{engine:?} {first:?}");
        }
        // A folder that may be any.
        for tool in &tools[..2] {
            let story = Story::new(engine).await;
            for ids in [&["CVE-2020-1", "CVE-2020-2"][..], &["CVE-2020-2"]] {
                let (format, report) = tool(".", "filesystem", ids);
                let request = ImportRequest { format: Some(format), filename: None, ..request(&report.to_string(), None) };
                assert_eq!(story.request(request).await.unwrap().summary.closed, 0, "{engine:?}");
            }
        }
    }
}

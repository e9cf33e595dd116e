//! Whole scans of the planted lab: every tool, from the start to the last artifact.

use importers::Record;
use scans::{Config, Profile, ScanState, StageState};
use testkit::{Engine, Lab, engines};

use crate::stage::{Stage, observations};

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_scan_brings_back_what_every_tool_saw() {
    let lab = Lab::weak();
    for engine in engines() {
        let stage = Stage::new(engine, Config::default()).await;
        stage.in_the_present();
        let target = stage.host(&lab.address().to_string()).await;
        let scan = stage.start(&target, Profile::Deep, &lab.ports()).await;
        assert_eq!(scan.state, ScanState::Queued);
        let drained = stage.drain().await;
        assert!(drained.errors.is_empty(), "{:?}", drained.errors);
        let scan = stage.get(&scan).await;
        assert_eq!(scan.state, ScanState::Completed, "{scan:#?}");
        assert!(scan.stages.iter().all(|stage| stage.state == StageState::Done && stage.tool_version.is_some()), "{:#?}", scan.stages);

        let records = stage.records(&scan).await;
        let open = |tool: &str, check: &str| {
            let mut ports: Vec<u16> =
                observations(&records[tool]).iter().filter(|seen| seen.check == check).filter_map(|seen| seen.location.port).collect();
            ports.sort_unstable();
            ports
        };
        assert_eq!(open("tyrian", "ports.open"), lab.ports());
        assert_eq!(open("nmap", "nmap:open-port"), lab.ports());
        assert!(observations(&records["tyrian"]).iter().any(|seen| seen.check == "exposure.redis"));
        assert!(observations(&records["sslscan"]).iter().all(|seen| seen.location.port == Some(lab.https_port())));
        let said = scan.stages[1].argv[0].join(" ");
        assert!(said.starts_with("nmap -n -Pn -sT -sV") && said.ends_with(&format!("-- {}", lab.address())), "{said}");
        let total = records.values().map(|records| observations(records).len() as u64).sum::<u64>();
        assert_eq!(scan.summary.unwrap().observations, total);
        assert_eq!(stage.world.count("scan_metrics").await, 4);
        let events = backends::events::since(&stage.world.backends.db, stage.ana.tenant, None, 100).await.unwrap();
        let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
        assert_eq!(
            names,
            ["scan.queued", "scan.started", "scan.stage_finished", "scan.stage_finished", "scan.stage_finished", "scan.completed"]
        );
        assert_eq!(events[5].body["summary"]["observations"], total);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_scan_of_a_sound_host_finds_nothing_worse_than_information() {
    let lab = Lab::hardened();
    let stage = Stage::new(Engine::Embedded, Config::default()).await;
    stage.in_the_present();
    let target = stage.host(&lab.address().to_string()).await;
    let scan = stage.start(&target, Profile::Quick, &lab.ports()).await;
    stage.drain().await;
    let scan = stage.get(&scan).await;
    assert_eq!((scan.state, scan.stages.len()), (ScanState::Completed, 1));
    let records = stage.records(&scan).await;
    let worse: Vec<_> = observations(&records["tyrian"]).into_iter().filter(|seen| seen.severity > importers::Severity::Info).collect();
    assert!(worse.is_empty(), "{worse:#?}");
    let assets = records["tyrian"].iter().filter(|record| matches!(record, Record::Asset(_))).count();
    assert_eq!(assets, 1);
}

//! Sequencing, proofs, tiles and exports of an honest log.

use std::time::Duration;

use audit::note::{self, VerifierKey};
use audit::tree::{self, Hash, leaf_hash};
use audit::verify::{self, Line, Trust};
use audit::{Audit, Filter};
use base::{Actor, PageRequest, Role, Source};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use testkit::{World, engines};

use crate::thing::reader;

async fn fill(world: &World, audit: &Audit, count: usize) {
    let actors = [world.actor(&[Role::Admin]), world.other(&[Role::Admin])];
    let writes = (0..count).map(|number| {
        let actor = &actors[number % 2];
        async move { audit.record(actor, audit::actions::READ, ("thing", &number.to_string()), json!({ "n": number }), None).await.unwrap() }
    });
    futures::future::join_all(writes).await;
}

pub(crate) async fn export(audit: &Audit, actor: &Actor) -> Vec<Line> {
    let mut export = audit.export(actor).await.unwrap();
    let mut lines = Vec::new();
    while let Some(more) = export.next().await.unwrap() {
        lines.extend(more);
    }
    lines
}

pub(crate) fn text(lines: &[Line]) -> Vec<u8> {
    lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect::<String>().into_bytes()
}

#[tokio::test]
async fn every_entry_proves_itself_against_the_signed_checkpoint() {
    for engine in engines() {
        let world = World::new(engine).await;
        let audit = Audit::new(&world.backends);
        let actor = reader(&world);
        assert_eq!(audit.checkpoint(&actor).await.unwrap_err().code(), "audit.no_checkpoint");
        for count in [300, 500, 3] {
            fill(&world, &audit, count).await;
            assert_eq!(audit.sequence().await.unwrap(), count as u64);
        }
        let keys = keys(&export(&audit, &actor).await);
        let page = PageRequest { limit: Some(500), cursor: None };
        let entries = audit.entries(&actor, &Filter::default(), &page).await.unwrap().items;
        for entry in entries.iter().step_by(37) {
            let proof = audit.entry(&actor, entry.id).await.unwrap().proof.expect("a proof");
            let signed = note::open(&proof.checkpoint, &keys).unwrap().checkpoint;
            let hashes: Vec<Hash> = proof.hashes.iter().map(|hash| STANDARD.decode(hash).unwrap().try_into().unwrap()).collect();
            let leaf = leaf_hash(&STANDARD.decode(&proof.leaf).unwrap());
            assert!(
                tree::verify_inclusion(proof.leaf_index, signed.size, &leaf, &hashes, &signed.root),
                "{} on {engine:?}",
                proof.leaf_index
            );
        }
        let stranger = audit.entry(&world.other(&[Role::Admin]), entries[0].id).await.unwrap_err();
        assert_eq!(stranger.code(), "audit.entry_not_found");
    }
}

fn keys(lines: &[Line]) -> Vec<VerifierKey> {
    match &lines[0] {
        Line::Log { keys, .. } => keys.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tiles_rebuild_the_signed_root() {
    for engine in engines() {
        let world = World::new(engine).await;
        let audit = Audit::new(&world.backends);
        let actor = reader(&world);
        fill(&world, &audit, 600).await;
        audit.sequence().await.unwrap();
        let mut leaves = Vec::new();
        for path in ["0/000", "0/001", "0/002.p/88"] {
            leaves.extend(audit.tile(&actor, path).await.unwrap().chunks(32).map(|hash| Hash::try_from(hash).unwrap()).collect::<Vec<_>>());
        }
        let signed = note::peek(&audit.checkpoint(&actor).await.unwrap()).unwrap();
        assert_eq!((signed.size, tree::root_of(&leaves)), (600, Some(signed.root)));
        let upper = audit.tile(&actor, "1/000.p/2").await.unwrap();
        assert_eq!(upper[..32], tree::root_of(&leaves[..256]).unwrap());
        let bundle = audit.tile(&actor, "entries/002.p/88").await.unwrap();
        assert_eq!((bundle.len(), leaf_hash(&bundle[2..51])), (88 * 51, leaves[512]));
        for missing in ["0/003", "0/002", "0/002.p/89", "2/000", "entries", "x/000", "0/../000"] {
            assert_eq!(audit.tile(&actor, missing).await.unwrap_err().code(), "audit.no_tile", "{missing}");
        }
    }
}

#[tokio::test]
async fn an_export_verifies_offline_whole_and_for_one_tenant() {
    for engine in engines() {
        let world = World::new(engine).await;
        let audit = Audit::new(&world.backends);
        let system = Actor::system(reader(&world).tenant, Source::Cli);
        fill(&world, &audit, 1000).await;
        audit.sequence().await.unwrap();
        let kept = audit.checkpoint(&system).await.unwrap();
        world.backends.keys.rotate("audit", Duration::ZERO, Duration::from_secs(60)).await.unwrap();
        world.backends.clock.advance(Duration::from_secs(120));
        fill(&world, &audit, 700).await;

        let lines = export(&audit, &system).await;
        let known = Trust { keys: keys(&lines), known_checkpoint: Some(kept) };
        let report = verify::export(text(&lines).as_slice(), known).unwrap();
        assert!(report.is_intact() && report.keys_trusted, "{report:?}");
        assert_eq!((report.size, report.entries, report.known_checkpoint_confirmed), (1701, 1701, Some(true)));
        assert_eq!(keys(&lines).len(), 2, "a retired key still verifies what it signed");

        let own = export(&audit, &reader(&world)).await;
        let report = verify::export(text(&own).as_slice(), Trust::default()).unwrap();
        assert!(report.is_intact(), "{report:?}");
        assert_eq!((report.size, report.entries), (1702, 852));
        let words = String::from_utf8(text(&own)).unwrap();
        assert!(!words.contains("user-2") && !words.contains(&world.other(&[]).tenant.to_string()));
        assert!(audit.verify(&system, Trust::default()).await.unwrap().is_intact());
    }
}

#[tokio::test]
async fn several_sequencers_at_once_make_one_tree() {
    for engine in engines() {
        let world = World::new(engine).await;
        let audit = Audit::new(&world.backends);
        let system = Actor::system(reader(&world).tenant, Source::Cli);
        let writers = async {
            for _ in 0..5 {
                fill(&world, &audit, 100).await;
            }
        };
        let sequencer = || async {
            for _ in 0..10 {
                audit.sequence().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(writers, sequencer(), sequencer(), sequencer());
        let report = audit.verify(&system, Trust::default()).await.unwrap();
        assert!(report.is_intact(), "{report:?}");
        assert_eq!((report.size, report.waiting), (500, 0));
    }
}

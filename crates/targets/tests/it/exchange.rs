//! Many targets in and out of files.

use base::{PageRequest, Role};
use http_body_util::BodyExt;
use targets::{FileFormat, Filter, Targets};
use testkit::{World, engines};

const FILE: &str = "name,type,address,tags,owner,criticality\n\
    shop,web,https://shop.example/,pci;web,=cmd(),high\n\
    bad,spaceship,,,,\n\
    net,network,10.0.0.0/24,,Ana,\n\
    worse,host,not an address,,,\n";

async fn exported(targets: &Targets, actor: &base::Actor, format: FileFormat) -> String {
    let rows = targets.export(actor, Filter::default(), format).unwrap();
    let body = axum::body::Body::from_stream(rows).collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_file_goes_in_once_and_comes_out_the_same() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let (ana, eve) = (world.actor(&[Role::Admin]), world.other(&[Role::Admin]));
        let trial = targets.import(&ana, FileFormat::Csv, FILE.as_bytes(), true).await.unwrap();
        assert!(targets.list(&ana, Filter::default(), PageRequest::default()).await.unwrap().items.is_empty());
        let done = targets.import(&ana, FileFormat::Csv, FILE.as_bytes(), false).await.unwrap();
        assert_eq!(trial, done);
        assert_eq!((done.created, done.updated, done.unchanged, done.refused), (2, 0, 0, 2));
        assert_eq!(done.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 5]);
        let again = targets.import(&ana, FileFormat::Csv, FILE.as_bytes(), false).await.unwrap();
        assert_eq!((again.created, again.unchanged), (0, 2));
        for format in [FileFormat::Csv, FileFormat::Json] {
            let file = exported(&targets, &ana, format).await;
            assert!(file.contains("shop.example"));
            let unchanged = targets.import(&ana, format, file.as_bytes(), false).await.unwrap();
            assert_eq!((unchanged.created, unchanged.updated, unchanged.unchanged), (0, 0, 2), "{file}");
            let moved = targets.import(&eve, format, file.as_bytes(), true).await.unwrap();
            assert_eq!((moved.created, moved.refused), (2, 0));
        }
        let changed = targets.import(&ana, FileFormat::Csv, FILE.replace("high", "low").as_bytes(), false).await.unwrap();
        assert_eq!((changed.updated, changed.unchanged), (1, 1));
        let page = targets.list(&ana, Filter { q: Some("shop".into()), ..Filter::default() }, PageRequest::default()).await.unwrap();
        assert_eq!((page.items[0].owner.as_deref(), page.items[0].criticality.as_str()), (Some("=cmd()"), "low"));
    }
}

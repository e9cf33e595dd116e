//! Recording, finding, changing and removing targets.

use base::{Kind, PageRequest, Role};
use targets::{Criticality, Filter, NewTarget, TargetKind, TargetPatch, Targets};
use testkit::{World, engines};

fn names(page: &base::Page<targets::Target>) -> Vec<&str> {
    page.items.iter().map(|target| target.name.as_str()).collect()
}

#[tokio::test]
async fn a_target_lives_from_its_name_to_its_removal() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let ana = world.actor(&[Role::RedTeam]);
        let target = targets.create(&ana, NewTarget::named("https://Shop.example:443/", TargetKind::Web)).await.unwrap();
        assert_eq!(target.address.as_deref(), Some("https://shop.example/"));
        assert_eq!(targets.get(&ana, target.id).await.unwrap(), target);

        let patch = TargetPatch {
            tags: Some(vec!["PCI".into(), "shop".into()]),
            owner: Some(Some("Ana".into())),
            version: Some(1),
            ..TargetPatch::default()
        };
        let changed = targets.patch(&ana, target.id, patch.clone()).await.unwrap();
        assert_eq!((changed.tags.clone(), changed.version), (vec!["pci".to_owned(), "shop".to_owned()], 2));
        assert_eq!(targets.get(&ana, target.id).await.unwrap(), changed);
        assert_eq!(targets.patch(&ana, target.id, patch).await.unwrap_err().kind(), Kind::Conflict);

        targets.delete(&ana, target.id).await.unwrap();
        assert_eq!(targets.get(&ana, target.id).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(targets.delete(&ana, target.id).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(world.count("audit_logs").await, 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_the_same_moment_none_is_lost_in_silence() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let ana = world.actor(&[Role::RedTeam]);
        let target = targets.create(&ana, NewTarget::named("shop.example", TargetKind::Host)).await.unwrap();
        for round in 0..20 {
            let owner = TargetPatch { owner: Some(Some(format!("owner {round}"))), ..TargetPatch::default() };
            let tags = TargetPatch { tags: Some(vec![format!("round-{round}")]), ..TargetPatch::default() };
            let (one, two) = tokio::join!(targets.patch(&ana, target.id, owner), targets.patch(&ana, target.id, tags));
            let now = targets.get(&ana, target.id).await.unwrap();
            assert!(one.is_ok() || two.is_ok(), "{engine:?}");
            assert_eq!(one.is_ok(), now.owner == Some(format!("owner {round}")), "{engine:?} {one:?}");
            assert_eq!(two.is_ok(), now.tags == [format!("round-{round}")], "{engine:?} {two:?}");
            assert!([one, two].into_iter().filter_map(Result::err).all(|error| error.code() == "targets.overtaken"));
        }
    }
}

#[tokio::test]
async fn the_cache_never_shows_another_tenants_target() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let (ana, eve) = (world.actor(&[Role::Admin]), world.other(&[Role::Admin]));
        let target = targets.create(&ana, NewTarget::named("10.0.0.1", TargetKind::Host)).await.unwrap();
        for _ in 0..2 {
            targets.get(&ana, target.id).await.unwrap();
            assert_eq!(targets.get(&eve, target.id).await.unwrap_err().kind(), Kind::NotFound);
        }
        assert_eq!(targets.patch(&eve, target.id, TargetPatch::default()).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(targets.delete(&eve, target.id).await.unwrap_err().kind(), Kind::NotFound);
        assert!(targets.list(&eve, Filter::default(), PageRequest::default()).await.unwrap().items.is_empty());
        let viewer = world.actor(&[Role::Viewer]);
        assert_eq!(targets.create(&viewer, NewTarget::named("x", TargetKind::Web)).await.unwrap_err().kind(), Kind::Forbidden);
    }
}

#[tokio::test]
async fn a_list_is_filtered_and_paged_without_gaps() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let ana = world.actor(&[Role::Admin]);
        for (name, kind, tags) in
            [("Ärzte 100%", TargetKind::Web, vec!["a"]), ("b_c", TargetKind::Host, vec!["a", "b"]), ("bxc", TargetKind::Host, vec![])]
        {
            let mut new = NewTarget::named(name, kind);
            new.tags = tags.into_iter().map(str::to_owned).collect();
            new.criticality = (name == "b_c").then_some(Criticality::Critical);
            targets.create(&ana, new).await.unwrap();
        }
        let list = async |filter: Filter| targets.list(&ana, filter, PageRequest::default()).await.unwrap();
        assert_eq!(names(&list(Filter::default()).await), ["bxc", "b_c", "Ärzte 100%"]);
        assert_eq!(names(&list(Filter { q: Some("äRZTE".into()), ..Filter::default() }).await), ["Ärzte 100%"]);
        assert_eq!(names(&list(Filter { q: Some("100%".into()), ..Filter::default() }).await), ["Ärzte 100%"]);
        assert_eq!(names(&list(Filter { q: Some("B_C".into()), ..Filter::default() }).await), ["b_c"]);
        assert_eq!(names(&list(Filter { tag: Some("A".into()), kind: Some(TargetKind::Host), ..Filter::default() }).await), ["b_c"]);
        assert_eq!(names(&list(Filter { criticality: Some(Criticality::Critical), ..Filter::default() }).await), ["b_c"]);
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = targets.list(&ana, Filter::default(), PageRequest { cursor, limit: Some(2) }).await.unwrap();
            seen.extend(page.items.iter().map(|target| target.name.clone()));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["bxc", "b_c", "Ärzte 100%"]);
    }
}

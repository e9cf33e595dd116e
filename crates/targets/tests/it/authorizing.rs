//! Who allowed what until when, and what a permit then lets through.

use std::time::Duration;

use base::{Kind, PageRequest, Role};
use targets::{Intrusiveness, NewAuthorization, NewTarget, Rule, RuleKind, RuleText, TargetKind, Targets};
use testkit::{World, engines};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn no_authorization_no_permit() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let (ana, clock) = (world.actor(&[Role::RedTeam]), &world.backends.clock);
        let target = targets.create(&ana, NewTarget::named("127.0.0.1", TargetKind::Host)).await.unwrap();
        let refused = targets.permit(&ana, target.id, Intrusiveness::Passive).await.unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (Kind::Forbidden, "targets.not_authorized"));
        assert!(refused.detail().contains("127.0.0.1"));

        let granted =
            targets.authorize(&ana, NewAuthorization::for_target(target.id, "CISO", "contract 7", clock.now() + DAY)).await.unwrap();
        assert_eq!(granted.rules, [Rule::Ip("127.0.0.1".parse().unwrap())]);
        let permit = targets.permit(&ana, target.id, Intrusiveness::Safe).await.unwrap();
        assert_eq!(permit.authorization, granted.id);
        assert!(permit.allows_address("127.0.0.1".parse().unwrap(), &[], clock.now()).is_ok());
        assert!(permit.allows_address("127.0.0.2".parse().unwrap(), &[], clock.now()).is_err());
        assert_eq!(targets.permit(&ana, target.id, Intrusiveness::Intrusive).await.unwrap_err().code(), "targets.too_intrusive");
        targets.recheck(&permit).await.unwrap();

        clock.advance(DAY);
        assert_eq!(targets.recheck(&permit).await.unwrap_err().code(), "targets.authorization_expired");
        let over = targets.permit(&ana, target.id, Intrusiveness::Safe).await.unwrap_err();
        assert!(over.detail().contains(&granted.valid_until.to_string()), "{}", over.detail());
    }
}

#[tokio::test]
async fn a_revoked_authorization_ends_its_permits() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let ana = world.actor(&[Role::RedTeam]);
        let until = world.backends.clock.now() + DAY;
        let target = targets.create(&ana, NewTarget::named("localhost", TargetKind::Host)).await.unwrap();
        let granted = targets.authorize(&ana, NewAuthorization::for_target(target.id, "CISO", "mail", until)).await.unwrap();
        let permit = targets.permit(&ana, target.id, Intrusiveness::Safe).await.unwrap();
        let analyst = world.actor(&[Role::SecurityAnalyst]);
        assert_eq!(targets.revoke(&analyst, granted.id, "no").await.unwrap_err().kind(), Kind::Forbidden);
        let eve = world.other(&[Role::Admin]);
        assert_eq!(targets.revoke(&eve, granted.id, "mine now").await.unwrap_err().kind(), Kind::NotFound);
        targets.revoke(&ana, granted.id, "incident 12").await.unwrap();
        let refused = targets.recheck(&permit).await.unwrap_err();
        assert!(refused.detail().contains("incident 12"));
        assert_eq!(targets.permit(&ana, target.id, Intrusiveness::Safe).await.unwrap_err().code(), "targets.authorization_revoked");
        assert_eq!(targets.revoke(&ana, granted.id, "again").await.unwrap_err().code(), "targets.already_revoked");
        let listed = targets.authorizations(&ana, Some(target.id), PageRequest::default()).await.unwrap();
        assert_eq!(listed.items[0].revoked_reason.as_deref(), Some("incident 12"));
        assert_eq!(targets.evidence(&ana, granted.id).await.unwrap_err().code(), "targets.no_evidence");
        let kept = targets.prove(&ana, granted.id, b"signed".to_vec()).await.unwrap().evidence_file.unwrap();
        assert_eq!(targets.prove(&ana, granted.id, b"forged".to_vec()).await.unwrap_err().code(), "targets.already_proved");
        assert_eq!(targets.prove(&eve, granted.id, b"forged".to_vec()).await.unwrap_err().kind(), Kind::NotFound);
        // Files are named after their content.
        let refused = kept.replace(
            "4a3cdfae6f291c8f544daea5b72905cf9e74c1ed427d831ad0d7ca00c73c794d",
            "ccdd35168ab474fa5764a526cfb83621351e23682c5075b2e18d56bddf96aa30",
        );
        assert!(refused != kept && world.backends.blobs.get(&refused).await.unwrap().is_none(), "what is refused is not kept");
        assert_eq!(targets.evidence(&ana, granted.id).await.unwrap(), b"signed");
        assert_eq!(targets.evidence(&eve, granted.id).await.unwrap_err().kind(), Kind::NotFound);
        let second = targets.authorize(&ana, NewAuthorization::for_target(target.id, "CISO", "mail 2", until)).await.unwrap();
        assert_eq!(targets.permit(&ana, target.id, Intrusiveness::Safe).await.unwrap().authorization, second.id);
        targets.delete(&ana, target.id).await.unwrap();
        let mut permit = permit;
        permit.authorization = second.id;
        assert_eq!(targets.recheck(&permit).await.unwrap_err().kind(), Kind::NotFound);
    }
}

#[tokio::test]
async fn an_authorization_of_a_network_covers_its_hosts_only() {
    for engine in engines() {
        let world = World::new(engine).await;
        let targets = Targets::new(&world.backends);
        let ana = world.actor(&[Role::RedTeam]);
        let mut new = NewAuthorization::for_target(
            base::Id::from_uuid(uuid::Uuid::nil()),
            "CISO",
            "rules of engagement",
            world.backends.clock.now() + DAY,
        );
        assert_eq!(targets.authorize(&ana, new.clone()).await.unwrap_err().kind(), Kind::NotFound);
        new.target = None;
        assert_eq!(targets.authorize(&ana, new.clone()).await.unwrap_err().code(), "targets.no_rules");
        new.rules = vec![RuleText { kind: RuleKind::Cidr, value: "10.1.2.3/16".into() }];
        new.exclusions = vec![RuleText { kind: RuleKind::Host, value: "10.1.0.1".into() }];
        targets.authorize(&ana, new).await.unwrap();
        let permit = async |address: &str| {
            let target = targets.create(&ana, NewTarget::named(address, TargetKind::Host)).await.unwrap();
            targets.permit(&ana, target.id, Intrusiveness::Safe).await.map(drop)
        };
        permit("10.1.0.2").await.unwrap();
        for outside in ["10.1.0.1", "10.2.0.1", "intranet.example", "127.0.0.1"] {
            assert_eq!(permit(outside).await.unwrap_err().code(), "targets.not_authorized", "{outside}");
        }
        let phone = targets.create(&ana, NewTarget::named("Bank app", TargetKind::Mobile)).await.unwrap();
        assert_eq!(targets.permit(&ana, phone.id, Intrusiveness::Safe).await.unwrap_err().code(), "targets.not_scannable");
    }
}

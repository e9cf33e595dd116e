//! The figures of a day: written once, counted live today, and adding up.

use std::time::Duration;

use results::Period;
use testkit::engines;

use crate::risk::work;
use crate::story::{Story, hit, lines, miss};

const SITE: &str = "https://x.example/";

#[tokio::test]
async fn figures_of_a_day_are_written_once_and_today_is_counted_live() {
    for engine in engines() {
        let story = Story::new(engine).await;
        story.import(&lines(&[hit("a", "critical", SITE), hit("b", "low", SITE)]), None).await.unwrap();
        let clock = &story.world.backends.clock;
        clock.advance(Duration::from_secs(24 * 3600));
        assert_eq!(story.results.record_trends().await.unwrap(), 1);
        assert_eq!(story.results.record_trends().await.unwrap(), 0);
        story.import(&lines(&[miss("a", SITE)]), None).await.unwrap();
        let analytics = story.results.analytics(&story.actor, &Period::default()).await.unwrap();
        let days: Vec<_> = analytics.days.iter().map(|day| (day.day.as_str(), day.opened, day.fixed, day.standing)).collect();
        assert_eq!(days, [("2026-01-02", 2, 0, 2), ("2026-01-03", 0, 1, 1)], "{engine:?}");
        assert_eq!((analytics.opened, analytics.fixed, analytics.seconds_to_fix), (2, 1, Some(24 * 3600)));
        assert_eq!(analytics.checks[0].name, "b");
        // What is late follows the policy of the organisation, not days of our own.
        let late = async || story.results.analytics(&story.actor, &Period::default()).await.unwrap().overdue.low;
        clock.advance(Duration::from_secs(20 * 24 * 3600));
        work(&story).await;
        assert_eq!(late().await, 0);
        let policy: results::SlaPolicy =
            serde_json::from_value(serde_json::json!({ "days": { "low": 10 }, "kev_caps": false, "kev_least_days": 0, "soon_days": 1 }))
                .unwrap();
        story.results.set_sla_policy(&story.actor, "organisation", policy).await.unwrap();
        work(&story).await;
        assert_eq!(late().await, 1, "{engine:?}");
    }
}

#[tokio::test]
async fn what_stands_is_what_stood_and_came_without_what_went() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let clock = &story.world.backends.clock;
        let take = async |said: &[serde_json::Value]| {
            clock.advance(Duration::from_secs(60));
            story.import(&lines(said), None).await.unwrap();
        };
        let next_day = async || clock.advance(Duration::from_secs(24 * 3600 - 1800));
        take(&[hit("a", "high", SITE), hit("b", "low", SITE)]).await;
        next_day().await;
        story.results.record_trends().await.unwrap();
        // Gone, back and gone again on one day.
        take(&[miss("a", SITE)]).await;
        take(&[hit("a", "high", SITE)]).await;
        take(&[miss("a", SITE), miss("x", SITE)]).await;
        next_day().await;
        // Before anybody comes to write the figures of the day before.
        take(&[hit("a", "high", SITE), hit("c", "low", SITE)]).await;
        take(&[miss("b", SITE)]).await;
        story.results.record_trends().await.unwrap();
        let told = story.results.analytics(&story.actor, &Period::default()).await.unwrap();
        let days: Vec<_> = told.days.iter().map(|day| (day.opened, day.fixed, day.standing)).collect();
        assert_eq!(days, [(2, 0, 2), (1, 2, 1), (2, 1, 2)], "{engine:?}");
        let mut stood = 0;
        for (opened, fixed, standing) in &days {
            assert_eq!(stood + opened - fixed, *standing, "{engine:?} {days:?}");
            stood = *standing;
        }
        let sum = |of: fn(&(u64, u64, u64)) -> u64| days.iter().map(of).sum::<u64>();
        assert_eq!((told.opened, told.fixed), (sum(|day| day.0), sum(|day| day.1)), "{engine:?}");
    }
}

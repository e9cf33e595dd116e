//! The bus: what is published is heard by all nodes, and who missed something is told.

use backends::{Bus, Message, Subscription, Tasks};
use base::Kind;
use testkit::eventually;
use testkit::servers::Redis;

use crate::engines::authorities;

async fn open(url: &str) -> Bus {
    Bus::connect(url, &Tasks::default(), &authorities()).await.unwrap()
}

/// Two nodes of every engine; the embedded one has a single node.
async fn nodes(server: &Redis) -> [(Bus, Bus); 2] {
    let memory = open("memory:").await;
    [(memory.clone(), memory), (open(&server.url()).await, open(&server.url()).await)]
}

async fn body(subscription: &mut Subscription) -> Vec<u8> {
    subscription.next().await.unwrap().body().unwrap().to_vec()
}

#[tokio::test]
async fn everybody_on_a_channel_hears_and_nobody_else() {
    let server = Redis::start();
    for (here, there) in nodes(&server).await {
        let mut first = here.subscribe("events").await.unwrap();
        let mut second = there.subscribe("events").await.unwrap();
        let mut other = there.subscribe("scan:progress:1").await.unwrap();
        here.publish("events", b"\x00one".to_vec()).await.unwrap();
        there.publish("scan:progress:1", b"half".to_vec()).await.unwrap();
        there.publish("events", b"two".to_vec()).await.unwrap();
        for subscription in [&mut first, &mut second] {
            assert_eq!(body(subscription).await, b"\x00one");
            assert_eq!(body(subscription).await, b"two");
        }
        let message = other.next().await.unwrap();
        assert!(matches!(&message, Message::Received { channel, .. } if &**channel == "scan:progress:1"), "{message:?}");
        assert_eq!(message.body(), Some(&b"half"[..]));

        drop(first);
        drop(second);
        let mut again = there.subscribe("events").await.unwrap();
        here.publish("events", b"three".to_vec()).await.unwrap();
        assert_eq!(body(&mut again).await, b"three", "nothing from before the subscription");
    }
}

#[tokio::test]
async fn who_is_slow_is_told_that_messages_are_missing() {
    let server = Redis::start();
    for (here, there) in nodes(&server).await {
        let mut slow = there.subscribe("busy").await.unwrap();
        let mut quick = there.subscribe("busy").await.unwrap();
        for number in 0..1500_u32 {
            here.publish("busy", number.to_string().into_bytes()).await.unwrap();
            assert_eq!(body(&mut quick).await, number.to_string().into_bytes());
        }
        assert_eq!(slow.next().await.unwrap(), Message::Lagged);
        let resumed: u32 = String::from_utf8(body(&mut slow).await).unwrap().parse().unwrap();
        assert!(resumed > 0, "the oldest are the lost ones");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_lost_connection_subscribers_are_told_and_hear_again() {
    let mut server = Redis::start();
    let (here, there) = (open(&server.url()).await, open(&server.url()).await);
    let mut subscription = there.subscribe("events").await.unwrap();
    let first = there.session();
    assert!(first.is_some());
    let lost_and_found = async |subscription: &mut Subscription, how: &str| {
        eventually("publishing works", async || here.publish("events", how.into()).await.is_ok()).await;
        // Whatever was published before the subscription was made again is gone, and said to be.
        loop {
            match subscription.next().await.unwrap() {
                Message::Lagged => break,
                Message::Received { .. } => {}
            }
        }
        eventually("a new message is heard", async || {
            here.publish("events", format!("after {how}").into()).await.unwrap();
            body(subscription).await == format!("after {how}").as_bytes()
        })
        .await;
    };

    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let closed: i64 = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub").query_async(&mut connection).await.unwrap();
    assert!(closed >= 1);
    lost_and_found(&mut subscription, "a closed connection").await;

    server.kill();
    eventually("publishing fails", async || here.publish("events", Vec::new()).await.is_err()).await;
    eventually("nothing is heard", async || there.session().is_none()).await;
    server.restart();
    lost_and_found(&mut subscription, "a restart").await;
    assert!(there.session() > first, "who read state before cannot take this for the same session");

    server.pause();
    let error = here.publish("events", Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    // Longer than the listener waits for a sign of life, so that it has left the hung connection.
    assert_eq!(there.subscribe("late").await.err().unwrap().kind(), Kind::Unavailable);
    server.resume();
    lost_and_found(&mut subscription, "a hang").await;
}

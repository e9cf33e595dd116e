//! Stories of the servers.

use testkit::eventually;
use testkit::servers::{Durability, Postgres, Redis, Smtp, fresh_database, fresh_redis};

use crate::output;

#[test]
fn two_fresh_databases_share_nothing() {
    let (one, two) = (fresh_database(), fresh_database());
    let sql = "CREATE TABLE only_here (id int); SELECT 'made'";
    assert!(output("psql", &["-X", "-t", "-c", sql, one.url()]).contains("made"));
    let count = "SELECT 'tables: ' || count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert!(output("psql", &["-X", "-t", "-c", count, two.url()]).contains("tables: 0"));
}

#[test]
fn a_killed_cluster_keeps_what_it_acknowledged() {
    let mut postgres = Postgres::start(Durability::Safe);
    let url = postgres.url();
    output("psql", &["-X", "-c", "CREATE TABLE t AS SELECT 42 AS answer", &url]);
    postgres.kill();
    assert!(output("psql", &["-X", "-c", "SELECT 1", &url]).contains("refused"));
    postgres.restart();
    assert!(output("psql", &["-X", "-t", "-c", "SELECT answer FROM t", &url]).contains("42"));
}

#[test]
fn logical_databases_of_the_shared_redis_are_empty_and_differ() {
    let (one, two) = (fresh_redis(), fresh_redis());
    assert_ne!(one, two);
    assert!(output("redis-cli", &["-u", &one, "SET", "k", "v"]).contains("OK"));
    assert_eq!(output("redis-cli", &["-u", &two, "DBSIZE"]).trim(), "0");
}

#[test]
fn a_restarted_redis_is_empty_on_the_same_port() {
    let mut redis = Redis::start();
    let url = redis.url();
    output("redis-cli", &["-u", &url, "SET", "k", "v"]);
    redis.pause();
    redis.resume();
    redis.restart();
    assert_eq!(output("redis-cli", &["-u", &url, "DBSIZE"]).trim(), "0");
}

#[tokio::test]
async fn a_mail_arrives_in_the_sink() {
    let smtp = Smtp::start();
    let script = format!(
        "import smtplib; s = smtplib.SMTP('127.0.0.1', {}); \
         s.sendmail('a@lab.test', ['b@lab.test'], 'Subject: planted\\r\\n\\r\\nhello')",
        smtp.address().port()
    );
    assert_eq!(output("/usr/bin/python3", &["-c", &script]), "");
    eventually("the mail is stored", async || smtp.messages().len() == 1).await;
    assert!(smtp.messages()[0].contains("Subject: planted"));
}

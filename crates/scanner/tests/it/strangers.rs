//! Services that let strangers in, and the same services when they do not: told apart by their own words.

use scanner::{Intrusiveness, Plan};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::scene::{checks_at, plan, run};
use crate::servers::{Server, serve};

/// What a service says first, and how it answers a request.
struct Manners {
    service: &'static str,
    greeting: &'static [u8],
    answer: fn(&[u8]) -> Option<Vec<u8>>,
    /// The check that must find something; none when strangers are kept out.
    found: Option<&'static str>,
}

fn web(body: &str) -> Option<Vec<u8>> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Some([head.as_bytes(), body.as_bytes()].concat())
}

fn no_page() -> Option<Vec<u8>> {
    Some(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec())
}

fn asks_for(request: &[u8], start: &str) -> bool {
    request.starts_with(start.as_bytes())
}

/// A reply of MongoDB to an OP_MSG: length, header, and what stands for a document.
fn mongodb(request: &[u8], to_listing: &[u8]) -> Option<Vec<u8>> {
    let words = match request.get(12..14) {
        Some([0xdd, 0x07]) if request.windows(5).any(|window| window == b"hello") => b"\x10maxWireVersion\0\x15\0\0\0\0",
        Some([0xdd, 0x07]) => to_listing,
        _ => return None,
    };
    let length = 21 + words.len() as u32;
    Some([&length.to_le_bytes()[..], &[0; 12], &[0; 5], words].concat())
}

/// RabbitMQ, which asks who comes (Connection.Start) and answers with Tune (30) or Close (50).
fn amqp(request: &[u8], number: u8) -> Option<Vec<u8>> {
    match request {
        [b'A', b'M', b'Q', b'P', ..] => Some(b"\x01\0\0\0\0\0\x0e\0\x0a\0\x0a\0\x09RabbitMQ \xce".to_vec()),
        [1, 0, 0, ..] => Some(vec![1, 0, 0, 0, 0, 0, 4, 0, 10, 0, number, 0xce]),
        _ => None,
    }
}

const MANNERS: &[Manners] = &[
    Manners {
        service: "vnc",
        greeting: b"RFB 003.008\n",
        answer: |request| asks_for(request, "RFB").then(|| vec![1, 1]),
        found: Some("exposure.vnc"),
    },
    Manners { service: "vnc", greeting: b"RFB 003.008\n", answer: |request| asks_for(request, "RFB").then(|| vec![1, 2]), found: None },
    Manners {
        service: "rsync",
        greeting: b"@RSYNCD: 31.0\n",
        answer: |request| match request {
            b"@RSYNCD: 30.0\n" => None,
            b"share\n" => Some(b"@RSYNCD: OK\n".to_vec()),
            _ if request.ends_with(b"share\n") => Some(b"@RSYNCD: OK\n".to_vec()),
            _ => Some(b"share\tfor everybody\n@RSYNCD: EXIT\n".to_vec()),
        },
        found: Some("exposure.rsync"),
    },
    Manners {
        service: "rsync",
        greeting: b"@RSYNCD: 31.0\n",
        answer: |request| match request {
            b"@RSYNCD: 30.0\n" => None,
            _ if request.ends_with(b"share\n") => Some(b"@RSYNCD: AUTHREQD 0123456789abcdef\n".to_vec()),
            _ => Some(b"share\tfor members\n@RSYNCD: EXIT\n".to_vec()),
        },
        found: None,
    },
    Manners {
        service: "mqtt",
        greeting: b"",
        answer: |request| (request.first() == Some(&0x10)).then(|| vec![0x20, 2, 0, 0]),
        found: Some("exposure.mqtt"),
    },
    Manners {
        service: "mqtt",
        greeting: b"",
        answer: |request| (request.first() == Some(&0x10)).then(|| vec![0x20, 2, 0, 5]),
        found: None,
    },
    Manners {
        service: "mongodb",
        greeting: b"",
        answer: |request| mongodb(request, b"\x04databases\0\x05\0\0\0\0\0"),
        found: Some("exposure.mongodb"),
    },
    Manners {
        service: "mongodb",
        greeting: b"",
        answer: |request| mongodb(request, b"\x02errmsg\0\x18\0\0\0requires authentication\0\0"),
        found: None,
    },
    Manners {
        service: "ldap",
        greeting: b"",
        answer: |request| request.starts_with(&[0x30, 0x0c, 2]).then(|| vec![0x30, 0x0c, 2, 1, 1, 0x61, 7, 0x0a, 1, 0, 4, 0, 4, 0]),
        found: Some("exposure.ldap-anonymous"),
    },
    Manners {
        service: "mysql",
        greeting: b"\x4a\x00\x00\x00\x0a8.0.36\x00\x01\x00\x00\x00mysql_native_password\x00",
        answer: |_| Some(vec![7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]),
        found: Some("exposure.mysql-empty-root"),
    },
    Manners {
        service: "mysql",
        greeting: b"\x4a\x00\x00\x00\x0a8.0.36\x00\x01\x00\x00\x00mysql_native_password\x00",
        answer: |_| Some(b"\x17\x00\x00\x02\xff\x15\x04#28000Access denied".to_vec()),
        found: None,
    },
    Manners { service: "amqp", greeting: b"", answer: |request| amqp(request, 30), found: Some("exposure.amqp-default-password") },
    Manners { service: "amqp", greeting: b"", answer: |request| amqp(request, 50), found: None },
    Manners {
        service: "gearman",
        greeting: b"",
        answer: |request| match request {
            b"workers\r\n" => Some(b"37 127.0.0.1 - : resize\n.\n".to_vec()),
            _ => Some(b"ERR UNKNOWN_COMMAND Unknown+server+command\r\n".to_vec()),
        },
        found: Some("exposure.gearman"),
    },
    Manners {
        service: "distcc",
        greeting: b"",
        answer: |request| request.starts_with(b"DIST00000001ARGC00000005").then(|| b"DONE00000001STAT00000000SERR00000000".to_vec()),
        found: Some("exposure.distcc"),
    },
    // On a port of its own choice, with a node and without.
    Manners {
        service: "epmd",
        greeting: b"",
        answer: |request| (request == [0, 1, b'n']).then(|| b"\0\0\x56\x0cname rabbit at port 25672\n".to_vec()),
        found: Some("exposure.epmd"),
    },
    Manners { service: "epmd", greeting: b"", answer: |request| (request == [0, 1, b'n']).then(|| b"\0\0\x56\x0c".to_vec()), found: None },
    // SOCKS says that no method suits to whatever it does not understand.
    Manners { service: "socks", greeting: b"", answer: |_| Some(b"\x05\xff".to_vec()), found: None },
    Manners {
        service: "http",
        greeting: b"",
        answer: |request| match asks_for(request, "GET /varz ") {
            true => web("{\"server_id\":\"NA\",\"server_name\":\"n\",\"max_payload\":1048576,\"connections\":1}"),
            false => no_page(),
        },
        found: Some("exposure.nats-monitoring"),
    },
    Manners { service: "telnet", greeting: b"\xff\xfd\x18\xff\xfd\x20login: ", answer: |_| None, found: Some("exposure.telnet") },
    Manners {
        service: "http",
        greeting: b"",
        answer: |request| match asks_for(request, "GET /version ") {
            true => web("{\"Version\":\"24.0.7\",\"ApiVersion\":\"1.43\",\"MinAPIVersion\":\"1.12\",\"GitCommit\":\"311b9ff\"}"),
            false => no_page(),
        },
        found: Some("exposure.docker"),
    },
    Manners {
        service: "http",
        greeting: b"",
        answer: |request| match asks_for(request, "GET / ") {
            true => {
                web("{\"cluster_name\":\"c\",\"version\":{\"number\":\"8.11.1\",\"lucene_version\":\"9.8.0\"},\"tagline\":\"You Know\"}")
            }
            false => no_page(),
        },
        found: Some("exposure.elasticsearch"),
    },
    Manners {
        service: "http",
        greeting: b"",
        answer: |request| match asks_for(request, "POST /v3/kv/range ") {
            true => web("{\"header\":{\"cluster_id\":\"1\",\"member_id\":\"2\",\"raft_term\":\"3\"}}"),
            false => no_page(),
        },
        found: Some("exposure.etcd"),
    },
];

async fn start(manners: &'static Manners) -> Server {
    serve(move |mut stream| async move {
        if stream.write_all(manners.greeting).await.is_err() {
            return;
        }
        let mut request = [0; 4096];
        while let Ok(count) = stream.read(&mut request).await {
            let Some(request) = request.get(..count).filter(|request| !request.is_empty()) else { return };
            if let Some(answer) = (manners.answer)(request) {
                let _ = stream.write_all(&answer).await;
                if answer.starts_with(b"HTTP/1.1") {
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn services_that_let_strangers_in_are_told_from_those_that_do_not() {
    let mut servers = Vec::new();
    for manners in MANNERS {
        servers.push(start(manners).await);
    }
    let ports: Vec<u16> = servers.iter().map(|server| server.address.port()).collect();
    let mut plan = Plan { intrusiveness: Intrusiveness::Intrusive, ..plan("127.0.0.1", &ports) };
    plan.stages.http = false;
    // Local servers answer at once; silence is what takes time.
    plan.limits.read_timeout = std::time::Duration::from_millis(500);
    let outcome = run(plan).await;
    for (manners, server) in MANNERS.iter().zip(&servers) {
        let service = outcome.services.iter().find(|service| service.address == server.address).unwrap();
        assert_eq!(service.service, manners.service);
        let exposed: Vec<&str> =
            checks_at(&outcome, server.address.port()).into_iter().filter(|check| check.starts_with("exposure.")).collect();
        assert_eq!(exposed, Vec::from_iter(manners.found), "{} on {}", manners.service, server.address);
    }
}

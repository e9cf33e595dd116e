//! Services that send garbage, silence or too much: no panic, no hang.

use std::time::{Duration, Instant};

use scanner::{Intrusiveness, Limits, Plan};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::scene::{plan, run};

/// How a hostile server behaves once it is connected to.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Silent,
    Hangs,
    Garbage,
    Endless,
    Drips,
    EndlessHeaders,
    HalfTls,
    Greets(&'static [u8]),
}

async fn behave(manner: Manner, mut stream: TcpStream) {
    let garbage: Vec<u8> = (0..4096_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut request = [0; 1024];
    match manner {
        Manner::Silent => std::future::pending().await,
        Manner::Hangs => {}
        Manner::Garbage => {
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&garbage).await;
        }
        Manner::Endless => while stream.write_all(&garbage).await.is_ok() {},
        Manner::Drips => {
            while stream.write_all(b"2").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Manner::EndlessHeaders => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while stream.write_all(b"X-More: and more\r\n").await.is_ok() {}
        }
        Manner::HalfTls => {
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&[22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc, 3, 3]).await;
            let _ = stream.write_all(&garbage).await;
            std::future::pending::<()>().await;
        }
        Manner::Greets(greeting) => {
            let _ = stream.write_all(greeting).await;
            while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                if stream.write_all(&garbage).await.is_err() {
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_sends_garbage_neither_breaks_nor_holds_a_scan() {
    let manners = [
        Manner::Silent,
        Manner::Hangs,
        Manner::Garbage,
        Manner::Endless,
        Manner::Drips,
        Manner::EndlessHeaders,
        Manner::HalfTls,
        Manner::Greets(b"220 mail ESMTP\r\n"),
        Manner::Greets(b"220 FTP\r\n"),
        Manner::Greets(b"RFB 003.008\n"),
        Manner::Greets(b"@RSYNCD: 31.0\n"),
        Manner::Greets(b"* OK IMAP\r\n"),
        Manner::Greets(b"\x4a\x00\x00\x00\x0a8.0.36\x00mysql_native_password\x00"),
        Manner::Greets(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n<html>"),
        Manner::Greets(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
    ];
    let mut servers = tokio::task::JoinSet::new();
    let mut ports = Vec::new();
    for manner in manners {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        ports.push(listener.local_addr().unwrap().port());
        servers.spawn(async move {
            let mut held = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.spawn(behave(manner, stream));
            }
        });
    }
    let limits = Limits { read_timeout: Duration::from_millis(150), total: Duration::from_secs(120), ..Limits::default() };
    let started = Instant::now();
    let outcome = run(Plan { limits, intrusiveness: Intrusiveness::Intrusive, ..plan("127.0.0.1", &ports) }).await;
    assert!(!outcome.timed_out, "still busy after {:?}: {:#?}", started.elapsed(), outcome.coverage);
    assert_eq!(outcome.open.len(), manners.len());
    assert_eq!(outcome.services.len(), manners.len());
    let absurd: Vec<_> = outcome.issues.iter().filter(|issue| issue.check.starts_with("exposure.")).map(|issue| issue.check).collect();
    assert!(absurd.iter().all(|check| *check == "exposure.banner-version"), "garbage was taken for an answer: {absurd:?}");
}

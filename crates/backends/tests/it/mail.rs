//! Mail: through a real server, and never with headers somebody smuggled in.

use backends::{Clock, Letter, Mail};
use base::Kind;
use testkit::servers::Smtp;

use crate::engines::{START, authorities};

fn letter() -> Letter {
    Letter { to: "Ana <ana@example.org>".to_owned(), subject: "Relatório №1".to_owned(), text: "Olá\n.\nfim".to_owned(), html: None }
}

fn connect(url: &str) -> Mail {
    Mail::connect(url, "Tyrian <tyrian@example.org>", &Clock::fixed(START), &authorities()).unwrap()
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let server = Smtp::start();
    let mail = connect(&server.url());
    mail.send(letter()).await.unwrap();
    mail.send(Letter { html: Some("<p>Olá</p>".to_owned()), ..letter() }).await.unwrap();
    let received = server.messages();
    assert_eq!(received.len(), 2);
    for line in ["From: Tyrian <tyrian@example.org>", "To: Ana <ana@example.org>", "Date: Sun, 22 Nov 2026 00:00:00 +0000", "Message-ID: <"]
    {
        assert!(received.iter().all(|message| message.contains(line)), "{line} is not in {received:?}");
    }
    assert!(received.iter().any(|message| message.contains("multipart/alternative") && message.contains("text/html")));
}

#[tokio::test]
async fn a_letter_cannot_carry_extra_headers() {
    let mail = connect("log:");
    let refused = [
        Letter { subject: "x\r\nBcc: victim@example.org".to_owned(), ..letter() },
        Letter { to: "a@example.org\r\nBcc: victim@example.org".to_owned(), ..letter() },
        Letter { to: "a@example.org, b@example.org".to_owned(), ..letter() },
        Letter { to: "nobody".to_owned(), ..letter() },
    ];
    for letter in refused {
        assert_eq!(mail.send(letter.clone()).await.unwrap_err().code(), "mail.letter", "{letter:?}");
    }
    mail.send(letter()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_bad_settings_are_named() {
    let address = Smtp::start().address();
    let error = connect(&format!("smtp://{address}")).send(letter()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let clock = Clock::fixed(START);
    for (url, from, code) in [
        ("pigeon:", "a@example.org", "config.backend"),
        ("smtp://mail.example.org?tls=maybe", "a@example.org", "config.mail"),
        ("log:", "nobody", "config.mail"),
    ] {
        let error = Mail::connect(url, from, &clock, &authorities()).unwrap_err();
        assert_eq!(error.code(), code, "{url} {from}");
    }
}

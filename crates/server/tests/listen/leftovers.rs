//! Requests that are refused before their body is read: the client reads the answer, and keeps its connection where it can.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const USERS: &str = "/t/contoso/scim/v2/Users";
const JSON: &str = "Content-Type: application/scim+json\r\n";

/// A connection that is kept.
struct Kept {
    stream: TcpStream,
    came: Vec<u8>,
}

impl Kept {
    async fn open(running: &Running) -> Self {
        Self { stream: TcpStream::connect(running.address).await.unwrap(), came: Vec::new() }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next answer.
    async fn answer(&mut self) -> Answer {
        loop {
            let text = String::from_utf8_lossy(&self.came).into_owned();
            if let Some(head) = text.find("\r\n\r\n") {
                let length = Answer::read(&text).header("content-length").map_or(0, |length| length.parse().unwrap());
                let end = head + 4 + length;
                if self.came.len() >= end {
                    self.came.drain(..end);
                    return Answer::read(&text[..end]);
                }
            }
            assert!(self.stream.read_buf(&mut self.came).await.unwrap() > 0, "the connection ended: {text}");
        }
    }

    /// Reads to the end, which is none where the connection breaks.
    async fn end(&mut self) -> String {
        self.stream.read_to_end(&mut self.came).await.expect("the client reads all that was answered");
        String::from_utf8_lossy(&self.came).into_owned()
    }
}

/// Requests that are refused by their heads, and with what.
async fn refused(running: &Running) -> Vec<(String, u16)> {
    let settings = TenantSettings { requests_per_second: Some(1), ..TenantSettings::default() };
    let limited = tenant(&running.store, "limited", &settings).await;
    let line = |line: &str, token: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nHost: x\r\n{more}Authorization: Bearer {token}\r\n")
    };
    let good = running.token.as_str();
    let slow = line("POST /t/limited/scim/v2/Users", &limited, JSON);
    // The first takes the whole of its rate.
    running.ask_as(Some(&limited), "GET /t/limited/scim/v2/Users", "", "").await;
    vec![
        (line(&format!("POST {USERS}"), "lst_x", JSON), 401),
        (format!("POST {USERS} HTTP/1.1\r\nHost: x\r\n"), 401),
        (line("POST /nothing", good, JSON), 404),
        (line("POST /t/contoso/scim/v2/Nothing", good, JSON), 404),
        (line(&format!("PUT {USERS}"), good, JSON), 405),
        (line(&format!("POST {USERS}"), good, ""), 415),
        (line(&format!("POST {USERS}"), good, "Content-Encoding: gzip\r\nContent-Type: application/json\r\n"), 415),
        (line(&format!("GET {USERS}"), good, JSON), 200),
        (slow, 429),
    ]
}

#[tokio::test]
async fn a_small_body_that_nobody_reads_leaves_the_connection_as_it_was() {
    let running = start(patient()).await;
    // What a body is made of is never taken for a request.
    let body = HEALTH.repeat((64 << 10) / HEALTH.len());
    let length = body.len();
    for (head, status) in refused(&running).await {
        for rest in [
            format!("Content-Length: {length}\r\n\r\n{body}"),
            format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
            "Content-Length: 1\r\n\r\n{".to_owned(),
        ] {
            let mut kept = Kept::open(&running).await;
            kept.send(format!("{head}{rest}")).await;
            let answer = kept.answer().await;
            assert_eq!((answer.status, answer.header("connection")), (status, None), "{head} {rest:.40}");
            kept.send(HEALTH.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
            let next = kept.end().await;
            assert!(next.starts_with("HTTP/1.1 200") && next.matches("HTTP/1.1").count() == 1, "{head}: {next}");
        }
    }
}

#[tokio::test]
async fn a_large_body_that_nobody_reads_ends_the_connection_after_the_answer() {
    let running = start(patient()).await;
    let body = HEALTH.repeat((3 << 20) / HEALTH.len());
    let length = body.len();
    for (head, status) in refused(&running).await {
        for rest in [
            format!("Content-Length: {length}\r\n\r\n{body}"),
            format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
        ] {
            let mut kept = Kept::open(&running).await;
            kept.send(format!("{head}{rest}")).await;
            let answers = kept.end().await;
            let answer = Answer::read(&answers);
            assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{head} {rest:.40}");
            assert_eq!(answers.matches("HTTP/1.1").count(), 1, "{head} {rest:.40}");
        }
    }
}

#[tokio::test]
async fn sj_06_a_body_beyond_the_limit_is_answered_to_a_client_that_sends_it_first() {
    let running = start(patient()).await;
    let head = format!("POST {USERS} HTTP/1.1\r\nHost: x\r\n{JSON}Authorization: Bearer {}\r\n", running.token);
    let body = " ".repeat(3 << 20);
    let length = body.len();
    for rest in [
        format!("Content-Length: {length}\r\n\r\n{body}"),
        format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
    ] {
        let mut kept = Kept::open(&running).await;
        kept.send(format!("{head}{rest}")).await;
        let answer = Answer::read(&kept.end().await);
        answer.is_error(413, "3 MiB");
        assert_eq!(answer.header("connection"), Some("close"));
    }
}

/// RFC 9110 §10.1.1: who waits to be told to send hears the refusal instead.
#[tokio::test]
async fn a_body_that_waits_for_100_continue_is_refused_without_it() {
    let running = start(patient()).await;
    for (head, status) in refused(&running).await {
        for length in ["Content-Length: 5", "Content-Length: 1000000", "Transfer-Encoding: chunked"] {
            let mut kept = Kept::open(&running).await;
            kept.send(format!("{head}Expect: 100-continue\r\n{length}\r\n\r\n")).await;
            let answer = kept.answer().await;
            assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{head} {length}");
        }
    }
    let mut kept = Kept::open(&running).await;
    let head = format!("POST {USERS} HTTP/1.1\r\nHost: x\r\n{JSON}Authorization: Bearer {}\r\n", running.token);
    kept.send(format!("{head}Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")).await;
    assert_eq!(kept.answer().await.status, 100);
    kept.send("{").await;
    let answer = kept.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (400, None), "{answer:?}");
}

/// What comes behind the last request is not read as one, and does not break its answer.
#[tokio::test]
async fn what_follows_the_last_request_does_not_break_its_answer() {
    let running = start(patient()).await;
    for more in [HEALTH.repeat((1 << 20) / HEALTH.len()), "x".repeat(1 << 20), HEALTH.repeat(100) + "GET /heal"] {
        let mut kept = Kept::open(&running).await;
        kept.send(HEALTH.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n") + &more).await;
        let answers = kept.end().await;
        assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
        assert_eq!(answers.matches("HTTP/1.1").count(), 1, "{answers}");
    }
}

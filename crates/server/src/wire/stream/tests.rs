//! Deadlines of a connection, and that requests begin and end where the HTTP library sees them.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::{Request, Response};
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);
const SLOW: Duration = Duration::from_secs(29);
const PACE: Pace = Pace {
    head: Duration::from_secs(10),
    idle: Duration::from_secs(60),
    idle_crowded: Duration::from_secs(5),
    write: DEADLINE,
};
const LIMITS: HeadLimits = HeadLimits { bytes_max: 64 << 10, headers_max: 100 };

fn stream<S>(socket: S) -> Stream<S, fn() -> bool> {
    Stream::new(socket, PACE, LIMITS, || false)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_next_to_nothing_loses_its_connection_and_a_slow_one_does_not() {
    const PART: usize = TAKEN_BYTES_MIN;
    // What the other side takes each time, and whether it gets all.
    for (takes, kept) in [(PART, true), (PART / 4, false), (0, false)] {
        let (socket, mut client) = duplex(PART);
        let mut stream = stream(socket);
        let slow = tokio::spawn(async move {
            let mut part = vec![0; takes];
            while client.read_exact(&mut part).await.is_ok() {
                sleep(SLOW).await;
            }
            drop(client);
        });
        let began = tokio::time::Instant::now();
        let written = stream.write_all(&vec![0; 9 * PART]).await;
        let waited = began.elapsed().as_secs();
        if kept {
            written.unwrap();
            stream.flush().await.unwrap();
            assert_eq!(waited, 7 * SLOW.as_secs());
        } else {
            assert_eq!((written.unwrap_err().kind(), waited), (io::ErrorKind::TimedOut, DEADLINE.as_secs()), "{takes}");
        }
        slow.abort();
    }
}

#[tokio::test]
async fn an_answer_lets_other_connections_go_first_once() {
    let (socket, mut client) = duplex(100);
    let mut stream = stream(socket);
    for request in ["GET /first HTTP/1.0\r\n\r\n", "GET /second HTTP/1.0\r\n\r\n"] {
        client.write_all(request.as_bytes()).await.unwrap();
        stream.read_exact(&mut vec![0; request.len()]).await.unwrap();
        for expected in [false, true, true] {
            let mut written = pin!(stream.write_all(b"answer"));
            let at_once = poll_fn(|context| Poll::Ready(written.as_mut().poll(context).is_ready())).await;
            assert_eq!(at_once, expected, "{request}");
        }
    }
}

/// The requests that the HTTP library finds in what a client sends: the line of each, and the rest. And what the client gets.
async fn found<S>(sent: &[u8], room: usize, stream: fn(DuplexStream) -> S) -> (Vec<(String, String)>, String)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let found = Arc::new(Mutex::new(Vec::new()));
    let (socket, client) = duplex(room);
    let (mut reader, mut writer) = split(client);
    let service = service_fn(|request: Request<Incoming>| {
        let found = Arc::clone(&found);
        async move {
            if Refusal::of(&request).is_none() {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map(Collected::to_bytes);
                let body = body.as_deref().map_or("cut off".into(), String::from_utf8_lossy);
                let rest = format!("{:?} {body}", head.headers).replace("\\\"", "~").replace('"', "~");
                found.lock().unwrap().push((format!("{} {}", head.method, head.uri), rest));
            }
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    });
    let serving = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(stream(socket)), service);
    let mut answers = Vec::new();
    // The last request may be half a one, and the server may close before it has read all.
    drop(tokio::join!(serving, reader.read_to_end(&mut answers), async {
        drop(writer.write_all(sent).await);
        writer.shutdown().await
    }));
    let found = Arc::into_inner(found).unwrap().into_inner().unwrap();
    (found, String::from_utf8(answers).unwrap())
}

/// Pieces of requests, right ones and wrong ones. Each quotation mark has a question mark before it, so that none stands
/// where `~` may stand and it may not.
const PIECES: [&str; 34] = [
    "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET /?\" HTTP/1.1\r\nhost: x\r\n\r\n",
    "POST /?\" HTTP/1.1\r\nhost: x\r\nContent-Length: 5\r\n\r\n",
    "POST /?\" HTTP/1.1\r\nhost: x\r\ncontent-length:20 \r\n\r\n",
    "POST /?\" HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: Chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET /?\" HTTP/1.1\r\nhost: x\r\n",
    "GET /?\"",
    "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET /{}|^`\\#?{}|^`\\# HTTP/1.1\r\nhost: x\r\n\r\n",
    " HTTP/1.1\r\n",
    "\r\n",
    "\r\n",
    "\n",
    "\r",
    " ",
    "x: ?\"\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 5\n",
    "Content-Length : 5\r\n",
    " folded\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: \u{a0}chunked\r\n",
    "transfer-encoding:gzip, chunked\r\n",
    "5\r\n /?\"\"\r\n",
    "1c\r\nGET /?\" HTTP/1.1\r\nhost: x\r\n\r\n\r\n",
    "5 ;x=?\"\r\n /?\"\"\r\n",
    " /?\"\"",
    "0\r\n\r\n",
    "0\r\nx: ?\"\r\n\r\n",
    "Expect: 100-continue\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// SH-09, SH-17.
    #[test]
    fn requests_begin_and_end_where_they_do_without_this(pieces in vec(select(PIECES.as_slice()), 1..20), room in 1..99_usize) {
        let sent = pieces.concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (changed, answers, plain) = runtime.block_on(async {
            let (changed, answers) = found(sent.as_bytes(), room, stream).await;
            let tame = sent.replace('"', "~");
            (changed, answers, found(tame.as_bytes(), room, |socket| socket).await.0)
        });
        // The library would refuse without a body.
        prop_assert!(!answers.contains("HTTP/1.1 4"), "{}", answers);
        // Fewer, where one was refused that the library takes.
        prop_assert!(changed.len() <= plain.len());
        for ((line, rest), (plain_line, plain_rest)) in changed.into_iter().zip(plain) {
            prop_assert_eq!(line.replace("%22", "~"), plain_line);
            prop_assert!(rest == plain_rest || rest.ends_with(" cut off"), "{} {}", rest, plain_rest);
        }
    }
}

/// What the client gets that sends parts of a request with pauses between them, and how many seconds it takes until the connection ends.
async fn at_pace(parts: &[(&str, u64)], is_crowded: fn() -> bool) -> (String, u64) {
    let (socket, mut client) = duplex(1 << 10);
    let stream = Stream::new(socket, PACE, LIMITS, is_crowded);
    let service = service_fn(|request: Request<Incoming>| async move {
        let refused = Refusal::of(&request).map_or("none".to_owned(), |refusal| format!("{refusal:?}"));
        Ok::<_, Infallible>(Response::builder().header("refused", refused).body(Body::empty()).unwrap())
    });
    let began = Instant::now();
    let serving = async {
        let serving = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(stream), service);
        drop(serving.await);
        began.elapsed().as_secs()
    };
    let sending = async {
        for (part, pause) in parts {
            drop(client.write_all(part.as_bytes()).await);
            sleep(Duration::from_secs(*pause)).await;
        }
        let mut answers = String::new();
        drop(client.read_to_string(&mut answers).await);
        answers
    };
    let (ended, answers) = tokio::join!(serving, sending);
    (answers, ended)
}

#[tokio::test(start_paused = true)]
async fn sh_08_an_idle_connection_ends_and_a_slow_head_is_told_so() {
    const WHOLE: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let discard = DISCARD_DEADLINE.as_secs();
    for (parts, crowded, expected, seconds) in [
        (vec![], false, vec![], 60),
        (vec![], true, vec![], 5),
        (vec![("\r\n", 9)], false, vec!["TooSlow"], 10 + discard),
        (vec![(WHOLE, 59), (WHOLE, 1)], false, vec!["none", "none"], 59 + 60),
        (vec![(WHOLE, 4), (WHOLE, 1)], true, vec!["none", "none"], 4 + 5),
        (vec![("GET", 4), (" /", 5), (" HTTP/1.1\r\n", 9)], false, vec!["TooSlow"], 10 + discard),
        (vec![(WHOLE, 30), ("GET / ", 9), ("HTTP/1.1\r\nhost: x\r\n\r\n", 1)], true, vec!["none"], 5),
        (vec![(WHOLE, 30), ("GET / ", 9), ("HTTP/1.1\r\nhost: x\r\n\r\n", 1)], false, vec!["none", "none"], 99),
    ] {
        let (answers, ended) = at_pace(&parts, if crowded { || true } else { || false }).await;
        let found: Vec<_> = answers.lines().filter_map(|line| line.strip_prefix("refused: ")).collect();
        assert_eq!((found, ended), (expected, seconds), "{parts:?} {crowded}");
    }
}

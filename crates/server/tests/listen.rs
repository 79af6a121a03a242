//! The listener, over real sockets: what a client that is slow, greedy or broken gets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

use std::time::Duration;

use jiff::Timestamp;
use provider::TokenKey;
use server::{App, AppParts, Limits};
use store::testing::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than any test takes; nothing waits for it to pass.
const FOREVER: Duration = Duration::from_secs(3600);

struct Running {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<bool>,
    _database: TestDatabase,
}

async fn start(limits: Limits) -> Running {
    let database = TestDatabase::sqlite();
    let parts = AppParts {
        store: database.open(),
        token_key: TokenKey::new([1; 32]),
        clock: Box::new(|| Timestamp::UNIX_EPOCH),
        ids: Box::new(|at| store::version_7(at, [0; 10]).into()),
        random: Box::new(|bytes| bytes.fill(1)),
        fetch: Box::new(|_| Box::pin(std::future::ready(Err("nothing is fetched here".to_owned())))),
        public_url: "http://localhost".to_owned(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let service = server::service(App::new(parts));
    let ended =
        tokio::spawn(
            async move { server::serve(listener, service, limits, async { drop(stopped.await) }).await.unwrap() },
        );
    Running { address, stop, ended, _database: database }
}

fn patient() -> Limits {
    Limits { header_deadline: FOREVER, write_deadline: FOREVER, drain: FOREVER, ..Limits::default() }
}

/// Sends bytes and reads until the server closes.
async fn exchange(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before all is sent.
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn half_a_request_and_a_silent_connection_are_closed() {
    let running = start(Limits { header_deadline: Duration::from_millis(50), ..patient() }).await;
    for bytes in [b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Ha".as_slice(), b"", b"GET"] {
        let answer = exchange(running.address, bytes).await;
        assert!(!answer.contains("200"), "{answer}");
    }
    let kept = exchange(running.address, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(kept.starts_with("HTTP/1.1 200 OK\r\n"), "{kept}");
}

#[tokio::test]
async fn who_has_nothing_more_to_send_gets_every_answer() {
    let running = start(patient()).await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for count in [1, 3, 20] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(&request.repeat(count)).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), count);
    }
}

#[tokio::test]
async fn requests_that_are_too_big_or_no_http() {
    let running = start(patient()).await;
    let many = "a: b\r\n".repeat(patient().headers_max + 1);
    let large = "x".repeat(2 * patient().header_bytes_max);
    for (request, expected) in [
        (format!("GET /healthz HTTP/1.1\r\n{many}\r\n"), "HTTP/1.1 431"),
        (format!("GET /healthz HTTP/1.1\r\nx: {large}\r\n\r\n"), "HTTP/1.1 431"),
        (format!("GET /{large} HTTP/1.1\r\n\r\n"), "HTTP/1.1 4"),
        ("nonsense\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(), "HTTP/1.1 400"),
        ("GET / HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n".to_owned(), "HTTP/1.1 400"),
    ] {
        let answer = exchange(running.address, request.as_bytes()).await;
        assert!(answer.starts_with(expected), "{expected}: {answer:.80} for {request:.40}");
    }
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_and_are_served() {
    let running = start(Limits { connections_max: 1, ..patient() }).await;
    let first = TcpStream::connect(running.address).await.unwrap();
    let address = running.address;
    let second = tokio::spawn(async move {
        exchange(address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await
    });
    drop(first);
    assert!(second.await.unwrap().starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_client_that_never_reads_makes_way_for_the_next() {
    let limits = Limits { connections_max: 1, write_deadline: Duration::from_millis(50), ..patient() };
    let running = start(limits).await;
    let socket = TcpSocket::new_v4().unwrap();
    // A small window, so that little has to be asked before the answers find no room.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut greedy = socket.connect(running.address).await.unwrap();
    let requests = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    while greedy.write_all(&requests).await.is_ok() {}
    let answer = exchange(running.address, b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn the_end_waits_for_requests_but_not_for_idle_connections() {
    let running = start(patient()).await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 1024];
    assert!(idle.read(&mut answer).await.unwrap() > 0);
    running.stop.send(()).unwrap();
    assert!(running.ended.await.unwrap());
    assert_eq!(idle.read(&mut answer).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn the_end_comes_also_when_a_client_does_not_finish() {
    let running = start(Limits { drain: Duration::from_millis(50), ..patient() }).await;
    let mut stuck = TcpStream::connect(running.address).await.unwrap();
    stuck.write_all(b"GET /healthz HTTP/1.1\r\nHo").await.unwrap();
    let mut other = TcpStream::connect(running.address).await.unwrap();
    other.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = [0; 16];
    assert!(other.read(&mut answer).await.unwrap() > 0, "the stuck one was accepted before this one was");
    running.stop.send(()).unwrap();
    // What matters is that it ends; whether the stuck connection counts as idle is the HTTP library's view.
    assert!(running.ended.await.is_ok());
}

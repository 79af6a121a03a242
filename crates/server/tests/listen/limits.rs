//! Deadlines, caps and the end.

use std::time::Duration;

use server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::{Answer, HEALTH, exchange, patient, start};

#[tokio::test]
async fn half_a_request_and_a_silent_connection_are_closed() {
    let soon = Duration::from_millis(50);
    let running = start(Limits { header_deadline: soon, idle_deadline: soon, ..patient() }).await;
    for bytes in ["GET /healthz HTTP/1.1\r\nHost: x\r\nX-Ha", "GET"] {
        Answer::read(&exchange(running.address, bytes.as_bytes()).await).is_error(408, bytes);
    }
    assert_eq!(exchange(running.address, b"").await, "");
    let kept = exchange(running.address, HEALTH.as_bytes()).await;
    assert!(kept.starts_with("HTTP/1.1 200 OK\r\n"), "{kept}");
}

#[tokio::test]
async fn who_has_nothing_more_to_send_gets_every_answer() {
    let running = start(patient()).await;
    for count in [1, 3, 20] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(&HEALTH.as_bytes().repeat(count)).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), count);
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
    let requests = HEALTH.as_bytes().repeat(1000);
    while greedy.write_all(&requests).await.is_ok() {}
    let answer = exchange(running.address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn the_end_waits_for_requests_but_not_for_idle_connections() {
    let running = start(patient()).await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    idle.write_all(HEALTH.as_bytes()).await.unwrap();
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
    other.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut answer = [0; 16];
    assert!(other.read(&mut answer).await.unwrap() > 0, "the stuck one was accepted before this one was");
    running.stop.send(()).unwrap();
    // What matters is that it ends; whether the stuck connection counts as idle is the HTTP library's view.
    assert!(running.ended.await.is_ok());
}

/// SH-08: one address cannot take all connections.
#[tokio::test]
async fn sh_08_one_address_has_no_more_connections_than_it_may() {
    let running = start(Limits { connections_max: 40, connections_per_address_max: 3, ..patient() }).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut begin = [0; 15];
        stream.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200 OK");
        held.push(stream);
    }
    let mut refused = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(refused.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

/// SH-08: idle connections make way when they are scarce, and the listener goes on.
#[tokio::test]
async fn sh_08_idle_connections_make_way() {
    let limits = Limits {
        connections_max: 40,
        connections_per_address_max: 35,
        idle_deadline_crowded: Duration::from_millis(50),
        threads: 2,
        ..patient()
    };
    let running = start(limits).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(TcpStream::connect(running.address).await.unwrap());
    }
    // More of the first than threads that may still be about to count one less.
    for stream in &mut idle[..5] {
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    }
    let answer = exchange(running.address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

//! Hostile clients by number: many connections with large bodies that do not end (SJ-05, TI-06).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const JSON: &str = "Content-Type: application/scim+json\r\n";
/// More than one tenant has places for large bodies.
const CONNECTIONS: usize = 200;
/// What each sends of its body: more than counts as small.
const SENT: usize = 100 << 10;

fn user(name: &str, padding: usize) -> String {
    let text = format!(r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{name}"}}"#);
    format!("{text}{}", " ".repeat(padding))
}

#[tokio::test]
async fn sj_05_ti_06_large_bodies_that_do_not_end_hold_up_no_other_tenant() {
    let running = start(patient()).await;
    let other = tenant(&running.store, "fabrikam", &TenantSettings::default()).await;
    let users = "/t/contoso/scim/v2/Users";
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let token = &running.token;
        let begin = format!(
            "POST {users} HTTP/1.1\r\nHost: x\r\n{JSON}Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            1 << 20
        );
        stream.write_all(begin.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; SENT]).await.unwrap();
        held.push(stream);
    }
    // Another tenant is served whatever it sends, and this one what is small.
    for (at, padding) in [0, 10 << 10, 500 << 10].into_iter().enumerate() {
        let body = user(&format!("ann{at}"), padding);
        let made = running.ask_as(Some(&other), "POST /t/fabrikam/scim/v2/Users", JSON, &body).await;
        assert_eq!(made.status, 201, "{padding}: {made:?}");
    }
    assert_eq!(running.ask(&format!("POST {users}"), JSON, &user("small", 0)).await.status, 201);
    assert_eq!(running.ask(&format!("GET {users}"), "", "").await.status, 200);
    // Who goes away leaves its place to the next, and who ends its body is answered.
    drop(held.split_off(1));
    let mut last = held.pop().unwrap();
    let body = user("last", 0);
    last.write_all(&vec![b' '; (1 << 20) - SENT - body.len()]).await.unwrap();
    last.write_all(body.as_bytes()).await.unwrap();
    let mut begin = [0; 12];
    last.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 201");
    assert_eq!(running.ask(&format!("POST {users}"), JSON, &user("large", 500 << 10)).await.status, 201);
}

/// Nothing is read of a body that waits for its place, so it takes next to no memory.
#[tokio::test]
async fn a_body_that_says_it_is_large_is_not_begun_before_there_is_a_place_for_it() {
    // The places of one tenant.
    const PLACES: usize = 128;
    let running = start(patient()).await;
    let mut held = Vec::new();
    for _ in 0..=PLACES {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let token = &running.token;
        let begin = format!(
            "POST /t/contoso/scim/v2/Users HTTP/1.1\r\nHost: x\r\n{JSON}Authorization: Bearer {token}\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n"
        );
        stream.write_all(begin.as_bytes()).await.unwrap();
        held.push(stream);
        if held.len() <= PLACES {
            let mut told = [0; 12];
            held.last_mut().unwrap().read_exact(&mut told).await.unwrap();
            assert_eq!(&told, b"HTTP/1.1 100");
        }
    }
    let mut last = held.pop().unwrap();
    assert_eq!(running.ask("GET /t/contoso/scim/v2/Users", "", "").await.status, 200);
    let told = last.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(told.kind(), std::io::ErrorKind::WouldBlock);
    held.pop();
    let mut told = [0; 12];
    last.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100");
}

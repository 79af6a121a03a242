//! Requests byte for byte, through the listener and the HTTP library: what clients send that no library for clients would.

use serde_json::{Value, json};
use server::Limits;
use store::testing::on_both;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{GROUP, World};

/// Sends bytes to a server of their own and reads what it answers until it closes: status and body of each answer.
async fn exchange(world: &World, bytes: &[u8]) -> Vec<(u16, Value)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let talk = async {
        client.write_all(bytes).await.unwrap();
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).await.unwrap();
        answers
    };
    let serving = server::serve(listener, world.service.clone(), Limits::default(), std::future::pending());
    let answers = tokio::select! {
        answers = talk => String::from_utf8(answers).unwrap(),
        ended = serving => panic!("the server ended: {ended:?}"),
    };
    let mut found = Vec::new();
    let mut rest = answers.as_str();
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let (body, next) = after.split_at(length);
        found.push((head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_default()));
        rest = next;
    }
    found
}

/// A request of the tenant's client, its target below the endpoint as it is.
fn request(world: &World, method: &str, target: &str, headers: &str, body: &str) -> String {
    let (target, token) = (world.address(target), &world.token);
    format!("{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{headers}\r\n{body}")
}

const CLOSE: &str = "Connection: close\r\n";

#[test]
fn filters_with_raw_quotation_marks() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for profile in provider::Profile::all() {
            let world = world.tenant(&profile.name, &profile.name).await;
            // The first is how Entra's validator was recorded.
            for target in [
                "/Groups?excludedAttributes=members&filter=displayName+eq+\"UHYY\"",
                "/Users?filter=userName+eq+\"6b0ae2d8-8e0a-4b1c-9f3e-2a3b4c5d6e7f\"",
                "/Users?filter=userName%20eq%20\"a<b>\"&startIndex=1",
            ] {
                let answers = exchange(&world, request(&world, "GET", target, CLOSE, "").as_bytes()).await;
                let expected = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                    "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [],
                });
                assert_eq!(answers, [(200, expected)], "{} {target}", profile.name);
            }
        }
    });
}

#[test]
fn requests_with_raw_quotation_marks_one_after_the_other() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let find = "/Groups?filter=displayName+eq+\"?\\\"Sales\\\"+GET+/?\"";
        let group = json!({ "schemas": [GROUP], "displayName": "?\"Sales\" GET /?" }).to_string();
        let length = format!("Content-Type: application/scim+json\r\nContent-Length: {}\r\n", group.len());
        let (first, second) = group.split_at(20);
        let chunks = format!("14\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len());
        let chunked = "Content-Type: application/scim+json\r\nTransfer-Encoding: chunked\r\n";
        let sent = [
            request(&world, "GET", find, "", ""),
            request(&world, "POST", "/Groups", &length, &group),
            request(&world, "GET", find, "", ""),
            request(&world, "POST", "/Groups?x=\"", chunked, &chunks),
            request(&world, "GET", find, CLOSE, ""),
        ];
        let answers = exchange(&world, sent.concat().as_bytes()).await;
        let totals: Vec<_> = answers
            .iter()
            .map(|(status, body)| (*status, body["totalResults"].as_u64(), &body["displayName"]))
            .collect();
        let (none, name) = (&Value::Null, &json!("?\"Sales\" GET /?"));
        assert_eq!(
            totals,
            [(200, Some(0), none), (201, None, name), (200, Some(1), none), (201, None, name), (200, Some(2), none)]
        );
    });
}

//! A server that is killed in the midst of a bulk request (RFC 7644 §3.7).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::installation::{Installation, Serving, Tenant};

const USERS: usize = 500;

/// A bulk request of a user and a group with that user, many times.
fn body() -> String {
    let mut operations = Vec::new();
    for number in 0..USERS {
        let user =
            json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("u{number}") });
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("g{number}"),
            "members": [{ "value": format!("bulkId:u{number}") }],
        });
        operations.push(json!({ "method": "POST", "path": "/Users", "bulkId": format!("u{number}"), "data": user }));
        operations.push(json!({ "method": "POST", "path": "/Groups", "bulkId": format!("g{number}"), "data": group }));
    }
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations }).to_string()
}

fn send(serving: &Serving, tenant: &Tenant) -> TcpStream {
    let (mut stream, body) = (TcpStream::connect(&serving.address).unwrap(), body());
    let (path, token, length) = (tenant.path("/Bulk"), &tenant.token, body.len());
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nContent-Type: application/scim+json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    stream
}

fn list(serving: &Serving, tenant: &Tenant, below: &str) -> Value {
    let (status, body) = serving.get(&tenant.path(below), Some(&tenant.token));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn sb_10_a_server_that_is_killed_leaves_whole_operations_and_nobody_twice() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        let unanswered = send(&serving, &tenant);
        while list(&serving, &tenant, "/Users?count=0")["totalResults"].as_u64() < Some(USERS as u64 / 4) {}
        // A killed process ends at once, whatever it is doing.
        drop(serving);
        drop(unanswered);
        let serving = installation.serve();
        let groups = list(&serving, &tenant, "/Groups?count=1000");
        let before = groups["Resources"].as_array().unwrap().len();
        for group in groups["Resources"].as_array().unwrap() {
            assert_eq!(group["members"].as_array().unwrap().len(), 1, "{group}");
        }
        let mut answer = String::new();
        send(&serving, &tenant).read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let told: Value = serde_json::from_str(body).unwrap();
        let statuses: Vec<&str> =
            told["Operations"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
        assert_eq!(statuses.len(), 2 * USERS);
        assert!(statuses.chunks(2).all(|pair| pair[0] == pair[1] && ["201", "409"].contains(&pair[0])), "{statuses:?}");
        let made = statuses.iter().filter(|status| **status == "201").count() / 2;
        assert!(made < USERS, "some were there already");
        assert_eq!(list(&serving, &tenant, "/Users?count=0")["totalResults"], USERS);
        assert_eq!(list(&serving, &tenant, "/Groups?count=0")["totalResults"], before + made);
    }
}

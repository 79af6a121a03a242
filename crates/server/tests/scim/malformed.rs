//! What strangers send: never a 500, always the body of an error.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use hyper::body::Frame;
use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{GROUP, PATCH, USER, World};

#[test]
fn bodies() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ann").await;
        let user = json!({ "schemas": [USER], "userName": "bob" }).to_string();
        let spaces = |length: usize| format!("{user}{}", " ".repeat(length - user.len()));
        for (name, body, expected) in [
            ("nothing", String::new(), 400),
            ("no JSON", "{".to_owned(), 400),
            ("text", "\"x\"".to_owned(), 400),
            ("a list", "[]".to_owned(), 400),
            ("null", "null".to_owned(), 400),
            ("a hundred thousand brackets", "[".repeat(100_000), 400),
            ("deep objects", format!("{{\"a\":{}1{}}}", "{\"a\":".repeat(40), "}".repeat(40)), 400),
            ("the same key twice", format!("{{\"userName\":\"x\",{}", &user[1..]), 400),
            ("the same key in another case", format!("{{\"USERNAME\":\"x\",{}", &user[1..]), 400),
            ("NUL", user.replace("bob", "b\\u0000b"), 400),
            ("a lone surrogate", user.replace("bob", "\\ud800"), 400),
            ("a byte order mark", format!("\u{feff}{user}"), 400),
            ("trailing garbage", format!("{user}x"), 400),
            ("a number too big", format!("{{\"x\":18446744073709551617,{}", &user[1..]), 400),
            ("one byte too many", spaces(server::BODY_BYTES_MAX + 1), 413),
            ("exactly the limit", spaces(server::BODY_BYTES_MAX), 201),
        ] {
            for (method, path) in
                [("POST", "/Users".to_owned()), ("PUT", format!("/Users/{id}")), ("PATCH", format!("/Users/{id}"))]
            {
                let expected = match (method, expected) {
                    ("PUT", 201) => 409,
                    ("PATCH", 201) => 400,
                    (_, expected) => expected,
                };
                let request = world.request(method, &path).header("content-type", "application/scim+json");
                let answer = world.send(request.body(Body::from(body.clone())).unwrap()).await;
                assert_eq!(answer.status.as_u16(), expected, "{method} {name}: {}", answer.body);
            }
        }
        let huge = Body::new(Chunks(0));
        let request = world.request("POST", "/Users").header("content-type", "application/json").body(huge);
        assert_eq!(world.send(request.unwrap()).await.status.as_u16(), 413, "without a length");
    });
}

/// A body that goes on for ever and does not say so.
struct Chunks(u32);

impl hyper::body::Body for Chunks {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, Self::Error>>> {
        self.0 += 1;
        assert!(self.0 < 100, "the body is read beyond its limit");
        Poll::Ready(Some(Ok(Frame::data(bytes::Bytes::from(vec![b' '; 1 << 16])))))
    }
}

#[test]
fn media_types_and_encodings() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = |number: usize| json!({ "schemas": [USER], "userName": format!("u{number}") }).to_string();
        for (number, (name, value, expected)) in [
            ("content-type", "application/json", 201),
            ("content-type", "application/scim+json; charset=utf-8", 201),
            ("content-type", "application/scim+json; charset=utf-16", 415),
            ("content-type", "text/plain", 415),
            ("content-type", "multipart/form-data", 415),
            ("x-nothing", "", 415),
        ]
        .into_iter()
        .enumerate()
        {
            let request = world.request("POST", "/Users").header(name, value).body(Body::from(body(number)));
            assert_eq!(world.send(request.unwrap()).await.status.as_u16(), expected, "{value}");
        }
        for (encoding, expected) in [("gzip", 415), ("identity", 201)] {
            let request = world.request("POST", "/Users").header("content-type", "application/json");
            let request = request.header("content-encoding", encoding).body(Body::from(body(99)));
            assert_eq!(world.send(request.unwrap()).await.status.as_u16(), expected, "{encoding}");
        }
    });
}

#[test]
fn addresses() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for path in [
            "/Users/..%2f..%2fGroups",
            "/Users/%00",
            "/Users/'%20OR%201=1--",
            "/Users/1",
            "/Users/%0d%0a",
            "/nothing",
            "/Users/a/b",
            "/Schemas/x",
            "/ResourceTypes/x",
            "/%2555sers",
            "/Users//1",
            "/Users//",
        ] {
            let answer = world.get(path).await;
            assert_eq!(answer.status.as_u16(), 404, "{path}");
        }
        let long = format!("/Users/{}", "x".repeat(60_000));
        assert_eq!(world.get(&long).await.status.as_u16(), 404);
        for path in [
            "/",
            "",
            "/Users/",
            "//Users",
            "/Users",
            "/Schemas/",
            "/ServiceProviderConfig/",
            "/Users/?filter=DisplayName+eq+%22X%22",
        ] {
            assert_eq!(world.get(path).await.status.as_u16(), 200, "{path}");
        }
        let id = world.user("ann").await;
        assert_eq!(world.get(&format!("/Users/{id}/")).await.status.as_u16(), 200);
        assert_eq!(world.get(&format!("/Users/{}", id.to_uppercase())).await.status.as_u16(), 404);
        for (method, path) in [("GET", "/Me"), ("GET", "/Me/"), ("PATCH", "/Me"), ("DELETE", "/Me")] {
            assert_eq!(world.call(method, path, &json!(null)).await.status.as_u16(), 501, "{method} {path}");
            let stranger = World { token: String::new(), ..world.clone() };
            assert_eq!(stranger.call(method, path, &json!(null)).await.status.as_u16(), 401, "{method} {path}");
        }
    });
}

#[test]
fn filters_that_attack() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for filter in [
            "(".repeat(2000),
            "not ".repeat(1000),
            vec!["a pr"; 1000].join(" or "),
            "x".repeat(9000),
            "userName eq \"' OR 1=1--\"; x".into(),
        ] {
            let encoded = percent_encoding::utf8_percent_encode(&filter, percent_encoding::NON_ALPHANUMERIC);
            assert_eq!(world.get(&format!("/Users?filter={encoded}")).await.status.as_u16(), 400, "{filter:.20}");
        }
        let path = format!("/Users/{}", world.user("ann").await);
        for (name, body) in [
            (
                "a deep path",
                json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": format!("emails[{}", "(".repeat(2000)), "value": 1 }] }),
            ),
            (
                "too many operations",
                json!({ "schemas": [PATCH], "Operations": vec![json!({ "op": "remove", "path": "title" }); 1001] }),
            ),
            ("operations that are none", json!({ "schemas": [PATCH], "Operations": [1, "x", null] })),
            (
                "a prototype",
                json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "__proto__.x", "value": 1 }] }),
            ),
        ] {
            assert_eq!(world.call("PATCH", &path, &body).await.status.as_u16(), 400, "{name}");
        }
    });
}

#[test]
fn a_resource_cannot_grow_without_end() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        let text = "x".repeat(60_000);
        let grow = |number: usize| json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "emails", "value": [{ "value": format!("{number}@x"), "display": text }] }] });
        for number in 0..4 {
            assert_eq!(world.call("PATCH", &path, &grow(number)).await.status.as_u16(), 200, "{number}");
        }
        let before = world.get(&path).await.body;
        let refused = world.call("PATCH", &path, &grow(4)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["scimType"]), (400, &json!("tooMany")));
        assert_eq!(world.get(&path).await.body, before);
        let emails: Vec<_> = (0..5).map(|number| json!({ "value": format!("{number}@x"), "display": text })).collect();
        let body = json!({ "schemas": [USER], "userName": "bob", "emails": emails });
        assert_eq!(world.call("POST", "/Users", &body).await.status.as_u16(), 400);
    });
}

#[test]
fn a_resource_that_is_not_there_is_told_of_in_one_sentence_whatever_was_to_be_done() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let device = world.define_devices().await;
        let nothing = json!({ "schemas": [PATCH], "Operations": [] });
        for (endpoint, whole, expected) in [
            ("/Users", json!({ "schemas": [USER], "userName": "ann" }), "User not found"),
            ("/Groups", json!({ "schemas": [GROUP], "displayName": "A" }), "Group not found"),
            ("/Devices", json!({ "schemas": [device], "serial": "1" }), "Device not found"),
        ] {
            for id in ["0198c2a4-7d1e-7aaa-8bbb-0123456789ab", "0198C2A4-7D1E-7AAA-8BBB-0123456789AB", "1", "x-y"] {
                for (method, body) in [
                    ("GET", Value::Null),
                    ("PUT", whole.clone()),
                    ("PUT", json!({ "schemas": [device], "active": 7 })),
                    ("PATCH", nothing.clone()),
                    ("DELETE", Value::Null),
                ] {
                    let missing = world.call(method, &format!("{endpoint}/{id}?attributes=id"), &body).await;
                    let told = (missing.status.as_u16(), missing.body["detail"].as_str());
                    assert_eq!(told, (404, Some(expected)), "{method} {endpoint}/{id} {body}");
                }
                let path = format!("{endpoint}/{id}");
                let operation = json!({ "method": "DELETE", "path": path });
                let bulk = json!({ "schemas": [scim::BULK_REQUEST_URN], "Operations": [operation] });
                let done = world.call("POST", "/Bulk", &bulk).await.body;
                assert_eq!(done["Operations"][0]["response"]["detail"], expected, "{path}: {done}");
            }
        }
    });
}

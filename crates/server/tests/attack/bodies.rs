//! Bodies that are too deep, too long, too wide, or more than one (SJ-01, SJ-03, SJ-06, SJ-16, SJ-18, SJ-19).

use axum::body::Body;
use scim::limits::JSON_DEPTH_MAX;
use serde_json::{Value, json};
use server::BODY_BYTES_MAX;
use store::testing::on_both;

use crate::send::{check_refused, count, raw, user};
use crate::world::{PATCH, USER, World};

/// Every address that reads a body.
fn doors(id: &str) -> [(&'static str, String); 5] {
    [
        ("POST", "/Users".to_owned()),
        ("PUT", format!("/Users/{id}")),
        ("PATCH", format!("/Users/{id}")),
        ("POST", "/Groups".to_owned()),
        ("POST", "/Users/.search".to_owned()),
    ]
}

#[test]
fn sj_01_a_bomb_of_depth_is_refused_at_every_door() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ann").await;
        let closed = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for body in [
            "[".repeat(100_000),
            "{\"a\":".repeat(100_000),
            "[{\"a\":".repeat(60_000),
            closed("[", "]", 100_000),
            closed("{\"a\":", "}", 100_000),
            closed("[", "]", JSON_DEPTH_MAX + 1),
            format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"x\",\"emails\":{}}}", closed("[", "]", JSON_DEPTH_MAX)),
        ] {
            for (method, path) in doors(&id) {
                check_refused(
                    &format!("{method} {body:.20}"),
                    &raw(&world, method, &path, body.clone()).await,
                    "invalidSyntax",
                );
            }
        }
        assert_eq!(count(&world).await, 1, "the server is there, and nothing came of it");
    });
}

#[test]
fn sj_03_a_deep_value_that_is_read_and_then_refused_is_dropped() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let deep = |depth| {
            (0..depth).fold(
                json!("x"),
                |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "value": inner }) },
            )
        };
        let deepest = deep(JSON_DEPTH_MAX - 1);
        for attribute in ["emails", "userName", "active", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]
        {
            let answer = world.call("POST", "/Users", &user("x", attribute, &deepest)).await;
            check_refused(attribute, &answer, "invalidValue");
        }
        let unknown = world.call("POST", "/Users", &user("x", "nobodyKnows", &deepest)).await;
        assert_eq!(
            (unknown.status.as_u16(), unknown.body.get("nobodyKnows")),
            (201, None),
            "what is not known is not kept"
        );
    });
}

#[test]
fn sj_06_a_body_ends_at_its_limit() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({ "schemas": [USER], "userName": "bob" }).to_string();
        let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
        for (length, expected) in
            [(BODY_BYTES_MAX + 1, 413), (BODY_BYTES_MAX * 2, 413), (BODY_BYTES_MAX, 201), (BODY_BYTES_MAX - 1, 409)]
        {
            let answer = raw(&world, "POST", "/Users", padded(length)).await;
            assert_eq!(answer.status.as_u16(), expected, "{length}: {}", answer.body);
            if expected == 413 {
                assert!(
                    answer.body["detail"].as_str().unwrap().contains(&BODY_BYTES_MAX.to_string()),
                    "{}",
                    answer.body
                );
            }
        }
    });
}

#[test]
fn sj_16_tens_of_thousands_of_keys_are_read_in_one_go() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ann").await;
        let many = |key: fn(usize) -> String, count: usize| -> Value {
            (0..count).map(|n| (key(n), json!(1))).collect::<serde_json::Map<_, _>>().into()
        };
        for (name, keys) in [
            ("plain", many(|n| format!("k{n}"), 60_000)),
            ("that are paths", many(|n| format!("k.k{n}"), 50_000)),
            ("that are URNs", many(|n| format!("urn:x:{n}:y"), 40_000)),
            ("of one schema", many(|n| format!("urn:ietf:params:scim:schemas:core:2.0:User:x{n}"), 15_000)),
        ] {
            let mut body = keys.clone();
            body["schemas"] = json!([USER]);
            body["userName"] = json!(format!("user-{}", name.replace(' ', "-")));
            assert_eq!(world.call("POST", "/Users", &body).await.status.as_u16(), 201, "{name}");
            let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "value": keys }] });
            assert_eq!(world.call("PATCH", &format!("/Users/{id}"), &patch).await.status.as_u16(), 200, "{name}");
        }
        let elements = many(|n| format!("emails[value eq \"{n}\"].type"), 20_000);
        let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "value": elements }] });
        assert_eq!(
            world.call("PATCH", &format!("/Users/{id}"), &patch).await.status.as_u16(),
            400,
            "elements are counted"
        );
    });
}

#[test]
fn sj_18_nothing_may_follow_the_document() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ann").await;
        let body = json!({ "schemas": [USER], "userName": "bob" }).to_string();
        for rest in [body.as_str(), "xx", "}", "]", ",", "\"", "//", "null", "\u{c}", "\u{a0}", "/* */", "\0"] {
            for (method, path) in doors(&id) {
                let answer = raw(&world, method, &path, format!("{body}{rest}")).await;
                check_refused(&format!("{method} {rest:?}"), &answer, "invalidSyntax");
            }
        }
        assert_eq!(count(&world).await, 1);
        assert_eq!(
            raw(&world, "POST", "/Users", format!(" \r\n\t{body} \r\n\t")).await.status.as_u16(),
            201,
            "blanks may"
        );
    });
}

#[test]
fn sj_19_a_compressed_body_is_not_unpacked() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({ "schemas": [USER], "userName": "bob" }).to_string();
        for encoding in [
            "gzip",
            "GZIP",
            "x-gzip",
            "deflate",
            "br",
            "zstd",
            "compress",
            "gzip, identity",
            "identity, gzip",
            "nonsense",
        ] {
            for sent in
                [body.clone().into_bytes(), vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], vec![0; BODY_BYTES_MAX * 3]]
            {
                let request = world.request("POST", "/Users").header("content-type", "application/json");
                let request = request.header("content-encoding", encoding).body(Body::from(sent)).unwrap();
                assert_eq!(world.send(request).await.status.as_u16(), 415, "{encoding}");
            }
        }
        assert_eq!(count(&world).await, 0);
    });
}

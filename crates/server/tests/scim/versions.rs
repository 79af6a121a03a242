//! Versions: entity tags and preconditions (RFC 7644 §3.14).

use axum::body::Body;
use serde_json::json;
use store::testing::on_both;

use crate::world::{PATCH, USER, World};

#[test]
fn preconditions() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ann").await;
        let path = format!("/Users/{id}");
        let absent = "/Users/0198c2a4-7d1e-7aaa-8bbb-0123456789ab";
        let put = |title: &str| json!({ "schemas": [USER], "userName": "ann", "title": title }).to_string();
        let change = |title: &str| {
            json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "title", "value": title }] }).to_string()
        };
        for (method, path, name, value, body, expected) in [
            ("PUT", path.as_str(), "if-match", "W/\"1\"", put("a"), 200),
            ("PUT", &path, "if-match", "W/\"1\"", put("b"), 412),
            ("PATCH", &path, "if-match", "W/\"1\", W/\"2\"", change("c"), 200),
            ("PATCH", &path, "if-match", "W/\"2\"", change("d"), 412),
            ("PATCH", &path, "if-match", "\"3\"", change("e"), 200),
            ("PATCH", &path, "if-match", "*", change("f"), 200),
            ("PATCH", &path, "if-match", "W/\"somebody else's\"", change("g"), 412),
            ("PATCH", &path, "if-match", "5", change("g"), 400),
            ("PATCH", absent, "if-match", "*", change("g"), 404),
            ("GET", &path, "if-none-match", "W/\"5\"", String::new(), 304),
            ("GET", &path, "if-none-match", "W/\"4\"", String::new(), 200),
            ("GET", &path, "if-none-match", "*", String::new(), 304),
            ("DELETE", &path, "if-match", "W/\"1\"", String::new(), 412),
            ("DELETE", &path, "if-match", "W/\"5\"", String::new(), 204),
        ] {
            let request = world.request(method, path).header(name, value).header("content-type", "application/json");
            let answer = world.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(answer.status.as_u16(), expected, "{method} {name}: {value}: {}", answer.body);
        }
    });
}

#[test]
fn a_version_and_its_time_move_together() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        let first = world.get(&path).await.body["meta"].clone();
        let change = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "title", "value": "T" }] });
        let changed = world.call("PATCH", &path, &change).await;
        assert_eq!((changed.header("etag"), &changed.body["meta"]["version"]), ("W/\"2\"", &json!("W/\"2\"")));
        assert_eq!(changed.body["meta"]["created"], first["created"]);
        assert!(changed.body["meta"]["lastModified"].as_str() > first["lastModified"].as_str());
        assert_eq!(world.get(&path).await.body, changed.body);
    });
}

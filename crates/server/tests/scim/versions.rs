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
        let without_groups = format!("{path}?excludedAttributes=groups");
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
            ("GET", &without_groups, "if-none-match", "W/\"5\"", String::new(), 304),
            ("GET", &without_groups, "if-none-match", "W/\"4\"", String::new(), 200),
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
fn what_a_client_has_is_still_what_it_would_get() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let plain = world.tenant("plain", "netskope").await;
        let (ann, bob) = (world.user("ann").await, plain.user("bob").await);
        let group = world.group("G", &[]).await;
        let ann = format!("/Users/{ann}");
        for (world, path, status) in [
            (&world, ann.clone(), 200),
            (&world, format!("{ann}?attributes=groups.display"), 200),
            (&world, format!("{ann}?excludedAttributes=groups.display"), 200),
            (&world, format!("{ann}?excludedAttributes=groups"), 304),
            (&world, format!("{ann}?attributes=userName,emails"), 304),
            (&plain, format!("/Users/{bob}"), 304),
            (&world, format!("/Groups/{group}"), 304),
        ] {
            let request = world.request("GET", &path).header("if-none-match", "W/\"1\"");
            assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status.as_u16(), status, "{path}");
        }
        let held = world.get(&ann).await;
        let join = json!([{ "op": "add", "path": "members", "value": held.id() }]);
        world.call("PATCH", &format!("/Groups/{group}"), &json!({ "schemas": [PATCH], "Operations": join })).await;
        let request = world.request("GET", &ann).header("if-none-match", held.header("etag"));
        let after = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((after.status.as_u16(), &after.body["groups"][0]["value"]), (200, &json!(group)));
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

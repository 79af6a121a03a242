//! Versions: entity tags and preconditions (RFC 7644 §3.14).

use axum::body::Body;
use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{Answer, PATCH, USER, World};

const ABSENT: &str = "/Users/0198c2a4-7d1e-7aaa-8bbb-0123456789ab";

/// Sends a request with one header more.
async fn with(world: &World, method: &str, path: &str, (name, value): (&str, &str), body: &Value) -> Answer {
    let request = world.request(method, path).header(name, value).header("content-type", "application/json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    world.send(request.body(body).unwrap()).await
}

fn put(title: &str) -> Value {
    json!({ "schemas": [USER], "userName": "ann", "title": title })
}

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
            ("HEAD", &path, "if-none-match", "*", String::new(), 304),
            ("GET", &path, "if-match", "W/\"5\"", String::new(), 200),
            ("GET", &path, "if-match", "W/\"4\", \"5\"", String::new(), 200),
            ("GET", &path, "if-match", "*", String::new(), 200),
            ("GET", &path, "if-match", "W/\"4\"", String::new(), 412),
            ("GET", &path, "if-match", "W/\"somebody else's\"", String::new(), 412),
            ("GET", &path, "if-match", "4", String::new(), 400),
            ("GET", absent, "if-match", "W/\"4\"", String::new(), 404),
            ("HEAD", &path, "if-match", "W/\"4\"", String::new(), 412),
            ("HEAD", &path, "if-match", "W/\"5\"", String::new(), 200),
            ("PUT", &path, "if-none-match", "*", put("h"), 412),
            ("PATCH", &path, "if-none-match", "*", change("h"), 412),
            ("DELETE", &path, "if-none-match", "*", String::new(), 412),
            ("PUT", &path, "if-none-match", "W/\"5\"", put("h"), 412),
            ("PATCH", &path, "if-none-match", "\"a,b\", \"5\"", change("h"), 412),
            ("DELETE", &path, "if-none-match", "W/\"5\"", String::new(), 412),
            ("DELETE", &path, "if-none-match", "5", String::new(), 400),
            ("PATCH", &path, "if-none-match", "W/\"4\"", change("f"), 200),
            ("PATCH", absent, "if-none-match", "*", change("g"), 404),
            ("DELETE", &path, "if-match", "W/\"1\"", String::new(), 412),
            ("DELETE", &path, "if-match", "W/\"5\"", String::new(), 204),
        ] {
            let request = world.request(method, path).header(name, value).header("content-type", "application/json");
            let answer = world.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(answer.status.as_u16(), expected, "{method} {name}: {value}: {}", answer.body);
            // What is not there has no length that a GET would have had (RFC 9110 §8.6).
            assert!(expected != 304 || !answer.headers.contains_key("content-length"), "{method} {name}: {value}");
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
            (&world, ann.clone(), 304),
            (&world, format!("{ann}?attributes=groups.display"), 304),
            (&world, format!("{ann}?excludedAttributes=groups.display"), 304),
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
        let tag = held.header("etag");
        let after = with(&world, "GET", &ann, ("if-none-match", tag), &Value::Null).await;
        assert_eq!((after.status.as_u16(), &after.body["groups"][0]["value"]), (200, &json!(group)));
        for (method, query, expected) in
            [("HEAD", "", 200), ("GET", "?attributes=groups.display", 200), ("GET", "?excludedAttributes=groups", 304)]
        {
            let answer = with(&world, method, &format!("{ann}{query}"), ("if-none-match", tag), &Value::Null).await;
            assert_eq!(answer.status.as_u16(), expected, "{method} {query} of a user in a group");
        }
        world.call("DELETE", &format!("/Groups/{group}"), &Value::Null).await;
        for method in ["GET", "HEAD"] {
            let answer = with(&world, method, &ann, ("if-none-match", tag), &Value::Null).await;
            assert_eq!(answer.status.as_u16(), 304, "{method} of a user in no group");
        }
    });
}

/// A membership is the group's: it leaves the user's version alone, and yet nobody is told that what they have is still true.
#[test]
fn the_tag_of_a_user_tells_the_groups_that_the_answer_shows() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, group) = (world.user("ann").await, world.group("G", &[]).await);
        let (path, group) = (format!("/Users/{ann}"), format!("/Groups/{group}"));
        let change_of = |change: Value| json!({ "schemas": [PATCH], "Operations": [change] });
        let steps = [
            json!({ "op": "add", "path": "members", "value": ann }),
            json!({ "op": "replace", "path": "displayName", "value": "H" }),
            json!({ "op": "remove", "path": format!("members[value eq \"{ann}\"]") }),
        ];
        let mut tags = vec![world.get(&path).await.header("etag").to_owned()];
        for step in steps {
            world.call("PATCH", &group, &change_of(step)).await;
            let had = tags.last().unwrap();
            let answer = with(&world, "GET", &path, ("if-none-match", had), &Value::Null).await;
            assert_eq!((answer.status.as_u16(), &answer.body["meta"]["version"]), (200, &json!(answer.header("etag"))));
            let tag = answer.header("etag").to_owned();
            for (query, tag, expected) in [("", &tag, 304), ("?excludedAttributes=groups", &tag, 304), ("", had, 200)] {
                let again = with(&world, "GET", &format!("{path}{query}"), ("if-none-match", tag), &Value::Null).await;
                assert_eq!(again.status.as_u16(), expected, "{query} {tag}");
            }
            let bare = world.get(&format!("{path}?excludedAttributes=groups")).await;
            assert_eq!((bare.header("etag"), &bare.body["meta"]["version"]), ("W/\"1\"", &json!("W/\"1\"")));
            let part = world.get(&format!("{path}?attributes=groups.display,meta.version")).await;
            assert_eq!(&part.body["meta"]["version"], &json!(part.header("etag")));
            tags.push(tag);
        }
        assert_eq!((tags[0].as_str(), tags[3].as_str()), ("W/\"1\"", "W/\"1\""));
        assert!(tags[1].starts_with("W/\"1-") && tags[2].starts_with("W/\"1-") && tags[1] != tags[2], "{tags:?}");
        world.call("PATCH", &group, &change_of(json!({ "op": "add", "path": "members", "value": ann }))).await;
        for (tag, expected) in [("W/\"1\"", 200), (tags[1].as_str(), 200), ("W/\"2\"", 412)] {
            assert_eq!(
                with(&world, "GET", &path, ("if-match", tag), &Value::Null).await.status.as_u16(),
                expected,
                "{tag}"
            );
        }
        let change = change_of(json!({ "op": "add", "path": "title", "value": "Dr" }));
        let changed = with(&world, "PATCH", &path, ("if-match", &tags[1]), &change).await;
        assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, world.get(&path).await.header("etag")));
        assert_eq!(with(&world, "PATCH", &path, ("if-match", &tags[2]), &change).await.status.as_u16(), 412);
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

#[test]
fn se_01_of_two_who_replace_the_same_version_the_second_is_told() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        let read = world.get(&path).await.header("etag").to_owned();
        for (title, expected) in [("first", 200), ("second", 412)] {
            let answer = with(&world, "PUT", &path, ("if-match", &read), &put(title)).await;
            assert_eq!(answer.status.as_u16(), expected, "{title}");
        }
        assert_eq!(world.get(&path).await.body["title"], "first");
    });
}

#[test]
fn se_04_every_form_of_if_match() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        let none = json!({ "schemas": [PATCH], "Operations": [] });
        for (value, expected) in [
            ("*", 200),
            (" * ", 200),
            ("W/\"1\"", 200),
            ("\"1\"", 200),
            ("W/\"9\", \"1\"", 200),
            ("\"x\",W/\"1\"", 200),
            ("W/\"2\"", 412),
            ("\"\"", 412),
            ("W/\"01\"", 412),
            ("1", 400),
            ("W/1", 400),
            ("\"1", 400),
            ("w/\"1\"", 400),
            ("*, \"1\"", 400),
            ("\"1\",", 200),
            (", ,\"a,b\",\"1\"", 200),
            ("\"1,\"", 412),
            (",", 400),
            ("", 400),
        ] {
            for (method, body) in [("PATCH", &none), ("PUT", &json!({ "schemas": [USER], "userName": "ann" }))] {
                let answer = with(&world, method, &path, ("if-match", value), body).await;
                assert_eq!(answer.status.as_u16(), expected, "{method} {value:?}: {}", answer.body);
            }
        }
        for (value, expected) in [("*", 404), ("W/\"1\"", 404), ("1", 400)] {
            for (method, body) in [("PATCH", &none), ("PUT", &put("x")), ("DELETE", &Value::Null)] {
                let answer = with(&world, method, ABSENT, ("if-match", value), body).await;
                assert_eq!(answer.status.as_u16(), expected, "{method} {value:?} of nobody");
            }
        }
        assert_eq!(world.get(&path).await.header("etag"), "W/\"1\"", "nothing of this changed anything");
    });
}

#[test]
fn se_05_what_a_client_has_already_is_not_sent_and_kept_by_no_cache() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let path = format!("/Users/{}?excludedAttributes=groups", world.user("ann").await);
        for (value, expected) in
            [("W/\"1\"", 304), ("\"1\"", 304), ("*", 304), ("W/\"7\", W/\"1\"", 304), ("W/\"2\"", 200), ("1", 400)]
        {
            for method in ["GET", "HEAD"] {
                let answer = with(&world, method, &path, ("if-none-match", value), &Value::Null).await;
                assert_eq!(answer.status.as_u16(), expected, "{method} {value}");
                assert_eq!((answer.header("vary"), answer.header("cache-control")), ("authorization", "no-store"));
                if expected == 304 {
                    assert_eq!((&answer.body, answer.headers.get("content-type")), (&Value::Null, None));
                    assert_eq!(answer.header("etag"), "W/\"1\"");
                }
            }
        }
        let theirs = with(&other, "GET", &path, ("if-none-match", "*"), &Value::Null).await;
        assert_eq!(theirs.status.as_u16(), 404, "an entity tag opens nothing of another tenant");
    });
}

#[test]
fn se_06_a_tag_tells_nothing_of_what_it_is_a_tag_of() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let same = [world.user("ann").await, world.user("bob").await];
        let tags = [
            world.get(&format!("/Users/{}", same[0])).await.header("etag").to_owned(),
            world.get(&format!("/Users/{}", same[1])).await.header("etag").to_owned(),
            other.get(&format!("/Users/{}", other.user("ann").await)).await.header("etag").to_owned(),
        ];
        assert!(
            tags.iter().all(|tag| tag == "W/\"1\""),
            "a number that counts changes, whatever the content: {tags:?}"
        );
    });
}

#[test]
fn se_07_what_was_answered_is_there_for_the_next_request() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let group = world.group("G", &[]).await;
        for round in 0..50 {
            let id = world.user(&format!("u{round}")).await;
            let title = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "title", "value": "T" }] });
            let join = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "members", "value": id }] });
            let (path, group) = (format!("/Users/{id}"), format!("/Groups/{group}"));
            assert_eq!(world.call("PATCH", &path, &title).await.status.as_u16(), 200, "{round}");
            assert_eq!(world.call("PATCH", &group, &join).await.status.as_u16(), 204, "{round}");
            assert_eq!(world.get(&path).await.body["title"], "T", "{round}");
        }
        assert_eq!(world.members(&group).await.len(), 50);
    });
}

#[test]
fn se_08_a_stale_delete_deletes_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = format!("/Users/{}", world.user("ann").await);
        let group = format!("/Groups/{}", world.group("G", &[]).await);
        for path in [user, group] {
            let name = if path.starts_with("/Users") { "title" } else { "displayName" };
            let change = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": name, "value": "new" }] });
            world.call("PATCH", &path, &change).await;
            for (tag, expected) in [("W/\"1\"", 412), ("1", 400), ("W/\"2\"", 204), ("*", 404)] {
                let before = world.get(&path).await.status.as_u16();
                let answer = with(&world, "DELETE", &path, ("if-match", tag), &Value::Null).await;
                assert_eq!(answer.status.as_u16(), expected, "{path} {tag}");
                let after = world.get(&path).await.status.as_u16();
                assert_eq!(after, if expected == 204 { 404 } else { before }, "{path} {tag}");
            }
        }
    });
}

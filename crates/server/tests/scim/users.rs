//! Users: the forms in which clients create, change and delete them.

use serde_json::{Map, Value, json};
use store::testing::on_both;

use crate::world::{Answer, ENTERPRISE, PATCH, PUBLIC, Row, USER, World};

fn entra_user(name: &str) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": "ada", "userName": name, "active": true,
        "emails": [{ "primary": true, "type": "work", "value": name }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "Ada L", "familyName": "L", "givenName": "Ada" },
        "roles": [],
    })
}

#[test]
fn entra_creates_reads_and_deletes_a_user() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let made = world.call("POST", "/Users", &entra_user("Ada@Contoso.example")).await;
        let id = made.id();
        let location = format!("{PUBLIC}/t/contoso/scim/v2/Users/{id}");
        assert_eq!((made.status.as_u16(), made.header("location")), (201, location.as_str()));
        assert_eq!((made.header("etag"), made.header("content-type")), ("W/\"1\"", "application/scim+json"));
        assert_eq!(made.body["schemas"], json!([USER]));
        assert_eq!(made.body["userName"], "Ada@Contoso.example");
        assert_eq!(made.body["emails"], json!([{ "primary": true, "type": "work", "value": "Ada@Contoso.example" }]));
        assert_eq!(made.body["meta"]["location"], location.as_str());
        assert_eq!(made.body["meta"]["created"], made.body["meta"]["lastModified"]);
        assert_eq!(made.body.get("roles"), None);

        let found = world.get(&format!("/Users/{id}")).await;
        assert_eq!((found.status.as_u16(), &found.body, found.header("etag")), (200, &made.body, "W/\"1\""));
        let head = world.call("HEAD", &format!("/Users/{id}"), &Value::Null).await;
        assert_eq!((head.status.as_u16(), head.body), (200, Value::Null));

        for expected in [204, 404] {
            let gone = world.call("DELETE", &format!("/Users/{id}"), &Value::Null).await;
            assert_eq!(gone.status.as_u16(), expected);
        }
        assert_eq!(world.get(&format!("/Users/{id}")).await.status.as_u16(), 404);
        assert_ne!(world.user("ada@contoso.example").await, id, "an id is never used again");
    });
}

#[test]
fn a_name_in_capitals_is_the_same_name() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (name, capitals) in [("νικος@x", "ΝΙΚΟΣ@X"), ("renée", "RENÉE"), ("жанна", "ЖАННА")] {
            let id = world.user(name).await;
            let again = world.call("POST", "/Users", &json!({ "schemas": [USER], "userName": capitals })).await;
            assert_eq!((again.status.as_u16(), &again.body["scimType"]), (409, &json!("uniqueness")), "{capitals}");
            let group = world.group(name, &[]).await;
            for (path, id) in [("/Users?filter=userName+eq", id), ("/Groups?filter=displayName+eq", group)] {
                let value = percent_encoding::utf8_percent_encode(capitals, percent_encoding::NON_ALPHANUMERIC);
                let found = world.get(&format!("{path}+%22{value}%22")).await.body;
                assert_eq!(
                    (&found["totalResults"], &found["Resources"][0]["id"]),
                    (&json!(1), &json!(id)),
                    "{capitals}"
                );
            }
        }
    });
}

/// The rows of a table: a name, what is sent, the status, and values of the answer by JSON pointer.
fn rows(table: &str) -> Vec<(String, Value, u16, Map<String, Value>)> {
    let filled = table.replace("{ENT}", ENTERPRISE).replace("{USER}", USER);
    filled.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn check(name: &str, answer: &Answer, status: u16, expected: &Map<String, Value>) {
    assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.body);
    for (pointer, value) in expected {
        let found = answer.body.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(found, *value, "{name}: {pointer} of {}", answer.body);
    }
}

#[test]
fn forms_of_creating() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (name, sent, status, expected) in rows(include_str!("creating_users.jsonl")) {
            let mut body = json!({ "schemas": [USER] });
            body.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
            check(&name, &world.call("POST", "/Users", &body).await, status, &expected);
        }
        for (length, status) in [(51, 201), (52, 201), (72, 201), (73, 201), (255, 201), (1024, 201), (1025, 400)] {
            let body = json!({ "schemas": [USER], "userName": "x".repeat(length) });
            let answer = world.call("POST", "/Users", &body).await;
            check(&format!("{length} bytes that begin alike"), &answer, status, &Map::new());
        }
    });
}

#[test]
fn forms_of_patching() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.call("POST", "/Users", &entra_user("ada@contoso.example")).await.id());
        for (name, operation, status, expected) in rows(include_str!("patching_users.jsonl")) {
            let body = json!({ "schemas": [PATCH], "Operations": [operation] });
            check(&name, &world.call("PATCH", &path, &body).await, status, &expected);
        }
    });
}

#[test]
fn what_changes_nothing_leaves_no_trace() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let made = world.call("POST", "/Users", &entra_user("ada@contoso.example")).await;
        let (id, path) = (made.id(), format!("/Users/{}", made.id()));
        let before = world.changes().await;
        let same =
            json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "externalId", "value": "ada" }] });
        let empty = json!({ "schemas": [PATCH], "Operations": [] });
        for (method, body) in [("PATCH", &same), ("PATCH", &empty), ("PUT", &entra_user("ada@contoso.example"))] {
            let answer = world.call(method, &path, body).await;
            assert_eq!((answer.status.as_u16(), &answer.body), (200, &made.body), "{method} of {id}");
        }
        assert_eq!(world.changes().await, before);
    });
}

#[test]
fn putting_a_user() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.call("POST", "/Users", &entra_user("ada@contoso.example")).await.id();
        world.user("bob").await;
        let put =
            |name, body, status, expected| Row { name, method: "PUT", path: "/Users/{id}", body, status, expected };
        for row in [
            put(
                "what is left out is cleared",
                json!({ "schemas": [USER], "userName": "ada", "title": "T" }),
                200,
                vec![("/externalId", Value::Null), ("/title", json!("T")), ("/meta/version", json!("W/\"2\""))],
            ),
            put(
                "readOnly is ignored",
                json!({ "schemas": [USER], "userName": "ada", "id": "x", "groups": [{ "value": "g" }] }),
                200,
                vec![("/id", json!("{id}")), ("/groups", Value::Null)],
            ),
            put(
                "a misspelt attribute is ignored",
                json!({ "schemas": [USER], "userName": "ada", "displayname1": "x" }),
                200,
                vec![],
            ),
            put("no userName", json!({ "schemas": [USER], "usrName": "ada" }), 400, vec![]),
            put(
                "a name that is taken",
                json!({ "schemas": [USER], "userName": "BOB" }),
                409,
                vec![("/scimType", json!("uniqueness"))],
            ),
        ] {
            let row = Row {
                expected: row
                    .expected
                    .into_iter()
                    .map(|(at, value)| (at, if value == "{id}" { json!(id) } else { value }))
                    .collect(),
                ..row
            };
            world.check(&id, row).await;
        }
        assert_eq!(world.get("/Users?filter=externalId+eq+%22ada%22").await.body["totalResults"], 0, "its key is gone");
        let ann = json!({ "schemas": [USER], "userName": "x" });
        // What is wrong with a body is told of a resource that is there.
        let incomplete = json!({ "schemas": [USER] });
        for (body, expected) in [(&ann, 404), (&incomplete, 404), (&json!({ "schemas": [USER], "emails": "x" }), 404)] {
            let absent = world.call("PUT", "/Users/0198c2a4-7d1e-7aaa-8bbb-0123456789ab", body).await;
            assert_eq!(absent.status.as_u16(), expected, "{body}");
        }
        let present = world.call("PUT", &format!("/Users/{id}"), &incomplete).await;
        assert_eq!((present.status.as_u16(), &present.body["scimType"]), (400, &json!("invalidValue")));
    });
}

#[test]
fn a_manager_told_with_its_address_is_answered_with_the_servers() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let boss = world.user("boss").await;
        let user = |manager: Value| json!({ "schemas": [USER, ENTERPRISE], "userName": "ann", ENTERPRISE: { "department": "R", "manager": manager } });
        let made = world.call("POST", "/Users", &user(json!({ "value": boss }))).await;
        let path = format!("/Users/{}", made.id());
        let base = made.body["meta"]["location"].as_str().unwrap().strip_suffix(&path).unwrap().to_owned();
        let whole = json!({ "value": boss, "$ref": format!("{base}/Users/{boss}") });
        let request = |operation: Value| json!({ "schemas": [PATCH], "Operations": [operation] });
        let manager = |suffix: &str| format!("{ENTERPRISE}:manager{suffix}");
        for (address, version) in [
            (format!("{base}/Users/{boss}"), 2),
            (format!("https://evil.example/Users/{boss}"), 2),
            (format!("../Users/{boss}"), 2),
        ] {
            let told = json!({ "value": boss, "$ref": address });
            for (method, body) in [
                ("PUT", user(told.clone())),
                ("PATCH", request(json!({ "op": "replace", "path": manager(""), "value": told }))),
            ] {
                let answer = world.call(method, &path, &body).await;
                assert_eq!((answer.status.as_u16(), &answer.body[ENTERPRISE]["manager"]), (200, &whole), "{body}");
                assert_eq!(answer.header("etag"), format!("W/\"{version}\""), "{body}");
            }
        }
        for query in ["", "?excludedAttributes=title", "?filter=userName%20eq%20%22ann%22"] {
            let at = if query.starts_with("?filter") { format!("/Users{query}") } else { format!("{path}{query}") };
            let found = world.get(&at).await.body;
            let found = found.pointer("/Resources/0").unwrap_or(&found);
            assert_eq!(found[ENTERPRISE]["manager"], whole, "{query}");
        }
        let other = world.user("other").await;
        let moved = request(json!({ "op": "replace", "path": manager(".value"), "value": other }));
        let moved = world.call("PATCH", &path, &moved).await;
        assert_eq!(moved.body[ENTERPRISE]["manager"], json!({ "value": other }));
    });
}

#[test]
fn no_client_says_where_a_manager_is_found() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let boss = world.user("boss").await;
        let manager = json!({ "value": boss, "$ref": "https://evil.example/Users/1" });
        let kept = json!({ "value": boss });
        let user = json!({ "schemas": [USER, ENTERPRISE], "userName": "ann", ENTERPRISE: { "manager": manager } });
        let made = world.call("POST", "/Users", &user).await;
        assert_eq!(made.body[ENTERPRISE]["manager"], kept);
        let path = format!("/Users/{}", made.id());
        let operation = |path: &str, value: Value| {
            let path = format!("{ENTERPRISE}:{path}");
            json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": path, "value": value }] })
        };
        for (method, body) in [
            ("PUT", user.clone()),
            ("PATCH", operation("manager", manager)),
            ("PATCH", operation("manager.$ref", json!("https://evil.example/Users/1"))),
        ] {
            let changed = world.call(method, &path, &body).await;
            assert_eq!((changed.status.as_u16(), &changed.body[ENTERPRISE]["manager"]), (200, &kept), "{body}");
            assert_eq!(changed.header("etag"), "W/\"1\"", "nothing changed: {body}");
        }
        let only_an_address = json!({
            "schemas": [USER, ENTERPRISE], "userName": "bob",
            ENTERPRISE: { "manager": { "$ref": "https://evil.example/Users/1" } },
        });
        let made = world.call("POST", "/Users", &only_an_address).await;
        assert_eq!((made.status.as_u16(), &made.body["schemas"]), (201, &json!([USER])));
        assert_eq!(made.body.get(ENTERPRISE), None);
    });
}

//! PATCH (RFC 7644 §3.5.2) as nobody should send it, and what is answered.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{ENTERPRISE, PATCH, World};

fn operations(operations: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}

/// Sends one operation; gives status and keyword.
async fn patch(world: &World, path: &str, operation: &Value) -> (u16, Value) {
    let answer = world.call("PATCH", path, &operations(&json!([operation]))).await;
    (answer.status.as_u16(), answer.body.get("scimType").cloned().unwrap_or_default())
}

/// A user with a bit of everything; gives its address.
async fn ann(world: &World) -> String {
    let body = json!({
        "schemas": [crate::world::USER, ENTERPRISE], "userName": "ann", "title": "T", "active": true,
        "emails": [{ "type": "work", "value": "a@x" }], ENTERPRISE: { "department": "D" },
    });
    format!("/Users/{}", world.call("POST", "/Users", &body).await.id())
}

#[test]
fn sp_01_sp_02_paths_that_are_none() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = ann(&world).await;
        let before = world.get(&path).await.body;
        let long = "x".repeat(10 << 10);
        let deep = ["(", "not (", "a."].map(|part| part.repeat(10_000));
        let bracketed = format!("emails[{}type eq \"work\"]", "(".repeat(2_000));
        for bad in [
            "emails[",
            "emails]",
            "name..x",
            "name.",
            ".name",
            "urn:",
            "",
            "a b",
            "emails[type eq \"work\"",
            "emails[]",
            "emails[emails[type eq \"work\"]]",
            "emails[type eq \"work\"].value.x",
            "nothing",
            "emails.nothing",
            "/userName",
            "user name",
            "__proto__.x",
            &long,
            &deep[0],
            &deep[1],
            &deep[2],
            &bracketed,
        ] {
            for op in ["add", "replace", "remove"] {
                let told = patch(&world, &path, &json!({ "op": op, "path": bad, "value": "x" })).await;
                assert_eq!(told, (400, json!("invalidPath")), "{op} {bad:.40}");
            }
        }
        assert_eq!(world.get(&path).await.body, before);
    });
}

#[test]
fn sp_03_sp_04_targets_that_are_not_there_or_not_to_be_removed() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = ann(&world).await;
        let before = world.get(&path).await.body;
        for (operation, expected) in [
            (json!({ "op": "replace", "path": "emails[type eq \"nope\"].value", "value": "b@x" }), "noTarget"),
            (json!({ "op": "remove" }), "noTarget"),
            (json!({ "op": "remove", "value": { "title": "T" } }), "noTarget"),
            (json!({ "op": "remove", "path": "userName" }), "mutability"),
            (json!({ "op": "remove", "path": "id" }), "mutability"),
            (json!({ "op": "remove", "path": "meta" }), "mutability"),
            (json!({ "op": "remove", "path": "groups" }), "mutability"),
            (json!({ "op": "replace", "path": "userName", "value": "" }), "invalidValue"),
        ] {
            assert_eq!(patch(&world, &path, &operation).await, (400, json!(expected)), "{operation}");
        }
        assert_eq!(world.get(&path).await.body, before);
    });
}

#[test]
fn sp_06_operations_in_any_case_and_no_others() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = ann(&world).await;
        for (op, expected) in [
            (json!("Add"), 200),
            (json!("REPLACE"), 200),
            (json!("rEMOVE"), 200),
            (json!("move"), 400),
            (json!("test"), 400),
            (json!(""), 400),
            (json!(1), 400),
            (Value::Null, 400),
        ] {
            let (status, keyword) = patch(&world, &path, &json!({ "op": op, "path": "title", "value": "U" })).await;
            let refused = if expected == 400 { json!("invalidSyntax") } else { Value::Null };
            assert_eq!((status, keyword), (expected, refused), "{op}");
        }
        assert_eq!(patch(&world, &path, &json!({ "path": "title", "value": "V" })).await.0, 400);
    });
}

#[test]
fn sp_07_adding_members_without_a_path_removes_nobody() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let group = world.group("G", &[&ann]).await;
        let path = format!("/Groups/{group}");
        let add = json!({ "op": "add", "value": { "members": [{ "value": bob }] } });
        assert_eq!(patch(&world, &path, &add).await.0, 200);
        assert_eq!(world.members(&group).await, [ann, bob]);
    });
}

#[test]
fn sp_10_what_is_so_already_is_no_change() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = ann(&world).await;
        let bob = world.user("bob").await;
        let group = format!("/Groups/{}", world.group("G", &[]).await);
        for (path, operation) in [
            (&user, json!({ "op": "replace", "path": "title", "value": "U" })),
            (&user, json!({ "op": "add", "path": "emails", "value": [{ "type": "home", "value": "h@x" }] })),
            (&group, json!({ "op": "add", "path": "members", "value": [{ "value": bob }] })),
            (&group, json!({ "op": "replace", "path": "members", "value": [{ "value": bob }] })),
            (&group, json!({ "op": "remove", "path": "members", "value": [{ "value": bob }] })),
        ] {
            patch(&world, path, &operation).await;
            let (before, rows) = (world.get(path).await, world.changes().await.len());
            assert!(patch(&world, path, &operation).await.0 < 300);
            let after = world.get(path).await;
            assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body), "{operation}");
            assert_eq!(world.changes().await.len(), rows, "{operation}");
        }
    });
}

#[test]
fn sp_13_paths_of_extensions() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = ann(&world).await;
        for (named, value, pointer) in [
            (format!("{ENTERPRISE}:manager.value"), "m1", "/manager/value"),
            (format!("{}:Department", ENTERPRISE.to_uppercase()), "E", "/department"),
            (format!("{ENTERPRISE}:costCenter"), "C", "/costCenter"),
        ] {
            let operation = json!({ "op": "replace", "path": named, "value": value });
            assert_eq!(patch(&world, &path, &operation).await.0, 200, "{named}");
            assert_eq!(world.get(&path).await.body[ENTERPRISE].pointer(pointer), Some(&json!(value)), "{named}");
        }
        for unknown in ["urn:ietf:params:scim:schemas:extension:nobody:2.0:User:x", "urn:x:y", "http://x/y:z"] {
            let told = patch(&world, &path, &json!({ "op": "add", "path": unknown, "value": "x" })).await;
            assert_eq!(told, (400, json!("invalidPath")), "{unknown}");
        }
    });
}

#[test]
fn sp_15_what_is_the_servers_to_say() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = ann(&world).await;
        let before = world.get(&path).await.body;
        for named in ["id", "ID", "meta", "meta.location", "meta.version", "groups", "groups.value"] {
            for op in ["add", "replace"] {
                let told = patch(&world, &path, &json!({ "op": op, "path": named, "value": "x" })).await;
                assert_eq!(told, (400, json!("mutability")), "{op} {named}");
            }
        }
        // Nobody signs in with a password here, so there is no right to set one, and nothing is kept.
        assert_eq!(patch(&world, &path, &json!({ "op": "add", "path": "password", "value": "x" })).await.0, 200);
        assert_eq!(world.get(&path).await.body, before);
    });
}

#[test]
fn a_path_that_leads_nowhere_is_told_whatever_the_id() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let known = ann(&world).await;
        for (operation, expected) in [
            (json!({ "op": "replace", "path": "nope", "value": "x" }), (400, json!("invalidPath"))),
            (json!({ "op": "remove", "path": "name.nope" }), (400, json!("invalidPath"))),
            (json!({ "op": "remove", "path": "name[givenName eq \"x\"]" }), (400, json!("invalidPath"))),
            (json!({ "op": "remove", "path": ENTERPRISE.replace("User", "Other:x") }), (400, json!("invalidPath"))),
            (json!({ "op": "remove", "path": "emails[nope eq \"x\"]" }), (400, json!("invalidFilter"))),
            (json!({ "op": "remove", "path": "emails[primary gt true]" }), (400, json!("invalidFilter"))),
            (json!({ "op": "remove" }), (400, json!("noTarget"))),
        ] {
            for path in [known.as_str(), "/Users/0198c2a4-7d1e-7aaa-8bbb-0123456789ab", "/Users/nobody"] {
                assert_eq!(patch(&world, path, &operation).await, expected, "{path} {operation}");
            }
        }
        for path in ["/Users/0198c2a4-7d1e-7aaa-8bbb-0123456789ab", "/Users/nobody"] {
            for operation in [
                json!({ "op": "replace", "path": "title", "value": "x" }),
                json!({ "op": "remove", "path": "emails[type eq \"work\"].value" }),
                json!({ "op": "remove", "path": ENTERPRISE }),
                json!({ "op": "add", "value": { "title": "x" } }),
            ] {
                assert_eq!(patch(&world, path, &operation).await.0, 404, "{path} {operation}");
            }
        }
    });
}

#[test]
fn sp_16_active_as_text() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = ann(&world).await;
        for (value, expected) in [("False", false), ("True", true), ("false", false), ("TRUE", true)] {
            assert_eq!(
                patch(&world, &path, &json!({ "op": "replace", "path": "active", "value": value })).await.0,
                200
            );
            assert_eq!(world.get(&path).await.body["active"], json!(expected), "{value}");
        }
        let told = patch(&world, &path, &json!({ "op": "replace", "path": "active", "value": "no" })).await;
        assert_eq!(told, (400, json!("invalidValue")));
    });
}

//! Paths and operations of a PATCH (SP-01 to SP-04, SP-06, SP-07, SP-10, SP-13, SP-15, SP-16).

use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::{check_refused, operations};
use crate::world::{Answer, ENTERPRISE, PATCH, USER, World};

async fn ann(world: &World) -> String {
    let body = json!({
        "schemas": [USER], "userName": "ann", "active": true, "title": "T", "name": { "givenName": "A" },
        "emails": [{ "value": "a@x", "type": "work", "primary": true }], ENTERPRISE: { "department": "D", "manager": { "value": "u9" } },
    });
    format!("/Users/{}", world.call("POST", "/Users", &body).await.id())
}

async fn patch(world: &World, path: &str, change: &Value) -> Answer {
    world.call("PATCH", path, &operations(&json!([change]))).await
}

/// Checks that each of these paths is refused, whatever is to be done there, and that nothing changes.
async fn check_paths(world: &World, paths: &[String], scim_type: &str) {
    let user = ann(world).await;
    let before = world.get(&user).await.body;
    for at in paths {
        for op in ["add", "replace", "remove"] {
            let good = json!({ "op": "replace", "path": "title", "value": "changed" });
            let bad = json!({ "op": op, "path": at, "value": "x" });
            let answer = world.call("PATCH", &user, &operations(&json!([good, bad]))).await;
            check_refused(&format!("{op} {at:.60}"), &answer, scim_type);
        }
    }
    assert_eq!(world.get(&user).await.body, before);
    world.call("DELETE", &user, &Value::Null).await;
}

/// Paths that follow no grammar, or name nothing.
const MALFORMED: &[&str] = &[
    "emails[",
    "emails]",
    "emails[]",
    "emails[type]",
    "emails[type eq]",
    "emails[type eq \"work\"",
    "emails[type eq \"work\"]]",
    "emails[type eq \"work\"].",
    "emails[type eq \"work\"]value",
    "emails[type eq \"work\"].value.x",
    "emails[emails[type eq \"work\"]]",
    "emails[[type eq \"work\"]]",
    "[type eq \"work\"]",
    "name..x",
    ".name",
    "name.",
    "name.givenName.x",
    "urn:",
    "urn",
    "urn::userName",
    "urn:ietf:params:scim:schemas:core:2.0:User:",
    "",
    " ",
    "a b",
    "title,nickName",
    "title;x",
    "/title",
    "title/",
    "$.title",
    "title\n",
    "title\u{0b}",
    "тitle",
    "title\\",
    "\"title\"",
    "'title'",
    "nope",
    "name.nope",
    "emails.nope",
    "title[value eq \"x\"]",
    "title.x",
    "active.value",
    "name[givenName eq \"A\"]",
    "__proto__",
    "constructor.prototype",
    "${title}",
    "*",
    "emails[*]",
    "emails[0]",
    "emails.0",
];

#[test]
fn sp_01_a_malformed_path_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let mut paths: Vec<String> = MALFORMED.iter().map(|path| (*path).to_owned()).collect();
        paths.push("x".repeat(10_240));
        paths.push(format!("emails[type eq \"{}\"]", "x".repeat(10_240)));
        check_paths(&world, &paths, "invalidPath").await;
        let compared = ["emails[nope eq \"x\"]", "emails[password pr].value", "emails[primary gt true]"];
        check_paths(&world, &compared.map(str::to_owned), "invalidFilter").await;
        let user = ann(&world).await;
        for at in [json!(5), json!(["title"]), json!({ "x": 1 }), json!(true)] {
            check_refused(
                &at.to_string(),
                &patch(&world, &user, &json!({ "op": "add", "path": at, "value": "x" })).await,
                "invalidPath",
            );
        }
    });
}

#[test]
fn sp_02_a_deep_path_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let parts = [".", "a.", "(", "not (", "emails[", "emails[type eq \"x\" and (", "emails[not (", "urn:", "["];
        let mut paths: Vec<String> =
            parts.iter().flat_map(|part| [part.repeat(8000 / part.len()), part.repeat(10_000)]).collect();
        paths.extend(["(", "not ("].map(|open| format!("emails[{}type pr{}]", open.repeat(33), ")".repeat(33))));
        paths.push(format!("emails[{}]", vec!["type pr"; 201].join(" or ")));
        check_paths(&world, &paths, "invalidPath").await;
    });
}

#[test]
fn sp_03_what_is_not_there_is_not_replaced() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let paths: Vec<String> = [
            "emails[type eq \"nope\"].value",
            "emails[value eq \"b@x\"].type",
            "emails[value co \"zzz\"].value",
            "emails[type ne \"work\"].value",
            "emails[not (type eq \"work\")].value",
            "emails[type eq \"work\" or type eq \"nope\" and value eq \"q\" and primary eq false].display",
            "phoneNumbers[value pr].type",
            "emails[value sw \"q\"]",
        ]
        .map(str::to_owned)
        .into();
        let user = ann(&world).await;
        let before = world.get(&user).await.body;
        for at in paths.iter().filter(|at| !at.contains(" or ")) {
            let answer = patch(&world, &user, &json!({ "op": "replace", "path": at, "value": "x" })).await;
            check_refused(at, &answer, "noTarget");
        }
        assert_eq!(world.get(&user).await.body, before);
    });
}

#[test]
fn sp_04_what_cannot_be_removed() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = ann(&world).await;
        let group = format!("/Groups/{}", world.group("G", &[]).await);
        for (target, change, expected) in [
            (&user, json!({ "op": "remove" }), "noTarget"),
            (&user, json!({ "op": "remove", "value": { "title": "T" } }), "noTarget"),
            (&user, json!({ "op": "remove", "path": null }), "noTarget"),
            (&user, json!({ "op": "remove", "path": "userName" }), "mutability"),
            (&user, json!({ "op": "remove", "path": "USERNAME" }), "mutability"),
            (&user, json!({ "op": "remove", "path": format!("{USER}:userName") }), "mutability"),
            (&user, json!({ "op": "remove", "path": "id" }), "mutability"),
            (&user, json!({ "op": "remove", "path": "meta.version" }), "mutability"),
            (&user, json!({ "op": "remove", "path": USER }), "invalidPath"),
            (&group, json!({ "op": "remove" }), "noTarget"),
            (&group, json!({ "op": "remove", "path": "displayName" }), "mutability"),
        ] {
            check_refused(&change.to_string(), &patch(&world, target, &change).await, expected);
        }
        let swapped = operations(
            &json!([{ "op": "remove", "path": "userName" }, { "op": "add", "path": "userName", "value": "bob" }]),
        );
        let answer = world.call("PATCH", &user, &swapped).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["userName"]),
            (200, &json!("bob")),
            "what is there in the end counts"
        );
    });
}

#[test]
fn sp_06_an_operation_is_one_of_three() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = ann(&world).await;
        for op in ["add", "Add", "ADD", "aDD", "replace", "Replace", "REPLACE"] {
            let answer = patch(&world, &user, &json!({ "op": op, "path": "title", "value": op })).await;
            assert_eq!((answer.status.as_u16(), &answer.body["title"]), (200, &json!(op)));
        }
        assert_eq!(patch(&world, &user, &json!({ "OP": "REMOVE", "Path": "Title" })).await.body.get("title"), None);
        for op in [
            json!("move"),
            json!("copy"),
            json!("test"),
            json!("delete"),
            json!("set"),
            json!(""),
            json!(" add"),
            json!("add "),
            json!("ａdd"),
            json!(5),
            json!(null),
            json!(["add"]),
            json!({}),
        ] {
            check_refused(
                &op.to_string(),
                &patch(&world, &user, &json!({ "op": op, "path": "title", "value": "x" })).await,
                "invalidSyntax",
            );
        }
        check_refused("none", &patch(&world, &user, &json!({ "path": "title", "value": "x" })).await, "invalidSyntax");
        for message in [
            json!({}),
            json!({ "Operations": null }),
            json!({ "Operations": {} }),
            json!({ "Operations": "x" }),
            json!({ "Operations": [1] }),
            json!({ "Operations": [null] }),
            json!({ "Operations": [[]] }),
        ] {
            let mut body = message;
            body["schemas"] = json!([PATCH]);
            check_refused(&body.to_string(), &world.call("PATCH", &user, &body).await, "invalidSyntax");
        }
    });
}

#[test]
fn sp_07_adding_members_leaves_those_there_are() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        for change in [
            json!({ "op": "add", "value": { "members": [{ "value": bob }] } }),
            json!({ "op": "Add", "value": { "MEMBERS": [bob] } }),
            json!({ "op": "add", "value": { "members": { "value": bob } } }),
            json!({ "op": "add", "value": { "urn:ietf:params:scim:schemas:core:2.0:Group:members": [{ "value": bob }] } }),
            json!({ "op": "add", "value": { "urn:ietf:params:scim:schemas:core:2.0:Group": { "members": [{ "value": bob }] } } }),
            json!({ "op": "add", "path": "members", "value": [{ "value": bob }] }),
        ] {
            let group = world.group("G", &[&ann]).await;
            let expected = if change["op"] == "Add" { 204 } else { 200 };
            assert_eq!(patch(&world, &format!("/Groups/{group}"), &change).await.status.as_u16(), expected, "{change}");
            assert_eq!(world.members(&group).await, [ann.as_str(), bob.as_str()], "{change}");
        }
    });
}

#[test]
fn sp_10_the_same_change_twice_is_one_change() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = ann(&world).await;
        let bob = world.user("bob").await;
        let group = format!("/Groups/{}", world.group("G", &[]).await);
        for (target, change) in [
            (&user, json!({ "op": "replace", "path": "title", "value": "New" })),
            (&user, json!({ "op": "add", "path": "emails", "value": [{ "value": "b@x", "type": "home" }] })),
            (&user, json!({ "op": "add", "path": "emails[type eq \"other\"].value", "value": "c@x" })),
            (&user, json!({ "op": "replace", "path": "active", "value": "False" })),
            (&user, json!({ "op": "replace", "value": { "name": { "familyName": "F" }, "manager": "u7" } })),
            (&user, json!({ "op": "remove", "path": "emails[type eq \"home\"]" })),
            (&user, json!({ "op": "remove", "path": "title" })),
            (&group, json!({ "op": "add", "path": "members", "value": [{ "value": bob }] })),
            (&group, json!({ "op": "replace", "path": "members", "value": [{ "value": bob }] })),
            (&group, json!({ "op": "replace", "path": "externalId", "value": "x" })),
            (&group, json!({ "op": "remove", "path": "members", "value": [{ "value": bob }] })),
        ] {
            let first = patch(&world, target, &change).await;
            let before = world.changes().await;
            for _ in 0..2 {
                let again = patch(&world, target, &change).await;
                assert_eq!((again.status, again.header("etag")), (first.status, first.header("etag")), "{change}");
                assert_eq!(again.body, first.body, "{change}");
            }
            assert_eq!(world.changes().await, before, "{change}: nothing to hear of");
        }
    });
}

#[test]
fn sp_13_an_extensions_path_is_resolved_exactly() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = ann(&world).await;
        for (number, at) in [
            format!("{ENTERPRISE}:manager.value"),
            format!("{ENTERPRISE}:manager"),
            format!("{}:MANAGER.VALUE", ENTERPRISE.to_uppercase()),
            format!("{ENTERPRISE}.manager"),
            format!("{ENTERPRISE}.manager.value"),
            "manager.value".to_owned(),
            "manager".to_owned(),
        ]
        .into_iter()
        .enumerate()
        {
            let value = format!("m{number}");
            let answer = patch(&world, &user, &json!({ "op": "replace", "path": at, "value": value })).await;
            assert_eq!(answer.body[ENTERPRISE], json!({ "department": "D", "manager": { "value": value } }), "{at}");
        }
        let short = &ENTERPRISE[..ENTERPRISE.len() - 1];
        let paths = [
            "urn:x:y:z:User:manager".to_owned(),
            format!("{ENTERPRISE}:nope"),
            format!("{ENTERPRISE}:manager.nope"),
            format!("{ENTERPRISE}:manager.value.x"),
            format!("{ENTERPRISE}:userName"),
            format!("{USER}:manager"),
            format!("{USER}:department"),
            format!("{ENTERPRISE}x:manager"),
            format!("{short}:manager"),
            format!("x{ENTERPRISE}:manager"),
            ENTERPRISE.replace("2.0", "2.1") + ":manager",
            ENTERPRISE.replace("2.0", "2x0") + ":manager",
        ];
        check_paths_of(&world, &user, &paths).await;
    });
}

async fn check_paths_of(world: &World, user: &str, paths: &[String]) {
    for at in paths {
        check_refused(at, &patch(world, user, &json!({ "op": "add", "path": at, "value": "x" })).await, "invalidPath");
    }
}

#[test]
fn sp_15_no_path_leads_to_what_only_the_server_sets() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = ann(&world).await;
        let before = world.get(&user).await.body;
        for at in [
            "id",
            "ID",
            "meta",
            "meta.location",
            "meta.lastModified",
            "META.VERSION",
            "groups",
            "groups.value",
            "schemas",
            "groups[value eq \"g\"].value",
            "manager.displayName",
        ] {
            for op in ["add", "replace", "remove"] {
                check_refused(
                    at,
                    &patch(&world, &user, &json!({ "op": op, "path": at, "value": "x" })).await,
                    "mutability",
                );
            }
        }
        let group = format!("/Groups/{}", world.group("G", &[]).await);
        for at in ["id", "meta.location", "schemas"] {
            check_refused(
                at,
                &patch(&world, &group, &json!({ "op": "replace", "path": at, "value": "x" })).await,
                "mutability",
            );
        }
        assert_eq!(world.get(&user).await.body, before);
    });
}

#[test]
fn sp_16_text_that_is_a_boolean_becomes_one() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let user = ann(&world).await;
        for (change, pointer, expected) in [
            (json!({ "op": "replace", "path": "active", "value": "False" }), "/active", false),
            (json!({ "op": "replace", "path": "active", "value": "True" }), "/active", true),
            (json!({ "op": "replace", "value": { "active": "false" } }), "/active", false),
            (json!({ "op": "add", "value": { format!("{USER}:active"): "TRUE" } }), "/active", true),
            (
                json!({ "op": "replace", "path": "emails[type eq \"work\"].primary", "value": "False" }),
                "/emails/0/primary",
                false,
            ),
            (
                json!({ "op": "replace", "path": "emails[type eq \"work\"]", "value": { "primary": "True" } }),
                "/emails/0/primary",
                true,
            ),
        ] {
            let answer = patch(&world, &user, &change).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body.pointer(pointer)),
                (200, Some(&json!(expected))),
                "{change}: {}",
                answer.body
            );
            assert_eq!(world.get(&user).await.body.pointer(pointer), Some(&json!(expected)), "kept as a boolean");
        }
        let inactive = patch(&world, &user, &json!({ "op": "replace", "path": "active", "value": "fAlSe" })).await;
        assert_eq!(inactive.body["active"], false);
        assert_eq!(world.get("/Users?filter=active+eq+false").await.body["totalResults"], 1, "and found as one");
    });
}

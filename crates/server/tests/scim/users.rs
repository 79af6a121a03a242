//! Users: the forms in which clients create, change and delete them.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{ENTERPRISE, PATCH, PUBLIC, Row, USER, World, patch_row};

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
fn forms_of_creating() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let row = |name, body, status, expected| Row { name, method: "POST", path: "/Users", body, status, expected };
        let user = |name: &str, more: Value| {
            let mut body = json!({ "schemas": [USER], "userName": name });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for row in [
            row(
                "explicit nulls",
                user("n1", json!({ "title": null, "manager": null, "addresses": null })),
                201,
                vec![("/title", Value::Null)],
            ),
            row(
                "unknown attributes",
                user("n2", json!({ "favouriteColour": "red" })),
                201,
                vec![("/favouriteColour", Value::Null)],
            ),
            row("active as text", user("n3", json!({ "active": "True" })), 201, vec![("/active", json!(true))]),
            row(
                "roles with primary as text",
                user("n4", json!({ "roles": [{ "primary": "True", "value": "x" }] })),
                201,
                vec![("/roles/0/primary", json!(true))],
            ),
            row(
                "manager as object",
                user("n5", json!({ ENTERPRISE: { "manager": { "value": "u9" } } })),
                201,
                vec![("/schemas/1", json!(ENTERPRISE))],
            ),
            row("manager as text", user("n6", json!({ ENTERPRISE: { "manager": "u9" } })), 201, vec![]),
            row(
                "id and meta from the client",
                user("n7", json!({ "id": "mine", "meta": { "version": "W/\"9\"" } })),
                201,
                vec![("/meta/version", json!("W/\"1\""))],
            ),
            row(
                "a password is not answered",
                user("n8", json!({ "password": "secret" })),
                201,
                vec![("/password", Value::Null)],
            ),
            row(
                "names in any case",
                json!({ "Schemas": [USER], "USERNAME": "n9", "DisplayName": "D" }),
                201,
                vec![("/userName", json!("n9")), ("/displayName", json!("D"))],
            ),
            row("a URN nobody knows", json!({ "schemas": [USER, "urn:example:x"], "userName": "n10" }), 201, vec![]),
            row("the same name in another case", user("N10", json!({})), 409, vec![("/scimType", json!("uniqueness"))]),
            row("the same name in full width", user("ｎ１０", json!({})), 409, vec![]),
            row("no userName", json!({ "schemas": [USER] }), 400, vec![("/scimType", json!("invalidValue"))]),
            row("an empty userName", user("", json!({})), 400, vec![("/scimType", json!("invalidValue"))]),
            row("a blank userName", user("   ", json!({})), 400, vec![]),
            row("a ligature in userName", user("\u{fb01}nn", json!({})), 400, vec![]),
            row("no schemas", json!({ "userName": "n11" }), 400, vec![("/scimType", json!("invalidSyntax"))]),
            row("another schema", json!({ "schemas": ["urn:evil:1.0:User"], "userName": "n11" }), 400, vec![]),
            row("active that is no boolean", user("n11", json!({ "active": "maybe" })), 400, vec![]),
            row("1,024 bytes", user(&"x".repeat(1024), json!({})), 201, vec![]),
            row("1,025 bytes", user(&"x".repeat(1025), json!({})), 400, vec![]),
            row("72 of the same bytes", user(&"x".repeat(72), json!({})), 201, vec![]),
            row("73 of the same bytes", user(&"x".repeat(73), json!({})), 201, vec![]),
        ] {
            world.check("", row).await;
        }
    });
}

#[test]
fn forms_of_patching() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.call("POST", "/Users", &entra_user("ada@contoso.example")).await.id();
        let op = |name, operation, expected| patch_row(name, "/Users/{id}", operation, expected);
        let manager = format!("{ENTERPRISE}:manager");
        let manager_value = "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/manager/value";
        for row in [
            op(
                "replace with path",
                json!({ "op": "Replace", "path": "displayName", "value": "A" }),
                ("/displayName", json!("A")),
            ),
            op(
                "a sub-attribute",
                json!({ "op": "Replace", "path": "name.familyName", "value": "B" }),
                ("/name/familyName", json!("B")),
            ),
            op(
                "a filtered element",
                json!({ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "a2@x" }),
                ("/emails/0", json!({ "primary": true, "type": "work", "value": "a2@x" })),
            ),
            op(
                "a filtered element that is absent",
                json!({ "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1" }),
                ("/phoneNumbers", json!([{ "type": "mobile", "value": "1" }])),
            ),
            op(
                "the same by replace",
                json!({ "op": "Replace", "path": "addresses[type eq \"work\"].locality", "value": "L" }),
                ("/addresses", json!([{ "type": "work", "locality": "L" }])),
            ),
            op(
                "a quoted True in a filter",
                json!({ "op": "add", "path": "roles[primary eq \"True\"].value", "value": "R" }),
                ("/roles", json!([{ "primary": true, "value": "R" }])),
            ),
            op(
                "an extension by colon",
                json!({ "op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "R&D" }),
                ("/schemas/1", json!(ENTERPRISE)),
            ),
            op(
                "pathless with dots and URNs",
                json!({ "op": "replace", "value": { "displayName": "C", "name.givenName": "D", format!("{ENTERPRISE}:employeeNumber"): "8" } }),
                ("/name/givenName", json!("D")),
            ),
            op(
                "disable with text",
                json!({ "op": "Replace", "path": "active", "value": "False" }),
                ("/active", json!(false)),
            ),
            op(
                "enable with a boolean",
                json!({ "op": "replace", "path": "active", "value": true }),
                ("/active", json!(true)),
            ),
            op(
                "disable without path",
                json!({ "op": "replace", "value": { "active": false } }),
                ("/active", json!(false)),
            ),
            op("manager as text", json!({ "op": "Add", "path": manager, "value": "u9" }), (manager_value, json!("u9"))),
            op(
                "manager as object",
                json!({ "op": "Replace", "path": manager, "value": { "value": "u8" } }),
                (manager_value, json!("u8")),
            ),
            op(
                "manager as list, old form",
                json!({ "op": "Add", "path": "manager", "value": [{ "$ref": "https://h/Users/u7", "value": "u7" }] }),
                (manager_value, json!("u7")),
            ),
            op(
                "manager cleared by empty text",
                json!({ "op": "Replace", "path": manager, "value": "" }),
                (manager_value, Value::Null),
            ),
            op(
                "userName without path",
                json!({ "op": "replace", "value": { "userName": "n" } }),
                ("/userName", json!("n")),
            ),
            op(
                "null clears",
                json!({ "op": "replace", "path": "displayName", "value": null }),
                ("/displayName", Value::Null),
            ),
            op("remove", json!({ "op": "Remove", "path": "name.givenName" }), ("/name/givenName", Value::Null)),
            op(
                "a password leaves no trace",
                json!({ "op": "replace", "path": "password", "value": "x" }),
                ("/password", Value::Null),
            ),
        ] {
            world.check(&id, row).await;
        }
        for (name, operation, scim_type) in [
            ("an unknown attribute", json!({ "op": "replace", "path": "nope", "value": 1 }), "invalidPath"),
            ("remove without path", json!({ "op": "remove" }), "noTarget"),
            ("a readOnly attribute", json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
            ("groups of a user", json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), "mutability"),
            ("no userName", json!({ "op": "remove", "path": "userName" }), "invalidValue"),
            ("an unknown operation", json!({ "op": "move", "path": "title", "value": "x" }), "invalidSyntax"),
        ] {
            let row = patch_row(name, "/Users/{id}", operation, ("/scimType", json!(scim_type)));
            world.check(&id, Row { status: 400, ..row }).await;
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
        let absent = world.call("PUT", "/Users/0198c2a4-7d1e-7aaa-8bbb-0123456789ab", &ann);
        assert_eq!(absent.await.status.as_u16(), 404);
    });
}

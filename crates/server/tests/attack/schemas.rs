//! What a body says it is, and what nobody but the server says (SS-01 to SS-07, SS-11, SS-14 to SS-18).

use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::{check_refused, count, encoded, operations, user};
use crate::world::{ENTERPRISE, GROUP, PUBLIC, USER, World};

#[test]
fn ss_01_a_body_follows_the_schema_of_its_address() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ann").await;
        for schemas in [
            json!(["urn:evil:1.0:User"]),
            json!([GROUP]),
            json!([ENTERPRISE]),
            json!([format!("{USER}:x")]),
            json!([&USER[..USER.len() - 1]]),
            json!([]),
            json!(null),
            json!(""),
            json!(USER),
            json!({ "0": USER }),
            json!([[USER]]),
            json!([null]),
            json!([5]),
        ] {
            let body = json!({ "schemas": schemas, "userName": "bob" });
            for (method, path) in [("POST", "/Users".to_owned()), ("PUT", format!("/Users/{id}"))] {
                check_refused(&format!("{method} {schemas}"), &world.call(method, &path, &body).await, "invalidSyntax");
            }
            let patch = json!({ "schemas": schemas, "Operations": [] });
            let answer = world.call("PATCH", &format!("/Users/{id}"), &patch).await;
            check_refused(&format!("PATCH {schemas}"), &answer, "invalidSyntax");
        }
        check_refused("none", &world.call("POST", "/Users", &json!({ "userName": "bob" })).await, "invalidSyntax");
        assert_eq!(count(&world).await, 1);
        let shouted = json!({ "schemas": [USER.to_uppercase()], "userName": "bob" });
        assert_eq!(world.call("POST", "/Users", &shouted).await.status.as_u16(), 201, "a URN compares without case");
    });
}

#[test]
fn ss_02_an_extension_counts_by_its_object_at_every_door() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let object = json!({ "department": "D" });
        let undeclared = json!({ "schemas": [USER], "userName": "ann", ENTERPRISE: object });
        let empty = json!({ "schemas": [USER, ENTERPRISE], "userName": "ann" });
        let made = world.call("POST", "/Users", &undeclared).await;
        assert_eq!((&made.body[ENTERPRISE], &made.body["schemas"]), (&object, &json!([USER, ENTERPRISE])));
        let path = format!("/Users/{}", made.id());
        for (name, method, body, held) in [
            ("declared and not there", "PUT", empty, None),
            ("not declared and there", "PUT", undeclared, Some(&object)),
            (
                "an empty object",
                "PUT",
                json!({ "schemas": [USER, ENTERPRISE], "userName": "ann", ENTERPRISE: {} }),
                None,
            ),
            (
                "by a PATCH, which declares nothing",
                "PATCH",
                operations(&json!([{ "op": "add", "value": { ENTERPRISE: object } }])),
                Some(&object),
            ),
            ("removed by a PATCH", "PATCH", operations(&json!([{ "op": "remove", "path": ENTERPRISE }])), None),
            (
                "with nothing that is known",
                "PUT",
                json!({ "schemas": [USER, ENTERPRISE], "userName": "ann", ENTERPRISE: { "nope": 1 } }),
                None,
            ),
        ] {
            let answer = world.call(method, &path, &body).await;
            assert_eq!((answer.status.as_u16(), answer.body.get(ENTERPRISE)), (200, held), "{name}");
            let urns = if held.is_some() { json!([USER, ENTERPRISE]) } else { json!([USER]) };
            assert_eq!(answer.body["schemas"], urns, "{name}");
            assert_eq!(world.get(&path).await.body, answer.body, "{name}");
        }
    });
}

#[test]
fn ss_03_what_the_server_sets_no_client_sets() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = world.user("ann").await;
        let group = world.group("G", &[]).await;
        let set = json!({
            "schemas": [USER], "userName": "bob", "id": ann, "groups": [{ "value": group }],
            "meta": { "created": "1999-01-01T00:00:00Z", "lastModified": "1999-01-01T00:00:00Z", "version": "W/\"99\"", "location": "https://evil.example/x", "resourceType": "Admin" },
        });
        let made = world.call("POST", "/Users", &set).await;
        let (id, path) = (made.id(), format!("/Users/{}", made.id()));
        assert_ne!(id, ann);
        assert_eq!(made.body["meta"]["location"], format!("{PUBLIC}/t/contoso/scim/v2{path}"));
        assert_eq!(
            (&made.body["meta"]["version"], &made.body["meta"]["resourceType"]),
            (&json!("W/\"1\""), &json!("User"))
        );
        assert_eq!((made.body.get("groups"), made.body["meta"]["created"] == "1999-01-01T00:00:00Z"), (None, false));
        let put = world.call("PUT", &path, &set).await;
        assert_eq!((put.status.as_u16(), &put.body), (200, &made.body), "the same again changes nothing");
        for at in [
            "id",
            "schemas",
            "meta",
            "meta.created",
            "meta.version",
            "meta.location",
            "meta.resourceType",
            "groups",
            "groups.value",
            "groups[value eq \"x\"]",
            "groups[value eq \"x\"].display",
        ] {
            for op in ["add", "replace", "remove"] {
                for name in [at.to_owned(), format!("{USER}:{at}"), at.to_uppercase().replace(" EQ \"X\"", " eq \"x\"")]
                {
                    let change = operations(&json!([{ "op": op, "path": name, "value": "x" }]));
                    check_refused(&format!("{op} {name}"), &world.call("PATCH", &path, &change).await, "mutability");
                }
            }
        }
        let inside = operations(
            &json!([{ "op": "replace", "value": { "id": ann, "meta": { "version": "x" }, "groups": [], "displayName": "B" } }]),
        );
        let patched = world.call("PATCH", &path, &inside).await;
        assert_eq!(
            (&patched.body["id"], &patched.body["displayName"]),
            (&json!(id), &json!("B")),
            "ignored in an object"
        );
        assert!(world.members(&group).await.is_empty());
    });
}

#[test]
fn ss_05_an_external_id_is_opaque() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let ann = world.user("ann").await;
        for (number, key) in
            ["1", "0", "admin", ann.as_str(), "../Groups", "null", "a b", "' OR 1=1", "{}"].into_iter().enumerate()
        {
            let body = user(&format!("u{number}"), "externalId", &json!(key));
            let id = world.call("POST", "/Users", &body).await.id();
            assert_eq!(
                world
                    .get(&format!("/Users/{}", if key == ann { ann.clone() } else { encoded(key) }))
                    .await
                    .status
                    .as_u16(),
                if key == ann { 200 } else { 404 },
                "{key}"
            );
            let filter = format!("/Users?filter=externalId+eq+{}", encoded(&json!(key).to_string()));
            let found = world.get(&filter).await.body;
            assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(id)), "{key}");
            assert_eq!(other.get(&filter).await.body["totalResults"], 0, "{key}");
        }
        assert_eq!(world.get(&format!("/Users/{ann}")).await.body["userName"], "ann", "an id is looked up as an id");
        for length in [1025, 10_240, 100_000] {
            let long = user("long", "externalId", &json!("x".repeat(length)));
            check_refused("long", &world.call("POST", "/Users", &long).await, "invalidValue");
        }
    });
}

#[test]
fn ss_06_a_member_cannot_become_another() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let group = world.group("G", &[&ann]).await;
        let path = format!("/Groups/{group}");
        for (at, value, expected) in [
            ("members[value eq \"{ann}\"].value", json!(bob), 400),
            ("members[value eq \"{ann}\"]", json!({ "value": bob }), 400),
            ("members[value eq \"{ann}\"].value", json!(ann), 200),
            ("members[value eq \"{ann}\"]", json!({ "value": ann }), 200),
        ] {
            let change = operations(&json!([{ "op": "replace", "path": at.replace("{ann}", &ann), "value": value }]));
            let answer = world.call("PATCH", &path, &change).await;
            assert_eq!(answer.status.as_u16(), expected, "{at} {value}: {}", answer.body);
            if expected == 400 {
                assert_eq!(answer.body["scimType"], "mutability", "{at}");
            }
        }
        assert_eq!(world.members(&group).await, [ann]);
    });
}

/// SF-21: no filter tells whether there is one.
#[test]
fn ss_07_a_password_leaves_by_no_door() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let secret = "s3cret-Passw0rd";
        let made = world.call("POST", "/Users", &user("ann", "password", &json!(secret))).await;
        let path = format!("/Users/{}", made.id());
        let put = world.call("PUT", &path, &user("ann", "PASSWORD", &json!(secret))).await;
        let change = operations(&json!([{ "op": "add", "path": format!("{USER}:password"), "value": secret }]));
        let patched = world.call("PATCH", &format!("{path}?attributes=password"), &change).await;
        for answer in [made, put, patched] {
            assert!(!answer.body.to_string().to_lowercase().contains("passw"), "{}", answer.body);
        }
        for query in [
            "attributes=password",
            "attributes=userName,password",
            "excludedAttributes=userName",
            "excludedAttributes=userName,emails",
            "attributes=PASSWORD",
        ] {
            for address in [path.as_str(), "/Users"] {
                let answer = world.get(&format!("{address}?{query}")).await;
                assert!(!answer.body.to_string().contains(secret), "{query}");
                assert!(!answer.body.to_string().contains("\"password\""), "{query}");
            }
        }
        for filter in [
            "password eq \"{}\"",
            "password sw \"s\"",
            "password pr",
            "not (password pr)",
            "userName pr and password co \"s3\"",
            "{USER}:password eq \"{}\"",
        ] {
            let filter = filter.replace("{}", secret).replace("{USER}", USER);
            let answer = world.get(&format!("/Users?filter={}", encoded(&filter))).await;
            assert!([400, 403].contains(&answer.status.as_u16()), "{filter}: {}", answer.body);
            assert!(!answer.body.to_string().contains(secret), "{filter}");
        }
        let bad = world.call("POST", "/Users", &user("", "password", &json!(secret))).await;
        assert!(bad.status.as_u16() == 400 && !bad.body.to_string().contains(secret), "nor in an error");
    });
}

#[test]
fn ss_11_what_is_not_base64_and_what_would_run_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (attribute, value) in [
            ("x509Certificates", "not base64"),
            ("x509Certificates", "A"),
            ("x509Certificates", "AA==AA=="),
            ("x509Certificates", "AAAA\n<script>"),
            ("photos", "javascript:alert(1)"),
            ("photos", " JaVaScRiPt:alert(1)"),
            ("photos", "java\nscript:alert(1)"),
            ("photos", "\u{1}javascript:alert(1)"),
            ("photos", "vbscript:x"),
            ("photos", "data:text/html,<script>alert(1)</script>"),
        ] {
            let body = user("bob", attribute, &json!([{ "value": value }]));
            check_refused(value, &world.call("POST", "/Users", &body).await, "invalidValue");
        }
        let profile = user("bob", "profileUrl", &json!("javascript:alert(1)"));
        check_refused("profileUrl", &world.call("POST", "/Users", &profile).await, "invalidValue");
        for (attribute, value) in [
            ("x509Certificates", "AAECAw=="),
            ("photos", "https://x.example/p.png"),
            ("photos", "data:image/png;base64,AA=="),
        ] {
            let body = user(&format!("ok-{}", value.len()), attribute, &json!([{ "value": value }]));
            assert_eq!(world.call("POST", "/Users", &body).await.status.as_u16(), 201, "{value}");
        }
    });
}

#[test]
fn ss_14_discovery_has_no_filters() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for address in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Schemas/"] {
            for query in ["filter=id+eq+%22User%22", "Filter=id+pr", "FILTER=name+eq+%22User%22"] {
                assert_eq!(world.get(&format!("{address}?{query}")).await.status.as_u16(), 403, "{address}?{query}");
            }
        }
    });
}

#[test]
fn ss_15_a_role_is_data_and_opens_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        let foreign = format!("/Users/{}", other.user("eve").await);
        for (attribute, value) in [
            ("roles", json!([{ "value": "super_admin", "primary": true }])),
            ("entitlements", json!([{ "value": "*" }])),
            ("userType", json!("admin")),
            ("active", json!(true)),
            (ENTERPRISE, json!({ "organization": "fabrikam" })),
        ] {
            let set = operations(&json!([{ "op": "replace", "value": { attribute: value } }]));
            let answer = world.call("PATCH", &path, &set).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body[attribute]),
                (200, &value),
                "{attribute} is stored as it was sent"
            );
            assert_eq!(world.get(&foreign).await.status.as_u16(), 404, "{attribute}");
            assert_eq!(world.get("/Tenants").await.status.as_u16(), 404, "{attribute}");
        }
    });
}

#[test]
fn ss_16_an_address_of_mail_proves_nothing() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let mail = json!([{ "value": "ceo@fabrikam.example", "type": "work", "primary": true, "verified": true }]);
        let theirs = other.call("POST", "/Users", &user("ceo@fabrikam.example", "emails", &mail)).await;
        let ours = world.call("POST", "/Users", &user("ceo@fabrikam.example", "emails", &mail)).await;
        assert_eq!(ours.status.as_u16(), 201, "a name is unique within its tenant");
        assert_eq!(ours.body["emails"][0].get("verified"), None);
        let filter = "/Users?filter=emails.value+eq+%22ceo@fabrikam.example%22";
        for (tenant, id) in [(&world, ours.id()), (&other, theirs.id())] {
            let found = tenant.get(filter).await.body;
            assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(id)));
        }
    });
}

#[test]
fn ss_18_nobody_is_taken_over_by_a_post() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let admin = world.call("POST", "/Users", &user("admin", "displayName", &json!("The one"))).await;
        for name in ["admin", "ADMIN", "Admin", "ａdmin"] {
            let body = json!({ "schemas": [USER], "userName": name, "id": admin.id(), "externalId": "x", "displayName": "Another", "active": false });
            let refused = world.call("POST", "/Users", &body).await;
            assert_eq!((refused.status.as_u16(), &refused.body["scimType"]), (409, &json!("uniqueness")), "{name}");
            assert!(!refused.body.to_string().contains(&admin.id()), "who holds the name is not told");
        }
        assert_eq!(world.get(&format!("/Users/{}", admin.id())).await.body, admin.body);
        assert_eq!(admin.body.get("externalId"), None::<&Value>);
    });
}

//! Resource types and extensions that a tenant defines: used like users, announced as they are, changed only as far as resources fit.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{GROUP, PATCH, USER, World};

const DEVICE: &str = "urn:example:schemas:1.0:Device";
const WARRANTY: &str = "urn:example:schemas:extension:1.0:Warranty";
const BADGE: &str = "urn:example:schemas:extension:1.0:User";

/// The worked example of the manual, and a badge for users.
fn devices() -> Value {
    let text = include_str!("../../../../docs/custom-schemas.md");
    let example =
        text.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the manual has an example");
    serde_json::from_str(example).expect("the example is JSON")
}

fn device(serial: &str) -> Value {
    json!({
        "schemas": [DEVICE], "serialNumber": serial, "externalId": "x-1", "model": "T1", "owner": { "value": "u1" },
        "tags": ["a", "b"], "pin": "1234",
    })
}

#[test]
fn the_example_of_the_manual_is_used_like_users() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        assert_eq!(world.get("/Devices").await.status.as_u16(), 404, "not before it is defined");
        world.define(&devices()).await;
        let made = world.call("POST", "/Devices", &device("S-1")).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        let path = format!("/Devices/{}", made.id());
        assert_eq!(made.body["meta"]["resourceType"], "Device");
        assert_eq!(made.body["meta"]["location"], format!("https://scim.example{}", world.address(&path)));
        assert_eq!((made.header("etag"), &made.body["pin"]), ("W/\"1\"", &Value::Null));
        let taken = world.call("POST", "/Devices", &device("s-1")).await;
        assert_eq!((taken.status.as_u16(), &taken.body["scimType"]), (409, &json!("uniqueness")));
        let with_warranty = json!({ "schemas": [DEVICE, WARRANTY], "serialNumber": "S-2", WARRANTY: { "until": "2027-01-01T00:00:00Z" } });
        let second = world.call("POST", "/Devices", &with_warranty).await;
        assert_eq!(second.body["schemas"], json!([DEVICE, WARRANTY]), "{}", second.body);
        for (query, expected) in [
            ("", 2),
            ("?filter=serialNumber+eq+%22S-1%22", 1),
            ("?filter=externalId+eq+%22x-1%22", 1),
            ("?filter=tags+eq+%22B%22", 1),
            ("?filter=owner+eq+%22u1%22", 1),
            ("?filter=urn:example:schemas:extension:1.0:Warranty:until+gt+%222026-06-01T00:00:00Z%22", 1),
            ("?filter=meta.resourceType+eq+%22Device%22", 2),
            ("?count=1&startIndex=2", 2),
        ] {
            assert_eq!(world.get(&format!("/Devices{query}")).await.body["totalResults"], expected, "{query}");
        }
        let search =
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "model eq \"t1\"" });
        assert_eq!(world.call("POST", "/Devices/.search", &search).await.body["totalResults"], 1);
        let shown = world.get(&format!("{path}?attributes=model")).await.body;
        assert_eq!(
            (&shown["model"], &shown["tags"], &shown["serialNumber"]),
            (&json!("T1"), &Value::Null, &json!("S-1"))
        );
        changed_and_deleted(&world, &path).await;
    });
}

async fn changed_and_deleted(world: &World, path: &str) {
    let fewer = json!({ "schemas": [PATCH], "Operations": [{ "op": "remove", "path": "tags", "value": ["a"] }] });
    let stale = world.request("PATCH", path).header("if-match", "W/\"7\"").header("content-type", "application/json");
    let stale = world.send(stale.body(fewer.to_string().into()).unwrap()).await;
    assert_eq!(stale.status.as_u16(), 412);
    let patched = world.call("PATCH", path, &fewer).await;
    assert_eq!(
        (patched.status.as_u16(), &patched.body["tags"], patched.header("etag")),
        (200, &json!(["b"]), "W/\"2\"")
    );
    let refused =
        json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "serialNumber", "value": "S-9" }] });
    assert_eq!(world.call("PATCH", path, &refused).await.body["scimType"], "mutability");
    assert_eq!(world.changes().await.len(), 3, "two made, one changed");
    assert_eq!(world.call("DELETE", path, &Value::Null).await.status.as_u16(), 204);
    assert_eq!(world.get(path).await.status.as_u16(), 404);
    assert_eq!(
        world.call("POST", "/Devices", &device("S-1")).await.status.as_u16(),
        201,
        "its serial number is free again"
    );
    for (method, address, status) in [
        ("PUT", "/Devices", 405),
        ("POST", path, 405),
        ("GET", "/devices", 200),
        ("POST", "/Nothing", 404),
        ("GET", "/Nothing/1", 404),
    ] {
        assert_eq!(world.call(method, address, &Value::Null).await.status.as_u16(), status, "{method} {address}");
    }
}

#[test]
fn discovery_announces_what_is_defined_to_its_tenant_alone() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        world.define(&devices()).await;
        let types = world.get("/ResourceTypes").await.body;
        assert_eq!(types["totalResults"], 3);
        assert_eq!(types["Resources"][2]["schemaExtensions"], json!([{ "schema": WARRANTY, "required": false }]));
        let device = world.get("/ResourceTypes/Device").await.body;
        assert_eq!(device["endpoint"], "/Devices");
        assert_eq!(
            device["meta"]["location"],
            format!("https://scim.example{}", world.address("/ResourceTypes/Device"))
        );
        assert_eq!(world.get("/Schemas").await.body["totalResults"], 5);
        let schema = world.get(&format!("/Schemas/{DEVICE}")).await.body;
        let attributes = schema["attributes"].as_array().unwrap();
        let find =
            |name: &str| attributes.iter().find(|attribute| attribute["name"] == name).cloned().unwrap_or_default();
        assert_eq!(
            (&find("serialNumber")["uniqueness"], &find("serialNumber")["mutability"]),
            (&json!("server"), &json!("immutable"))
        );
        assert_eq!((&find("pin")["mutability"], &find("pin")["returned"]), (&json!("writeOnly"), &json!("never")));
        for address in ["/Devices", "/ResourceTypes/Device", &format!("/Schemas/{DEVICE}")] {
            assert_eq!(other.get(address).await.status.as_u16(), 404, "{address}");
        }
        assert_eq!(other.get("/Schemas").await.body["totalResults"], 3);
    });
}

#[test]
fn an_extension_of_users_counts_like_their_own_attributes() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let badge = json!({ "id": BADGE, "attributes": [
            { "name": "number", "required": true, "uniqueness": "server", "caseExact": true },
            { "name": "seen", "type": "dateTime", "mutability": "readOnly" },
        ] });
        world.define(&badge).await;
        let user = |name: &str, badge: Value| {
            let body = json!({ "schemas": [USER], "userName": name, BADGE: badge });
            let world = world.clone();
            async move { world.call("POST", "/Users", &body).await }
        };
        assert_eq!(world.user("plain").await.len(), 36, "an optional extension may be left out");
        let made = user("ann", json!({ "number": "B1", "seen": "2026-01-01T00:00:00Z" })).await;
        assert_eq!((made.status.as_u16(), &made.body[BADGE]), (201, &json!({ "number": "B1" })), "{}", made.body);
        assert_eq!(user("bob", json!({ "number": "B1" })).await.body["scimType"], "uniqueness");
        assert_eq!(user("bob", json!({ "number": "b1" })).await.status.as_u16(), 201);
        let found = world.get(&format!("/Users?filter={BADGE}:number+eq+%22B1%22")).await.body;
        assert_eq!((&found["totalResults"], &found["Resources"][0]["userName"]), (&json!(1), &json!("ann")));
        let path = format!("/Users/{}", made.id());
        let send = |operation: Value| {
            let (world, path) = (world.clone(), path.clone());
            async move {
                world
                    .call("PATCH", &path, &json!({ "schemas": [PATCH], "Operations": [operation] }))
                    .await
                    .status
                    .as_u16()
            }
        };
        assert_eq!(send(json!({ "op": "remove", "path": format!("{BADGE}:number") })).await, 400, "it is required");
        assert_eq!(send(json!({ "op": "remove", "path": BADGE })).await, 200, "as a whole it is not");
        assert_eq!(user("cid", json!({ "number": "B1" })).await.status.as_u16(), 201, "its number is free again");
        let required = json!({ "schemas": [badge], "resourceTypes": [{ "name": "User", "schemaExtensions": [{ "schema": BADGE, "required": true }] }] });
        let refused = world.try_define(&required).await.unwrap_err().to_string();
        assert!(refused.contains("is required"), "{refused}");
    });
}

#[test]
fn a_definition_changes_only_as_far_as_resources_fit() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let with = |attributes: Value| {
            json!({
                "schemas": [{ "id": DEVICE, "attributes": attributes }],
                "resourceTypes": [{ "name": "Device", "endpoint": "/Devices", "schema": DEVICE }],
            })
        };
        world.define(&with(json!([{ "name": "a" }, { "name": "b" }]))).await;
        let mut made = Vec::new();
        for value in ["x", "X"] {
            let body = json!({ "schemas": [DEVICE], "a": value });
            made.push(world.call("POST", "/Devices", &body).await.id());
        }
        for (document, words) in [
            (json!({}), "still has resources (2); delete them first, or keep the type"),
            (with(json!([{ "name": "b" }])), "has a value of 'a' that nothing would define any more"),
            (with(json!([{ "name": "a" }, { "name": "b", "required": true }])), "'b' is required"),
            (with(json!([{ "name": "a", "type": "integer" }, { "name": "b" }])), "'a' must be a whole number"),
            (
                with(json!([{ "name": "a", "uniqueness": "server" }, { "name": "b" }])),
                "have the same value; change one first",
            ),
        ] {
            let refused = world.try_define(&document).await.map_or_else(|error| error.to_string(), |_| String::new());
            assert!(refused.contains(words), "{words}: {refused}");
        }
        assert_eq!(
            world.get("/Devices?filter=a+eq+%22x%22").await.body["totalResults"],
            2,
            "what is refused changes nothing"
        );
        let exact = with(
            json!([{ "name": "a", "uniqueness": "server", "caseExact": true }, { "name": "c", "required": false }]),
        );
        assert_eq!(world.try_define(&exact).await.unwrap(), [format!("schema {DEVICE} changes")]);
        assert_eq!(world.get("/Devices?filter=a+eq+%22x%22").await.body["totalResults"], 1, "its keys were made anew");
        let again = world.call("POST", "/Devices", &json!({ "schemas": [DEVICE], "a": "x" })).await;
        assert_eq!(again.status.as_u16(), 409, "what was there counts");
        for id in made {
            world.call("DELETE", &format!("/Devices/{id}"), &Value::Null).await;
        }
        world.define(&json!({})).await;
        assert_eq!(world.get("/Devices").await.status.as_u16(), 404);
    });
}

#[test]
fn of_sixteen_equal_values_one_is_made() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.define(&devices()).await;
        for round in 0..20 {
            let sent: Vec<_> = (0..16)
                .map(|at: usize| {
                    let (world, serial) = (world.clone(), if at.is_multiple_of(2) { "race" } else { "RACE" });
                    let body = device(&format!("{serial}-{round}"));
                    tokio::spawn(async move { world.call("POST", "/Devices", &body).await.status.as_u16() })
                })
                .collect();
            let mut statuses = Vec::new();
            for answer in sent {
                statuses.push(answer.await.unwrap());
            }
            statuses.sort_unstable();
            assert_eq!((statuses[0], &statuses[1..]), (201, &[409; 15][..]), "round {round}");
        }
    });
}

#[test]
fn a_profile_without_groups_keeps_none_and_members_are_never_devices() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.define(&devices()).await;
        let device = world.call("POST", "/Devices", &device("S-1")).await.id();
        let group = json!({ "schemas": [GROUP], "displayName": "g", "members": [{ "value": device }] });
        assert_eq!(world.call("POST", "/Groups", &group).await.body["scimType"], "invalidValue");
        assert_eq!(world.get(&format!("/Users/{device}")).await.status.as_u16(), 404, "an id is of one kind only");
    });
}

#[test]
fn a_put_leaves_no_part_of_a_value_that_needs_more() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let part = json!({ "name": "place", "type": "complex", "subAttributes": [
            { "name": "site", "mutability": "immutable" }, { "name": "desk", "required": true },
        ] });
        let attributes = json!([{ "name": "label" }, part]);
        world
            .define(&json!({
                "schemas": [{ "id": DEVICE, "attributes": attributes }, { "id": WARRANTY, "attributes": attributes }],
                "resourceTypes": [{
                    "name": "Device", "endpoint": "/Devices", "schema": DEVICE,
                    "schemaExtensions": [{ "schema": WARRANTY, "required": false }],
                }],
            }))
            .await;
        let body = |mut of: Value| {
            of["schemas"] = json!([DEVICE, WARRANTY]);
            of
        };
        let (place, other) = (json!({ "site": "S", "desk": "1" }), json!({ "desk": "2" }));
        for (held, sent, expected) in [
            (json!({ "place": place }), json!({}), 400),
            (json!({ "place": place }), json!({ "place": other }), 200),
            (json!({ "place": other }), json!({}), 200),
            (json!({ WARRANTY: { "place": place } }), json!({ WARRANTY: { "label": "L" } }), 400),
            (json!({ WARRANTY: { "place": place } }), json!({}), 400),
            (json!({ WARRANTY: { "place": place } }), json!({ WARRANTY: { "place": other } }), 200),
        ] {
            let made = world.call("POST", "/Devices", &body(held.clone())).await;
            assert_eq!(made.status.as_u16(), 201, "{}", made.body);
            let path = format!("/Devices/{}", made.id());
            let put = world.call("PUT", &path, &body(sent.clone())).await;
            assert_eq!(put.status.as_u16(), expected, "{held} then {sent}: {}", put.body);
            if expected == 400 {
                assert_eq!(put.body["scimType"], "invalidValue");
                let of = if held.get(WARRANTY).is_some() { format!("'{WARRANTY}:place") } else { "'place".to_owned() };
                assert!(put.body["detail"].as_str().unwrap().contains(&of), "{}", put.body);
            }
            let shown = world.get(&path).await.body;
            assert_eq!(world.call("PUT", &path, &shown).await.status.as_u16(), 200, "GET, then PUT: {shown}");
        }
    });
}

/// A `userName` of another schema than a user's is text, compared by its own `caseExact`.
#[test]
fn what_is_called_user_name_elsewhere_compares_as_it_is_defined() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let urn = |name: &str| format!("urn:example:schemas:1.0:{name}");
        let schema = |name: &str, exact: bool| {
            let attribute = json!({ "name": "userName", "caseExact": exact, "uniqueness": "server", "required": true });
            json!({ "id": urn(name), "attributes": [attribute] })
        };
        let kind = |name: &str| json!({ "name": name, "endpoint": format!("/{name}s"), "schema": urn(name) });
        world
            .define(&json!({
                "schemas": [schema("Exact", true), schema("Loose", false)], "resourceTypes": [kind("Exact"), kind("Loose")],
            }))
            .await;
        for (name, is_same) in [("Exact", false), ("Loose", true)] {
            let path = format!("/{name}s");
            let make = |user_name: &str| json!({ "schemas": [urn(name)], "userName": user_name });
            assert_eq!(world.call("POST", &path, &make("Ada b")).await.status.as_u16(), 201);
            let again = world.call("POST", &path, &make("ADA B")).await.status.as_u16();
            assert_eq!(again, if is_same { 409 } else { 201 }, "{name}");
            for (filter, found) in [
                ("userName+eq+%22Ada+b%22", 1),
                ("userName+eq+%22ada+b%22", i32::from(is_same)),
                ("userName+sw+%22ADA%22", 1),
                ("userName+sw+%22aDa%22", i32::from(is_same)),
                ("userName+co+%22dA%22", i32::from(is_same)),
                // Of a user these letters would be the same name.
                ("userName+eq+%22%EF%BC%A1da+b%22", 0),
            ] {
                let list = world.get(&format!("{path}?filter={filter}")).await;
                assert_eq!(list.body["totalResults"], found, "{name} {filter}");
            }
        }
        assert_eq!(
            world.call("POST", "/Exacts", &json!({ "schemas": [urn("Exact")], "userName": "Bob" })).await.status,
            201
        );
        let sorted = world.get("/Exacts?sortBy=userName").await;
        let names: Vec<&Value> =
            sorted.body["Resources"].as_array().unwrap().iter().map(|one| &one["userName"]).collect();
        assert_eq!(names, ["ADA B", "Ada b", "Bob"]);
    });
}

//! Schemas whose URNs end in what is no name of an attribute: a version, a digit first, a dot. They are named like any other.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{PATCH, PUBLIC, USER, World};

const URNS: [&str; 5] = [
    "urn:example:extension:live-p7b:2.0",
    "urn:example:1.0",
    "urn:example:e:2Foo",
    "urn:example:e:1.0:User:2.0",
    "urn:example:e:Foo.Bar",
];

fn extension_of_users(urn: &str) -> Value {
    let attributes = json!([
        { "name": "plain" }, { "name": "asked", "returned": "request" },
        { "name": "place", "type": "complex", "subAttributes": [{ "name": "site" }] },
    ]);
    json!({
        "schemas": [{ "id": urn, "attributes": attributes }],
        "resourceTypes": [{ "name": "User", "schemaExtensions": [{ "schema": urn, "required": false }] }],
    })
}

#[test]
fn an_extension_is_named_by_its_urn_whatever_that_ends_in() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (number, urn) in URNS.into_iter().enumerate() {
            let world = world.tenant(&format!("tenant{number}"), "generic").await;
            world.define(&extension_of_users(urn)).await;
            let held = json!({ "plain": "p", "place": { "site": "s" } });
            let body = json!({ "schemas": [USER, urn], "userName": "ann", urn: held });
            let path = format!("/Users/{}", world.call("POST", "/Users", &body).await.id());
            for named in [urn.to_owned(), urn.to_ascii_uppercase()] {
                let only = world.get(&format!("{path}?attributes={named}")).await;
                assert_eq!(only.status.as_u16(), 200, "{named}: {}", only.body);
                assert_eq!((&only.body[urn]["plain"], &only.body["userName"]), (&json!("p"), &Value::Null), "{named}");
                let part = world.get(&format!("{path}?attributes={named}:place.site")).await.body;
                assert_eq!(part[urn], json!({ "place": { "site": "s" } }), "{named}");
                let without = world.get(&format!("{path}?excludedAttributes={named}")).await.body;
                assert_eq!((&without[urn], &without["userName"]), (&Value::Null, &json!("ann")), "{named}");
            }
            found_by_it(&world, urn).await;
            changed_by_it(&world, &path, urn).await;
        }
    });
}

async fn found_by_it(world: &World, urn: &str) {
    let keyed = json!({ "schemas": [USER, urn], "userName": "bea", format!("{urn}:plain"): "a", format!("{urn}:place.site"): "t" });
    let made = world.call("POST", "/Users", &keyed).await;
    assert_eq!(made.body[urn], json!({ "plain": "a", "place": { "site": "t" } }), "{}", made.body);
    for (filter, expected) in [
        (format!("{urn}:plain eq \"P\""), json!(1)),
        (format!("{urn}:plain pr"), json!(2)),
        (format!("{urn}:place.site eq \"t\""), json!(1)),
        (format!("{urn} pr"), json!("invalidFilter")),
    ] {
        let list = world.get(&format!("/Users?filter={}", filter.replace(' ', "%20").replace('"', "%22"))).await.body;
        let told = if list["totalResults"].is_null() { &list["scimType"] } else { &list["totalResults"] };
        assert_eq!(*told, expected, "{filter}: {list}");
    }
    let sorted = world.get(&format!("/Users?sortBy={urn}:plain")).await.body;
    assert_eq!(sorted["Resources"][0]["userName"], "bea", "{sorted}");
    let sorted = world.get(&format!("/Users?sortBy={urn}")).await.body;
    assert_eq!(sorted["scimType"], "invalidValue", "{sorted}");
}

async fn changed_by_it(world: &World, address: &str, urn: &str) {
    let place = json!({ "site": "s" });
    let patched = |operation: Value| async move {
        let answer = world.call("PATCH", address, &json!({ "schemas": [PATCH], "Operations": [operation] })).await;
        assert_eq!(answer.status.as_u16(), 200, "{operation}: {}", answer.body);
        answer.body[urn].clone()
    };
    for (operation, expected) in [
        (json!({ "op": "replace", "path": urn, "value": { "plain": "q" } }), json!({ "plain": "q", "place": place })),
        (
            json!({ "op": "add", "path": urn, "value": { "asked": "yy" } }),
            json!({ "plain": "q", "asked": "yy", "place": place }),
        ),
        (
            json!({ "op": "replace", "value": { urn: { "asked": "zz" } } }),
            json!({ "plain": "q", "asked": "zz", "place": place }),
        ),
        (
            json!({ "op": "replace", "value": { urn.to_ascii_uppercase(): { "asked": "z" } } }),
            json!({ "plain": "q", "asked": "z", "place": place }),
        ),
        (
            json!({ "op": "add", "value": { format!("{urn}:asked"): "y", format!("{urn}:place.site"): "s" } }),
            json!({ "plain": "q", "asked": "y", "place": place }),
        ),
        (json!({ "op": "remove", "path": format!("{urn}:place.site") }), json!({ "plain": "q" })),
        (json!({ "op": "remove", "path": urn.to_ascii_uppercase() }), Value::Null),
    ] {
        assert_eq!(patched(operation.clone()).await, expected, "{operation}");
    }
}

#[test]
fn the_address_that_is_told_of_a_schema_leads_to_it() {
    on_both(|store| async {
        let first = World::new(store, "generic").await;
        for (number, (urn, segment)) in [
            ("urn:example:a/b", "urn:example:a%2Fb"),
            ("urn:example:a%41b", "urn:example:a%2541b"),
            ("urn:example:a%2Fb", "urn:example:a%252Fb"),
            ("urn:example:a+b@c=d~e_f.scim", "urn:example:a+b@c=d~e_f.scim"),
        ]
        .into_iter()
        .enumerate()
        {
            let world = first.tenant(&format!("told{number}"), "generic").await;
            world.define(&extension_of_users(urn)).await;
            let listed = world.get("/Schemas").await.body;
            let found = listed["Resources"].as_array().unwrap().iter().find(|schema| schema["id"] == urn).unwrap();
            let location = found["meta"]["location"].as_str().unwrap();
            let path = location.strip_prefix(&format!("{PUBLIC}{}", world.address(""))).unwrap();
            assert_eq!(path, format!("/Schemas/{segment}"));
            let one = world.get(path).await;
            assert_eq!((one.status.as_u16(), &one.body), (200, found), "{urn}");
        }
    });
}

//! Lists that a tenant defines: named like a group's members, of plain values, and what finds resources by them.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{GROUP, PATCH, World};

const TEAM: &str = "urn:example:schemas:1.0:Team";

fn team() -> Value {
    json!({
        "schemas": [{ "id": TEAM, "name": "Team", "attributes": [
            { "name": "members", "type": "string", "multiValued": true },
            { "name": "lead", "type": "string" },
        ] }],
        "resourceTypes": [{ "name": "Group", "schemaExtensions": [{ "schema": TEAM, "required": false }] }],
    })
}

async fn total(world: &World, filter: &str) -> Value {
    let filter = filter.replace(' ', "+").replace('"', "%22").replace('[', "%5B").replace(']', "%5D");
    let found = world.get(&format!("/Groups?filter={filter}")).await.body;
    if found["totalResults"].is_null() { found["scimType"].clone() } else { found["totalResults"].clone() }
}

/// A decimal has more digits than a careless reader keeps.
#[test]
fn decimals_come_back_as_they_were_sent() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let sizes =
            json!([{ "name": "size", "type": "decimal" }, { "name": "sizes", "type": "decimal", "multiValued": true }]);
        let extension = json!({ "schema": TEAM, "required": false });
        world
            .define(&json!({
                "schemas": [{ "id": TEAM, "name": "Team", "attributes": sizes }],
                "resourceTypes": [{ "name": "Group", "schemaExtensions": [extension] }],
            }))
            .await;
        let sizes = "[15.314542469677939,0.1,1e-7,2.2250738585072014e-308]";
        let text = format!(
            "{{\"schemas\":[\"{GROUP}\",\"{TEAM}\"],\"displayName\":\"g\",\"{TEAM}\":{{\"size\":15.314542469677939,\"sizes\":{sizes}}}}}"
        );
        let request = world.request("POST", "/Groups").header("content-type", "application/scim+json");
        let made = world.send(request.body(axum::body::Body::from(text)).unwrap()).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        let got = world.get(&format!("/Groups/{}", made.id())).await.body;
        assert_eq!(got[TEAM]["size"].to_string(), "15.314542469677939");
        assert_eq!(got[TEAM]["sizes"].to_string(), "[15.314542469677939,0.1,1e-7,2.2250738585072014e-308]");
        assert_eq!(total(&world, &format!("{TEAM}:size eq 15.314542469677939")).await, json!(1));
    });
}

#[test]
fn members_of_an_extension_beside_those_of_the_group() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.define(&team()).await;
        let ann = world.user("ann").await;
        let body = json!({ "schemas": [GROUP, TEAM], "displayName": "g", "members": [{ "value": ann }], TEAM: { "members": ["x"] } });
        let made = world.call("POST", "/Groups", &body).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        let path = format!("/Groups/{}", made.id());
        let members = format!("{TEAM}:members");
        for (operation, expected) in [
            (json!({ "op": "add", "path": members, "value": ["y"] }), json!(["x", "y"])),
            (json!({ "op": "add", "value": { &members: "z" } }), json!(["x", "y", "z"])),
            (json!({ "op": "remove", "path": members, "value": ["x"] }), json!(["y", "z"])),
        ] {
            let patched =
                world.call("PATCH", &path, &json!({ "schemas": [PATCH], "Operations": [operation.clone()] })).await;
            assert_eq!(patched.status.as_u16(), 200, "{operation} {}", patched.body);
            assert_eq!(patched.body[TEAM]["members"], expected, "{operation}");
            assert_eq!(world.members(&made.id()).await, [ann.as_str()], "{operation}");
        }
        world.group("plain", &[&ann]).await;
        for (filter, expected) in [
            (format!("{members} pr"), json!(1)),
            (format!("{members} eq \"y\""), json!(1)),
            (format!("{members} sw \"z\""), json!(1)),
            (format!("{members} eq \"{ann}\""), json!(0)),
            (format!("members eq \"{ann}\""), json!(2)),
            ("members pr".to_owned(), json!(2)),
            ("members.type pr".to_owned(), json!(2)),
            ("members.type eq \"Group\"".to_owned(), json!(0)),
        ] {
            assert_eq!(total(&world, &filter).await, expected, "{filter}");
        }
    });
}

/// RFC 7644 §3.7.2: what a request alone may say, it may say in a bulk request.
#[test]
fn a_list_that_is_only_called_members_takes_any_text_in_a_bulk_request_too() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let named = ["members", "manager", "groups"].map(|name| {
            json!({ "name": name, "type": "complex", "multiValued": true, "subAttributes": [{ "name": "value" }] })
        });
        world
            .define(&json!({
                "schemas": [{ "id": TEAM, "name": "Team", "attributes": named }],
                "resourceTypes": [{ "name": "Team", "endpoint": "/Teams", "schema": TEAM }],
            }))
            .await;
        let text = json!([{ "value": "bulkId:hello" }]);
        let body = json!({ "schemas": [TEAM], "members": text, "manager": text, "groups": text });
        let alone = world.call("POST", "/Teams", &body).await;
        assert_eq!(alone.status.as_u16(), 201, "{}", alone.body);
        let operation = json!({ "method": "POST", "path": "/Teams", "bulkId": "t", "data": body });
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
        let answer = world.call("POST", "/Bulk", &json!({ "schemas": schemas, "Operations": [operation] })).await;
        let made = &answer.body["Operations"][0];
        assert_eq!(made["status"], "201", "{}", answer.body);
        let path = made["location"].as_str().and_then(|location| location.find("/Teams").map(|at| &location[at..]));
        let shown = world.get(path.unwrap()).await.body;
        for name in ["members", "manager", "groups"] {
            assert_eq!((&shown[name], &alone.body[name]), (&text, &text), "{name}");
        }
    });
}

//! Addresses and tags that the server makes itself: what an answer shows is what filters find, and nothing else is taken for one.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{ENTERPRISE, GROUP, PATCH, USER, World};

fn removal(path: &str) -> Value {
    json!({ "schemas": [PATCH], "Operations": [{ "op": "remove", "path": path }] })
}

#[test]
fn members_are_removed_by_the_addresses_that_are_shown() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = [world.user("ann").await, world.user("bea").await, world.user("cid").await];
        for (filter, left) in [("$ref eq", vec![1, 2]), ("$ref ne", vec![0])] {
            let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
            let body = json!({ "schemas": [GROUP], "displayName": filter, "members": members });
            let made = world.call("POST", "/Groups", &body).await;
            let path = format!("/Groups/{}", made.id());
            let shown =
                made.body["members"].as_array().unwrap().iter().find(|member| member["value"] == ids[0].as_str());
            let address = shown.unwrap()["$ref"].as_str().unwrap().to_owned();
            let hidden = removal(&format!("members[$ref eq \"/Users/{}\"]", ids[0]));
            assert_eq!(world.call("PATCH", &path, &hidden).await.status.as_u16(), 200);
            assert_eq!(world.get(&path).await.body["members"].as_array().unwrap().len(), 3, "it is shown nowhere");
            world.call("PATCH", &path, &removal(&format!("members[{filter} \"{address}\"]"))).await;
            let mut members = world.members(&made.id()).await;
            members.sort_unstable();
            let mut expected: Vec<&String> = left.iter().map(|number: &usize| &ids[*number]).collect();
            expected.sort_unstable();
            assert_eq!(members.iter().collect::<Vec<_>>(), expected, "{filter}");
        }
    });
}

#[test]
fn a_manager_is_found_by_the_address_that_is_shown() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let boss = world.user("boss").await;
        let manager = json!({ "value": boss, "$ref": format!("../Users/{boss}") });
        let body = json!({ "schemas": [USER, ENTERPRISE], "userName": "ann",
            ENTERPRISE: { "manager": manager } });
        let made = world.call("POST", "/Users", &body).await.body;
        let address = made[ENTERPRISE]["manager"]["$ref"].as_str().unwrap().to_owned();
        for (filter, expected) in [
            (format!("{ENTERPRISE}:manager.$ref eq \"{address}\""), 1),
            (format!("{ENTERPRISE}:manager[$ref eq \"{address}\"]"), 1),
            (format!("{ENTERPRISE}:manager.$ref sw \"http\""), 1),
            (format!("{ENTERPRISE}:manager.$ref eq \"/Users/{boss}\""), 0),
        ] {
            let found = world.get(&format!("/Users?filter={}", filter.replace(' ', "%20").replace('"', "%22"))).await;
            assert_eq!(found.body["totalResults"], expected, "{filter}");
        }
    });
}

const OWN: &str = "urn:example:team:1.0:User";

/// An attribute of a tenant's own may have the name of one whose address the server makes.
#[test]
fn an_own_manager_is_shown_as_it_was_told() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let manager = json!({ "name": "manager", "type": "complex", "subAttributes": [
            { "name": "value" }, { "name": "$ref", "type": "reference", "referenceTypes": ["uri"] }] });
        let extension = json!([{ "schema": OWN, "required": false }]);
        world
            .define(&json!({
                "schemas": [{ "id": OWN, "attributes": [manager] }],
                "resourceTypes": [{ "name": "User", "schemaExtensions": extension }],
            }))
            .await;
        let boss = world.user("boss").await;
        let body = json!({ "schemas": [USER, OWN, ENTERPRISE], "userName": "ann",
            OWN: { "manager": { "value": "7", "$ref": "/Users/7" } },
            ENTERPRISE: { "manager": { "value": boss, "$ref": format!("../Users/{boss}") } } });
        let made = world.call("POST", "/Users", &body).await;
        let path = format!("/Users/{}", made.id());
        let boss_at = world.get(&format!("/Users/{boss}")).await.body["meta"]["location"].clone();
        for shown in [
            made.body.clone(),
            world.get(&path).await.body,
            world.get(&format!("{path}?excludedAttributes=title")).await.body,
        ] {
            assert_eq!(shown[OWN]["manager"]["$ref"], "/Users/7", "{shown}");
            assert_eq!(shown[ENTERPRISE]["manager"]["$ref"], boss_at, "{shown}");
        }
    });
}

/// Entra's own extensions have URNs that begin like those of RFC 7643.
#[test]
fn what_is_answered_to_nobody_is_not_whatever_its_schema_is_called() {
    const LIKE_BUILT_IN: &str = "urn:ietf:params:scim:schemas:extension:acme:2.0:User";
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let owner = json!({ "name": "owner", "type": "complex", "subAttributes": [
            { "name": "value" }, { "name": "$ref", "type": "reference", "referenceTypes": ["User"] }] });
        let extension = json!([{ "schema": LIKE_BUILT_IN, "required": false }]);
        world
            .define(&json!({
                "schemas": [{ "id": LIKE_BUILT_IN, "attributes": [
                    { "name": "pin", "mutability": "writeOnly", "returned": "never", "required": true },
                    { "name": "code", "returned": "never", "uniqueness": "server" }, owner] }],
                "resourceTypes": [{ "name": "User", "schemaExtensions": extension }],
            }))
            .await;
        let held =
            json!({ "pin": "1234", "code": "c", "owner": { "value": "u1", "$ref": "https://example.com/Users/u1" } });
        let body = json!({ "schemas": [USER, LIKE_BUILT_IN], "userName": "ann", LIKE_BUILT_IN: held });
        let made = world.call("POST", "/Users", &body).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        let path = format!("/Users/{}", made.id());
        let shown = json!({ "owner": { "value": "u1", "$ref": "https://example.com/Users/u1" } });
        let put = world.call("PUT", &path, &body).await.body;
        let listed = world.get("/Users").await.body["Resources"][0].clone();
        for answer in [made.body.clone(), world.get(&path).await.body, put, listed] {
            assert_eq!(answer[LIKE_BUILT_IN], shown, "{answer}");
        }
    });
}

#[test]
fn a_user_is_found_by_the_tag_that_is_shown() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = world.user("ann").await;
        world.group("g", &[&ann]).await;
        let shown = world.get(&format!("/Users/{ann}")).await.body["meta"]["version"].as_str().unwrap().to_owned();
        assert!(shown.contains('-'), "{shown} says something of the group");
        let filter = format!("meta.version eq \"{}\"", shown.replace('"', "\\\""));
        let encoded = filter.replace('\\', "%5C").replace('"', "%22").replace(' ', "%20");
        assert_eq!(world.get(&format!("/Users?filter={encoded}")).await.body["totalResults"], 1, "{filter}");
    });
}

/// RFC 9865 §2 itself writes `userName` on one page and `username` on the next.
#[test]
fn a_cursor_goes_on_with_the_filter_in_another_spelling() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for name in ["jan", "jon", "jun"] {
            world.user(name).await;
        }
        let first = world.get("/Users?filter=userName%20sw%20%22J%22&cursor&count=2").await.body;
        let cursor = first["nextCursor"].as_str().unwrap();
        let next = world.get(&format!("/Users?filter=USERNAME%20SW%20%22J%22&cursor={cursor}&count=2")).await;
        assert_eq!(next.body["Resources"].as_array().map(Vec::len), Some(1), "{}", next.body);
        let other = world.get(&format!("/Users?filter=userName%20sw%20%22j%22&cursor={cursor}&count=2")).await;
        assert_eq!(other.body["scimType"], "invalidCursor", "another value is another query");
    });
}

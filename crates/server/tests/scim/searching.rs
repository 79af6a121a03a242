//! Searches of all resource types at once: at the endpoint's own address (RFC 7644 §3.4.2.1) and by POST (§3.4.3).

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{Answer, World};

fn names(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let resources = answer.body["Resources"].as_array().unwrap();
    assert_eq!(answer.body["itemsPerPage"], resources.len());
    let name = |found: &'_ Value| found.get("userName").or(found.get("displayName")).is_some();
    assert!(resources.iter().all(name));
    resources.iter().map(|found| found["userName"].as_str().or(found["displayName"].as_str()).unwrap()).collect()
}

async fn staff(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for name in ["dora", "bert", "Anna"] {
        ids.push(world.user(name).await);
    }
    let chefs = world.group("Chefs", &[ids[0].as_str()]).await;
    ids.extend([chefs, world.group("Bakers", &[]).await]);
    ids
}

async fn search(world: &World, mut message: Value) -> Answer {
    message["schemas"] = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
    world.call("POST", "/.search", &message).await
}

#[test]
fn everything_at_once_one_type_behind_the_other() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = staff(&world).await;
        let all = vec!["dora", "bert", "Anna", "Chefs", "Bakers"];
        for answer in [world.get("").await, world.get("/").await, search(&world, json!({})).await] {
            assert_eq!((names(&answer), &answer.body["totalResults"]), (all.clone(), &json!(5)));
            assert_eq!(answer.body["Resources"][3]["members"][0]["value"], ids[0]);
            assert_eq!(answer.body["Resources"][3]["meta"]["resourceType"], "Group");
        }
        let chefs = format!("members.value eq \"{}\"", ids[0]);
        let one = format!("id eq \"{}\" or id eq \"{}\"", ids[4], ids[1]);
        for (filter, expected) in [
            ("meta.resourceType eq \"User\"", vec!["dora", "bert", "Anna"]),
            ("meta.resourceType eq \"Group\" and displayName sw \"b\"", vec!["Bakers"]),
            ("userName eq \"DORA\"", vec!["dora"]),
            ("userName pr", vec!["dora", "bert", "Anna"]),
            ("displayName pr", vec!["Chefs", "Bakers"]),
            ("not (userName pr)", vec!["Chefs", "Bakers"]),
            ("userName ne \"dora\"", vec!["bert", "Anna", "Chefs", "Bakers"]),
            ("userName eq null and displayName co \"e\"", vec!["Chefs", "Bakers"]),
            ("userName eq \"dora\" or displayName eq \"bakers\"", vec!["dora", "Bakers"]),
            ("urn:ietf:params:scim:schemas:core:2.0:Group:displayName eq \"Chefs\"", vec!["Chefs"]),
            ("emails[type eq \"work\"] or userName eq \"bert\"", vec!["bert"]),
            ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:Group\"", vec!["Chefs", "Bakers"]),
            ("meta.created gt \"2000-01-01T00:00:00Z\"", all.clone()),
            (&chefs, vec!["Chefs"]),
            (&one, vec!["bert", "Bakers"]),
            ("externalId eq \"none\"", vec![]),
        ] {
            let found = search(&world, json!({ "filter": filter })).await;
            assert_eq!(
                (names(&found), &found.body["totalResults"]),
                (expected.clone(), &json!(expected.len())),
                "{filter}"
            );
            let encoded = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
            assert_eq!(names(&world.get(&format!("?filter={encoded}")).await), expected, "{filter}");
        }
        for filter in
            ["nobody eq 1", "password eq \"x\"", "groups.display gt 5", "members.nope pr", "active gt true", "userName"]
        {
            let refused = search(&world, json!({ "filter": filter })).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.body["scimType"]),
                (400, &json!("invalidFilter")),
                "{filter}"
            );
        }
    });
}

#[test]
fn pages_across_types_by_index_and_by_cursor_in_any_order() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        staff(&world).await;
        for (sort, expected) in [
            (json!({}), ["dora", "bert", "Anna", "Chefs", "Bakers"]),
            (json!({ "sortBy": "displayName" }), ["Bakers", "Chefs", "dora", "bert", "Anna"]),
            (json!({ "sortBy": "userName" }), ["Anna", "bert", "dora", "Chefs", "Bakers"]),
            (
                json!({ "sortBy": "meta.created", "sortOrder": "descending" }),
                ["Bakers", "Chefs", "Anna", "bert", "dora"],
            ),
            (json!({ "filter": "id pr" }), ["dora", "bert", "Anna", "Chefs", "Bakers"]),
        ] {
            let (mut by_index, mut by_cursor, mut cursor) = (Vec::new(), Vec::new(), String::new());
            while by_index.len() < 5 {
                let mut message = sort.clone();
                (message["startIndex"], message["count"]) = (json!(by_index.len() + 1), json!(2));
                let page = search(&world, message).await;
                assert_eq!(page.body["totalResults"], 5, "{sort}");
                by_index.extend(names(&page).into_iter().map(str::to_owned));
            }
            loop {
                let mut message = sort.clone();
                (message["cursor"], message["count"]) = (json!(cursor), json!(2));
                let page = search(&world, message).await;
                by_cursor.extend(names(&page).into_iter().map(str::to_owned));
                let Some(next) = page.body["nextCursor"].as_str() else { break };
                next.clone_into(&mut cursor);
            }
            assert_eq!(
                (by_index.as_slice(), by_cursor.as_slice()),
                (&expected.map(str::to_owned)[..], &expected.map(str::to_owned)[..]),
                "{sort}"
            );
            let mut deep = sort.clone();
            (deep["startIndex"], deep["count"]) = (json!(4), json!(1));
            assert_eq!(names(&search(&world, deep).await), [expected[3]], "{sort}");
        }
    });
}

/// RFC 7644 §3.4.2.1: what a type does not have is without value there; so is what it has of another type than it is compared with.
#[test]
fn an_attribute_that_types_have_of_different_types() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        staff(&world).await;
        let urn = "urn:example:schemas:1.0:Device";
        let attributes = json!([{ "name": "displayName", "type": "integer", "multiValued": false },
            { "name": "groups", "type": "complex", "multiValued": false, "subAttributes": [{ "name": "display", "type": "integer" }] }]);
        world
            .define(&json!({
                "schemas": [{ "id": urn, "name": "Device", "attributes": attributes }],
                "resourceTypes": [{ "name": "Device", "endpoint": "/Devices", "schema": urn }],
            }))
            .await;
        let device = json!({ "schemas": [urn], "displayName": 5, "groups": { "display": 6 } });
        let made = world.call("POST", "/Devices", &device).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.body);
        for (filter, total) in [
            ("displayName eq \"chefs\"", 1),
            ("displayName sw \"ch\"", 1),
            ("displayName eq 5", 1),
            ("displayName gt 4 or displayName eq \"bakers\"", 2),
            ("meta.resourceType eq \"Device\" and displayName eq 5", 1),
            ("meta.resourceType eq \"Group\" and displayName eq 5", 0),
            ("not (displayName eq 5)", 5),
            ("displayName ne 5", 5),
            ("groups.display gt 5", 1),
            ("displayName pr", 3),
        ] {
            let found = search(&world, json!({ "filter": filter })).await;
            assert_eq!(found.body["totalResults"], total, "{filter}: {}", found.body);
        }
        for filter in ["displayName eq true", "userName eq 5", "displayName[value eq 5]", "groups.display gt true"] {
            let refused = search(&world, json!({ "filter": filter })).await;
            assert_eq!(refused.body["scimType"], "invalidFilter", "{filter}");
        }
    });
}

#[test]
fn where_few_attributes_are_filtered_by_the_type_is_one_of_them() {
    on_both(|store| async {
        let world = World::new(store, "netskope").await;
        let ada = world.user("ada").await;
        for path in ["", "/Users"] {
            let found = world.get(&format!("{path}?filter=meta.resourceType+eq+%22User%22")).await;
            assert_eq!(
                (&found.body["totalResults"], &found.body["Resources"][0]["id"]),
                (&json!(1), &json!(ada)),
                "{path}"
            );
        }
    });
}

#[test]
fn an_application_without_groups_has_its_users_only() {
    on_both(|store| async {
        let world = World::new(store, "storegate").await;
        world.user("ada").await;
        assert_eq!(names(&world.get("").await), ["ada"]);
        let refused = world.get("?filter=displayName+eq+%22x%22").await;
        assert_eq!(refused.status.as_u16(), 400);
    });
}

/// A page's last place is of the right type also where the walk goes backwards.
#[test]
fn back_across_types() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        staff(&world).await;
        let first = world.get("?count=4&cursor").await;
        let last = world.get(&format!("?count=4&cursor={}", first.body["nextCursor"].as_str().unwrap())).await;
        assert_eq!(names(&last), ["Bakers"]);
        let back = world.get(&format!("?count=4&cursor={}", last.body["previousCursor"].as_str().unwrap())).await;
        assert_eq!(names(&back)[1..], ["bert", "Anna", "Chefs"]);
    });
}

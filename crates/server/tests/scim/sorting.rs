//! Lists in an order that the client asks for (RFC 7644 §3.4.2.3), on pages of every kind.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{Answer, ENTERPRISE, GROUP, USER, World};

async fn people(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for body in [
        json!({ "userName": "delta", "externalId": "a", "active": true, "name": { "familyName": "Bee" },
            "emails": [{ "value": "z@x" }, { "value": "B@x", "primary": true }] }),
        json!({ "userName": "Bravo", "externalId": "B", "name": { "familyName": "bee" }, "title": "x", "emails": [{ "value": "c@x" }] }),
        json!({ "userName": "alpha", "externalId": "b", "active": false, ENTERPRISE: { "employeeNumber": "10", "department": "Ops" } }),
        json!({ "userName": "Charlie", "externalId": "A", "active": true, "name": { "familyName": "Ant" }, "title": "X",
            "emails": [{ "value": "A@x" }], ENTERPRISE: { "employeeNumber": "9" } }),
        json!({ "userName": "echo", "name": { "givenName": "e" }, "emails": [{ "value": "d@x" }, { "value": "a@x" }] }),
    ] {
        let mut body = body;
        body["schemas"] = json!([USER]);
        ids.push(world.call("POST", "/Users", &body).await.id());
    }
    ids
}

fn shown(answer: &Answer, ids: &[String]) -> Vec<usize> {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let resources = answer.body["Resources"].as_array().unwrap();
    assert_eq!(answer.body["itemsPerPage"], resources.len());
    resources.iter().map(|found| ids.iter().position(|id| found["id"] == id.as_str()).unwrap()).collect()
}

const ORDERS: [(&str, [usize; 5]); 15] = [
    ("userName", [2, 1, 3, 0, 4]),
    ("USERNAME", [2, 1, 3, 0, 4]),
    ("urn:ietf:params:scim:schemas:core:2.0:User:userName", [2, 1, 3, 0, 4]),
    ("id", [0, 1, 2, 3, 4]),
    ("meta.created", [0, 1, 2, 3, 4]),
    ("meta.lastModified", [0, 1, 2, 3, 4]),
    ("meta.resourceType", [0, 1, 2, 3, 4]),
    ("externalId", [3, 1, 0, 2, 4]),
    ("active", [2, 0, 3, 1, 4]),
    ("name.familyName", [3, 0, 1, 2, 4]),
    ("title", [1, 3, 0, 2, 4]),
    ("emails", [3, 0, 1, 4, 2]),
    ("emails.value", [3, 0, 1, 4, 2]),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", [2, 3, 0, 1, 4]),
    ("department", [2, 0, 1, 3, 4]),
];

#[test]
fn every_order_ascending_and_descending_by_index_by_cursor_and_by_post() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = people(&world).await;
        for (sort_by, ascending) in ORDERS {
            let mut descending = ascending;
            descending.reverse();
            for (order, expected) in
                [("", ascending), ("&sortOrder=Ascending", ascending), ("&sortOrder=DESCENDING", descending)]
            {
                let query = format!("sortBy={sort_by}{order}");
                assert_eq!(shown(&world.get(&format!("/Users?{query}")).await, &ids), expected, "{query}");
                assert_eq!(by_index(&world, &ids, &query).await, expected, "{query}");
                assert_eq!(by_cursor(&world, &ids, &query).await, expected, "{query}");
                let filtered = format!("{query}&filter=userName+pr");
                assert_eq!(by_index(&world, &ids, &filtered).await, expected, "{filtered}");
                assert_eq!(by_cursor(&world, &ids, &filtered).await, expected, "{filtered}");
            }
            let message = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "sortBy": sort_by, "sortOrder": "descending", "startIndex": 2, "count": 3 });
            assert_eq!(
                shown(&world.call("POST", "/Users/.search", &message).await, &ids),
                descending[1..4],
                "{sort_by}"
            );
        }
    });
}

async fn by_index(world: &World, ids: &[String], query: &str) -> Vec<usize> {
    let mut walked = Vec::new();
    loop {
        let answer = world.get(&format!("/Users?{query}&count=2&startIndex={}", walked.len() + 1)).await;
        assert_eq!(answer.body["totalResults"], ids.len(), "{query}");
        walked.extend(shown(&answer, ids));
        if walked.len() >= ids.len() || answer.body["itemsPerPage"] == 0 {
            return walked;
        }
    }
}

async fn by_cursor(world: &World, ids: &[String], query: &str) -> Vec<usize> {
    let (mut walked, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = world.get(&format!("/Users?{query}&count=2&cursor={cursor}")).await;
        assert_eq!(answer.body["totalResults"], ids.len(), "{query}");
        walked.extend(shown(&answer, ids));
        match answer.body["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return walked,
        }
    }
}

/// SG-08, SS-07.
#[test]
fn what_nothing_is_sorted_by() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = people(&world).await;
        for (path, query) in [
            ("/Users", "sortBy=unknown"),
            ("/Users", "sortBy=password"),
            ("/Users", "sortBy=password&attributes=password"),
            ("/Users", "sortBy=name"),
            ("/Users", "sortBy=addresses"),
            ("/Users", "sortBy=groups"),
            ("/Users", "sortBy=groups.value"),
            ("/Users", "sortBy="),
            ("/Users", "sortBy=id;+select"),
            ("/Users", "sortBy=data-%3E%3Ex"),
            ("/Users", "sortBy=userName)+OR+1=1--"),
            ("/Users", "sortBy=userName&sortOrder=evil"),
            ("/Users", "sortOrder=evil"),
            ("/Groups", "sortBy=members"),
            ("/Groups", "sortBy=members.value"),
            ("/Groups", "sortBy=userName"),
            ("", "sortBy=members.value"),
            ("", "sortBy=unknown"),
        ] {
            let answer = world.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status.as_u16(), 400, "{path}?{query}: {}", answer.body);
            assert_eq!(answer.body["scimType"], "invalidValue", "{path}?{query}");
        }
        assert_eq!(shown(&world.get("/Users?sortOrder=descending").await, &ids), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn groups_by_name_whether_names_are_unique_or_not() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (name, profile) in [("shared", "generic"), ("unique", "netskope")] {
            let world = world.tenant(name, profile).await;
            let mut ids = Vec::new();
            for name in ["Sales", "board", "Ärzte", "all"] {
                ids.push(world.call("POST", "/Groups", &json!({ "schemas": [GROUP], "displayName": name })).await.id());
            }
            let sorted = world.get("/Groups?sortBy=displayName").await;
            assert_eq!(shown(&sorted, &ids), [3, 1, 0, 2], "{profile}");
            let page = world.get("/Groups?sortBy=displayName&sortOrder=descending&startIndex=2&count=2").await;
            assert_eq!(shown(&page, &ids), [0, 1], "{profile}");
        }
    });
}

#[test]
fn a_changed_name_is_sorted_anew() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = people(&world).await;
        let change = json!({ "schemas": [crate::world::PATCH], "Operations": [{ "op": "replace", "path": "userName", "value": "zulu" }] });
        world.call("PATCH", &format!("/Users/{}", ids[2]), &change).await;
        world.call("DELETE", &format!("/Users/{}", ids[3]), &Value::Null).await;
        assert_eq!(shown(&world.get("/Users?sortBy=userName").await, &ids), [1, 0, 4, 2]);
        assert_eq!(shown(&world.get("/Users?sortBy=meta.lastModified&sortOrder=descending").await, &ids), [2, 4, 1, 0]);
    });
}

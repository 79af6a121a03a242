//! Groups of many members: what is asked of one costs what is named, and what is answered is one moment of it.

use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt;
use provider::{Kinds, ListQuery, Listing, Pager, ResourceKind, View, Walker};
use scim::Projection;
use serde_json::{Value, json};
use store::testing::on_both;
use tower::ServiceExt;

use crate::world::{GROUP, PATCH, USER, World, key};

fn operations(operations: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}

/// So many users, by bulk requests; gives their ids, in order.
pub async fn users(world: &World, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let most = scim::limits::BULK_OPERATIONS_MAX;
    for from in (0..count).step_by(most) {
        let made: Vec<Value> = (from..count.min(from + most))
            .map(|number| {
                let data = json!({ "schemas": [USER], "userName": format!("u{number}") });
                json!({ "method": "POST", "path": "/Users", "bulkId": number.to_string(), "data": data })
            })
            .collect();
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": made });
        let told = world.call("POST", "/Bulk", &body).await.body;
        let locations = told["Operations"].as_array().unwrap().iter().map(|one| one["location"].as_str().unwrap());
        ids.extend(locations.map(|location| location.rsplit('/').next().unwrap().to_owned()));
    }
    ids.sort();
    ids
}

async fn group_of(world: &World, ids: &[String]) -> String {
    world.group("G", &ids.iter().map(String::as_str).collect::<Vec<_>>()).await
}

#[test]
fn gr_04_a_large_group_is_sent_in_pieces_that_are_one_moment_of_it() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = users(&world, 2500).await;
        let group = group_of(&world, &ids).await;
        let path = format!("/Groups/{group}");
        let answer =
            world.service.clone().oneshot(world.request("GET", &path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["etag"].to_str().unwrap()), (200, "W/\"1\""));
        assert_eq!(answer.headers()["content-type"], "application/scim+json");
        // Whatever happens to the group meanwhile, the answer goes on as it began.
        assert_eq!(world.call("DELETE", &format!("/Users/{}", ids[7]), &Value::Null).await.status.as_u16(), 204);
        assert_eq!(world.call("DELETE", &path, &Value::Null).await.status.as_u16(), 204);
        let (mut body, mut pieces, mut text) = (answer.into_body(), 0, Vec::new());
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            assert!(piece.len() < 400_000, "{}", piece.len());
            text.extend_from_slice(&piece);
            pieces += 1;
        }
        assert_eq!(pieces, 3);
        let shown: Value = serde_json::from_slice(&text).unwrap();
        let members: Vec<&str> =
            shown["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
        assert_eq!(members, ids);
        assert_eq!(shown["meta"]["version"], "W/\"1\"");
    });
}

#[test]
fn gr_04_pieces_say_what_one_text_would() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = users(&world, 2000).await;
        let inner = world.group("Inner", &[]).await;
        let mut all = ids.clone();
        all.push(inner.clone());
        let path = format!("/Groups/{}", group_of(&world, &all).await);
        for (query, count) in [
            ("", Some(2001)),
            ("?attributes=members.value", Some(2001)),
            ("?attributes=members[type+eq+%22Group%22].value", Some(1)),
            (&format!("?attributes=members[value+eq+%22{}%22].value", ids[1999]), Some(1)),
            ("?excludedAttributes=members.$ref", Some(2001)),
            ("?attributes=members[type+eq+%22x%22]", None),
            ("?excludedAttributes=members", None),
        ] {
            let found = world.get(&format!("{path}{query}")).await;
            assert_eq!(found.status.as_u16(), 200, "{query}");
            let members = found.body.get("members").and_then(Value::as_array).filter(|members| !members.is_empty());
            assert_eq!(members.map(Vec::len), count, "{query}");
            assert_eq!(found.body["id"].as_str(), path.rsplit('/').next(), "{query}");
        }
        let unless = |tag: &str| world.request("GET", &path).header("if-none-match", tag).body(Body::empty()).unwrap();
        assert_eq!(world.send(unless("W/\"1\"")).await.status.as_u16(), 304);
        assert_eq!(world.send(unless("W/\"2\"")).await.status.as_u16(), 200);
        assert_eq!(world.call("HEAD", &path, &Value::Null).await.status.as_u16(), 200);
    });
}

/// RFC 7644 §3.4.2: a list shows groups as a GET of each does, and that of a large one is no one text either.
#[test]
fn gr_04_a_list_sends_large_groups_in_pieces_too() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = users(&world, 2500).await;
        let mut groups = Vec::new();
        for count in [2, 2500, 0, 1000, 1001, 3] {
            groups.push((group_of(&world, &ids[..count]).await, count));
        }
        for (query, pieces_least) in [
            ("", 8),
            ("?sortBy=displayName", 8),
            ("?sortBy=id&sortOrder=descending", 8),
            ("?filter=displayName+eq+%22G%22", 8),
            ("?attributes=members.value,displayName", 8),
            ("?startIndex=2&count=1", 5),
            ("?cursor&count=2", 5),
            ("?excludedAttributes=members", 1),
            ("?startIndex=6", 1),
        ] {
            let request = world.request("GET", &format!("/Groups{query}")).body(Body::empty()).unwrap();
            let answer = world.service.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.headers()["content-type"], "application/scim+json");
            let (mut body, mut pieces, mut text) = (answer.into_body(), 0, Vec::new());
            while let Some(frame) = body.frame().await {
                let piece = frame.unwrap().into_data().unwrap();
                assert!(piece.len() < 400_000, "{query}: {}", piece.len());
                text.extend_from_slice(&piece);
                pieces += 1;
            }
            assert!(pieces >= pieces_least && (pieces == 1 || pieces_least > 1), "{query}: {pieces}");
            let list: Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(list["totalResults"], groups.len(), "{query}");
            let shown = list["Resources"].as_array().unwrap();
            assert_eq!(list["itemsPerPage"], shown.len(), "{query}");
            for group in shown {
                let (id, count) = groups.iter().find(|(id, _)| group["id"] == **id).unwrap();
                let alone = world.get(&format!("/Groups/{id}")).await.body;
                if query.contains("ttributes") {
                    let members = group.get("members").and_then(Value::as_array).map_or(0, Vec::len);
                    assert_eq!(members, if query.contains("excluded") { 0 } else { *count }, "{query}");
                } else {
                    assert_eq!(*group, alone, "{query}");
                }
            }
        }
    });
}

/// Whatever the groups of a list take, a page takes no more than it may: it ends before the one that it has no room for.
#[test]
fn gr_04_a_page_ends_before_a_group_that_it_has_no_room_for() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = users(&world, 2500).await;
        for count in [1000, 1001, 2, 2500] {
            group_of(&world, &ids[..count]).await;
        }
        for (query, bytes_max, expected) in [
            (("1", ""), 30_000, Some(1)),
            (("1", "displayName"), 30_000, Some(1)),
            (("1", ""), 45_000, Some(3)),
            (("1", "displayName"), 45_000, Some(3)),
            (("3", ""), 30_000, Some(1)),
            (("4", ""), 30_000, None),
            (("4", "displayName"), 30_000, None),
            (("4", ""), 60_000, Some(1)),
            (("1", ""), 100_000, Some(4)),
            (("5", ""), 0, Some(0)),
        ] {
            let (token, now) = (world.token.clone(), world.now());
            let ((start, sort), told) = (query, format!("{query:?} {bytes_max}"));
            let list = world.store.scan(move |tx| {
                let caller = provider::authenticate(tx, &key(), &token, now).expect("the token is valid");
                let sort_by = Some(sort).filter(|sort| !sort.is_empty());
                let query = ListQuery { start_index: Some(start), sort_by, ..ListQuery::default() };
                let (pager, scope) = (Arc::new(Pager::new(&key())), Kinds::One(ResourceKind::Group));
                let listing = Listing::prepare(&caller, scope, &query, &pager, Walker::default(), now)?;
                let view = View { base: "", projection: &Projection::default() };
                provider::list(tx, &caller, &listing, view, bytes_max)
            });
            let list = list.await.unwrap();
            assert!(list.as_ref().is_none_or(|list| list.bytes() <= bytes_max + 4096), "{told}");
            let list = list.map(|list| serde_json::from_str::<Value>(&list.collect::<String>()).unwrap());
            assert_eq!(list.as_ref().map(|list| list["Resources"].as_array().unwrap().len()), expected, "{told}");
            assert!(list.is_none_or(|list| list["totalResults"] == 4), "{told}");
        }
    });
}

#[test]
fn sp_08_of_a_hundred_members_exactly_those_that_a_filter_chooses_are_removed() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = users(&world, 100).await;
        let (gone, left): (Vec<_>, Vec<_>) = ids.iter().enumerate().partition(|(number, _)| number % 5 < 3);
        let chosen: Vec<String> = gone.iter().map(|(_, id)| format!("value eq \"{id}\"")).collect();
        let left: Vec<&String> = left.into_iter().map(|(_, id)| id).collect();
        let one_by_one: Vec<Value> =
            chosen.iter().map(|one| json!({ "op": "remove", "path": format!("members[{one}]") })).collect();
        // A filter is no longer than 8,192 bytes.
        let together = json!([{ "op": "remove", "path": format!("members[{}]", chosen.join(" or ")) }]);
        let by_value = json!([{ "op": "remove", "path": "members", "value": gone.iter().map(|(_, id)| json!({ "value": id })).collect::<Vec<_>>() }]);
        for change in [json!(one_by_one), together, by_value] {
            let group = group_of(&world, &ids).await;
            let answer = world.call("PATCH", &format!("/Groups/{group}"), &operations(&change)).await;
            assert_eq!((answer.status.as_u16(), answer.header("etag")), (204, "W/\"2\""), "{}", answer.body);
            assert_eq!(world.members(&group).await.iter().collect::<Vec<_>>(), left);
        }
    });
}

#[test]
fn sp_11_thousands_of_members_in_one_change_are_one_row_of_the_feed() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = users(&world, 5000).await;
        let group = world.group("G", &[]).await;
        let path = format!("/Groups/{group}");
        let before = world.changes().await.len();
        let all: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
        let add = operations(&json!([{ "op": "add", "path": "members", "value": all }]));
        let answer = world.call("PATCH", &path, &add).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (204, "W/\"2\""), "{}", answer.body);
        assert_eq!(world.members(&group).await, ids);
        let changes = world.changes().await;
        let told = (changes.len(), changes[before].object, changes[before].related);
        assert_eq!(told, (before + 1, store::ObjectKind::Group, None));
        let too_many: Vec<Value> = vec![json!("0198c2a4-7d1e-7aaa-8bbb-0123456789ab"); scim::limits::MEMBERS_MAX + 1];
        for body in [
            operations(&json!([{ "op": "add", "path": "members", "value": too_many }])),
            operations(&json!(vec![json!({ "op": "remove", "path": "displayName" }); 1001])),
        ] {
            let refused = world.call("PATCH", &path, &body).await;
            assert!(matches!(refused.status.as_u16(), 400 | 413), "{}", refused.body);
        }
    });
}

#[test]
fn gr_05_a_user_in_many_groups_is_deleted_while_they_change() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, others) = (world.user("ann").await, users(&world, 8).await);
        let made: Vec<Value> = (0..500)
            .map(|number| {
                let data = json!({ "schemas": [GROUP], "displayName": format!("g{number}"), "members": [ann] });
                json!({ "method": "POST", "path": "/Groups", "bulkId": number.to_string(), "data": data })
            })
            .collect();
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": made });
        let told = world.call("POST", "/Bulk", &body).await.body;
        let groups: Vec<String> = told["Operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect();
        let changers: Vec<_> = others
            .iter()
            .enumerate()
            .map(|(first, other)| {
                let (world, other, ann, groups) = (world.clone(), other.clone(), ann.clone(), groups.clone());
                tokio::spawn(async move {
                    for group in groups.iter().skip(first).step_by(8) {
                        let change = operations(&json!([
                            { "op": "add", "path": "members", "value": [{ "value": other }] },
                            { "op": "remove", "path": "members", "value": [{ "value": ann }] },
                        ]));
                        let answer = world.call("PATCH", &format!("/Groups/{group}"), &change).await;
                        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
                    }
                })
            })
            .collect();
        let deleted = world.call("DELETE", &format!("/Users/{ann}"), &Value::Null).await;
        assert_eq!(deleted.status.as_u16(), 204, "{}", deleted.body);
        for changer in changers {
            changer.await.unwrap();
        }
        for (number, group) in groups.iter().enumerate() {
            assert_eq!(world.members(group).await, [others[number % 8].as_str()], "{number}");
        }
        let filter = format!("/Groups?count=0&filter=members.value+eq+%22{ann}%22");
        assert_eq!(world.get(&filter).await.body["totalResults"], 0);
    });
}

#[test]
fn groups_that_contain_each_other_are_stored_and_walked_no_further_than_asked() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let outer = world.group("Outer", &[]).await;
        let inner = world.group("Inner", &[&outer]).await;
        let close = operations(&json!([{ "op": "add", "path": "members", "value": [{ "value": inner }] }]));
        assert_eq!(world.call("PATCH", &format!("/Groups/{outer}"), &close).await.status.as_u16(), 200);
        assert_eq!(
            (world.members(&outer).await, world.members(&inner).await),
            (vec![inner.clone()], vec![outer.clone()])
        );
        assert_eq!(world.get("/Groups").await.body["totalResults"], 2);
        assert_eq!(world.call("DELETE", &format!("/Groups/{outer}"), &Value::Null).await.status.as_u16(), 204);
        let left = world.get(&format!("/Groups/{inner}")).await;
        assert_eq!((left.header("etag"), &left.body["members"]), ("W/\"2\"", &json!([])));
    });
}

#[test]
fn a_group_with_very_many_members_is_gone_at_once() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = users(&world, provider::MEMBERS_DELETED_MAX as usize + 1).await;
        let group = group_of(&world, &ids).await;
        let path = format!("/Groups/{group}");
        for expected in [204, 404] {
            assert_eq!(world.call("DELETE", &path, &Value::Null).await.status.as_u16(), expected);
        }
        let ann = format!("/Users/{}", ids[0]);
        assert_eq!(world.get(&ann).await.body.get("groups"), None);
        assert_eq!(world.call("DELETE", &ann, &Value::Null).await.status.as_u16(), 204);
        let filter = format!("/Groups?filter=members.value+eq+%22{}%22", ids[5000]);
        assert_eq!(world.get(&filter).await.body["totalResults"], 0);
    });
}

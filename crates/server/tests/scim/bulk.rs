//! Bulk requests (RFC 7644 §3.7).

use axum::body::Body;
use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{Answer, ENTERPRISE, GROUP, PATCH, PUBLIC, USER, World};

/// An id that names nothing.
const NOBODY: &str = "0198c2a4-7d1e-7aaa-8bbb-0123456789ab";

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn message(operations: &[Value]) -> Value {
    json!({ "schemas": [BULK], "Operations": operations })
}

/// Sends operations; gives what came of each.
async fn bulk(world: &World, operations: &[Value]) -> Vec<Value> {
    told(&world.call("POST", "/Bulk", &message(operations)).await)
}

fn told(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/scim+json");
    assert_eq!(answer.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
    answer.body["Operations"].as_array().unwrap().clone()
}

fn statuses(told: &[Value]) -> Vec<&str> {
    told.iter().map(|one| one["status"].as_str().expect("a status is a text")).collect()
}

fn id_of(told: &Value) -> String {
    told["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[test]
fn the_location_of_what_is_no_id_is_an_address_too() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let base = format!("{PUBLIC}/t/contoso/scim/v2");
        for (id, told) in [("a b\"<x>", "a%20b%22%3Cx%3E"), ("ä", "%C3%A4"), (NOBODY, NOBODY)] {
            let operation = json!({ "method": "DELETE", "path": format!("/Users/{id}") });
            let done = bulk(&world, &[operation]).await;
            assert_eq!(
                (&done[0]["status"], &done[0]["location"]),
                (&json!("404"), &json!(format!("{base}/Users/{told}")))
            );
        }
    });
}

fn user(bulk_id: &str) -> Value {
    user_with(bulk_id, &json!({}))
}

fn user_with(bulk_id: &str, more: &Value) -> Value {
    let mut data = json!({ "schemas": [USER], "userName": bulk_id });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data })
}

fn group(bulk_id: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    let data = json!({ "schemas": [GROUP], "displayName": bulk_id, "members": members });
    json!({ "method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data })
}

fn patch(path: &str, operations: &Value) -> Value {
    json!({ "method": "PATCH", "path": path, "data": { "schemas": [PATCH], "Operations": operations } })
}

async fn count(world: &World, path: &str) -> u64 {
    world.get(&format!("{path}?count=0")).await.body["totalResults"].as_u64().unwrap()
}

#[test]
fn every_method_on_both_kinds() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let sales = world.group("Sales", &[&ann]).await;
        let title = json!([{ "op": "add", "path": "title", "value": "T" }]);
        let mut guarded = patch(&format!("/Users/{ann}"), &title);
        guarded["version"] = json!("W/\"1\"");
        let done = bulk(
            &world,
            &[
                user("carl"),
                guarded.clone(),
                json!({ "method": "put", "path": format!("/Users/{bob}"), "data": { "schemas": [USER], "userName": "bobby" } }),
                patch(&format!("/Groups/{sales}"), &json!([{ "op": "add", "path": "members", "value": [{ "value": bob }] }])),
                guarded,
                json!({ "method": "DELETE", "path": format!("/Users/{ann}"), "version": "W/\"2\"", "bulkId": "mine" }),
                json!({ "method": "DELETE", "path": format!("/Users/{ann}") }),
            ],
        )
        .await;
        assert_eq!(statuses(&done), ["201", "200", "200", "200", "412", "204", "404"]);
        let base = format!("{PUBLIC}/t/contoso/scim/v2");
        let carl = id_of(&done[0]);
        assert_eq!(
            done[0],
            json!({ "method": "POST", "bulkId": "carl", "location": format!("{base}/Users/{carl}"), "version": "W/\"1\"", "status": "201" })
        );
        assert_eq!((&done[2]["method"], &done[2]["version"]), (&json!("PUT"), &json!("W/\"2\"")));
        assert_eq!(
            done[5],
            json!({ "method": "DELETE", "bulkId": "mine", "location": format!("{base}/Users/{ann}"), "status": "204" })
        );
        assert_eq!((&done[4]["response"]["status"], done[4].get("version")), (&json!("412"), None));
        assert_eq!(done[6]["location"], json!(format!("{base}/Users/{ann}")), "told of all but a failed POST");
        assert_eq!(world.get(&format!("/Users/{bob}")).await.body["userName"], "bobby");
        assert_eq!(world.members(&sales).await, [bob]);
    });
}

#[test]
fn references_backward_forward_and_in_paths() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let manager = |id: &str| json!({ "schemas": [USER, ENTERPRISE], ENTERPRISE: { "manager": { "value": id } } });
        let done = bulk(
            &world,
            &[
                group("Guides", &["bulkId:alice", "bulkId:bob"]),
                user("alice"),
                user_with("bob", &manager("bulkId:alice")),
                user_with("carl", &manager("bulkId:dora")),
                user("dora"),
                patch(
                    "/Groups/bulkId:Guides",
                    &json!([
                        { "op": "remove", "path": "members[value eq \"bulkId:alice\"]" },
                        { "op": "add", "path": "members", "value": "bulkId:carl" },
                    ]),
                ),
                json!({ "method": "DELETE", "path": "/Users/bulkId:bob" }),
            ],
        )
        .await;
        assert_eq!(statuses(&done), ["201", "201", "201", "201", "201", "204", "204"]);
        let ids: Vec<String> = done.iter().map(id_of).collect();
        assert_eq!(world.members(&ids[0]).await, [ids[3].as_str()]);
        let carl = world.get(&format!("/Users/{}", ids[3])).await.body;
        assert_eq!(carl[ENTERPRISE]["manager"]["value"], json!(ids[4]));
        assert_eq!(world.get(&format!("/Users/{}", ids[2])).await.status.as_u16(), 404);
    });
}

/// SJ-21: a name is a name, as in a single request, whatever it begins with.
/// RFC 7644 §3.7: operations on one resource are done in the client's order.
#[test]
fn what_is_about_one_resource_keeps_its_order_however_its_endpoint_is_written() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for endpoint in ["Users", "users"] {
            let ann = world.user("ann").await;
            let manager = json!([{ "op": "add", "path": format!("{ENTERPRISE}:manager"), "value": "bulkId:boss" }]);
            let delete = json!({ "method": "DELETE", "path": format!("/{endpoint}/{ann}") });
            let done = bulk(&world, &[patch(&format!("/Users/{ann}"), &manager), delete, user("boss")]).await;
            assert_eq!(statuses(&done), ["200", "204", "201"], "{endpoint}");
            let boss = format!("/Users/{}", id_of(&done[2]));
            assert_eq!(world.call("DELETE", &boss, &Value::Null).await.status.as_u16(), 204);
        }
    });
}

#[test]
fn sj_21_a_bulk_id_is_one_only_where_a_resource_is_named() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let texts = json!({ "displayName": "bulkId: smith", "externalId": "bulkId:u", "title": "bulkId:nobody" });
        let mut renamed = group("G", &["bulkId:u"]);
        renamed["data"]["displayName"] = json!("bulkId:u");
        let done = bulk(&world, &[user_with("u", &texts), renamed]).await;
        assert_eq!(statuses(&done), ["201", "201"], "{done:?}");
        let (made, group) = (id_of(&done[0]), id_of(&done[1]));
        let shown = world.get(&format!("/Users/{made}")).await;
        for (name, text) in texts.as_object().unwrap() {
            assert_eq!(&shown.body[name], text, "{name}");
        }
        assert_eq!(world.get(&format!("/Groups/{group}")).await.body["displayName"], "bulkId:u");
        assert_eq!(world.members(&group).await, [made]);
    });
}

#[test]
fn all_but_a_failed_post_is_answered_with_its_place() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = format!("/Users/{}", world.user("ann").await);
        let put = |path: &str, data: Value| json!({ "method": "PUT", "path": path, "data": data });
        let lost = json!([{ "op": "add", "path": "manager", "value": "bulkId:nobody" }]);
        let refused = [
            (json!({ "method": "PUT", "path": ann }), true),
            (json!({ "METHOD": "patch", "Path": ann, "data": null }), true),
            (json!({ "method": "DELETE", "path": ann, "version": 1 }), true),
            (json!({ "method": "DELETE", "path": ann, "bulkId": 1 }), true),
            (put(&ann, json!([])), true),
            (put(&ann, json!({ "schemas": [USER], "userName": "ann", "manager": "bulkId:nobody" })), true),
            (patch(&ann, &lost), true),
            (json!({ "method": "PATCH", "path": format!("/Users/{NOBODY}") }), true),
            (patch("/Users/bulkId:bob", &lost), true),
            (patch("/Users/bulkId:nobody", &json!([])), false),
            (json!({ "method": "POST", "path": ann, "bulkId": "x", "data": {} }), false),
            (json!({ "method": "PUT", "path": "/Users" }), false),
            (json!({ "method": "PUT", "path": "/Nothing/1" }), false),
            (json!({ "method": "PUT", "path": "/Users/a b" }), false),
            (json!({ "method": "PUT", "path": format!("//other{ann}") }), false),
            (json!({ "method": "PUT" }), false),
        ];
        let mut operations: Vec<Value> = refused.iter().map(|(operation, _)| operation.clone()).collect();
        operations.push(user("bob"));
        let done = bulk(&world, &operations).await;
        let base = format!("{PUBLIC}/t/contoso/scim/v2");
        let bob = &done[refused.len()]["location"];
        for ((operation, is_told), done) in refused.iter().zip(&done) {
            assert_eq!(done["status"], "400", "{operation}: {done}");
            let path = operation.get("path").or(operation.get("Path")).and_then(Value::as_str).unwrap_or_default();
            let expected = if path.contains("bulkId:") { bob.clone() } else { json!(format!("{base}{path}")) };
            assert_eq!(done.get("location"), is_told.then_some(&expected), "{operation}");
        }
    });
}

#[test]
fn a_patch_of_a_group_has_the_status_of_a_single_request() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = crate::groups_at_size::users(&world, 21).await;
        let change = json!([{ "op": "add", "path": "externalId", "value": "x" }]);
        for (members, expected) in [(0, "200"), (20, "200"), (21, "204")] {
            let members: Vec<&str> = ids[..members].iter().map(String::as_str).collect();
            let path = format!("/Groups/{}", world.group("G", &members).await);
            let done = bulk(&world, &[patch(&path, &change)]).await;
            assert_eq!(statuses(&done), [expected], "{}", members.len());
            let single = world.call("PATCH", &path, &json!({ "schemas": [PATCH], "Operations": change })).await;
            assert_eq!(single.status.as_str(), expected, "{}", members.len());
        }
    });
}

#[test]
fn sb_01_more_operations_than_the_limit_are_refused_before_any_is_done() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let most = scim::limits::BULK_OPERATIONS_MAX;
        let many: Vec<Value> = (0..=most).map(|number| user(&format!("u{number}"))).collect();
        let refused = world.call("POST", "/Bulk", &message(&many)).await;
        assert_eq!(refused.status.as_u16(), 413);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("maxOperations") && detail.contains(&most.to_string()), "{detail}");
        assert_eq!(count(&world, "/Users").await, 0);
        let done = bulk(&world, &many[..most]).await;
        assert!(statuses(&done).iter().all(|status| *status == "201"));
        assert_eq!(count(&world, "/Users").await, most as u64);
    });
}

#[test]
fn sb_02_a_body_over_the_limit_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let mut body = message(&[user("ann")]).to_string();
        body.push_str(&" ".repeat(server::BODY_BYTES_MAX + 1 - body.len()));
        let send = |body: String| {
            let request = world.request("POST", "/Bulk").header("content-type", "application/scim+json");
            world.send(request.body(Body::from(body)).unwrap())
        };
        let refused = send(body.clone()).await;
        assert_eq!(refused.status.as_u16(), 413);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("maxPayloadSize") && detail.contains("1048576"), "{detail}");
        assert_eq!(count(&world, "/Users").await, 0);
        body.pop();
        assert_eq!(statuses(&told(&send(body).await)), ["201"]);
    });
}

#[test]
fn sb_03_circles_of_groups_are_resolved() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let done = bulk(
            &world,
            &[
                group("outside", &["bulkId:A"]),
                group("A", &["bulkId:B"]),
                group("B", &["bulkId:C", "bulkId:ann"]),
                group("C", &["bulkId:A"]),
                user("ann"),
            ],
        )
        .await;
        assert_eq!(statuses(&done), ["201"; 5]);
        let ids: Vec<String> = done.iter().map(id_of).collect();
        for (group, members) in [(0, vec![1]), (1, vec![2]), (2, vec![3, 4]), (3, vec![1])] {
            let mut expected: Vec<&String> = members.into_iter().map(|member: usize| &ids[member]).collect();
            expected.sort();
            assert_eq!(world.members(&ids[group]).await.iter().collect::<Vec<_>>(), expected, "{group}");
            let held = world.get(&format!("/Groups/{}?excludedAttributes=members", ids[group])).await;
            assert_eq!(held.header("etag"), done[group]["version"].as_str().unwrap());
        }
        // One that cannot be made takes the others of its circle with it, and what needs them.
        let failed =
            bulk(&world, &[group("E", &["bulkId:F"]), group("F", &["bulkId:E", NOBODY]), group("G", &["bulkId:E"])])
                .await;
        assert_eq!(statuses(&failed), ["409", "400", "409"]);
        assert!(failed.iter().all(|one| one.get("location").is_none()), "{failed:?}");
        assert_eq!(count(&world, "/Groups").await, 4);
    });
}

#[test]
fn sb_03_a_circle_that_is_too_long_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (length, expected) in
            [(provider::CIRCLE_OPERATIONS_MAX, "201"), (provider::CIRCLE_OPERATIONS_MAX + 1, "409")]
        {
            let circle: Vec<Value> = (0..length)
                .map(|number| group(&format!("g{number}"), &[&format!("bulkId:g{}", (number + 1) % length)]))
                .collect();
            let done = bulk(&world, &circle).await;
            assert!(statuses(&done).iter().all(|status| *status == expected), "{length}: {done:?}");
        }
    });
}

#[test]
fn sb_04_what_speaks_of_itself_of_nobody_or_twice_is_refused_alone() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let done = bulk(
            &world,
            &[
                group("qwerty", &["bulkId:qwerty"]),
                group("lost", &["bulkId:nobody"]),
                user("twice"),
                user("twice"),
                user("bob"),
                group("needs", &["bulkId:bob", "bulkId:lost"]),
                patch("/Groups/bulkId:lost", &json!([])),
                json!({ "method": "POST", "path": "/Users", "data": { "schemas": [USER], "userName": "x" } }),
            ],
        )
        .await;
        assert_eq!(statuses(&done), ["400", "400", "201", "400", "201", "409", "409", "400"]);
        for (number, scim_type) in [(0, "invalidValue"), (1, "invalidValue"), (3, "invalidValue"), (7, "invalidSyntax")]
        {
            assert_eq!(done[number]["response"]["scimType"], scim_type, "{number}");
            assert_eq!(done[number].get("location"), None, "{number}");
        }
        assert_eq!((count(&world, "/Users").await, count(&world, "/Groups").await), (2, 0));
    });
}

#[test]
fn sb_05_a_thousand_operations_that_each_need_the_next() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let most = scim::limits::BULK_OPERATIONS_MAX;
        let chain: Vec<Value> = (0..most)
            .map(|number| match number + 1 {
                next if next < most => group(&format!("g{number}"), &[&format!("bulkId:g{next}")]),
                _ => group(&format!("g{number}"), &[]),
            })
            .collect();
        let done = bulk(&world, &chain).await;
        assert!(statuses(&done).iter().all(|status| *status == "201"));
        assert_eq!(world.members(&id_of(&done[0])).await, [id_of(&done[1])]);
    });
}

#[test]
fn sb_06_errors_end_the_request_where_the_client_says_so() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let operations = |round: usize| {
            let named = |name: &str| user(&format!("{name}{round}"));
            vec![named("a"), named("b"), named("a"), named("c"), named("b"), named("d")]
        };
        for (round, (fail_on_errors, expected)) in [
            (Value::Null, vec!["201", "201", "400", "201", "400", "201"]),
            (json!(1), vec!["201", "201", "400"]),
            (json!(2), vec!["201", "201", "400", "201", "400"]),
            (json!(3), vec!["201", "201", "400", "201", "400", "201"]),
            (json!(0), vec!["201", "201", "400", "201", "400", "201"]),
        ]
        .into_iter()
        .enumerate()
        {
            let mut body = message(&operations(round));
            body["failOnErrors"] = fail_on_errors.clone();
            let done = told(&world.call("POST", "/Bulk", &body).await);
            assert_eq!(statuses(&done), expected, "{fail_on_errors}");
        }
        let before = count(&world, "/Users").await;
        for refused in [json!(-1), json!("1"), json!(1.5), json!([1])] {
            let mut body = message(&operations(9));
            body["failOnErrors"] = refused.clone();
            let answer = world.call("POST", "/Bulk", &body).await;
            assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!("invalidValue")), "{refused}");
        }
        assert_eq!(count(&world, "/Users").await, before);
    });
}

#[test]
fn a_put_of_what_is_gone_is_not_found_whatever_its_body() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let incomplete =
            |id: &str| json!({ "method": "PUT", "path": format!("/Users/{id}"), "data": { "schemas": [USER] } });
        let delete = json!({ "method": "DELETE", "path": format!("/Users/{ann}") });
        let done = bulk(&world, &[incomplete(&bob), delete, incomplete(&ann)]).await;
        assert_eq!(statuses(&done), ["400", "204", "404"]);
        assert_eq!(done[0]["response"]["scimType"], "invalidValue");
    });
}

#[test]
fn sb_06_errors_count_in_the_order_in_which_operations_are_done() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.user("taken").await;
        let mut body = message(&[
            group("G", &["bulkId:late"]),
            user("first"),
            user_with("late", &json!({ "userName": "taken" })),
            user("last"),
        ]);
        body["failOnErrors"] = json!(1);
        let done = told(&world.call("POST", "/Bulk", &body).await);
        let shown: Vec<_> =
            done.iter().map(|one| (one["bulkId"].as_str().unwrap(), one["status"].as_str().unwrap())).collect();
        assert_eq!(shown, [("first", "201"), ("late", "409")]);
        assert_eq!(done[1]["response"]["scimType"], "uniqueness");
    });
}

#[test]
fn sb_07_an_operation_reaches_resources_and_nothing_else() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let paths = [
            "/Bulk",
            "/Me",
            "/Schemas",
            "/.search",
            "/Users/.search",
            "http://other/Users",
            "//other/Users",
            "../admin",
            "/../t/other/scim/v2/Users",
            "/Users/../Groups",
            "/t/fabrikam/scim/v2/Users",
            "/user",
            "",
            "/",
            "/Users?x=y",
        ];
        let posts: Vec<Value> = paths
            .iter()
            .enumerate()
            .map(|(number, path)| json!({ "method": "POST", "path": path, "bulkId": number.to_string(), "data": { "schemas": [USER], "userName": "x" } }))
            .collect();
        for (path, done) in paths.iter().zip(bulk(&world, &posts).await) {
            assert_eq!((&done["status"], done.get("location")), (&json!("400"), None), "{path}: {done}");
        }
        let odd = [
            json!(null),
            json!([]),
            json!({}),
            json!({ "method": "GET", "path": "/Users" }),
            json!({ "method": "OPTIONS", "path": "/Users/1" }),
        ];
        assert_eq!(statuses(&bulk(&world, &odd).await), ["400"; 5]);
        assert_eq!(count(&world, "/Users").await, 0);
    });
}

#[test]
fn sb_08_every_operation_is_held_to_what_the_token_may() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let (eve, theirs) = (other.user("eve").await, other.group("theirs", &[]).await);
        let ours = world.group("ours", &[]).await;
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": eve }] }]);
        let done = bulk(
            &world,
            &[
                json!({ "method": "DELETE", "path": format!("/Users/{eve}") }),
                json!({ "method": "PUT", "path": format!("/Users/{eve}"), "data": { "schemas": [USER], "userName": "eve" } }),
                patch(&format!("/Groups/{theirs}"), &json!([])),
                patch(&format!("/Groups/{ours}"), &add),
                json!({ "method": "DELETE", "path": "/Users/0198c2a4-7d1e-7aaa-8bbb-0123456789ab" }),
            ],
        )
        .await;
        assert_eq!(statuses(&done), ["404", "404", "404", "400", "404"]);
        assert_eq!(done[0]["response"], done[4]["response"], "what is another tenant's reads as what never was");
        assert_eq!(other.get(&format!("/Users/{eve}")).await.status.as_u16(), 200);
        let stranger = World { token: "lst_x".to_owned(), ..world.clone() };
        assert_eq!(stranger.call("POST", "/Bulk", &message(&[user("x")])).await.status.as_u16(), 401);
        let plain = world.tenant("plain", "storegate").await;
        assert_eq!(statuses(&bulk(&plain, &[user("ann"), group("G", &[])]).await), ["201", "501"]);
    });
}

#[test]
fn sb_10_a_request_that_is_cut_off_leaves_whole_operations_and_can_be_sent_again() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let mut operations = Vec::new();
        for number in 0..200 {
            operations.push(user(&format!("u{number}")));
            operations.push(group(&format!("g{number}"), &[&format!("bulkId:u{number}")]));
        }
        let (sender, body) = (world.clone(), message(&operations));
        let sent = tokio::spawn(async move { sender.call("POST", "/Bulk", &body).await });
        while count(&world, "/Groups").await == 0 {
            tokio::task::yield_now().await;
        }
        sent.abort();
        drop(sent.await);
        let again = bulk(&world, &operations).await;
        assert_eq!(again.len(), operations.len());
        assert_eq!(count(&world, "/Users").await, 200, "nobody is there twice");
        for (user, group) in again.chunks(2).map(|pair| (&pair[0], &pair[1])) {
            match user["status"].as_str().unwrap() {
                "201" => assert_eq!(world.members(&id_of(group)).await, [id_of(user)]),
                status => assert_eq!((status, group["status"].as_str().unwrap()), ("409", "409")),
            }
        }
        // Whatever was made before has what was asked for it.
        let groups = world.get("/Groups?count=1000").await.body;
        assert!(
            groups["Resources"].as_array().unwrap().iter().all(|group| group["members"].as_array().unwrap().len() == 1)
        );
    });
}

#[test]
fn others_write_while_a_bulk_request_is_worked_off() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let operations: Vec<Value> = (0..1000).map(|number| user(&format!("u{number}"))).collect();
        let (sender, body) = (world.clone(), message(&operations));
        let sent = tokio::spawn(async move { sender.call("POST", "/Bulk", &body).await });
        while count(&world, "/Users").await == 0 {
            tokio::task::yield_now().await;
        }
        world.user("between").await;
        assert!(!sent.is_finished());
        assert!(statuses(&told(&sent.await.unwrap())).iter().all(|status| *status == "201"));
    });
}

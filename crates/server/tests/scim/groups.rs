//! Groups: their attributes and, above all, their members.

use serde_json::{Value, json};
use store::ObjectKind;
use store::testing::on_both;

use crate::world::{GROUP, PATCH, PUBLIC, Row, World};

/// Entra's second schema of groups, which nobody else knows.
const ADSCIM: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

fn operations(operations: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": operations })
}

#[test]
fn entra_creates_reads_and_deletes_a_group() {
    on_both(|store| async {
        let world = World::new(store, "palo-alto-cie").await;
        let body = json!({ "schemas": [GROUP, ADSCIM], "externalId": "4d32", "displayName": "Sales", "meta": { "resourceType": "Group" } });
        let made = world.call("POST", "/Groups", &body).await;
        let id = made.id();
        assert_eq!((made.status.as_u16(), &made.body["members"]), (201, &json!([])));
        assert_eq!(made.header("location"), format!("{PUBLIC}/t/contoso/scim/v2/Groups/{id}"));
        assert_eq!(world.get(&format!("/Groups/{id}")).await.body, made.body);
        let again = world.call("POST", "/Groups", &json!({ "schemas": [GROUP], "displayName": "SALES" })).await;
        assert_eq!((again.status.as_u16(), &again.body["scimType"]), (409, &json!("uniqueness")));
        let renamed = operations(&json!([{ "op": "Replace", "path": "displayName", "value": "Sales EU" }]));
        let answer = world.call("PATCH", &format!("/Groups/{id}"), &renamed).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body, answer.headers.get("content-type")),
            (204, &Value::Null, None)
        );
        assert_eq!(
            (answer.header("location"), answer.header("etag"), answer.header("content-location")),
            (made.header("location"), "W/\"2\"", "")
        );
        let asked = world.call("PATCH", &format!("/Groups/{id}?attributes=displayName"), &operations(&json!([]))).await;
        assert_eq!(
            (asked.status.as_u16(), &asked.body["displayName"], asked.body.get("members")),
            (200, &json!("Sales EU"), None)
        );
        for expected in [204, 404] {
            assert_eq!(world.call("DELETE", &format!("/Groups/{id}"), &Value::Null).await.status.as_u16(), expected);
        }
    });
}

#[test]
fn forms_of_changing_members() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let table = include_str!("changing_members.jsonl").replace("{ann}", &ann).replace("{bob}", &bob);
        for line in table.lines() {
            let (name, before, change, after): (String, Vec<String>, Value, Vec<String>) =
                serde_json::from_str(line).unwrap();
            let group = world.group("G", &before.iter().map(String::as_str).collect::<Vec<_>>()).await;
            let change = operations(&change);
            let expected = if scim::expects_no_content(&change) { 204 } else { 200 };
            let answer = world.call("PATCH", &format!("/Groups/{group}"), &change).await;
            assert_eq!(answer.status.as_u16(), expected, "{name}: {}", answer.body);
            assert_eq!(world.members(&group).await, after, "{name}");
        }
    });
}

/// RFC 7644 §3.5.2.3: to replace what the filter of a path does not find is refused.
#[test]
fn who_is_no_member_is_not_replaced() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let group = world.group("G", &[&bob]).await;
        let path = format!("/Groups/{group}");
        let version = world.get(&path).await.body["meta"]["version"].clone();
        let rename = json!({ "op": "replace", "path": "displayName", "value": "H" });
        for (id, part, value) in [
            (ann.as_str(), "", json!({ "value": ann })),
            (&ann, "", json!([{ "value": ann, "display": "Ann" }])),
            (&ann, ".value", json!(ann)),
            (&ann, ".display", json!("Ann")),
            (&ann, ".type", json!("User")),
            ("x", "", json!({ "value": "x" })),
            (&group, "", json!({ "value": group })),
        ] {
            let replace =
                json!({ "op": "replace", "path": format!("members[value eq \"{id}\"]{part}"), "value": value });
            let answer = world.call("PATCH", &path, &operations(&json!([rename, replace]))).await;
            let refusal = (answer.status.as_u16(), &answer.body["scimType"]);
            assert_eq!(refusal, (400, &json!("noTarget")), "{id} {part} {value}");
        }
        let left = world.get(&path).await.body;
        assert_eq!((&left["displayName"], &left["meta"]["version"]), (&json!("G"), &version));
        assert_eq!(world.members(&group).await, [bob]);
    });
}

#[test]
fn a_member_is_shown_with_what_the_server_knows() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = world.user("ann").await;
        let inner = world.group("Inner", &[]).await;
        let body = json!({ "schemas": [GROUP], "displayName": "Outer", "members": [{ "value": ann, "display": "Ann \"A\"", "type": "nonsense" }, inner] });
        let made = world.call("POST", "/Groups", &body).await;
        let base = format!("{PUBLIC}/t/contoso/scim/v2");
        let expected = json!([
            { "value": ann, "$ref": format!("{base}/Users/{ann}"), "type": "User", "display": "Ann \"A\"" },
            { "value": inner, "$ref": format!("{base}/Groups/{inner}"), "type": "Group" },
        ]);
        assert_eq!(made.body["members"], expected);
        let path = format!("/Groups/{}", made.id());
        for (query, shown) in [
            ("", expected.clone()),
            ("?attributes=members", expected.clone()),
            ("?attributes=members.value", json!([{ "value": ann }, { "value": inner }])),
            ("?attributes=members[type+eq+%22Group%22].value", json!([{ "value": inner }])),
            ("?excludedAttributes=displayName", expected.clone()),
            ("?excludedAttributes=members", Value::Null),
            ("?attributes=displayName", Value::Null),
        ] {
            let found = world.get(&format!("{path}{query}")).await;
            assert_eq!(found.body.get("members").cloned().unwrap_or_default(), shown, "{query}");
        }
        let user = world.get(&format!("/Users/{ann}")).await;
        let outer =
            json!({ "value": made.id(), "$ref": format!("{base}{path}"), "display": "Outer", "type": "direct" });
        assert_eq!(user.body["groups"], json!([outer]));
    });
}

#[test]
fn gr_02_gr_03_who_cannot_be_a_member() {
    on_both(|store| async {
        let world = World::new(store, "netskope").await;
        let other = world.tenant("fabrikam", "netskope").await;
        let (ann, gone, foreign) = (world.user("ann").await, world.user("gone").await, other.user("eve").await);
        world.call("DELETE", &format!("/Users/{gone}"), &Value::Null).await;
        let (group, nested) = (world.group("G", &[&ann]).await, world.group("N", &[]).await);
        let mut details = Vec::new();
        for id in
            [gone.as_str(), foreign.as_str(), "0198c2a4-7d1e-7aaa-8bbb-0123456789ab", nested.as_str(), group.as_str()]
        {
            let add = operations(
                &json!([{ "op": "add", "path": "members", "value": [{ "value": id, "$ref": format!("{PUBLIC}/t/fabrikam/scim/v2/Users/{id}") }] }]),
            );
            let post = json!({ "schemas": [GROUP], "displayName": "P", "members": [{ "value": id }] });
            let put = json!({ "schemas": [GROUP], "displayName": "G", "members": [{ "value": id }] });
            let path = format!("/Groups/{group}");
            for (method, path, body) in [("PATCH", path.as_str(), add), ("POST", "/Groups", post), ("PUT", &path, put)]
            {
                let answer = world.call(method, path, &body).await;
                assert_eq!(
                    (answer.status.as_u16(), &answer.body["scimType"]),
                    (400, &json!("invalidValue")),
                    "{method} {id}"
                );
                details.push(answer.body["detail"].as_str().unwrap().replace(id, "ID"));
            }
        }
        assert!(details[..9].iter().all(|detail| *detail == details[0]), "foreign and unknown read alike: {details:?}");
        assert_eq!(world.members(&group).await, [ann], "a refused change leaves the group as it was");
        assert_eq!(world.get("/Groups?count=0").await.body["totalResults"], 2);
    });
}

#[test]
fn deleting_a_member_changes_its_groups() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let group = world.group("G", &[&ann, &bob]).await;
        let before = world.get(&format!("/Groups/{group}")).await;
        world.call("DELETE", &format!("/Users/{ann}"), &Value::Null).await;
        let after = world.get(&format!("/Groups/{group}")).await;
        assert_eq!(after.header("etag"), "W/\"2\"");
        assert_ne!(after.body["meta"]["lastModified"], before.body["meta"]["lastModified"]);
        assert_eq!(world.members(&group).await, [bob]);
        let last: Vec<ObjectKind> = world.changes().await.iter().rev().take(2).map(|change| change.object).collect();
        assert_eq!(last, [ObjectKind::User, ObjectKind::Group]);
    });
}

/// Users with names as long as they may be.
async fn people(world: &World, count: usize) -> Vec<Value> {
    let mut members = Vec::new();
    for number in 0..count {
        let name = "n".repeat(scim::limits::KEY_BYTES_MAX);
        members.push(json!({ "value": world.user(&format!("u{number}")).await, "display": name }));
    }
    members
}

#[test]
fn filters_of_members_cost_a_patch_what_they_look_at() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let members = people(&world, 60).await;
        let group = json!({ "schemas": [GROUP], "displayName": "G", "members": members });
        let path = format!("/Groups/{}", world.call("POST", "/Groups", &group).await.id());
        let named = format!("members[value eq \"{}\" and display pr]", members[0]["value"].as_str().unwrap());
        let many = format!("members[{}]", vec!["type eq Group"; 20].join(" or "));
        let remove = |path: &str, times| operations(&json!(vec![json!({ "op": "remove", "path": path }); times]));
        for (body, status, left) in
            [(remove(&many, 400), 400, 60), (remove(&many, 2), 204, 60), (remove(&named, 200), 204, 59)]
        {
            let answer = world.call("PATCH", &path, &body).await;
            let refused = if status == 400 { json!("tooMany") } else { Value::Null };
            assert_eq!(
                (answer.status.as_u16(), answer.body.get("scimType").cloned().unwrap_or_default()),
                (status, refused)
            );
            assert_eq!(world.get(&path).await.body["members"].as_array().unwrap().len(), left);
        }
    });
}

#[test]
fn a_page_ends_early_where_filters_look_at_many_members() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (members, mut ids) = (people(&world, 100).await, Vec::new());
        for number in 0..20 {
            let body = json!({ "schemas": [GROUP], "displayName": format!("G{number}"), "members": members });
            ids.push(world.call("POST", "/Groups?attributes=displayName", &body).await.id());
        }
        let nobody = format!("members[type eq null and {}]", vec!["type pr"; 199].join(" and "));
        let (mut walked, mut pages) = (Vec::new(), 0);
        while walked.len() < ids.len() {
            let search = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "attributes": vec![nobody.as_str(); 3], "startIndex": walked.len() + 1, "count": 1000,
            });
            let page = world.call("POST", "/Groups/.search", &search).await.body;
            let shown = page["Resources"].as_array().unwrap();
            assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(20), &json!(shown.len())));
            assert!((1..20).contains(&shown.len()), "{}", shown.len());
            walked.extend(shown.iter().map(|group| group["id"].as_str().unwrap().to_owned()));
            pages += 1;
        }
        assert_eq!((walked, pages), (ids, 2));
    });
}

#[test]
fn gr_09_a_put_that_is_silent_about_members() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let mut users = Vec::new();
        for number in 0..=provider::PUT_WITHOUT_MEMBERS_MAX {
            users.push(world.user(&format!("u{number}")).await);
        }
        let ids: Vec<&str> = users.iter().map(String::as_str).collect();
        let (small, large) = (world.group("S", &ids[1..]).await, world.group("L", &ids).await);
        let silent = json!({ "schemas": [GROUP], "displayName": "X" });
        let explicit = json!({ "schemas": [GROUP], "displayName": "X", "members": [] });
        for (group, body, status, left) in
            [(&small, &silent, 200, 0), (&large, &silent, 400, ids.len()), (&large, &explicit, 200, 0)]
        {
            let answer = world.call("PUT", &format!("/Groups/{group}"), body).await;
            assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
            assert_eq!(world.members(group).await.len(), left);
        }
    });
}

/// GR-03, TI-02: a mistake in an id of a list that replaces all members is told, and not taken for none.
#[test]
fn a_list_that_replaces_members_empties_no_group_by_mistake() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let group = world.group("G", &[&ann]).await;
        let at = format!("/Groups/{group}");
        for wrong in [
            json!([{ "value": "bogus" }]),
            json!([{ "value": &ann[1..] }]),
            json!([{ "value": ann.replace('-', "") }]),
            json!([{ "value": format!("{ann} ") }]),
            json!([{ "value": bob }, { "value": "bogus" }]),
            json!([{ "value": bob }, { "value": "bulkId:1" }]),
            json!(["bogus"]),
            json!([{ "value": null }]),
            json!([{ "value": "" }]),
            json!([{ "display": "Bob" }]),
            json!([{}]),
            json!([null]),
            json!([bob, ""]),
        ] {
            let put = json!({ "schemas": [GROUP], "displayName": "H", "Members": wrong });
            let replace = operations(&json!([{ "op": "replace", "path": "members", "value": wrong }]));
            let inner = operations(&json!([{ "op": "replace", "value": { "displayName": "H", "members": wrong } }]));
            for (method, body) in [("PUT", put), ("PATCH", replace), ("PATCH", inner)] {
                let answer = world.call(method, &at, &body).await;
                assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!("invalidValue")), "{body}");
                assert!(answer.body["detail"].as_str().unwrap().contains("member"), "{}", answer.body);
            }
            assert_eq!(
                (world.members(&group).await, &world.get(&at).await.body["displayName"]),
                (vec![ann.clone()], &json!("G"))
            );
        }
        for (right, left) in
            [(json!([{ "value": bob }]), vec![bob.clone()]), (json!(ann), vec![ann.clone()]), (json!([]), vec![])]
        {
            let replace = operations(&json!([{ "op": "replace", "path": "members", "value": right }]));
            assert!(world.call("PATCH", &at, &replace).await.status.is_success());
            assert_eq!(world.members(&group).await, left);
        }
    });
}

#[test]
fn a_membership_is_a_change_of_the_group() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = world.user("ann").await;
        let group = world.group("G", &[]).await;
        let path = format!("/Groups/{group}");
        let add = operations(&json!([{ "op": "add", "path": "members", "value": [{ "value": ann }] }]));
        for (expected, rows) in [("W/\"2\"", 3), ("W/\"2\"", 3)] {
            assert_eq!(world.call("PATCH", &path, &add).await.header("etag"), expected);
            assert_eq!(world.changes().await.len(), rows);
        }
        let last = world.changes().await[2];
        assert_eq!((last.object, last.id.to_string(), last.related), (ObjectKind::Group, group, None));
    });
}

#[test]
fn gr_08_the_same_rule_behind_every_door() {
    on_both(|store| async {
        let world = World::new(store, "netskope").await;
        let (ann, inner) = (world.user("ann").await, world.group("Inner", &[]).await);
        let group = world.group("G", &[&ann]).await;
        let path = format!("/Groups/{group}");
        let add = operations(&json!([{ "op": "add", "path": "members", "value": [{ "value": inner }] }]));
        let set = operations(&json!([{ "op": "replace", "path": "members", "value": [{ "value": inner }] }]));
        let pathless = operations(&json!([{ "op": "add", "value": { "members": [{ "value": inner }] } }]));
        let put = json!({ "schemas": [GROUP], "displayName": "G", "members": [inner] });
        let post = json!({ "schemas": [GROUP], "displayName": "P", "members": [inner] });
        let mut details = Vec::new();
        for (method, path, data) in [
            ("PATCH", path.as_str(), add),
            ("PATCH", &path, set),
            ("PATCH", &path, pathless),
            ("PUT", &path, put),
            ("POST", "/Groups", post),
        ] {
            let alone = world.call(method, path, &data).await;
            let operation = json!({ "method": method, "path": path, "bulkId": "x", "data": data });
            let body =
                json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation] });
            let in_bulk = world.call("POST", "/Bulk", &body).await.body["Operations"][0]["response"].clone();
            assert_eq!((alone.status.as_u16(), &alone.body), (400, &in_bulk), "{method}");
            details.push(alone.body["detail"].clone());
        }
        assert!(details.iter().all(|detail| *detail == details[0]), "{details:?}");
        assert_eq!(world.members(&group).await, [ann]);
    });
}

#[test]
fn groups_where_there_are_none() {
    on_both(|store| async {
        let world = World::new(store, "storegate").await;
        let row = |name, method, path, body, status, expected| Row { name, method, path, body, status, expected };
        let id = "/Groups/0198c2a4-7d1e-7aaa-8bbb-0123456789ab";
        for row in [
            row(
                "the test query",
                "GET",
                "/Groups?filter=displayName+eq+%22x%22",
                Value::Null,
                200,
                vec![("/totalResults", json!(0)), ("/Resources", json!([]))],
            ),
            row("all", "GET", "/Groups?excludedAttributes=members", Value::Null, 200, vec![("/Resources", json!([]))]),
            row("one", "GET", id, Value::Null, 404, vec![]),
            row("create", "POST", "/Groups", json!({ "schemas": [GROUP], "displayName": "x" }), 501, vec![]),
            row("change", "PATCH", id, operations(&json!([])), 404, vec![]),
            row("replace", "PUT", id, json!({ "schemas": [GROUP], "displayName": "x" }), 404, vec![]),
            row("delete", "DELETE", id, Value::Null, 404, vec![]),
        ] {
            world.check("", row).await;
        }
    });
}

#[test]
fn gr_06_an_id_in_another_case_names_the_same_member_and_is_found_by_no_filter() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = world.user("ann").await;
        let shouted = ann.to_uppercase();
        let group = world.group("G", &[&ann, &shouted]).await;
        assert_eq!(world.members(&group).await, [ann.as_str()]);
        let (bob, path) = (world.user("bob").await, format!("/Groups/{group}"));
        let twice = json!([{ "value": bob }, bob.to_uppercase(), { "value": ann }, bob]);
        let twice = operations(
            &json!([{ "op": "add", "path": "members", "value": twice }, { "op": "add", "path": "members", "value": bob }]),
        );
        for expected in ["W/\"2\"", "W/\"2\""] {
            assert_eq!(world.call("PATCH", &path, &twice).await.header("etag"), expected);
            assert_eq!(world.members(&group).await, [ann.as_str(), bob.as_str()]);
        }
        world
            .call(
                "PATCH",
                &path,
                &operations(&json!([{ "op": "remove", "path": "members", "value": [bob.to_uppercase()] }])),
            )
            .await;
        // Whether an index is asked or everything is looked at: `id` is compared with case (RFC 7643 §3.1).
        for filter in ["id eq \"{id}\"", "id eq \"{id}\" or title eq \"x\"", "not (id ne \"{id}\")"] {
            for (id, expected) in [(&ann, 1), (&shouted, 0)] {
                let filter = filter.replace("{id}", id).replace(' ', "%20").replace('"', "%22");
                let found = world.get(&format!("/Users?filter={filter}")).await.body;
                assert_eq!(found["totalResults"], expected, "{filter}");
            }
        }
        let remove = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "remove", "path": "members", "value": [{ "value": shouted }] }],
        });
        world.call("PATCH", &format!("/Groups/{group}"), &remove).await;
        assert!(world.members(&group).await.is_empty());
    });
}

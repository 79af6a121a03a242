//! The groups of users in lists (RFC 7643 §4.1.2, RFC 7644 §3.4.2): a list shows each user as a GET does.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::World;

/// Each resource of a list, and the same asked for alone.
async fn is_as_a_get_of_each(world: &World, path: &str, expected: &[&str]) {
    let list = world.get(path).await;
    assert_eq!(list.status, 200, "{path}: {}", list.body);
    is_as_alone(world, &list.body, path, expected).await;
}

async fn is_as_alone(world: &World, list: &Value, path: &str, expected: &[&str]) {
    let shown = list["Resources"].as_array().unwrap();
    let mut ids: Vec<&str> = shown.iter().map(|user| user["id"].as_str().unwrap()).collect();
    let query = path.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let chosen: Vec<&str> = query.split('&').filter(|part| part.contains("ttributes=")).collect();
    for (user, id) in shown.iter().zip(&ids) {
        let alone = world.get(&format!("/Users/{id}?{}", chosen.join("&"))).await;
        assert_eq!(*user, alone.body, "{path}");
    }
    ids.sort_unstable();
    assert_eq!(ids, expected, "{path}");
}

async fn in_groups(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for name in ["ann", "bob", "carl", "dora"] {
        ids.push(world.user(name).await);
    }
    ids.sort_unstable();
    let sales = world.group("Sales \"EMEA\"", &[&ids[0], &ids[1]]).await;
    world.group("Managers", &[&ids[0], &sales]).await;
    let gone = world.group("Gone", &[&ids[0], &ids[2]]).await;
    world.call("DELETE", &format!("/Groups/{gone}"), &Value::Null).await;
    ids
}

#[test]
fn a_list_shows_the_groups_of_its_users_as_a_get_of_each_does() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = in_groups(&world).await;
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        for path in [
            "/Users",
            "/Users?count=4",
            "/Users?count=100&startIndex=1",
            "/Users?cursor=",
            "/Users?sortBy=userName&sortOrder=descending",
            "/Users?sortBy=displayName",
            "/Users?filter=userName%20pr",
            "/Users?filter=not%20(title%20eq%20%22x%22)&sortBy=meta.lastModified",
            "/Users?attributes=groups",
            "/Users?attributes=userName,groups.display",
            "/Users?excludedAttributes=groups.display",
            "/Users?excludedAttributes=groups",
            "/Users?attributes=userName",
        ] {
            is_as_a_get_of_each(&world, path, &all).await;
        }
        for id in &all {
            let whole = world.get(&format!("/Users/{id}")).await.body;
            let chosen = world.get(&format!("/Users/{id}?attributes=groups")).await.body;
            assert_eq!(
                whole["groups"].to_string(),
                chosen["groups"].to_string(),
                "to the letter, since the tag tells it"
            );
            is_as_a_get_of_each(&world, &format!("/Users?filter=id%20eq%20%22{id}%22"), &[id]).await;
        }
        is_as_a_get_of_each(&world, "/Users?filter=groups.display%20eq%20%22Managers%22", &all[..1]).await;
        is_as_a_get_of_each(&world, "/Users?filter=userName%20eq%20%22nobody%22", &[]).await;
        let first = world.get("/Users?count=2&startIndex=1").await;
        is_as_alone(&world, &first.body, "/Users?count=2&startIndex=1", &all[..2]).await;
        is_as_a_get_of_each(&world, "/Users?count=2&startIndex=3", &all[2..]).await;
        assert_eq!(first.body["Resources"][0]["groups"].as_array().map(Vec::len), Some(2), "not the one that is gone");
        assert_eq!(first.body["Resources"][1]["groups"][0]["display"], "Sales \"EMEA\"");
        let search =
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": ["groups"] });
        let found = world.call("POST", "/Users/.search", &search).await;
        is_as_alone(&world, &found.body, "/Users?attributes=groups", &all).await;
    });
}

/// RFC 7644 §3.14: what a list tells of a user's version is what a GET of the user is asked with.
#[test]
fn the_version_in_a_list_is_that_of_the_user_alone() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = in_groups(&world).await;
        let list = world.get("/Users?filter=groups.display%20eq%20%22Managers%22").await;
        let version = list.body["Resources"][0]["meta"]["version"].as_str().unwrap();
        let path = format!("/Users/{}", ids[0]);
        let headers = |name: &str| world.request("GET", &path).header(name, version).body(axum::body::Body::empty());
        assert_eq!(world.send(headers("if-none-match").unwrap()).await.status, 304);
        assert_eq!(world.send(headers("if-match").unwrap()).await.status, 200);
    });
}

/// Who is in more groups than an answer shows, or more than are read at once, is shown as alone too.
#[test]
fn users_in_very_many_groups_are_shown_with_the_first_of_them() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ids = in_groups(&world).await;
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        for number in 0..103 {
            world.group(&format!("first {number}"), &[&ids[3]]).await;
        }
        is_as_a_get_of_each(&world, "/Users", &all).await;
        for number in 0..103 {
            world.group(&format!("second {number}"), &[&ids[2]]).await;
        }
        is_as_a_get_of_each(&world, "/Users", &all).await;
        let list = world.get("/Users").await;
        let shown = |at: usize| list.body["Resources"][at]["groups"].as_array().map(Vec::len);
        assert_eq!([shown(0), shown(1), shown(2), shown(3)], [Some(2), Some(1), Some(100), Some(100)]);
    });
}

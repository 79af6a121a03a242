//! Requests at the same time.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{GROUP, PATCH, USER, World};

/// Sends all requests at once; gives their statuses, sorted.
async fn at_once(world: &World, requests: Vec<(&'static str, String, Value)>) -> Vec<u16> {
    let sent: Vec<_> = requests
        .into_iter()
        .map(|(method, path, body)| {
            let world = world.clone();
            tokio::spawn(async move { world.call(method, &path, &body).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for answer in sent {
        statuses.push(answer.await.unwrap());
    }
    statuses.sort_unstable();
    statuses
}

fn one_of_sixteen() -> Vec<u16> {
    let mut expected = vec![409; 16];
    expected[0] = 201;
    expected
}

#[test]
fn of_sixteen_equal_names_one_is_made() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for round in 0..10 {
            let spellings =
                [format!("zoé{round}"), format!("ZOÉ{round}"), format!("zoe\u{301}{round}"), format!("ｚｏé{round}")];
            let post =
                |at: usize| ("POST", "/Users".to_owned(), json!({ "schemas": [USER], "userName": spellings[at % 4] }));
            assert_eq!(at_once(&world, (0..16).map(post).collect()).await, one_of_sixteen(), "round {round}");
        }
        assert_eq!(world.get("/Users?count=0").await.body["totalResults"], 10);
        let world = world.tenant("fabrikam", "netskope").await;
        let spellings = ["Zoé", "ZOÉ", "zoe\u{301}", "zOÉ"];
        let post =
            |at: usize| ("POST", "/Groups".to_owned(), json!({ "schemas": [GROUP], "displayName": spellings[at % 4] }));
        assert_eq!(at_once(&world, (0..16).map(post).collect()).await, one_of_sixteen());
    });
}

/// How often eight clients race each other.
const ROUNDS: usize = 50;

#[test]
fn se_02_of_eight_changes_to_one_version_one_is_made() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        for round in 1..=ROUNDS {
            let sent: Vec<_> = (0..8)
                .map(|number| {
                    let (world, path) = (world.clone(), path.clone());
                    let title = format!("{round} {number}");
                    let change =
                        json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "title", "value": title }] });
                    tokio::spawn(async move {
                        let request = world.request("PATCH", &path).header("if-match", format!("W/\"{round}\""));
                        let request = request.header("content-type", "application/json");
                        world.send(request.body(change.to_string().into()).unwrap()).await.status.as_u16()
                    })
                })
                .collect();
            let mut statuses = Vec::new();
            for answer in sent {
                statuses.push(answer.await.unwrap());
            }
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412], "round {round}");
        }
    });
}

#[test]
fn se_03_all_of_eight_members_added_at_once_are_there() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let mut users = Vec::new();
        for number in 0..8 {
            users.push(world.user(&format!("u{number}")).await);
        }
        let group = world.group("G", &[]).await;
        let change = |op: &'static str| {
            let path = format!("/Groups/{group}");
            move |id: &String| {
                let value = json!([{ "value": id }]);
                let body =
                    json!({ "schemas": [PATCH], "Operations": [{ "op": op, "path": "members", "value": value }] });
                ("PATCH", path.clone(), body)
            }
        };
        for round in 0..ROUNDS {
            assert_eq!(at_once(&world, users.iter().map(change("add")).collect()).await, [200; 8], "round {round}");
            assert_eq!(world.members(&group).await, users, "round {round}");
            assert_eq!(at_once(&world, users.iter().map(change("remove")).collect()).await, [200; 8], "round {round}");
            assert!(world.members(&group).await.is_empty(), "round {round}");
        }
        let tag = world.get(&format!("/Groups/{group}")).await.header("etag").to_owned();
        assert_eq!(tag, format!("W/\"{}\"", 1 + 16 * ROUNDS), "every change is a version of the group");
    });
}

#[test]
fn groups_that_join_each_other_at_once_wait_for_nobody() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (one, other) = (world.group("one", &[]).await, world.group("other", &[]).await);
        for round in 0..ROUNDS {
            let op = if round % 2 == 0 { "add" } else { "remove" };
            let change = |group: &str, member: &str| {
                let body =
                    json!({ "schemas": [PATCH], "Operations": [{ "op": op, "path": "members", "value": [member] }] });
                ("PATCH", format!("/Groups/{group}"), body)
            };
            let both = vec![change(&one, &other), change(&other, &one)];
            assert_eq!(at_once(&world, both).await, [204, 204], "round {round}");
        }
    });
}

#[test]
fn a_user_who_is_deleted_while_joining_leaves_nothing_behind() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for round in 0..20 {
            let user = world.user(&format!("u{round}")).await;
            let group = world.group("G", &[]).await;
            let add = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user }] }] });
            let both =
                vec![("PATCH", format!("/Groups/{group}"), add), ("DELETE", format!("/Users/{user}"), Value::Null)];
            let statuses = at_once(&world, both).await;
            assert!(statuses == [200, 204] || statuses == [204, 400], "{statuses:?}");
            assert!(world.members(&group).await.is_empty(), "round {round}");
        }
    });
}

/// On PostgreSQL each of these once waited until it looked for a deadlock, after a second.
#[test]
fn a_user_who_is_deleted_while_many_let_it_join_and_leave_one_group_keeps_nobody_waiting() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let group = world.group("G", &[]).await;
        for round in 0..20 {
            let user = world.user(&format!("u{round}")).await;
            let change = |op: &str| {
                let value = json!([{ "value": user }]);
                let body =
                    json!({ "schemas": [PATCH], "Operations": [{ "op": op, "path": "members", "value": value }] });
                ("PATCH", format!("/Groups/{group}"), body)
            };
            let mut requests: Vec<_> =
                (0..8).map(|number| change(if number % 4 == 3 { "remove" } else { "add" })).collect();
            requests.insert(4, ("DELETE", format!("/Users/{user}"), Value::Null));
            let statuses = at_once(&world, requests).await;
            assert!(statuses.iter().all(|status| [200, 204, 400].contains(status)), "round {round}: {statuses:?}");
            assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "round {round}: {statuses:?}");
            assert!(world.members(&group).await.is_empty(), "round {round}");
        }
    });
}

#[test]
fn groups_in_each_other_are_deleted_at_once() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for round in 0..20 {
            let one = world.group("one", &[]).await;
            let other = world.group("other", &[&one]).await;
            let join =
                json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "members", "value": [other] }] });
            let joined = world.call("PATCH", &format!("/Groups/{one}"), &join).await;
            assert_eq!(joined.status.as_u16(), 204, "round {round}");
            let delete = |id: &str| ("DELETE", format!("/Groups/{id}"), Value::Null);
            assert_eq!(at_once(&world, vec![delete(&one), delete(&other)]).await, [204, 204], "round {round}");
        }
    });
}

//! The deletion of who is in very many groups: a few of them at a time, and what is seen meanwhile is true.

use provider::{Deleted, GROUPS_LEFT_MAX, Precondition, ResourceKind};
use serde_json::{Value, json};
use store::testing::on_both;
use store::{Action, ObjectKind, ResourceId};

use crate::world::{GROUP, PATCH, World, key};

/// More than two parts of a deletion leave.
const GROUPS: usize = 2 * GROUPS_LEFT_MAX as usize + 1;

/// So many groups of one member; gives their ids, in order.
async fn groups_with(world: &World, member: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for from in (0..count).step_by(scim::limits::BULK_OPERATIONS_MAX) {
        let made: Vec<Value> = (from..count.min(from + scim::limits::BULK_OPERATIONS_MAX))
            .map(|number| {
                let data = json!({ "schemas": [GROUP], "displayName": format!("g{number}"), "members": [member] });
                json!({ "method": "POST", "path": "/Groups", "bulkId": number.to_string(), "data": data })
            })
            .collect();
        let told = bulk(world, &made).await;
        ids.extend(told.iter().map(|one| one["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()));
    }
    ids.sort();
    ids
}

async fn bulk(world: &World, operations: &[Value]) -> Vec<Value> {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
    let told = world.call("POST", "/Bulk", &body).await.body;
    told["Operations"].as_array().unwrap_or_else(|| panic!("{told}")).clone()
}

/// One part of the deletion of a user, the first or a further one.
async fn part(world: &World, user: &str, precondition: Precondition, is_first: bool) -> Result<Deleted, String> {
    let (token, id, now) = (world.token.clone(), user.parse::<ResourceId>().unwrap(), world.now());
    let done = world.store.write(move |tx| {
        let caller = provider::authenticate(tx, &key(), &token, now).expect("the token is valid");
        let access = caller.may_write().expect("the token may write");
        let run = if is_first { provider::delete } else { provider::go_on_deleting };
        run(tx, access, ResourceKind::User, id, &precondition, now)
    });
    done.await.map_err(|refused| refused.to_string())
}

/// Ends what was begun, as housekeeping does; gives the number of steps that there was something to do in.
async fn end_begun(world: &World) -> usize {
    let mut steps = 0;
    loop {
        let (tenant, now) = (world.tenant.clone(), world.now());
        if !world.store.write(move |tx| provider::end_deletion(tx, &tenant, now)).await.unwrap() {
            return steps;
        }
        steps += 1;
    }
}

async fn groups_of(world: &World, user: &str) -> u64 {
    let found = world.get(&format!("/Groups?count=0&filter=members.value+eq+%22{user}%22")).await;
    found.body["totalResults"].as_u64().unwrap()
}

/// How many groups there are at each of the first versions.
async fn at_versions(world: &World, versions: [i64; 3]) -> [u64; 3] {
    let mut counts = [0; 3];
    for (count, version) in counts.iter_mut().zip(versions) {
        let filter = format!("/Groups?count=0&filter=meta.version+eq+%22W/%5C%22{version}%5C%22%22");
        *count = world.get(&filter).await.body["totalResults"].as_u64().unwrap();
    }
    counts
}

#[test]
fn who_is_in_very_many_groups_is_gone_from_all_when_the_deletion_is_answered() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let groups = groups_with(&world, &ann, GROUPS).await;
        let before = world.changes().await.len();
        let path = format!("/Users/{ann}");
        for expected in [204, 404] {
            assert_eq!(world.call("DELETE", &path, &Value::Null).await.status.as_u16(), expected);
        }
        assert_eq!(groups_of(&world, &ann).await, 0);
        assert_eq!(at_versions(&world, [1, 2, 3]).await, [0, GROUPS as u64, 0]);
        assert_eq!(world.members(&groups[GROUPS - 1]).await, [""; 0]);
        let told = world.changes().await.split_off(before);
        let kinds = |kind| told.iter().filter(|change| change.object == kind).count();
        assert_eq!((kinds(ObjectKind::Group), kinds(ObjectKind::User), told.len()), (GROUPS, 1, GROUPS + 1));
        let (tenant, before) = (world.tenant.clone(), i64::try_from(before).unwrap());
        let read = move |tx: &mut store::WriteTx<'_>| {
            let tenant = provider::tenant(tx, &tenant)?.key;
            Ok(store::occurrences_after(tx, tenant, before, 1)?)
        };
        let (_, first) = world.write(read).await.remove(0);
        let first = first.unwrap();
        assert_eq!((first.action, first.version, first.attributes.as_str()), (Action::Patched, 2, "members"));
        assert_eq!(end_begun(&world).await, 0, "nothing is left of it");
        assert_eq!(world.get(&format!("/Users/{bob}")).await.status.as_u16(), 200);
    });
}

#[test]
fn a_deletion_in_parts_shows_nothing_that_is_not_so_and_takes_what_is_added_meanwhile() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = world.user("ann").await;
        let groups = groups_with(&world, &ann, GROUPS).await;
        let (all, part_of_all) = (GROUPS as u64, u64::from(GROUPS_LEFT_MAX));
        for (number, is_first) in [(1, true), (2, false)] {
            assert_eq!(part(&world, &ann, Precondition::None, is_first).await, Ok(Deleted::Leaving));
            let left = number * part_of_all;
            assert_eq!(groups_of(&world, &ann).await, all - left);
            assert_eq!(at_versions(&world, [1, 2, 3]).await, [all - left, left, 0]);
            assert_eq!(world.get(&format!("/Users/{ann}")).await.status.as_u16(), 200, "it is a member of others yet");
        }
        let add = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "members", "value": ann }] });
        world.call("PATCH", &format!("/Groups/{}", groups[0]), &add).await;
        assert_eq!(part(&world, &ann, Precondition::None, false).await, Ok(Deleted::Gone { members_left: false }));
        assert_eq!((groups_of(&world, &ann).await, world.members(&groups[0]).await), (0, vec![]));
        assert_eq!(at_versions(&world, [2, 3, 4]).await, [all - 1, 0, 1]);
        let again = part(&world, &ann, Precondition::None, false).await;
        assert_eq!(again, Ok(Deleted::Gone { members_left: false }), "another may have ended it");
        assert_eq!(end_begun(&world).await, 0);
    });
}

#[test]
fn a_deletion_that_was_cut_off_is_ended_unless_the_resource_is_another_by_then() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (name, precondition, is_changed, status) in [
            ("ann", "*", false, 404),
            ("bob", "W/\"1\"", false, 404),
            ("cid", "W/\"1\"", true, 200),
            ("dan", "", true, 404),
        ] {
            let user = world.user(name).await;
            groups_with(&world, &user, GROUPS_LEFT_MAX as usize + 1).await;
            let precondition = precondition.parse().unwrap_or_default();
            assert_eq!(part(&world, &user, precondition, true).await, Ok(Deleted::Leaving), "{name}");
            let path = format!("/Users/{user}");
            if is_changed {
                let title = json!({ "op": "add", "path": "title", "value": "Dr" });
                let change = json!({ "schemas": [PATCH], "Operations": [title] });
                assert_eq!(world.call("PATCH", &path, &change).await.status.as_u16(), 200, "{name}");
            }
            assert_eq!(end_begun(&world).await, 1, "{name}");
            assert_eq!(world.get(&path).await.status.as_u16(), status, "{name}");
            assert_eq!(groups_of(&world, &user).await, u64::from(status == 200), "{name}");
        }
    });
}

#[test]
fn a_bulk_request_deletes_who_is_in_very_many_groups_in_its_turn() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        groups_with(&world, &ann, GROUPS).await;
        let delete = |id: &str| json!({ "method": "DELETE", "path": format!("/Users/{id}") });
        let told = bulk(&world, &[delete(&bob), delete(&ann), delete(&ann)]).await;
        let statuses: Vec<_> = told.iter().map(|one| one["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["204", "204", "404"]);
        assert_eq!((groups_of(&world, &ann).await, end_begun(&world).await), (0, 0));
        assert_eq!(at_versions(&world, [1, 2, 3]).await, [0, GROUPS as u64, 0]);
    });
}

//! Which groups an object is in, directly and through others, on both databases.

use super::*;
use crate::testing::{numbered, on_both, second};

fn add_group(tx: &mut WriteTx<'_>, number: u128, is_deleted: bool) -> Result<(), StoreError> {
    let group = GroupRecord {
        id: numbered(number),
        display_name: format!("g{number}"),
        security_enabled: true,
        deleted: is_deleted.then(|| second(1)),
        doc: "{}".to_owned(),
        version: 1,
        created: second(0),
        modified: second(0),
    };
    insert_group(tx, &group, &group.display_name)
}

fn sorted(mut ids: Vec<GroupId>) -> Vec<GroupId> {
    ids.sort_unstable();
    ids
}

fn ids(numbers: &[u128]) -> Vec<GroupId> {
    numbers.iter().map(|number| numbered(*number)).collect()
}

#[test]
fn nested_groups_are_found_once_also_in_a_cycle_and_not_through_what_is_deleted() {
    on_both(|store| async move {
        let told = store.write(|tx| {
            for number in 1..=7 {
                add_group(tx, number, number == 5)?;
            }
            let (user, group) = (ObjectKind::User, ObjectKind::Group);
            // 9 is in 1 and 5; 1 is in 2 and 3, both are in 4, which is in 1 again. 5 is deleted, and in 6.
            for (outer, inner, kind) in [
                (1, 9, user),
                (5, 9, user),
                (2, 1, group),
                (3, 1, group),
                (4, 2, group),
                (4, 3, group),
                (1, 4, group),
                (6, 5, group),
            ] {
                add_member(tx, numbered(outer), numbered(inner), kind)?;
            }
            Ok::<_, StoreError>((
                sorted(live_groups_of(tx, numbered(9), 10)?),
                sorted(nested_groups_of(tx, numbered(9), 10)?),
                nested_groups_of(tx, numbered(9), 2)?.len(),
                sorted(nested_groups_of(tx, numbered(4), 10)?),
                nested_groups_of(tx, numbered(7), 10)?,
            ))
        });
        assert_eq!(told.await.unwrap(), (ids(&[1]), ids(&[1, 2, 3, 4]), 2, ids(&[1, 2, 3, 4]), vec![]));
    });
}

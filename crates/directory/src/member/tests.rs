//! Stories of memberships, nested groups and cycles.

use store::testing::on_both;
use store::{changes_after, number_changes};
use uuid::Uuid;

use super::*;
use crate::{GroupDraft, UserDraft, create_group, create_user, delete_group, delete_user};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn id(number: usize) -> GroupId {
    GroupId::new(Uuid::from_u128(number as u128))
}

fn groups(tx: &mut WriteTx<'_>, count: usize) -> Result<(), DirectoryError> {
    (1..=count).try_for_each(|n| create_group(tx, id(n), &GroupDraft::new(format!("g{n}")), now()).map(drop))
}

fn nest(tx: &mut WriteTx<'_>, outer: usize, inner: usize) -> Result<bool, DirectoryError> {
    add_member(tx, id(outer), id(inner).into(), ObjectKind::Group, now())
}

#[test]
fn groups_are_nested_without_cycles() {
    on_both(|store| async move {
        store
            .write(|tx| {
                groups(tx, 4)?;
                for (outer, inner, fine) in [
                    (1, 2, true),
                    (2, 3, true),
                    (3, 4, true),
                    (1, 3, true),
                    (1, 1, false),
                    (4, 1, false),
                    (2, 1, false),
                ] {
                    assert_eq!(nest(tx, outer, inner).is_ok(), fine, "{outer} {inner}");
                }
                for (outer, inner, expected) in [
                    (4, 2, r#"the group "g2" holds "g4", directly or through others, and cannot be its member"#),
                    (3, 3, r#"the group "g3" cannot be a member of itself"#),
                ] {
                    assert_eq!(nest(tx, outer, inner).unwrap_err().to_string(), expected);
                }
                assert!(!nest(tx, 1, 2)?, "it is one already");
                Ok::<_, DirectoryError>(())
            })
            .await
            .unwrap();
    });
}

#[test]
fn nesting_has_a_limit() {
    on_both(|store| async move {
        store
            .write(|tx| {
                groups(tx, NESTING_MAX + 3)?;
                for outer in 1..=NESTING_MAX + 1 {
                    // Straight into the store: the walk over a growing chain would take a while.
                    store::groups::add_member(tx, id(outer), id(outer + 1).into(), ObjectKind::Group)?;
                }
                let last = NESTING_MAX + 3;
                assert!(nest(tx, NESTING_MAX + 1, last)?);
                let error = nest(tx, NESTING_MAX + 2, last).unwrap_err().to_string();
                assert!(error.starts_with("more than 1000 groups stand above group"), "{error}");
                Ok::<_, DirectoryError>(())
            })
            .await
            .unwrap();
    });
}

#[test]
fn only_changes_reach_the_feed_and_only_live_objects_are_added() {
    on_both(|store| async move {
        let ann = store::UserId::new(Uuid::from_u128(100));
        let kinds = store
            .write(move |tx| {
                groups(tx, 2)?;
                create_user(tx, ann, &UserDraft::new("ann@c.com", "Ann"), now())?;
                let user = ObjectKind::User;
                assert!(add_member(tx, id(1), ann.into(), user, now())?);
                assert!(!add_member(tx, id(1), ann.into(), user, now())?);
                assert!(remove_member(tx, id(1), ann.into(), now())?);
                assert!(!remove_member(tx, id(1), ann.into(), now())?);
                assert!(add_member(tx, id(1), ann.into(), ObjectKind::Group, now()).is_err());
                assert!(add_member(tx, id(1), ann.into(), ObjectKind::Membership, now()).is_err());
                assert!(add_member(tx, id(3), ann.into(), user, now()).is_err());
                delete_group(tx, id(2), now())?;
                assert!(add_member(tx, id(2), ann.into(), user, now()).is_err());
                delete_user(tx, ann, now())?;
                assert!(add_member(tx, id(1), ann.into(), user, now()).is_err());
                number_changes(tx, DIRECTORY_FEED)?;
                let changes = changes_after(tx, DIRECTORY_FEED, 3, 100)?;
                Ok::<_, DirectoryError>(changes.iter().map(|change| change.object).collect::<Vec<_>>())
            })
            .await
            .unwrap();
        let kinds: Vec<_> = kinds.into_iter().collect();
        assert_eq!(kinds, [ObjectKind::Membership, ObjectKind::Membership, ObjectKind::Group, ObjectKind::User]);
    });
}

#[test]
fn members_come_in_pages() {
    on_both(|store| async move {
        let pages = store
            .write(|tx| {
                groups(tx, 6)?;
                (2..=6).try_for_each(|inner| nest(tx, 1, inner).map(drop))?;
                let first = members(tx, id(1), None, 3)?;
                let second = members(tx, id(1), first.next, 3)?;
                Ok::<_, DirectoryError>((first, second))
            })
            .await
            .unwrap();
        assert_eq!((pages.0.items.len(), pages.1.items.len(), pages.1.next), (3, 2, None));
    });
}

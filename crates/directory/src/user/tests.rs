//! Stories of users: joiners, movers, leavers, restoring and purging.

use serde_json::json;
use store::testing::on_both;
use store::{ObjectId, Store, changes_after, groups, number_changes};
use uuid::Uuid;

use super::*;
use crate::{GroupDraft, add_application, add_member, assign, create_group, grant_admin_role, members, roles_of};

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + number * 86_400).unwrap()
}

fn id(number: u128) -> UserId {
    UserId::new(Uuid::from_u128(number))
}

async fn write<T: Send + 'static>(
    store: &Store,
    mut work: impl FnMut(&mut WriteTx<'_>) -> Result<T, DirectoryError> + Send + 'static,
) -> Result<T, DirectoryError> {
    store.write(move |tx| work(tx)).await
}

/// The feed rows since the last call, as text: kind, id, related.
async fn news(store: &Store, seen: &mut i64) -> Vec<String> {
    let after = *seen;
    let changes = write(store, move |tx| {
        number_changes(tx, DIRECTORY_FEED)?;
        Ok(changes_after(tx, DIRECTORY_FEED, after, 1_000)?)
    });
    let changes = changes.await.unwrap();
    *seen = changes.last().map_or(after, |change| change.seq);
    let text = |id: ObjectId| id.uuid().as_u128().to_string();
    let line = |change: &store::Change| {
        let related = change.related.map(|id| format!(" {}", text(id))).unwrap_or_default();
        format!("{:?} {}{related}", change.object, text(change.id))
    };
    changes.iter().map(line).collect()
}

#[test]
fn a_joiner_moves_and_leaves() {
    on_both(|store| async move {
        let mut seen = 0;
        let boss = UserDraft::new("bo@contoso.com", "Bo");
        write(&store, move |tx| create_user(tx, id(1), &boss, day(0))).await.unwrap();
        let ann =
            UserDraft::new("Ann@contoso.com", "Ann").with("department", "Sales").with("manager", "BO@contoso.com");
        let ann = write(&store, move |tx| create_user(tx, id(2), &ann, day(0))).await.unwrap();
        assert_eq!(ann.manager, Some(id(1)));
        assert_eq!(ann.attribute("MailNickname"), Some(json!("Ann")));
        assert_eq!(news(&store, &mut seen).await, ["User 1", "User 2"]);

        let change = |name: &str, value: Option<&str>| vec![(name.to_owned(), value.map(Into::into))];
        let to_support = change("DEPARTMENT", Some("Support"));
        let (moved, changed) = write(&store, move |tx| change_user(tx, id(2), &to_support, day(1))).await.unwrap();
        assert!(changed && moved.version == 2 && moved.modified == day(1));
        assert_eq!(moved.attribute("department"), Some(json!("Support")));
        let again = change("department", Some("Support"));
        let (same, changed) = write(&store, move |tx| change_user(tx, id(2), &again, day(2))).await.unwrap();
        assert_eq!((same, changed), (moved, false));
        assert_eq!(news(&store, &mut seen).await, ["User 2"]);

        write(&store, |tx| delete_user(tx, id(2), day(3))).await.unwrap();
        assert_eq!(news(&store, &mut seen).await, ["User 2"]);
        let gone = store.read(|tx| find_user(tx, "ann@contoso.com")).await.unwrap_err();
        assert_eq!(gone.to_string(), r#"no user is named "ann@contoso.com""#);
        let late = change("department", None);
        let refused = write(&store, move |tx| change_user(tx, id(2), &late, day(3))).await.unwrap_err();
        assert!(refused.to_string().ends_with("is soft-deleted; restore it first"), "{refused}");

        let found = store.read(|tx| find_deleted_user(tx, "Ann@contoso.com")).await.unwrap();
        assert_eq!((found.id, found.deleted), (id(2), Some(day(3))));
        let back = write(&store, |tx| restore_user(tx, id(2), day(4))).await.unwrap();
        assert_eq!((back.deleted, back.version), (None, 4));
        assert_eq!(store.read(|tx| find_user(tx, "ann@contoso.com")).await.unwrap(), back);
        assert_eq!(news(&store, &mut seen).await, ["User 2"]);
    });
}

#[test]
fn a_name_given_to_somebody_else_cannot_be_restored() {
    on_both(|store| async move {
        let ann = UserDraft::new("ann@contoso.com", "Ann");
        let twin = UserDraft::new("ANN@contoso.com", "Another Ann");
        let (first, second) = (ann.clone(), twin.clone());
        write(&store, move |tx| create_user(tx, id(1), &first, day(0))).await.unwrap();
        let taken = write(&store, move |tx| create_user(tx, id(2), &second, day(0))).await.unwrap_err();
        assert!(matches!(taken, DirectoryError::NotUnique { attribute: "userPrincipalName", .. }), "{taken}");
        let same_id = write(&store, move |tx| create_user(tx, id(1), &UserDraft::new("x@y.z", "X"), day(0)));
        assert!(matches!(same_id.await.unwrap_err(), DirectoryError::NotUnique { attribute: "id", .. }));

        write(&store, |tx| delete_user(tx, id(1), day(1))).await.unwrap();
        write(&store, move |tx| create_user(tx, id(2), &twin, day(1))).await.unwrap();
        let taken = write(&store, |tx| restore_user(tx, id(1), day(2))).await.unwrap_err();
        assert!(matches!(taken, DirectoryError::NotUnique { attribute: "userPrincipalName", .. }), "{taken}");
    });
}

#[test]
fn a_purge_takes_everything_along_and_tells_the_feed() {
    on_both(|store| async move {
        let mut seen = 0;
        write(&store, |tx| {
            for (number, name) in [(1, "boss@c.com"), (2, "ann@c.com"), (3, "bob@c.com")] {
                create_user(tx, id(number), &UserDraft::new(name, name), day(0))?;
            }
            for number in [2, 3] {
                change_user(tx, id(number), &[("manager".to_owned(), Some("boss@c.com".into()))], day(0))?;
            }
            delete_user(tx, id(3), day(0))?;
            let group = create_group(tx, Uuid::from_u128(10).into(), &GroupDraft::new("Bosses"), day(0))?;
            add_member(tx, group.id, id(1).into(), ObjectKind::User, day(0))?;
            add_application(tx, Uuid::from_u128(20).into(), "App", "netskope", &[], day(0))?;
            assign(tx, Uuid::from_u128(20).into(), id(1).into(), ObjectKind::User, None, day(0))?;
            grant_admin_role(tx, id(1), crate::AdminRole::GlobalAdministrator, day(0))
        })
        .await
        .unwrap();
        news(&store, &mut seen).await;

        let early = write(&store, |tx| purge_user(tx, id(1), day(1))).await.unwrap_err();
        assert!(early.to_string().ends_with("is not soft-deleted; delete it first"), "{early}");
        write(&store, |tx| delete_user(tx, id(1), day(1))).await.unwrap();
        let kept = store.read(|tx| members(tx, Uuid::from_u128(10).into(), None, 10)).await.unwrap();
        assert_eq!(kept.items, [(id(1).into(), ObjectKind::User)]);
        write(&store, |tx| purge_user(tx, id(1), day(2))).await.unwrap();
        assert_eq!(
            news(&store, &mut seen).await,
            ["User 1", "Membership 10 1", "Assignment 1 20", "User 2", "User 3", "User 1"]
        );
        let (ann, boss, roles) = store
            .read(|tx| Ok::<_, DirectoryError>((user(tx, id(2))?.unwrap(), user(tx, id(1))?, roles_of(tx, id(1))?)))
            .await
            .unwrap();
        assert_eq!((ann.manager, boss, roles), (None, None, vec![]));
        let empty = store.read(|tx| groups::members_after(tx, Uuid::from_u128(10).into(), None, 9)).await;
        assert_eq!(empty.map_err(|e: StoreError| e.to_string()), Ok(vec![]));
    });
}

#[test]
fn what_was_deleted_long_ago_is_purged() {
    on_both(|store| async move {
        write(&store, |tx| {
            for number in 1..=4 {
                let name = format!("u{number}@c.com");
                create_user(tx, id(number), &UserDraft::new(name.as_str(), name.as_str()), day(0))?;
                delete_user(tx, id(number), day(i64::try_from(number).unwrap()))?;
            }
            create_group(tx, Uuid::from_u128(10).into(), &GroupDraft::new("Old"), day(0))?;
            crate::delete_group(tx, Uuid::from_u128(10).into(), day(1))
        })
        .await
        .unwrap();
        let purge = |at: i64, limit: u32| write(&store, move |tx| purge_expired(tx, day(at), limit));
        assert_eq!(purge(SOFT_DELETE_DAYS + 1, 10).await.unwrap(), Purged::default());
        let purged = purge(SOFT_DELETE_DAYS + 4, 2).await.unwrap();
        assert_eq!(purged, Purged { users: vec![id(1), id(2)], groups: vec![Uuid::from_u128(10).into()] });
        assert_eq!(purge(SOFT_DELETE_DAYS + 4, 2).await.unwrap().users, [id(3)]);
        assert_eq!(purge(SOFT_DELETE_DAYS + 4, 2).await.unwrap(), Purged::default());
    });
}

#[test]
fn values_that_users_cannot_have() {
    on_both(|store| async move {
        write(&store, |tx| create_user(tx, id(1), &UserDraft::new("ann@c.com", "Ann"), day(0))).await.unwrap();
        for (name, value, expected) in [
            ("userPrincipalName", Some(json!("ann")), r#"userPrincipalName "ann" is not of the form name@domain"#),
            ("userPrincipalName", Some(json!("a@b@c")), r#"userPrincipalName "a@b@c" is not of the form name@domain"#),
            (
                "userPrincipalName",
                Some(json!("a b@c.d")),
                r#"userPrincipalName "a b@c.d" holds a character that names cannot have"#,
            ),
            ("userPrincipalName", None, "userPrincipalName cannot be empty"),
            ("displayName", Some(json!("")), "displayName cannot be empty"),
            ("accountEnabled", None, "accountEnabled cannot be empty"),
            ("objectId", Some(json!("x")), "objectId is set by the directory itself"),
            ("shoeSize", Some(json!("44")), "shoeSize is not an attribute of users"),
            ("manager", Some(json!("ann@c.com")), "manager cannot be the user's own"),
            ("manager", Some(json!("bob@c.com")), r#"no user is named "bob@c.com""#),
            ("displayName", Some(json!("x".repeat(257))), "displayName has 257 characters; it can have 256"),
        ] {
            let changes = [(name.to_owned(), value)];
            let error = write(&store, move |tx| change_user(tx, id(1), &changes, day(1))).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(store.read(|tx| user(tx, id(1))).await.unwrap().unwrap().version, 1);
    });
}

#[test]
fn limits() {
    on_both(|store| async move {
        let long = |length: usize| format!("{}@c.com", "a".repeat(length - "@c.com".len()));
        let fits = UserDraft::new(long(USER_PRINCIPAL_NAME_MAX), "Long");
        let user = write(&store, move |tx| create_user(tx, id(1), &fits, day(0))).await.unwrap();
        assert_eq!(user.attribute("mailNickname"), Some(json!("a".repeat(MAIL_NICKNAME_MAX))));
        let longer = UserDraft::new(long(USER_PRINCIPAL_NAME_MAX + 1), "Longer");
        assert!(write(&store, move |tx| create_user(tx, id(2), &longer, day(0))).await.is_err());

        let extended =
            |count: usize| (0..count).map(|n| (format!("extension_app_x{n}"), Some(json!("y")))).collect::<Vec<_>>();
        let (most, more) = (extended(EXTENSIONS_MAX), extended(EXTENSIONS_MAX + 1));
        write(&store, move |tx| change_user(tx, id(1), &most, day(1))).await.unwrap();
        let error = write(&store, move |tx| change_user(tx, id(1), &more, day(1))).await.unwrap_err();
        assert_eq!(error.to_string(), "extension attributes are more than 100 for one user");
    });
}

#[test]
fn lists_come_in_pages_and_by_text() {
    on_both(|store| async move {
        write(&store, |tx| {
            for number in 1..=25_u128 {
                let name = format!("u{number}@c.com");
                let mut draft = UserDraft::new(name.as_str(), format!("Person ÄÖ {number}"));
                draft.account_enabled = number % 2 == 0;
                create_user(tx, id(number), &draft, day(0))?;
            }
            delete_user(tx, id(5), day(1))
        })
        .await
        .unwrap();
        let count = |search: UserSearch| {
            store.scan(move |tx| {
                let (mut found, mut after) = (Vec::new(), None);
                loop {
                    let page = list_users(tx, &search, after, 7)?;
                    assert!(page.items.len() <= 7);
                    let names = page.items.iter().map(|user| name_key(&user.user_principal_name).unwrap());
                    found.extend(names);
                    after = page.next;
                    if after.is_none() {
                        assert!(found.is_sorted(), "by name: {found:?}");
                        return Ok::<_, DirectoryError>(found.len());
                    }
                }
            })
        };
        let of = |text: &str| UserSearch { text: Some(text.to_owned()), ..UserSearch::default() };
        for (search, expected) in [
            (UserSearch::default(), 24),
            (UserSearch { deleted: true, ..UserSearch::default() }, 1),
            (UserSearch { account_enabled: Some(true), ..UserSearch::default() }, 12),
            (of("äö 1"), 11),
            (of("U2@"), 1),
            (of("nobody"), 0),
        ] {
            assert_eq!(count(search.clone()).await.unwrap(), expected, "{search:?}");
        }
    });
}

#[test]
fn two_who_change_different_attributes_at_once_both_succeed() {
    on_both(|store| async move {
        let id = UserId::new(uuid::Uuid::from_u128(7));
        let draft = UserDraft::new("ann@contoso.com", "Ann");
        store.write(move |tx| create_user(tx, id, &draft, Timestamp::UNIX_EPOCH)).await.unwrap();
        let set = |name: &'static str| {
            let store = store.clone();
            async move {
                for round in 0..20 {
                    let change = [(name.to_owned(), Some(format!("{name} {round}").into()))];
                    store.write(move |tx| change_user(tx, id, &change, Timestamp::UNIX_EPOCH)).await.unwrap();
                }
            }
        };
        let names = ["jobTitle", "department", "city", "companyName"];
        let tasks: Vec<_> = names.map(|name| tokio::spawn(set(name))).into_iter().collect();
        for task in tasks {
            task.await.unwrap();
        }
        let ann = store.read(move |tx| user(tx, id)).await.unwrap().unwrap();
        for name in names {
            assert_eq!(ann.attribute(name), Some(format!("{name} 19").into()));
        }
        assert_eq!(ann.version, 81);
    });
}

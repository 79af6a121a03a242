//! Stories of applications, their roles and who is assigned.

use store::testing::on_both;
use uuid::Uuid;

use super::*;
use crate::{GroupDraft, UserDraft, add_member, change_group, create_group, create_user, delete_user};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn app(number: u128) -> AppId {
    AppId::new(Uuid::from_u128(number))
}

fn role(number: u128, value: &str, display_name: &str) -> AppRole {
    AppRole { id: RoleId::new(Uuid::from_u128(number)), value: value.to_owned(), display_name: display_name.to_owned() }
}

#[test]
fn applications_are_added_found_renamed_and_removed() {
    on_both(|store| async move {
        store
            .write(|tx| {
                add_application(tx, app(1), "Netskope", "netskope", &[], now())?;
                add_application(tx, app(2), "Netskope test", "netskope", &[], now())?;
                for (number, name) in [(3, "NETSKOPE"), (1, "Other"), (3, ""), (3, "a\tb")] {
                    assert!(add_application(tx, app(number), name, "t", &[], now()).is_err(), "{name}");
                }
                let long = "x".repeat(NAME_MAX + 1);
                assert!(add_application(tx, app(3), &long, "t", &[], now()).is_err());
                assert!(add_application(tx, app(3), &long[1..], "t", &[], now()).is_ok());
                assert_eq!(find_application(tx, "netskope TEST")?.id, app(2));
                assert_eq!(find_application(tx, &app(1).to_string())?.name, "Netskope");
                assert!(rename_application(tx, app(2), "netskope", now()).is_err());
                assert_eq!(rename_application(tx, app(1), "NetSkope", now())?.name, "NetSkope");
                remove_application(tx, app(2))?;
                assert!(matches!(remove_application(tx, app(2)), Err(DirectoryError::NotFound { .. })));
                let names: Vec<_> = applications(tx)?.into_iter().map(|app| app.name).collect();
                assert_eq!(names[0], "NetSkope");
                Ok::<_, DirectoryError>(())
            })
            .await
            .unwrap();
    });
}

#[test]
fn roles_are_named_by_value_or_display_name() {
    on_both(|store| async move {
        store
            .write(|tx| {
                let roles = [role(1, "admin", "Administrator"), role(2, "user", "Person")];
                for bad in [
                    vec![role(1, "a", "A"), role(2, "a", "B")],
                    vec![role(1, "", "A")],
                    vec![role(0, "x", "X")],
                    (1..=ROLES_MAX as u128 + 1).map(|n| role(n, &n.to_string(), "R")).collect(),
                ] {
                    assert!(add_application(tx, app(1), "App", "t", &bad, now()).is_err());
                }
                add_application(tx, app(1), "App", "t", &roles, now())?;
                for (name, expected) in [
                    (None, Some(DEFAULT_ACCESS)),
                    (Some("default access"), Some(DEFAULT_ACCESS)),
                    (Some("admin"), Some("admin")),
                    (Some("PERSON"), Some("user")),
                    (Some("nobody"), None),
                ] {
                    let found = role_named(tx, app(1), name).ok().map(|role| role.value);
                    assert_eq!(found.as_deref(), expected, "{name:?}");
                }
                assert_eq!(app_roles(tx, app(1))?.len(), 3);
                Ok::<_, DirectoryError>(())
            })
            .await
            .unwrap();
    });
}

#[test]
fn roles_come_later_and_go_while_nobody_has_them() {
    on_both(|store| async move {
        store
            .write(|tx| {
                add_application(tx, app(1), "Netskope", "netskope", &[role(1, "user", "Person")], now())?;
                add_app_role(tx, app(1), &role(2, "admin", "Administrator"))?;
                for bad in [role(3, "admin", "A"), role(2, "x", "X"), role(3, " ", "X"), role(3, DEFAULT_ACCESS, "X")] {
                    assert!(add_app_role(tx, app(1), &bad).is_err(), "{bad:?}");
                }
                assert!(add_app_role(tx, app(2), &role(3, "x", "X")).is_err(), "there is no such application");
                let ann = UserId::new(Uuid::from_u128(9));
                create_user(tx, ann, &UserDraft::new("ann@c.com", "Ann"), now())?;
                let ann = ObjectId::from(ann);
                assign(tx, app(1), ann, ObjectKind::User, Some("admin"), now())?;
                let refused = remove_app_role(tx, app(1), "Administrator").unwrap_err().to_string();
                assert!(refused.contains("are assigned with the role \"admin\""), "{refused}");
                assert!(remove_app_role(tx, app(1), "default access").is_err());
                assert!(remove_app_role(tx, app(1), "nobody").is_err());
                unassign(tx, app(1), ann, None, now())?;
                assert_eq!(remove_app_role(tx, app(1), "Administrator")?.value, "admin");
                let left: Vec<_> = app_roles(tx, app(1))?.into_iter().map(|role| role.value).collect();
                assert_eq!(left, [DEFAULT_ACCESS, "user"]);
                Ok::<_, DirectoryError>(())
            })
            .await
            .unwrap();
    });
}

#[test]
fn people_and_groups_are_assigned_and_entitled() {
    on_both(|store| async move {
        let (ann, bob) = (UserId::new(Uuid::from_u128(11)), UserId::new(Uuid::from_u128(12)));
        let sales = store::GroupId::new(Uuid::from_u128(13));
        store
            .write(move |tx| {
                add_application(tx, app(1), "App", "t", &[role(1, "admin", "Administrator")], now())?;
                for (id, name) in [(ann, "ann@c.com"), (bob, "bob@c.com")] {
                    create_user(tx, id, &UserDraft::new(name, name), now())?;
                }
                create_group(tx, sales, &GroupDraft::new("Sales"), now())?;
                add_member(tx, sales, ann.into(), ObjectKind::User, now())?;
                assert!(assign(tx, app(1), sales.into(), ObjectKind::Group, None, now())?);
                assert!(!assign(tx, app(1), sales.into(), ObjectKind::Group, None, now())?);
                assert!(assign(tx, app(1), ann.into(), ObjectKind::User, Some("admin"), now())?);
                let roles: Vec<_> =
                    entitlements(tx, app(1), ann)?.into_iter().map(|one| (one.role.value, one.direct)).collect();
                assert_eq!(roles, [("admin".to_owned(), true), (DEFAULT_ACCESS.to_owned(), false)]);
                // The same roles once more, through groups: nobody has a role twice.
                let staff = store::GroupId::new(Uuid::from_u128(14));
                create_group(tx, staff, &GroupDraft::new("Staff"), now())?;
                add_member(tx, staff, ann.into(), ObjectKind::User, now())?;
                for name in [Some("admin"), None] {
                    assert!(assign(tx, app(1), staff.into(), ObjectKind::Group, name, now())?);
                }
                let again: Vec<_> =
                    entitlements(tx, app(1), ann)?.into_iter().map(|one| (one.role.value, one.direct)).collect();
                assert_eq!(again, roles);
                unassign(tx, app(1), staff.into(), None, now())?;

                let off = [("securityEnabled".to_owned(), Some(false.into()))];
                change_group(tx, sales, &off, now())?;
                assert_eq!(entitlements(tx, app(1), ann)?.len(), 1);
                let error = assign(tx, app(1), sales.into(), ObjectKind::Group, Some("admin"), now()).unwrap_err();
                assert!(error.to_string().contains("is not a security group; set"), "{error}");
                delete_user(tx, bob, now())?;
                assert!(assign(tx, app(1), bob.into(), ObjectKind::User, None, now()).is_err());
                assert!(assign(tx, app(2), ann.into(), ObjectKind::User, None, now()).is_err());

                assert!(!unassign(tx, app(1), ann.into(), Some("Default Access"), now())?);
                assert!(unassign(tx, app(1), ann.into(), None, now())?);
                assert!(entitlements(tx, app(1), ann)?.is_empty());
                Ok::<_, DirectoryError>(())
            })
            .await
            .unwrap();
    });
}

#[test]
fn no_page_tears_the_roles_of_one_principal_apart() {
    on_both(|store| async move {
        store
            .write(|tx| {
                let roles: Vec<_> = (1..=5).map(|n| role(n, &format!("r{n}"), &format!("Role {n}"))).collect();
                add_application(tx, app(1), "App", "t", &roles, now())?;
                for number in 1..=4_u128 {
                    let id = UserId::new(Uuid::from_u128(number));
                    let name = format!("u{number}@c.com");
                    create_user(tx, id, &UserDraft::new(name.as_str(), name.as_str()), now())?;
                    for role in 1..=number + 1 {
                        assign(tx, app(1), id.into(), ObjectKind::User, Some(&format!("r{role}")), now())?;
                    }
                }
                for limit in [1, 2, 3, 5, 14, 100] {
                    let (mut found, mut after) = (Vec::new(), None);
                    loop {
                        let page = assignments(tx, app(1), after, limit)?;
                        found.extend(page.items);
                        after = page.next;
                        if after.is_none() {
                            break;
                        }
                    }
                    assert_eq!(found.len(), 2 + 3 + 4 + 5, "{limit}");
                }
                Ok::<_, DirectoryError>(())
            })
            .await
            .unwrap();
    });
}

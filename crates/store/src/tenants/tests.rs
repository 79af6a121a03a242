//! Tenants are apart: deleting one takes all of its data, and nothing of its neighbour.

use super::*;
use crate::members::{self, MemberRecord};
use crate::resources::{self, ResourceKind};
use crate::testing::{databases, numbered, on_both, postgres_client, second, sqlite_connection};
use crate::{Feed, ObjectKind, append_change, changes_after, feed_head, number_changes};

/// The tables that hold data of tenants, with the column that tells whose it is.
const TABLES: [(&str, &str); 6] = [
    ("tenants", "tenant"),
    ("tokens", "tenant"),
    ("resources", "tenant"),
    ("resource_keys", "tenant"),
    ("members", "tenant"),
    ("changes", "feed"),
];

fn furnished(tx: &mut WriteTx<'_>, name: &str, number: u128) -> Result<TenantKey, StoreError> {
    let tenant = insert_tenant(tx, name, "generic", "{}", second(0))?;
    let token = TokenRecord {
        id: numbered(number),
        name: "sync".to_owned(),
        hint: "lk_1".to_owned(),
        created: second(0),
        expires: second(9),
        revoked: None,
    };
    insert_token(tx, tenant, &token, name.as_bytes())?;
    let keys = [("externalId".into(), "x".to_owned())];
    // The same ids in both tenants: an id alone must never be enough.
    resources::insert(tx, tenant, ResourceKind::User, numbered(1), Some("ann"), "{}", &keys, second(0))?;
    resources::insert(tx, tenant, ResourceKind::Group, numbered(2), None, "{}", &[], second(0))?;
    let member = MemberRecord { id: numbered(1), kind: ResourceKind::User, display: None };
    members::add(tx, tenant, numbered(2), &member)?;
    append_change(tx, tenant.into(), ObjectKind::User, numbered(1), None, second(0))?;
    number_changes(tx, tenant.into())?;
    // One more, which on PostgreSQL has no number yet.
    append_change(tx, tenant.into(), ObjectKind::Group, numbered(2), None, second(0))?;
    Ok(tenant)
}

#[test]
fn deleting_a_tenant_leaves_nothing_of_it_and_all_of_its_neighbour() {
    for database in databases() {
        let (store, runtime) = (database.open(), tokio::runtime::Runtime::new().unwrap());
        let made = store.write(|tx| Ok::<_, StoreError>((furnished(tx, "gone", 1)?, furnished(tx, "kept", 2)?)));
        let (gone, kept) = runtime.block_on(made).unwrap();
        let count = |text: &str| -> i64 {
            if let Some(sqlite) = sqlite_connection(&database) {
                return sqlite.query_row(text, [], |row| row.get(0)).unwrap();
            }
            postgres_client(&database).unwrap().query_one(text, &[]).unwrap().get(0)
        };
        let only_postgres: &[(&str, &str)] = if matches!(database.database(), crate::Database::Postgres(_)) {
            &[("changes_unnumbered", "feed"), ("feeds", "feed")]
        } else {
            &[]
        };
        let counts = |key: TenantKey| -> Vec<i64> {
            let tables = TABLES.iter().chain(only_postgres);
            tables
                .map(|(table, column)| count(&format!("SELECT COUNT(*) FROM {table} WHERE {column} = {}", key.0)))
                .collect()
        };
        let before = counts(kept);
        assert!(before.iter().all(|count| *count > 0), "{before:?}");
        assert_eq!(counts(gone), before);
        runtime.block_on(store.write(move |tx| delete_tenant(tx, gone))).unwrap();
        assert_eq!(counts(gone), vec![0; before.len()]);
        assert_eq!(counts(kept), before);
    }
}

#[test]
fn the_key_of_a_deleted_tenant_is_never_used_again() {
    on_both(|store| async move {
        let keys = store.write(|tx| {
            let mut keys = Vec::new();
            for _ in 0..3 {
                let key = furnished(tx, "again", 1)?;
                delete_tenant(tx, key)?;
                keys.push(key);
            }
            Ok::<_, StoreError>(keys)
        });
        let keys = keys.await.unwrap();
        assert!(keys[0] < keys[1] && keys[1] < keys[2], "{keys:?}");
    });
}

#[test]
fn a_token_opens_its_tenant_until_it_is_revoked() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = furnished(tx, "one", 1)?;
            furnished(tx, "two", 2)?;
            let owner = token_owner(tx, b"one")?.unwrap();
            assert_eq!((owner.tenant, owner.tenant_name.as_str(), owner.suspended), (one, "one", None));
            assert_eq!((owner.profile.as_str(), owner.settings.as_str(), owner.expires), ("generic", "{}", second(9)));
            for other in [&b""[..], b"on", b"onee", b"ONE"] {
                assert_eq!(token_owner(tx, other)?, None);
            }
            set_suspended(tx, one, Some(second(5)))?;
            assert_eq!(token_owner(tx, b"one")?.unwrap().suspended, Some(second(5)));
            set_suspended(tx, one, None)?;
            assert_eq!(tenant_by_name(tx, "one")?.unwrap().suspended, None);
            assert!(revoke_token(tx, one, "sync", second(6))?);
            assert!(!revoke_token(tx, one, "sync", second(7))?);
            assert_eq!(token_owner(tx, b"one")?, None);
            assert!(token_owner(tx, b"two")?.is_some());
            assert_eq!(tokens(tx, one)?[0].revoked, Some(second(6)));
            assert_eq!(tenant_by_name(tx, "ONE")?, None);
            Ok::<_, StoreError>(tenants(tx)?.into_iter().map(|tenant| tenant.name).collect::<Vec<_>>())
        });
        assert_eq!(story.await.unwrap(), ["one", "two"]);
    });
}

#[test]
fn feeds_of_tenants_are_apart() {
    on_both(|store| async move {
        let heads = store.write(|tx| {
            let (one, two) = (Feed::from(furnished(tx, "one", 1)?), Feed::from(furnished(tx, "two", 2)?));
            number_changes(tx, one)?;
            number_changes(tx, two)?;
            let objects: Vec<_> =
                changes_after(tx, two, 0, 9)?.into_iter().map(|change| (change.seq, change.object)).collect();
            assert_eq!(objects, [(1, ObjectKind::User), (2, ObjectKind::Group)]);
            Ok::<_, StoreError>((feed_head(tx, one)?, feed_head(tx, two)?))
        });
        assert_eq!(heads.await.unwrap(), (2, 2));
    });
}

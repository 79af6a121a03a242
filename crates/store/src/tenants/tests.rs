//! Tenants are apart: deleting one takes all of its data, and nothing of its neighbour.

use super::*;
use crate::clients::tests::furnish;
use crate::members::{self, MemberRecord};
use crate::resources::{self, ResourceKind};
use crate::testing::{databases, numbered, on_both, postgres_client, second, sqlite_connection};
use crate::{Feed, ObjectKind, append_change, changes_after, feed_head, number_changes, schemas, unique_values};

/// The tables that hold data of tenants, with the column that tells whose it is.
const TABLES: [(&str, &str); 14] = [
    ("tenants", "tenant"),
    ("tokens", "tenant"),
    ("clients", "tenant"),
    ("client_secrets", "tenant"),
    ("federations", "tenant"),
    ("assertions", "tenant"),
    ("resources", "tenant"),
    ("resource_keys", "tenant"),
    ("tenant_schemas", "tenant"),
    ("unique_values", "tenant"),
    ("members", "tenant"),
    ("deletions", "tenant"),
    ("emptied_groups", "tenant"),
    ("changes", "feed"),
];

fn furnished(tx: &mut WriteTx<'_>, name: &str, number: u128) -> Result<TenantKey, StoreError> {
    let tenant = insert_tenant(tx, name, "generic", "{}", second(0))?;
    furnish(tx, tenant, number, name)?;
    let keys = [("externalId".into(), "x".to_owned())];
    // The same ids in both tenants: an id alone must never be enough.
    resources::insert(tx, tenant, ResourceKind::User, numbered(1), Some("ann"), "{}", &keys, second(0))?;
    resources::insert(tx, tenant, ResourceKind::Group, numbered(2), None, "{}", &[], second(0))?;
    unique_values::claim(tx, tenant, ResourceKind::User, numbered(1), &[&keys[0]])?;
    schemas::put_schemas(tx, tenant, "{}", Some(&[7; 32]), second(0))?;
    let member = MemberRecord { id: numbered(1), kind: ResourceKind::User, display: None };
    members::add(tx, tenant, numbered(2), &member)?;
    crate::emptied::note_emptied(tx, tenant, numbered(3))?;
    let begun = crate::deletions::Begun { kind: ResourceKind::User, id: numbered(1), if_version: None };
    crate::deletions::note_begun(tx, tenant, begun)?;
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

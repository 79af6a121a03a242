//! A part of a transaction is undone alone, and never hides what the database said.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::resources::{self, ResourceKind};
use crate::settings::{put_setting, setting};
use crate::testing::{databases, numbered, on_both, second};
use crate::{StoreError, TenantKey, UniqueKey, WriteTx, tenants};

fn ann(tx: &mut WriteTx<'_>, tenant: TenantKey, number: u128) -> Result<(), StoreError> {
    resources::insert(tx, tenant, ResourceKind::User, numbered(number), Some("ann"), "{}", &[], second(0))
}

#[test]
fn a_part_that_fails_is_undone_and_the_rest_is_kept() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let tenant = tenants::insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let refused = |tx: &mut WriteTx<'_>, name: &str| {
                put_setting(tx, name, "1")?;
                Err::<(), _>(StoreError::Busy)
            };
            assert_eq!(tx.part(|tx| ann(tx, tenant, 1))?, Ok(()));
            assert_eq!(tx.part(|tx| refused(tx, "a"))?, Err(StoreError::Busy));
            let taken = StoreError::NotUnique(UniqueKey::ResourceKey);
            assert_eq!(tx.part(|tx| put_setting(tx, "b", "1").and_then(|()| ann(tx, tenant, 2)))?, Err(taken));
            // Within a part that is kept, and within one that is not.
            let kept = tx.part(|tx| {
                put_setting(tx, "c", "1")?;
                assert_eq!(tx.part(|tx| refused(tx, "d"))?, Err(StoreError::Busy));
                put_setting(tx, "e", "1")
            })?;
            assert_eq!(kept, Ok(()));
            let undone = tx.part(|tx| {
                assert_eq!(tx.part(|tx| put_setting(tx, "f", "1"))?, Ok(()));
                Err::<(), _>(StoreError::Busy)
            })?;
            assert_eq!(undone, Err(StoreError::Busy));
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
        for (name, expected) in [("a", false), ("b", false), ("c", true), ("d", false), ("e", true), ("f", false)] {
            let found = store.read(move |tx| setting(tx, name)).await.unwrap();
            assert_eq!(found.is_some(), expected, "{name}");
        }
    });
}

#[test]
fn a_part_that_went_on_after_a_failure_ends_the_transaction() {
    on_both(|store| async move {
        let tenant = store.write(|tx| tenants::insert_tenant(tx, "one", "generic", "{}", second(0))).await.unwrap();
        let went_on = store.write(move |tx| {
            ann(tx, tenant, 1)?;
            let hidden = tx.part(|tx| {
                drop(ann(tx, tenant, 2));
                Ok::<_, StoreError>(())
            });
            assert!(hidden.is_err());
            hidden.map(drop)
        });
        assert!(matches!(went_on.await, Err(StoreError::Internal(_))));
        let kept = store.read(move |tx| crate::listing::count(tx, tenant, ResourceKind::User)).await.unwrap();
        assert_eq!(kept, 0);
    });
}

#[test]
fn a_full_disk_ends_the_transaction_and_not_the_part_alone() {
    for database in databases() {
        let store = database.open();
        database.fill_up();
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let told = runtime.block_on(store.write(move |tx| {
            counted.fetch_add(1, Ordering::Relaxed);
            tx.part(|tx| put_setting(tx, "a", "1")).map(drop)
        }));
        assert!(told.is_err(), "{told:?}");
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn what_a_transaction_costs_is_counted() {
    on_both(|store| async move {
        let costs = store.write(|tx| {
            let before = tx.spent();
            put_setting(tx, "a", "1")?;
            let written = tx.spent();
            setting(tx, "a")?;
            Ok::<_, StoreError>((written - before, tx.spent() - written))
        });
        assert_eq!(costs.await, Ok((2, 2)));
    });
}

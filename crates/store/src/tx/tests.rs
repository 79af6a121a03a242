//! A part of a transaction is undone alone, and never hides what the database said.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::resources::{self, ResourceKind};
use crate::settings::{put_setting, setting};
use crate::sql::{Sql, params};
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

static SETTING: Sql = Sql::both("SETTING", "INSERT INTO settings (name, value) VALUES ($1, $2)");

/// What follows a statement that was sent.
#[derive(Clone, Copy, Debug)]
enum Then {
    TheEnd,
    TheEndOfABriefOne,
    AStatement,
    AStatementThatIsNew,
    TheEndOfAPart,
}

static NEW: Sql = Sql::both("NEW", "SELECT 1");

fn send_and(tx: &mut WriteTx<'_>, then: Then) -> Result<(), StoreError> {
    if let Then::TheEndOfABriefOne = then {
        tx.wait_briefly()?;
    }
    setting(tx, "a")?;
    let send = |tx: &mut WriteTx<'_>| tx.send(&SETTING, params!["a", "1"]);
    match then {
        Then::TheEnd | Then::TheEndOfABriefOne => send(tx),
        Then::AStatement => send(tx).and_then(|()| setting(tx, "a").map(drop)),
        Then::AStatementThatIsNew => send(tx).and_then(|()| tx.first(&NEW, &[], |_| Ok(())).map(drop)),
        Then::TheEndOfAPart => tx.part(send)?,
    }
}

#[test]
fn what_was_sent_is_kept_and_where_it_fails_the_whole_fails() {
    for database in databases() {
        let store = database.open();
        database.fill_up();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let refusal = runtime.block_on(store.write(|tx| put_setting(tx, "b", "1"))).unwrap_err();
        let those =
            [Then::TheEnd, Then::TheEndOfABriefOne, Then::AStatementThatIsNew, Then::AStatement, Then::TheEndOfAPart];
        for then in those {
            let told = runtime.block_on(store.write(move |tx| send_and(tx, then)));
            assert_eq!(told, Err(refusal.clone()), "{then:?}");
        }
        database.make_room();
        assert_eq!(runtime.block_on(store.read(|tx| setting(tx, "a"))), Ok(None));
        assert_eq!(runtime.block_on(store.write(|tx| send_and(tx, Then::TheEnd))), Ok(()));
        assert_eq!(runtime.block_on(store.read(|tx| setting(tx, "a"))), Ok(Some("1".to_owned())));
    }
}

#[test]
fn more_may_be_sent_than_is_under_way_at_a_time() {
    on_both(|store| async move {
        let many = 500;
        let sent = store.write(move |tx| {
            // The first one has nothing to go with.
            (0..many).try_for_each(|at| tx.send(&SETTING, params![&format!("many.{at}"), "1"]))
        });
        sent.await.unwrap();
        let last = store.read(move |tx| setting(tx, &format!("many.{}", many - 1))).await;
        assert_eq!(last, Ok(Some("1".to_owned())));
    });
}

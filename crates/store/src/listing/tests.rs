//! Counts that never drift, and orders in both directions.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::resources::{delete, insert};
use crate::testing::{databases, numbered, on_both, postgres_client, second, sqlite_connection};
use crate::{Store, tenants};

const KIND: ResourceKind = ResourceKind::User;

const fn rows(rows: u32) -> Chunk {
    Chunk { rows, bytes: usize::MAX }
}

async fn tenant(store: &Store, name: &'static str) -> TenantKey {
    store.write(move |tx| tenants::insert_tenant(tx, name, "generic", "{}", second(0))).await.unwrap()
}

async fn make(store: &Store, tenant: TenantKey, kind: ResourceKind, numbers: impl IntoIterator<Item = (u128, String)>) {
    let made: Vec<_> = numbers.into_iter().collect();
    let written = store.write(move |tx| {
        for (number, name) in &made {
            insert(
                tx,
                tenant,
                kind,
                numbered(*number),
                Some(name),
                "{}",
                &[("externalId".into(), name.clone())],
                second(1),
            )?;
        }
        Ok::<_, StoreError>(())
    });
    written.await.unwrap();
}

/// What happens to a resource: it is made or deleted, and its transaction is kept or not.
type Event = (u8, bool, bool, bool);

async fn tell(store: &Store, tenant: TenantKey, (number, is_group, is_made, is_kept): Event) {
    let kind = if is_group { ResourceKind::Group } else { KIND };
    let written = store.write(move |tx| {
        let (id, name) = (numbered(u128::from(number)), number.to_string());
        if is_made {
            insert(tx, tenant, kind, id, Some(&name), "{}", &[], second(1))?;
        } else {
            delete(tx, tenant, kind, id, &[])?;
        }
        if is_kept { Ok(()) } else { Err(StoreError::Busy) }
    });
    // What is there already cannot be made again; then nothing of it is kept.
    drop(written.await);
}

#[test]
fn a_count_is_what_a_count_of_rows_would_be() {
    on_both(|store| async move {
        let mut runner = TestRunner::new(Config::default());
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        make(&store, two, KIND, [(1, "ann".to_owned())]).await;
        let mut held = std::collections::BTreeSet::new();
        for _ in 0..8 {
            let events: Vec<Event> =
                proptest::collection::vec((0..12_u8, any::<bool>(), any::<bool>(), any::<bool>()), 1..24)
                    .new_tree(&mut runner)
                    .unwrap()
                    .current();
            for event in events {
                tell(&store, one, event).await;
                match event {
                    (number, is_group, true, true) => drop(held.insert((is_group, number))),
                    (number, is_group, false, true) => drop(held.remove(&(is_group, number))),
                    (.., false) => {}
                }
            }
            for (kind, is_group) in [(KIND, false), (ResourceKind::Group, true)] {
                let expected = held.iter().filter(|(group, _)| *group == is_group).count() as u64;
                let counted = store.read(move |tx| count(tx, one, kind)).await;
                assert_eq!(counted, Ok(expected));
                let listed = store.read(move |tx| by_id_after(tx, one, kind, Direction::Up, None, rows(99))).await;
                assert_eq!(listed.unwrap().len() as u64, expected);
            }
        }
        store.write(move |tx| tenants::delete_tenant(tx, one)).await.unwrap();
        for (tenant, expected) in [(one, 0), (two, 1)] {
            assert_eq!(store.read(move |tx| count(tx, tenant, KIND)).await, Ok(expected));
        }
    });
}

#[test]
fn writers_of_one_tenant_at_the_same_time_are_all_counted() {
    on_both(|store| async move {
        let tenant = tenant(&store, "one").await;
        let writers: Vec<_> = (0..64_u128)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { make(&store, tenant, KIND, [(number, format!("n{number}"))]).await })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        assert_eq!(store.read(move |tx| count(tx, tenant, KIND)).await, Ok(64));
    });
}

#[test]
fn the_migration_counts_what_is_there() {
    const SQLITE: &str = include_str!("../../migrations/sqlite/0003_resource_counts.sql");
    const POSTGRES: &str = include_str!("../../migrations/postgres/0003_resource_counts.sql");
    for database in databases() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = database.open();
        let tenant = runtime.block_on(tenant(&store, "one"));
        runtime.block_on(make(&store, tenant, KIND, (0..3).map(|number| (number, format!("n{number}")))));
        drop(store);
        // Alone: those that came after it are there already.
        let anew = |migration: &str| format!("DROP TABLE resource_counts; {migration}");
        if let Some(connection) = sqlite_connection(&database) {
            connection.execute_batch(&anew(SQLITE)).unwrap();
        }
        if let Some(mut client) = postgres_client(&database) {
            client.batch_execute(&anew(POSTGRES)).unwrap();
        }
        let store = database.open();
        assert_eq!(runtime.block_on(store.read(move |tx| count(tx, tenant, KIND))), Ok(3));
    }
}

#[test]
fn resources_by_id_and_by_unique_key_in_both_directions() {
    on_both(|store| async move {
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        // The order of the names is not that of the ids.
        let names = [(0, "d"), (1, "b"), (7, "\u{10ffff}\u{10ffff}"), (8, "a"), (u128::MAX, "c")];
        make(&store, one, KIND, names.map(|(number, name)| (number, name.to_owned()))).await;
        make(&store, two, KIND, [(5, "b".to_owned())]).await;
        let story = store.read(move |tx| {
            let (up, down) = (Direction::Up, Direction::Down);
            let all = [0, 1, 7, 8, u128::MAX].map(numbered::<ResourceId>);
            let by_name = [8, 1, u128::MAX, 0, 7].map(numbered::<ResourceId>);
            for (direction, ids, names) in [(up, all, by_name), (down, reversed(all), reversed(by_name))] {
                let (mut walked, mut sorted) = (Vec::new(), Vec::new());
                while let Some(last) = by_id_after(tx, one, KIND, direction, walked.last().copied(), rows(2))?.last() {
                    walked.extend(
                        by_id_after(tx, one, KIND, direction, walked.last().copied(), rows(2))?.iter().map(|r| r.id),
                    );
                    assert_eq!(walked.last(), Some(&last.id));
                }
                assert_eq!(walked, ids, "{direction:?}");
                let mut after: Option<String> = None;
                while let [found, ..] =
                    by_unique_key_after(tx, one, KIND, direction, after.as_deref(), rows(1))?.as_slice()
                {
                    sorted.push(found.id);
                    let number = by_name.iter().position(|id| *id == found.id).unwrap();
                    let all = [by_name.len() as u64, u64::MAX][number % 2];
                    after = unique_key_at(tx, one, KIND, (number as u64, all))?;
                }
                assert_eq!(sorted, names, "{direction:?}");
            }
            for (number, expected) in [(0, Some(0)), (4, Some(u128::MAX)), (5, None), (u64::MAX, None)] {
                for all in [5, u64::MAX] {
                    assert_eq!(id_at(tx, one, KIND, (number, all))?, expected.map(numbered), "{number} of {all}");
                }
            }
            let mut found: Vec<_> =
                by_ids(tx, one, KIND, &[0, 5, 8].map(numbered))?.into_iter().map(|r| r.id).collect();
            found.sort_unstable();
            assert_eq!(found, [0, 8].map(numbered));
            assert_eq!(by_ids(tx, one, KIND, &[])?, []);
            let mut there = ids_there_are(tx, one, KIND, &[0, 5, 8].map(numbered))?;
            there.sort_unstable();
            assert_eq!(there, [0, 8].map(numbered));
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

fn reversed<const N: usize>(mut ids: [ResourceId; N]) -> [ResourceId; N] {
    ids.reverse();
    ids
}

#[test]
fn what_begins_alike_is_a_range_of_the_index() {
    on_both(|store| async move {
        let one = tenant(&store, "one").await;
        let names = ["ann", "anna", "anne", "ao", "a", "b", "%", "a\u{d7ff}x", "a\u{e000}", "\u{10ffff}x"];
        make(&store, one, KIND, (0..).zip(names.map(str::to_owned))).await;
        let story = store.read(move |tx| {
            for prefix in ["ann", "a", "an", "b", "%", "_", "a\u{d7ff}", "\u{10ffff}", "ann%", "c"] {
                let expected: Vec<ResourceId> = (0..)
                    .zip(names)
                    .filter(|(_, name)| name.starts_with(prefix))
                    .map(|(number, _)| numbered(number))
                    .collect();
                let mut by_name = ids_by_unique_prefix(tx, one, KIND, prefix, 99)?;
                by_name.sort_unstable();
                let mut by_key = ids_by_key_prefix(tx, one, KIND, ("externalId", prefix), 99)?;
                by_key.sort_unstable();
                assert_eq!((by_name, by_key), (expected.clone(), expected), "{prefix}");
            }
            assert_eq!(ids_by_key_prefix(tx, one, KIND, ("externalId", "a"), 2)?.len(), 2);
            let keys = ["ao", "nobody", "ann", "a\u{d7ff}x"];
            let mut found =
                (ids_by_unique_keys(tx, one, KIND, &keys)?, ids_by_keys(tx, one, KIND, ("externalId", &keys), 9)?);
            found.0.sort_unstable();
            found.1.sort_unstable();
            let expected: Vec<ResourceId> = [0, 3, 7].map(numbered).into();
            assert_eq!(found, (expected.clone(), expected));
            assert_eq!(ids_by_keys(tx, one, KIND, ("externalId", &keys), 2)?.len(), 2);
            assert_eq!(ids_by_keys(tx, one, KIND, ("title", &keys), 9)?, []);
            for (key, expected) in [("ann", Some(numbered(0))), ("an", None)] {
                let ids = ids_by_keys(tx, one, KIND, ("externalId", &[key]), 9)?;
                let found: Vec<_> = by_key(tx, one, KIND, ("externalId", key), 9)?.into_iter().map(|r| r.id).collect();
                assert_eq!((ids, found), (expected.into_iter().collect(), expected.into_iter().collect()), "{key}");
            }
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

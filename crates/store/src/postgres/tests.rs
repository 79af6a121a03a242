//! What only PostgreSQL can do to the store: transactions that give way to each other, and connections that die.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::{CONNECTIONS, pause};
use crate::settings::{put_setting, setting};
use crate::sql::Sql;
use crate::store::ATTEMPTS_MAX;
use crate::testing::{databases, postgres_client};
use crate::{Store, StoreError};

/// The connections as a length.
const COUNT: usize = CONNECTIONS as usize;

#[test]
fn limits() {
    assert_eq!(CONNECTIONS, 16);
    assert_eq!(pause(0, 1), Duration::from_millis(4));
    let longest = pause(CONNECTIONS - 1, ATTEMPTS_MAX - 1);
    assert!(longest < Duration::from_secs(1), "less than PostgreSQL takes to see a deadlock");
    let pauses: BTreeSet<Duration> = (0..CONNECTIONS).map(|connection| pause(connection, 2)).collect();
    assert_eq!(pauses.len(), COUNT);
}

/// Runs a story on PostgreSQL, where there is one.
fn on_postgres<Told: Future<Output = ()>>(story: impl Fn(Store, postgres::Client) -> Told) {
    for database in databases() {
        let Some(client) = postgres_client(&database) else { continue };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(story(database.open(), client));
    }
}

static PROCESS: Sql = Sql::both("PROCESS", "SELECT pg_backend_pid()::bigint");

/// The server's process behind each connection of the store.
async fn processes(store: &Store) -> BTreeSet<i64> {
    let all_are_busy = Arc::new(Barrier::new(COUNT));
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (store, all_are_busy) = (store.clone(), Arc::clone(&all_are_busy));
        asked.spawn(async move {
            let process = store.read(move |tx| {
                all_are_busy.wait();
                tx.first(&PROCESS, &[], |row| row.int(0))
            });
            process.await.unwrap().unwrap()
        });
    }
    asked.join_all().await.into_iter().collect()
}

#[test]
fn connections_that_the_server_closed_are_replaced_unnoticed() {
    on_postgres(|store, mut beside| async move {
        let before = processes(&store).await;
        assert_eq!(before.len(), COUNT);
        let closed: Vec<i64> = before.iter().copied().collect();
        // The driver of the connection beside blocks, which a runtime's thread may not.
        let closing = tokio::task::spawn_blocking(move || {
            let text =
                "SELECT COUNT(*) FROM unnest($1::bigint[]) process WHERE pg_terminate_backend(process::int, 10000)";
            beside.query_one(text, &[&closed]).unwrap().get::<_, i64>(0)
        });
        assert_eq!(usize::try_from(closing.await.unwrap()), Ok(COUNT));
        let after = processes(&store).await;
        assert_eq!(after.len(), COUNT);
        assert!(after.is_disjoint(&before));
        store.write(|tx| put_setting(tx, "a", "1")).await.unwrap();
    });
}

#[test]
fn of_two_that_block_each_other_both_are_kept() {
    on_postgres(|store, _| async move {
        let fill = store.write(|tx| put_setting(tx, "a", "0").and_then(|()| put_setting(tx, "b", "0")));
        fill.await.unwrap();
        let both_hold_one = Arc::new(Barrier::new(2));
        let write = |first: &'static str, then: &'static str| {
            let (store, both_hold_one) = (store.clone(), Arc::clone(&both_hold_one));
            tokio::spawn(async move {
                let mut attempt = 0;
                let written = store.write(move |tx| {
                    attempt += 1;
                    put_setting(tx, first, first)?;
                    // The one that is tried again finds nobody to wait for.
                    if attempt == 1 {
                        both_hold_one.wait();
                    }
                    put_setting(tx, then, first)?;
                    Ok::<_, StoreError>(attempt)
                });
                written.await.unwrap()
            })
        };
        let (one, other) = (write("a", "b"), write("b", "a"));
        let attempts = [one.await.unwrap(), other.await.unwrap()];
        assert!(attempts.iter().any(|attempt| *attempt > 1), "{attempts:?}");
        let held = store.read(|tx| Ok::<_, StoreError>((setting(tx, "a")?, setting(tx, "b")?))).await.unwrap();
        assert!(held.0 == held.1 && held.0.as_deref() != Some("0"), "one after the other: {held:?}");
    });
}

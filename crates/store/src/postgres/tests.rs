//! What only PostgreSQL can do to the store: transactions that give way to each other, and connections that die.

mod proxy;

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::{CONNECTIONS, IDLE_IN_TRANSACTION_TIMEOUT, LOCK_TIMEOUT, STATEMENT_TIMEOUT, pause};
use crate::settings::{put_setting, setting};
use crate::sql::{Sql, params};
use crate::store::ATTEMPTS_MAX;
use crate::testing::{databases, postgres_client};
use crate::{Database, ReadTx, Store, StoreError};

/// The connections as a length.
const COUNT: usize = CONNECTIONS as usize;

#[test]
fn limits() {
    assert_eq!(CONNECTIONS, 16);
    let seconds = [STATEMENT_TIMEOUT, LOCK_TIMEOUT, IDLE_IN_TRANSACTION_TIMEOUT].map(|limit| limit.as_secs());
    assert_eq!(seconds, [60, 20, 60]);
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

/// How the store is asked.
#[derive(Clone, Copy)]
enum Kind {
    Read,
    LookUp,
}

/// The server's process behind each connection of the store.
async fn processes(store: &Store, kind: Kind) -> BTreeSet<i64> {
    let all_are_busy = Arc::new(Barrier::new(COUNT));
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (store, mut all_are_busy) = (store.clone(), Some(Arc::clone(&all_are_busy)));
        asked.spawn(async move {
            let process = move |tx: &mut ReadTx<'_>| {
                all_are_busy.take().map(|all| all.wait());
                tx.first(&PROCESS, &[], |row| row.int(0))
            };
            match kind {
                Kind::Read => store.read(process).await,
                Kind::LookUp => store.look_up(process).await,
            }
        });
    }
    asked.join_all().await.into_iter().map(|process| process.unwrap().unwrap()).collect()
}

/// Lets the server close these connections. The driver of the connection beside blocks, which a runtime's thread may not.
async fn close(mut beside: postgres::Client, processes: &BTreeSet<i64>) -> postgres::Client {
    let closed: Vec<i64> = processes.iter().copied().collect();
    let closing = tokio::task::spawn_blocking(move || {
        let text = "SELECT COUNT(*) FROM unnest($1::bigint[]) process WHERE pg_terminate_backend(process::int, 10000)";
        (beside.query_one(text, &[&closed]).unwrap().get::<_, i64>(0), beside)
    });
    let (count, beside) = closing.await.unwrap();
    assert_eq!(usize::try_from(count), Ok(COUNT));
    beside
}

#[test]
fn connections_that_the_server_closed_are_replaced_unnoticed() {
    on_postgres(|store, mut beside| async move {
        let before = processes(&store, Kind::Read).await;
        assert_eq!(before.len(), COUNT);
        beside = close(beside, &before).await;
        let after = processes(&store, Kind::Read).await;
        assert_eq!(after.len(), COUNT);
        assert!(after.is_disjoint(&before));
        drop_aside(close(beside, &after).await).await;
        let last = processes(&store, Kind::LookUp).await;
        assert_eq!(last.len(), COUNT);
        assert!(last.is_disjoint(&after));
        store.write(|tx| put_setting(tx, "a", "1")).await.unwrap();
    });
}

#[test]
fn a_connection_that_the_server_closed_is_replaced_with_all_that_its_transaction_begins_with() {
    on_postgres(|store, beside| async move {
        let before = processes(&store, Kind::Read).await;
        drop_aside(close(beside, &before).await).await;
        let written = store.write(|tx| {
            tx.wait_briefly()?;
            tx.part(|tx| tx.send(&PUT, params!["a", "1"]))??;
            tx.first(&TIMEOUTS, &[], |row| row.text(0))
        });
        assert_eq!(written.await, Ok(Some("1min 100ms 1min".to_owned())));
        assert_eq!(store.read(|tx| setting(tx, "a")).await, Ok(Some("1".to_owned())));
    });
}

/// Lets a connection beside go, whose driver blocks.
async fn drop_aside(beside: postgres::Client) {
    tokio::task::spawn_blocking(move || drop(beside)).await.unwrap();
}

static PUT: Sql = Sql::both(
    "PUT",
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
);

#[test]
fn what_is_sent_is_not_waited_for() {
    on_postgres(|store, beside| async move {
        store.write(|tx| put_setting(tx, "a", "0")).await.unwrap();
        let mut beside = Some(beside);
        let written = store.write(move |tx| {
            let mut holder = beside.take().expect("nothing is tried again");
            setting(tx, "a")?;
            holder.batch_execute("BEGIN; UPDATE settings SET value = '1' WHERE name = 'a'").unwrap();
            // Waits at the server until the holder lets go: who waited for it here would wait for as long as locks are waited for.
            tx.send(&PUT, params!["a", "2"])?;
            holder.batch_execute("COMMIT").unwrap();
            setting(tx, "a")
        });
        assert_eq!(written.await, Ok(Some("2".to_owned())));
    });
}

#[test]
fn of_two_that_block_each_other_both_are_kept() {
    for is_sent in [false, true] {
        on_postgres(|store, _| of_two_that_block_each_other(store, is_sent));
    }
}

async fn of_two_that_block_each_other(store: Store, is_sent: bool) {
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
                if is_sent {
                    tx.send(&PUT, params![then, first])?;
                } else {
                    put_setting(tx, then, first)?;
                }
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
}

static TIMEOUTS: Sql = Sql::both(
    "TIMEOUTS",
    "SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || ' ' || current_setting('idle_in_transaction_session_timeout')",
);
static TAKES_LONG: Sql = Sql::both("TAKES_LONG", "SELECT 1::bigint FROM pg_sleep(600)");

/// Runs a story on PostgreSQL, where there is one, with further options in the database's address.
fn on_postgres_with<Told: Future<Output = ()>>(options: &str, told: impl Fn(Store) -> Told) {
    for database in databases() {
        let Database::Postgres(url) = database.database() else { continue };
        let store = Store::open(&Database::Postgres(format!("{url}{options}"))).unwrap();
        tokio::runtime::Runtime::new().unwrap().block_on(told(store));
    }
}

#[test]
fn each_connection_has_its_timeouts_and_the_address_may_set_others() {
    for (options, expected) in [("", "1min 20s 1min"), ("%20-clock_timeout%3D7s", "1min 7s 1min")] {
        on_postgres_with(options, |store| async move {
            let told = store.read(|tx| tx.first(&TIMEOUTS, &[], |row| row.text(0))).await;
            assert_eq!(told.unwrap().as_deref(), Some(expected));
        });
    }
}

#[test]
fn a_statement_that_takes_too_long_is_ended_and_not_tried_again() {
    on_postgres_with("%20-cstatement_timeout%3D50", |store| async move {
        let mut attempt = 0;
        let written = store.write(move |tx| {
            attempt += 1;
            assert_eq!(attempt, 1);
            tx.first(&TAKES_LONG, &[], |_| Ok(()))
        });
        assert_eq!(written.await, Err(StoreError::Busy));
        let read = store.read(|tx| tx.first(&TAKES_LONG, &[], |_| Ok(()))).await;
        assert_eq!(read, Err(StoreError::Busy));
        store.write(|tx| put_setting(tx, "a", "1")).await.unwrap();
    });
}

/// A use case that holds a row until it is let go; gives what became of it.
async fn held_while<Told: Future<Output = ()>>(store: &Store, meanwhile: Told) -> Result<(), StoreError> {
    let (tell, is_held) = tokio::sync::oneshot::channel();
    let (let_go, may_go) = std::sync::mpsc::channel::<()>();
    let (holder, mut tell) = (store.clone(), Some(tell));
    let holding = tokio::spawn(async move {
        let written = holder.write(move |tx| {
            put_setting(tx, "a", "first")?;
            tell.take().expect("this is not tried again").send(()).unwrap();
            may_go.recv().unwrap();
            put_setting(tx, "b", "first")
        });
        written.await
    });
    is_held.await.unwrap();
    meanwhile.await;
    let_go.send(()).unwrap();
    holding.await.unwrap()
}

#[test]
fn a_lock_is_waited_for_no_longer_than_its_time() {
    on_postgres_with("%20-clock_timeout%3D50", |store| async move {
        let result = held_while(&store, async {
            assert_eq!(store.write(|tx| put_setting(tx, "a", "second")).await, Err(StoreError::Busy));
        });
        assert_eq!(result.await, Ok(()));
        assert_eq!(store.read(|tx| setting(tx, "a")).await, Ok(Some("first".to_owned())));
    });
}

#[test]
fn a_transaction_that_does_nothing_for_too_long_gives_its_locks_back() {
    on_postgres_with("%20-cidle_in_transaction_session_timeout%3D50", |store| async move {
        let result = held_while(&store, async {
            store.write(|tx| put_setting(tx, "a", "second")).await.unwrap();
        });
        let result = result.await;
        assert!(matches!(result, Err(StoreError::Busy | StoreError::Unavailable(_))), "{result:?}");
        let kept = store.read(|tx| Ok::<_, StoreError>((setting(tx, "a")?, setting(tx, "b")?))).await;
        assert_eq!(kept, Ok((Some("second".to_owned()), None)));
    });
}

/// Many statements that nobody waits for, then one that somebody waits for.
fn write_much(tx: &mut crate::WriteTx<'_>) -> Result<Option<String>, StoreError> {
    for at in 0..60 {
        tx.send(&PUT, params![&format!("a.{at}"), "1"])?;
    }
    setting(tx, "a.0")?;
    (0..60).try_for_each(|at| tx.send(&PUT, params![&format!("b.{at}"), "1"]))?;
    setting(tx, "b.0")
}

#[test]
fn answers_that_come_one_message_after_the_other_are_taken_in_while_another_is_waited_for() {
    for database in databases() {
        let Some(proxy) = proxy::Proxy::before(database.database()) else { continue };
        let store = proxy.open();
        let written = tokio::runtime::Runtime::new().unwrap().block_on(store.write(write_much));
        assert_eq!(written, Ok(Some("1".to_owned())));
    }
}

/// What is written before and behind a part, each by a statement that is waited for, with one between that is not.
fn write_in_steps(tx: &mut crate::WriteTx<'_>) -> Result<(), StoreError> {
    put_setting(tx, "first", "1")?;
    tx.send(&PUT, params!["second", "1"])?;
    tx.part(|tx| put_setting(tx, "third", "1"))??;
    tx.send(&PUT, params!["fourth", "1"])
}

static FORGET: Sql = Sql::both("FORGET", "DELETE FROM settings WHERE name = $1");

#[test]
fn a_connection_that_ends_within_a_transaction_ends_all_of_it() {
    for database in databases() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let held = |store: Store| async move {
            let names = ["first", "second", "third", "fourth"];
            let read =
                store.read(move |tx| names.map(|name| setting(tx, name)).into_iter().collect::<Result<Vec<_>, _>>());
            read.await.unwrap().into_iter().flatten().count()
        };
        for answers in 1..24 {
            let fresh = proxy::Proxy::before(database.database());
            let Some(proxy) = fresh else { continue };
            let store = proxy.open();
            let removed = store.write(|tx| {
                ["first", "second", "third", "fourth"]
                    .iter()
                    .try_for_each(|name| tx.run(&FORGET, params![*name]).map(drop))
            });
            runtime.block_on(removed).unwrap();
            proxy.cut_after(answers);
            let written = runtime.block_on(store.write(write_in_steps));
            proxy.cut_after(0);
            let kept = runtime.block_on(held(database.open()));
            match written {
                Ok(()) => assert_eq!(kept, 4, "behind {answers} answers"),
                Err(StoreError::Unavailable(_)) => assert!([0, 4].contains(&kept), "behind {answers} answers: {kept}"),
                Err(other) => panic!("behind {answers} answers: {other}"),
            }
        }
    }
}

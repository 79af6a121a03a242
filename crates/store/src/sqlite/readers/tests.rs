//! A snapshot is used again only while it is the last one.

use std::convert::Infallible;

use super::*;
use crate::settings::{put_setting, setting};
use crate::sqlite::log::{Log, RESTART_BYTES, RESTART_PAUSE, checkpoint};
use crate::testing::{TestDatabase, sqlite_connection};
use crate::{Database, Store};

fn path_of(database: &TestDatabase) -> &Path {
    let Database::Sqlite(path) = database.database() else { unreachable!("asked for SQLite") };
    path
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn put(runtime: &tokio::runtime::Runtime, store: &Store, value: &str) {
    let value = value.to_owned();
    let written: Result<(), StoreError> = runtime.block_on(store.write(move |tx| put_setting(tx, "a", &value)));
    written.unwrap();
}

fn held(runtime: &tokio::runtime::Runtime, store: &Store) -> Option<String> {
    let read: Result<_, StoreError> = runtime.block_on(store.read(|tx| setting(tx, "a")));
    read.unwrap()
}

/// Readers over the database of a store, without the thread that ends their snapshots.
fn readers(database: &TestDatabase) -> Readers {
    Readers::new(path_of(database), Arc::new(Commits::open(path_of(database)).unwrap()))
}

fn read(readers: &Readers) -> Option<String> {
    let read: Result<_, StoreError> = readers.read(|tx| setting(tx, "a"));
    read.unwrap()
}

#[test]
fn what_any_program_committed_is_seen_by_the_next_read_of_all() {
    let database = TestDatabase::sqlite();
    let (runtime, stores) = (runtime(), [database.open(), database.open()]);
    for round in 0..200 {
        let value = round.to_string();
        put(&runtime, &stores[round % 2], &value);
        for store in &stores {
            assert_eq!(held(&runtime, store).as_deref(), Some(value.as_str()), "round {round}");
        }
    }
}

#[test]
fn a_snapshot_is_read_again_until_something_is_committed() {
    let database = TestDatabase::sqlite();
    let (runtime, store) = (runtime(), database.open());
    put(&runtime, &store, "1");
    let readers = readers(&database);
    assert_eq!(read(&readers).as_deref(), Some("1"));
    // A commit that nobody is told of, as when its program ends right after it.
    let silent = sqlite_connection(&database).unwrap();
    silent.execute("UPDATE settings SET value = '2' WHERE name = 'a'", []).unwrap();
    assert_eq!(read(&readers).as_deref(), Some("1"), "the snapshot of the first read");
    readers.let_go();
    assert_eq!(read(&readers).as_deref(), Some("2"), "no snapshot outlives the next look at the log");
    put(&runtime, &store, "3");
    assert_eq!(read(&readers).as_deref(), Some("3"));
}

#[test]
fn a_reader_in_use_gives_its_snapshot_up_after_the_next_look_at_the_log() {
    let database = TestDatabase::sqlite();
    let (runtime, store) = (runtime(), database.open());
    put(&runtime, &store, "1");
    let readers = readers(&database);
    let silent = sqlite_connection(&database).unwrap();
    let seen: Result<_, StoreError> = readers.read(|tx| {
        let before = setting(tx, "a")?;
        silent.execute("UPDATE settings SET value = '2' WHERE name = 'a'", []).unwrap();
        readers.let_go();
        Ok((before, setting(tx, "a")?))
    });
    let one = || Some("1".to_owned());
    assert_eq!(seen.unwrap(), (one(), one()), "a use case sees one moment");
    assert_eq!(read(&readers).as_deref(), Some("2"));
}

#[test]
fn answers_are_remembered_as_long_as_their_snapshot() {
    let database = TestDatabase::sqlite();
    let (runtime, store) = (runtime(), database.open());
    let readers = readers(&database);
    let mut looked = 0;
    let mut ask = |question: u8| {
        let answer: Result<Arc<u8>, StoreError> = readers.read(|tx| {
            let found = tx.remembered(&[question; 32], |_| {
                looked += 1;
                Ok::<_, Infallible>(question)
            });
            found.map_err(|never| match never {})
        });
        assert_eq!(*answer.unwrap(), question);
        looked
    };
    assert_eq!([ask(1), ask(1), ask(2), ask(1)], [1, 1, 2, 2]);
    put(&runtime, &store, "1");
    assert_eq!([ask(1), ask(2), ask(2)], [3, 4, 4]);
    for question in 3..200 {
        ask(question);
    }
    assert_eq!(ask(199), 201, "the memo is bounded, and holds the last ones");
}

#[test]
fn an_error_is_not_remembered() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let readers = readers(&database);
    for _ in 0..2 {
        let refused: Result<Arc<u8>, StoreError> =
            readers.read(|tx| tx.remembered(&[1; 32], |_| Err(StoreError::Full)));
        assert!(matches!(refused, Err(StoreError::Full)));
    }
}

#[test]
fn an_idle_reader_keeps_no_log_from_being_begun_anew() {
    let database = TestDatabase::sqlite();
    let (runtime, store) = (runtime(), database.open());
    put(&runtime, &store, "1");
    drop(store);
    let (readers, checkpoints) = (readers(&database), connect(path_of(&database)).unwrap());
    checkpoints.busy_timeout(std::time::Duration::ZERO).unwrap();
    let other = sqlite_connection(&database).unwrap();
    other.execute("UPDATE settings SET value = '2' WHERE name = 'a'", []).unwrap();
    read(&readers);
    other.execute("UPDATE settings SET value = '3' WHERE name = 'a'", []).unwrap();
    let big = Log { bytes: RESTART_BYTES, copied: 0 };
    assert_eq!(checkpoint(&checkpoints, big, 0), RESTART_PAUSE, "the snapshot needs the log");
    let begun_anew = readers.without_snapshots(|| {
        // Who reads meanwhile is done with the log when the use case is.
        assert_eq!(read(&readers).as_deref(), Some("3"));
        checkpoint(&checkpoints, big, 0)
    });
    assert_eq!(begun_anew, 0);
    assert_eq!(read(&readers).as_deref(), Some("3"));
}

#[test]
fn as_many_readers_as_threads_share_the_large_cache_and_are_taken_first() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let readers = Readers { threads: 2, ..readers(&database) };
    let caches = |taken: &[Reader]| {
        let cache =
            |reader: &Reader| reader.connection.pragma_query_value(None, "cache_size", |row| row.get::<_, i64>(0));
        taken.iter().map(|reader| cache(reader).unwrap()).collect::<Vec<_>>()
    };
    let take = |count: usize| (0..count).map(|_| readers.take().unwrap()).collect::<Vec<_>>();
    let (small, large) = (-8 << 10, -32 << 10);
    let taken = take(4);
    assert_eq!(caches(&taken), [large, large, small, small]);
    for reader in taken {
        readers.keep(reader);
    }
    assert_eq!(caches(&take(3)), [large, large, small], "whatever order they came back in");
    assert_eq!(caches(&take(2)), [small, large], "what was dropped is opened anew");
}

//! The feeds under load: dense numbers, feeds apart, and a reader that misses nothing whoever commits when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;

use super::*;
use crate::testing::{databases, numbered, on_both, second};
use crate::{Database, Store, StoreError};

const WRITERS: u128 = 8;
const WRITES: u128 = 60;

/// Everything that a reader sees from `after` on, page by page.
async fn read_from(store: &Store, feed: Feed, mut after: i64) -> Vec<Change> {
    store.write(move |tx| number_changes(tx, feed)).await.unwrap();
    let mut seen = Vec::new();
    loop {
        let page = store.read(move |tx| changes_after(tx, feed, after, 7)).await.unwrap();
        let Some(last) = page.last() else { return seen };
        after = last.seq;
        seen.extend(page);
    }
}

/// Writes one or two changes at a time, and rolls every third transaction back. Gives the ids of what was kept.
async fn write_some(store: Store, feed: Feed, writer: u128) -> BTreeSet<ObjectId> {
    let mut kept = BTreeSet::new();
    for write in 0..WRITES {
        let ids: Vec<ObjectId> = (0..=write % 2).map(|part| numbered((writer * 1_000 + write) * 10 + part)).collect();
        let (rolled_back, appended) = (write % 3 == 2, ids.clone());
        let result = store.write(move |tx| {
            for id in &appended {
                append_change(tx, feed, ObjectKind::User, *id, Some(numbered(7)), second(5))?;
            }
            if rolled_back { Err(StoreError::Full) } else { Ok(()) }
        });
        match result.await {
            Ok(()) => kept.extend(ids),
            Err(StoreError::Full) if rolled_back => {}
            Err(error) => panic!("{error}"),
        }
    }
    kept
}

#[test]
fn a_reader_beside_eight_writers_misses_nothing_and_sees_no_gap() {
    on_both(|store| async move {
        let tenants = [Feed(1), Feed(2)];
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let feed = tenants[usize::try_from(writer % 2).unwrap()];
            let store = store.clone();
            writers.spawn(async move { (feed.0, write_some(store, feed, writer).await) });
        }
        let done = Arc::new(AtomicBool::new(false));
        let mut readers = JoinSet::new();
        for feed in tenants {
            let (store, done) = (store.clone(), Arc::clone(&done));
            readers.spawn(async move {
                let mut seen: Vec<Change> = Vec::new();
                loop {
                    // Asked before the look, so that the last look comes after the last write.
                    let last_look = done.load(Ordering::SeqCst);
                    let after = seen.last().map_or(0, |change| change.seq);
                    seen.extend(read_from(&store, feed, after).await);
                    if last_look {
                        return (feed.0, seen);
                    }
                }
            });
        }
        let mut kept = [BTreeSet::new(), BTreeSet::new()];
        while let Some(written) = writers.join_next().await {
            let (feed, ids) = written.unwrap();
            kept[usize::try_from(feed - 1).unwrap()].extend(ids);
        }
        done.store(true, Ordering::SeqCst);
        for (feed, seen) in readers.join_all().await {
            let expected = &kept[usize::try_from(feed - 1).unwrap()];
            assert!((1..).zip(&seen).all(|(seq, change)| change.seq == seq), "feed {feed} has a gap");
            assert_eq!(seen.len(), expected.len(), "feed {feed}");
            assert_eq!(seen.iter().map(|change| change.id).collect::<BTreeSet<_>>(), *expected, "feed {feed}");
            assert!(seen.iter().all(|change| change.related == Some(numbered(7)) && change.at == second(5)));
            let head = store.read(move |tx| feed_head(tx, Feed(feed))).await.unwrap();
            assert_eq!(usize::try_from(head), Ok(seen.len()));
        }
    });
}

#[test]
fn what_is_appended_early_and_committed_late_is_not_missed() {
    for database in databases() {
        // SQLite has one writer: there the one who appends early commits early.
        if matches!(database.database(), Database::Sqlite(_)) {
            continue;
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(early_and_late(database.open()));
    }
}

async fn early_and_late(store: Store) {
    let append = |tx: &mut WriteTx<'_>, number| {
        append_change(tx, DIRECTORY_FEED, ObjectKind::User, numbered(number), None, second(0))
    };
    let (appended, was_appended) = tokio::sync::oneshot::channel();
    let (commit, may_commit) = std::sync::mpsc::channel::<()>();
    let (early, mut appended) = (store.clone(), Some(appended));
    let late_commit = tokio::spawn(async move {
        let written = early.write(move |tx| {
            append(tx, 1)?;
            appended.take().expect("nobody gives up this transaction").send(()).unwrap();
            may_commit.recv().unwrap();
            Ok::<_, StoreError>(())
        });
        written.await.unwrap();
    });
    was_appended.await.unwrap();
    store.write(move |tx| append(tx, 2)).await.unwrap();
    let first_look = read_from(&store, DIRECTORY_FEED, 0).await;
    assert_eq!(first_look.iter().map(|change| (change.seq, change.id)).collect::<Vec<_>>(), [(1, numbered(2))]);
    commit.send(()).unwrap();
    late_commit.await.unwrap();
    let second_look = read_from(&store, DIRECTORY_FEED, 1).await;
    assert_eq!(second_look.iter().map(|change| (change.seq, change.id)).collect::<Vec<_>>(), [(2, numbered(1))]);
}

#[test]
fn kinds_keep_their_numbers() {
    for (kind, code) in
        [(ObjectKind::User, 1), (ObjectKind::Group, 2), (ObjectKind::Membership, 3), (ObjectKind::Assignment, 4)]
    {
        assert_eq!((kind.code(), ObjectKind::from_code(code).unwrap()), (code, kind));
    }
    for other in [i64::MIN, -1, 0, 5, i64::MAX] {
        assert!(matches!(ObjectKind::from_code(other), Err(StoreError::Decode(_))), "{other}");
    }
}

#[test]
fn an_empty_feed_ends_at_zero() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            number_changes(tx, DIRECTORY_FEED)?;
            Ok::<_, StoreError>((feed_head(tx, DIRECTORY_FEED)?, changes_after(tx, DIRECTORY_FEED, 0, 9)?))
        });
        assert_eq!(story.await.unwrap(), (0, vec![]));
    });
}

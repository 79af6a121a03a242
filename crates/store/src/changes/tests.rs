//! The feeds under load: dense numbers, feeds apart, and a reader that misses nothing whoever commits when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinSet;

use super::*;
use crate::applications::{self, AppRecord};
use crate::testing::{databases, numbered, on_both, second};
use crate::{AppId, Database, Store, StoreError, jobs};

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
    for (kind, code) in [
        (ObjectKind::User, 1),
        (ObjectKind::Group, 2),
        (ObjectKind::Membership, 3),
        (ObjectKind::Assignment, 4),
        (ObjectKind::Custom(CustomKind::new(0)), 16),
    ] {
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

/// Appends changes made at these seconds.
async fn append_at(store: &Store, feed: Feed, seconds: &'static [i64]) {
    let written = store.write(move |tx| {
        seconds.iter().try_for_each(|at| append_change(tx, feed, ObjectKind::User, numbered(1), None, second(*at)))
    });
    written.await.unwrap();
}

async fn trim(store: &Store, feed: Feed, before: i64) -> u64 {
    store.write(move |tx| trim_changes(tx, feed, second(before))).await.unwrap()
}

/// The numbers that a reader sees who has seen `after`, or where the feed begins if that is later.
async fn numbers_after(store: &Store, feed: Feed, after: i64) -> Result<Vec<i64>, i64> {
    match store.read(move |tx| changes_after(tx, feed, after, 99)).await {
        Ok(found) => Ok(found.iter().map(|change| change.seq).collect()),
        Err(StoreError::FeedTrimmed { after: asked, first }) if asked == after => Err(first),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn old_changes_go_and_a_reader_who_missed_them_is_told() {
    on_both(|store| async move {
        let feed = Feed(1);
        assert_eq!(trim(&store, feed, 100).await, 0, "an empty feed");
        // The clock went back once: what is behind a younger change stays with it.
        append_at(&store, feed, &[10, 11, 20, 12, 30]).await;
        append_at(&store, Feed(2), &[1, 2]).await;
        assert_eq!(trim(&store, feed, 10).await, 0);
        assert_eq!(trim(&store, feed, 15).await, 2);
        for (after, expected) in [(0, Err(3)), (1, Err(3)), (2, Ok(vec![3, 4, 5])), (4, Ok(vec![5])), (5, Ok(vec![]))] {
            assert_eq!(numbers_after(&store, feed, after).await, expected, "{after}");
        }
        assert_eq!((trim(&store, feed, 99).await, trim(&store, feed, 99).await), (2, 0), "the newest stays");
        assert_eq!(numbers_after(&store, feed, 4).await, Ok(vec![5]));
        append_at(&store, feed, &[40]).await;
        assert_eq!(read_from(&store, feed, 5).await.iter().map(|change| change.seq).collect::<Vec<_>>(), [6]);
        assert_eq!(read_from(&store, Feed(2), 0).await.len(), 2, "the neighbour's feed stays whole");
    });
}

#[test]
fn no_change_goes_that_a_job_has_not_seen() {
    on_both(|store| async move {
        append_at(&store, DIRECTORY_FEED, &[1, 2, 3, 4, 5, 6]).await;
        let (done, begun, fresh): (AppId, AppId, AppId) = (numbered(1), numbered(2), numbered(3));
        let jobs = store.write(move |tx| {
            for app in [done, begun, fresh] {
                let name = app.to_string();
                let record = AppRecord { id: app, name: name.clone(), template: "scim".to_owned(), created: second(0) };
                applications::insert_app(tx, &record, &name)?;
                jobs::insert_job(tx, app, "on", "{}", &[], second(0))?;
            }
            let mut lease = |app| {
                let lease = jobs::take_lease(tx, app, "me", second(0), second(60))?;
                Ok::<_, StoreError>(lease.expect("nobody else holds it"))
            };
            let (first, second) = (lease(done)?, lease(begun)?);
            jobs::set_watermark(tx, first, 4)?;
            jobs::set_initial(tx, second, 2, "users ")
        });
        jobs.await.unwrap();
        assert_eq!(trim(&store, DIRECTORY_FEED, 99).await, 2, "an initial cycle will go on from 2");
        assert_eq!(numbers_after(&store, DIRECTORY_FEED, 2).await, Ok(vec![3, 4, 5, 6]));
        store.write(move |tx| applications::delete_app(tx, begun)).await.unwrap();
        assert_eq!(trim(&store, DIRECTORY_FEED, 99).await, 2, "a job has seen 4");
        assert_eq!(numbers_after(&store, DIRECTORY_FEED, 4).await, Ok(vec![5, 6]));
        store.write(move |tx| jobs::set_status(tx, done, "off")).await.unwrap();
        assert_eq!(
            trim(&store, DIRECTORY_FEED, 99).await,
            1,
            "one that is off, or has seen nothing, looks at everything anew"
        );
    });
}

#[test]
fn a_long_feed_is_trimmed_in_parts() {
    on_both(|store| async move {
        let many = TRIMMED_AT_A_TIME + 500;
        let written = store.write(move |tx| {
            (0..many).try_for_each(|_| append_change(tx, Feed(1), ObjectKind::User, numbered(1), None, second(1)))
        });
        written.await.unwrap();
        let mut removed = Vec::new();
        loop {
            match trim(&store, Feed(1), 99).await {
                0 => break,
                some => removed.push(some),
            }
        }
        assert!(removed.iter().all(|some| *some <= u64::from(TRIMMED_AT_A_TIME)), "{removed:?}");
        assert_eq!(removed.iter().sum::<u64>(), u64::from(many) - 1);
        assert_eq!(numbers_after(&store, Feed(1), 0).await, Err(i64::from(many)));
    });
}

#[test]
fn what_happened_to_a_resource_is_told_with_its_change() {
    on_both(|store| async move {
        let tenant = TenantKey(1);
        let told = [
            Occurrence {
                action: Action::Created,
                switched: None,
                version: 1,
                attributes: String::new(),
                external_id: None,
            },
            Occurrence {
                action: Action::Patched,
                switched: Some(false),
                version: 2,
                attributes: "active name.givenName".to_owned(),
                external_id: None,
            },
            Occurrence {
                action: Action::Replaced,
                switched: Some(true),
                version: 3,
                attributes: "active".to_owned(),
                external_id: None,
            },
            Occurrence {
                action: Action::Deleted,
                switched: None,
                version: 3,
                attributes: String::new(),
                external_id: Some("x-1".to_owned()),
            },
        ];
        let written = told.clone();
        let write = store.write(move |tx| {
            append_change(tx, tenant.into(), ObjectKind::Membership, numbered(8), Some(numbered(9)), second(1))?;
            for occurrence in &written {
                append_occurrence(tx, tenant, ObjectKind::User, numbered(7), occurrence, second(2))?;
            }
            number_changes(tx, tenant.into())
        });
        write.await.unwrap();
        let seen = store.read(move |tx| occurrences_after(tx, tenant, 0, 99)).await.unwrap();
        let (changes, occurrences): (Vec<Change>, Vec<Option<Occurrence>>) = seen.into_iter().unzip();
        assert_eq!(occurrences[0], None);
        assert_eq!(occurrences[1..], told.map(Some));
        assert_eq!(changes, read_from(&store, tenant.into(), 0).await);
        let later = store.read(move |tx| occurrences_after(tx, tenant, 3, 1)).await.unwrap();
        assert_eq!(later.iter().map(|(change, _)| change.seq).collect::<Vec<_>>(), [4]);
    });
}

#[test]
fn actions_keep_their_numbers() {
    for (action, code) in [(Action::Created, 1), (Action::Patched, 2), (Action::Replaced, 3), (Action::Deleted, 4)] {
        assert_eq!((action.code(), Action::from_code(code).unwrap()), (code, action));
    }
    for other in [i64::MIN, 0, 5, i64::MAX] {
        assert!(matches!(Action::from_code(other), Err(StoreError::Decode(_))), "{other}");
    }
}

#[test]
fn a_change_of_the_attributes_of_a_group_is_told_from_others() {
    on_both(|store| async move {
        let (group, member) = (numbered::<GroupId>(1), numbered::<ObjectId>(2));
        let written = store.write(move |tx| {
            append_attributes_alone(tx, DIRECTORY_FEED, group, second(1))?;
            append_change(tx, DIRECTORY_FEED, ObjectKind::Group, group.into(), None, second(1))?;
            append_change(tx, DIRECTORY_FEED, ObjectKind::Membership, group.into(), Some(member), second(1))?;
            append_change(tx, DIRECTORY_FEED, ObjectKind::User, member, None, second(1))
        });
        written.await.unwrap();
        let seen = read_from(&store, DIRECTORY_FEED, 0).await;
        let told: Vec<_> = seen.iter().map(|change| (change.object, change.is_of_attributes_alone())).collect();
        let expected = [ObjectKind::Group, ObjectKind::Group, ObjectKind::Membership, ObjectKind::User];
        assert_eq!(told, expected.into_iter().zip([true, false, false, false]).collect::<Vec<_>>());
    });
}

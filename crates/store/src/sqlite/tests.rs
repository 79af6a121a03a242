//! What only SQLite can do to the store: settings of each connection, locks of others, a full disk, the write-ahead log.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::log::{
    CHECKPOINT_BYTES, CHECKPOINT_EVERY, KEPT_BYTES, Log, RESTART_BYTES, RESTART_HELD_BYTES, RESTART_PAUSE,
    RESTART_WAIT, checkpoint, put_off,
};
use super::*;
use crate::settings::{probe, put_setting, setting};
use crate::sql::{Sql, params};
use crate::testing::{TestDatabase, numbered, sqlite_connection};
use crate::{Database, Store};

fn path_of(database: &TestDatabase) -> &Path {
    let Database::Sqlite(path) = database.database() else { unreachable!("asked for SQLite") };
    path
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

#[test]
fn limits() {
    assert_eq!((GROUP_MAX, STATEMENTS_MAX), (256, 256));
    assert_eq!((readers::READERS_MAX, readers::READER_CACHE_KIB), (8, 8 << 10));
    assert_eq!((readers::LOOK_UPS_CACHE_KIB, readers::LOOK_UP_CACHE_KIB_MIN), (64 << 10, 8 << 10));
    assert_eq!((CHECKPOINT_BYTES, RESTART_BYTES), (4 << 20, 48 << 20));
    for (bytes, pause, is_scanning, expected) in [
        (RESTART_BYTES, 0, false, 0),
        (RESTART_BYTES, 0, true, 1),
        (RESTART_BYTES, 7, true, 7),
        (RESTART_HELD_BYTES - 1, 0, true, 1),
        (RESTART_HELD_BYTES, 0, true, 0),
    ] {
        assert_eq!(put_off(bytes, pause, is_scanning), expected, "{bytes} {pause} {is_scanning}");
    }
    assert!(RESTART_WAIT * 10 < BUSY_TIMEOUT, "beginning anew is given up long before a writer gives up");
    assert_eq!((BACKUP_PAGES, RESTART_PAUSE, CHECKPOINT_EVERY), (512, 40, Duration::from_millis(50)));
}

static JOURNAL: Sql = Sql::both("JOURNAL", "SELECT journal_mode FROM pragma_journal_mode");
static SYNCHRONOUS: Sql = Sql::both("SYNCHRONOUS", "SELECT synchronous FROM pragma_synchronous");
static FOREIGN_KEYS: Sql = Sql::both("FOREIGN_KEYS", "SELECT foreign_keys FROM pragma_foreign_keys");

/// Journal mode, `synchronous` and `foreign_keys` of a connection.
type Pragmas = (Option<String>, Option<i64>, Option<i64>);

fn settings_of(tx: &mut ReadTx<'_>) -> Result<Pragmas, StoreError> {
    let journal = tx.first(&JOURNAL, &[], |row| row.text(0))?;
    let synchronous = tx.first(&SYNCHRONOUS, &[], |row| row.int(0))?;
    Ok((journal, synchronous, tx.first(&FOREIGN_KEYS, &[], |row| row.int(0))?))
}

#[test]
fn every_connection_is_durable_and_keeps_foreign_keys() {
    let database = TestDatabase::sqlite();
    let (store, runtime) = (database.open(), runtime());
    let intended = (Some("wal".to_owned()), Some(2), Some(1));
    assert_eq!(runtime.block_on(store.write(|tx| settings_of(tx))).unwrap(), intended, "the writer");
    assert_eq!(runtime.block_on(store.read(settings_of)).unwrap(), intended, "a reader");
    assert_eq!(runtime.block_on(store.scan(settings_of)).unwrap(), intended, "a reader beside");
    let other = connect(path_of(&database)).unwrap();
    assert_eq!(settings_of(&mut ReadTx::sqlite(&other)).unwrap(), intended, "checkpoints and backups");
}

static PLAN: Sql = Sql::both("PLAN", "EXPLAIN QUERY PLAN DELETE FROM assignments WHERE app = $1 AND principal = $2");

#[test]
fn the_writer_of_a_new_database_knows_the_planners_figures() {
    let database = TestDatabase::sqlite();
    let (store, runtime) = (database.open(), runtime());
    let plan = |store: &Store| {
        let plan = store.write(|tx| tx.all(&PLAN, params![uuid::Uuid::nil(), uuid::Uuid::nil()], |row| row.text(3)));
        runtime.block_on(plan).unwrap()
    };
    let first = plan(&store);
    drop(store);
    assert_eq!(first, plan(&database.open()));
}

type UseCase = Box<dyn FnOnce(&mut WriteTx<'_>) -> Result<(), StoreError> + Send>;

/// A use case that sets a name.
fn sets(name: &'static str) -> UseCase {
    Box::new(move |tx| put_setting(tx, name, "1"))
}

/// Hands use cases to a write loop of its own, all of them before it starts, so that they share one group.
fn one_group(database: &TestDatabase, connection: &Connection, use_cases: Vec<UseCase>) -> Vec<Result<(), StoreError>> {
    let (work, inbox) = channel::<Work>();
    let answers = Arc::new(Mutex::new(Vec::new()));
    for use_case in use_cases {
        let answers = Arc::clone(&answers);
        let one: Work = Box::new(move |begun| {
            let result = begun.and_then(|connection| in_savepoint(connection, use_case));
            Box::new(move |committed, _| answers.lock().unwrap().push(result.and(committed)))
        });
        work.send(one).unwrap();
    }
    drop(work);
    write_loop(connection, &Commits::open(path_of(database)).unwrap(), &inbox, &Figures::new(None));
    Arc::into_inner(answers).unwrap().into_inner().unwrap()
}

fn names_held(database: &TestDatabase) -> Vec<String> {
    let connection = sqlite_connection(database).unwrap();
    let mut statement = connection.prepare("SELECT name FROM settings ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_group_that_could_not_begin_writes_nothing() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let other_program = sqlite_connection(&database).unwrap();
    let writer = connect(path_of(&database)).unwrap();
    writer.busy_timeout(Duration::ZERO).unwrap();
    other_program.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The other one lets go while the group is under way: what runs outside of a transaction would then be kept.
    let lets_go: UseCase = Box::new(move |tx| {
        other_program.execute_batch("COMMIT").unwrap();
        put_setting(tx, "a", "1")
    });
    for result in one_group(&database, &writer, vec![lets_go, sets("b")]) {
        assert!(matches!(result, Err(StoreError::Busy)), "{result:?}");
    }
    assert_eq!(names_held(&database), [""; 0]);
}

/// How large a file is in which the migrations left no page free.
fn pages_in_use(writer: &Connection) -> i64 {
    writer.execute_batch("VACUUM").unwrap();
    writer.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_full_disk_fails_the_whole_group_and_keeps_nothing_of_it() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let writer = connect(path_of(&database)).unwrap();
    let pages = pages_in_use(&writer);
    writer.pragma_update(None, "max_page_count", pages + 3).unwrap();
    let oversized: UseCase = Box::new(|tx| put_setting(tx, "big", &"x".repeat(1 << 20)));
    for result in one_group(&database, &writer, vec![sets("a"), oversized, sets("c")]) {
        assert!(matches!(result, Err(StoreError::Full)), "{result:?}");
    }
    assert_eq!(names_held(&database), [""; 0]);
    for result in one_group(&database, &writer, vec![sets("d"), sets("e")]) {
        result.unwrap();
    }
    assert_eq!(names_held(&database), ["d", "e"]);
}

#[test]
fn a_probe_fails_on_a_full_disk_and_leaves_nothing_on_another() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let writer = connect(path_of(&database)).unwrap();
    let pages = pages_in_use(&writer);
    for (room, expected) in [(3, Err(StoreError::Full)), (1 << 20, Ok(()))] {
        writer.pragma_update(None, "max_page_count", pages + room).unwrap();
        let results = one_group(&database, &writer, vec![Box::new(probe)]);
        assert_eq!(results, [expected], "{room} pages are left");
        assert_eq!(names_held(&database), [""; 0]);
    }
}

#[test]
fn two_programs_write_to_one_file() {
    let database = TestDatabase::sqlite();
    let stores = [database.open(), database.open()];
    let runtime = runtime();
    let written = runtime.block_on(async {
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..400 {
            let (store, name) = (stores[number % 2].clone(), format!("s{number:03}"));
            writers.spawn(async move {
                store.write(move |tx| put_setting(tx, &name, "1")).await.unwrap();
            });
        }
        writers.join_all().await.len()
    });
    assert_eq!(written, names_held(&database).len());
}

/// Writes that many rows of 1.5 KB, some hundred in a transaction, from `first` on.
fn fill(store: &Store, runtime: &tokio::runtime::Runtime, first: usize, rows: usize) {
    for chunk in 0..rows.div_ceil(200) {
        let from = first + chunk * 200;
        let written = store.write(move |tx| {
            (from..from + 200).try_for_each(|number| put_setting(tx, &format!("row{number:06}"), &"x".repeat(1_500)))
        });
        runtime.block_on(written).unwrap_or_else(|error: StoreError| panic!("{error}"));
    }
}

/// Asks until it is so, for a minute at the most.
fn becomes(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn the_log_is_copied_into_the_database_off_the_write_path() {
    let database = TestDatabase::sqlite();
    let (store, runtime) = (database.open(), runtime());
    fill(&store, &runtime, 0, 10_000);
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let file = path_of(&database).to_owned();
    becomes("the rows never reached the database itself", || size(&file) > 15_000_000);
    let log = wal_bytes(&file);
    assert!(log < RESTART_BYTES + (16 << 20), "{log} bytes of log");
}

/// A log of that size, of which nothing is copied.
const fn uncopied(bytes: u64) -> Log {
    Log { bytes, copied: 0 }
}

#[test]
fn a_big_log_is_begun_anew_and_a_reader_that_needs_it_holds_no_writer_up() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let path = path_of(&database);
    let (writer, checkpoints) = (connect(path).unwrap(), connect(path).unwrap());
    checkpoints.busy_timeout(RESTART_WAIT).unwrap();
    let write = |value: &str| {
        in_savepoint(&writer, |tx| put_setting(tx, "a", value)).unwrap_or_else(|error: StoreError| panic!("{error}"));
    };
    let log = || Log::of(&checkpoints).unwrap();
    write("1");
    let reader = sqlite_connection(&database).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT COUNT(*) FROM settings", [], |_| Ok(())).unwrap();
    write("2");
    let two = log();
    assert_eq!(checkpoint(&checkpoints, uncopied(CHECKPOINT_BYTES - 1), 0), 0);
    assert_eq!(log(), two, "a small log is left alone");
    assert_eq!(checkpoint(&checkpoints, uncopied(CHECKPOINT_BYTES), 0), 0);
    assert!(log().copied > 0 && log().copied < log().bytes, "the reader needs the rest");
    assert_eq!(checkpoint(&checkpoints, uncopied(RESTART_BYTES), 0), RESTART_PAUSE);
    assert_eq!(checkpoint(&checkpoints, uncopied(RESTART_BYTES), RESTART_PAUSE), RESTART_PAUSE - 1, "a pause");
    write("3");
    let three = log();
    assert!(three.bytes > two.bytes);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(checkpoint(&checkpoints, uncopied(RESTART_BYTES), 0), 0);
    assert_eq!(log(), Log { copied: three.bytes, ..three }, "nothing is cut");
    write("4");
    assert!(log().bytes < three.bytes, "what is written next is written over it");
    assert_eq!(checkpoint(&checkpoints, Log { bytes: RESTART_BYTES, copied: RESTART_BYTES }, 0), 0, "nothing to do");
    assert_eq!(log().copied, 0);
}

#[test]
fn the_file_of_the_log_is_bounded() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let path = path_of(&database);
    let writer = connect(path).unwrap();
    let (file, log) = (|| wal_bytes(path), || Log::of(&writer).unwrap());
    let write = |bytes: u64| {
        let value = "x".repeat(usize::try_from(bytes).unwrap());
        writer.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('a', ?1)", [value]).unwrap();
    };
    write(1);
    // The log's own header.
    assert_eq!(log().bytes + 32, file());
    write(KEPT_BYTES + (1 << 20));
    assert_eq!(log().bytes + 32, file());
    assert!(file() > KEPT_BYTES);
    assert_eq!(checkpoint(&writer, log(), 0), 0);
    write(1);
    assert!(log().bytes < CHECKPOINT_BYTES);
    assert_eq!(file(), KEPT_BYTES, "no more is kept of the file");
}

fn wal_bytes(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(0, |file| file.len())
}

/// The locks that this process has on a file, as Linux tells them.
#[cfg(target_os = "linux")]
fn locks_on(path: &Path) -> Vec<String> {
    let file = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap());
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let is_ours = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.contains(&std::process::id().to_string().as_str())
            && words.iter().any(|word| word.rsplit(':').next() == Some(file.to_string().as_str()))
    };
    locks.lines().filter(is_ours).map(|line| line.split_once(' ').map_or("", |(_, rest)| rest).to_owned()).collect()
}

/// Who closes a file that SQLite has locked lets go of the locks of the whole process: the next program that opens the database takes
/// itself for the only one, and cuts the index of the log under everybody else.
#[cfg(target_os = "linux")]
#[test]
fn what_an_open_store_does_leaves_sqlites_locks_as_they_are() {
    let database = TestDatabase::sqlite();
    let (store, runtime) = (database.open(), runtime());
    fill(&store, &runtime, 0, 200);
    let mut index = path_of(&database).as_os_str().to_owned();
    index.push("-shm");
    let held = || locks_on(Path::new(&index)).into_iter().filter(|lock| lock.ends_with("128 128")).collect::<Vec<_>>();
    let before = held();
    assert_eq!(before.len(), 1, "the lock of who has the database open");
    let checkpoints = connect(path_of(&database)).unwrap();
    Log::of(&checkpoints).unwrap();
    checkpoint(&checkpoints, uncopied(RESTART_BYTES), 0);
    drop(checkpoints);
    drop(database.open());
    runtime.block_on(store.read(|tx| setting(tx, "row000001"))).unwrap();
    fill(&store, &runtime, 1_000_000, 2_000);
    // The thread that keeps the log small has looked at it, and copied it.
    becomes("the log was never copied", || Log::of(&connect(path_of(&database)).unwrap()).unwrap().copied > 0);
    assert_eq!(held(), before);
}

#[test]
fn a_copy_is_whole_while_others_go_on_writing() {
    let database = TestDatabase::sqlite();
    let (store, runtime) = (database.open(), runtime());
    // Many times the pages of one step, so that writers come in between.
    fill(&store, &runtime, 0, 6_000);
    let (goes_on, writes) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let others = {
        let (store, goes_on, writes) = (store.clone(), Arc::clone(&goes_on), Arc::clone(&writes));
        runtime.spawn(async move {
            while goes_on.load(Ordering::Relaxed) {
                let number = writes.fetch_add(1, Ordering::Relaxed).to_string();
                // Two rows that belong together: a copy holds both or neither.
                let both = move |tx: &mut WriteTx<'_>| {
                    put_setting(tx, &format!("left{number}"), "1")?;
                    put_setting(tx, &format!("right{number}"), "1")
                };
                store.write(both).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
            }
        })
    };
    becomes("the writer never started", || writes.load(Ordering::Relaxed) > 10);
    let copy = TestDatabase::sqlite();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (noted, between, at_step) = (Arc::clone(&seen), Arc::clone(&writes), AtomicU64::new(0));
    let copying = store.backup(path_of(&copy).to_owned(), move |done, total| {
        let steps = {
            let mut noted = noted.lock().unwrap();
            noted.push((done, total));
            noted.len()
        };
        assert!(steps < 100, "the copy starts anew with each write");
        // The next step waits for a write, so that each of them is disturbed.
        at_step.store(between.load(Ordering::Relaxed) + 2, Ordering::Relaxed);
        becomes("the writer was held up", || between.load(Ordering::Relaxed) > at_step.load(Ordering::Relaxed));
    });
    runtime.block_on(copying).unwrap();
    goes_on.store(false, Ordering::Relaxed);
    runtime.block_on(others).unwrap();

    let seen = seen.lock().unwrap();
    assert!(seen.len() > 4 && seen.is_sorted(), "{seen:?}");
    assert_eq!(seen.iter().map(|(_, total)| total).collect::<BTreeSet<_>>().len(), 1, "{seen:?}");
    assert!(seen.last().is_some_and(|(done, total)| done == total), "{seen:?}");
    let copied = copy.open();
    assert_eq!(runtime.block_on(copied.check()).unwrap(), [""; 0]);
    let held = names_held(&copy);
    let of = |side: &str| held.iter().filter(|name| name.starts_with(side)).count();
    assert_eq!((of("row"), of("left")), (6_000, of("right")));
    assert!(of("left") >= 10, "what was kept before the copy began is in it");
}

#[test]
fn damage_is_found() {
    let database = TestDatabase::sqlite();
    let (store, runtime) = (database.open(), runtime());
    fill(&store, &runtime, 0, 2_000);
    assert_eq!(runtime.block_on(store.check()).unwrap(), [""; 0]);
    drop(store);
    let mut bytes = std::fs::read(path_of(&database)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xA5);
    std::fs::write(path_of(&database), bytes).unwrap();
    let found = Store::open(database.database()).and_then(|store| runtime.block_on(store.check()));
    assert!(found.as_ref().is_err() || found.as_ref().is_ok_and(|problems| !problems.is_empty()), "{found:?}");
}

#[test]
fn a_stored_value_of_the_wrong_kind_is_told_apart() {
    let database = TestDatabase::sqlite();
    let (store, runtime) = (database.open(), runtime());
    let other = sqlite_connection(&database).unwrap();
    other.execute_batch("INSERT INTO settings (name, value) VALUES ('a', x'ff')").unwrap();
    let read = runtime.block_on(store.read(|tx| setting(tx, "a")));
    assert!(matches!(read, Err(StoreError::Decode(_))), "{read:?}");
    other.execute_batch("INSERT INTO links VALUES (x'00', 9, x'00', NULL, 1, 0, 0, 0, '', '', NULL, 0)").unwrap();
    let open = runtime.block_on(store.read(|tx| crate::links::open_links(tx, numbered(0), None, 9)));
    assert_eq!(open.unwrap(), []);
}

//! Durable inserts as fast as this machine takes them: the mark that the product is held against. One table, one unique
//! key, one document. On SQLite one thread commits many inserts at once; on PostgreSQL each of some threads commits one
//! insert after the other. No HTTP in here, and nothing of the product.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::Connection;

/// Inserts that share one commit at the most.
const GROUP_MAX: usize = 256;
/// How long a lock of the checkpoint is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// How often the write-ahead log is looked at.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(50);
/// Bytes of the write-ahead log from which it is copied into the database, and from which it is cut as well.
const CHECKPOINT_BYTES: [u64; 2] = [4 << 20, 48 << 20];
/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS: usize = 16;

const SCHEMA_SQLITE: &str = "CREATE TABLE users (id BLOB NOT NULL, user_name TEXT NOT NULL, doc TEXT NOT NULL);
    CREATE UNIQUE INDEX users_id ON users (id); CREATE UNIQUE INDEX users_name ON users (user_name);";
const SCHEMA_POSTGRES: &str = "CREATE TABLE users (id BYTEA PRIMARY KEY, user_name TEXT NOT NULL, doc TEXT NOT NULL);
    CREATE UNIQUE INDEX users_name ON users (user_name);";
const INSERT_SQLITE: &str = "INSERT INTO users (id, user_name, doc) VALUES (?1, ?2, ?3)";
const INSERT_POSTGRES: &str = "INSERT INTO users (id, user_name, doc) VALUES ($1, $2, $3)";

/// What became of an insert: it is durable, or why not.
pub type Outcome = Result<(), String>;

/// One document to insert.
pub struct Insert {
    /// Unique.
    pub id: [u8; 16],
    /// Unique.
    pub user_name: String,
    /// JSON.
    pub document: String,
    /// Called when the insert is durable, or has failed.
    pub done: Box<dyn FnOnce(Outcome) + Send>,
}

/// Takes inserts; clones go to as many callers as there are. The threads behind it end with the last clone.
#[derive(Clone, Debug)]
pub struct Writer(Sender<Insert>);

impl Writer {
    /// A new SQLite database at `path`, in WAL mode with `synchronous=FULL`, checkpointed off the write path.
    pub fn sqlite(path: &Path) -> anyhow::Result<Self> {
        let writer = connect(path)?;
        writer.execute_batch(SCHEMA_SQLITE).context("the database is not new")?;
        let checkpoints = connect(path)?;
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let (inserts, inbox) = channel();
        let alive = Arc::new(());
        let watched = Arc::downgrade(&alive);
        std::thread::spawn(move || {
            write_groups(&writer, &inbox);
            drop(alive);
        });
        std::thread::spawn(move || {
            while watched.strong_count() > 0 {
                std::thread::sleep(CHECKPOINT_EVERY);
                checkpoint(&checkpoints, Path::new(&wal));
            }
        });
        Ok(Self(inserts))
    }

    /// The empty PostgreSQL database at `url`.
    pub fn postgres(url: &str) -> anyhow::Result<Self> {
        let config: postgres::Config = url.parse()?;
        config.connect(postgres::NoTls)?.batch_execute(SCHEMA_POSTGRES).context("the database is not new")?;
        let (inserts, inbox) = channel();
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..POSTGRES_CONNECTIONS {
            let (client, inbox) = (config.connect(postgres::NoTls)?, Arc::clone(&inbox));
            std::thread::spawn(move || write_singly(client, &inbox));
        }
        Ok(Self(inserts))
    }

    /// Queues an insert.
    pub fn insert(&self, insert: Insert) {
        if let Err(refused) = self.0.send(insert) {
            (refused.0.done)(Err("the writer ended".to_owned()));
        }
    }
}

fn connect(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-8192;",
    )?;
    Ok(connection)
}

/// Takes what is queued, inserts it in one transaction, commits, and only then answers.
fn write_groups(connection: &Connection, inbox: &Receiver<Insert>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while let Ok(first) = inbox.recv() {
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| error.to_string());
        let mut next = Some(first);
        while let Some(insert) = next {
            let Insert { id, user_name, document, done } = insert;
            let inserted = connection
                .prepare_cached(INSERT_SQLITE)
                .and_then(|mut statement| statement.execute((id.as_slice(), user_name, document)));
            group.push((done, inserted.map(drop).map_err(|error| error.to_string())));
            next = if group.len() < GROUP_MAX { inbox.try_recv().ok() } else { None };
        }
        let committed = begun.and_then(|()| connection.execute_batch("COMMIT").map_err(|error| error.to_string()));
        for (done, inserted) in group.drain(..) {
            done(inserted.and_then(|()| committed.clone()));
        }
    }
}

fn checkpoint(connection: &Connection, wal: &Path) {
    let bytes = std::fs::metadata(wal).map_or(0, |file| file.len());
    let [copied, cut] = CHECKPOINT_BYTES;
    let sql = if bytes >= cut {
        "PRAGMA wal_checkpoint(TRUNCATE)"
    } else if bytes >= copied {
        "PRAGMA wal_checkpoint(PASSIVE)"
    } else {
        return;
    };
    // One that is put off comes again at the next look.
    drop(connection.query_row(sql, [], |_| Ok(())));
}

fn write_singly(mut client: postgres::Client, inbox: &Mutex<Receiver<Insert>>) {
    let statement = match client.prepare(INSERT_POSTGRES) {
        Ok(statement) => statement,
        Err(error) => {
            eprintln!("PostgreSQL does not take the insert: {error}");
            return;
        }
    };
    loop {
        let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Insert { id, user_name, document, done }) = next else { return };
        let inserted = client.execute(&statement, &[&id.as_slice(), &user_name, &document]);
        done(inserted.map(drop).map_err(|error| error.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::{GROUP_MAX, Insert, Writer};
    use crate::folder::Folder;

    #[test]
    fn commits_are_durable() {
        let folder = Folder::temporary().unwrap();
        let connection = super::connect(&folder.path().join("limit.db")).unwrap();
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
        // 2 is FULL: each commit is on the disk before it is answered.
        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    }

    #[test]
    fn what_is_answered_is_there_and_doubles_are_refused() {
        let folder = Folder::temporary().unwrap();
        let path = folder.path().join("limit.db");
        let writer = Writer::sqlite(&path).unwrap();
        let (answers, inbox) = channel();
        let rows = i64::try_from(GROUP_MAX * 2).unwrap();
        for number in (0..rows).chain([0]) {
            let answers = answers.clone();
            writer.insert(Insert {
                id: i128::from(number).to_be_bytes(),
                user_name: format!("u{number}"),
                document: "{}".to_owned(),
                done: Box::new(move |outcome| answers.send((number, outcome)).unwrap()),
            });
        }
        drop(answers);
        let refused: Vec<_> = inbox.iter().filter(|(_, outcome)| outcome.is_err()).collect();
        assert_eq!(refused, [(0, Err("UNIQUE constraint failed: users.user_name".to_owned()))]);
        let found: i64 = rusqlite::Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM users", [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, rows);
    }
}

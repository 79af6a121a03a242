//! A database for each test: SQLite in a temporary folder always, PostgreSQL too where `LOCKSTEP_TEST_POSTGRES` names a
//! server (as `cargo xtask test` arranges).

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Database, Store};

/// The variable that names the PostgreSQL server for tests.
pub const POSTGRES_VARIABLE: &str = "LOCKSTEP_TEST_POSTGRES";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A fresh database, removed when dropped.
pub struct TestDatabase {
    folder: Option<PathBuf>,
    schema: Option<(String, String)>,
    database: Database,
}

impl TestDatabase {
    /// A SQLite file in a folder of its own.
    pub fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!(
            "lockstep-test-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let database = Database::Sqlite(folder.join("lockstep.db"));
        Self { folder: Some(folder), schema: None, database }
    }

    /// A schema of its own on the server at `url`.
    pub fn postgres(url: &str) -> Self {
        let schema = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        on_server(url, format!("CREATE SCHEMA {schema}"));
        let joint = if url.contains('?') { '&' } else { '?' };
        let database = Database::Postgres(format!("{url}{joint}options=-csearch_path%3D{schema}"));
        Self { folder: None, schema: Some((url.to_owned(), schema)), database }
    }

    /// How to open it.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Lets it refuse every new setting, as a full disk would, and still be read.
    pub fn fill_up(&self) {
        fill_up(&self.database);
    }

    /// Ends [`Self::fill_up`].
    pub fn make_room(&self) {
        match &self.database {
            Database::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("the file opens");
                connection.execute_batch("DROP TRIGGER full").expect("the trigger is there");
            }
            Database::Postgres(url) => on_server(url, "DROP TRIGGER full_disk ON settings".to_owned()),
        }
    }

    /// Opens it.
    pub fn open(&self) -> Store {
        Store::open(&self.database).expect("a fresh database opens")
    }
}

/// Lets a database refuse every new setting, as a full disk would, and still be read.
pub fn fill_up(database: &Database) {
    match database {
        Database::Sqlite(path) => {
            let trigger =
                "CREATE TRIGGER full BEFORE INSERT ON settings BEGIN SELECT RAISE(ABORT, 'no space left'); END";
            let connection = rusqlite::Connection::open(path).expect("the file opens");
            connection.execute_batch(trigger).expect("the file takes a trigger");
        }
        Database::Postgres(url) => on_server(
            url,
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE EXCEPTION ''no space left'' USING ERRCODE = ''disk_full''; END';
             CREATE TRIGGER full_disk BEFORE INSERT ON settings EXECUTE FUNCTION fail()"
                .to_owned(),
        ),
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            drop(std::fs::remove_dir_all(folder));
        }
        if let Some((url, schema)) = &self.schema {
            on_server(url, format!("DROP SCHEMA {schema} CASCADE"));
        }
    }
}

fn on_server(url: &str, sql: String) {
    let url = url.to_owned();
    let done = std::thread::spawn(move || {
        postgres::Client::connect(&url, postgres::NoTls).and_then(|mut client| client.batch_execute(&sql))
    });
    done.join().expect("the thread does not panic").expect("the test server takes schema commands");
}

/// One fresh database of each kind there is.
pub fn databases() -> Vec<TestDatabase> {
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment where their server is")]
    let server = std::env::var(POSTGRES_VARIABLE).ok();
    std::iter::once(TestDatabase::sqlite()).chain(server.map(|url| TestDatabase::postgres(&url))).collect()
}

/// Tells a story on a fresh database of each kind there is.
pub fn on_both<F, Told>(story: F)
where
    F: Fn(Store) -> Told,
    Told: Future<Output = ()>,
{
    for database in databases() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime starts");
        runtime.block_on(story(database.open()));
    }
}

/// Counts resources that are not there, so that a tenant seems to hold as many as no test makes.
pub fn count_more(
    tx: &mut crate::WriteTx<'_>,
    tenant: crate::TenantKey,
    kind: crate::resources::ResourceKind,
    more: i64,
) -> Result<(), crate::StoreError> {
    crate::listing::add_to_count(tx, tenant, kind, more)
}

/// The key of a tenant that need not exist.
pub const fn tenant_key(number: i64) -> crate::TenantKey {
    crate::TenantKey(number)
}

/// The id with that number.
#[cfg(test)]
pub(crate) fn numbered<T: From<uuid::Uuid>>(number: u128) -> T {
    uuid::Uuid::from_u128(number).into()
}

/// The moment that many seconds after the epoch.
#[cfg(test)]
pub(crate) fn second(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).expect("tests stay within the calendar")
}

/// A connection to a test's PostgreSQL, beside the store's own.
#[cfg(test)]
pub(crate) fn postgres_client(database: &TestDatabase) -> Option<postgres::Client> {
    let Database::Postgres(url) = database.database() else { return None };
    Some(postgres::Client::connect(url, postgres::NoTls).expect("the test server answers"))
}

/// A plain connection to a test's SQLite file, beside the store's own.
#[cfg(test)]
pub(crate) fn sqlite_connection(database: &TestDatabase) -> Option<rusqlite::Connection> {
    let Database::Sqlite(path) = database.database() else { return None };
    Some(rusqlite::Connection::open(path).expect("the file opens"))
}

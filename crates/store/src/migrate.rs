//! Migrations: forward only, never edited, each in a transaction of its own. One folder a database, with the same names.

use postgres::Client;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// A step of the schema: its name, and its text for each database.
struct Migration {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations { ($($name:literal),+ $(,)?) => { &[$(Migration {
    name: $name,
    sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
    postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
}),+] } }

const MIGRATIONS: &[Migration] = migrations![
    "0001_initial",
    "0002_custom_schemas",
    "0003_resource_counts",
    "0004_emptied_groups",
    "0005_credentials",
    "0006_occurrences",
    "0007_webhooks",
    "0008_deletions",
    "0009_schema_tokens",
    "0010_key_rows",
    "0011_schema_clients",
    "0012_key_paths",
    "0013_mapping_versions",
    "0014_reconsiderations",
    "0015_left_active",
];

/// The schema version that this program writes.
pub const SCHEMA_VERSION: i64 = 15;

const CREATE_VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, name TEXT NOT NULL)";
const LATEST: &str = "SELECT COALESCE(MAX(version), 0) FROM schema_versions";
/// Serialises migrations of several machines on one PostgreSQL.
const POSTGRES_LOCK: &str = "LOCK TABLE schema_versions IN ACCESS EXCLUSIVE MODE";

fn pending(found: i64) -> Result<impl Iterator<Item = (i64, &'static Migration)>, StoreError> {
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer { found, known: SCHEMA_VERSION });
    }
    Ok((1..).zip(MIGRATIONS).filter(move |(version, _)| *version > found))
}

pub(crate) fn sqlite(connection: &mut Connection) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(CREATE_VERSIONS)?;
    let found = tx.query_row(LATEST, [], |row| row.get(0))?;
    for (version, migration) in pending(found)? {
        tx.execute_batch(migration.sqlite)?;
        tx.execute("INSERT INTO schema_versions (version, name) VALUES (?1, ?2)", (version, migration.name))?;
    }
    Ok(tx.commit()?)
}

pub(crate) fn postgres(client: &mut Client) -> Result<(), StoreError> {
    // Asked first, because CREATE TABLE IF NOT EXISTS can still collide with another's at the same moment.
    if client.query_one("SELECT to_regclass('schema_versions') IS NULL", &[])?.get(0) {
        drop(client.batch_execute(CREATE_VERSIONS));
    }
    let mut tx = client.transaction()?;
    tx.batch_execute(POSTGRES_LOCK)?;
    let found: i64 = tx.query_one(LATEST, &[])?.get(0);
    for (version, migration) in pending(found)? {
        tx.batch_execute(migration.postgres)?;
        tx.execute("INSERT INTO schema_versions (version, name) VALUES ($1, $2)", &[&version, &migration.name])?;
    }
    Ok(tx.commit()?)
}

#[cfg(test)]
mod tests;

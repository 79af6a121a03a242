//! Facts about this installation, and questions about the database itself.

use crate::error::StoreError;
use crate::sql::{params, statements};
use crate::{ReadTx, WriteTx};

statements! {
    SETTING = "SELECT value FROM settings WHERE name = $1";
    PUT_SETTING = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    REMOVE = "DELETE FROM settings WHERE name = $1";
    VERSION = "SELECT 'SQLite ' || sqlite_version()", "SELECT 'PostgreSQL ' || current_setting('server_version')";
    INTEGRITY = "SELECT integrity_check FROM pragma_integrity_check LIMIT 20", "SELECT 'ok'";
}

/// The value of a setting.
pub fn setting(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    tx.first(&SETTING, params![name], |row| row.text(0))
}

/// Sets a setting.
pub fn put_setting(tx: &mut WriteTx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.run(&PUT_SETTING, params![name, value]).map(drop)
}

/// Size of what [`probe`] writes, in bytes: a database with less room than this is full.
const PROBE_BYTES: usize = 16 << 10;

/// Writes something and takes it away again, so that its commit tells whether the database takes writes.
pub fn probe(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    put_setting(tx, "probe", &"x".repeat(PROBE_BYTES))?;
    tx.run(&REMOVE, params!["probe"]).map(drop)
}

pub(crate) fn database_version(tx: &mut ReadTx<'_>) -> Result<String, StoreError> {
    Ok(tx.first(&VERSION, &[], |row| row.text(0))?.unwrap_or_default())
}

pub(crate) fn integrity_problems(tx: &mut ReadTx<'_>) -> Result<Vec<String>, StoreError> {
    let lines = tx.all(&INTEGRITY, &[], |row| row.text(0))?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

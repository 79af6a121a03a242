//! The provisioning log: one record for each object and action of a cycle.

use jiff::Timestamp;

use crate::changes::ObjectKind;
use crate::error::StoreError;
use crate::id::{AppId, CycleId, LogId, ObjectId};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A record of the provisioning log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Entra's `changeId`; later ones sort later.
    pub id: LogId,
    /// When it happened.
    pub at: Timestamp,
    /// In which cycle.
    pub cycle: CycleId,
    /// `create`, `update`, `disable`, `delete`, `other`.
    pub action: String,
    /// `success`, `failure`, `skipped`, `warning`.
    pub status: String,
    /// User or group.
    pub kind: ObjectKind,
    /// The directory's object.
    pub source_id: ObjectId,
    /// Its name at that time.
    pub label: String,
    /// Steps, modified properties and error as JSON text.
    pub doc: String,
}

macro_rules! columns {
    () => {
        "id, at, cycle, action, status, kind, source_id, label, doc"
    };
}

statements! {
    INSERT = "INSERT INTO provisioning_logs (app, id, at, cycle, action, status, kind, source_id, label, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    LATEST = concat!("SELECT ", columns!(), " FROM provisioning_logs WHERE app = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    OF_SOURCE = concat!("SELECT ", columns!(), " FROM provisioning_logs WHERE app = $1 AND source_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4");
    NAMES = "SELECT id, source_id, label FROM provisioning_logs WHERE app = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    FIRST = concat!("SELECT ", columns!(), " FROM provisioning_logs WHERE app = $1 AND source_id = $2 AND id >= $3 AND cycle = $4 ORDER BY id LIMIT 1");
    TRIM = "DELETE FROM provisioning_logs WHERE app = $1 AND id IN (SELECT id FROM provisioning_logs WHERE app = $1 AND id < $2 ORDER BY id LIMIT 1000)";
}

fn record(row: &Row<'_>) -> Result<LogRecord, StoreError> {
    Ok(LogRecord {
        id: row.id(0)?,
        at: row.time(1)?,
        cycle: row.id(2)?,
        action: row.text(3)?,
        status: row.text(4)?,
        kind: ObjectKind::from_code(row.int(5)?)?,
        source_id: row.id(6)?,
        label: row.text(7)?,
        doc: row.text(8)?,
    })
}

/// Adds a record.
pub fn insert_log(tx: &mut WriteTx<'_>, app: AppId, log: &LogRecord) -> Result<(), StoreError> {
    let values = params![
        app,
        log.id,
        log.at,
        log.cycle,
        &log.action,
        &log.status,
        log.kind.code(),
        log.source_id,
        &log.label,
        &log.doc
    ];
    tx.run(&INSERT, values).map(drop)
}

/// Records of an application older than `before` (or the newest), newest first, `limit` at the most.
pub fn logs_before(
    tx: &mut ReadTx<'_>,
    app: AppId,
    before: Option<LogId>,
    limit: u32,
) -> Result<Vec<LogRecord>, StoreError> {
    let before = before.unwrap_or(LogId::new(uuid::Uuid::max()));
    tx.all(&LATEST, params![app, before, i64::from(limit)], record)
}

/// Records of one source object in an application, older than `before` (or the newest), newest first, `limit` at the most.
pub fn logs_of_source(
    tx: &mut ReadTx<'_>,
    app: AppId,
    source: ObjectId,
    before: Option<LogId>,
    limit: u32,
) -> Result<Vec<LogRecord>, StoreError> {
    let before = before.unwrap_or(LogId::new(uuid::Uuid::max()));
    tx.all(&OF_SOURCE, params![app, source, before, i64::from(limit)], record)
}

/// Which object a record tells of, and by which name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedName {
    /// The record.
    pub id: LogId,
    /// The directory's object.
    pub source_id: ObjectId,
    /// Its name at that time.
    pub label: String,
}

/// The same records as [`logs_before`], without what they tell.
pub fn logged_names(
    tx: &mut ReadTx<'_>,
    app: AppId,
    before: Option<LogId>,
    limit: u32,
) -> Result<Vec<LoggedName>, StoreError> {
    let before = before.unwrap_or(LogId::new(uuid::Uuid::max()));
    tx.all(&NAMES, params![app, before, i64::from(limit)], |row| {
        Ok(LoggedName { id: row.id(0)?, source_id: row.id(1)?, label: row.text(2)? })
    })
}

/// The first record of a source object in a cycle that began at `began`.
pub fn first_log(
    tx: &mut ReadTx<'_>,
    app: AppId,
    source: ObjectId,
    cycle: CycleId,
    began: Timestamp,
) -> Result<Option<LogRecord>, StoreError> {
    tx.first(&FIRST, params![app, source, earliest_id(began), cycle], record)
}

/// The first id of a moment: ids begin with the time at which they were made (RFC 9562), so the index by id serves.
fn earliest_id(at: Timestamp) -> LogId {
    LogId::new(crate::version_7(at, [0; 10]))
}

/// Removes records older than a moment; gives how many.
pub fn trim_logs(tx: &mut WriteTx<'_>, app: AppId, before: Timestamp) -> Result<u64, StoreError> {
    tx.run(&TRIM, params![app, earliest_id(before)])
}

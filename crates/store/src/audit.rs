//! The audit log: who changed which configuration.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::LogId;
use crate::sql::{params, statements};
use crate::{ReadTx, WriteTx};

/// A record of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its id; later ones sort later.
    pub id: LogId,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What was done, in Entra's words.
    pub activity: String,
    /// To what.
    pub target: String,
    /// Further facts as JSON text, never secrets.
    pub detail: String,
}

statements! {
    INSERT = "INSERT INTO audit (id, at, actor, activity, target, detail) VALUES ($1, $2, $3, $4, $5, $6)";
    LATEST = "SELECT id, at, actor, activity, target, detail FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2";
}

/// Adds a record, in the transaction of the change it tells of.
pub fn insert_audit(tx: &mut WriteTx<'_>, record: &AuditRecord) -> Result<(), StoreError> {
    tx.run(&INSERT, params![record.id, record.at, &record.actor, &record.activity, &record.target, &record.detail])
        .map(drop)
}

/// Records older than `before` (or the newest), newest first, `limit` at the most.
pub fn audit_before(tx: &mut ReadTx<'_>, before: Option<LogId>, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
    let before = before.unwrap_or(LogId::new(uuid::Uuid::max()));
    tx.all(&LATEST, params![before, i64::from(limit)], |row| {
        Ok(AuditRecord {
            id: row.id(0)?,
            at: row.time(1)?,
            actor: row.text(2)?,
            activity: row.text(3)?,
            target: row.text(4)?,
            detail: row.text(5)?,
        })
    })
}

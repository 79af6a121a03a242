//! Provisioning jobs: settings, the watermark, and the lease under which one cycle at a time runs.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{AppId, CycleId};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx, reconsiderations};

/// A provisioning job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// The application it provisions.
    pub app: AppId,
    /// `on` or `off`.
    pub status: String,
    /// Why and since when its target cannot be worked with, while that is so.
    pub quarantine: Option<QuarantineRecord>,
    /// Settings as JSON text, without secrets.
    pub settings: String,
    /// The secret token, encrypted.
    pub secret: Vec<u8>,
    /// The directory change up to which everything was done; none before the initial cycle is complete.
    pub watermark: Option<i64>,
    /// The newest directory change when the initial cycle began, while it is not complete.
    pub initial_from: Option<i64>,
    /// How far the initial cycle has come.
    pub initial_cursor: Option<String>,
    /// When the next cycle is due.
    pub next_run: Timestamp,
    /// The fencing number of the latest lease.
    pub fence: i64,
    /// Until when a lease is held, if one is.
    pub lease_until: Option<Timestamp>,
    /// One more with each change of the settings.
    pub version: i64,
}

/// Why and since when a job is in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRecord {
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// Proof that a lease is held: every commit of a cycle names its fencing number, and fails when another took over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    app: AppId,
    fence: i64,
    version: i64,
}

impl Lease {
    /// The application whose job is leased.
    pub const fn app(self) -> AppId {
        self.app
    }

    /// The fencing number: higher for each later holder.
    pub const fn fence(self) -> i64 {
        self.fence
    }

    /// The version of the settings when it was taken.
    pub const fn version(self) -> i64 {
        self.version
    }
}

/// A cycle of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleRecord {
    /// Its id.
    pub id: CycleId,
    /// `initial` or `incremental`.
    pub kind: String,
    /// `running`, `succeeded`, `entryLevelErrors`, `failed` or `interrupted`.
    pub state: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
    /// Counts as JSON text.
    pub counts: String,
}

statements! {
    INSERT = "INSERT INTO jobs (app, status, settings, secret, next_run, fence, version) VALUES ($1, $2, $3, $4, $5, 0, 1)";
    BY_APP = "SELECT app, status, settings, secret, watermark, initial_from, initial_cursor, next_run, fence, lease_until, version, quarantine_reason, quarantine_since FROM jobs WHERE app = $1";
    DUE = "SELECT app FROM jobs WHERE status = 'on' AND next_run <= $1 AND (lease_until IS NULL OR lease_until < $1) ORDER BY next_run LIMIT $2";
    UPDATE_SETTINGS = "UPDATE jobs SET settings = $2, secret = $3, version = version + 1 WHERE app = $1 AND version = $4";
    NOTE_SETTINGS = "UPDATE jobs SET settings = $2 WHERE app = $1 AND version = $3";
    SET_QUARANTINE = "UPDATE jobs SET quarantine_reason = $2, quarantine_since = $3 WHERE app = $1 AND version = $4";
    SET_STATUS = "UPDATE jobs SET status = $2 WHERE app = $1";
    SET_NEXT_RUN = "UPDATE jobs SET next_run = $2 WHERE app = $1";
    RESTART = "UPDATE jobs SET watermark = NULL, initial_from = NULL, initial_cursor = NULL, next_run = $2, version = version + 1 WHERE app = $1";
    TAKE_LEASE = "UPDATE jobs SET fence = fence + 1, lease_owner = $2, lease_until = $4 WHERE app = $1 AND (lease_until IS NULL OR lease_until < $3 OR lease_owner = $2) RETURNING fence, version";
    RENEW = "UPDATE jobs SET lease_until = $3 WHERE app = $1 AND fence = $2 AND lease_until IS NOT NULL";
    HOLDS = "SELECT 1 FROM jobs WHERE app = $1 AND fence = $2 AND lease_until IS NOT NULL",
            "SELECT 1 FROM jobs WHERE app = $1 AND fence = $2 AND lease_until IS NOT NULL FOR SHARE";
    IS_HELD = "SELECT 1 FROM jobs WHERE app = $1 AND fence = $2 AND lease_until IS NOT NULL";
    REVOKE = "UPDATE jobs SET fence = fence + 1, lease_owner = NULL, lease_until = NULL WHERE app = $1";
    RELEASE = "UPDATE jobs SET lease_owner = NULL, lease_until = NULL, next_run = CASE WHEN version = $4 THEN $3 ELSE next_run END WHERE app = $1 AND fence = $2";
    SET_WATERMARK = "UPDATE jobs SET watermark = $3, initial_from = NULL, initial_cursor = NULL WHERE app = $1 AND fence = $2 AND version = $4";
    SET_INITIAL = "UPDATE jobs SET initial_from = $3, initial_cursor = $4 WHERE app = $1 AND fence = $2 AND version = $5";
    INSERT_CYCLE = "INSERT INTO cycles (app, id, kind, state, started, counts) VALUES ($1, $2, $3, 'running', $4, '{}')";
    END_CYCLE = "UPDATE cycles SET state = $3, ended = $4, counts = $5 WHERE app = $1 AND id = $2 AND state = 'running'";
    INTERRUPT_CYCLES = "UPDATE cycles SET state = 'interrupted', ended = $2 WHERE app = $1 AND state = 'running'";
    DELETE_LINKS = "DELETE FROM links WHERE app = $1";
    DELETE_ESCROWS = "DELETE FROM escrows WHERE app = $1";
    DELETE_NOTES = "DELETE FROM pending_references WHERE app = $1";
    DELETE_MEMBER_LINKS = "DELETE FROM member_links WHERE app = $1";
    DELETE_CYCLES = "DELETE FROM cycles WHERE app = $1";
    DELETE_LOGS = "DELETE FROM provisioning_logs WHERE app = $1";
    TRIM_CYCLES = "DELETE FROM cycles WHERE app = $1 AND id NOT IN (SELECT id FROM cycles WHERE app = $1 ORDER BY id DESC LIMIT 100)";
    CYCLES = "SELECT id, kind, state, started, ended, counts FROM cycles WHERE app = $1 ORDER BY id DESC LIMIT $2";
}

fn job(row: &Row<'_>) -> Result<JobRecord, StoreError> {
    Ok(JobRecord {
        app: row.id(0)?,
        status: row.text(1)?,
        settings: row.text(2)?,
        secret: row.bytes(3)?,
        watermark: row.opt_int(4)?,
        initial_from: row.opt_int(5)?,
        initial_cursor: row.opt_text(6)?,
        next_run: row.time(7)?,
        fence: row.int(8)?,
        lease_until: row.opt_time(9)?,
        version: row.int(10)?,
        quarantine: match (row.opt_text(11)?, row.opt_time(12)?) {
            (Some(reason), Some(since)) => Some(QuarantineRecord { reason, since }),
            _ => None,
        },
    })
}

/// Adds the job of an application.
pub fn insert_job(
    tx: &mut WriteTx<'_>,
    app: AppId,
    status: &str,
    settings: &str,
    secret: &[u8],
    next_run: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&INSERT, params![app, status, settings, secret, next_run]).map(drop)
}

/// The job of an application.
pub fn job_by_app(tx: &mut ReadTx<'_>, app: AppId) -> Result<Option<JobRecord>, StoreError> {
    tx.first(&BY_APP, params![app], job)
}

/// Jobs that are on, due and not leased, the longest overdue first.
pub fn due_jobs(tx: &mut ReadTx<'_>, now: Timestamp, limit: u32) -> Result<Vec<AppId>, StoreError> {
    tx.all(&DUE, params![now, i64::from(limit)], |row| row.id(0))
}

/// Replaces settings and secret, unless somebody has changed them since they were read at `version`; says whether they were
/// replaced.
pub fn update_job(
    tx: &mut WriteTx<'_>,
    app: AppId,
    settings: &str,
    secret: &[u8],
    version: i64,
) -> Result<bool, StoreError> {
    Ok(tx.run(&UPDATE_SETTINGS, params![app, settings, secret, version])? > 0)
}

/// Writes down what the service itself found out about a job, unless an administrator has changed the settings since
/// they were read at `version`; says whether it was written.
pub fn note_settings(tx: &mut WriteTx<'_>, app: AppId, settings: &str, version: i64) -> Result<bool, StoreError> {
    Ok(tx.run(&NOTE_SETTINGS, params![app, settings, version])? > 0)
}

/// Puts a job in quarantine or takes it out, unless an administrator has changed the settings since they were read at
/// `version`.
pub fn set_quarantine(
    tx: &mut WriteTx<'_>,
    app: AppId,
    quarantine: Option<&QuarantineRecord>,
    version: i64,
) -> Result<(), StoreError> {
    let (reason, since) = (quarantine.map(|one| one.reason.as_str()), quarantine.map(|one| one.since));
    tx.run(&SET_QUARANTINE, params![app, reason, since, version]).map(drop)
}

/// Sets the status.
pub fn set_status(tx: &mut WriteTx<'_>, app: AppId, status: &str) -> Result<(), StoreError> {
    tx.run(&SET_STATUS, params![app, status]).map(drop)
}

/// Sets when the next cycle is due.
pub fn set_next_run(tx: &mut WriteTx<'_>, app: AppId, at: Timestamp) -> Result<(), StoreError> {
    tx.run(&SET_NEXT_RUN, params![app, at]).map(drop)
}

/// Clears the watermark: the next cycle, due now, is an initial one. Links stay. A cycle that is running finishes, and
/// cannot set a watermark over this.
pub fn restart(tx: &mut WriteTx<'_>, app: AppId, now: Timestamp) -> Result<(), StoreError> {
    tx.run(&RESTART, params![app, now]).map(drop)
}

/// Takes the lease of a job until a moment, unless another owner holds it. The same owner may take it again: it knows by
/// other means that its earlier holder is gone. Cycles of earlier holders that did not come to an end were interrupted.
pub fn take_lease(
    tx: &mut WriteTx<'_>,
    app: AppId,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Lease>, StoreError> {
    let taken = tx.first(&TAKE_LEASE, params![app, owner, now, until], |row| Ok((row.int(0)?, row.int(1)?)))?;
    let Some((fence, version)) = taken else { return Ok(None) };
    tx.run(&INTERRUPT_CYCLES, params![app, now])?;
    Ok(Some(Lease { app, fence, version }))
}

/// Holds the lease longer; says whether it was still held.
pub fn renew(tx: &mut WriteTx<'_>, lease: Lease, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.run(&RENEW, params![lease.app, lease.fence, until])? > 0)
}

/// Whether the lease is still held. Asked in every transaction of a cycle that records something; on PostgreSQL
/// nobody can take the lease over before that transaction ends.
pub fn holds(tx: &mut WriteTx<'_>, lease: Lease) -> Result<bool, StoreError> {
    Ok(tx.first(&HOLDS, params![lease.app, lease.fence], |_| Ok(()))?.is_some())
}

/// Whether the lease was held when what the same transaction reads was so: ids at the target that are read under another
/// lease may be those of another target.
pub fn is_held(tx: &mut ReadTx<'_>, lease: Lease) -> Result<bool, StoreError> {
    Ok(tx.first(&IS_HELD, params![lease.app, lease.fence], |_| Ok(()))?.is_some())
}

/// Gives the lease back and says when the next cycle is due.
pub fn release(tx: &mut WriteTx<'_>, lease: Lease, next_run: Timestamp) -> Result<(), StoreError> {
    tx.run(&RELEASE, params![lease.app, lease.fence, next_run, lease.version]).map(drop)
}

/// Moves the watermark, which also ends an initial cycle. Belongs in the transaction that completes the last item before it.
pub fn set_watermark(tx: &mut WriteTx<'_>, lease: Lease, watermark: i64) -> Result<(), StoreError> {
    tx.run(&SET_WATERMARK, params![lease.app, lease.fence, watermark, lease.version]).map(drop)
}

/// Keeps how far an initial cycle has come, and at which directory change it began.
pub fn set_initial(tx: &mut WriteTx<'_>, lease: Lease, from: i64, cursor: &str) -> Result<(), StoreError> {
    tx.run(&SET_INITIAL, params![lease.app, lease.fence, from, cursor, lease.version]).map(drop)
}

/// Records that a cycle began.
pub fn insert_cycle(
    tx: &mut WriteTx<'_>,
    app: AppId,
    id: CycleId,
    kind: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&INSERT_CYCLE, params![app, id, kind, now]).map(drop)
}

/// Records how a cycle ended, unless it is known to have been interrupted.
pub fn end_cycle(
    tx: &mut WriteTx<'_>,
    app: AppId,
    id: CycleId,
    state: &str,
    counts: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&END_CYCLE, params![app, id, state, now, counts]).map(drop)
}

/// Forgets what is known of the objects at the target: links, failures, references. They are matched anew. A cycle that is
/// running loses its lease, so that nothing it learns of that target later is kept.
pub fn forget_target(tx: &mut WriteTx<'_>, app: AppId) -> Result<(), StoreError> {
    tx.run(&REVOKE, params![app])?;
    for sql in [&DELETE_LINKS, &DELETE_ESCROWS, &DELETE_NOTES, &DELETE_MEMBER_LINKS] {
        tx.run(sql, params![app])?;
    }
    reconsiderations::forget(tx, app)
}

/// Removes everything that the job of an application has left: cycles, log and versions of its mappings included.
pub fn delete_traces(tx: &mut WriteTx<'_>, app: AppId) -> Result<(), StoreError> {
    forget_target(tx, app)?;
    crate::mapping_versions::delete_versions(tx, app)?;
    tx.run(&DELETE_CYCLES, params![app])?;
    tx.run(&DELETE_LOGS, params![app]).map(drop)
}

/// Keeps the latest hundred cycles of a job.
pub fn trim_cycles(tx: &mut WriteTx<'_>, app: AppId) -> Result<(), StoreError> {
    tx.run(&TRIM_CYCLES, params![app]).map(drop)
}

/// The latest cycles of a job, newest first.
pub fn cycles(tx: &mut ReadTx<'_>, app: AppId, limit: u32) -> Result<Vec<CycleRecord>, StoreError> {
    tx.all(&CYCLES, params![app, i64::from(limit)], |row| {
        Ok(CycleRecord {
            id: row.id(0)?,
            kind: row.text(1)?,
            state: row.text(2)?,
            started: row.time(3)?,
            ended: row.opt_time(4)?,
            counts: row.text(5)?,
        })
    })
}

#[cfg(test)]
mod tests;

//! Links between source objects and target objects, with the durable intents of the writes that made them, and the
//! failures that wait for another attempt (escrow).

use jiff::Timestamp;

use crate::changes::ObjectKind;
use crate::error::StoreError;
use crate::id::{AppId, ObjectId, above};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// A create was or will be sent; whether the target has the object is unknown until it is looked up.
    Creating,
    /// Both ends are known and managed.
    Linked,
    /// An update was sent and its outcome is unknown; the target is read before anything else is sent.
    Verify,
    /// A delete was or will be sent and is not known to be done.
    Deleting,
    /// The source object left the scope and was disabled: nothing more is sent until it comes back.
    Released,
    /// Filters say that the source object is none of the job's business any more: its account stays as it was, and nothing is sent until
    /// they say otherwise.
    LeftAlone,
    /// The source object left the scope, and nothing could switch its account off: it stays as it was, and nobody's until the object
    /// comes back or something switches it off. Whether it is active is not known.
    LeftActive,
}

impl LinkState {
    const fn code(self) -> i64 {
        match self {
            Self::Creating => 1,
            Self::Linked => 2,
            Self::Verify => 3,
            Self::Deleting => 4,
            Self::Released => 5,
            Self::LeftAlone => 6,
            Self::LeftActive => 7,
        }
    }

    fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            1 => Ok(Self::Creating),
            2 => Ok(Self::Linked),
            3 => Ok(Self::Verify),
            4 => Ok(Self::Deleting),
            5 => Ok(Self::Released),
            6 => Ok(Self::LeftAlone),
            7 => Ok(Self::LeftActive),
            other => Err(StoreError::Decode(format!("no link state has the number {other}"))),
        }
    }

    /// Whether a write towards the target may be under way.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Creating | Self::Verify | Self::Deleting)
    }
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRecord {
    /// User or group.
    pub kind: ObjectKind,
    /// The directory's object.
    pub source_id: ObjectId,
    /// The target's `id` (anchor), once known.
    pub target_id: Option<String>,
    /// Where it stands.
    pub state: LinkState,
    /// How often a write of this state was sent.
    pub attempt: i64,
    /// When the state was entered, or the last write was sent.
    pub at: Timestamp,
    /// The fencing number of the lease under which it was written.
    pub fence: i64,
    /// The look-up by which an object of unknown fate is found again.
    pub match_key: String,
    /// The source object's name, for people, also after the source object is gone.
    pub label: String,
    /// A fingerprint of what was last exported.
    pub exported: Option<i64>,
    /// Whether the source object is out of scope and nothing switches the account off or removes it, as of the last look. A linked one is
    /// managed all the same: its object is disabled or in the recycle bin.
    pub kept: bool,
}

/// A failure of one object that is kept for another attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowRecord {
    /// User or group.
    pub kind: ObjectKind,
    /// The directory's object.
    pub source_id: ObjectId,
    /// Entra's error code.
    pub code: String,
    /// What happened, for people.
    pub reason: String,
    /// When it failed first.
    pub first_failed: Timestamp,
    /// How often it has been tried.
    pub attempts: i64,
    /// Not tried again before this, unless the object changes.
    pub next_attempt: Timestamp,
}

macro_rules! columns {
    () => {
        "kind, source_id, target_id, state, attempt, at, fence, match_key, label, exported, kept"
    };
}
macro_rules! escrow_columns {
    () => {
        "kind, source_id, code, reason, first_failed, attempts, next_attempt"
    };
}

statements! {
    LINK = concat!("SELECT ", columns!(), " FROM links WHERE app = $1 AND kind = $2 AND source_id = $3");
    LINK_BY_TARGET = concat!("SELECT ", columns!(), " FROM links WHERE app = $1 AND kind = $2 AND target_id = $3");
    OPEN = concat!("SELECT ", columns!(), " FROM links WHERE app = $1 AND state IN (1, 3, 4) AND (kind, source_id) > ($2, $3) ORDER BY kind, source_id LIMIT $4");
    BETWEEN = concat!("SELECT ", columns!(), " FROM links WHERE app = $1 AND kind = $2 AND source_id >= $3 AND source_id <= $4 ORDER BY source_id LIMIT $5");
    ESCROWS_BETWEEN = concat!("SELECT ", escrow_columns!(), " FROM escrows WHERE app = $1 AND kind = $2 AND source_id >= $3 AND source_id <= $4 ORDER BY source_id LIMIT $5");
    USER_ORPHANS = concat!("SELECT ", columns!(), " FROM links l LEFT JOIN directory_users u ON u.id = l.source_id WHERE l.app = $1 AND l.kind = 1 AND u.id IS NULL AND l.source_id >= $2 ORDER BY l.source_id LIMIT $3");
    GROUP_ORPHANS = concat!("SELECT ", columns!(), " FROM links l LEFT JOIN directory_groups g ON g.id = l.source_id WHERE l.app = $1 AND l.kind = 2 AND g.id IS NULL AND l.source_id >= $2 ORDER BY l.source_id LIMIT $3");
    PUT = concat!("INSERT INTO links (app, ", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
           ON CONFLICT (app, kind, source_id) DO UPDATE SET target_id = excluded.target_id, state = excluded.state, attempt = excluded.attempt, at = excluded.at,
           fence = excluded.fence, match_key = excluded.match_key, label = excluded.label, exported = excluded.exported, kept = excluded.kept");
    PUT_AT_TARGET = "UPDATE links SET state = $5, attempt = $6, at = $7, fence = $8, match_key = $9, label = $10, exported = $11, kept = $12
                     WHERE app = $1 AND kind = $2 AND source_id = $3 AND target_id = $4";
    DELETE = "DELETE FROM links WHERE app = $1 AND kind = $2 AND source_id = $3";
    DELETE_AS_SEEN = "DELETE FROM links WHERE app = $1 AND kind = $2 AND source_id = $3 AND target_id = $4 AND state = $5 AND at = $6 AND fence = $7";
    COUNT = "SELECT state, COUNT(*) FROM links WHERE app = $1 AND kind = $2 GROUP BY state";
    COUNT_KEPT = "SELECT COUNT(*) FROM links WHERE app = $1 AND kind = $2 AND kept = 1";
    PUT_ESCROW = concat!("INSERT INTO escrows (app, ", escrow_columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                  ON CONFLICT (app, kind, source_id) DO UPDATE SET code = excluded.code, reason = excluded.reason, attempts = excluded.attempts, next_attempt = excluded.next_attempt");
    ESCROW = concat!("SELECT ", escrow_columns!(), " FROM escrows WHERE app = $1 AND kind = $2 AND source_id = $3");
    DUE_ESCROWS = concat!("SELECT ", escrow_columns!(), " FROM escrows WHERE app = $1 AND next_attempt <= $2 AND (next_attempt, kind, source_id) > ($3, $4, $5) ORDER BY next_attempt, kind, source_id LIMIT $6");
    ESCROWS = concat!("SELECT ", escrow_columns!(), " FROM escrows WHERE app = $1 ORDER BY kind, source_id LIMIT $2");
    CLEAR_ESCROW = "DELETE FROM escrows WHERE app = $1 AND kind = $2 AND source_id = $3";
    COUNT_ESCROWS = "SELECT COUNT(*) FROM escrows WHERE app = $1";
}

fn link_row(row: &Row<'_>) -> Result<LinkRecord, StoreError> {
    Ok(LinkRecord {
        kind: ObjectKind::from_code(row.int(0)?)?,
        source_id: row.id(1)?,
        target_id: row.opt_text(2)?,
        state: LinkState::from_code(row.int(3)?)?,
        attempt: row.int(4)?,
        at: row.time(5)?,
        fence: row.int(6)?,
        match_key: row.text(7)?,
        label: row.text(8)?,
        exported: row.opt_int(9)?,
        kept: row.flag(10)?,
    })
}

fn escrow_row(row: &Row<'_>) -> Result<EscrowRecord, StoreError> {
    Ok(EscrowRecord {
        kind: ObjectKind::from_code(row.int(0)?)?,
        source_id: row.id(1)?,
        code: row.text(2)?,
        reason: row.text(3)?,
        first_failed: row.time(4)?,
        attempts: row.int(5)?,
        next_attempt: row.time(6)?,
    })
}

/// The link of a source object.
pub fn link(
    tx: &mut ReadTx<'_>,
    app: AppId,
    kind: ObjectKind,
    source: ObjectId,
) -> Result<Option<LinkRecord>, StoreError> {
    tx.first(&LINK, params![app, kind.code(), source], link_row)
}

/// The link of a target object.
pub fn link_by_target(
    tx: &mut ReadTx<'_>,
    app: AppId,
    kind: ObjectKind,
    target: &str,
) -> Result<Option<LinkRecord>, StoreError> {
    tx.first(&LINK_BY_TARGET, params![app, kind.code(), target], link_row)
}

/// Links with a write of unknown outcome after `after`, users first, `limit` at the most.
pub fn open_links(
    tx: &mut ReadTx<'_>,
    app: AppId,
    after: Option<(ObjectKind, ObjectId)>,
    limit: u32,
) -> Result<Vec<LinkRecord>, StoreError> {
    let (kind, id) = after.map_or((0, ObjectId::new(uuid::Uuid::nil())), |(kind, id)| (kind.code(), id));
    tx.all(&OPEN, params![app, kind, id, i64::from(limit)], link_row)
}

/// Links and failures of objects with ids from `first` to `last`, `limit` of each at the most.
pub fn links_and_escrows_between(
    tx: &mut ReadTx<'_>,
    app: AppId,
    kind: ObjectKind,
    (first, last): (ObjectId, ObjectId),
    limit: u32,
) -> Result<(Vec<LinkRecord>, Vec<EscrowRecord>), StoreError> {
    let values = params![app, kind.code(), first, last, i64::from(limit)];
    Ok((tx.all(&BETWEEN, values, link_row)?, tx.all(&ESCROWS_BETWEEN, values, escrow_row)?))
}

/// Links whose source object is gone from the directory, above `after`, `limit` at the most. `kind` is user or group.
pub fn orphaned_links(
    tx: &mut ReadTx<'_>,
    app: AppId,
    kind: ObjectKind,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Vec<LinkRecord>, StoreError> {
    let sql = if kind == ObjectKind::User { &USER_ORPHANS } else { &GROUP_ORPHANS };
    tx.all(sql, params![app, above(after), i64::from(limit)], link_row)
}

/// Writes a link, new or changed. A target that another source object is linked to is [`StoreError::NotUnique`].
pub fn put_link(tx: &mut WriteTx<'_>, app: AppId, link: &LinkRecord) -> Result<(), StoreError> {
    let values = params![
        app,
        link.kind.code(),
        link.source_id,
        link.target_id.as_deref(),
        link.state.code(),
        link.attempt,
        link.at,
        link.fence,
        &link.match_key,
        &link.label,
        link.exported,
        link.kept
    ];
    // SQLite writes an index anew for each of its columns that a statement names, also where the value stays; PostgreSQL
    // compares, and another statement would be another round trip.
    if link.target_id.is_some() && !tx.is_postgres() && tx.run(&PUT_AT_TARGET, values)? > 0 {
        return Ok(());
    }
    tx.run(&PUT, values).map(drop)
}

/// Removes a link.
pub fn delete_link(tx: &mut WriteTx<'_>, app: AppId, kind: ObjectKind, source: ObjectId) -> Result<(), StoreError> {
    tx.run(&DELETE, params![app, kind.code(), source]).map(drop)
}

/// Removes a link that has a target, unless it has changed since it was seen; says whether it was removed.
pub fn delete_link_as_seen(tx: &mut WriteTx<'_>, app: AppId, seen: &LinkRecord) -> Result<bool, StoreError> {
    let (kind, target, state) = (seen.kind.code(), seen.target_id.as_deref(), seen.state.code());
    Ok(tx.run(&DELETE_AS_SEEN, params![app, kind, seen.source_id, target, state, seen.at, seen.fence])? > 0)
}

/// How many links of a kind there are, by state.
pub fn count_links(tx: &mut ReadTx<'_>, app: AppId, kind: ObjectKind) -> Result<Vec<(LinkState, u64)>, StoreError> {
    tx.all(&COUNT, params![app, kind.code()], |row| {
        Ok((LinkState::from_code(row.int(0)?)?, row.int(1)?.unsigned_abs()))
    })
}

/// How many links of a kind are of objects that are out of scope and whose accounts nothing switches off or removes.
pub fn count_kept_links(tx: &mut ReadTx<'_>, app: AppId, kind: ObjectKind) -> Result<u64, StoreError> {
    Ok(tx.first(&COUNT_KEPT, params![app, kind.code()], |row| row.int(0))?.unwrap_or(0).unsigned_abs())
}

/// Keeps a failure for another attempt; `first_failed` of an older failure of the object stays.
pub fn put_escrow(tx: &mut WriteTx<'_>, app: AppId, escrow: &EscrowRecord) -> Result<(), StoreError> {
    let values = params![
        app,
        escrow.kind.code(),
        escrow.source_id,
        &escrow.code,
        &escrow.reason,
        escrow.first_failed,
        escrow.attempts,
        escrow.next_attempt
    ];
    tx.run(&PUT_ESCROW, values).map(drop)
}

/// The escrow of an object, if it failed.
pub fn escrow(
    tx: &mut ReadTx<'_>,
    app: AppId,
    kind: ObjectKind,
    source: ObjectId,
) -> Result<Option<EscrowRecord>, StoreError> {
    tx.first(&ESCROW, params![app, kind.code(), source], escrow_row)
}

/// Escrows whose next attempt is due, the longest overdue first, those that follow `after`, `limit` at the most.
pub fn due_escrows(
    tx: &mut ReadTx<'_>,
    app: AppId,
    now: Timestamp,
    after: Option<&EscrowRecord>,
    limit: u32,
) -> Result<Vec<EscrowRecord>, StoreError> {
    let (at, kind, id) = after.map_or((Timestamp::MIN, 0, ObjectId::new(uuid::Uuid::nil())), |after| {
        (after.next_attempt, after.kind.code(), after.source_id)
    });
    tx.all(&DUE_ESCROWS, params![app, now, at, kind, id, i64::from(limit)], escrow_row)
}

/// Escrows of an application, `limit` at the most.
pub fn escrows(tx: &mut ReadTx<'_>, app: AppId, limit: u32) -> Result<Vec<EscrowRecord>, StoreError> {
    tx.all(&ESCROWS, params![app, i64::from(limit)], escrow_row)
}

/// Forgets the failure of an object.
pub fn clear_escrow(tx: &mut WriteTx<'_>, app: AppId, kind: ObjectKind, source: ObjectId) -> Result<(), StoreError> {
    tx.run(&CLEAR_ESCROW, params![app, kind.code(), source]).map(drop)
}

/// How many objects of an application are in escrow.
pub fn count_escrows(tx: &mut ReadTx<'_>, app: AppId) -> Result<u64, StoreError> {
    Ok(tx.first(&COUNT_ESCROWS, params![app], |row| row.int(0))?.unwrap_or(0).unsigned_abs())
}

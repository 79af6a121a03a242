//! The change feeds: what changed, in an order without gaps, one feed for the directory and one for each tenant.
//!
//! A reader that has seen everything up to number n must never miss a change that commits later with a smaller number.
//! SQLite has one writer, so a number taken at the time of writing is in commit order. On PostgreSQL writers append
//! unnumbered rows without waiting for each other, and a reader numbers what has been committed before it reads.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{ObjectId, TenantKey};
use crate::sql::{params, statements};
use crate::{ReadTx, WriteTx};

/// Which feed: the directory's, or a tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed(i64);

/// The feed of the directory.
pub const DIRECTORY_FEED: Feed = Feed(0);

impl From<TenantKey> for Feed {
    fn from(tenant: TenantKey) -> Self {
        Self(tenant.0)
    }
}

/// What kind of object changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A user: attributes, deletion, restoring.
    User,
    /// A group: attributes, deletion.
    Group,
    /// A membership: `id` is the group, `related` the member.
    Membership,
    /// An assignment to an application: `id` is the principal, `related` the application.
    Assignment,
}

impl ObjectKind {
    /// The number under which the kind is stored.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Group => 2,
            Self::Membership => 3,
            Self::Assignment => 4,
        }
    }

    pub(crate) fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            1 => Ok(Self::User),
            2 => Ok(Self::Group),
            3 => Ok(Self::Membership),
            4 => Ok(Self::Assignment),
            other => Err(StoreError::Decode(format!("no object kind has the number {other}"))),
        }
    }
}

/// One change: that something changed, not what it became. The reader looks at the present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number in the feed: 1, 2, 3, … without gaps.
    pub seq: i64,
    /// What kind of object changed.
    pub object: ObjectKind,
    /// Which object.
    pub id: ObjectId,
    /// The other end, where the kind has one.
    pub related: Option<ObjectId>,
    /// When.
    pub at: Timestamp,
}

statements! {
    APPEND = "INSERT INTO changes (feed, seq, object, id, related, at) SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5 FROM changes WHERE feed = $1",
             "INSERT INTO changes_unnumbered (feed, object, object_id, related, at) VALUES ($1, $2, $3, $4, $5)";
    ADD_FEED = "SELECT 1 WHERE $1 IS NULL", "INSERT INTO feeds (feed, last) VALUES ($1, 0) ON CONFLICT (feed) DO NOTHING";
    LOCK_FEED = "SELECT 1 WHERE $1 IS NULL", "SELECT last FROM feeds WHERE feed = $1 FOR UPDATE";
    NUMBER = "SELECT 1 WHERE $1 IS NULL",
             "WITH taken AS (DELETE FROM changes_unnumbered WHERE feed = $1 RETURNING id, object, object_id, related, at),
                   put AS (INSERT INTO changes (feed, seq, object, id, related, at)
                           SELECT $1, (SELECT last FROM feeds WHERE feed = $1) + ROW_NUMBER() OVER (ORDER BY id), object, object_id, related, at FROM taken RETURNING seq)
              UPDATE feeds SET last = last + (SELECT COUNT(*) FROM put) WHERE feed = $1";
    AFTER = "SELECT seq, object, id, related, at FROM changes WHERE feed = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    HEAD = "SELECT COALESCE(MAX(seq), 0) FROM changes WHERE feed = $1";
}

/// Records that an object changed, in the transaction that changes it.
pub fn append_change(
    tx: &mut WriteTx<'_>,
    feed: Feed,
    object: ObjectKind,
    id: ObjectId,
    related: Option<ObjectId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&APPEND, params![feed.0, object.code(), id, related, now]).map(drop)
}

/// Gives every committed change its number. Readers call it before [`changes_after`] or [`feed_head`]; where changes are numbered as
/// they are written it does nothing.
pub fn number_changes(tx: &mut WriteTx<'_>, feed: Feed) -> Result<(), StoreError> {
    if !tx.is_postgres() {
        return Ok(());
    }
    tx.run(&ADD_FEED, params![feed.0])?;
    tx.first(&LOCK_FEED, params![feed.0], |_| Ok(()))?;
    tx.run(&NUMBER, params![feed.0]).map(drop)
}

/// The changes after number `after`, in order, `limit` at the most.
pub fn changes_after(tx: &mut ReadTx<'_>, feed: Feed, after: i64, limit: u32) -> Result<Vec<Change>, StoreError> {
    tx.all(&AFTER, params![feed.0, after, i64::from(limit)], |row| {
        Ok(Change {
            seq: row.int(0)?,
            object: ObjectKind::from_code(row.int(1)?)?,
            id: row.id(2)?,
            related: row.opt_id(3)?,
            at: row.time(4)?,
        })
    })
}

/// The number of the newest change, 0 where there is none.
pub fn feed_head(tx: &mut ReadTx<'_>, feed: Feed) -> Result<i64, StoreError> {
    Ok(tx.first(&HEAD, params![feed.0], |row| row.int(0))?.unwrap_or(0))
}

#[cfg(test)]
mod tests;

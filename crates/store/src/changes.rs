//! The change feeds: what changed, in an order without gaps, one feed for the directory and one for each tenant.
//!
//! A reader that has seen everything up to number n must never miss a change that commits later with a smaller number.
//! SQLite has one writer, so a number taken at the time of writing is in commit order. On PostgreSQL writers append
//! unnumbered rows without waiting for each other, and a reader numbers what has been committed before it reads.
//!
//! Old changes are removed from the start of a feed, never the newest one, which tells how far the numbers have come. As
//! there are no gaps, a reader that was away for too long sees that the next number is not its own plus one.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{GroupId, ObjectId, ResourceId, TenantKey};
use crate::kind::{CustomKind, ResourceKind};
use crate::sql::{Row, params, statements};
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
    /// A group: attributes, deletion. See [`Change::is_of_attributes_alone`].
    Group,
    /// A membership: `id` is the group, `related` the member.
    Membership,
    /// An assignment to an application: `id` is the principal, `related` the application.
    Assignment,
    /// A resource of a type that the tenant defined; only in a tenant's feed.
    Custom(CustomKind),
}

impl ObjectKind {
    /// The number under which the kind is stored.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Group => 2,
            Self::Membership => 3,
            Self::Assignment => 4,
            Self::Custom(kind) => kind.code(),
        }
    }

    pub(crate) fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            1 => Ok(Self::User),
            2 => Ok(Self::Group),
            3 => Ok(Self::Membership),
            4 => Ok(Self::Assignment),
            other => CustomKind::from_code(other)
                .map(Self::Custom)
                .ok_or_else(|| StoreError::Decode(format!("no object kind has the number {other}"))),
        }
    }
}

impl ObjectKind {
    /// The kind of the resource that changed, where it is one.
    pub const fn resource_kind(self) -> Option<ResourceKind> {
        match self {
            Self::User => Some(ResourceKind::User),
            Self::Group => Some(ResourceKind::Group),
            Self::Custom(kind) => Some(ResourceKind::Custom(kind)),
            Self::Membership | Self::Assignment => None,
        }
    }
}

impl From<ResourceKind> for ObjectKind {
    fn from(kind: ResourceKind) -> Self {
        match kind {
            ResourceKind::User => Self::User,
            ResourceKind::Group => Self::Group,
            ResourceKind::Custom(kind) => Self::Custom(kind),
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

impl Change {
    /// Whether nothing but attributes of a group has changed, so that who is in it is as before. [`append_attributes_alone`] writes such
    /// changes, as ones of a group that is related to itself: no other change relates an object to itself.
    pub fn is_of_attributes_alone(&self) -> bool {
        self.object == ObjectKind::Group && self.related == Some(self.id)
    }
}

/// What happened to a tenant's resource, beside the fact that it changed: what those who follow the tenant's feed are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// What was done to it.
    pub action: Action,
    /// Whether it became active (`true`) or inactive (`false`) by that; `None` where neither changed.
    pub switched: Option<bool>,
    /// Its version after that.
    pub version: i64,
    /// The attributes that were set, changed or removed, as paths (RFC 7644 §3.5.2); separated by blanks.
    pub attributes: String,
    /// Its `externalId`, kept where the resource itself is gone.
    pub external_id: Option<String>,
}

/// What was done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Made by POST.
    Created,
    /// Changed by PATCH, or by what was done to another resource.
    Patched,
    /// Replaced by PUT.
    Replaced,
    /// Deleted.
    Deleted,
}

impl Action {
    const fn code(self) -> i64 {
        match self {
            Self::Created => 1,
            Self::Patched => 2,
            Self::Replaced => 3,
            Self::Deleted => 4,
        }
    }

    fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            1 => Ok(Self::Created),
            2 => Ok(Self::Patched),
            3 => Ok(Self::Replaced),
            4 => Ok(Self::Deleted),
            other => Err(StoreError::Decode(format!("no action has the number {other}"))),
        }
    }
}

/// Changes that one transaction removes, and numbers before that: others wait for it.
pub const TRIMMED_AT_A_TIME: u32 = 1000;

statements! {
    APPEND = "INSERT INTO changes (feed, seq, object, id, related, at) SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5 FROM changes WHERE feed = $1",
             "INSERT INTO changes_unnumbered (feed, object, object_id, related, at) VALUES ($1, $2, $3, $4, $5)";
    APPEND_TOLD = "INSERT INTO changes (feed, seq, object, id, at, action, switched, version, attributes, external_id)
                   SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9 FROM changes WHERE feed = $1",
                  "INSERT INTO changes_unnumbered (feed, object, object_id, at, action, switched, version, attributes, external_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    APPEND_ALL_TOLD = "INSERT INTO changes (feed, seq, object, id, at, action, version, attributes)
                       SELECT $1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM changes WHERE feed = $1) + key, $2, unhex(value ->> 0, '-'), $3, $4, value ->> 1, $5
                       FROM json_each($6)",
                      "INSERT INTO changes_unnumbered (feed, object, object_id, at, action, version, attributes)
                       SELECT $1, $2, (value ->> 0)::uuid, $3, $4, (value ->> 1)::bigint, $5 FROM json_array_elements($6::text::json)";
    ADD_FEED = "SELECT 1 WHERE $1 IS NULL", "INSERT INTO feeds (feed, last) VALUES ($1, 0) ON CONFLICT (feed) DO NOTHING";
    LOCK_FEED = "SELECT 1 WHERE $1 IS NULL", "SELECT last FROM feeds WHERE feed = $1 FOR UPDATE";
    NUMBER = "SELECT 1 WHERE $1 IS NULL AND $2 IS NULL",
             "WITH taken AS (DELETE FROM changes_unnumbered WHERE feed = $1 AND id IN (SELECT id FROM changes_unnumbered WHERE feed = $1 ORDER BY id LIMIT $2)
                             RETURNING id, object, object_id, related, at, action, switched, version, attributes, external_id),
                   put AS (INSERT INTO changes (feed, seq, object, id, related, at, action, switched, version, attributes, external_id)
                           SELECT $1, (SELECT last FROM feeds WHERE feed = $1) + ROW_NUMBER() OVER (ORDER BY id), object, object_id, related, at,
                                  action, switched, version, attributes, external_id FROM taken RETURNING seq)
              UPDATE feeds SET last = last + (SELECT COUNT(*) FROM put) WHERE feed = $1";
    AFTER = "SELECT seq, object, id, related, at FROM changes WHERE feed = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    TOLD_AFTER = "SELECT seq, object, id, related, at, action, switched, version, attributes, external_id FROM changes WHERE feed = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    OLDEST = "SELECT seq, at FROM changes WHERE feed = $1 ORDER BY seq LIMIT $2";
    NEEDED = "SELECT MIN(COALESCE(watermark, initial_from)) FROM jobs WHERE status = 'on'";
    TRIM = "DELETE FROM changes WHERE feed = $1 AND seq <= $2";
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
    tx.send(&APPEND, params![feed.0, object.code(), id, related, now])
}

/// Records that nothing but attributes of a group changed, in the transaction that changes them.
pub fn append_attributes_alone(
    tx: &mut WriteTx<'_>,
    feed: Feed,
    group: GroupId,
    now: Timestamp,
) -> Result<(), StoreError> {
    append_change(tx, feed, ObjectKind::Group, group.into(), Some(group.into()), now)
}

/// Records what happened to a resource of a tenant, in the transaction that does it.
pub fn append_occurrence(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    object: ObjectKind,
    id: ObjectId,
    occurrence: &Occurrence,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Occurrence { action, switched, version, attributes, external_id } = occurrence;
    let switched = switched.map(i64::from);
    let external_id = external_id.as_deref();
    tx.send(
        &APPEND_TOLD,
        params![tenant, object.code(), id, now, action.code(), switched, *version, attributes, external_id],
    )
}

/// Records that the same happened to several resources of a tenant, which have these versions after that, by one statement.
pub fn append_occurrences(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    object: ObjectKind,
    versions: &[(ResourceId, i64)],
    (action, attributes): (Action, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = crate::members::json(versions)?;
    let values = params![tenant, object.code(), now, action.code(), attributes, &rows];
    tx.send(&APPEND_ALL_TOLD, values)
}

/// Gives every committed change its number. Readers call it before [`changes_after`] or [`feed_head`]; where changes are numbered as
/// they are written it does nothing.
pub fn number_changes(tx: &mut WriteTx<'_>, feed: Feed) -> Result<(), StoreError> {
    number(tx, feed, i64::MAX)
}

fn number(tx: &mut WriteTx<'_>, feed: Feed, limit: i64) -> Result<(), StoreError> {
    if !tx.is_postgres() {
        return Ok(());
    }
    tx.run(&ADD_FEED, params![feed.0])?;
    tx.first(&LOCK_FEED, params![feed.0], |_| Ok(()))?;
    tx.run(&NUMBER, params![feed.0, limit]).map(drop)
}

/// Removes the changes at the start of a feed that were made before a moment and that no job which is on still needs, at most
/// [`TRIMMED_AT_A_TIME`]; gives how many.
pub fn trim_changes(tx: &mut WriteTx<'_>, feed: Feed, before: Timestamp) -> Result<u64, StoreError> {
    // A feed that nobody reads has never been numbered.
    number(tx, feed, i64::from(TRIMMED_AT_A_TIME))?;
    let head = feed_head(tx, feed)?;
    let needed = if feed == DIRECTORY_FEED { tx.first(&NEEDED, &[], |row| row.opt_int(0))?.flatten() } else { None };
    let end = needed.map_or(head - 1, |needed| needed.min(head - 1));
    let mut last = None;
    tx.each(&OLDEST, params![feed.0, i64::from(TRIMMED_AT_A_TIME)], |row| {
        let (seq, at) = (row.int(0)?, row.time(1)?);
        let goes = seq <= end && at < before;
        if goes {
            last = Some(seq);
        }
        Ok(goes)
    })?;
    last.map_or(Ok(0), |last| tx.run(&TRIM, params![feed.0, last]))
}

/// The changes after number `after`, in order, `limit` at the most. Where the next one is no longer kept, the error is
/// [`StoreError::FeedTrimmed`].
pub fn changes_after(tx: &mut ReadTx<'_>, feed: Feed, after: i64, limit: u32) -> Result<Vec<Change>, StoreError> {
    let found = tx.all(&AFTER, params![feed.0, after, i64::from(limit)], change)?;
    without_gap(after, found.first())?;
    Ok(found)
}

/// The changes of a tenant after number `after` with what happened, in order, `limit` at the most. Changes from before occurrences were
/// kept, and those that are told with another resource, have none. Where the next one is no longer kept, the error is
/// [`StoreError::FeedTrimmed`].
pub fn occurrences_after(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    after: i64,
    limit: u32,
) -> Result<Vec<(Change, Option<Occurrence>)>, StoreError> {
    let found =
        tx.all(&TOLD_AFTER, params![tenant, after, i64::from(limit)], |row| Ok((change(row)?, occurrence(row)?)))?;
    without_gap(after, found.first().map(|(change, _)| change))?;
    Ok(found)
}

fn change(row: &Row<'_>) -> Result<Change, StoreError> {
    Ok(Change {
        seq: row.int(0)?,
        object: ObjectKind::from_code(row.int(1)?)?,
        id: row.id(2)?,
        related: row.opt_id(3)?,
        at: row.time(4)?,
    })
}

fn occurrence(row: &Row<'_>) -> Result<Option<Occurrence>, StoreError> {
    let Some(code) = row.opt_int(5)? else { return Ok(None) };
    Ok(Some(Occurrence {
        action: Action::from_code(code)?,
        switched: row.opt_int(6)?.map(|switched| switched != 0),
        version: row.opt_int(7)?.unwrap_or_default(),
        attributes: row.opt_text(8)?.unwrap_or_default(),
        external_id: row.opt_text(9)?,
    }))
}

fn without_gap(after: i64, next: Option<&Change>) -> Result<(), StoreError> {
    match next {
        Some(next) if next.seq != after + 1 => Err(StoreError::FeedTrimmed { after, first: next.seq }),
        _ => Ok(()),
    }
}

/// The number of the newest change, 0 where there is none.
pub fn feed_head(tx: &mut ReadTx<'_>, feed: Feed) -> Result<i64, StoreError> {
    Ok(tx.first(&HEAD, params![feed.0], |row| row.int(0))?.unwrap_or(0))
}

#[cfg(test)]
mod tests;

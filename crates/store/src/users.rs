//! Users of the directory.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{UserId, above};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A user of the directory as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// Entra's `objectId`.
    pub id: UserId,
    /// `userPrincipalName` as given.
    pub user_principal_name: String,
    /// `displayName`.
    pub display_name: String,
    /// The manager's id.
    pub manager: Option<UserId>,
    /// `accountEnabled`.
    pub enabled: bool,
    /// When the user was soft-deleted, if so.
    pub deleted: Option<Timestamp>,
    /// All other attributes as JSON text.
    pub doc: String,
    /// 1 when made, one more with each change.
    pub version: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

/// The columns that [`user`] reads, in its order.
macro_rules! columns {
    () => {
        "id, upn, display_name, manager, enabled, deleted, doc, version, created, modified"
    };
}

statements! {
    INSERT = "INSERT INTO directory_users (id, upn, upn_key, display_name, manager, enabled, deleted, doc, version, created, modified) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    UPDATE = "UPDATE directory_users SET upn = $2, upn_key = $3, display_name = $4, manager = $5, enabled = $6, deleted = $7, doc = $8, version = version + 1, modified = $9 WHERE id = $1";
    LOCK = "SELECT 1 FROM directory_users WHERE id = $1", "SELECT 1::bigint FROM directory_users WHERE id = $1 FOR UPDATE";
    DELETE = "DELETE FROM directory_users WHERE id = $1";
    BY_ID = concat!("SELECT ", columns!(), " FROM directory_users WHERE id = $1");
    BY_KEY = concat!("SELECT ", columns!(), " FROM directory_users WHERE upn_key = $1");
    DELETED_BY_UPN = concat!("SELECT ", columns!(), " FROM directory_users WHERE deleted IS NOT NULL AND upn = $1 ORDER BY deleted DESC LIMIT 1");
    AFTER = concat!("SELECT ", columns!(), " FROM directory_users WHERE id >= $1 ORDER BY id LIMIT $2");
    BY_NAME_AFTER = concat!("SELECT ", columns!(), " FROM directory_users WHERE upn_key > $1 ORDER BY upn_key LIMIT $2");
    BETWEEN = concat!("SELECT ", columns!(), " FROM directory_users WHERE id >= $1 AND id <= $2 ORDER BY id LIMIT $3");
    DELETED_BEFORE = concat!("SELECT ", columns!(), " FROM directory_users WHERE deleted < $1 ORDER BY deleted LIMIT $2");
    REPORTS = "SELECT id FROM directory_users WHERE manager = $1 AND id >= $2 ORDER BY id LIMIT $3";
    IDS_AFTER = "SELECT id FROM directory_users WHERE id >= $1 ORDER BY id LIMIT $2";
    COUNT = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN deleted IS NULL THEN 0 ELSE 1 END), 0) FROM directory_users";
}

fn user(row: &Row<'_>) -> Result<UserRecord, StoreError> {
    Ok(UserRecord {
        id: row.id(0)?,
        user_principal_name: row.text(1)?,
        display_name: row.text(2)?,
        manager: row.opt_id(3)?,
        enabled: row.flag(4)?,
        deleted: row.opt_time(5)?,
        doc: row.text(6)?,
        version: row.int(7)?,
        created: row.time(8)?,
        modified: row.time(9)?,
    })
}

/// Stores a new user. `upn_key` is the folded name; a soft-deleted user holds none. A key that is taken is [`StoreError::NotUnique`].
pub fn insert_user(tx: &mut WriteTx<'_>, user: &UserRecord, upn_key: Option<&str>) -> Result<(), StoreError> {
    let values = params![
        user.id,
        &user.user_principal_name,
        upn_key,
        &user.display_name,
        user.manager,
        user.enabled,
        user.deleted,
        &user.doc,
        user.version,
        user.created,
        user.modified
    ];
    tx.run(&INSERT, values).map(drop)
}

/// Replaces a stored user and raises its version.
pub fn update_user(tx: &mut WriteTx<'_>, user: &UserRecord, upn_key: Option<&str>) -> Result<(), StoreError> {
    let values = params![
        user.id,
        &user.user_principal_name,
        upn_key,
        &user.display_name,
        user.manager,
        user.enabled,
        user.deleted,
        &user.doc,
        user.modified
    ];
    tx.run(&UPDATE, values).map(drop)
}

/// Holds a user against other writers until the transaction ends, so that what is read next is what is changed.
pub fn lock_user(tx: &mut WriteTx<'_>, id: UserId) -> Result<(), StoreError> {
    tx.first(&LOCK, params![id], |_| Ok(())).map(drop)
}

/// Purges a user for good; says whether there was one.
pub fn delete_user(tx: &mut WriteTx<'_>, id: UserId) -> Result<bool, StoreError> {
    Ok(tx.run(&DELETE, params![id])? > 0)
}

/// The user with that id, soft-deleted or not.
pub fn user_by_id(tx: &mut ReadTx<'_>, id: UserId) -> Result<Option<UserRecord>, StoreError> {
    tx.first(&BY_ID, params![id], user)
}

/// The live user with that folded `userPrincipalName`.
pub fn user_by_key(tx: &mut ReadTx<'_>, upn_key: &str) -> Result<Option<UserRecord>, StoreError> {
    tx.first(&BY_KEY, params![upn_key], user)
}

/// The user of exactly that name that was soft-deleted last.
pub fn deleted_user_by_name(tx: &mut ReadTx<'_>, upn: &str) -> Result<Option<UserRecord>, StoreError> {
    tx.first(&DELETED_BY_UPN, params![upn], user)
}

/// Users with an id above `after`, soft-deleted ones too, in the order of their ids, `limit` at the most.
pub fn users_after(tx: &mut ReadTx<'_>, after: Option<UserId>, limit: u32) -> Result<Vec<UserRecord>, StoreError> {
    tx.all(&AFTER, params![above(after), i64::from(limit)], user)
}

/// Users that are not soft-deleted with a folded name behind `after`, in the order of those names, `limit` at the most.
pub fn users_by_name_after(tx: &mut ReadTx<'_>, after: &str, limit: u32) -> Result<Vec<UserRecord>, StoreError> {
    tx.all(&BY_NAME_AFTER, params![after, i64::from(limit)], user)
}

/// Users with ids from `first` to `last`, soft-deleted ones too, `limit` at the most.
pub fn users_between(
    tx: &mut ReadTx<'_>,
    first: UserId,
    last: UserId,
    limit: u32,
) -> Result<Vec<UserRecord>, StoreError> {
    tx.all(&BETWEEN, params![first, last, i64::from(limit)], user)
}

/// Users that were soft-deleted before a moment, `limit` at the most.
pub fn users_deleted_before(tx: &mut ReadTx<'_>, before: Timestamp, limit: u32) -> Result<Vec<UserRecord>, StoreError> {
    tx.all(&DELETED_BEFORE, params![before, i64::from(limit)], user)
}

/// The people whose manager this user is, with an id above `after`, `limit` at the most.
pub fn reports_of(
    tx: &mut ReadTx<'_>,
    manager: UserId,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<UserId>, StoreError> {
    tx.all(&REPORTS, params![manager, above(after), i64::from(limit)], |row| row.id(0))
}

/// The ids of users above `after`, soft-deleted ones too, in order, `limit` at the most.
pub fn user_ids_after(tx: &mut ReadTx<'_>, after: Option<UserId>, limit: u32) -> Result<Vec<UserId>, StoreError> {
    tx.all(&IDS_AFTER, params![above(after), i64::from(limit)], |row| row.id(0))
}

/// How many users there are, and how many of them are soft-deleted.
pub fn count_users(tx: &mut ReadTx<'_>) -> Result<(u64, u64), StoreError> {
    let count = tx.first(&COUNT, &[], |row| Ok((row.int(0)?.unsigned_abs(), row.int(1)?.unsigned_abs())))?;
    Ok(count.unwrap_or_default())
}

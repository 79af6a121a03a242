//! Users and groups of a tenant: the stored document, and the keys it is found by.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{ResourceId, TenantKey, above};
use crate::key_paths::stored;
pub use crate::kind::{CustomKind, ResourceKind};
use crate::sql::{Param, Row, Sql, params, statements};
use crate::{ReadTx, WriteTx, listing};

/// A stored resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRecord {
    /// Its SCIM `id`.
    pub id: ResourceId,
    /// Its attributes as JSON text, without `id`, `schemas`, `meta` and `members`.
    pub doc: String,
    /// 1 when made, one more with each change; the `meta.version`.
    pub version: i64,
    /// `meta.created`.
    pub created: Timestamp,
    /// `meta.lastModified`.
    pub modified: Timestamp,
}

/// A folded value by which a resource is found: the attribute's path and the value.
pub type IndexKey = (Arc<str>, String);

/// How much is read at a time: whoever walks through resources holds no more of them than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Most resources.
    pub rows: u32,
    /// Size of their documents in bytes, from which no further one is taken. The last one may be larger than what was left.
    pub bytes: usize,
}

/// The columns that [`resource`] reads, in its order.
macro_rules! columns {
    () => {
        "id, doc, version, created, modified"
    };
}
pub(crate) use columns;

statements! {
    INSERT = "INSERT INTO resources (tenant, kind, id, unique_key, doc, version, created, modified) VALUES ($1, $2, $3, $4, $5, 1, $6, $6)";
    BY_ID = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3");
    BY_ID_LOCKED = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3"),
                   concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3 FOR NO KEY UPDATE");
    BY_ID_TO_DELETE = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3"),
                      concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3 FOR UPDATE");
    BY_UNIQUE_KEY = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND unique_key = $3");
    PAGE = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id >= $3 ORDER BY id LIMIT $4");
    KIND_HELD = "SELECT kind FROM resources WHERE tenant = $1 AND kind IN (1, 2) AND id = $2",
                "SELECT kind FROM resources WHERE tenant = $1 AND kind IN (1, 2) AND id = $2 FOR KEY SHARE";
    KINDS_HELD = "SELECT id, kind FROM resources WHERE tenant = $1 AND kind IN (1, 2) AND id IN (SELECT unhex(value, '-') FROM json_each($2)) ORDER BY id",
                 "SELECT id, kind FROM resources WHERE tenant = $1 AND kind IN (1, 2)
                  AND id = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text($2::text::json))) ORDER BY id FOR KEY SHARE";
    UPDATE = "UPDATE resources SET unique_key = $4, doc = $5, version = version + 1, modified = $6 WHERE tenant = $1 AND kind = $2 AND id = $3";
    UPDATE_WITH_KEY = "UPDATE resources SET doc = $5, version = version + 1, modified = $6 WHERE tenant = $1 AND kind = $2 AND id = $3 AND unique_key = $4";
    TOUCH = "UPDATE resources SET version = version + 1, modified = $4 WHERE tenant = $1 AND kind = $2 AND id = $3 RETURNING version";
    TOUCH_ALL = "UPDATE resources SET version = version + 1, modified = $4
                 WHERE id IN (SELECT unhex(value, '-') FROM json_each($3)) AND tenant = $1 AND kind = $2 RETURNING id, version",
                "UPDATE resources SET version = version + 1, modified = $4
                 WHERE id = ANY(ARRAY(SELECT value::uuid FROM json_array_elements_text($3::text::json))) AND tenant = $1 AND kind = $2 RETURNING id, version";
    DELETE = "DELETE FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3";
    INSERT_KEYS = "INSERT INTO resource_keys (tenant, kind, place, key, id, row_id)
                   SELECT $1, $2, value ->> 0, value ->> 1, $3, (SELECT row_id FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3)
                   FROM json_each($4) WHERE TRUE ON CONFLICT DO NOTHING",
                  "INSERT INTO resource_keys (tenant, kind, place, key, id) SELECT $1, $2, value ->> 0, value ->> 1, $3 FROM json_array_elements($4::text::json) ON CONFLICT DO NOTHING";
    DELETE_KEY = "DELETE FROM resource_keys WHERE tenant = $1 AND kind = $2 AND place = $3 AND key = $4 AND id = $5";
}

fn resource(row: &Row<'_>) -> Result<ResourceRecord, StoreError> {
    Ok(ResourceRecord {
        id: row.id(0)?,
        doc: row.text(1)?,
        version: row.int(2)?,
        created: row.time(3)?,
        modified: row.time(4)?,
    })
}

/// Stores a new resource at version 1 with its keys. A unique key that is taken is [`StoreError::NotUnique`].
#[expect(clippy::too_many_arguments, reason = "a row has that many columns, and each is named once here")]
pub fn insert(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
    unique_key: Option<&str>,
    doc: &str,
    keys: &[IndexKey],
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&INSERT, params![tenant, kind.code(), id, unique_key, doc, now])?;
    listing::add_to_count(tx, tenant, kind, 1)?;
    insert_keys(tx, tenant, kind, id, keys.iter())
}

/// The resource with that id.
pub fn by_id(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
) -> Result<Option<ResourceRecord>, StoreError> {
    tx.first(&BY_ID, params![tenant, kind.code(), id], resource)
}

/// The resource with that id, held against other writers until the transaction ends. Who makes it a member of a group, which holds its
/// existence alone, need not wait.
pub fn by_id_locked(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
) -> Result<Option<ResourceRecord>, StoreError> {
    tx.first(&BY_ID_LOCKED, params![tenant, kind.code(), id], resource)
}

/// The resource with that id, held against all others who rely on its existence until the transaction ends.
pub fn by_id_to_delete(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
) -> Result<Option<ResourceRecord>, StoreError> {
    tx.first(&BY_ID_TO_DELETE, params![tenant, kind.code(), id], resource)
}

/// The resource with that unique key.
pub fn by_unique_key(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    key: &str,
) -> Result<Option<ResourceRecord>, StoreError> {
    tx.first(&BY_UNIQUE_KEY, params![tenant, kind.code(), key], resource)
}

/// Resources with an id above `after`, in the order of their ids. `None` starts at the first; none are left when a chunk
/// is empty.
pub fn page_after(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    after: Option<ResourceId>,
    chunk: Chunk,
) -> Result<Vec<ResourceRecord>, StoreError> {
    read(tx, &PAGE, params![tenant, kind.code(), above(after), i64::from(chunk.rows)], chunk)
}

pub(crate) fn read(
    tx: &mut ReadTx<'_>,
    sql: &'static Sql,
    params: &[Param<'_>],
    chunk: Chunk,
) -> Result<Vec<ResourceRecord>, StoreError> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    tx.each(sql, params, |row| {
        let record = resource(row)?;
        bytes += record.doc.len();
        found.push(record);
        Ok(bytes < chunk.bytes)
    })?;
    Ok(found)
}

/// What kind of resource has that id. It cannot be deleted by others until the transaction ends.
pub fn kind_held(tx: &mut WriteTx<'_>, tenant: TenantKey, id: ResourceId) -> Result<Option<ResourceKind>, StoreError> {
    tx.first(&KIND_HELD, params![tenant, id], |row| ResourceKind::from_code(row.int(0)?))
}

/// Of these ids, those that name a user or group, with its kind. They cannot be deleted by others until the transaction ends.
pub fn kinds_held(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    ids: &[ResourceId],
) -> Result<Vec<(ResourceId, ResourceKind)>, StoreError> {
    let ids = crate::members::json(ids)?;
    tx.all(&KINDS_HELD, params![tenant, &ids], |row| Ok((row.id(0)?, ResourceKind::from_code(row.int(1)?)?)))
}

/// Replaces document and keys of a resource and raises its version. `old` are the keys it had.
#[expect(clippy::too_many_arguments, reason = "a row has that many columns, and each is named once here")]
pub fn update(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
    unique_key: Option<&str>,
    doc: &str,
    keys: (&[IndexKey], &[IndexKey]),
    now: Timestamp,
) -> Result<(), StoreError> {
    let (old, new) = keys;
    let values = params![tenant, kind.code(), id, unique_key, doc, now];
    // SQLite writes the index of the key anew where a statement names it, also where the key stays.
    if unique_key.is_none() || tx.is_postgres() || tx.run(&UPDATE_WITH_KEY, values)? == 0 {
        tx.run(&UPDATE, values)?;
    }
    exchange_keys(tx, tenant, kind, id, (old, new))
}

/// Replaces the keys of a resource.
pub fn exchange_keys(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
    (old, new): (&[IndexKey], &[IndexKey]),
) -> Result<(), StoreError> {
    let (gone, added) = differing(old, new);
    for (path, key) in gone {
        tx.send(&DELETE_KEY, params![tenant, kind.code(), stored(path), key, id])?;
    }
    insert_keys(tx, tenant, kind, id, added.into_iter())
}

/// What only the first has, and what only the second has, each in its order. There may be thousands of either.
pub fn differing<'k>(old: &'k [IndexKey], new: &'k [IndexKey]) -> (Vec<&'k IndexKey>, Vec<&'k IndexKey>) {
    if old == new {
        return (Vec::new(), Vec::new());
    }
    let (had, has): (HashSet<&IndexKey>, HashSet<&IndexKey>) = (old.iter().collect(), new.iter().collect());
    (old.iter().filter(|key| !has.contains(key)).collect(), new.iter().filter(|key| !had.contains(key)).collect())
}

/// Raises the version of a resource whose memberships changed; gives it, where the resource is there.
pub fn touch(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    tx.first(&TOUCH, params![tenant, kind.code(), id, now], |row| row.int(0))
}

/// Raises the versions of resources whose memberships changed, by one statement; gives those that are there with their versions, in the
/// order of their ids.
pub fn touch_all(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    ids: &[ResourceId],
    now: Timestamp,
) -> Result<Vec<(ResourceId, i64)>, StoreError> {
    let ids = crate::members::json(ids)?;
    let mut touched =
        tx.all(&TOUCH_ALL, params![tenant, kind.code(), &ids, now], |row| Ok((row.id(0)?, row.int(1)?)))?;
    touched.sort_unstable_by_key(|(id, _): &(ResourceId, i64)| id.to_bytes());
    Ok(touched)
}

/// Deletes a resource and its keys; says whether there was one.
pub fn delete(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
    keys: &[IndexKey],
) -> Result<bool, StoreError> {
    for (path, key) in keys {
        tx.send(&DELETE_KEY, params![tenant, kind.code(), stored(path), key, id])?;
    }
    let was_there = tx.run(&DELETE, params![tenant, kind.code(), id])? > 0;
    if was_there {
        listing::add_to_count(tx, tenant, kind, -1)?;
    }
    Ok(was_there)
}

/// Stores all keys by one statement, as one JSON text: each would be a round trip of its own.
fn insert_keys<'k>(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    id: ResourceId,
    keys: impl Iterator<Item = &'k IndexKey>,
) -> Result<(), StoreError> {
    let pairs: Vec<(&str, &str)> = keys.map(|(path, key)| (stored(path), key.as_str())).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    // In JSON it would pass as an escape; see `tx`.
    if pairs.iter().any(|(_, key)| key.contains('\0')) {
        return Err(StoreError::Internal("a text holds a NUL character".to_owned()));
    }
    let pairs = serde_json::to_string(&pairs).map_err(|error| StoreError::Internal(error.to_string()))?;
    tx.send(&INSERT_KEYS, params![tenant, kind.code(), id, &pairs])
}

#[cfg(test)]
mod tests;

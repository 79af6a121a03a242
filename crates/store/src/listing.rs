//! Lists of a tenant's resources: how many there are, and the next ones in an order that an index has.

use std::sync::LazyLock;

use crate::error::StoreError;
use crate::id::{ResourceId, TenantKey, above, below};
use crate::key_paths::stored;
use crate::resources::{Chunk, ResourceKind, ResourceRecord, columns, read};
use crate::sql::{Sql, params, statements};
use crate::{ReadTx, WriteTx};

statements! {
    ADD = "INSERT INTO resource_counts (tenant, kind, slot, held) VALUES ($1, $2, $3, $4) ON CONFLICT (tenant, kind, slot) DO UPDATE SET held = resource_counts.held + excluded.held";
    COUNT = "SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) FROM resource_counts WHERE tenant = $1 AND kind = $2";
    UP = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id >= $3 ORDER BY id LIMIT $4");
    DOWN = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id <= $3 ORDER BY id DESC LIMIT $4");
    UNIQUE_UP = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND unique_key > $3 ORDER BY unique_key LIMIT $4");
    UNIQUE_DOWN = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND unique_key < $3 ORDER BY unique_key DESC LIMIT $4");
    ID_AT = "SELECT id FROM resources WHERE tenant = $1 AND kind = $2 ORDER BY id LIMIT 1 OFFSET $3";
    ID_AT_BACK = "SELECT id FROM resources WHERE tenant = $1 AND kind = $2 ORDER BY id DESC LIMIT 1 OFFSET $3";
    UNIQUE_KEY_AT_BACK = "SELECT unique_key FROM resources WHERE tenant = $1 AND kind = $2 AND unique_key IS NOT NULL ORDER BY unique_key DESC LIMIT 1 OFFSET $3";
    UNIQUE_KEY_AT = "SELECT unique_key FROM resources WHERE tenant = $1 AND kind = $2 AND unique_key IS NOT NULL ORDER BY unique_key LIMIT 1 OFFSET $3";
    BY_IDS = concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id IN (SELECT unhex(value) FROM json_each($3))"),
             concat!("SELECT ", columns!(), " FROM resources WHERE tenant = $1 AND kind = $2 AND id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text($3::text::json)))");
    IDS_THERE_ARE = "SELECT id FROM resources WHERE tenant = $1 AND kind = $2 AND id IN (SELECT unhex(value) FROM json_each($3))",
                    "SELECT id FROM resources WHERE tenant = $1 AND kind = $2 AND id = ANY (ARRAY(SELECT value::uuid FROM json_array_elements_text($3::text::json)))";
    BY_KEY = "SELECT r.id, r.doc, r.version, r.created, r.modified FROM resource_keys k JOIN resources r ON r.row_id = k.row_id AND r.tenant = k.tenant AND r.kind = k.kind
              WHERE k.tenant = $1 AND k.kind = $2 AND k.place = $3 AND k.key = $4 ORDER BY k.id LIMIT $5",
             "SELECT k.id, r.doc, r.version, r.created, r.modified FROM resource_keys k
              CROSS JOIN LATERAL (SELECT doc, version, created, modified FROM resources WHERE tenant = $1 AND kind = $2 AND id = k.id LIMIT 1) r
              WHERE k.tenant = $1 AND k.kind = $2 AND k.place = $3 AND k.key = $4 ORDER BY k.id LIMIT $5";
    IDS_OF_KEYS = "SELECT id FROM resource_keys WHERE tenant = $1 AND kind = $2 AND place = $3 AND key IN (SELECT value FROM json_each($4)) LIMIT $5",
                  "SELECT id FROM resource_keys WHERE tenant = $1 AND kind = $2 AND place = $3 AND key = ANY (ARRAY(SELECT json_array_elements_text($4::text::json))) LIMIT $5";
    IDS_OF_UNIQUE_KEYS = "SELECT id FROM resources WHERE tenant = $1 AND kind = $2 AND unique_key IN (SELECT value FROM json_each($3))",
                         "SELECT id FROM resources WHERE tenant = $1 AND kind = $2 AND unique_key = ANY (ARRAY(SELECT json_array_elements_text($3::text::json)))";
    IDS_BY_KEYS = "SELECT id FROM resource_keys WHERE tenant = $1 AND kind = $2 AND place = $3 AND key >= $4 AND key < $5 LIMIT $6";
    IDS_BY_UNIQUE_KEYS = "SELECT id FROM resources WHERE tenant = $1 AND kind = $2 AND unique_key >= $3 AND unique_key < $4 LIMIT $5";
}

/// Above every unique key: the last character there is, more often than any key has characters.
static ABOVE_ALL: LazyLock<String> = LazyLock::new(|| char::MAX.to_string().repeat(1024));

/// Which way an index is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From small to large.
    Up,
    /// From large to small.
    Down,
}

/// Counts a resource that was made (`1`) or deleted (`-1`), in the transaction that does it.
pub(crate) fn add_to_count(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    added: i64,
) -> Result<(), StoreError> {
    let slot = tx.slot();
    tx.send(&ADD, params![tenant, kind.code(), slot, added])
}

/// How many resources of a kind a tenant has. They are not counted now: the number is kept with them.
pub fn count(tx: &mut ReadTx<'_>, tenant: TenantKey, kind: ResourceKind) -> Result<u64, StoreError> {
    let count = tx.first(&COUNT, params![tenant, kind.code()], |row| row.int(0))?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// The resources that follow `after` by id, in that direction; `None` begins at the end where it starts. None are left when a chunk is
/// empty.
pub fn by_id_after(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    direction: Direction,
    after: Option<ResourceId>,
    chunk: Chunk,
) -> Result<Vec<ResourceRecord>, StoreError> {
    let (sql, bound) = match direction {
        Direction::Up => (&UP, above(after)),
        Direction::Down => (&DOWN, below(after)),
    };
    read(tx, sql, params![tenant, kind.code(), bound, i64::from(chunk.rows)], chunk)
}

/// The resources that follow `after` by unique key, in that direction; `None` begins at the end where it starts. Those without a unique
/// key are left out.
pub fn by_unique_key_after(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    direction: Direction,
    after: Option<&str>,
    chunk: Chunk,
) -> Result<Vec<ResourceRecord>, StoreError> {
    let (sql, bound) = match direction {
        Direction::Up => (&UNIQUE_UP, after.unwrap_or_default()),
        Direction::Down => (&UNIQUE_DOWN, after.unwrap_or(&ABOVE_ALL)),
    };
    read(tx, sql, params![tenant, kind.code(), bound, i64::from(chunk.rows)], chunk)
}

/// The id with that number by id, from 0, of so many. Costs a step of the index for each one before it, or behind it where these are fewer.
pub fn id_at(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    (number, of): (u64, u64),
) -> Result<Option<ResourceId>, StoreError> {
    let (sql, steps) = nearer(number, of, (&ID_AT, &ID_AT_BACK));
    tx.first(sql, params![tenant, kind.code(), steps], |row| row.id(0))
}

/// The unique key with that number, from 0, of so many: all resources of the kind must have one. Costs what [`id_at`] does.
pub fn unique_key_at(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    (number, of): (u64, u64),
) -> Result<Option<String>, StoreError> {
    let (sql, steps) = nearer(number, of, (&UNIQUE_KEY_AT, &UNIQUE_KEY_AT_BACK));
    tx.first(sql, params![tenant, kind.code(), steps], |row| row.text(0))
}

/// From which end to count, with the steps from there.
fn nearer(number: u64, of: u64, (up, down): (&'static Sql, &'static Sql)) -> (&'static Sql, i64) {
    let behind = of.checked_sub(number).and_then(|left| left.checked_sub(1));
    let (sql, steps) = match behind {
        Some(behind) if behind < number => (down, behind),
        _ => (up, number),
    };
    (sql, i64::try_from(steps).unwrap_or(i64::MAX))
}

/// The resources with these ids, in no order. The caller bounds how many they are.
pub fn by_ids(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    ids: &[ResourceId],
) -> Result<Vec<ResourceRecord>, StoreError> {
    let texts = texts(ids)?;
    let chunk = Chunk { rows: u32::MAX, bytes: usize::MAX };
    read(tx, &BY_IDS, params![tenant, kind.code(), &texts], chunk)
}

/// Those of these ids that are ids of resources, in no order. The caller bounds how many they are.
pub fn ids_there_are(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    ids: &[ResourceId],
) -> Result<Vec<ResourceId>, StoreError> {
    tx.all(&IDS_THERE_ARE, params![tenant, kind.code(), &texts(ids)?], |row| row.id(0))
}

/// Ids as a JSON array of their digits, which both databases read.
fn texts(ids: &[ResourceId]) -> Result<String, StoreError> {
    let texts: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
    json(&texts)
}

/// Texts as a JSON array. A NUL would pass as an escape there; see `tx`.
pub(crate) fn json<T: AsRef<str> + serde::Serialize>(texts: &[T]) -> Result<String, StoreError> {
    if texts.iter().any(|text| text.as_ref().contains('\0')) {
        return Err(StoreError::Internal("a text holds a NUL character".to_owned()));
    }
    serde_json::to_string(texts).map_err(|error| StoreError::Internal(error.to_string()))
}

/// Resources that have this key at that path, in the order of their ids, `limit` at the most.
pub fn by_key(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    (path, key): (&str, &str),
    limit: u32,
) -> Result<Vec<ResourceRecord>, StoreError> {
    let chunk = Chunk { rows: limit, bytes: usize::MAX };
    read(tx, &BY_KEY, params![tenant, kind.code(), stored(path), key, i64::from(limit)], chunk)
}

/// The ids of resources that have one of these keys at that path, in no order and once for each such key, `limit` at the most.
pub fn ids_by_keys(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    (path, keys): (&str, &[&str]),
    limit: u32,
) -> Result<Vec<ResourceId>, StoreError> {
    let keys = json(keys)?;
    tx.all(&IDS_OF_KEYS, params![tenant, kind.code(), stored(path), &keys, i64::from(limit)], |row| row.id(0))
}

/// The ids of resources that have one of these unique keys, in no order.
pub fn ids_by_unique_keys(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    keys: &[&str],
) -> Result<Vec<ResourceId>, StoreError> {
    tx.all(&IDS_OF_UNIQUE_KEYS, params![tenant, kind.code(), &json(keys)?], |row| row.id(0))
}

/// The ids of resources that have a key at that path which begins so, in no order and once for each such key, `limit` at the most.
pub fn ids_by_key_prefix(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    (path, prefix): (&str, &str),
    limit: u32,
) -> Result<Vec<ResourceId>, StoreError> {
    let end = after_prefix(prefix);
    tx.all(&IDS_BY_KEYS, params![tenant, kind.code(), stored(path), prefix, &end, i64::from(limit)], |row| row.id(0))
}

/// The ids of resources whose unique key begins so, in no order, `limit` at the most.
pub fn ids_by_unique_prefix(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    kind: ResourceKind,
    prefix: &str,
    limit: u32,
) -> Result<Vec<ResourceId>, StoreError> {
    let end = after_prefix(prefix);
    tx.all(&IDS_BY_UNIQUE_KEYS, params![tenant, kind.code(), prefix, &end, i64::from(limit)], |row| row.id(0))
}

/// The first text, by its bytes, that is above all which begin so.
fn after_prefix(prefix: &str) -> String {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        // Between the last one before the surrogates and the first one behind them there is no character.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            end.push(next);
            return end;
        }
    }
    ABOVE_ALL.clone()
}

#[cfg(test)]
mod tests;

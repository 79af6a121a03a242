//! References that are still to be written at a target (manager, members), and the memberships that were.
//!
//! A pending reference is a note to look: whether it is to be added, removed or dropped is decided from the present state
//! when both its ends exist at the target. So a manager or member that comes into scope late needs no restart.

use crate::changes::ObjectKind;
use crate::error::StoreError;
use crate::id::{AppId, GroupId, ObjectId, above};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A note to look at one reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReferenceRecord {
    /// What holds the reference: a user (manager) or a group (members).
    pub kind: ObjectKind,
    /// The holder in the directory.
    pub holder: ObjectId,
    /// `manager` or `members`.
    pub attribute: String,
    /// The object referred to, in the directory.
    pub wanted: ObjectId,
    /// Whether the holder was just created, so that the target is known to hold no such reference.
    pub fresh: bool,
}

statements! {
    // Ready when the holder is linked and the target knows the object referred to.
    WANT = "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
            SELECT $1, $2, $3, $4, $5, $6, CASE WHEN EXISTS (SELECT 1 FROM links WHERE app = $1 AND kind = $2 AND source_id = $3 AND state = 2)
                   AND EXISTS (SELECT 1 FROM links WHERE app = $1 AND kind = 1 AND source_id = $5 AND target_id IS NOT NULL) THEN 1 ELSE 0 END
            ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET fresh = excluded.fresh, ready = excluded.ready",
           "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
            SELECT $1::uuid, $2::bigint, $3::uuid, $4::text, $5::uuid, $6::bigint, CASE WHEN EXISTS (SELECT 1 FROM links WHERE app = $1 AND kind = $2 AND source_id = $3 AND state = 2)
                   AND EXISTS (SELECT 1 FROM links WHERE app = $1 AND kind = 1 AND source_id = $5 AND target_id IS NOT NULL) THEN 1 ELSE 0 END
            ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET fresh = excluded.fresh, ready = excluded.ready";
    // What waits for a user, and what the user waits for: the manager.
    READY_BY_USER = "UPDATE pending_references SET ready = 1 WHERE app = $1 AND ready = 0
                     AND ((wanted = $2 AND EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = pending_references.kind AND l.source_id = pending_references.holder AND l.state = 2))
                       OR (kind = 1 AND holder = $2 AND EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = 1 AND l.source_id = pending_references.wanted AND l.target_id IS NOT NULL)))";
    READY_BY_HOLDER = "UPDATE pending_references SET ready = 1 WHERE app = $1 AND kind = $2 AND holder = $3 AND ready = 0
                       AND EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = 1 AND l.source_id = pending_references.wanted AND l.target_id IS NOT NULL)";
    WAIT_FOR_WANTED = "UPDATE pending_references SET ready = 0 WHERE app = $1 AND wanted = $2";
    WAIT_FOR_HOLDER = "UPDATE pending_references SET ready = 0 WHERE app = $1 AND kind IN (1, 2) AND holder = $2";
    WANT_MEMBERS = "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                    SELECT $1, 2, m.group_id, 'members', m.member_id, 0, CASE WHEN EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = 1 AND l.source_id = m.member_id AND l.target_id IS NOT NULL) THEN 1 ELSE 0 END
                    FROM directory_members m WHERE m.group_id = $2 AND m.kind = 1
                    ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = excluded.ready",
                   "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                    SELECT $1::uuid, 2, m.group_id, 'members', m.member_id, 0, CASE WHEN EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = 1 AND l.source_id = m.member_id AND l.target_id IS NOT NULL) THEN 1 ELSE 0 END
                    FROM directory_members m WHERE m.group_id = $2 AND m.kind = 1
                    ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = excluded.ready";
    WANT_FORMER_MEMBERS = "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                           SELECT w.app, 2, w.holder, 'members', w.member, 0, 1 FROM member_links w WHERE w.app = $1 AND w.holder = $2
                           AND NOT EXISTS (SELECT 1 FROM directory_members m WHERE m.group_id = w.holder AND m.member_id = w.member)
                           AND EXISTS (SELECT 1 FROM links l WHERE l.app = w.app AND l.kind = 1 AND l.source_id = w.member AND l.target_id IS NOT NULL)
                           ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = 1";
    WANT_MEMBERSHIPS = "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                        SELECT $1, 2, m.group_id, 'members', m.member_id, 0, 1 FROM directory_members m
                        JOIN links l ON l.app = $1 AND l.kind = 2 AND l.source_id = m.group_id AND l.state = 2 WHERE m.member_id = $2
                        ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = 1",
                       "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                        SELECT $1::uuid, 2, m.group_id, 'members', m.member_id, 0, 1 FROM directory_members m
                        JOIN links l ON l.app = $1 AND l.kind = 2 AND l.source_id = m.group_id AND l.state = 2 WHERE m.member_id = $2
                        ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = 1";
    WANT_FORMER_MEMBERSHIPS = "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                               SELECT w.app, 2, w.holder, 'members', w.member, 0, 1 FROM member_links w
                               JOIN links l ON l.app = w.app AND l.kind = 2 AND l.source_id = w.holder AND l.state = 2 WHERE w.app = $1 AND w.member = $2
                               AND NOT EXISTS (SELECT 1 FROM directory_members m WHERE m.group_id = w.holder AND m.member_id = w.member)
                               ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = 1";
    WANT_WRITTEN = "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                    SELECT $1, 2, m.holder, 'members', $3, 0, CASE WHEN EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = 2 AND l.source_id = m.holder AND l.state = 2) THEN 1 ELSE 0 END
                    FROM member_links m WHERE m.app = $1 AND m.member = $2
                    ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = excluded.ready",
                   "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                    SELECT $1::uuid, 2, m.holder, 'members', $3::uuid, 0, CASE WHEN EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = 2 AND l.source_id = m.holder AND l.state = 2) THEN 1 ELSE 0 END
                    FROM member_links m WHERE m.app = $1 AND m.member = $2
                    ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = excluded.ready";
    WANT_NOTED = "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                    SELECT $1, 2, n.holder, 'members', $3, 0, CASE WHEN EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = 2 AND l.source_id = n.holder AND l.state = 2) THEN 1 ELSE 0 END
                    FROM pending_references n WHERE n.app = $1 AND n.kind = 2 AND n.wanted = $2
                    ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = excluded.ready",
                   "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready)
                    SELECT $1::uuid, 2, n.holder, 'members', $3::uuid, 0, CASE WHEN EXISTS (SELECT 1 FROM links l WHERE l.app = $1 AND l.kind = 2 AND l.source_id = n.holder AND l.state = 2) THEN 1 ELSE 0 END
                    FROM pending_references n WHERE n.app = $1 AND n.kind = 2 AND n.wanted = $2
                    ON CONFLICT (app, kind, holder, attribute, wanted) DO UPDATE SET ready = excluded.ready";
    INHERIT_MEMBERSHIPS = "INSERT INTO member_links (app, holder, member) SELECT app, holder, $3 FROM member_links WHERE app = $1 AND member = $2 ON CONFLICT DO NOTHING",
                          "INSERT INTO member_links (app, holder, member) SELECT app, holder, $3::uuid FROM member_links WHERE app = $1 AND member = $2 ON CONFLICT DO NOTHING";
    WANT_INHERITED = "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready) SELECT app, 2, $3, 'members', member, 0, 0 FROM member_links WHERE app = $1 AND holder = $2
                      ON CONFLICT (app, kind, holder, attribute, wanted) DO NOTHING",
                     "INSERT INTO pending_references (app, kind, holder, attribute, wanted, fresh, ready) SELECT app, 2, $3::uuid, 'members', member, 0, 0 FROM member_links WHERE app = $1 AND holder = $2
                      ON CONFLICT (app, kind, holder, attribute, wanted) DO NOTHING";
    INHERIT_MEMBERS = "INSERT INTO member_links (app, holder, member) SELECT app, $3, member FROM member_links WHERE app = $1 AND holder = $2 ON CONFLICT DO NOTHING",
                      "INSERT INTO member_links (app, holder, member) SELECT app, $3::uuid, member FROM member_links WHERE app = $1 AND holder = $2 ON CONFLICT DO NOTHING";
    FORGET_MEMBERSHIPS = "DELETE FROM pending_references WHERE app = $1 AND kind = 2 AND wanted = $2";
    IS_PRESENT = "SELECT 1 FROM member_links WHERE app = $1 AND member = $2 UNION SELECT 1 FROM pending_references WHERE app = $1 AND kind = 2 AND wanted = $2 AND ready = 1 LIMIT 1";
    HOLDERS_OF = "SELECT holder FROM member_links WHERE app = $1 AND member = $2 AND holder >= $3
                  UNION SELECT holder FROM pending_references WHERE app = $1 AND kind = 2 AND wanted = $2 AND holder >= $3 ORDER BY 1 LIMIT $4";
    READY_OF = "SELECT kind, holder, attribute, wanted, fresh FROM pending_references WHERE app = $1 AND ready = 1 AND kind = $2 AND holder = $3 AND wanted >= $4 ORDER BY attribute, wanted LIMIT $5";
    READY_HOLDERS = "SELECT holder FROM pending_references WHERE app = $1 AND ready = 1 AND kind = $2 AND holder >= $3 GROUP BY holder ORDER BY holder LIMIT $4";
    CLOSE = "DELETE FROM pending_references WHERE app = $1 AND kind = $2 AND holder = $3 AND attribute = $4 AND wanted = $5";
    FORGET_HOLDER = "DELETE FROM pending_references WHERE app = $1 AND kind = $2 AND holder = $3";
    FORGET_WANTED = "DELETE FROM pending_references WHERE app = $1 AND wanted = $2";
    DEFER = "UPDATE pending_references SET ready = 0 WHERE app = $1 AND kind = $2 AND holder = $3 AND attribute = $4 AND wanted = $5";
    COUNT = "SELECT COUNT(*) FROM pending_references WHERE app = $1";
    PUT_MEMBER = "INSERT INTO member_links (app, holder, member) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    DROP_MEMBER = "DELETE FROM member_links WHERE app = $1 AND holder = $2 AND member = $3";
    HAS_MEMBER = "SELECT 1 FROM member_links WHERE app = $1 AND holder = $2 AND member = $3";
    MEMBERS_OF = "SELECT member FROM member_links WHERE app = $1 AND holder = $2 AND member >= $3 ORDER BY member LIMIT $4";
    DROP_MEMBER_EVERYWHERE = "DELETE FROM member_links WHERE app = $1 AND member = $2";
    DROP_HOLDER = "DELETE FROM member_links WHERE app = $1 AND holder = $2";
}

fn reference(row: &Row<'_>) -> Result<ReferenceRecord, StoreError> {
    Ok(ReferenceRecord {
        kind: ObjectKind::from_code(row.int(0)?)?,
        holder: row.id(1)?,
        attribute: row.text(2)?,
        wanted: row.id(3)?,
        fresh: row.flag(4)?,
    })
}

/// Notes that a reference is to be looked at. It is ready at once when both its ends exist at the target.
pub fn want(tx: &mut WriteTx<'_>, app: AppId, reference: &ReferenceRecord) -> Result<(), StoreError> {
    tx.run(
        &WANT,
        params![app, reference.kind.code(), reference.holder, &reference.attribute, reference.wanted, reference.fresh],
    )
    .map(drop)
}

/// An object has become linked: whatever waited for it, on either end, is ready when the other end is there too.
pub fn linked(tx: &mut WriteTx<'_>, app: AppId, kind: ObjectKind, object: ObjectId) -> Result<(), StoreError> {
    if kind == ObjectKind::User {
        return tx.run(&READY_BY_USER, params![app, object]).map(drop);
    }
    tx.run(&READY_BY_HOLDER, params![app, kind.code(), object]).map(drop)
}

/// An object is no longer linked: what refers to it waits again, and memberships written with it are forgotten.
pub fn unlinked(tx: &mut WriteTx<'_>, app: AppId, object: ObjectId) -> Result<(), StoreError> {
    tx.run(&WAIT_FOR_WANTED, params![app, object])?;
    tx.run(&WAIT_FOR_HOLDER, params![app, object])?;
    tx.run(&DROP_MEMBER_EVERYWHERE, params![app, object])?;
    tx.run(&DROP_HOLDER, params![app, object]).map(drop)
}

/// Notes every user that is a direct member of a linked group, and everyone who is none any more but was written as one: who
/// left may have done so where no cycle has seen it. Says how many.
pub fn want_members(tx: &mut WriteTx<'_>, app: AppId, group: GroupId) -> Result<u64, StoreError> {
    Ok(tx.run(&WANT_MEMBERS, params![app, group])? + tx.run(&WANT_FORMER_MEMBERS, params![app, group])?)
}

/// Notes every membership of a user in groups that are linked, and those that were written and are there no more: the user may have
/// left where nothing was to be written. Says how many.
pub fn want_memberships(tx: &mut WriteTx<'_>, app: AppId, user: ObjectId) -> Result<u64, StoreError> {
    Ok(tx.run(&WANT_MEMBERSHIPS, params![app, user])? + tx.run(&WANT_FORMER_MEMBERSHIPS, params![app, user])?)
}

/// Notes for `now` every membership that the target has, or may have, of `before`: the two are one account, or one object.
pub fn want_present(tx: &mut WriteTx<'_>, app: AppId, before: ObjectId, now: ObjectId) -> Result<(), StoreError> {
    tx.run(&WANT_WRITTEN, params![app, before, now])?;
    tx.run(&WANT_NOTED, params![app, before, now]).map(drop)
}

/// Whether the target has, or may have, memberships of a user that are known here.
pub fn is_present(tx: &mut ReadTx<'_>, app: AppId, user: ObjectId) -> Result<bool, StoreError> {
    Ok(tx.first(&IS_PRESENT, params![app, user], |_| Ok(()))?.is_some())
}

/// Groups with an id above `after` in which the target has, or may have, a user, `limit` at the most.
pub fn holders_of(
    tx: &mut ReadTx<'_>,
    app: AppId,
    user: ObjectId,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Vec<ObjectId>, StoreError> {
    tx.all(&HOLDERS_OF, params![app, user, above(after), i64::from(limit)], |row| row.id(0))
}

/// The account of one object is another object's now: what the target has of its memberships, or of its members, is the
/// heir's, each noted to be looked at; the former has none.
pub fn inherit(
    tx: &mut WriteTx<'_>,
    app: AppId,
    kind: ObjectKind,
    former: ObjectId,
    heir: ObjectId,
) -> Result<(), StoreError> {
    if kind == ObjectKind::Group {
        tx.run(&WANT_INHERITED, params![app, former, heir])?;
        tx.run(&INHERIT_MEMBERS, params![app, former, heir])?;
        tx.run(&READY_BY_HOLDER, params![app, kind.code(), heir])?;
    } else {
        want_present(tx, app, former, heir)?;
        tx.run(&INHERIT_MEMBERSHIPS, params![app, former, heir])?;
        tx.run(&FORGET_MEMBERSHIPS, params![app, former])?;
    }
    unlinked(tx, app, former)?;
    forget_holder(tx, app, kind, former)
}

/// Holders of a kind that have ready references, with an id above `after`, `limit` at the most.
pub fn ready_holders(
    tx: &mut ReadTx<'_>,
    app: AppId,
    kind: ObjectKind,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Vec<ObjectId>, StoreError> {
    tx.all(&READY_HOLDERS, params![app, kind.code(), above(after), i64::from(limit)], |row| row.id(0))
}

/// Ready references of one holder to objects with an id above `after`, `limit` at the most.
pub fn ready_of(
    tx: &mut ReadTx<'_>,
    app: AppId,
    kind: ObjectKind,
    holder: ObjectId,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Vec<ReferenceRecord>, StoreError> {
    tx.all(&READY_OF, params![app, kind.code(), holder, above(after), i64::from(limit)], reference)
}

/// Closes a note that was dealt with: removes it.
pub fn close(tx: &mut WriteTx<'_>, app: AppId, reference: &ReferenceRecord) -> Result<(), StoreError> {
    tx.run(&CLOSE, params![app, reference.kind.code(), reference.holder, &reference.attribute, reference.wanted])
        .map(drop)
}

/// Removes all notes of a holder.
pub fn forget_holder(tx: &mut WriteTx<'_>, app: AppId, kind: ObjectKind, holder: ObjectId) -> Result<(), StoreError> {
    tx.run(&FORGET_HOLDER, params![app, kind.code(), holder]).map(drop)
}

/// Removes all notes that wait for an object: it is gone from the directory.
pub fn forget_wanted(tx: &mut WriteTx<'_>, app: AppId, wanted: ObjectId) -> Result<(), StoreError> {
    tx.run(&FORGET_WANTED, params![app, wanted]).map(drop)
}

/// Lets a note wait until either end changes: the target refused it.
pub fn defer(tx: &mut WriteTx<'_>, app: AppId, reference: &ReferenceRecord) -> Result<(), StoreError> {
    tx.run(&DEFER, params![app, reference.kind.code(), reference.holder, &reference.attribute, reference.wanted])
        .map(drop)
}

/// How many notes an application has.
pub fn count(tx: &mut ReadTx<'_>, app: AppId) -> Result<u64, StoreError> {
    Ok(tx.first(&COUNT, params![app], |row| row.int(0))?.unwrap_or(0).unsigned_abs())
}

/// Records that a membership was written at the target.
pub fn put_member(tx: &mut WriteTx<'_>, app: AppId, group: ObjectId, member: ObjectId) -> Result<(), StoreError> {
    tx.run(&PUT_MEMBER, params![app, group, member]).map(drop)
}

/// Records that a membership was removed at the target.
pub fn drop_member(tx: &mut WriteTx<'_>, app: AppId, group: ObjectId, member: ObjectId) -> Result<(), StoreError> {
    tx.run(&DROP_MEMBER, params![app, group, member]).map(drop)
}

/// Whether a membership was written at the target.
pub fn has_member(tx: &mut ReadTx<'_>, app: AppId, group: ObjectId, member: ObjectId) -> Result<bool, StoreError> {
    Ok(tx.first(&HAS_MEMBER, params![app, group, member], |_| Ok(()))?.is_some())
}

/// Members written at the target with an id above `after`, `limit` at the most.
pub fn written_members(
    tx: &mut ReadTx<'_>,
    app: AppId,
    group: ObjectId,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Vec<ObjectId>, StoreError> {
    tx.all(&MEMBERS_OF, params![app, group, above(after), i64::from(limit)], |row| row.id(0))
}

#[cfg(test)]
mod tests;

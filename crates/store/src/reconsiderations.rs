//! When time alone may next change whether an object is in the scope of a job, so that a cycle looks at those whose time has come and at
//! nobody else. What makes an object's time come is decided elsewhere.

use jiff::Timestamp;

use crate::changes::ObjectKind;
use crate::error::StoreError;
use crate::id::{AppId, ObjectId};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// When an object is to be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconsideration {
    /// User or group.
    pub kind: ObjectKind,
    /// The directory's object.
    pub source_id: ObjectId,
    /// From then on.
    pub due: Timestamp,
}

statements! {
    PUT = "INSERT INTO reconsiderations (app, kind, source_id, due) VALUES ($1, $2, $3, $4) ON CONFLICT (app, kind, source_id) DO UPDATE SET due = excluded.due";
    ONE = "SELECT due FROM reconsiderations WHERE app = $1 AND kind = $2 AND source_id = $3";
    DUE = "SELECT kind, source_id, due FROM reconsiderations WHERE app = $1 AND due <= $2 AND (due, kind, source_id) > ($3, $4, $5) ORDER BY due, kind, source_id LIMIT $6";
    DONE = "DELETE FROM reconsiderations WHERE app = $1 AND kind = $2 AND source_id = $3 AND due = $4";
    DELETE = "DELETE FROM reconsiderations WHERE app = $1 AND kind = $2 AND source_id = $3";
    DELETE_ALL = "DELETE FROM reconsiderations WHERE app = $1";
}

fn reconsideration(row: &Row<'_>) -> Result<Reconsideration, StoreError> {
    Ok(Reconsideration { kind: ObjectKind::from_code(row.int(0)?)?, source_id: row.id(1)?, due: row.time(2)? })
}

/// Keeps when an object is to be looked at again, in place of what was kept; `None`: never.
pub fn put(
    tx: &mut WriteTx<'_>,
    app: AppId,
    kind: ObjectKind,
    source: ObjectId,
    due: Option<Timestamp>,
) -> Result<(), StoreError> {
    match due {
        Some(due) => tx.run(&PUT, params![app, kind.code(), source, due]).map(drop),
        None => tx.run(&DELETE, params![app, kind.code(), source]).map(drop),
    }
}

/// When an object is to be looked at again, if ever.
pub fn of(
    tx: &mut ReadTx<'_>,
    app: AppId,
    kind: ObjectKind,
    source: ObjectId,
) -> Result<Option<Timestamp>, StoreError> {
    tx.first(&ONE, params![app, kind.code(), source], |row| row.time(0))
}

/// What is due, the longest overdue first, those that follow `after`, `limit` at the most.
pub fn due(
    tx: &mut ReadTx<'_>,
    app: AppId,
    now: Timestamp,
    after: Option<Reconsideration>,
    limit: u32,
) -> Result<Vec<Reconsideration>, StoreError> {
    let (at, kind, id) = after.map_or((Timestamp::MIN, 0, ObjectId::new(uuid::Uuid::nil())), |after| {
        (after.due, after.kind.code(), after.source_id)
    });
    tx.all(&DUE, params![app, now, at, kind, id, i64::from(limit)], reconsideration)
}

/// The object was looked at: it is not again, unless another moment has been kept for it meanwhile.
pub fn done(tx: &mut WriteTx<'_>, app: AppId, one: Reconsideration) -> Result<(), StoreError> {
    tx.run(&DONE, params![app, one.kind.code(), one.source_id, one.due]).map(drop)
}

/// Forgets all of an application.
pub(crate) fn forget(tx: &mut WriteTx<'_>, app: AppId) -> Result<(), StoreError> {
    tx.run(&DELETE_ALL, params![app]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{numbered, on_both, second};

    #[test]
    fn who_is_due_comes_in_order_and_once() {
        on_both(|store| async move {
            let app: AppId = numbered(1);
            let other: AppId = numbered(2);
            let one = |number: u128, at: i64| Reconsideration {
                kind: ObjectKind::User,
                source_id: numbered(number),
                due: second(at),
            };
            let told = store.write(move |tx| {
                for (app, one) in
                    [(app, one(12, 3)), (app, one(11, 3)), (app, one(13, 9)), (app, one(14, 1)), (other, one(15, 1))]
                {
                    put(tx, app, one.kind, one.source_id, Some(one.due))?;
                }
                put(tx, app, ObjectKind::User, numbered(14), Some(second(2)))?;
                let first = due(tx, app, second(3), None, 2)?;
                let rest = due(tx, app, second(3), first.last().copied(), 2)?;
                // One was given another time while it was looked at, one was not.
                put(tx, app, ObjectKind::User, numbered(11), Some(second(8)))?;
                done(tx, app, one(11, 3))?;
                done(tx, app, one(12, 3))?;
                put(tx, app, ObjectKind::User, numbered(14), None)?;
                let left = due(tx, app, second(9), None, 9)?;
                assert_eq!(of(tx, app, ObjectKind::User, numbered(11))?, Some(second(8)));
                forget(tx, app)?;
                let gone = due(tx, app, second(9), None, 9)?;
                Ok::<_, StoreError>((first, rest, left, gone, due(tx, other, second(9), None, 9)?))
            });
            let expected = (
                vec![one(14, 2), one(11, 3)],
                vec![one(12, 3)],
                vec![one(11, 8), one(13, 9)],
                vec![],
                vec![one(15, 1)],
            );
            assert_eq!(told.await.unwrap(), expected);
        });
    }
}

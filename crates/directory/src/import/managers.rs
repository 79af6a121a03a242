//! The second pass over users: managers who came later in the file than the people they manage.

use std::collections::VecDeque;
use std::sync::Arc;

use store::{ReadTx, StoreError, UserId, WriteTx};

use super::report::{ImportError, Problem};
use super::run::{BATCH_ROWS, Deferred, Done, Job, Later, Tally, in_transaction, unless_broken};
use crate::error::DirectoryError;
use crate::user::{self, name_key};

/// What became of a deferred manager.
enum Found {
    /// The manager is there; says whether that changed the user.
    Yes(bool),
    /// Nobody has that name or id in the database.
    No,
}

/// Sets the managers that are left, a batch at a time.
pub(super) async fn set(job: &Job<'_>, tally: &mut Tally) -> Result<(), ImportError> {
    let mut left = VecDeque::from(std::mem::take(&mut tally.deferred));
    while !left.is_empty() {
        job.go_on()?;
        let batch: Arc<Vec<Deferred>> = Arc::new(left.drain(..left.len().min(BATCH_ROWS)).collect());
        let (shared, now) = (Arc::clone(&batch), job.import.now);
        let outcomes = in_transaction(job, move |tx| {
            shared.iter().map(|row| unless_broken(set_one(tx, &row.later, now))).collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
        for (row, outcome) in batch.iter().zip(outcomes) {
            count(tally, row, outcome);
        }
    }
    Ok(())
}

fn set_one(tx: &mut WriteTx<'_>, later: &Later, now: jiff::Timestamp) -> Result<Found, DirectoryError> {
    let manager = match user::find_user(tx, &later.manager) {
        Ok(manager) => manager.id,
        Err(DirectoryError::NotFound { .. }) => return Ok(Found::No),
        Err(other) => return Err(other),
    };
    set_manager(tx, later.user, manager, now).map(Found::Yes)
}

fn set_manager(
    tx: &mut WriteTx<'_>,
    id: UserId,
    manager: UserId,
    now: jiff::Timestamp,
) -> Result<bool, DirectoryError> {
    let Some(before) = load(tx, id)? else { return Ok(true) };
    let after = user::User { manager: Some(manager), ..before.clone() };
    user::update(tx, &before, after, now).map(|(_, changed)| changed)
}

/// The user; in a dry run a new one is not there.
fn load(tx: &mut ReadTx<'_>, id: UserId) -> Result<Option<user::User>, DirectoryError> {
    Ok(user::user(tx, id)?.filter(|user| user.deleted.is_none()))
}

fn count(tally: &mut Tally, row: &Deferred, outcome: Result<Found, DirectoryError>) {
    let planned = |name: &str| name_key(name).is_ok_and(|key| tally.names.contains(&key)) || tally.names.contains(name);
    let changed = match outcome {
        Ok(Found::Yes(changed)) => changed,
        Ok(Found::No) if planned(&row.later.manager) => true,
        Ok(Found::No) => return without(tally, row, &DirectoryError::not_found("user", &row.later.manager)),
        Err(error) => return without(tally, row, &error),
    };
    if changed && row.done == Done::Unchanged {
        tally.report.unchanged -= 1;
        tally.report.updated += 1;
    }
}

fn without(tally: &mut Tally, row: &Deferred, error: &DirectoryError) {
    tally.report.without_manager += 1;
    let message = format!("{error}; the row was imported without its manager");
    tally.problem(Problem { line: row.line, failed: false, column: Some("manager".to_owned()), message });
}

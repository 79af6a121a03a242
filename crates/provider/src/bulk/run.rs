//! A few operations of a bulk request in one transaction. It may run more than once, where the database gives a first attempt up.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use scim::bulk::BulkMethod;
use store::resources::ResourceKind;
use store::{ResourceId, StoreError, WriteTx};

use super::{BATCH_EFFORT_MAX, Task};
use crate::{Changed, Deleted, ProviderError, WriteAccess, changing, deletion, resource};

/// Operations that are tried in one transaction.
#[derive(Debug)]
pub struct Batch {
    /// Those of one entry are done together or not at all.
    pub(super) units: Vec<Vec<Turn>>,
    pub(super) errors_left: u64,
    /// The operations that failed before.
    pub(super) failed: Arc<BTreeSet<usize>>,
}

#[derive(Debug)]
pub(super) struct Turn {
    pub(super) number: usize,
    pub(super) needs: Vec<usize>,
    /// `None` for one that is refused already.
    pub(super) task: Option<Arc<Task>>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// How.
    pub method: BulkMethod,
    /// What kind of resource it is.
    pub kind: ResourceKind,
    /// Its id.
    pub id: ResourceId,
    /// The version that it is at now; `None` where it is gone.
    pub version: Option<i64>,
    /// Whether a single request would have been answered with the resource.
    pub is_whole: bool,
}

/// What came of a batch: its first operations, with what they came to.
#[derive(Debug)]
pub struct Ran {
    pub(super) results: Vec<(usize, Outcome)>,
    pub(super) spent: u64,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Done(Done),
    Failed(ProviderError),
    /// For the reason that is known already.
    Refused,
    /// Because the operation with that number failed.
    Needs(usize),
}

impl Batch {
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.units.iter().flatten().map(|turn| turn.number)
    }
}

/// Does the operations of a batch in order, each as a whole or not at all, until it has cost enough or enough have failed.
///
/// # Errors
/// Those of the database, which end the transaction.
pub fn run_batch(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    batch: &Batch,
    now: Timestamp,
) -> Result<Ran, ProviderError> {
    let begun = tx.spent();
    if batch.units.len() > 1 {
        // One that is alone keeps nobody waiting for something else than it asks for.
        tx.wait_briefly()?;
    }
    let mut failed = BTreeSet::clone(&batch.failed);
    let (mut results, mut errors_left) = (Vec::new(), batch.errors_left);
    for unit in &batch.units {
        if errors_left == 0 || !results.is_empty() && tx.spent() - begun >= BATCH_EFFORT_MAX {
            break;
        }
        let outcomes = match unit.as_slice() {
            [turn] => match run_one(tx, access, turn, &failed, now)? {
                Some(outcome) => vec![outcome],
                None => break,
            },
            circle => run_circle(tx, access, circle, &failed, now)?,
        };
        for (turn, outcome) in unit.iter().zip(outcomes) {
            if !matches!(outcome, Outcome::Done(_)) {
                failed.insert(turn.number);
                errors_left = errors_left.saturating_sub(1);
            }
            results.push((turn.number, outcome));
        }
    }
    Ok(Ran { results, spent: tx.spent() - begun })
}

/// `None` where there is more to do of the operation, in another transaction.
fn run_one(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    turn: &Turn,
    failed: &BTreeSet<usize>,
    now: Timestamp,
) -> Result<Option<Outcome>, StoreError> {
    if let Some(other) = turn.needs.iter().find(|other| failed.contains(other)) {
        return Ok(Some(Outcome::Needs(*other)));
    }
    let Some(task) = &turn.task else { return Ok(Some(Outcome::Refused)) };
    Ok(match tx.part(|tx| task.run(tx, access, now))? {
        Ok(done) => done.map(Outcome::Done),
        Err(error) => Some(Outcome::Failed(error)),
    })
}

/// One of several operations failed.
struct Failure {
    at: usize,
    error: ProviderError,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { at: 0, error: error.into() }
    }
}

/// Makes resources that speak of each other: first all of them, then their members.
fn run_circle(
    tx: &mut WriteTx<'_>,
    access: WriteAccess<'_>,
    circle: &[Turn],
    failed: &BTreeSet<usize>,
    now: Timestamp,
) -> Result<Vec<Outcome>, StoreError> {
    let lost = |turn: &Turn| turn.needs.iter().find(|other| failed.contains(other)).copied();
    let is_lost = |turn: &&Turn| turn.task.is_none() || lost(turn).is_some();
    if let Some(first) = circle.iter().find(is_lost) {
        // The others need this one, if not directly, then by way of each other.
        return Ok(circle
            .iter()
            .map(|turn| match (&turn.task, lost(turn)) {
                (None, _) => Outcome::Refused,
                (Some(_), Some(other)) => Outcome::Needs(other),
                (Some(_), None) => Outcome::Needs(first.number),
            })
            .collect());
    }
    let tasks: Vec<&Task> = circle.iter().filter_map(|turn| turn.task.as_deref()).collect();
    let made = tx.part(|tx| {
        for (at, task) in tasks.iter().enumerate() {
            if let Task::Create(new) = task {
                resource::insert(tx, access.caller(), new).map_err(|error| Failure { at, error })?;
            }
        }
        let mut done = Vec::new();
        for (at, task) in tasks.iter().enumerate() {
            let joined = match task {
                Task::Create(new) => resource::join(tx, access.caller(), new).map(|_| Done::made(new)),
                Task::Replace(..) | Task::Patch(..) | Task::Delete(..) | Task::Unfit(..) => loop {
                    if let Some(done) = task.run(tx, access, now).transpose() {
                        break done;
                    }
                },
            };
            done.push(joined.map_err(|error| Failure { at, error })?);
        }
        Ok::<_, Failure>(done)
    })?;
    Ok(match made {
        Ok(done) => done.into_iter().map(Outcome::Done).collect(),
        Err(Failure { at, error }) => {
            let mut outcomes: Vec<_> = circle.iter().map(|_| Outcome::Needs(circle[at].number)).collect();
            outcomes[at] = Outcome::Failed(error);
            outcomes
        }
    })
}

impl Done {
    const fn made(new: &crate::NewResource) -> Self {
        let (kind, id, version) = (new.kind, new.record.id, Some(new.record.version));
        Self { method: BulkMethod::Post, kind, id, version, is_whole: true }
    }

    const fn changed(method: BulkMethod, id: ResourceId, changed: &Changed) -> Self {
        Self { method, kind: changed.kind(), id, version: Some(changed.version()), is_whole: changed.is_whole() }
    }
}

impl Task {
    /// The same use case as that of a single request; `None` where a part of it is done.
    fn run(
        &self,
        tx: &mut WriteTx<'_>,
        access: WriteAccess<'_>,
        now: Timestamp,
    ) -> Result<Option<Done>, ProviderError> {
        Ok(Some(match self {
            Self::Create(new) => resource::create(tx, access, new).map(|_| Done::made(new))?,
            Self::Replace(id, replacement, version) => {
                let changed = changing::replace(tx, access, *id, replacement, version, now)?;
                Done::changed(BulkMethod::Put, *id, &changed)
            }
            Self::Patch(id, patch, version) => {
                let changed = changing::patch(tx, access, *id, patch, version, now)?;
                Done::changed(BulkMethod::Patch, *id, &changed)
            }
            Self::Unfit(kind, id, refusal) => {
                let is_there = resource::exists(tx, access.caller(), *kind, *id)?;
                return Err(if is_there { refusal.clone().into() } else { access.caller().not_found(*kind) });
            }
            Self::Delete(kind, id, version) => {
                // What the request does not come to is not attempted, so that nothing is noted of it.
                if deletion::delete_part(tx, access.caller(), (*kind, *id), version, now)?.0 == Deleted::Leaving {
                    return Ok(None);
                }
                Done { method: BulkMethod::Delete, kind: *kind, id: *id, version: None, is_whole: false }
            }
        }))
    }
}

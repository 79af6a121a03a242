//! Bulk requests (RFC 7644 §3.7): many operations in short transactions, each operation kept as a whole or not at all.
//!
//! [`Bulk`] says what comes next and keeps what came of it; [`run_batch`] does a few operations in one transaction by the same use cases
//! as single requests. Between two batches others write.

mod place;
mod run;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use scim::ScimError;
use scim::bulk::{BulkEntry, BulkError, BulkId, BulkMethod, BulkOperation, BulkRequest};
use serde_json::Value;
use store::resources::ResourceKind;
use store::{ResourceId, StoreError};

use place::Place;
pub use run::{Batch, Done, Ran, run_batch};

use crate::{Caller, NewResource, Patch, Precondition, ProviderError, Replacement};

/// Longest body of a bulk request, in bytes; what reads bodies holds them to it.
pub const BULK_BYTES_MAX: usize = 1 << 20;
/// Most operations in one transaction, but for those of one circle.
pub const BATCH_OPERATIONS_MAX: usize = 32;
/// What a transaction may have cost, in statements and rows, before it takes up another operation: about ten milliseconds, for which
/// others wait where there is one writer.
pub const BATCH_EFFORT_MAX: u64 = 1_000;
/// What a bulk request may cost in all, in statements and rows. What is left undone then is refused.
pub const BULK_EFFORT_MAX: u64 = 500_000;
/// Most operations that may speak of each other in a circle: they are done together or not at all.
pub const CIRCLE_OPERATIONS_MAX: usize = 100;

/// A bulk request while it is worked off.
#[derive(Debug)]
pub struct Bulk {
    /// The address of the tenant's endpoint.
    base: String,
    fail_on_errors: Option<u64>,
    entries: Vec<Entry>,
    /// What is left to do; the operations of one entry are done together.
    left: VecDeque<Vec<usize>>,
    /// Operations, of those that are left, that are tried in a transaction of their own, because one that they shared failed.
    alone: usize,
    failed: Arc<BTreeSet<usize>>,
    spent: u64,
    max: u64,
}

#[derive(Debug)]
struct Entry {
    method: Option<String>,
    bulk_id: Option<String>,
    /// Where its kind of resource lives, between slashes.
    endpoint: String,
    /// The id of the resource it is about.
    target: Option<String>,
    needs: Vec<usize>,
    step: Step,
    outcome: Option<Result<Done, ProviderError>>,
}

/// How far an operation is.
#[derive(Debug)]
enum Step {
    /// It cannot be done; the reason is taken when it is its turn.
    Refused(Option<ProviderError>),
    /// As it was sent.
    Sent(Box<BulkOperation>),
    /// Ready to be done, once or more often.
    Ready(Arc<Task>),
}

/// What is to be done in the transaction.
#[derive(Debug)]
pub(crate) enum Task {
    Create(NewResource),
    Replace(ResourceId, Replacement, Precondition),
    Patch(ResourceId, Patch, Precondition),
    Delete(ResourceKind, ResourceId, Precondition),
    /// A PUT that is refused for this, unless there is no such resource.
    Unfit(ResourceKind, ResourceId, ScimError),
}

/// What came of one operation.
#[derive(Debug)]
pub struct BulkAnswer {
    /// Its `method`, where it had one.
    pub method: Option<String>,
    /// Its `bulkId`.
    pub bulk_id: Option<String>,
    /// Where the resource is below the tenant's address, such as `/Users/id`; `None` for one that was not made.
    pub path: Option<String>,
    /// What was done, or why not.
    pub outcome: Result<Done, ProviderError>,
}

impl Bulk {
    /// Reads the body of a bulk request. `base` is the address of the tenant's endpoint, `ids` makes the id of a new resource.
    ///
    /// # Errors
    /// [`ProviderError::TooLarge`] for too many operations; else as [`BulkRequest::read`].
    pub fn read(
        caller: &Caller,
        body: Value,
        base: &str,
        mut ids: impl FnMut() -> ResourceId,
    ) -> Result<Self, ProviderError> {
        let paths = place::paths(&body);
        let types = |endpoint: &str| caller.resource_type(kind_at(caller, endpoint).ok()?).ok();
        let request = BulkRequest::read_as(body, types, || ids().to_string()).map_err(|error| match error {
            BulkError::Scim(error) => ProviderError::Scim(error),
            BulkError::TooManyOperations => ProviderError::TooLarge(format!(
                "the request exceeds maxOperations: it has at most {} operations",
                scim::limits::BULK_OPERATIONS_MAX
            )),
        })?;
        let left = request.order().into();
        let chosen: Vec<Option<String>> =
            request.entries.iter().map(|entry| entry.operation.as_ref().ok()?.chosen.clone()).collect();
        let mut places = place::of_refused(&paths, &request.entries);
        let numbered = request.entries.into_iter().enumerate();
        let entries =
            numbered.map(|(number, entry)| Entry::new(caller, entry, &chosen, places.remove(&number))).collect();
        let (fail_on_errors, failed) = (request.fail_on_errors, Arc::default());
        let base = base.to_owned();
        Ok(Self { base, fail_on_errors, entries, left, alone: 0, failed, spent: 0, max: BULK_EFFORT_MAX })
    }

    /// How many operations it has.
    pub const fn operations(&self) -> usize {
        self.entries.len()
    }

    /// The operations that come next, `operations_max` at the most but for those of one circle; `None` when nothing is left, or nothing
    /// more is to be done.
    pub fn next(&mut self, caller: &Caller, now: Timestamp, operations_max: usize) -> Option<Batch> {
        if self.spent >= self.max {
            self.refuse_the_rest();
        }
        let errors_left = match self.fail_on_errors {
            None => u64::MAX,
            Some(errors) => errors.saturating_sub(self.failed.len() as u64),
        };
        let most = if self.alone > 0 { 1 } else { operations_max.min(BATCH_OPERATIONS_MAX) };
        let (mut units, mut taken) = (Vec::new(), 0);
        while errors_left > 0
            && let Some(next) = self.left.front()
            && (units.is_empty() || taken + next.len() <= most)
        {
            let unit = self.left.pop_front()?;
            taken += unit.len();
            self.prepare(caller, &unit, now);
            units.push(unit.into_iter().map(|number| self.entries[number].turn(number)).collect());
        }
        (!units.is_empty()).then(|| Batch { units, errors_left, failed: Arc::clone(&self.failed) })
    }

    /// Reads what the operations say, which needs no transaction.
    fn prepare(&mut self, caller: &Caller, unit: &[usize], now: Timestamp) {
        let is_too_long = unit.len() > CIRCLE_OPERATIONS_MAX;
        for number in unit {
            let step = &mut self.entries[*number].step;
            if is_too_long {
                *step = Step::Refused(Some(ProviderError::Conflict(format!(
                    "more than {CIRCLE_OPERATIONS_MAX} operations speak of each other in a circle; make the resources first \
                     and add the references after"
                ))));
            }
            if let Step::Sent(operation) = step {
                *step = match Task::prepare(caller, &self.base, operation, now) {
                    Ok(task) => Step::Ready(Arc::new(task)),
                    Err(error) => Step::Refused(Some(error)),
                };
            }
        }
    }

    /// Keeps what came of a batch. What it left undone comes next.
    pub fn settle(&mut self, batch: &Batch, ran: Ran) {
        self.spent = self.spent.saturating_add(ran.spent);
        let done = ran.results.len();
        for (number, result) in ran.results {
            let outcome = self.outcome(number, result);
            self.keep(number, outcome);
        }
        self.give_back(batch, done);
        self.alone = self.alone.saturating_sub(done);
    }

    /// Keeps that a batch failed as a whole. Where one of its operations may be to blame, each is tried alone.
    pub fn settle_failed(&mut self, batch: &Batch, error: &StoreError) {
        let is_shared = matches!(error, StoreError::Busy | StoreError::Full | StoreError::Unavailable(_));
        if batch.units.len() > 1 && !is_shared {
            self.alone = batch.numbers().count();
            self.give_back(batch, 0);
            return;
        }
        self.alone = self.alone.saturating_sub(batch.numbers().count());
        for number in batch.numbers() {
            self.keep(number, Err(ProviderError::Store(error.clone())));
        }
    }

    fn give_back(&mut self, batch: &Batch, done: usize) {
        let mut before = 0;
        let mut undone = Vec::new();
        for unit in &batch.units {
            if before >= done {
                undone.push(unit.iter().map(|turn| turn.number).collect());
            }
            before += unit.len();
        }
        for unit in undone.into_iter().rev() {
            self.left.push_front(unit);
        }
    }

    fn keep(&mut self, number: usize, outcome: Result<Done, ProviderError>) {
        if outcome.is_err() {
            Arc::make_mut(&mut self.failed).insert(number);
        }
        self.entries[number].outcome = Some(outcome);
    }

    fn outcome(&mut self, number: usize, result: run::Outcome) -> Result<Done, ProviderError> {
        match result {
            run::Outcome::Done(done) => Ok(done),
            run::Outcome::Failed(error) => Err(error),
            run::Outcome::Refused => match &mut self.entries[number].step {
                Step::Refused(reason) => Err(reason.take().unwrap_or(ProviderError::Scim(undone()))),
                Step::Sent(_) | Step::Ready(_) => Err(ProviderError::Scim(undone())),
            },
            run::Outcome::Needs(other) => {
                let bulk_id = self.entries[other].bulk_id.as_deref().unwrap_or_default();
                let shown: String =
                    bulk_id.chars().take(scim::limits::ECHO_CHARS_MAX).flat_map(char::escape_default).collect();
                Err(ProviderError::Conflict(format!(
                    "the operation with the bulkId '{shown}' failed, which this one needs"
                )))
            }
        }
    }

    fn refuse_the_rest(&mut self) {
        while let Some(unit) = self.left.pop_front() {
            for number in unit {
                if self.fail_on_errors.is_some_and(|errors| self.failed.len() as u64 >= errors) {
                    return;
                }
                let detail =
                    "the operations done so far cost as much as a bulk request may; send the rest in another one";
                self.keep(number, Err(ProviderError::TooLarge(detail.to_owned())));
            }
        }
    }

    /// What came of the operations, in the client's order; those that were not attempted are left out.
    pub fn answers(self) -> impl Iterator<Item = BulkAnswer> {
        self.entries.into_iter().filter_map(Entry::answer)
    }

    #[cfg(test)]
    pub(crate) const fn limited_to(mut self, effort: u64) -> Self {
        self.max = effort;
        self
    }
}

fn undone() -> ScimError {
    ScimError::invalid_syntax("the operation cannot be read")
}

impl Entry {
    /// `place` is where an operation leads that cannot be read.
    fn new(caller: &Caller, entry: BulkEntry, chosen: &[Option<String>], place: Option<Place>) -> Self {
        let BulkEntry { method, bulk_id, operation } = entry;
        let placed = operation.map_err(ProviderError::Scim).and_then(|mut operation| {
            let kind = kind_at(caller, &operation.endpoint)?;
            if let Some(BulkId::Made(by)) = &operation.target {
                operation.target = chosen.get(*by).cloned().flatten().map(BulkId::Known);
            }
            Ok((kind, operation))
        });
        let (endpoint, target, needs, step) = match placed {
            Err(error) => {
                let known = place.and_then(|(name, id)| Some((kind_at(caller, &name).ok()?, id)));
                let (endpoint, target) =
                    known.map_or_else(Default::default, |(kind, id)| (caller.endpoint(kind).to_owned(), Some(id)));
                (endpoint, target, Vec::new(), Step::Refused(Some(error)))
            }
            Ok((kind, mut operation)) => {
                let target = match &operation.target {
                    Some(BulkId::Known(id)) => Some(id.clone()),
                    Some(BulkId::Made(_)) | None => None,
                };
                let needs = std::mem::take(&mut operation.needs);
                (caller.endpoint(kind).to_owned(), target, needs, Step::Sent(Box::new(operation)))
            }
        };
        Self { method, bulk_id, endpoint, target, needs, step, outcome: None }
    }

    fn turn(&self, number: usize) -> run::Turn {
        let task = match &self.step {
            Step::Ready(task) => Some(Arc::clone(task)),
            Step::Refused(_) | Step::Sent(_) => None,
        };
        run::Turn { number, needs: self.needs.clone(), task }
    }

    fn answer(self) -> Option<BulkAnswer> {
        let outcome = self.outcome?;
        let id = match &outcome {
            Ok(done) => Some(done.id.to_string()),
            Err(_) => self.target,
        };
        let path = id.map(|id| format!("{}{id}", self.endpoint));
        Some(BulkAnswer { method: self.method, bulk_id: self.bulk_id, path, outcome })
    }
}

/// The kind of resource that lives at an endpoint. That an application has no groups is found out by who makes one.
fn kind_at(caller: &Caller, name: &str) -> Result<ResourceKind, ProviderError> {
    let kind = if name == "Groups" { Some(ResourceKind::Group) } else { caller.profile().kind_at(name) };
    kind.ok_or_else(|| {
        ScimError::invalid_path("the 'path' of an operation begins with a resource type's endpoint, such as /Users")
            .into()
    })
}

impl Task {
    fn prepare(
        caller: &Caller,
        base: &str,
        operation: &mut BulkOperation,
        now: Timestamp,
    ) -> Result<Self, ProviderError> {
        let kind = kind_at(caller, &operation.endpoint)?;
        let data = operation.data.take();
        let named = match (operation.method, &operation.target, &operation.chosen) {
            (BulkMethod::Post, _, Some(id)) | (_, Some(BulkId::Known(id)), _) => ResourceId::exact(id),
            _ => None,
        };
        let id = named.ok_or_else(|| caller.not_found(kind))?;
        let version = operation.version.as_deref().map_or(Ok(Precondition::None), str::parse)?;
        Ok(match operation.method {
            BulkMethod::Post => Self::Create(NewResource::prepare(caller, kind, data, id, now)?),
            BulkMethod::Put => match Replacement::prepare(caller, kind, data) {
                Ok(replacement) => Self::Replace(id, replacement, version),
                Err(ProviderError::Scim(refusal)) => Self::Unfit(kind, id, refusal),
                Err(other) => return Err(other),
            },
            BulkMethod::Patch => Self::Patch(id, Patch::prepare(caller, kind, data, base)?, version),
            BulkMethod::Delete => Self::Delete(kind, id, version),
        })
    }
}

#[cfg(test)]
mod tests;

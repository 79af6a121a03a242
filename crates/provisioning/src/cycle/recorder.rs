//! Commits what a cycle has to remember. What several of its tasks have ready at a time goes into one transaction, which
//! asks for the lease once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use store::jobs::{self, Lease};
use store::{Store, StoreError, WriteTx};
use tokio::sync::oneshot;

use super::context::Stop;
use crate::job::JobError;

/// Writes in one transaction at the most.
const TOGETHER_MAX: usize = 64;
/// Transactions that are on their way at the same time, where the database runs them in turn.
const SERVING_MAX: usize = 4;

/// One thing that is to be remembered, whole or not at all.
pub(super) type Write = Box<dyn FnMut(&mut WriteTx<'_>) -> Result<(), StoreError> + Send>;

struct Entry {
    write: Write,
    answer: oneshot::Sender<Result<(), Stop>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Entry>,
    /// How many are committing; each sees to what waits before it ends.
    serving: usize,
}

/// The one that commits. Should it break off, those that wait are told.
struct Serving {
    queue: Arc<Mutex<Queue>>,
    is_done: bool,
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !self.is_done {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.serving -= 1;
            queue.waiting.clear();
        }
    }
}

/// Commits under one lease; cheap to clone.
#[derive(Clone)]
pub(super) struct Recorder {
    store: Store,
    lease: Lease,
    queue: Arc<Mutex<Queue>>,
}

impl Recorder {
    pub(super) fn new(store: Store, lease: Lease) -> Self {
        Self { store, lease, queue: Arc::default() }
    }

    /// Commits a write, if the lease is still held. When this returns `Ok`, the write is durable.
    pub(super) async fn record(&self, write: Write) -> Result<(), Stop> {
        let (answer, told) = oneshot::channel();
        let must_serve = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.push_back(Entry { write, answer });
            let must_serve = queue.serving < self.serving_max();
            queue.serving += usize::from(must_serve);
            must_serve
        };
        if must_serve {
            // A task of its own: one that waits for its write may be given up, and the others' writes must not be with it.
            tokio::spawn(self.clone().serve());
        }
        told.await.unwrap_or(Err(Stop::Job(JobError::Stopped)))
    }

    /// How many may commit. Where transactions run at the same time, one: whoever links the second of two objects has to see what the
    /// first one's transaction noted, or neither makes the reference between them ready.
    const fn serving_max(&self) -> usize {
        if self.store.writes_in_turn() { SERVING_MAX } else { 1 }
    }

    async fn serve(self) {
        let mut serving = Serving { queue: Arc::clone(&self.queue), is_done: false };
        while let Some(entries) = self.next() {
            self.commit(entries).await;
        }
        // `next` has given the place back, and somebody else may have taken it.
        serving.is_done = true;
    }

    fn next(&self) -> Option<Vec<Entry>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let count = queue.waiting.len().min(TOGETHER_MAX);
        if count == 0 {
            queue.serving -= 1;
            return None;
        }
        Some(queue.waiting.drain(..count).collect())
    }

    async fn commit(&self, entries: Vec<Entry>) {
        // Nobody goes on from a write whose task was given up.
        let entries = entries.into_iter().filter(|entry| !entry.answer.is_closed());
        let (writes, answers): (Vec<Write>, Vec<_>) = entries.map(|entry| (entry.write, entry.answer)).unzip();
        if writes.is_empty() {
            return;
        }
        let writes = Arc::new(Mutex::new(writes));
        let together = self.try_commit(Arc::clone(&writes)).await;
        if answers.len() > 1 && matches!(&together, Err(stop) if is_of_one(stop)) {
            // One of them cannot be written, which must not keep the others out.
            let writes = std::mem::take(&mut *writes.lock().unwrap_or_else(PoisonError::into_inner));
            for (write, answer) in writes.into_iter().zip(answers) {
                drop(answer.send(self.try_commit(Arc::new(Mutex::new(vec![write]))).await));
            }
            return;
        }
        let mut result = together;
        for answer in answers {
            let next = result.as_ref().copied().map_err(same);
            drop(answer.send(std::mem::replace(&mut result, next)));
        }
    }

    async fn try_commit(&self, writes: Arc<Mutex<Vec<Write>>>) -> Result<(), Stop> {
        let lease = self.lease;
        let done = self.store.write(move |tx| {
            if !jobs::holds(tx, lease)? {
                return Err(Recorded::LeaseLost);
            }
            let mut writes = writes.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(writes.iter_mut().try_for_each(|write| write(tx))?)
        });
        done.await.map_err(|error| match error {
            Recorded::LeaseLost => Stop::LeaseLost,
            Recorded::Store(error) => error.into(),
        })
    }
}

/// Whether a transaction failed for what one of its writes holds, and not because the database could not do its work.
const fn is_of_one(stop: &Stop) -> bool {
    use StoreError::{Decode, Internal, NotUnique};
    matches!(stop, Stop::Job(JobError::Store(NotUnique(_) | Decode(_) | Internal(_))))
}

/// The same failure, for another who waited for the same transaction.
fn same(stop: &Stop) -> Stop {
    match stop {
        Stop::LeaseLost => Stop::LeaseLost,
        Stop::Job(JobError::Store(StoreError::Busy)) => StoreError::Busy.into(),
        Stop::Job(JobError::Store(StoreError::Full)) => StoreError::Full.into(),
        Stop::Job(JobError::Store(StoreError::Unavailable(why))) => StoreError::Unavailable(why.clone()).into(),
        Stop::Job(error) => StoreError::Internal(error.to_string()).into(),
        Stop::Connection(_) => Stop::Job(JobError::Stopped),
    }
}

enum Recorded {
    LeaseLost,
    Store(StoreError),
}

impl From<StoreError> for Recorded {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::links::{self, LinkRecord, LinkState};
    use store::testing::on_both;
    use store::{AppId, ObjectId, ObjectKind};
    use tokio::task::JoinSet;

    use super::*;

    fn numbered<T: From<uuid::Uuid>>(number: u128) -> T {
        uuid::Uuid::from_u128(number).into()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    async fn leased(store: &Store, owner: &'static str, now: i64) -> Lease {
        let taken = store.write(move |tx| jobs::take_lease(tx, numbered(1), owner, at(now), at(now + 9)));
        taken.await.unwrap().unwrap()
    }

    fn link(source: u128, target: String) -> LinkRecord {
        LinkRecord {
            kind: ObjectKind::User,
            source_id: numbered(source),
            target_id: Some(target),
            state: LinkState::Linked,
            attempt: 1,
            at: at(0),
            fence: 1,
            match_key: "[]".to_owned(),
            label: String::new(),
            exported: None,
            kept: false,
        }
    }

    /// Writes links at the same time; tells how each ended: written, not unique, or the lease is lost.
    async fn write_all(recorder: &Recorder, links: Vec<LinkRecord>) -> [usize; 3] {
        let mut tasks = JoinSet::new();
        for link in links {
            let recorder = recorder.clone();
            tasks.spawn(async move {
                let app: AppId = numbered(1);
                recorder.record(Box::new(move |tx| links::put_link(tx, app, &link))).await
            });
        }
        let ends = tasks.join_all().await;
        let count = |wanted: fn(&Result<(), Stop>) -> bool| ends.iter().filter(|end| wanted(end)).count();
        [
            count(Result::is_ok),
            count(|end| matches!(end, Err(Stop::Job(JobError::Store(StoreError::NotUnique(_)))))),
            count(|end| matches!(end, Err(Stop::LeaseLost))),
        ]
    }

    #[test]
    fn what_is_committed_together_fails_alone_and_only_under_the_lease() {
        on_both(|store| async move {
            let added = store.write(|tx| {
                directory::add_application(tx, numbered(1), "App", "scim", &[], at(0))?;
                Ok::<_, JobError>(jobs::insert_job(tx, numbered(1), "on", "{}", b"", at(0))?)
            });
            added.await.unwrap();
            let recorder = Recorder::new(store.clone(), leased(&store, "a", 0).await);
            // More than fit into one transaction; two of them want one account.
            let many = 200;
            let target = |number: u128| format!("u{}", if number == 7 { 8 } else { number });
            let links = (0..many).map(|number| link(number, target(number))).collect();
            assert_eq!(write_all(&recorder, links).await, [199, 1, 0]);
            let of =
                |number: u128| store.read(move |tx| links::link(tx, numbered(1), ObjectKind::User, numbered(number)));
            for number in (0..many).filter(|number| ![7, 8].contains(number)) {
                assert!(of(number).await.unwrap().is_some(), "{number}");
            }
            leased(&store, "b", 10).await;
            assert_eq!(write_all(&recorder, vec![link(900, "x".into()), link(901, "y".into())]).await, [0, 0, 2]);
            let none: Option<ObjectId> = of(900).await.unwrap().map(|link| link.source_id);
            assert_eq!(none, None);
        });
    }
}

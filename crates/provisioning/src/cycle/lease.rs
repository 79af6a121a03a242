//! Holding a job's lease while a cycle runs, and noticing at once when it is lost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use store::AppId;
use store::jobs::{self, Lease};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::job::JobError;
use crate::lock::JobLock;
use crate::settings::REQUEST_TIMEOUT_SECONDS_RANGE;

/// How long a lease lasts without being renewed.
const LEASE: Duration = Duration::from_secs(90);
/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(20);

/// Before each request the lease must last longer than the request may take: also just before it is renewed.
const _: () = assert!(LEASE.as_secs() - RENEW_EVERY.as_secs() > *REQUEST_TIMEOUT_SECONDS_RANGE.end());

/// A lease that is renewed in the background until it is dropped.
pub(super) struct HeldLease {
    pub(super) lease: Lease,
    until: Arc<Mutex<Instant>>,
    lost: Arc<Notify>,
    heartbeat: JoinHandle<()>,
    lock: JobLock,
}

impl HeldLease {
    /// Takes the lease of a job: its lock file on this machine, its row in the database.
    pub(super) async fn take(engine: &Engine, app: AppId) -> Result<Self, JobError> {
        let lock = engine.locks().take(app)?.ok_or(JobError::Busy)?;
        let (now, owner) = (engine.now(), engine.0.instance.clone());
        let until = Arc::new(Mutex::new(Instant::now() + LEASE));
        let taken = engine.store().write(move |tx| jobs::take_lease(tx, app, &owner, now, now + LEASE)).await?;
        let lease = taken.ok_or(JobError::Busy)?;
        let lost = Arc::new(Notify::new());
        let heartbeat = tokio::spawn(beat(engine.clone(), lease, Arc::clone(&until), Arc::clone(&lost)));
        Ok(Self { lease, until, lost, heartbeat, lock })
    }

    /// Whether the lease lasts longer than a request may take: asked before anything is sent that changes the target.
    pub(super) fn lasts(&self, request: Duration) -> bool {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) > Instant::now() + request
    }

    /// Is ready once when the lease is known to be lost: what the cycle still does after that is in vain, however long it waits
    /// for its target.
    pub(super) async fn lost(&self) {
        self.lost.notified().await;
    }

    /// Gives lease and lock back; the next cycle is due after `interval`. Both are free when this returns, also while a task
    /// of the cycle is still winding down.
    pub(super) async fn release(&self, engine: &Engine, interval: SignedDuration) -> Result<(), JobError> {
        let (lease, next_run) = (self.lease, engine.now() + interval);
        self.heartbeat.abort();
        engine.store().write(move |tx| jobs::release(tx, lease, next_run)).await?;
        Ok(self.lock.release()?)
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

async fn beat(engine: Engine, lease: Lease, until: Arc<Mutex<Instant>>, lost: Arc<Notify>) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let (now, asked) = (engine.now(), Instant::now());
        match engine.store().write(move |tx| jobs::renew(tx, lease, now + LEASE)).await {
            Ok(true) => *until.lock().unwrap_or_else(PoisonError::into_inner) = asked + LEASE,
            // Taken over: the time that is left counts for nothing.
            Ok(false) => {
                *until.lock().unwrap_or_else(PoisonError::into_inner) = asked;
                return lost.notify_one();
            }
            Err(error) => tracing::warn!("A lease could not be renewed: {error}"),
        }
    }
}

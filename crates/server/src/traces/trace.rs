//! One request that is followed: its ids, and the steps that it takes in the store.

use std::future::Future;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use jiff::Timestamp;
use store::WriteTimes;

use super::ids::{SpanId, TraceId};
use super::route;

/// The step of a reading request.
pub(crate) const READ: &str = "store read";
/// Steps of one request that are told; a bulk request may take thousands.
pub(super) const STEPS_MAX: usize = 32;

/// Whether a request is told at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sampling {
    /// It is of the share.
    Always,
    /// Its caller says so, which counts where it turns out to have a valid token: nobody else makes the server tell more than its share.
    ForCallers,
    /// Its caller says that it is not.
    Not,
}

/// A request that is followed.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) id: TraceId,
    pub(super) span: SpanId,
    /// The caller's span.
    pub(super) above: Option<SpanId>,
    sampling: Sampling,
    began: Instant,
    route: OnceLock<&'static str>,
    steps: Mutex<Steps>,
}

#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) told: Vec<Step>,
    /// How many were too many.
    pub(super) left_out: u64,
}

/// A step, in time since the request began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) from: Duration,
    pub(super) to: Duration,
}

/// What is known of a request at its end.
pub(crate) struct Told<'a> {
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    /// `None` where the client went away before.
    pub(crate) status: Option<StatusCode>,
    /// Of the token; `None` where none was valid.
    pub(crate) tenant: Option<&'a str>,
    pub(crate) id: &'a str,
    /// Bytes of the body that came.
    pub(crate) came: u64,
    /// Bytes of the answer, where they are known before it is sent.
    pub(crate) bytes: Option<u64>,
}

impl Trace {
    pub(super) fn new(id: TraceId, span: SpanId, above: Option<SpanId>, sampling: Sampling, began: Instant) -> Self {
        Self { id, span, above, sampling, began, route: OnceLock::new(), steps: Mutex::default() }
    }

    /// Whether steps may be told.
    pub(crate) fn takes_steps(&self) -> bool {
        self.sampling != Sampling::Not
    }

    pub(super) fn is_told(&self, has_caller: bool) -> bool {
        match self.sampling {
            Sampling::Always => true,
            Sampling::ForCallers => has_caller,
            Sampling::Not => false,
        }
    }

    /// Tells where a request at an address of a tenant's own goes on.
    pub(crate) fn goes_on_at(&self, path: &str) {
        if let Some(template) = route::template(path) {
            // It goes on once.
            let _ = self.route.set(template);
        }
    }

    pub(super) fn route(&self, path: &str) -> Option<&'static str> {
        self.route.get().copied().or_else(|| route::template(path))
    }

    /// Notes a step.
    pub(crate) fn step(&self, name: &'static str, from: Instant, to: Instant) {
        let [from, to] = [from, to].map(|at| at.saturating_duration_since(self.began));
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.told.len() < STEPS_MAX {
            steps.told.push(Step { name, from, to });
        } else {
            steps.left_out += 1;
        }
    }

    /// Notes the steps of a write that was asked for at a moment, which may be before it was its tenant's turn.
    pub(crate) fn write(&self, asked: Instant, times: WriteTimes) {
        self.step("store wait", asked, times.began);
        self.step("store write", times.began, times.commit);
        self.step("store commit", times.commit, times.done);
    }

    pub(super) fn take_steps(&self) -> Steps {
        std::mem::take(&mut *self.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Does something, and notes it as a step where the request is followed.
pub(crate) async fn step<T>(trace: Option<&Trace>, name: &'static str, work: impl Future<Output = T>) -> T {
    let from = trace.map(|_| Instant::now());
    let done = work.await;
    if let (Some(trace), Some(from)) = (trace, from) {
        trace.step(name, from, Instant::now());
    }
    done
}

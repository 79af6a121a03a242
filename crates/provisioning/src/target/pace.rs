//! How fast a target is asked: the pauses that it asks for, and how many requests are on their way at a time. A refusal for too
//! many requests (429) halves those, and answers let them become more again, one by one.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Requests that can be on their way at a time; a job may have fewer.
const LANES_MAX: usize = 256;

/// The pace of all requests to one target.
pub(super) struct Pace {
    lanes: Semaphore,
    state: Mutex<State>,
}

struct State {
    /// Lanes that there are.
    open: usize,
    /// Lanes too many, which close when the requests in them are answered.
    surplus: usize,
    /// Requests on their way.
    under_way: usize,
    /// Answers since the number of lanes changed.
    answered: usize,
    paused_until: Option<Instant>,
}

/// A place for one request.
pub(super) struct Lane<'p> {
    pace: &'p Pace,
    permit: Option<SemaphorePermit<'p>>,
    /// Whether the request had to wait for it.
    pub(super) was_waited_for: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        let state = State { open: LANES_MAX, surplus: 0, under_way: 0, answered: 0, paused_until: None };
        Self { lanes: Semaphore::new(LANES_MAX), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may be sent.
    pub(super) async fn lane(&self) -> Lane<'_> {
        let mut was_waited_for = false;
        loop {
            while let Some(until) = self.pause() {
                was_waited_for = true;
                sleep_until(until).await;
            }
            let mut permit = self.lanes.try_acquire().ok();
            if permit.is_none() {
                was_waited_for = true;
                permit = self.lanes.acquire().await.ok();
            }
            if self.pause().is_none() {
                self.state().under_way += 1;
                return Lane { pace: self, permit, was_waited_for };
            }
        }
    }

    fn pause(&self) -> Option<Instant> {
        self.state().paused_until.filter(|until| *until > Instant::now())
    }

    /// The target has refused a request as one too many: none is sent for a while. What was on its way with it is refused for the
    /// same reason, and halves nothing once more.
    pub(super) fn slow_down(&self, delay: Duration) {
        let mut state = self.state();
        let (now, until) = (Instant::now(), Instant::now() + delay);
        let is_paused = state.paused_until.is_some_and(|until| until > now);
        state.paused_until = Some(state.paused_until.map_or(until, |before| before.max(until)));
        if !is_paused {
            let fewer = (state.under_way.min(state.open) / 2).max(1);
            let closed = state.open.saturating_sub(fewer);
            state.surplus += closed - self.lanes.forget_permits(closed);
            (state.open, state.answered) = (fewer, 0);
        }
    }

    /// The target has taken a request.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.answered += 1;
        if state.open == LANES_MAX || state.answered < state.open {
            return;
        }
        (state.open, state.answered) = (state.open + 1, 0);
        if state.surplus > 0 {
            state.surplus -= 1;
        } else {
            self.lanes.add_permits(1);
        }
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.under_way -= 1;
        if state.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The lanes that are free at this moment.
    async fn free(pace: &Pace) -> Vec<Lane<'_>> {
        let mut lanes = Vec::new();
        while let Ok(lane) = tokio::time::timeout(Duration::ZERO, pace.lane()).await {
            lanes.push(lane);
        }
        lanes
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_halves_what_is_under_way_once_and_answers_bring_it_back() {
        let pace = Pace::new();
        let mut lanes = free(&pace).await;
        assert_eq!(lanes.len(), LANES_MAX);
        lanes.truncate(8);
        for _ in 0..lanes.len() {
            pace.slow_down(SECOND);
        }
        drop(lanes);
        assert!(free(&pace).await.is_empty());
        tokio::time::advance(SECOND).await;
        assert_eq!(free(&pace).await.len(), 4);
        (0..4).for_each(|_| pace.answered());
        assert_eq!(free(&pace).await.len(), 5);
        (0..LANES_MAX * LANES_MAX).for_each(|_| pace.answered());
        assert_eq!(free(&pace).await.len(), LANES_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_at_a_time_always_goes() {
        let pace = Pace::new();
        for _ in 0..9 {
            let lane = pace.lane().await;
            pace.slow_down(SECOND);
            drop(lane);
        }
        let began = Instant::now();
        assert!(pace.lane().await.was_waited_for);
        assert!(began.elapsed() <= SECOND);
        assert_eq!(free(&pace).await.len(), 1);
    }
}

//! How many may pass in a second: a few that come a little early are let pass a little later, and the others are told how long to wait.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

/// The longest time by which one is let pass later. Who is refused comes again at the same moment as others who were, and all of them
/// would be served at once; who is let pass later comes again in turn.
const LATER_MAX: Duration = Duration::from_millis(5);

/// Reads the time since the start, as the limiters count it.
#[derive(Clone, Debug)]
pub(crate) struct Ticks(Instant);

impl Default for Ticks {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}

/// What one is told that wants to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    Now,
    /// It passes, and its answer is held back for so long.
    Later(Duration),
    /// It does not pass; others may after so many seconds.
    Refused {
        seconds: u64,
    },
}

/// Allows so many in a second, and so many at once.
pub(crate) struct Limiter {
    cells: RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>,
    ticks: Ticks,
    /// How many may pass early, and how far one of them is from the next.
    early: u32,
    step: Duration,
}

impl Limiter {
    /// Whoever comes early is refused.
    pub(crate) fn strict(per_second: u32, burst: u32, ticks: &Ticks) -> Self {
        Self::new(per_second, burst, 0, ticks)
    }

    /// Those that come early by up to [`LATER_MAX`] are let pass later.
    pub(crate) fn pacing(per_second: u32, burst: u32, ticks: &Ticks) -> Self {
        let early = u128::from(per_second) * LATER_MAX.as_millis() / 1000;
        Self::new(per_second, burst, u32::try_from(early).unwrap_or(0), ticks)
    }

    fn new(per_second: u32, burst: u32, early: u32, ticks: &Ticks) -> Self {
        let [rate, burst] =
            [per_second, burst.saturating_add(early)].map(|number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
        let quota = Quota::per_second(rate).allow_burst(burst);
        let cells = RateLimiter::direct_with_clock(quota, ticks.clone()).with_middleware();
        Self { cells, ticks: ticks.clone(), early, step: quota.replenish_interval() }
    }

    /// Asks for one that counts for so many further ones.
    pub(crate) fn ask(&self, further: u32) -> Passage {
        let all = NonZeroU32::MIN.saturating_add(further);
        // No more are asked for than may come at once.
        let Ok(answer) = self.cells.check_n(all) else { return Passage::Now };
        match answer {
            Ok(state) => match self.early.saturating_sub(state.remaining_burst_capacity()) {
                0 => Passage::Now,
                steps => Passage::Later(self.step * steps),
            },
            Err(until) => {
                let wait = until.wait_time_from(self.ticks.now());
                Passage::Refused { seconds: wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wait_is_told_in_whole_seconds() {
        let ticks = Ticks::default();
        let one = Limiter::strict(1, 2, &ticks);
        let refused = Passage::Refused { seconds: 1 };
        assert_eq!([(); 4].map(|()| one.ask(0)), [Passage::Now, Passage::Now, refused, refused]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([(); 2].map(|()| one.ask(0)), [Passage::Now, refused]);
        let rare = Limiter::pacing(1, 1, &ticks);
        assert_eq!([0, 0].map(|further| rare.ask(further)), [Passage::Now, refused], "the next comes a second later");
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_a_little_early_passes_a_little_later() {
        let ticks = Ticks::default();
        let limiter = Limiter::pacing(1_000, 1_000, &ticks);
        assert_eq!(limiter.ask(998), Passage::Now);
        let later = |millis| Passage::Later(Duration::from_millis(millis));
        let told: Vec<_> = (0..7).map(|_| limiter.ask(0)).collect();
        let refused = Passage::Refused { seconds: 1 };
        assert_eq!(told, [Passage::Now, later(1), later(2), later(3), later(4), later(5), refused]);
        for _ in 0..3 {
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!([limiter.ask(0), limiter.ask(0)], [later(5), refused], "one more in each thousandth");
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(limiter.ask(999), Passage::Now, "all that may come at once");
        assert_eq!(limiter.ask(1_100), Passage::Now, "more than can ever come at once");
    }
}

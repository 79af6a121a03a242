//! What one tenant may ask for in a second, so that the others are served too.
//!
//! A tenant with a rate of its own is held to it. The others are held to a common rate only while another tenant is served too: who
//! is alone takes what there is. By the common rate a request counts for what it costs: a large body, a long answer and each operation
//! of a bulk request count as further ones, which those that come next pay.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use store::TenantKey;
use tokio::time::Instant;

/// Requests that a tenant may send in a second while others are served, unless the configuration says otherwise.
pub const REQUESTS_PER_SECOND: u32 = 10_000;
/// Bytes of a body and its answer that count as a further request.
const BYTES_OF_A_REQUEST: u64 = 8 << 10;
/// How long after a request of another tenant this one is not alone.
const COMPANY: Duration = Duration::from_secs(1);
/// Tenants that are kept in mind; the ones beyond begin anew.
const GATES_MAX: usize = 10_000;

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

pub(crate) type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>;

/// Allows so many requests in a second, and as many at once.
pub(crate) fn limiter(per_second: u32, burst: u32, ticks: &Ticks) -> Limiter {
    let [rate, burst] = [per_second, burst].map(|number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
    RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), ticks.clone())
}

/// Whole seconds until a limiter lets the next one pass, if it does not now.
pub(crate) fn wait(limiter: &Limiter, ticks: &Ticks) -> Option<u64> {
    wait_for(limiter, 0, ticks)
}

/// The same for one that counts for so many further ones.
fn wait_for(limiter: &Limiter, further: u32, ticks: &Ticks) -> Option<u64> {
    let all = NonZeroU32::MIN.saturating_add(further);
    // No more are asked for than may come at once.
    let until = limiter.check_n(all).ok()?.err()?;
    Some(until.wait_time_from(ticks.now()).as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX))
}

/// The gates of all tenants.
pub(crate) struct Gates {
    ticks: Ticks,
    common: u32,
    of_tenants: RwLock<HashMap<i64, Arc<Gate>>>,
    /// The tenant that asked last.
    last: AtomicI64,
    /// When that was last another than before, in nanoseconds since the start; 0 for never.
    changed: AtomicU64,
}

/// What is known of one tenant's requests.
pub(crate) struct Gate {
    /// The number of the tenant's key.
    pub(crate) number: i64,
    pub(crate) tenant: String,
    rate: RwLock<(u32, Limiter)>,
    /// Answers by the first digit of their status.
    pub(crate) answers: [AtomicU64; 5],
    pub(crate) limited: AtomicU64,
    /// Requests that those before cost beyond one each, and that are still to be paid.
    owed: AtomicU64,
}

/// What a request counts for beyond one: by the bytes that came and went, and by further operations in it.
pub(crate) const fn further(came: u64, sent: u64, operations: u64) -> u64 {
    (came.saturating_add(sent) / BYTES_OF_A_REQUEST).saturating_add(operations)
}

impl Gates {
    /// Gates that hold each tenant to a rate while it is not alone; 0 for none.
    pub(crate) fn new(common: u32) -> Self {
        Self {
            ticks: Ticks::default(),
            common,
            of_tenants: RwLock::default(),
            last: AtomicI64::new(i64::MIN),
            changed: AtomicU64::new(0),
        }
    }

    /// The gate of a tenant, by its key and its name, and how many seconds it has to wait, if it has. `own` is the rate that was set
    /// for it.
    pub(crate) fn pass(&self, tenant: TenantKey, name: &str, own: Option<u32>) -> (Arc<Gate>, Option<u64>) {
        let number = tenant.number();
        let gate = self.gate(number, name);
        // Also where no rate asks for it: it is noted who is served.
        let has_company = self.has_company(number);
        let wait = match own {
            Some(own) => gate.wait(own, 0, &self.ticks),
            None if self.common > 0 && has_company => gate.pay(self.common, &self.ticks),
            // Who is alone owes nobody anything.
            None => {
                gate.forgive();
                None
            }
        };
        if wait.is_some() {
            gate.limited.fetch_add(1, Ordering::Relaxed);
        }
        (gate, wait)
    }

    /// All gates, for who counts.
    pub(crate) fn each(&self, mut told: impl FnMut(&Gate)) {
        let gates = self.of_tenants.read().unwrap_or_else(PoisonError::into_inner);
        gates.values().for_each(|gate| told(gate));
    }

    /// Whether more than one tenant was served within [`COMPANY`].
    pub(crate) fn are_many(&self) -> bool {
        let changed = self.changed.load(Ordering::Relaxed);
        changed != 0 && self.ticks.now().as_u64().saturating_sub(changed) <= Nanos::from(COMPANY).as_u64()
    }

    /// Whether another tenant was served within [`COMPANY`]. One that goes on alone writes nothing here.
    fn has_company(&self, tenant: i64) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        if last == tenant && self.changed.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let now = self.ticks.now().as_u64();
        if last != tenant {
            self.last.store(tenant, Ordering::Relaxed);
            if last != i64::MIN {
                self.changed.store(now.max(1), Ordering::Relaxed);
                return true;
            }
            return false;
        }
        let is_alone = now.saturating_sub(self.changed.load(Ordering::Relaxed)) > Nanos::from(COMPANY).as_u64();
        if is_alone {
            self.changed.store(0, Ordering::Relaxed);
        }
        !is_alone
    }

    pub(crate) fn gate(&self, number: i64, name: &str) -> Arc<Gate> {
        if let Some(gate) = self.of_tenants.read().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Arc::clone(gate);
        }
        let mut gates = self.of_tenants.write().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= GATES_MAX {
            gates.clear();
        }
        Arc::clone(gates.entry(number).or_insert_with(|| Arc::new(Gate::new(number, name, self.common, &self.ticks))))
    }
}

impl Gate {
    fn new(number: i64, tenant: &str, rate: u32, ticks: &Ticks) -> Self {
        Self {
            number,
            tenant: tenant.to_owned(),
            rate: RwLock::new((rate, limiter(rate, rate, ticks))),
            answers: Default::default(),
            limited: AtomicU64::new(0),
            owed: AtomicU64::new(0),
        }
    }

    /// Counts what a request cost beyond one.
    pub(crate) fn owe(&self, further: u64) {
        if further > 0 {
            self.owed.fetch_add(further, Ordering::Relaxed);
        }
    }

    fn forgive(&self) {
        // Read first: who is alone writes nothing here.
        if self.owed.load(Ordering::Relaxed) > 0 {
            self.owed.store(0, Ordering::Relaxed);
        }
    }

    /// Lets a request pass that pays what is owed, of which no more is kept than comes in a second.
    fn pay(&self, rate: u32, ticks: &Ticks) -> Option<u64> {
        if self.owed.load(Ordering::Relaxed) == 0 {
            return self.wait(rate, 0, ticks);
        }
        let owed = self.owed.swap(0, Ordering::Relaxed).min(u64::from(rate.saturating_sub(1)));
        let wait = self.wait(rate, u32::try_from(owed).unwrap_or(0), ticks);
        if wait.is_some() {
            self.owe(owed);
        }
        wait
    }

    /// Whole seconds until a request may pass that counts for so many further ones, if it may not now.
    fn wait(&self, rate: u32, further: u32, ticks: &Ticks) -> Option<u64> {
        {
            let kept = self.rate.read().unwrap_or_else(PoisonError::into_inner);
            if kept.0 == rate {
                return wait_for(&kept.1, further, ticks);
            }
        }
        let mut kept = self.rate.write().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != rate {
            *kept = (rate, limiter(rate, rate, ticks));
        }
        wait_for(&kept.1, further, ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_alone_takes_what_there_is_and_who_is_not_is_held_to_the_rate() {
        let gates = Gates::new(10);
        let passed = |tenant, count: usize| {
            let gate = gates.gate(tenant, "x");
            (0..count).filter(|_| !gates.has_company(tenant) || gate.wait(10, 0, &gates.ticks).is_none()).count()
        };
        assert_eq!(passed(1, 1000), 1000);
        assert!(!gates.are_many());
        assert_eq!(passed(2, 100), 10, "the burst of the second");
        assert!(gates.are_many());
        assert_eq!(passed(1, 100), 10, "the first is not alone any more");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(passed(1, 100), 10);
        tokio::time::advance(COMPANY).await;
        tokio::time::advance(Duration::from_nanos(1)).await;
        assert!(!gates.are_many());
        assert_eq!(passed(1, 1000), 1000, "alone again");
        assert_eq!(passed(2, 5), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn ti_06_what_a_request_costs_is_paid_by_the_next_ones_while_others_are_served() {
        for (came, sent, operations, expected) in [
            (0, 0, 0, 0),
            (4096, 4095, 0, 0),
            (4096, 4096, 0, 1),
            (1 << 20, 0, 999, 128 + 999),
            (u64::MAX, 9, 9, (u64::MAX >> 13) + 9),
        ] {
            assert_eq!(further(came, sent, operations), expected, "{came} {sent} {operations}");
        }
        let gates = Gates::new(10);
        let [noisy, quiet] = [1, 2].map(store::testing::tenant_key);
        let passed =
            |tenant, own, count: usize| (0..count).filter(|_| gates.pass(tenant, "x", own).1.is_none()).count();
        gates.gate(noisy.number(), "x").owe(1_000);
        assert_eq!(passed(noisy, None, 100), 100, "alone");
        assert_eq!(passed(quiet, None, 1), 1);
        assert_eq!(passed(noisy, None, 1), 1, "what it owed while it was alone is forgiven");
        gates.gate(noisy.number(), "x").owe(4);
        assert_eq!(passed(noisy, None, 9), 5, "ten at once, of which one passed and four are paid");
        gates.gate(noisy.number(), "x").owe(1_000);
        assert_eq!(passed(quiet, None, 5), 5, "it is nobody else's debt");
        tokio::time::advance(Duration::from_millis(900)).await;
        assert_eq!((passed(noisy, None, 1), passed(quiet, None, 1)), (0, 1));
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(passed(noisy, None, 9), 1, "no more is kept than comes in a second");
        gates.gate(noisy.number(), "x").owe(1_000);
        assert_eq!(passed(noisy, Some(20), 99), 20, "a rate of its own counts requests");
    }

    #[tokio::test(start_paused = true)]
    async fn ti_06_that_several_are_served_is_known_whatever_their_rates() {
        for (common, own) in [(0, None), (10, Some(1000))] {
            let gates = Gates::new(common);
            let pass = |number| gates.pass(store::testing::tenant_key(number), "x", own);
            drop(pass(1));
            assert!(!gates.are_many());
            drop(pass(2));
            assert!(gates.are_many(), "{common} {own:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_is_told_in_whole_seconds() {
        let ticks = Ticks::default();
        let one = limiter(1, 2, &ticks);
        assert_eq!([(); 4].map(|()| wait(&one, &ticks)), [None, None, Some(1), Some(1)]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([(); 2].map(|()| wait(&one, &ticks)), [None, Some(1)]);
    }

    #[test]
    fn no_more_tenants_are_kept_than_allowed() {
        let gates = Gates::new(1);
        for key in 0..i64::try_from(GATES_MAX).unwrap() + 5 {
            gates.gate(key, "x");
        }
        let mut count = 0;
        gates.each(|_| count += 1);
        assert_eq!(count, 5);
    }
}

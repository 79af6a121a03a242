//! What one tenant may ask for in a second, so that the others are served too.
//!
//! A tenant with a rate of its own is held to it. The others are held to a common rate only while another tenant is served too: who
//! is alone takes what there is, and one that follows another is alone. By the common rate a request counts for what it costs: a large
//! body, a long answer and each operation of a bulk request count as further ones, which those that come next pay.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::Clock;
use governor::nanos::Nanos;
use store::TenantKey;

use crate::limiter::{Limiter, Passage, Ticks};

/// Requests that a tenant may send in a second while others are served, unless the configuration says otherwise.
pub const REQUESTS_PER_SECOND: u32 = 4_000;
/// How often what may come at once by the common rate goes into what may come in a second.
const BURSTS_IN_A_SECOND: u32 = 4;
/// Bytes of a body and its answer that count as a further request.
const BYTES_OF_A_REQUEST: u64 = 8 << 10;
/// How long after a request of another tenant this one is not alone, and after which silence a tenant begins anew.
const COMPANY: Duration = Duration::from_secs(1);
/// How long after a tenant began the last requests of one before it may still come.
const FOLLOWING: Duration = Duration::from_millis(100);
/// Tenants that are kept in mind; the ones beyond begin anew.
const GATES_MAX: usize = 10_000;

fn nanos(time: Duration) -> u64 {
    Nanos::from(time).as_u64()
}

/// How many may come at once by the common rate.
const fn burst_of(rate: u32) -> u32 {
    let burst = rate / BURSTS_IN_A_SECOND;
    if burst == 0 { 1 } else { burst }
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
    /// By how many in a second, and at once.
    limiter: RwLock<((u32, u32), Limiter)>,
    /// Answers by the first digit of their status.
    pub(crate) answers: [AtomicU64; 5],
    pub(crate) limited: AtomicU64,
    /// Requests that those before cost beyond one each, and that are still to be paid.
    owed: AtomicU64,
    /// When it asked first since it was silent for [`COMPANY`], in nanoseconds since the start.
    began: AtomicU64,
    /// When it asked last, to within [`FOLLOWING`]; 0 for never.
    asked: AtomicU64,
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

    /// The gate of a tenant, by its key and its name, and whether a request passes. `own` is the rate that was set for it.
    pub(crate) fn pass(&self, tenant: TenantKey, name: &str, own: Option<u32>) -> (Arc<Gate>, Passage) {
        let number = tenant.number();
        let gate = self.gate(number, name);
        // Also where no rate asks for it: it is noted who is served.
        let has_company = self.has_company(&gate);
        let passage = match own {
            Some(own) => gate.ask((own, own), 0, &self.ticks),
            None if self.common > 0 && has_company => gate.pay(self.common, &self.ticks),
            // Who is alone owes nobody anything.
            None => {
                gate.forgive();
                Passage::Now
            }
        };
        if matches!(passage, Passage::Refused { .. }) {
            gate.limited.fetch_add(1, Ordering::Relaxed);
        }
        (gate, passage)
    }

    /// All gates, for who counts.
    pub(crate) fn each(&self, mut told: impl FnMut(&Gate)) {
        let gates = self.of_tenants.read().unwrap_or_else(PoisonError::into_inner);
        gates.values().for_each(|gate| told(gate));
    }

    /// Whether another tenant is served beside this one.
    pub(crate) fn is_accompanied(&self, tenant: TenantKey) -> bool {
        let now = self.ticks.now().as_u64();
        let gates = self.of_tenants.read().unwrap_or_else(PoisonError::into_inner);
        gates.get(&tenant.number()).is_some_and(|gate| self.is_beside(gate.began.load(Ordering::Relaxed), now))
    }

    /// Notes that a tenant asks; gives whether another one is served beside it.
    fn has_company(&self, gate: &Gate) -> bool {
        let now = self.ticks.now().as_u64();
        let began = gate.note(now);
        let last = self.last.load(Ordering::Relaxed);
        // Who goes on alone writes next to nothing here.
        if last != gate.number {
            self.last.store(gate.number, Ordering::Relaxed);
            if last != i64::MIN {
                self.changed.store(now.max(1), Ordering::Relaxed);
            }
        }
        self.is_beside(began, now)
    }

    /// Whether another tenant was served within [`COMPANY`], and since this one began: one that follows another has the machine for
    /// itself.
    fn is_beside(&self, began: u64, now: u64) -> bool {
        let changed = self.changed.load(Ordering::Relaxed);
        let is_of_late = changed != 0 && now.saturating_sub(changed) <= nanos(COMPANY);
        is_of_late && changed > began.saturating_add(nanos(FOLLOWING))
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
        let burst = burst_of(rate);
        Self {
            number,
            tenant: tenant.to_owned(),
            limiter: RwLock::new(((rate, burst), Limiter::pacing(rate, burst, ticks))),
            answers: Default::default(),
            limited: AtomicU64::new(0),
            owed: AtomicU64::new(0),
            began: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        }
    }

    /// Notes that the tenant asks; gives when it began.
    fn note(&self, now: u64) -> u64 {
        let asked = self.asked.load(Ordering::Relaxed);
        let silent = now.saturating_sub(asked);
        // Not with each request: all of a tenant's would write the same line.
        if silent > nanos(FOLLOWING) || asked == 0 {
            self.asked.store(now.max(1), Ordering::Relaxed);
        }
        if silent > nanos(COMPANY) || asked == 0 {
            self.began.store(now, Ordering::Relaxed);
            return now;
        }
        self.began.load(Ordering::Relaxed)
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

    /// Asks for a request by the common rate that pays what is owed: no more of it than may come at once, and no more is kept than
    /// comes in a second.
    fn pay(&self, rate: u32, ticks: &Ticks) -> Passage {
        let burst = burst_of(rate);
        if self.owed.load(Ordering::Relaxed) == 0 {
            return self.ask((rate, burst), 0, ticks);
        }
        let owed = self.owed.swap(0, Ordering::Relaxed).min(u64::from(rate));
        let paid = owed.min(u64::from(burst - 1));
        let passage = self.ask((rate, burst), u32::try_from(paid).unwrap_or(0), ticks);
        self.owe(if matches!(passage, Passage::Refused { .. }) { owed } else { owed - paid });
        passage
    }

    /// Asks for a request that counts for so many further ones.
    fn ask(&self, quota: (u32, u32), further: u32, ticks: &Ticks) -> Passage {
        {
            let kept = self.limiter.read().unwrap_or_else(PoisonError::into_inner);
            if kept.0 == quota {
                return kept.1.ask(further);
            }
        }
        let mut kept = self.limiter.write().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != quota {
            *kept = (quota, Limiter::pacing(quota.0, quota.1, ticks));
        }
        kept.1.ask(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many requests pass by the common rate.
    fn passed(gates: &Gates, tenant: i64, count: usize) -> usize {
        let tenant = store::testing::tenant_key(tenant);
        (0..count).filter(|_| gates.pass(tenant, "x", None).1 == Passage::Now).count()
    }

    fn is_accompanied(gates: &Gates, tenant: i64) -> bool {
        gates.is_accompanied(store::testing::tenant_key(tenant))
    }

    async fn later(time: Duration) {
        tokio::time::advance(time + Duration::from_nanos(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_alone_takes_what_there_is_and_who_is_not_is_held_to_the_rate() {
        let gates = Gates::new(40);
        assert_eq!(passed(&gates, 1, 1000), 1000);
        assert!(!is_accompanied(&gates, 1));
        later(FOLLOWING).await;
        assert_eq!(passed(&gates, 2, 1), 1);
        assert!(is_accompanied(&gates, 1) && !is_accompanied(&gates, 2), "the second has just begun");
        assert_eq!(passed(&gates, 1, 100), 10, "the first is not alone any more: a quarter of a second's worth");
        later(FOLLOWING).await;
        assert_eq!(passed(&gates, 2, 100), 10, "nor is the second, which asks again while the first does");
        later(Duration::from_millis(50)).await;
        assert_eq!((passed(&gates, 2, 1), passed(&gates, 1, 100)), (1, 6), "what came in 150 ms");
        assert!(is_accompanied(&gates, 1) && is_accompanied(&gates, 2));
        later(COMPANY).await;
        assert!(!is_accompanied(&gates, 1) && !is_accompanied(&gates, 3));
        assert_eq!(passed(&gates, 1, 1000), 1000, "alone again");
        assert_eq!(passed(&gates, 2, 5), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn who_follows_another_is_alone_and_who_begins_beside_it_is_not() {
        let gates = Gates::new(40);
        for tenant in 1..9 {
            for _ in 0..30 {
                assert_eq!(passed(&gates, tenant, 100), 100, "{tenant}");
                later(FOLLOWING / 2).await;
            }
            // One that was still under way.
            assert_eq!((passed(&gates, tenant + 1, 100), passed(&gates, tenant, 1)), (100, 1), "{tenant}");
        }
        later(COMPANY).await;
        let mut all = [0, 0];
        for _ in 0..20 {
            all[0] += passed(&gates, 1, 100);
            all[1] += passed(&gates, 2, 100);
            later(FOLLOWING / 2).await;
        }
        assert!(all[0] < 400 && all[1] < 400, "{all:?}: both began at once, and are known to be two after a moment");
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
        let gates = Gates::new(40);
        let [noisy, quiet] = [1, 2].map(store::testing::tenant_key);
        let passed =
            |tenant, own, count: usize| (0..count).filter(|_| gates.pass(tenant, "x", own).1 == Passage::Now).count();
        assert_eq!(passed(noisy, None, 1), 1);
        later(FOLLOWING).await;
        gates.gate(noisy.number(), "x").owe(1_000);
        assert_eq!(passed(noisy, None, 100), 100, "alone");
        assert_eq!(passed(quiet, None, 1), 1);
        assert_eq!(passed(noisy, None, 1), 1, "what it owed while it was alone is forgiven");
        gates.gate(noisy.number(), "x").owe(4);
        assert_eq!(passed(noisy, None, 9), 5, "ten at once, of which one passed and four are paid");
        gates.gate(noisy.number(), "x").owe(1_000);
        assert_eq!(passed(quiet, None, 5), 5, "it is nobody else's debt");
        tokio::time::advance(Duration::from_millis(240)).await;
        assert_eq!((passed(noisy, None, 1), passed(quiet, None, 1)), (0, 1));
        tokio::time::advance(Duration::from_millis(10)).await;
        for expected in [1, 1, 1, 1, 6] {
            assert_eq!(passed(noisy, None, 9), expected, "no more is kept than comes in a second");
            tokio::time::advance(Duration::from_millis(250)).await;
            assert_eq!(passed(quiet, None, 1), 1);
        }
        gates.gate(noisy.number(), "x").owe(1_000);
        assert_eq!(passed(noisy, Some(20), 99), 20, "a rate of its own counts requests");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_owed_is_paid_by_those_that_pass_later_too() {
        let gates = Gates::new(4_000);
        let [noisy, quiet] = [1, 2].map(store::testing::tenant_key);
        let pass = |tenant| gates.pass(tenant, "x", None).1;
        assert_eq!([pass(noisy), pass(quiet)], [Passage::Now; 2]);
        later(FOLLOWING).await;
        assert_eq!([pass(quiet), pass(noisy)], [Passage::Now; 2]);
        let gate = gates.gate(noisy.number(), "x");
        gate.owe(1_006);
        let later_by = |steps| Passage::Later(Duration::from_secs(1) / 4_000 * steps);
        assert_eq!(pass(noisy), later_by(1), "as much of it as may come at once");
        assert_eq!(pass(noisy), later_by(1 + 8), "seven more, and itself");
        assert_eq!(pass(noisy), later_by(1 + 9));
        gate.owe(100);
        assert_eq!(pass(noisy), Passage::Refused { seconds: 1 });
        tokio::time::advance(Duration::from_millis(25)).await;
        assert_eq!(pass(noisy), later_by(1 + 10), "what was refused is still owed");
        assert_eq!(pass(quiet), Passage::Now);
    }

    #[tokio::test(start_paused = true)]
    async fn ti_06_that_several_are_served_is_known_whatever_their_rates() {
        for (common, own) in [(0, None), (10, Some(1000))] {
            let gates = Gates::new(common);
            let pass = |number| gates.pass(store::testing::tenant_key(number), "x", own);
            drop(pass(1));
            assert!(!is_accompanied(&gates, 1));
            later(FOLLOWING).await;
            drop(pass(2));
            assert!(is_accompanied(&gates, 1), "{common} {own:?}");
        }
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

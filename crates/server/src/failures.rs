//! Tokens that are not valid, and clients at the token endpoint that do not prove who they are (RFC 6749 §2.3.1), counted by the address
//! they came from and by the tenant they were tried on. Beyond a rate they are told to wait. Valid tokens are never counted, so nobody is locked out by the tries of others.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::connections::site;
use crate::limiter::{Limiter, Passage, Ticks};

/// Bad tokens of one address, in a second and at once.
const OF_ADDRESS: (u32, u32) = (10, 100);
/// Bad tokens that are tried on one tenant, in a second and at once.
const OF_TENANT: (u32, u32) = (50, 500);
/// Addresses, and tenants, that are kept in mind.
const KEPT_MAX: usize = 10_000;
/// What counts of a tenant's name, in bytes: no name is longer.
const NAME_BYTES_MAX: usize = 63;

/// The bad tokens of late.
#[derive(Default)]
pub(crate) struct Failures {
    ticks: Ticks,
    addresses: Kept<IpAddr>,
    tenants: Kept<String>,
}

type Kept<Key> = Mutex<HashMap<Key, Limiter>>;

impl Failures {
    /// Counts a bad token. Gives the seconds to wait before the next, where there were too many.
    pub(crate) fn count(&self, peer: Option<IpAddr>, tenant: &str) -> Option<u64> {
        let of_address = peer.and_then(|peer| self.one(&self.addresses, site(peer), OF_ADDRESS));
        of_address.max(self.one(&self.tenants, beginning(tenant).to_owned(), OF_TENANT))
    }

    fn one<Key: Eq + Hash>(&self, kept: &Kept<Key>, key: Key, (rate, burst): (u32, u32)) -> Option<u64> {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX && !kept.contains_key(&key) {
            // To forget costs an attacker nothing that 10,000 addresses would not give him anyway.
            kept.clear();
        }
        match kept.entry(key).or_insert_with(|| Limiter::strict(rate, burst, &self.ticks)).ask(0) {
            Passage::Refused { seconds } => Some(seconds),
            Passage::Now | Passage::Later(_) => None,
        }
    }
}

/// What counts of a name, up to where a character ends.
fn beginning(name: &str) -> &str {
    let end = (0..=NAME_BYTES_MAX).rev().find(|end| name.is_char_boundary(*end));
    end.and_then(|end| name.get(..end)).filter(|_| name.len() > NAME_BYTES_MAX).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn peer(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn au_11_tries_are_slowed_down_by_address_and_by_tenant() {
        let failures = Failures::default();
        let counted = |count: u32, of: &dyn Fn(u32) -> (IpAddr, String)| {
            (0..count).map(of).filter(|(peer, tenant)| failures.count(Some(*peer), tenant).is_none()).count()
        };
        assert_eq!(counted(1000, &|number| (peer(1), format!("t{number}"))), 100);
        assert_eq!(counted(1000, &|number| (peer(2 + number), "contoso".to_owned())), 500);
        assert_eq!(counted(1, &|_| (peer(5000), "fabrikam".to_owned())), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(counted(100, &|_| (peer(1), "other".to_owned())), 10);
        assert_eq!(counted(100, &|number| (peer(2 + number), "contoso".to_owned())), 50);
    }

    #[test]
    fn no_more_is_kept_of_a_name_than_the_longest_has_wherever_a_character_ends() {
        for (name, bytes) in
            [("é".repeat(1000), 62), ("😀".repeat(1000), 60), ("a".repeat(1000), 63), ("é".repeat(31), 62)]
        {
            let failures = Failures::default();
            failures.count(None, &name);
            let kept = failures.tenants.lock().unwrap();
            let kept: Vec<&str> = kept.keys().map(String::as_str).collect();
            assert_eq!(kept, [&name[..bytes]]);
        }
    }

    #[test]
    fn no_more_addresses_are_kept_than_allowed() {
        let failures = Failures::default();
        for number in 0..=u32::try_from(KEPT_MAX).unwrap() {
            failures.count(Some(peer(number)), "x");
        }
        assert_eq!(failures.addresses.lock().unwrap().len(), 1);
    }
}

//! Who holds connections: how many there are in all, and of each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections that are open.
#[derive(Default)]
pub(crate) struct Connections {
    open: AtomicUsize,
    of_each: Mutex<HashMap<IpAddr, usize>>,
}

impl Connections {
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Counts one more of an address, unless it has that many already.
    pub(crate) fn add(self: &Arc<Self>, peer: IpAddr, each_max: usize) -> Option<Counted> {
        let peer = site(peer);
        let mut of_each = self.of_each.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_each.entry(peer).or_default();
        if *count >= each_max {
            return None;
        }
        *count += 1;
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Counted { connections: Arc::clone(self), peer })
    }
}

/// A connection that is counted for as long as this is held.
pub(crate) struct Counted {
    connections: Arc<Connections>,
    peer: IpAddr,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.connections.open.fetch_sub(1, Ordering::Relaxed);
        let mut of_each = self.connections.of_each.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_each.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                of_each.remove(&self.peer);
            }
        }
    }
}

/// What counts as one address: of IPv6 its first 64 bits, because whoever has one address has all of those (RFC 4291 §2.5.4).
pub(crate) fn site(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(one) => IpAddr::V4(one),
        IpAddr::V6(one) => {
            let [a, b, c, d, ..] = one.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_share_and_gives_it_back() {
        let connections = Arc::<Connections>::default();
        let [one, same, other] = ["2001:db8::1", "2001:db8::ffff:1", "192.0.2.1"].map(|text| text.parse().unwrap());
        let mut held: Vec<_> = [one, same].into_iter().map(|peer| connections.add(peer, 2)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(connections.add(one, 2).is_none());
        held.push(connections.add(other, 2));
        assert_eq!(connections.open(), 3);
        held.remove(0);
        assert!(connections.add(same, 2).is_some());
        held.clear();
        assert_eq!(connections.open(), 0);
        assert!(connections.of_each.lock().unwrap().is_empty());
        assert_eq!(site("::ffff:192.0.2.1".parse().unwrap()), other);
    }
}

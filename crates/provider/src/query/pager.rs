//! What makes pages follow each other: the key that seals cursors (RFC 9865), and where the pages of a walk by index ended.
//!
//! A client that walks by `startIndex` asks for "the 101st" when it has seen a hundred. While it walks, others are made and deleted, so
//! that the 101st is no longer the one behind the last it has seen. The server therefore remembers for a while where a page ended, and
//! the next page goes on from there: nobody is skipped or shown twice, and a deep page costs what the first one does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use scim::{Cursor, Edge, Place, ScimError};
use sha2::Sha256;
use store::TenantKey;

use crate::{TokenHash, TokenKey};

/// How long a cursor works, in seconds (`cursorTimeout` of RFC 9865 §4).
pub const CURSOR_SECONDS: i64 = 3600;
/// How long the end of a page by index is remembered.
const MARK_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Ends of pages that are remembered for one tenant; the oldest is forgotten first.
const MARKS_EACH: usize = 64;
/// Tenants for which any are remembered; who has not walked for longest is forgotten first.
const TENANTS_MAX: usize = 1024;
/// Longest text of a sorted list's place that is remembered, in bytes.
const MARK_KEY_BYTES_MAX: usize = 256;
/// Keeps what is sealed for cursors apart from everything else that the server's key authenticates.
const PURPOSE: &[u8] = b"lockstep cursor 1";

/// What is asked for, as a digest: tenant, resource type, filter and order.
pub(super) type Digest = [u8; 32];

/// Whose walk it is: two clients of a tenant may walk the same list at different paces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walker([u8; 32]);

impl From<&TokenHash> for Walker {
    fn from(token: &TokenHash) -> Self {
        Self(*token.bytes())
    }
}

/// What pages need to follow each other; one for a server.
#[derive(Debug)]
pub struct Pager {
    key: CursorKey,
    marks: Mutex<HashMap<TenantKey, VecDeque<Mark>>>,
}

struct CursorKey(Hmac<Sha256>);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

/// Where a page ended.
#[derive(Debug)]
struct Mark {
    walker: Walker,
    digest: Digest,
    /// The number of the resource behind it.
    next: u64,
    place: Place,
    /// What the client was told of the number of all.
    total: u64,
    expires: Timestamp,
}

impl Pager {
    /// Seals cursors with a key made from the server's, so that they are good on every machine that shares it.
    pub fn new(key: &TokenKey) -> Self {
        let derived = key.derive(PURPOSE);
        let key = Hmac::new_from_slice(&derived).expect("HMAC takes a key of any length");
        Self { key: CursorKey(key), marks: Mutex::default() }
    }

    /// The text of a cursor of this query.
    pub(super) fn seal(&self, digest: &Digest, edge: Edge, total: Option<u64>, now: Timestamp) -> String {
        let expires = now.saturating_add(SignedDuration::from_secs(CURSOR_SECONDS)).unwrap_or(Timestamp::MAX);
        Cursor { edge, total, expires }.seal(|bytes| self.mac(digest, bytes).finalize().into_bytes().into())
    }

    /// Reads a cursor of this query.
    ///
    /// # Errors
    /// `invalidCursor` for one of another query or tenant, or of nobody; `expiredCursor` for one that is too old.
    pub(super) fn open(&self, digest: &Digest, text: &str, now: Timestamp) -> Result<Cursor, ScimError> {
        let cursor = Cursor::open(text, |bytes, tag| self.mac(digest, bytes).verify_slice(tag).is_ok());
        match cursor {
            None => Err(ScimError::invalid_cursor(
                "the cursor is not one that this query was given; begin again with an empty cursor",
            )),
            Some(cursor) if cursor.expires <= now => Err(ScimError::expired_cursor(format!(
                "the cursor is older than {CURSOR_SECONDS} seconds; begin again with an empty cursor"
            ))),
            Some(cursor) => Ok(cursor),
        }
    }

    fn mac(&self, digest: &Digest, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.key.0.clone();
        mac.update(digest);
        mac.update(bytes);
        mac
    }

    fn marks(&self) -> MutexGuard<'_, HashMap<TenantKey, VecDeque<Mark>>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the page ended that the one with this first number follows, and the number of all that it told.
    pub(super) fn find(
        &self,
        tenant: TenantKey,
        walker: Walker,
        digest: &Digest,
        next: u64,
        now: Timestamp,
    ) -> Option<(Place, u64)> {
        let marks = self.marks();
        let of_tenant = marks.get(&tenant)?.iter().rev();
        let mut meant = of_tenant.filter(|mark| mark.next == next && mark.walker == walker && mark.digest == *digest);
        meant.next().filter(|mark| mark.expires > now).map(|mark| (mark.place.clone(), mark.total))
    }

    /// Remembers where a page ended.
    pub(super) fn remember(
        &self,
        tenant: TenantKey,
        walker: Walker,
        digest: Digest,
        (next, place, total): (u64, Place, u64),
        now: Timestamp,
    ) {
        if place.key.as_ref().is_some_and(|key| key.bytes() > MARK_KEY_BYTES_MAX) {
            return;
        }
        let expires = now.saturating_add(MARK_LIFE).unwrap_or(Timestamp::MAX);
        let mut marks = self.marks();
        if marks.len() >= TENANTS_MAX && !marks.contains_key(&tenant) {
            let newest = |marks: &VecDeque<Mark>| marks.back().map(|mark| mark.expires);
            let idle = marks.iter().min_by_key(|(_, marks)| newest(marks)).map(|(tenant, _)| *tenant);
            idle.map(|idle| marks.remove(&idle));
        }
        let of_tenant = marks.entry(tenant).or_default();
        of_tenant.retain(|mark| {
            mark.expires > now && !(mark.next == next && mark.walker == walker && mark.digest == digest)
        });
        if of_tenant.len() >= MARKS_EACH {
            of_tenant.pop_front();
        }
        of_tenant.push_back(Mark { walker, digest, next, place, total, expires });
    }
}

#[cfg(test)]
mod tests {
    use scim::ScimType;

    use super::*;

    fn pager() -> Pager {
        Pager::new(&TokenKey::new([1; 32]))
    }

    fn place(number: u8) -> Place {
        Place { part: 0, id: [number; 16], key: None }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// SG-06.
    #[test]
    fn a_cursor_works_for_its_query_and_its_time() {
        let (pager, mine, other) = (pager(), [1; 32], [2; 32]);
        let text = pager.seal(&mine, Edge::After(place(7)), Some(3), at(100));
        let read = |digest, text: &str, now| pager.open(digest, text, now).map_err(|error| error.scim_type);
        for now in [100, 100, 99 + CURSOR_SECONDS] {
            let cursor = read(&mine, &text, at(now)).unwrap();
            assert_eq!((cursor.edge, cursor.total), (Edge::After(place(7)), Some(3)));
        }
        assert_eq!(read(&mine, &text, at(100 + CURSOR_SECONDS)), Err(ScimType::ExpiredCursor));
        assert_eq!(read(&other, &text, at(100)), Err(ScimType::InvalidCursor));
        // What is not ours is not told apart by its age.
        assert_eq!(read(&other, &text, at(100 + CURSOR_SECONDS)), Err(ScimType::InvalidCursor));
        for altered in [text[1..].to_owned(), format!("{text}A"), text.to_lowercase(), "x".to_owned(), "é".to_owned()]
        {
            assert_eq!(read(&mine, &altered, at(100)), Err(ScimType::InvalidCursor), "{altered}");
        }
        let stranger = Pager::new(&TokenKey::new([2; 32]));
        assert!(stranger.open(&mine, &text, at(100)).is_err());
        assert!(!format!("{pager:?}").contains("Hmac"));
    }

    #[test]
    fn an_end_is_remembered_for_its_walker_and_query_and_the_last_one_counts() {
        let (pager, tenant) = (pager(), store::testing::tenant_key(1));
        let (ann, bob) = (Walker([1; 32]), Walker([2; 32]));
        pager.remember(tenant, ann, [1; 32], (101, place(1), 9), at(0));
        pager.remember(tenant, bob, [1; 32], (101, place(2), 9), at(0));
        pager.remember(tenant, ann, [1; 32], (101, place(3), 9), at(1));
        for (tenant, walker, digest, next, second, expected) in [
            (tenant, ann, [1; 32], 101, 2, Some(3)),
            (tenant, bob, [1; 32], 101, 2, Some(2)),
            (tenant, ann, [2; 32], 101, 2, None),
            (tenant, ann, [1; 32], 102, 2, None),
            (store::testing::tenant_key(2), ann, [1; 32], 101, 2, None),
            (tenant, ann, [1; 32], 101, 1 + MARK_LIFE.as_secs(), None),
        ] {
            assert_eq!(
                pager.find(tenant, walker, &digest, next, at(second)),
                expected.map(|number| (place(number), 9))
            );
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (pager, tenant, walker) = (pager(), store::testing::tenant_key(1), Walker::default());
        for next in 0..=MARKS_EACH as u64 {
            pager.remember(tenant, walker, [1; 32], (next, place(1), 9), at(0));
        }
        assert_eq!(pager.find(tenant, walker, &[1; 32], 0, at(0)), None);
        assert!(pager.find(tenant, walker, &[1; 32], 1, at(0)).is_some());
        let long = scim::SortKey::text("x".repeat(MARK_KEY_BYTES_MAX + 1));
        pager.remember(tenant, walker, [1; 32], (900, Place { key: Some(long), ..place(1) }, 9), at(0));
        assert_eq!(pager.find(tenant, walker, &[1; 32], 900, at(0)), None);
        for other in 0..i64::try_from(TENANTS_MAX).unwrap() {
            pager.remember(store::testing::tenant_key(100 + other), walker, [1; 32], (1, place(1), 9), at(1 + other));
        }
        assert_eq!(pager.marks().len(), TENANTS_MAX);
        assert_eq!(pager.find(tenant, walker, &[1; 32], 1, at(1)), None);
    }
}

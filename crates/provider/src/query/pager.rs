//! What makes pages follow each other: the key that seals cursors (RFC 9865), and the marks of walks by index (`marks`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use scim::{Cursor, Edge, ScimError};
use sha2::Sha256;

use super::marks::Marks;
use crate::{TokenHash, TokenKey};

/// How long a cursor works, in seconds (`cursorTimeout` of RFC 9865 §4).
pub const CURSOR_SECONDS: i64 = 3600;
/// Keeps what is sealed for cursors apart from everything else that the server's key authenticates.
const PURPOSE: &[u8] = b"lockstep cursor 1";

/// What is asked for, as a digest: tenant, resource type, filter and order.
pub(super) type Digest = [u8; 32];

/// Whose walk it is: two clients of a tenant may walk the same list at different paces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walker([u8; 32]);

#[cfg(test)]
impl Walker {
    pub(super) const fn testing(number: u8) -> Self {
        Self([number; 32])
    }
}

impl From<&TokenHash> for Walker {
    fn from(token: &TokenHash) -> Self {
        Self(*token.bytes())
    }
}

/// What pages need to follow each other; one for a server.
#[derive(Debug)]
pub struct Pager {
    key: CursorKey,
    marks: Mutex<Marks>,
}

struct CursorKey(Hmac<Sha256>);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

impl Pager {
    /// Seals cursors with a key made from the server's, so that they are good on every machine that shares it.
    pub fn new(key: &TokenKey) -> Self {
        let derived = key.derive(PURPOSE);
        let key = Hmac::new_from_slice(&derived).expect("HMAC takes a key of any length");
        Self { key: CursorKey(key), marks: Mutex::default() }
    }

    /// The text of a cursor of this query.
    pub(super) fn seal(
        &self,
        digest: &Digest,
        edge: Edge,
        (total, count): (Option<u64>, u32),
        now: Timestamp,
    ) -> String {
        let expires = now.saturating_add(SignedDuration::from_secs(CURSOR_SECONDS)).unwrap_or(Timestamp::MAX);
        Cursor { edge, total, count, expires }.seal(|bytes| self.mac(digest, bytes).finalize().into_bytes().into())
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

    /// Where the pages of walks by index ended.
    pub(super) fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use scim::{Place, ScimType};

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
        let text = pager.seal(&mine, Edge::After(place(7)), (Some(3), 5), at(100));
        let read = |digest, text: &str, now| pager.open(digest, text, now).map_err(|error| error.scim_type);
        for now in [100, 100, 99 + CURSOR_SECONDS] {
            let cursor = read(&mine, &text, at(now)).unwrap();
            assert_eq!((cursor.edge, cursor.total, cursor.count), (Edge::After(place(7)), Some(3), 5));
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
}

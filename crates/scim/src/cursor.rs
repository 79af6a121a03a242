//! Cursors (RFC 9865 §2): where the page of a list ended, as text that only who made it can read back.
//!
//! What authenticates the text is the caller's: the tag should cover, beside these bytes, everything that the query says.

use jiff::Timestamp;

use crate::SortKey;
use crate::limits::KEY_BYTES_MAX;
use crate::sort::SORT_KEY_BYTES_MAX;

/// Longest cursor, in characters.
pub const CURSOR_CHARS_MAX: usize = (HEAD + PLACE + 1 + PLACE_KEY_BYTES_MAX + TAG) * 4 / 3 + 3;

/// Times that a text may be as long when it is folded (Unicode Standard Annex 15: NFC in UTF-8; U+1D160 is so).
const FOLDED_TIMES: usize = 3;
/// Longest key of a place, in bytes: that of the attribute that no two resources share is kept whole.
const PLACE_KEY_BYTES_MAX: usize = KEY_BYTES_MAX * FOLDED_TIMES;
const _: () = assert!(PLACE_KEY_BYTES_MAX >= SORT_KEY_BYTES_MAX);

const VERSION: u8 = 2;
/// Bytes of the version, the edge, the expiry, the total and the count.
const HEAD: usize = 22;
/// Bytes of a part's number and of an id.
const PLACE: usize = 18;
/// Bytes of the tag.
const TAG: usize = 32;
/// Stands for no total.
const NO_TOTAL: u64 = u64::MAX;

/// A place in a list: that of one resource, whether it still exists or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of its resource type in a search of several.
    pub part: u16,
    /// Its id.
    pub id: [u8; 16],
    /// What the list is sorted by, where it is sorted by something else than ids.
    pub key: Option<SortKey>,
}

/// Where a page begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It begins with the first resource.
    Start,
    /// It begins behind this place.
    After(Place),
    /// It ends before this place.
    Before(Place),
}

/// What a cursor says.
///
/// ```
/// use scim::{Cursor, Edge, Place};
///
/// // In earnest: a keyed hash of the bytes and of what the query says.
/// let tag = |bytes: &[u8]| [bytes.len() as u8; 32];
/// let place = Place { part: 0, id: [7; 16], key: None };
/// let expires = "2026-01-31T08:00:00Z".parse().expect("it is a moment");
/// let text = Cursor { edge: Edge::After(place), total: None, count: 100, expires }.seal(tag);
///
/// let opened = Cursor::open(&text, |bytes, sealed| sealed == tag(bytes)).expect("nobody has changed it");
/// assert_eq!(opened.expires, expires);
/// assert!(Cursor::open("forged", |bytes, sealed| sealed == tag(bytes)).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The page it asks for.
    pub edge: Edge,
    /// How many resources there were in all when the first page was read, where that is not known again at little cost.
    pub total: Option<u64>,
    /// Most resources on a page, as the first one was asked for: it holds for all of them (RFC 9865 §2.1).
    pub count: u32,
    /// When it ends to work; whole seconds.
    pub expires: Timestamp,
}

impl Cursor {
    /// The cursor as text of the unreserved characters of a URI; `tag` authenticates its bytes.
    pub fn seal(&self, tag: impl FnOnce(&[u8]) -> [u8; TAG]) -> String {
        let mut bytes = Vec::with_capacity(HEAD + PLACE + 64 + TAG);
        let (edge, place) = match &self.edge {
            Edge::Start => (0, None),
            Edge::After(place) => (1, Some(place)),
            Edge::Before(place) => (2, Some(place)),
        };
        bytes.extend([VERSION, edge]);
        bytes.extend(self.expires.as_second().to_be_bytes());
        bytes.extend(self.total.unwrap_or(NO_TOTAL).to_be_bytes());
        bytes.extend(self.count.to_be_bytes());
        if let Some(place) = place {
            bytes.extend(place.part.to_be_bytes());
            bytes.extend(place.id);
            if let Some(key) = &place.key {
                key.write(&mut bytes);
            }
        }
        let tag = tag(&bytes);
        bytes.extend(tag);
        encode(&bytes)
    }

    /// Reads a text back. `is_genuine` is handed the bytes and their tag; `None` where it refuses them, or where the text never was a
    /// cursor. Whether it has expired is for the caller to ask.
    pub fn open(text: &str, is_genuine: impl FnOnce(&[u8], &[u8]) -> bool) -> Option<Self> {
        if text.len() > CURSOR_CHARS_MAX {
            return None;
        }
        let bytes = decode(text)?;
        let (bytes, tag) = bytes.split_last_chunk::<TAG>()?;
        if !is_genuine(bytes, tag) {
            return None;
        }
        let ([version, edge], rest) = bytes.split_first_chunk()?;
        let (expires, rest) = rest.split_first_chunk()?;
        let (total, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let edge = match (version, edge) {
            (&VERSION, 0) if rest.is_empty() => Edge::Start,
            (&VERSION, 1) => Edge::After(place(rest)?),
            (&VERSION, 2) => Edge::Before(place(rest)?),
            _ => return None,
        };
        let total = u64::from_be_bytes(*total);
        Some(Self {
            edge,
            total: (total != NO_TOTAL).then_some(total),
            count: u32::from_be_bytes(*count),
            expires: Timestamp::from_second(i64::from_be_bytes(*expires)).ok()?,
        })
    }
}

fn place(bytes: &[u8]) -> Option<Place> {
    let (part, rest) = bytes.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    let key = if rest.is_empty() { None } else { Some(SortKey::read(rest)?) };
    Some(Place { part: u16::from_be_bytes(*part), id: *id, key })
}

/// The digits of base64url (RFC 4648 §5); all are unreserved (RFC 3986 §2.3).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    text
}

/// The only text that stands for bytes is read: bits behind them must be zero.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for four in text.as_bytes().chunks(4) {
        if four.len() == 1 {
            return None;
        }
        let mut bits = 0_u32;
        for byte in four {
            let digit = DIGITS.iter().position(|digit| digit == byte)?;
            bits = bits << 6 | u32::try_from(digit).ok()?;
        }
        bits <<= 6 * (4 - four.len());
        let [_, three @ ..] = bits.to_be_bytes();
        let (held, rest) = three.split_at(four.len() - 1);
        if rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend(held);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(bytes: &[u8]) -> [u8; TAG] {
        let mut tag = [7_u8; TAG];
        for (at, byte) in bytes.iter().enumerate() {
            tag[at % TAG] = tag[at % TAG].wrapping_mul(31).wrapping_add(*byte);
        }
        tag
    }

    fn open(text: &str) -> Option<Cursor> {
        Cursor::open(text, |bytes, given| tag(bytes) == given)
    }

    fn cursors() -> impl Strategy<Value = Cursor> {
        let key = proptest::option::of(any::<String>().prop_map(SortKey::text));
        (
            0..3_u8,
            any::<(u16, [u8; 16])>(),
            key,
            (proptest::option::of(0..u64::MAX), any::<u32>()),
            0..4_000_000_000_i64,
        )
            .prop_map(|(edge, (part, id), key, (total, count), second)| {
                let place = Place { part, id, key };
                let edge = match edge {
                    0 => Edge::Start,
                    1 => Edge::After(place),
                    _ => Edge::Before(place),
                };
                Cursor { edge, total, count, expires: Timestamp::from_second(second).expect("within the calendar") }
            })
    }

    #[test]
    fn the_longest_cursor_is_read_back() {
        let grown = crate::fold(&"\u{1d160}".repeat(KEY_BYTES_MAX / 4));
        assert_eq!(grown.len(), PLACE_KEY_BYTES_MAX);
        for key in [SortKey::text("x".repeat(SORT_KEY_BYTES_MAX + 1)), SortKey::Text(grown)] {
            let edge = Edge::After(Place { part: 0, id: [0; 16], key: Some(key) });
            let sealed = Cursor { edge, total: None, count: 0, expires: Timestamp::UNIX_EPOCH }.seal(tag);
            assert!(open(&sealed).is_some() && sealed.len() <= CURSOR_CHARS_MAX);
        }
        assert_eq!(open(&"A".repeat(CURSOR_CHARS_MAX + 1)), None);
    }

    #[test]
    fn no_character_grows_more_when_it_is_folded() {
        for one in '\0'..=char::MAX {
            assert!(crate::fold(&one.to_string()).len() <= FOLDED_TIMES * one.len_utf8(), "{one:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_sealed(cursor in cursors()) {
            let sealed = cursor.seal(tag);
            prop_assert!(sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(open(&sealed), Some(cursor));
        }

        #[test]
        fn one_changed_character_makes_it_nothing(cursor in cursors(), at in any::<proptest::sample::Index>(), other in "[A-Za-z0-9_-]") {
            let sealed = cursor.seal(tag);
            let at = at.index(sealed.len());
            let altered = format!("{}{other}{}", &sealed[..at], &sealed[at + 1..]);
            prop_assert_eq!(open(&altered).is_some(), altered == sealed);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = open(&text);
            let _ = Cursor::open(&encode(&bytes), |_, _| true);
        }
    }
}

//! Follows the requests of one connection (RFC 9112), so that the HTTP library is only handed heads that have one meaning, each whole.
//! What has none is refused, and nothing after it is read: there is never a request that begins elsewhere for one reader than for
//! another.
//!
//! Raw quotation marks in queries (`?filter=userName+eq+"x"`), which clients in the field send and which the library refuses with the
//! whole connection, are percent-encoded on the way (RFC 3986 §2.1), and so are `<` and `>`.

#[cfg(test)]
mod tests;

use std::mem;

use memchr::memchr;

use super::head::{Body, Head, Reading, field, number};
use super::{HeadLimits, Refusal};

/// Longest line before a chunk, in bytes: its size and what may be said about it.
const CHUNK_LINE_BYTES_MAX: usize = 1 << 10;
/// Most bytes of the fields after the last chunk.
const TRAILER_BYTES_MAX: usize = 8 << 10;

/// Follows the requests that come in on one connection.
#[derive(Debug)]
pub(crate) struct Requests {
    limits: HeadLimits,
    place: Place,
    head: Head,
    /// A head, or a line of a chunked body, whose end has not come yet.
    held: Vec<u8>,
}

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Head,
    /// So many bytes before the next request.
    Body(u64),
    ChunkSize,
    /// So many bytes before the end of a chunk.
    Chunk(u64),
    ChunkEnd,
    /// Among the fields after the last chunk, of which there were so many bytes.
    Trailers(usize),
    /// After a request that was refused.
    Refused,
    /// In a body that has no meaning.
    Broken,
}

/// What the connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaits {
    /// A request.
    Request,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
    /// Nothing: what else comes is not read.
    Nothing,
}

impl Requests {
    pub(crate) fn new(limits: HeadLimits) -> Self {
        Self { limits, place: Place::Head, head: Head::default(), held: Vec::new() }
    }

    pub(crate) fn awaits(&self) -> Awaits {
        match self.place {
            Place::Head if self.held.is_empty() => Awaits::Request,
            Place::Head => Awaits::Head,
            Place::Refused => Awaits::Nothing,
            _ => Awaits::Body,
        }
    }

    /// Whether the body that comes has no meaning, so that the connection is of no more use.
    pub(crate) const fn is_broken(&self) -> bool {
        matches!(self.place, Place::Broken)
    }

    /// Takes the bytes that came next. Gives what to read instead, unless they are right as they are.
    pub(crate) fn take(&mut self, came: &[u8]) -> Option<Vec<u8>> {
        if self.held.is_empty() {
            return self.follow(came, false);
        }
        let mut held = mem::take(&mut self.held);
        held.extend_from_slice(came);
        self.follow(&held, true)
    }

    /// Ends a head that has begun, and gives what to read instead.
    pub(crate) fn refuse(&mut self, refusal: Refusal) -> Vec<u8> {
        self.place = Place::Refused;
        self.held = Vec::new();
        refusal.request()
    }

    fn follow(&mut self, came: &[u8], is_held: bool) -> Option<Vec<u8>> {
        let (mut instead, mut copied, mut at) = (Vec::new(), 0, 0);
        while at < came.len() {
            let rest = &came[at..];
            match self.step(rest) {
                Step::On(bytes) => at += bytes,
                Step::Encoded(bytes, encoded) => {
                    instead.extend_from_slice(&came[copied..at]);
                    instead.extend_from_slice(&encoded);
                    at += bytes;
                    copied = at;
                }
                Step::Hold => {
                    self.held = rest.to_vec();
                    instead.extend_from_slice(&came[copied..at]);
                    return Some(instead);
                }
                Step::Refuse(refusal) => {
                    instead.extend_from_slice(&came[copied..at]);
                    instead.extend(self.refuse(refusal));
                    return Some(instead);
                }
                Step::Drop => {
                    instead.extend_from_slice(&came[copied..at]);
                    return Some(instead);
                }
            }
        }
        (is_held || copied > 0).then(|| {
            instead.extend_from_slice(&came[copied..]);
            instead
        })
    }

    /// Goes on by one place at the most.
    fn step(&mut self, rest: &[u8]) -> Step {
        match self.place {
            Place::Head => self.head(rest),
            Place::Body(left) => self.skip(rest, left, Place::Body, Place::Head),
            Place::ChunkSize => self.line(rest, CHUNK_LINE_BYTES_MAX, |line, _| match chunk_size(line)? {
                0 => Some(Place::Trailers(0)),
                size => Some(Place::Chunk(size)),
            }),
            Place::Chunk(left) => self.skip(rest, left, Place::Chunk, Place::ChunkEnd),
            Place::ChunkEnd => self.line(rest, 0, |line, _| line.is_empty().then_some(Place::ChunkSize)),
            Place::Trailers(bytes) => self.line(rest, TRAILER_BYTES_MAX - bytes, |line, left| {
                if line.is_empty() {
                    return Some(Place::Head);
                }
                field(line).map(|_| Place::Trailers(TRAILER_BYTES_MAX - (left - line.len())))
            }),
            Place::Refused | Place::Broken => Step::Drop,
        }
    }

    fn head(&mut self, rest: &[u8]) -> Step {
        match self.head.read(rest, self.limits) {
            Reading::More => Step::Hold,
            Reading::Refused(refusal) => Step::Refuse(refusal),
            Reading::Whole(end) => {
                let head = mem::take(&mut self.head);
                self.place = match head.body() {
                    Body::None | Body::Length(0) => Place::Head,
                    Body::Length(length) => Place::Body(length),
                    Body::Chunked => Place::ChunkSize,
                };
                match head.encoded(&rest[..end]) {
                    Some(encoded) => Step::Encoded(end, encoded),
                    None => Step::On(end),
                }
            }
        }
    }

    /// A line of so many bytes at the most, which tells the place after it. What is no such line breaks the body.
    fn line(&mut self, rest: &[u8], bytes_max: usize, after: fn(&[u8], usize) -> Option<Place>) -> Step {
        let end = memchr(b'\n', rest);
        // With the bytes that end it.
        if end.unwrap_or(rest.len()) > bytes_max + 1 {
            self.place = Place::Broken;
            return Step::Drop;
        }
        let Some(end) = end else { return Step::Hold };
        let Some(place) = rest[..end].strip_suffix(b"\r").and_then(|line| after(line, bytes_max)) else {
            self.place = Place::Broken;
            return Step::Drop;
        };
        self.place = place;
        Step::On(end + 1)
    }

    /// Bytes that are counted, not looked at.
    fn skip(&mut self, rest: &[u8], left: u64, more: fn(u64) -> Place, after: Place) -> Step {
        let taken = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
        let left = left - taken as u64;
        self.place = if left == 0 { after } else { more(left) };
        Step::On(taken)
    }
}

enum Step {
    /// So many bytes are right as they are.
    On(usize),
    /// Instead of so many bytes, these.
    Encoded(usize, Vec<u8>),
    /// The rest is not whole.
    Hold,
    Refuse(Refusal),
    /// The rest is not read.
    Drop,
}

/// The size in front of a chunk (RFC 9112 §7.1). What else is said about it means nothing here.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let Some(end) = memchr(b';', line) else { return number(line, 16) };
    let (size, about) = line.split_at(end);
    about
        .iter()
        .all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
        .then(|| number(size.trim_ascii_end(), 16))
        .flatten()
}

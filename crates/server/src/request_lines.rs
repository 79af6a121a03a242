//! Raw quotation marks in queries: `?filter=userName+eq+"x"`, as clients in the field send them and as the HTTP library refuses
//! them with the whole connection. They are percent-encoded before it reads them (RFC 3986 §2.1), and so are `<` and `>`.
//!
//! This follows the requests of a connection (RFC 9112) far enough to know where their queries stand, and takes only what has one
//! meaning: a line that ends in CRLF, one `Content-Length`, or one `Transfer-Encoding: chunked` with plain chunks. After anything
//! else it changes no byte of the connection any more. So there is never a request that begins or ends elsewhere than the HTTP
//! library sees it: what that takes differently, it does not get changed.

use std::mem;

use memchr::{memchr, memchr2, memchr3, memchr3_iter};
use percent_encoding::percent_encode_byte;

/// Longest line that is looked at; after a longer one nothing is changed any more.
const LINE_BYTES_MAX: usize = 16 << 10;

/// Follows the requests that come in on one connection.
#[derive(Debug, Default)]
pub(crate) struct RequestLines {
    place: Place,
    /// How the body comes that follows the headers being read.
    body: Body,
    /// What came of a line whose end has not come yet.
    begun: Vec<u8>,
}

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Before the blank that ends the method.
    #[default]
    Method,
    /// After it, before a question mark.
    Path,
    /// After the question mark, before the blank that ends the query. Only here is anything changed.
    Query,
    /// In the rest of the request line.
    Version,
    Headers,
    /// So many bytes before the next request.
    Body(u64),
    ChunkSize,
    /// So many bytes before the end of a chunk.
    Chunk(u64),
    ChunkEnd,
    /// At the empty line after the last chunk.
    LastChunkEnd,
    /// Not known any more.
    Lost,
}

#[derive(Clone, Copy, Debug, Default)]
enum Body {
    #[default]
    None,
    Length(u64),
    Chunked,
}

impl RequestLines {
    /// Takes the bytes that came next. Gives what to read instead, unless they are right as they are.
    pub(crate) fn encode(&mut self, came: &[u8]) -> Option<Vec<u8>> {
        let (mut encoded, mut copied, mut at) = (Vec::new(), 0, 0);
        while at < came.len() {
            let is_query = matches!(self.place, Place::Query);
            let end = at + self.step(&came[at..]);
            if is_query {
                for mark in memchr3_iter(b'"', b'<', b'>', &came[at..end]) {
                    let mark = at + mark;
                    encoded.extend_from_slice(&came[copied..mark]);
                    encoded.extend_from_slice(percent_encode_byte(came[mark]).as_bytes());
                    copied = mark + 1;
                }
            }
            at = end;
        }
        (copied > 0).then(|| {
            encoded.extend_from_slice(&came[copied..]);
            encoded
        })
    }

    /// Goes on by one place at the most; tells how many bytes belonged to it.
    fn step(&mut self, rest: &[u8]) -> usize {
        match self.place {
            Place::Method => self.word(rest, memchr2(b' ', b'\n', rest), Place::Path),
            Place::Path => self.word(rest, memchr3(b'?', b' ', b'\n', rest), Place::Version),
            Place::Query => self.word(rest, memchr3(b' ', b'\r', b'\n', rest), Place::Version),
            Place::Version => self.line(rest, |_, _| Some(Place::Headers)),
            Place::Headers => self.line(rest, Self::header),
            Place::Body(left) => self.skip(rest, left, Place::Body, Place::Method),
            Place::ChunkSize => self.line(rest, |_, line| match number(line, 16)? {
                0 => Some(Place::LastChunkEnd),
                size => Some(Place::Chunk(size)),
            }),
            Place::Chunk(left) => self.skip(rest, left, Place::Chunk, Place::ChunkEnd),
            Place::ChunkEnd => self.line(rest, |_, line| line.is_empty().then_some(Place::ChunkSize)),
            // Fields may stand here, but nobody sends any.
            Place::LastChunkEnd => self.line(rest, |_, line| line.is_empty().then_some(Place::Method)),
            Place::Lost => rest.len(),
        }
    }

    /// A part of the request line, which ends at the first of some bytes.
    fn word(&mut self, rest: &[u8], end: Option<usize>, after_blank: Place) -> usize {
        let Some(end) = end else { return rest.len() };
        self.place = match rest[end] {
            b' ' => after_blank,
            b'?' => Place::Query,
            _ => Place::Lost,
        };
        end + 1
    }

    /// A line, which tells the place after it once it is whole.
    fn line(&mut self, rest: &[u8], whole: fn(&mut Self, &[u8]) -> Option<Place>) -> usize {
        let end = memchr(b'\n', rest);
        let part = &rest[..end.unwrap_or(rest.len())];
        if self.begun.len() + part.len() > LINE_BYTES_MAX {
            self.begun = Vec::new();
            self.place = Place::Lost;
            return rest.len();
        }
        if end.is_none() || !self.begun.is_empty() {
            self.begun.extend_from_slice(part);
        }
        if end.is_some() {
            let begun = mem::take(&mut self.begun);
            let line = if begun.is_empty() { part } else { &begun };
            self.place = line.strip_suffix(b"\r").and_then(|line| whole(self, line)).unwrap_or(Place::Lost);
        }
        end.map_or(rest.len(), |end| end + 1)
    }

    /// Bytes that are counted, not looked at.
    fn skip(&mut self, rest: &[u8], left: u64, more: fn(u64) -> Place, after: Place) -> usize {
        let taken = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
        let left = left - taken as u64;
        self.place = if left == 0 { after } else { more(left) };
        taken
    }

    fn header(&mut self, line: &[u8]) -> Option<Place> {
        if line.is_empty() {
            return Some(match mem::take(&mut self.body) {
                Body::None | Body::Length(0) => Place::Method,
                Body::Length(length) => Place::Body(length),
                Body::Chunked => Place::ChunkSize,
            });
        }
        let found = if let Some(value) = value(line, b"content-length:") {
            Body::Length(number(value, 10)?)
        } else if let Some(value) = value(line, b"transfer-encoding:") {
            value.eq_ignore_ascii_case(b"chunked").then_some(Body::Chunked)?
        } else {
            return Some(Place::Headers);
        };
        matches!(mem::replace(&mut self.body, found), Body::None).then_some(Place::Headers)
    }
}

/// The value of a header, if the line is one of that name.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// Digits and nothing else.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    /// What comes out where these parts come in.
    fn through<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut lines = RequestLines::default();
        parts.into_iter().flat_map(|part| lines.encode(part).unwrap_or_else(|| part.to_vec())).collect()
    }

    fn cut(sent: &[u8], cuts: &[Index]) -> Vec<u8> {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
        ends.extend([0, sent.len()]);
        ends.sort_unstable();
        through(ends.windows(2).map(|ends| &sent[ends[0]..ends[1]]))
    }

    fn text(sent: &str) -> String {
        String::from_utf8(through([sent.as_bytes()])).unwrap()
    }

    #[test]
    fn what_is_encoded_of_a_request_line() {
        for (line, expected) in [
            (
                "GET /Groups?filter=displayName+eq+\"UHYY\" HTTP/1.1",
                "GET /Groups?filter=displayName+eq+%22UHYY%22 HTTP/1.1",
            ),
            ("GET /Users?a=\"<>?\"&b=ü%22 HTTP/1.0", "GET /Users?a=%22%3C%3E?%22&b=ü%22 HTTP/1.0"),
            ("GET /\"?a HTTP/1.1", "GET /\"?a HTTP/1.1"),
            ("GET http://x/?\" HTTP/1.1", "GET http://x/?%22 HTTP/1.1"),
            ("A\"? /? \"", "A\"? /? \""),
        ] {
            let (head, expected) = (format!("{line}\r\nx: ?\"\r\n\r\n"), format!("{expected}\r\nx: ?\"\r\n\r\n"));
            assert_eq!(text(&head), expected);
            assert_eq!(text(&head.repeat(3)), expected.repeat(3));
        }
        assert!(RequestLines::default().encode(b"GET /?a=b HTTP/1.1\r\n\r\n").is_none(), "nothing is copied");
    }

    #[test]
    fn after_what_has_no_one_meaning_nothing_is_changed() {
        const NEXT: &str = "GET /?\" HTTP/1.1\r\n\r\n";
        for sent in [
            "\r\n".to_owned(),
            "GET /\r\n\r\n".to_owned(),
            "GET /?\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nx: y\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\n\n".to_owned(),
            format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(LINE_BYTES_MAX)),
            headed("Content-Length: 0\r\nContent-Length: 0"),
            headed("Content-Length: 1\r\nTransfer-Encoding: chunked"),
            headed("Transfer-Encoding: chunked\r\ncontent-length: 1"),
            headed("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            headed("Transfer-Encoding: gzip, chunked"),
            headed("Content-Length: +0"),
            headed("Content-Length: -0"),
            headed("Content-Length: 0, 0"),
            headed("Content-Length: 18446744073709551616"),
            headed("Content-Length:"),
            headed("transfer-encoding: chunked") + "+1\r\na\r\n0\r\n\r\n",
            headed("transfer-encoding: chunked") + "1;x=y\r\na\r\n0\r\n\r\n",
            headed("transfer-encoding: chunked") + "1\na\r\n0\r\n\r\n",
            headed("transfer-encoding: chunked") + "1\r\nab\r\n0\r\n\r\n",
            headed("transfer-encoding: chunked") + "10000000000000000\r\na\r\n0\r\n\r\n",
            headed("transfer-encoding: chunked") + "0\r\nx: y\r\n\r\n",
            headed("transfer-encoding: chunked") + "0\r\nx: y\r\n",
            headed("transfer-encoding: chunked") + "\r\n",
        ] {
            let sent = sent + NEXT + NEXT;
            assert_eq!(text(&sent), sent);
            assert_eq!(through(sent.as_bytes().chunks(1)), sent.as_bytes());
        }
    }

    fn headed(headers: &str) -> String {
        format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n")
    }

    /// Bytes that would be changed, or would lead astray, were they taken for a part of a request's head.
    fn traps() -> impl Strategy<Value = Vec<u8>> {
        let trap = prop_oneof![
            Just(b"GET /?\"<> HTTP/1.1\r\n".to_vec()),
            Just(b"\r\n\r\n".to_vec()),
            Just(b"Content-Length: 7\r\n".to_vec()),
            Just(b"0\r\n\r\n".to_vec()),
            Just(b"? \"".to_vec()),
            vec(any::<u8>(), 0..9),
        ];
        vec(trap, 0..6).prop_map(|traps| traps.concat())
    }

    /// The headers and body of a request.
    fn rests() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof!["Content-Length: ", "content-length:", "CONTENT-LENGTH: \t"];
        let chunked = prop_oneof!["Transfer-Encoding: chunked", "TRANSFER-ENCODING:\tChunked "];
        prop_oneof![
            Just(b"\r\n".to_vec()),
            (length, traps())
                .prop_map(|(name, body)| [format!("{name}{}\r\n\r\n", body.len()).as_bytes(), &body].concat()),
            (chunked, vec(traps(), 0..4)).prop_map(|(header, chunks)| {
                let mut rest = format!("{header}\r\n\r\n").into_bytes();
                for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
                    rest.extend([format!("{:X}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
                }
                rest.extend(b"0\r\n\r\n");
                rest
            }),
        ]
    }

    /// A request as it is sent and as it should be read.
    fn requests() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let head = ("(GET|POST|X)", "/[a-z\"<]{0,5}", prop_oneof![Just(String::new()), "\\?[a-z?<>\"é#+%{]{0,9}"]);
        (head, "(x: [a-z?\" ]{0,9}\r\n){0,3}", rests()).prop_map(|((method, path, query), headers, rest)| {
            let encoded = query.replace('"', "%22").replace('<', "%3C").replace('>', "%3E");
            let [sent, read] = [query, encoded]
                .map(|query| [format!("{method} {path}{query} HTTP/1.1\r\n{headers}").as_bytes(), &rest].concat());
            (sent, read)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn queries_are_encoded_and_nothing_else(
            requests in vec(requests(), 1..5),
            cuts in vec(any::<Index>(), 0..20),
        ) {
            let (sent, read): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
            prop_assert_eq!(cut(&sent.concat(), &cuts), read.concat());
        }

        #[test]
        fn cuts_change_nothing(sent in traps(), begin in requests(), cuts in vec(any::<Index>(), 0..20)) {
            let sent = [begin.0, sent].concat();
            prop_assert_eq!(cut(&sent, &cuts), through([sent.as_slice()]));
        }
    }
}

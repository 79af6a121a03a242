//! As much of HTTP/1.1 responses, and of 1.0 ones that say their length, as a load generator needs (RFC 9112): the status, and
//! where the body ends. What the answer means is not decided here.

use std::borrow::Cow;

/// Bytes of a head after which it is refused.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// Bytes of a body after which it is refused.
pub const BODY_BYTES_MAX: usize = 256 << 20;
/// Hexadecimal digits of a chunk's size, which then always fits.
const CHUNK_DIGITS_MAX: usize = 8;
/// How the status line of an older server begins.
const OLD: &str = "HTTP/1.0 ";

/// Why bytes are no response we can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the answer is not HTTP/1.1 as expected: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// How the body says where it ends (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(usize),
    /// After the empty chunk.
    Chunked,
}

/// The head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// Bytes of the head, its empty line included.
    pub bytes: usize,
    /// Where the body ends.
    pub framing: Framing,
    /// Whether the server ends the connection after this answer.
    pub closes: bool,
}

impl Head {
    /// Where in `buffer`, which begins with this head, the response ends; `None` while more has to arrive.
    pub fn end(&self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        let body = buffer.get(self.bytes..).unwrap_or_default();
        let bytes = match self.framing {
            Framing::Length(length) => (body.len() >= length).then_some(length),
            Framing::Chunked => chunks(body, |_| {})?,
        };
        match bytes {
            None if body.len() > BODY_BYTES_MAX => Err(Malformed("the body is too large")),
            bytes => Ok(bytes.map(|bytes| self.bytes + bytes)),
        }
    }

    /// The body of the complete response in `buffer`.
    pub fn body<'b>(&self, buffer: &'b [u8]) -> Cow<'b, [u8]> {
        let body = buffer.get(self.bytes..).unwrap_or_default();
        match self.framing {
            Framing::Length(length) => Cow::Borrowed(body.get(..length).unwrap_or(body)),
            Framing::Chunked => {
                let mut joined = Vec::with_capacity(body.len());
                // Incomplete or broken chunks end the body: `end` has told before.
                let _ = chunks(body, |chunk| joined.extend_from_slice(chunk));
                Cow::Owned(joined)
            }
        }
    }
}

/// Reads the head that `buffer` begins with; `None` while more of it has to arrive.
pub fn head(buffer: &[u8]) -> Result<Option<Head>, Malformed> {
    let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
        let too_long = buffer.len() > HEAD_BYTES_MAX;
        return if too_long { Err(Malformed("the head is too long")) } else { Ok(None) };
    };
    let text = std::str::from_utf8(&buffer[..end]).map_err(|_| Malformed("the head is not text"))?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = status(first)?;
    let mut framing = matches!(status, 204 | 304).then_some(Framing::Length(0));
    // A server of HTTP/1.0 ends the connection unless it says otherwise (RFC 9112 §9.3).
    let mut closes = first.starts_with(OLD);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            framing = framing.or(Some(Framing::Length(length(value)?)));
        } else if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            framing = Some(Framing::Chunked);
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    let framing = framing.ok_or(Malformed("nothing says where the body ends"))?;
    Ok(Some(Head { status, bytes: end + 4, framing, closes }))
}

fn status(line: &str) -> Result<u16, Malformed> {
    let code = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix(OLD)).and_then(|rest| rest.get(..3));
    code.and_then(|code| code.parse().ok()).ok_or(Malformed("no status line"))
}

fn length(value: &str) -> Result<usize, Malformed> {
    let length = value.parse().ok().filter(|length| *length <= BODY_BYTES_MAX);
    length.ok_or(Malformed("the content length is not a small number"))
}

/// Hands out the chunks of `body`; the bytes up to the end of the last one, or `None` while it has not arrived.
fn chunks(body: &[u8], mut each: impl FnMut(&[u8])) -> Result<Option<usize>, Malformed> {
    let mut at = 0;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
        let digits = rest[..line].split(|byte| *byte == b';').next().unwrap_or_default();
        let size = chunk_size(digits)?;
        let (begin, end) = (line + 2, line + 2 + size);
        // A trailer section is not expected of anyone here: the last chunk is followed by an empty line.
        let Some(after) = rest.get(end..end + 2) else { return Ok(None) };
        if after != b"\r\n" {
            return Err(Malformed("a chunk does not end with its line"));
        }
        at += end + 2;
        if size == 0 {
            return Ok(Some(at));
        }
        each(&rest[begin..end]);
    }
}

fn chunk_size(digits: &[u8]) -> Result<usize, Malformed> {
    let text = std::str::from_utf8(digits).unwrap_or_default().trim();
    let size = if text.len() > CHUNK_DIGITS_MAX { None } else { usize::from_str_radix(text, 16).ok() };
    size.filter(|size| *size <= BODY_BYTES_MAX).ok_or(Malformed("a chunk has no small size"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BODY_BYTES_MAX, Framing, HEAD_BYTES_MAX, Head, Malformed, head};

    /// The status and the body of a complete response.
    fn read(text: &str) -> Result<Option<(u16, String)>, Malformed> {
        let Some(head) = head(text.as_bytes())? else { return Ok(None) };
        let end = head.end(text.as_bytes())?;
        Ok(end.map(|_| (head.status, String::from_utf8(head.body(text.as_bytes()).into_owned()).unwrap())))
    }

    #[test]
    fn responses() {
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP", Ok(Some((200, "ok")))),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", Ok(None)),
            ("HTTP/1.1 200 OK\r\nContent-Le", Ok(None)),
            ("", Ok(None)),
            ("HTTP/1.1 204 No Content\r\n\r\n", Ok(Some((204, "")))),
            ("HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", Ok(Some((304, "")))),
            (
                "HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
                Ok(Some((200, "abcde"))),
            ),
            ("HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", Ok(None)),
            ("HTTP/1.1 200 OK\r\n\r\nuntil it closes", Err(Malformed("nothing says where the body ends"))),
            ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", Ok(Some((200, "ok")))),
            ("HTTP/1.0 200 OK\r\n\r\n", Err(Malformed("nothing says where the body ends"))),
            ("HTTP/0.9 200 OK\r\n\r\n", Err(Malformed("no status line"))),
            ("HTTP/1.1 2é0 OK\r\n\r\n", Err(Malformed("no status line"))),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
                Err(Malformed("the content length is not a small number")),
            ),
            ("HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", Err(Malformed("a chunk has no small size"))),
            (
                "HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
                Err(Malformed("a chunk does not end with its line")),
            ),
        ] {
            assert_eq!(
                read(text),
                expected.map(|found| found.map(|(status, body)| (status, body.to_owned()))),
                "{text}"
            );
        }
    }

    #[test]
    fn an_old_server_ends_the_connection() {
        for (version, closes) in [("1.0", true), ("1.1", false)] {
            let text = format!("HTTP/{version} 200 OK\r\ncontent-length: 0\r\n\r\n");
            assert_eq!(head(text.as_bytes()).unwrap().unwrap().closes, closes, "{version}");
        }
    }

    #[test]
    fn limits() {
        assert_eq!(head(&vec![b'a'; HEAD_BYTES_MAX]), Ok(None));
        assert_eq!(head(&vec![b'a'; HEAD_BYTES_MAX + 1]), Err(Malformed("the head is too long")));
        let endless = Head { status: 200, bytes: 0, framing: Framing::Chunked, closes: false };
        let mut chunk = format!("{BODY_BYTES_MAX:x}\r\n").into_bytes();
        chunk.resize(BODY_BYTES_MAX + 1, b'a');
        assert_eq!(endless.end(&chunk), Err(Malformed("the body is too large")));
        let longer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", BODY_BYTES_MAX + 1);
        assert_eq!(head(longer.as_bytes()), Err(Malformed("the content length is not a small number")));
    }

    #[test]
    fn a_closing_server_says_so() {
        let closing = head(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: close\r\n\r\n").unwrap().unwrap();
        assert!(closing.closes);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), framed in any::<bool>()) {
            let mut text = if framed { b"HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n".to_vec() } else { Vec::new() };
            text.extend(bytes);
            if let Ok(Some(head)) = head(&text) {
                let _ = head.end(&text);
                drop(head.body(&text));
            }
        }

        #[test]
        fn chunks_join_again(parts in proptest::collection::vec("[a-z]{1,9}", 0..9)) {
            let chunks = parts.iter().map(|part| format!("{:x}\r\n{part}\r\n", part.len())).collect::<Vec<_>>().concat();
            let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
            prop_assert_eq!(read(&text), Ok(Some((200, parts.concat()))));
        }
    }
}

//! The head of one request (RFC 9112 §2 to §6), read line by line as it comes: either it has one meaning, or it is refused.

use std::mem;
use std::ops::Range;

use http::Uri;
use memchr::{memchr, memchr3_iter};
use percent_encoding::percent_encode_byte;

use super::Refusal;
use super::refusal::METHOD;

/// Longest address, in bytes, with its quotation marks encoded: room for the longest filter with each byte encoded.
const ADDRESS_BYTES_MAX: usize = 32 << 10;
/// Longest method, in bytes.
const METHOD_BYTES_MAX: usize = 32;
/// Longest name of a host with its port, in bytes: that of a DNS name, and a port.
const HOST_BYTES_MAX: usize = 255 + 6;
/// Empty lines before a request that are passed over (RFC 9112 §2.2).
const EMPTY_LINES_MAX: u8 = 2;

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// Most bytes, with quotation marks encoded.
    pub(crate) bytes_max: usize,
    /// Most headers.
    pub(crate) headers_max: usize,
}

/// How a body comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Body {
    #[default]
    None,
    Length(u64),
    Chunked,
}

/// What a head has come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Its end has not come yet.
    More,
    /// It ends before this byte.
    Whole(usize),
    Refused(Refusal),
}

/// What is known of a head of which some lines have come.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Where the line begins that is not read yet.
    line: usize,
    /// How far the end of that line was looked for.
    searched: usize,
    empty_lines: u8,
    has_request_line: bool,
    is_http_10: bool,
    /// What stands between question mark and version.
    query: Range<usize>,
    /// Bytes of the query that have to be encoded.
    marks: usize,
    headers: usize,
    hosts: usize,
    body: Body,
}

impl Head {
    /// Goes on with a head of which these bytes have come, from its first.
    pub(super) fn read(&mut self, came: &[u8], limits: HeadLimits) -> Reading {
        while let Some(found) = memchr(b'\n', &came[self.searched..]) {
            let end = self.searched + found;
            let begin = mem::replace(&mut self.line, end + 1);
            self.searched = end + 1;
            let is_first = !self.has_request_line;
            if end + 2 * self.marks >= limits.bytes_max {
                return Reading::Refused(if is_first { Refusal::AddressTooLong } else { Refusal::HeadersTooLarge });
            }
            let Some(line) = came[begin..end].strip_suffix(b"\r") else {
                return Reading::Refused(if is_first { Refusal::RequestLine } else { Refusal::HeaderLine });
            };
            let read = match (is_first, line.is_empty()) {
                (true, true) => self.empty_line(),
                (true, false) => self.request_line(line, begin),
                (false, false) => self.header(line, limits),
                (false, true) => {
                    let missing = self.hosts == 0 && !self.is_http_10;
                    return if missing { Reading::Refused(Refusal::Host) } else { Reading::Whole(end + 1) };
                }
            };
            if let Err(refusal) = read {
                return Reading::Refused(refusal);
            }
        }
        self.searched = came.len();
        if came.len() >= limits.bytes_max {
            return Reading::Refused(if self.has_request_line {
                Refusal::HeadersTooLarge
            } else {
                Refusal::AddressTooLong
            });
        }
        if !self.has_request_line && came.len() - self.line > METHOD.len() + ADDRESS_BYTES_MAX + METHOD_BYTES_MAX {
            return Reading::Refused(Refusal::AddressTooLong);
        }
        Reading::More
    }

    /// How the body comes that follows.
    pub(super) const fn body(&self) -> Body {
        self.body
    }

    /// The head with its query encoded, unless it is right as it is.
    pub(super) fn encoded(&self, head: &[u8]) -> Option<Vec<u8>> {
        (self.marks > 0).then(|| {
            let mut encoded = Vec::with_capacity(head.len() + 2 * self.marks);
            encoded.extend_from_slice(&head[..self.query.start]);
            encode(&head[self.query.clone()], &mut encoded);
            encoded.extend_from_slice(&head[self.query.end..]);
            encoded
        })
    }

    fn empty_line(&mut self) -> Result<(), Refusal> {
        self.empty_lines += 1;
        if self.empty_lines > EMPTY_LINES_MAX { Err(Refusal::RequestLine) } else { Ok(()) }
    }

    fn request_line(&mut self, line: &[u8], begin: usize) -> Result<(), Refusal> {
        self.has_request_line = true;
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(address), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::RequestLine);
        };
        self.is_http_10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            // RFC 9112 §2.3: anything else is no version at all.
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
                return Err(Refusal::Version);
            }
            _ => return Err(Refusal::RequestLine),
        };
        if !is_token(method) || method.len() > METHOD_BYTES_MAX || method == METHOD {
            return Err(Refusal::RequestLine);
        }
        if method == b"CONNECT" {
            return Err(Refusal::Connect);
        }
        self.address(method, address, begin + method.len() + 1)
    }

    fn address(&mut self, method: &[u8], address: &[u8], begin: usize) -> Result<(), Refusal> {
        if let Some(mark) = memchr(b'?', address) {
            self.query = begin + mark + 1..begin + address.len();
            self.marks = memchr3_iter(b'"', b'<', b'>', &address[mark..]).count();
        }
        if address.len() + 2 * self.marks > ADDRESS_BYTES_MAX {
            return Err(Refusal::AddressTooLong);
        }
        let is_origin = address.starts_with(b"/");
        let has_form = is_origin
            || address.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http://"))
            || address.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https://"))
            || (address == b"*" && method == b"OPTIONS");
        if !has_form || (!is_origin && has_user(address)) {
            return Err(Refusal::AddressForm);
        }
        if is_origin && address.iter().all(|byte| PLAIN[usize::from(*byte)]) {
            return Ok(());
        }
        // A fragment is never sent (RFC 9112 §3.2), and the library would leave it out: another reader before us may not.
        if memchr(b'#', address).is_some() {
            return Err(Refusal::Fragment);
        }
        // What is unusual the HTTP library's own reader decides on, which would refuse it without a word.
        let mut encoded = Vec::with_capacity(address.len() + 2 * self.marks);
        let query = address.len() - self.query.len();
        encoded.extend_from_slice(&address[..query]);
        encode(&address[query..], &mut encoded);
        let is_read = !has_control(&encoded) && Uri::try_from(encoded.as_slice()).is_ok();
        if is_read { Ok(()) } else { Err(Refusal::Address) }
    }

    fn header(&mut self, line: &[u8], limits: HeadLimits) -> Result<(), Refusal> {
        self.headers += 1;
        if self.headers > limits.headers_max {
            return Err(Refusal::TooManyHeaders);
        }
        let (name, value) = field(line).ok_or(Refusal::HeaderLine)?;
        // The length of the name tells nearly all others apart.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(value),
            6 if name.eq_ignore_ascii_case(b"expect") && !value.eq_ignore_ascii_case(b"100-continue") => {
                Err(Refusal::Expectation)
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.framed(Body::Length(number(value, 10).ok_or(Refusal::Length)?))
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.is_http_10 || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::TransferEncoding);
                }
                self.framed(Body::Chunked)
            }
            _ => Ok(()),
        }
    }

    fn framed(&mut self, body: Body) -> Result<(), Refusal> {
        if mem::replace(&mut self.body, body) == Body::None { Ok(()) } else { Err(Refusal::Length) }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), Refusal> {
        self.hosts += 1;
        let is_one = self.hosts == 1
            && value.len() <= HOST_BYTES_MAX
            && value.iter().all(|byte| is_of_host(*byte))
            && has_port_of_digits(value);
        if is_one { Ok(()) } else { Err(Refusal::Host) }
    }
}

/// Name and value of a header line, without what surrounds the value.
pub(super) fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    (is_token(name) && !has_control(value)).then(|| (name, trimmed(value)))
}

/// Whether an absolute address names a user, as one that is to deceive does (RFC 9110 §4.2.4).
fn has_user(address: &[u8]) -> bool {
    let authority = address.splitn(4, |byte| *byte == b'/').nth(2).unwrap_or_default();
    let end = memchr(b'?', authority).unwrap_or(authority.len());
    memchr(b'@', &authority[..end]).is_some()
}

/// Whether what is behind the colon of a host, where there is one, is a port (RFC 3986 §3.2.3). Those in brackets are of an address.
fn has_port_of_digits(host: &[u8]) -> bool {
    let behind = memchr(b']', host).map_or(host, |end| &host[end + 1..]);
    memchr(b':', behind).is_none_or(|colon| behind[colon + 1..].iter().all(u8::is_ascii_digit))
}

/// Without the blanks and tabs around it; other white space belongs to the value.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Digits and nothing else.
pub(super) fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u64::from_str_radix(digits, radix).ok()
}

fn encode(query: &[u8], encoded: &mut Vec<u8>) {
    let mut copied = 0;
    for mark in memchr3_iter(b'"', b'<', b'>', query) {
        encoded.extend_from_slice(&query[copied..mark]);
        encoded.extend_from_slice(percent_encode_byte(query[mark]).as_bytes());
        copied = mark + 1;
    }
    encoded.extend_from_slice(&query[copied..]);
}

/// RFC 9110 §5.6.2.
fn is_token(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|byte| TOKEN[usize::from(*byte)])
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Looks at all bytes, which is faster than to stop at the first.
fn has_control(value: &[u8]) -> bool {
    value.iter().filter(|byte| (**byte < b' ' && **byte != b'\t') || **byte == 0x7f).count() > 0
}

/// Whether a byte stands in addresses as it is (RFC 3986 §2).
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'?'
                | b'%'
                | b'&'
                | b'='
                | b'+'
                | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'@'
                | b'!'
                | b'$'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b','
                | b';'
        )
}

const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = is_plain(byte);
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Bytes of a host and its port (RFC 3986 §3.2.2).
const fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'['
                | b']'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b';'
                | b'='
        )
}

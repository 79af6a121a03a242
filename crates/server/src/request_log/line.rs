//! One line of the request log: JSON without blanks, its fields in one order.

use std::io::Write as _;
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use jiff::Timestamp;
use provider::Credential;

use super::mask;
use super::words::Names;
use crate::traces::TraceId;

/// The body of a request and that of its answer, where there are any.
pub(crate) type Bodies<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// What is told of a request.
pub(crate) struct Line<'a> {
    pub(crate) at: Timestamp,
    /// Until the answer was there.
    pub(crate) took: Duration,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    /// What its parts may be called.
    pub(crate) names: Names<'a>,
    pub(crate) status: StatusCode,
    /// Whose token came, where it was valid.
    pub(crate) caller: Option<Credential>,
    /// Bytes of the answer, where they are known before it is sent.
    pub(crate) bytes: Option<u64>,
    pub(crate) id: &'a str,
    /// The trace that it is part of.
    pub(crate) trace: Option<TraceId>,
    /// Whether the credential came where others could read it.
    pub(crate) is_exposed: bool,
    /// Both bodies as they came and went, where the tenant wants them.
    pub(crate) bodies: Option<Bodies<'a>>,
}

/// The text of the second of the last line: most lines are of the same.
#[derive(Default)]
pub(super) struct Second {
    number: Option<i64>,
    text: String,
}

impl Second {
    /// Appends a time to the millisecond (RFC 3339).
    fn write(&mut self, at: Timestamp, text: &mut Vec<u8>) {
        let (second, thousandths) = (at.as_millisecond().div_euclid(1000), at.as_millisecond().rem_euclid(1000));
        if self.number != Some(second) {
            self.number = Some(second);
            self.text = Timestamp::from_second(second).unwrap_or(at).to_string();
        }
        text.extend_from_slice(self.text.trim_end_matches('Z').as_bytes());
        text.push(b'.');
        three_digits(thousandths.unsigned_abs(), text);
        text.push(b'Z');
    }
}

/// Appends a number below 1000 with its zeros.
fn three_digits(number: u64, text: &mut Vec<u8>) {
    text.extend([100, 10, 1].map(|unit| b'0' + u8::try_from(number / unit % 10).unwrap_or(0)));
}

/// Appends a number. Writing to a vector does not fail.
fn number(number: u64, text: &mut Vec<u8>) {
    drop(serde_json::to_writer(text, &number));
}

impl Line<'_> {
    /// Appends the line, with everything masked that is secret or personal. By hand, because every request pays for it.
    pub(super) fn write(&self, second: &mut Second, text: &mut Vec<u8>) {
        let begin = text.len();
        let took = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX);
        text.extend_from_slice(b"{\"at\":\"");
        second.write(self.at, text);
        text.extend_from_slice(b"\",\"status\":");
        number(self.status.as_u16().into(), text);
        text.extend_from_slice(b",\"method\":\"");
        text.extend_from_slice(mask::method(self.method).as_bytes());
        text.extend_from_slice(b"\",\"path\":");
        mask::address(self.uri, self.names, text);
        text.extend_from_slice(b",\"ms\":");
        number(took / 1000, text);
        text.push(b'.');
        three_digits(took % 1000, text);
        if let Some(caller) = self.caller {
            drop(write!(text, ",\"caller\":\"{caller}\""));
        }
        if let Some(bytes) = self.bytes {
            text.extend_from_slice(b",\"bytes\":");
            number(bytes, text);
        }
        text.extend_from_slice(b",\"id\":\"");
        text.extend_from_slice(self.id.as_bytes());
        text.push(b'"');
        if let Some(trace) = self.trace {
            drop(write!(text, ",\"trace\":\"{trace}\""));
        }
        if mask::has_credential(self.uri) {
            text.extend_from_slice(b",\"note\":\"credential in URL\"");
        } else if self.is_exposed {
            text.extend_from_slice(b",\"note\":\"credential without TLS\"");
        }
        if let Some((request, response)) = self.bodies {
            for (name, body) in [("request", request), ("response", response)] {
                if let Some(body) = body {
                    drop(write!(text, ",\"{name}\":"));
                    mask::body(body, self.names, text);
                }
            }
        }
        text.extend_from_slice(b"}\n");
        mask::secrets(&mut text[begin..]);
    }
}

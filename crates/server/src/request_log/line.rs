//! One line of the request log: JSON without blanks, its fields in one order.

use std::io::Write as _;
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use jiff::Timestamp;
use store::TokenId;

use super::mask;

/// The body of a request and that of its answer, where there are any.
pub(crate) type Bodies<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// What is told of a request.
pub(crate) struct Line<'a> {
    pub(crate) at: Timestamp,
    /// Until the answer was there.
    pub(crate) took: Duration,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) status: StatusCode,
    /// The token, where it was valid.
    pub(crate) caller: Option<TokenId>,
    /// Bytes of the answer, where they are known before it is sent.
    pub(crate) bytes: Option<u64>,
    pub(crate) id: &'a str,
    /// Whether the credential came where others could read it.
    pub(crate) is_exposed: bool,
    /// Both bodies as they came and went, where the tenant wants them.
    pub(crate) bodies: Option<Bodies<'a>>,
}

impl Line<'_> {
    /// Appends the line, with everything masked that is secret or personal.
    pub(super) fn write(&self, text: &mut Vec<u8>) {
        let begin = text.len();
        let took = self.took.as_micros();
        // Writing to a vector does not fail.
        drop(write!(
            text,
            "{{\"at\":\"{:.3}\",\"status\":{},\"method\":\"{}\",\"path\":",
            self.at,
            self.status.as_u16(),
            self.method
        ));
        mask::address(self.uri, text);
        drop(write!(text, ",\"ms\":{}.{:03}", took / 1000, took % 1000));
        if let Some(caller) = self.caller {
            drop(write!(text, ",\"caller\":\"{caller}\""));
        }
        if let Some(bytes) = self.bytes {
            drop(write!(text, ",\"bytes\":{bytes}"));
        }
        drop(write!(text, ",\"id\":\"{}\"", self.id));
        if mask::has_credential(self.uri) {
            text.extend_from_slice(b",\"note\":\"credential in URL\"");
        } else if self.is_exposed {
            text.extend_from_slice(b",\"note\":\"credential without TLS\"");
        }
        if let Some((request, response)) = self.bodies {
            for (name, body) in [("request", request), ("response", response)] {
                if let Some(body) = body {
                    drop(write!(text, ",\"{name}\":"));
                    mask::body(body, text);
                }
            }
        }
        text.extend_from_slice(b"}\n");
        mask::secrets(&mut text[begin..]);
    }
}

//! Requests that are refused before the HTTP library has read them: why, with which status, and how the refusal gets its answer.
//!
//! The answer has to come after those of the requests before it, and in the form of every other error. So the library is handed a
//! request of our own instead of the refused one, and nothing after it: whoever answers requests knows it by its method, which no
//! client can send.

use http::{Method, Request, StatusCode};

/// The method of the request that stands for a refused one.
pub(super) const METHOD: &[u8] = b"LOCKSTEP-REFUSED";

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The first line is not a method, an address and a version with one blank between each, or does not end in CRLF.
    RequestLine,
    /// The address has characters that no address has.
    Address,
    /// The address has no form that is served (RFC 9112 §3.2), or names a user.
    AddressForm,
    /// The address has a fragment.
    Fragment,
    /// The address is too long.
    AddressTooLong,
    /// Another version than 1.0 and 1.1, as of an HTTP/2 connection.
    Version,
    /// The method asks for a tunnel.
    Connect,
    /// A header line that is folded, has no name, has control characters or does not end in CRLF (RFC 9112 §5).
    HeaderLine,
    /// The headers have too many bytes.
    HeadersTooLarge,
    /// Too many headers.
    TooManyHeaders,
    /// No host, several, or one that cannot be one (RFC 9112 §3.2).
    Host,
    /// The length of the body is given twice, or cannot be read (RFC 9112 §6.3).
    Length,
    /// The body comes in another form than chunks (RFC 9112 §6.1).
    TransferEncoding,
    /// Something other than `100-continue` is expected (RFC 9110 §10.1.1).
    Expectation,
    /// The headers did not come in time.
    TooSlow,
    /// The client stopped sending within the headers.
    CutOff,
}

const ALL: [Refusal; 16] = [
    Refusal::RequestLine,
    Refusal::Address,
    Refusal::AddressForm,
    Refusal::Fragment,
    Refusal::AddressTooLong,
    Refusal::Version,
    Refusal::Connect,
    Refusal::HeaderLine,
    Refusal::HeadersTooLarge,
    Refusal::TooManyHeaders,
    Refusal::Host,
    Refusal::Length,
    Refusal::TransferEncoding,
    Refusal::Expectation,
    Refusal::TooSlow,
    Refusal::CutOff,
];

impl Refusal {
    /// The request that stands for the refused one.
    pub(super) fn request(self) -> Vec<u8> {
        let number = ALL.iter().position(|one| *one == self).unwrap_or(0);
        [METHOD, format!(" /{number} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()].concat()
    }

    /// The refusal that a request stands for, if it does.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        let is_refused = is_mark(request.method());
        is_refused.then(|| {
            let number = request.uri().path().trim_start_matches('/').parse().ok();
            number.and_then(|number: usize| ALL.get(number).copied()).unwrap_or(Self::RequestLine)
        })
    }

    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::RequestLine
            | Self::Address
            | Self::AddressForm
            | Self::Fragment
            | Self::HeaderLine
            | Self::Host
            | Self::Length
            | Self::TransferEncoding
            | Self::CutOff => StatusCode::BAD_REQUEST,
            Self::AddressTooLong => StatusCode::URI_TOO_LONG,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Connect => StatusCode::NOT_IMPLEMENTED,
            Self::HeadersTooLarge | Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::RequestLine => {
                "the first line of the request is not a method, an address and HTTP/1.1, ended by CRLF"
            }
            Self::Address => "the address has characters that must be percent-encoded",
            Self::AddressForm => "an address begins with /, or with http:// or https:// and a host, without a user",
            Self::Fragment => "an address that is asked for has no #; leave out what follows it, or write %23",
            Self::AddressTooLong => "the address is too long; send the filter to /.search instead",
            Self::Version => "only HTTP/1.1 is served here",
            Self::Connect => "there are no tunnels here",
            Self::HeaderLine => "each header is one line of a name, a colon and a value, ended by CRLF",
            Self::HeadersTooLarge => "the headers are too long",
            Self::TooManyHeaders => "there are too many headers",
            Self::Host => "a request has one Host header, with the name of the server",
            Self::Length => {
                "the length of the body is told once, by one Content-Length or by Transfer-Encoding: chunked"
            }
            Self::TransferEncoding => "the only Transfer-Encoding is chunked, in HTTP/1.1",
            Self::Expectation => "nothing but 100-continue can be expected",
            Self::TooSlow => "the headers did not arrive in time",
            Self::CutOff => "the request broke off",
        }
    }
}

fn is_mark(method: &Method) -> bool {
    method.as_str().as_bytes() == METHOD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_stands_for_a_refused_one_says_which() {
        for refusal in ALL {
            let text = String::from_utf8(refusal.request()).unwrap();
            let mut words = text.split(' ');
            let request = Request::builder().method(words.next().unwrap()).uri(words.next().unwrap()).body(()).unwrap();
            assert_eq!(Refusal::of(&request), Some(refusal));
        }
        assert_eq!(Refusal::of(&Request::get("/3").body(()).unwrap()), None);
    }
}

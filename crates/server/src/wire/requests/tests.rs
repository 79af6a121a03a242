//! What of a connection is passed on, encoded or refused.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const LIMITS: HeadLimits = HeadLimits { bytes_max: 64 << 10, headers_max: 100 };

/// What comes out where these parts come in.
fn through<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut requests = Requests::new(LIMITS);
    parts.into_iter().flat_map(|part| requests.take(part).unwrap_or_else(|| part.to_vec())).collect()
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
        ("GET http://x/?\" HTTP/1.1", "GET http://x/?%22 HTTP/1.1"),
        ("GET /?a=%23 HTTP/1.1", "GET /?a=%23 HTTP/1.1"),
    ] {
        let (head, expected) =
            (format!("{line}\r\nhost: x\r\nx: ?\"\r\n\r\n"), format!("{expected}\r\nhost: x\r\nx: ?\"\r\n\r\n"));
        assert_eq!(text(&head), expected);
        assert_eq!(text(&head.repeat(3)), expected.repeat(3));
    }
    assert!(Requests::new(LIMITS).take(b"GET /?a=b HTTP/1.1\r\nhost: x\r\n\r\n").is_none(), "nothing is copied");
}

fn many(count: usize) -> String {
    format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(count - 1))
}

fn long(count: usize) -> String {
    format!("GET /?{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(count))
}

fn large(count: usize) -> String {
    format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(count))
}

fn refused_by_their_first_line() -> Vec<(Refusal, String)> {
    vec![
        (Refusal::RequestLine, "\r\n\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "nonsense\r\n".to_owned()),
        (Refusal::RequestLine, "GET /\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "GET  / HTTP/1.1\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "GET / x HTTP/1.1\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "GET\t/ HTTP/1.1\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "GET / HTTP/1.1\nhost: x\n\n".to_owned()),
        (Refusal::RequestLine, "G@T / HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "LOCKSTEP-REFUSED /3 HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::RequestLine, format!("{} / HTTP/1.1\r\nhost: x\r\n\r\n", "G".repeat(33))),
        (Refusal::Version, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        (Refusal::Version, "GET / HTTP/1.2\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "GET / HTTP/01.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "GET / HTTP/1.1x\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::RequestLine, "GET / HTTP/1.\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::Connect, "CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::AddressForm, "GET x HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::AddressForm, "GET http://a@x/ HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::AddressForm, "GET * HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::AddressForm, "GET file:///x HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::Address, "GET /<x> HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::Address, "GET /\u{1}x HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::Fragment, "GET /Users#x HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::Fragment, "GET /?a=\"#\" HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::Fragment, "GET http://x#/Users HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (Refusal::AddressTooLong, long(32 << 10)),
        (Refusal::AddressTooLong, long(70 << 10)),
        (Refusal::AddressTooLong, format!("GET /?{} HTTP/1.1\r\n", "\"".repeat(11 << 10))),
    ]
}

fn refused_by_their_headers() -> Vec<(Refusal, String)> {
    vec![
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\nhost: x\n\r\n".to_owned()),
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\nhost: x\r\n\n".to_owned()),
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n".to_owned()),
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\nhost: x\r\n\tfolded\r\n\r\n".to_owned()),
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\nhost : x\r\n\r\n".to_owned()),
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\n: x\r\n\r\n".to_owned()),
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\nhost\r\n\r\n".to_owned()),
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\nhost: x\r\na: b\rc: d\r\n\r\n".to_owned()),
        (Refusal::HeaderLine, "GET / HTTP/1.1\r\nhost: x\r\na: b\0\r\n\r\n".to_owned()),
        (Refusal::HeadersTooLarge, large(64 << 10)),
        (Refusal::HeadersTooLarge, large(256 << 10)),
        (Refusal::HeadersTooLarge, format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}", "y".repeat(64 << 10))),
        (Refusal::TooManyHeaders, many(101)),
        (Refusal::TooManyHeaders, many(500)),
    ]
}

fn refused_by_host_or_length() -> Vec<(Refusal, String)> {
    vec![
        (Refusal::Host, "GET / HTTP/1.1\r\n\r\n".to_owned()),
        (Refusal::Host, "GET / HTTP/1.1\r\nhost: x\r\nHost: x\r\n\r\n".to_owned()),
        (Refusal::Host, "GET / HTTP/1.0\r\nhost: x\r\nHost: y\r\n\r\n".to_owned()),
        (Refusal::Host, "GET / HTTP/1.1\r\nhost: x/y\r\n\r\n".to_owned()),
        (Refusal::Host, "GET / HTTP/1.1\r\nhost: a@b\r\n\r\n".to_owned()),
        (Refusal::Host, "GET / HTTP/1.1\r\nhost: a b\r\n\r\n".to_owned()),
        (Refusal::Host, "GET / HTTP/1.1\r\nhost: a:b\r\n\r\n".to_owned()),
        (Refusal::Host, "GET / HTTP/1.1\r\nhost: [::1]:x\r\n\r\n".to_owned()),
        (Refusal::AddressForm, "GET http://a:b@c/ HTTP/1.1\r\nhost: c\r\n\r\n".to_owned()),
        (Refusal::AddressForm, "GET https://a@c?x HTTP/1.1\r\nhost: c\r\n\r\n".to_owned()),
        (Refusal::Length, headed("Content-Length: 0\r\nContent-Length: 0")),
        (Refusal::Length, headed("Content-Length: 1\r\nTransfer-Encoding: chunked")),
        (Refusal::Length, headed("Transfer-Encoding: chunked\r\ncontent-length: 1")),
        (Refusal::Length, headed("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
        (Refusal::Length, headed("Content-Length: +0")),
        (Refusal::Length, headed("Content-Length: -0")),
        (Refusal::Length, headed("Content-Length: 0, 0")),
        (Refusal::Length, headed("Content-Length: 18446744073709551616")),
        (Refusal::Length, headed("Content-Length:")),
        (Refusal::TransferEncoding, headed("Transfer-Encoding: gzip, chunked")),
        (Refusal::TransferEncoding, headed("Transfer-Encoding: identity")),
        (Refusal::TransferEncoding, headed("Transfer-Encoding: \u{b}chunked").replace('\u{b}', "\u{a0}")),
        (Refusal::TransferEncoding, "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n".to_owned()),
        (Refusal::Expectation, headed("Expect: 200-ok")),
    ]
}

/// SH-09, SH-11, SH-12, SH-10: and what follows is never read.
#[test]
fn what_is_refused_and_why() {
    const NEXT: &str = "GET /next HTTP/1.1\r\nhost: x\r\n\r\n";
    let all = [refused_by_their_first_line(), refused_by_their_headers(), refused_by_host_or_length()];
    for (refusal, sent) in all.into_iter().flatten() {
        let refused = refusal.request();
        let (sent, expected) = (format!("{NEXT}{sent}{NEXT}{NEXT}"), [NEXT.as_bytes(), &refused].concat());
        assert_eq!(
            String::from_utf8_lossy(&through([sent.as_bytes()])),
            String::from_utf8_lossy(&expected),
            "{sent:.99}"
        );
        assert_eq!(through(sent.as_bytes().chunks(7)), expected, "{sent:.99}");
    }
    for sent in [
        many(100),
        long((32 << 10) - 2),
        large((64 << 10) - 99),
        headed("Expect: 100-Continue"),
        format!("\r\n\r\n{NEXT}"),
    ] {
        assert_eq!(text(&sent), sent);
    }
    for host in ["", "x.example:8080", "[::1]:80", "192.0.2.1"] {
        let sent = NEXT.replace(" x", &format!(" {host}"));
        assert_eq!(text(&sent), sent);
    }
    assert_eq!(text("GET / HTTP/1.0\r\n\r\n"), "GET / HTTP/1.0\r\n\r\n");
}

/// SH-09: nothing after it is taken for a request.
#[test]
fn a_body_without_meaning_breaks_the_connection() {
    let chunked = headed("transfer-encoding: chunked");
    let long = "x".repeat(CHUNK_LINE_BYTES_MAX);
    for body in [
        "+1\r\na\r\n0\r\n\r\n".to_owned(),
        "0x1\r\na\r\n0\r\n\r\n".to_owned(),
        "1 \r\na\r\n0\r\n\r\n".to_owned(),
        "1;x\ry\r\na\r\n0\r\n\r\n".to_owned(),
        format!("1;{long}\r\na\r\n0\r\n\r\n"),
        "1\na\r\n0\r\n\r\n".to_owned(),
        "1\r\nab\r\n0\r\n\r\n".to_owned(),
        "1\r\na\n0\r\n\r\n".to_owned(),
        "10000000000000000\r\na\r\n0\r\n\r\n".to_owned(),
        "\r\n".to_owned(),
        "0\r\nno field\r\n\r\n".to_owned(),
        format!("0\r\n{}\r\n", "a: b\r\n".repeat(TRAILER_BYTES_MAX)),
    ] {
        let mut requests = Requests::new(LIMITS);
        let sent = format!("{chunked}{body}GET /next HTTP/1.1\r\nhost: x\r\n\r\n");
        let passed: Vec<u8> =
            sent.as_bytes().chunks(11).flat_map(|part| requests.take(part).unwrap_or_else(|| part.to_vec())).collect();
        assert!(requests.is_broken(), "{sent:.99}");
        assert!(!String::from_utf8_lossy(&passed).contains("/next"), "{sent:.99}");
    }
    for body in ["1;x=y\r\na\r\n0\r\nx: y\r\n\r\n", "1 ; x\r\na\r\n00\r\n\r\n", "A\r\n0123456789\r\n0\r\n\r\n"] {
        let sent = format!("{chunked}{body}GET /next HTTP/1.1\r\nhost: x\r\n\r\n");
        assert_eq!(text(&sent), sent);
    }
}

fn headed(headers: &str) -> String {
    format!("POST / HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n")
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
        (length, traps()).prop_map(|(name, body)| [format!("{name}{}\r\n\r\n", body.len()).as_bytes(), &body].concat()),
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
    let head = ("(GET|POST|X)", "/[a-z]{0,5}", prop_oneof![Just(String::new()), "\\?[a-z?<>\"é+%{]{0,9}"]);
    (head, "(x: [a-z?\" ]{0,9}\r\n){0,3}", rests()).prop_map(|((method, path, query), headers, rest)| {
        let encoded = query.replace('"', "%22").replace('<', "%3C").replace('>', "%3E");
        let [sent, read] = [query, encoded].map(|query| {
            [format!("{method} {path}{query} HTTP/1.1\r\nhost: x\r\n{headers}").as_bytes(), &rest].concat()
        });
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

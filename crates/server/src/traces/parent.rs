//! The header `traceparent` (W3C Trace Context level 1, §3.2): which trace a request is part of. What is not exactly of its form
//! counts as absent.

use http::{HeaderMap, HeaderName};

use super::ids::{SpanId, TraceId};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Bytes of `00-{trace}-{span}-{flags}`, with which later versions begin too.
const BYTES: usize = 55;
/// The version that is none.
const NO_VERSION: u8 = 0xff;
/// The flag of a caller that tells its own spans.
const SAMPLED: u8 = 1;

/// The caller's span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) is_sampled: bool,
}

impl Parent {
    /// The one that the headers name; where two are named, none.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(TRACEPARENT).iter();
        let (Some(value), None) = (given.next(), given.next()) else { return None };
        Self::parse(value.as_bytes())
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (fixed, rest) = text.split_at_checked(BYTES)?;
        let (version, trace, span, flags) = (&fixed[..2], &fixed[3..35], &fixed[36..52], &fixed[53..]);
        if [2, 35, 52].iter().any(|at| fixed[*at] != b'-') {
            return None;
        }
        match hex::<1>(version)? {
            [NO_VERSION] => return None,
            [0] if !rest.is_empty() => return None,
            // A later version goes on with a field of its own.
            _ if rest.first().is_some_and(|byte| *byte != b'-') => return None,
            _ => {}
        }
        let ([flags], trace, span) = (hex(flags)?, TraceId::known(hex(trace)?)?, SpanId::known(hex(span)?)?);
        Some(Self { trace, span, is_sampled: flags & SAMPLED != 0 })
    }
}

/// Bytes as hexadecimal digits, small ones only.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn what_has_exactly_the_form_is_taken() {
        for (text, is_sampled) in [
            (format!("00-{TRACE}-{SPAN}-01"), Some(true)),
            (format!("00-{TRACE}-{SPAN}-00"), Some(false)),
            (format!("00-{TRACE}-{SPAN}-ff"), Some(true)),
            (format!("00-{TRACE}-{SPAN}-02"), Some(false)),
            (format!("cc-{TRACE}-{SPAN}-01"), Some(true)),
            (format!("cc-{TRACE}-{SPAN}-01-what-comes-later"), Some(true)),
            (format!("cc-{TRACE}-{SPAN}-01.x"), None),
            (format!("ff-{TRACE}-{SPAN}-01"), None),
            (format!("00-{TRACE}-{SPAN}-01-"), None),
            (format!("00-{TRACE}-{SPAN}-1"), None),
            (format!("0-{TRACE}-{SPAN}-01"), None),
            (format!("00_{TRACE}-{SPAN}-01"), None),
            (format!("00-{TRACE}-{SPAN}_01"), None),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), None),
            (format!("00-{TRACE}-{SPAN}-0G"), None),
            (format!("00-{}-{SPAN}-01", "0".repeat(32)), None),
            (format!("00-{TRACE}-{}-01", "0".repeat(16)), None),
            (format!(" 00-{TRACE}-{SPAN}-01"), None),
            (String::new(), None),
        ] {
            let parent = Parent::parse(text.as_bytes());
            assert_eq!(parent.map(|parent| parent.is_sampled), is_sampled, "{text}");
            if let Some(parent) = parent {
                assert_eq!((parent.trace.to_string(), parent.span.to_string()), (TRACE.to_owned(), SPAN.to_owned()));
            }
        }
    }

    #[test]
    fn of_two_none_is_taken() {
        let mut headers = HeaderMap::new();
        headers.append(TRACEPARENT, format!("00-{TRACE}-{SPAN}-01").parse().unwrap());
        assert!(Parent::of(&headers).is_some());
        headers.append(TRACEPARENT, format!("00-{TRACE}-{SPAN}-01").parse().unwrap());
        assert_eq!(Parent::of(&headers), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(trace in 1_u128.., span in 1_u64.., flags: u8) {
            let text = format!("00-{trace:032x}-{span:016x}-{flags:02x}");
            let parent = Parent::parse(text.as_bytes()).unwrap();
            let again = format!("00-{}-{}-{flags:02x}", parent.trace, parent.span);
            prop_assert_eq!((again, parent.is_sampled), (text, flags & 1 == 1));
        }

        #[test]
        fn nothing_panics_and_only_the_form_is_taken(
            text in prop_oneof![
                any::<Vec<u8>>(),
                "[0-9a-fA-F]{2}[-_][0-9a-fg]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}(-.*)?".prop_map(String::into_bytes)
            ],
        ) {
            let is_of_form = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
            let is_right = Parent::parse(&text).is_none() || text[..BYTES].iter().all(is_of_form);
            prop_assert!(is_right);
        }
    }
}

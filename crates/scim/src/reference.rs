//! URI references (RFC 3986 §4.1), absolute or relative, also of other languages (RFC 3987): the form of what an attribute of the type
//! `reference` holds. Where one may lead is decided in `value`.

use std::net::Ipv6Addr;

/// The endpoint and the id at the end of a resource's address (`…/Users/2819c223`), absolute or relative; `None` without both.
///
/// ```
/// assert_eq!(scim::resource_at("https://example.com/v2/Users/7"), Some(("Users", "7")));
/// assert_eq!(scim::resource_at("Groups/7"), Some(("Groups", "7")));
/// assert_eq!(scim::resource_at("https://example.com/v2/Users/"), None);
/// ```
pub fn resource_at(address: &str) -> Option<(&str, &str)> {
    let (before, id) = address.rsplit_once('/')?;
    let endpoint = before.rsplit('/').next()?;
    (!endpoint.is_empty() && !id.is_empty()).then_some((endpoint, id))
}

/// Whether a text is a URI reference. Brackets may stand anywhere behind the host, as browsers send them.
pub(crate) fn is_reference(text: &str) -> bool {
    has_its_characters(text) && text.matches('#').count() <= 1 && has_its_parts(text)
}

/// Whether it has only characters of one (RFC 3986 §2, appendix A; RFC 3987 §2.2), and of percent signs only those that encode.
fn has_its_characters(text: &str) -> bool {
    let is_encoded =
        |after: &str| after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    text.char_indices().all(|(at, c)| match c {
        '%' => text.get(at + 1..).is_some_and(is_encoded),
        '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => false,
        c => !c.is_control() && !c.is_whitespace(),
    })
}

/// Whether what stands before the first colon of its first segment is a scheme (§3.1, §4.2), and what follows two slashes a host.
fn has_its_parts(text: &str) -> bool {
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    let behind = match first.split_once(':') {
        None => text,
        Some((scheme, _)) if is_scheme(scheme) => &text[scheme.len() + 1..],
        Some(_) => return false,
    };
    behind.strip_prefix("//").is_none_or(|rest| is_authority(rest.split(['/', '?', '#']).next().unwrap_or_default()))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// User, host and port (§3.2); of these only the host must be there, and may be empty.
fn is_authority(text: &str) -> bool {
    let (user, place) = text.rsplit_once('@').unwrap_or(("", text));
    let port = match place.strip_prefix('[') {
        Some(literal) => match literal.split_once(']') {
            Some((host, port)) if is_ip_literal(host) => port,
            _ => return false,
        },
        None => place.find(':').map_or("", |colon| &place[colon..]),
    };
    let host = place.strip_suffix(port).unwrap_or_default();
    let is_port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    is_port && !user.contains(['[', ']', '@']) && (host.starts_with('[') || !host.contains(['[', ']']))
}

/// What stands in brackets: an address of version 6, with its zone where it has one (RFC 6874), or of a version to come.
fn is_ip_literal(text: &str) -> bool {
    let is_future = |text: &str| {
        let (version, address) = text.split_once('.').unwrap_or_default();
        version.bytes().all(|byte| byte.is_ascii_hexdigit()) && !version.is_empty() && !address.is_empty()
    };
    let address = text.split_once("%25").map_or(text, |(address, _)| address);
    address.parse::<Ipv6Addr>().is_ok() || text.strip_prefix(['v', 'V']).is_some_and(is_future)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_a_reference() {
        for text in [
            "",
            "a",
            "a/b:c",
            "./a:b",
            "../x",
            "/x",
            "//x",
            "///x",
            "?a:b",
            "#a:b",
            "?",
            "http:",
            "http://",
            "http://x",
            "h+t-t.p1:x",
            "http://a:b@x:80/",
            "http://x:/",
            "http://[::1]",
            "http://[::1]:80?x",
            "http://u@[v1.a:b]/",
            "http://[fe80::1%25en0]/",
            "http://x/[a]?[b]#[c]",
            "mailto:a@b",
            "urn:x:y",
            "file:///c:/x",
            "//ü.example/ж",
            "http://x//y",
            "tel:+1",
            "x:?#",
            "bulkId:a",
        ] {
            assert!(is_reference(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_reference() {
        for text in [
            "::",
            ":",
            ":a",
            "1:2",
            "ü:x",
            "a_b:c",
            "http://[::1",
            "http://::1]",
            "http://[::1]x",
            "http://[x]/",
            "http://[]/",
            "http://[::1]:a",
            "http://x:y/",
            "http://a:b:c/",
            "//x[1]/",
            "http://[v.a]/",
            "http://a@b@x/",
            "http://[a]@x/",
            "a#b#c",
            "a b",
            "%",
            "%4",
            "%zz",
            "a\\b",
            "<x>",
        ] {
            assert!(!is_reference(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a:/\\[\\]@%25v.ü?#]{0,16}") {
            let _ = is_reference(&text);
        }
    }
}

//! The one spelling in which routes know an address. It is written before anything looks at the address, so that what guards, what routes
//! and what is told of a request are about the same.

use http::Uri;
use http::uri::PathAndQuery;

/// Ends the address of a search (RFC 7644 §3.4.3), in any case.
const SEARCH: &str = ".search";
/// Says at the end of an address that SCIM is spoken there, which is spoken everywhere (RFC 7644 §3.8).
const SUFFIX: &str = ".scim";
/// Which part of a usual address is the first behind the base.
const ENDPOINT: usize = 5;

/// Whether a path is that of a search, in any case.
pub(super) fn is_one(path: &str) -> bool {
    without_end(trimmed(path), SEARCH).is_some_and(|before| before.ends_with('/'))
}

/// Writes an address as routes have it: with unreserved characters as they are, and a usual one without suffix and with the word of
/// searches in lower case. A tenant's own address may look the same and mean something else.
pub(crate) fn write_as_routed(uri: &mut Uri) {
    let decoded = decoded(uri.path());
    let decoded = with_one_slash(decoded.as_deref().unwrap_or(uri.path())).or(decoded);
    let Some(path) = routed(decoded.as_deref().unwrap_or(uri.path())).or(decoded) else { return };
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    // These few characters make nothing of an address that is none.
    if let Ok(routed) = PathAndQuery::try_from(format!("{path}{query}")) {
        let mut parts = std::mem::take(uri).into_parts();
        parts.path_and_query = Some(routed);
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

/// The same path with unreserved characters as they are (RFC 3986 §6.2.2.2), decoded once; `None` where they are already. What is encoded
/// and reserved means something else than what it stands for.
fn decoded(path: &str) -> Option<String> {
    let mut rest = path;
    let mut decoded = String::new();
    while let Some(at) = memchr::memchr(b'%', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        let byte = from.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or_default();
        decoded.push_str(before);
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            decoded.push(char::from(byte));
            rest = &from[3..];
        } else {
            decoded.push('%');
            rest = &from[1..];
        }
    }
    decoded.push_str(rest);
    (decoded != path).then_some(decoded)
}

/// A usual address with one slash behind its base, where clients write two that were given a base with a slash at its end; `None` where
/// there is but one.
fn with_one_slash(path: &str) -> Option<String> {
    let (base_end, _) = path.match_indices('/').nth(ENDPOINT - 1).filter(|_| path.starts_with("/t/"))?;
    let (base, rest) = path.split_at(base_end);
    let trimmed = rest.trim_start_matches('/');
    (rest.len() - trimmed.len() > 1 && !trimmed.is_empty()).then(|| format!("{base}/{trimmed}"))
}

/// A usual address without its suffix, and with the word of searches in lower case; `None` where there is nothing to change.
fn routed(path: &str) -> Option<String> {
    let end = trimmed(path);
    // Most end with an id or a word without a dot: nothing to look for.
    let last = end.rfind('.').filter(|dot| !end[*dot..].contains('/') && path.starts_with("/t/"))?;
    let slash = &path[end.len()..];
    let with_word = |path: &str| match without_end(path, SEARCH) {
        Some(before) if before.ends_with('/') => format!("{before}{SEARCH}"),
        _ => path.to_owned(),
    };
    let has_suffix = end[last..].eq_ignore_ascii_case(SUFFIX) && may_have_suffix(end);
    let written = with_word(if has_suffix { &end[..last] } else { end });
    (written != end).then(|| format!("{written}{slash}"))
}

/// Whether what a path ends with may be the suffix: behind something that is below the base, and is no URN, which may end so.
fn may_have_suffix(path: &str) -> bool {
    let mut parts = path.split('/').skip(ENDPOINT);
    let (endpoint, id) = (parts.next(), parts.next());
    let is_urn = endpoint.is_some_and(|endpoint| endpoint.eq_ignore_ascii_case("Schemas")) && id.is_some();
    let last = id.or(endpoint).unwrap_or_default();
    last.len() > SUFFIX.len() && parts.next().is_none() && !is_urn
}

/// A URN without the suffix that ends it.
pub(super) fn without_suffix(urn: &str) -> Option<&str> {
    without_end(urn, SUFFIX)
}

fn without_end<'p>(path: &'p str, end: &str) -> Option<&'p str> {
    let (before, word) = path.split_at_checked(path.len().checked_sub(end.len())?)?;
    word.eq_ignore_ascii_case(end).then_some(before)
}

fn trimmed(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_written_in_one_way() {
        for (given, expected) in [
            ("/t/a/scim/v2/.search", "/t/a/scim/v2/.search"),
            ("/t/a/scim/v2/.SEARCH", "/t/a/scim/v2/.search"),
            ("/t/a/scim/v2/Users/.Search/?x=.SEARCH", "/t/a/scim/v2/Users/.search/?x=.SEARCH"),
            ("http://host:1/t/a/scim/v2/Users/.SearcH?y", "http://host:1/t/a/scim/v2/Users/.search?y"),
            ("/t/a/scim/v2/Users/x.SEARCH", "/t/a/scim/v2/Users/x.SEARCH"),
            ("/t/a/scim/v2/.SEARCH/Users", "/t/a/scim/v2/.SEARCH/Users"),
            ("/t/a/scim/v2/Users/.SEARCH//", "/t/a/scim/v2/Users/.SEARCH//"),
            ("/t/a/scim/v2/Users/%2eSEARCH", "/t/a/scim/v2/Users/.search"),
            ("/api/.SEARCH", "/api/.SEARCH"),
            ("/t/SEARCH", "/t/SEARCH"),
            ("/", "/"),
            ("*", "*"),
            // RFC 3986 §6.2.2.2.
            ("/t/%61cme/scim/v2/%55sers/%30?x=%55", "/t/acme/scim/v2/Users/0?x=%55"),
            ("https://h/%74/a", "https://h/t/a"),
            ("/t/a/scim/v2/Users%2F1/%2f%3A%40", "/t/a/scim/v2/Users%2F1/%2f%3A%40"),
            ("/t/a/%2555/%25%35%35", "/t/a/%2555/%2555"),
            ("/t/a/%/%5/%+1/%zz/%C3%A9", "/t/a/%/%5/%+1/%zz/%C3%A9"),
            ("/t/a/scim/v2/Users/%2E%2e/%7E%5f%2d", "/t/a/scim/v2/Users/../~_-"),
            // A base with a slash at its end, and a path with one at its beginning.
            ("/t/a/scim/v2//Users", "/t/a/scim/v2/Users"),
            ("/t/a/scim/v2///Users/1?x=//", "/t/a/scim/v2/Users/1?x=//"),
            ("/t/a/scim/v2//Users/%2eSEARCH", "/t/a/scim/v2/Users/.search"),
            ("/t/a/scim/v2/Users//1", "/t/a/scim/v2/Users//1"),
            ("/t/a/scim/v2//", "/t/a/scim/v2//"),
            ("/t//a/scim/v2/Users", "/t//a/scim/v2/Users"),
            ("/t/a/scim//v2/Users", "/t/a/scim//v2/Users"),
            ("/api//a/b/c//Users", "/api//a/b/c//Users"),
            // RFC 7644 §3.8.
            ("/t/a/scim/v2/Users/1.scim", "/t/a/scim/v2/Users/1"),
            ("/t/a/scim/v2/Users.SCIM/?x=.scim", "/t/a/scim/v2/Users/?x=.scim"),
            ("/t/a/scim/v2/Users/.Search.scim", "/t/a/scim/v2/Users/.search"),
            ("/t/a/scim/v2/Users/1%2Escim", "/t/a/scim/v2/Users/1"),
            ("/t/a/scim/v2/Users/1.scim.scim", "/t/a/scim/v2/Users/1.scim"),
            ("/t/a/scim/v2/Schemas.scim", "/t/a/scim/v2/Schemas"),
            ("/t/a/scim/v2/Schemas/urn:x.scim", "/t/a/scim/v2/Schemas/urn:x.scim"),
            ("/t/a/scim/v2/Users/.scim", "/t/a/scim/v2/Users/.scim"),
            ("/t/a/scim/v2/.scim", "/t/a/scim/v2/.scim"),
            ("/t/a/scim/v2.scim", "/t/a/scim/v2.scim"),
            ("/t/a.scim", "/t/a.scim"),
            ("/api/Users.scim", "/api/Users.scim"),
        ] {
            let mut uri: Uri = given.parse().unwrap();
            write_as_routed(&mut uri);
            assert_eq!(uri.to_string(), expected, "{given}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics_and_none_is_decoded_twice(path in "/[a%/.2345eEfF]{0,20}") {
            if let Some(once) = decoded(&path) {
                let encoded = path.replace('%', "%25");
                prop_assert_eq!(decoded(&encoded), None);
                prop_assert!(once.len() < path.len());
            }
            drop(routed(&path));
        }
    }
}

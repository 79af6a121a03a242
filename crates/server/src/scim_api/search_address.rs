//! The addresses of searches (RFC 7644 §3.4.3), which end with a word that routes know in one case only.

use http::Uri;
use http::uri::PathAndQuery;

const SEARCH: &str = ".search";

/// Whether a path is that of a search, in any case.
pub(super) fn is_one(path: &str) -> bool {
    before(path).is_some()
}

/// Writes the end of a search's usual address as routes have it, where it came in another case. Every other address stays as it is:
/// that of a tenant's own may look the same.
pub(crate) fn write_as_routed(uri: &mut Uri) {
    let path = uri.path();
    if !path.starts_with("/t/") {
        return;
    }
    let Some(before) = before(path) else { return };
    if path[before.len()..].starts_with(SEARCH) {
        return;
    }
    let slash = if path.ends_with('/') { "/" } else { "" };
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    // The case of a few letters makes nothing of an address that is none.
    if let Ok(routed) = PathAndQuery::try_from(format!("{before}{SEARCH}{slash}{query}")) {
        let mut parts = std::mem::take(uri).into_parts();
        parts.path_and_query = Some(routed);
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

/// What stands before the word that makes a path one of a search, with the slash.
fn before(path: &str) -> Option<&str> {
    let end = path.strip_suffix('/').unwrap_or(path);
    let (before, word) = end.split_at_checked(end.len().checked_sub(SEARCH.len())?)?;
    (before.ends_with('/') && word.eq_ignore_ascii_case(SEARCH)).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_word_of_a_search_is_written_anew() {
        for (given, expected) in [
            ("/t/a/scim/v2/.search", "/t/a/scim/v2/.search"),
            ("/t/a/scim/v2/.SEARCH", "/t/a/scim/v2/.search"),
            ("/t/a/scim/v2/Users/.Search/?x=.SEARCH", "/t/a/scim/v2/Users/.search/?x=.SEARCH"),
            ("http://host:1/t/a/scim/v2/Users/.SearcH?y", "http://host:1/t/a/scim/v2/Users/.search?y"),
            ("/t/a/scim/v2/Users/x.SEARCH", "/t/a/scim/v2/Users/x.SEARCH"),
            ("/t/a/scim/v2/.SEARCH/Users", "/t/a/scim/v2/.SEARCH/Users"),
            ("/t/a/scim/v2/Users/.SEARCH//", "/t/a/scim/v2/Users/.SEARCH//"),
            ("/t/a/scim/v2/Users/%2eSEARCH", "/t/a/scim/v2/Users/%2eSEARCH"),
            ("/api/.SEARCH", "/api/.SEARCH"),
            ("/t/SEARCH", "/t/SEARCH"),
            ("/", "/"),
            ("*", "*"),
        ] {
            let mut uri: Uri = given.parse().unwrap();
            write_as_routed(&mut uri);
            assert_eq!(uri.to_string(), expected, "{given}");
        }
    }
}

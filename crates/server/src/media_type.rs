//! What a request says of its body: its type, its charset, its coding (RFC 9110 §8.3, §8.4). Nothing is guessed.

use http::{HeaderMap, HeaderValue, header};

/// The codings that a body may have, for an answer that refuses another one (RFC 9110 §15.5.16).
pub(crate) const ACCEPTED_CODINGS: HeaderValue = HeaderValue::from_static("identity");

/// Whether the body is compressed, or coded otherwise.
pub(crate) fn is_coded(headers: &HeaderMap) -> bool {
    let is_identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    !headers.get_all(header::CONTENT_ENCODING).iter().all(is_identity)
}

/// Whether the body is said once to be of one of these types, and of no other charset than UTF-8.
pub(crate) fn is_utf_8_of(headers: &HeaderMap, types: &[&str]) -> bool {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    match (given.next().and_then(|value| value.to_str().ok()), given.next()) {
        (Some(text), None) => is_of(text, types),
        _ => false,
    }
}

fn is_of(text: &str, types: &[&str]) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    types.iter().any(|name| essence.eq_ignore_ascii_case(name))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        for (text, expected) in [
            ("application/scim+json", true),
            ("application/json", true),
            ("Application/SCIM+JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/json; profile=x", true),
            ("application/json;", true),
            ("application/scim+json; charset=utf-16", false),
            ("text/plain", false),
            ("application/xml", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            assert_eq!(is_of(text, &["application/scim+json", "application/json"]), expected, "{text}");
        }
    }
}

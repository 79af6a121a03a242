//! Credentials that came without TLS to a server whose address begins with `https://`. The proxy in front, which ends TLS, tells of it.

use http::{HeaderMap, HeaderName, header};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What the client is told.
pub(crate) const TOLD: &str = "this credential came over http://, where others could read it; have it revoked, and use https:// only (a proxy that ends TLS says so by X-Forwarded-Proto: https)";

/// Goes with the answer to a request whose credential others could read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IsExposed;

/// Whether the request began its way without TLS: what the first proxy tells in `X-Forwarded-Proto`, or in `Forwarded` (RFC 7239 §5.4). Where
/// nothing is told, nothing is known.
pub(crate) fn came_in_clear(headers: &HeaderMap) -> bool {
    let first = |name: &HeaderName| headers.get(name)?.to_str().ok()?.split(',').next();
    if let Some(scheme) = first(&FORWARDED_PROTO) {
        return is_http(scheme);
    }
    let scheme_of = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("proto").then(|| is_http(value.trim().trim_matches('"')))
    };
    first(&header::FORWARDED).and_then(|hop| hop.split(';').find_map(scheme_of)).unwrap_or_default()
}

fn is_http(scheme: &str) -> bool {
    scheme.trim().eq_ignore_ascii_case("http")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_first_proxy_is_believed() {
        for (name, value, expected) in [
            ("x-forwarded-proto", "http", true),
            ("x-forwarded-proto", " HTTP , https", true),
            ("x-forwarded-proto", "https, http", false),
            ("x-forwarded-proto", "https", false),
            ("x-forwarded-proto", "", false),
            ("forwarded", "for=192.0.2.1;proto=http;by=x", true),
            ("forwarded", "For=\"[2001:db8::1]\"; Proto=\"http\"", true),
            ("forwarded", "for=192.0.2.1;proto=https, for=x;proto=http", false),
            ("forwarded", "for=192.0.2.1", false),
            ("host", "http", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(came_in_clear(&headers), expected, "{name}: {value}");
        }
        assert!(!came_in_clear(&HeaderMap::new()));
    }
}
